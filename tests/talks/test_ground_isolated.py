"""What isolates the spike: its protocol, the settings of its cells, their training, the figure."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Params
from whyspiking.declared import registry
from whyspiking.plots.figures import NotMeasuredError
from whyspiking.talks.ground import figures, isolated, references
from whyspiking.talks.ground.protocol import protocol
from whyspiking.training import checkpoint
from whyspiking.training.reference import answering, learning
from whyspiking.verdicts import judge

TALK = registry.load_talk("ground")
ISOLATES = protocol().isolates


@pytest.mark.parametrize("scale", ["full", "paper"])
def test_claims_seeds_and_cells_are_those_of_the_protocol(scale):
    given = yaml.safe_load((Path(__file__).parents[2] / f"config/{scale}.yaml").read_text())[
        "seeds_of"
    ]
    seeds = {x["experiment"]: x["seeds"] for x in given}
    claims = {c.id: c for c in judge.load(TALK.folder / "claims.yaml", TALK)}
    for name, experiment in ISOLATES.experiments.items():
        run, task = TALK.experiments[name], TALK.experiments[experiment.task]
        assert (seeds[f"ground.{name}"], run.published, [*run.variants]) == (
            list(experiment.seeds),
            task.published,
            [*experiment.cells],
        )
        assert all(protocol().training[experiment.task].part % n == 0 for n in experiment.distinct)
    for name, contrast in ISOLATES.contrasts.items():
        claim, band = claims[f"ground.{contrast.of.split('/')[0]}.{name}"], contrast.band
        sides = {**claim.where}, {**claim.where, **(claim.versus or {})}
        assert [
            (f"{x['experiment']}/{x['variant']}", x["perturbation"], x.get("strength"))
            for x in sides
        ] == [(of, isolated.DISTINCT, contrast.at) for of in (contrast.of, contrast.versus)]
        assert claim.model_dump()["accept"][scale]["band"] == band
        assert claim.test == ("difference" if None in band else "equivalence")


@pytest.mark.parametrize(
    ("only", "index"), [({"recurrent": (False,)}, 1), ({"tau_ms": ((5.0, 5.0),)}, 3), ({}, 7)]
)
def test_a_cell_gets_the_best_setting_that_fits_it(tmp_path, only, index):
    """Tau 2, rates .01 and .03; 5, the same; spread, the same; the last two are recurrent."""
    settings = list(protocol().families["lif"]["sound"].settings(0))
    rows = [
        ("sound", "lif", 1, json.dumps(setting, sort_keys=True), seed, 8, score, 1.0)
        for setting, score in zip(settings, [0.5, 0.8, 0.6, 0.7, 0.4, 0.3, 0.9, 0.95], strict=True)
        for seed in protocol().tuning_seeds
    ]
    names = pd.Index(references.REFERENCE_TUNING.names)
    pd.DataFrame(rows, columns=names).to_csv(tmp_path / "sound.csv", index=False)
    assert references.chosen("sound", "lif", tmp_path, only) == settings[index]


def test_settings_of_cells_were_chosen_by_the_tables():
    for experiment in ISOLATES.experiments.values():
        for name, cell in experiment.cells.items():
            best = references.chosen(experiment.task, cell.family, only=cell.model_dump()["only"])
            assert cell.setting.given == {
                k: tuple(x) if isinstance(x, list) else x for k, x in best.items()
            }, (experiment.task, name)


def test_few_trials_are_shown_equally_often():
    raster, classes = np.arange(24).reshape(12, 2, 1), np.arange(12)
    again, told = isolated.few(lambda seed, part: (raster, classes), 3, 9)(900, 0)
    assert told.tolist() == [0, 1, 2] * 3 and (again == raster[told]).all()


def test_a_cell_is_trained_for_every_number_of_distinct_trials(tmp_path):
    """In one job, whose checkpoints have names of their own; each as if it were trained alone."""
    setting = ISOLATES.experiments["samples"].cells["lif"].setting.given
    own = {**TALK.experiments["samples"].published, "n_train": 400, "n_test": 50}
    params = Params("ground", "samples", "smoke", own, seed=900)
    with checkpoint.kept_in(tmp_path, {}, [], every_s=0):
        found = isolated.train(params, "lif", Streams(900), {}, lambda *_: None)
    rows = found.info["measured_at"]
    assert [row[:2] for row in rows] == [[isolated.DISTINCT, n] for n in (200, 1000, 4000, 16000)]
    of_task = isolated._of_task(params)
    x, classes = references.told(of_task, "test", Streams(900))
    recipe, shape = references.recipe("sound", "lif", 8, setting), references.shape(of_task)
    drawn = replace(of_task, values={**of_task.values, "share": 400 / 16000})
    draw = isolated.few(references.trials(drawn), 200, 400)
    alone = learning.train(recipe, shape, draw, 1, [900])[0.0, 900].arrays
    for name, values in alone.items():
        np.testing.assert_array_equal(found.arrays[f"{name}_200"], values)
    choices, _ = answering.answer(recipe, shape, alone, x)
    assert rows[0][2:] == [{"accuracy": np.mean(choices == classes)}, 50]
    assert (found.arrays["input_200"] != found.arrays["input_1000"]).any()


def test_the_figure_says_differences_paired_by_seed():
    rows = [
        (name, cell, "accuracy", n, seed, 0.5 + 0.01 * seed + 0.04 * (cell in ("lif", "spread")))
        for name, experiment in ISOLATES.experiments.items()
        for cell in experiment.cells
        for n in experiment.distinct or (16000,)
        for seed in experiment.seeds
    ]
    names = pd.Index(["experiment", "variant", "metric", "strength", "seed", "value"])
    said = figures.isolated(pd.DataFrame(rows, columns=names)).alt
    assert said.count(" +4.0") == 5 and said.count(" +0.0") == 1
    with pytest.raises(NotMeasuredError):
        figures.isolated(pd.DataFrame([], columns=names))
