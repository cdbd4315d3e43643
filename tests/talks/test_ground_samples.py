"""Few distinct trials: their protocol, the settings of the cells, their training, the figure."""

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
from whyspiking.talks.ground import figures, references, samples
from whyspiking.talks.ground.protocol import protocol
from whyspiking.training import checkpoint
from whyspiking.training.reference import answering, learning
from whyspiking.verdicts import judge

TALK = registry.load_talk("ground")
SAMPLES = protocol().samples


@pytest.mark.parametrize("scale", ["full", "paper"])
def test_claims_seeds_and_cells_are_those_of_the_protocol(scale):
    given = yaml.safe_load((Path(__file__).parents[2] / f"config/{scale}.yaml").read_text())[
        "seeds_of"
    ]
    seeds = {x["experiment"]: x["seeds"] for x in given}
    claims = {c.id: c for c in judge.load(TALK.folder / "claims.yaml", TALK)}
    run, task = TALK.experiments["samples"], TALK.experiments[SAMPLES.task]
    assert (seeds["ground.samples"], run.published, [*run.variants]) == (
        list(SAMPLES.seeds),
        task.published,
        [*SAMPLES.cells],
    )
    assert all(protocol().training[SAMPLES.task].chunk_size % n == 0 for n in SAMPLES.n_distinct)
    for name, contrast in SAMPLES.contrasts.items():
        claim, band = claims[f"ground.samples.{name}"], contrast.criterion
        sides = {**claim.rows}, {**claim.rows, **(claim.compared_with or {})}
        assert [
            (x["experiment"], x["variant"], x["perturbation"], x.get("strength")) for x in sides
        ] == [
            ("samples", cell, samples.DISTINCT, contrast.n_distinct)
            for cell in (contrast.cell, contrast.compared_with)
        ]
        assert claim.model_dump()["criteria"][scale]["criterion"] == band
        assert claim.test_type == ("difference" if None in band else "equivalence")


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
    for name, cell in SAMPLES.cells.items():
        best = references.chosen(
            SAMPLES.task, cell.family, only=cell.model_dump()["setting_filter"]
        )
        assert cell.setting.given == {
            k: tuple(x) if isinstance(x, list) else x for k, x in best.items()
        }, name


def test_few_trials_are_shown_equally_often():
    raster, classes = np.arange(24).reshape(12, 2, 1), np.arange(12)
    again, told = samples.few(lambda seed, part: (raster, classes), 3, 9)(900, 0)
    assert told.tolist() == [0, 1, 2] * 3 and (again == raster[told]).all()


def test_a_cell_is_trained_for_every_number_of_distinct_trials(tmp_path):
    """In one job, whose checkpoints have names of their own; each as if it were trained alone."""
    setting = SAMPLES.cells["lif"].setting.given
    own = {**TALK.experiments["samples"].published, "n_train": 400, "n_test": 50}
    params = Params("ground", "samples", "smoke", own, seed=900)
    with checkpoint.kept_in(tmp_path, {}, [], every_s=0):
        found = samples.train(params, "lif", Streams(900), {}, lambda *_: None)
    rows = found.info["measured_at"]
    assert [row[:2] for row in rows] == [[samples.DISTINCT, n] for n in (200, 1000, 4000, 16000)]
    of_task = samples._of_task(params)
    x, classes = references.told(of_task, "test", Streams(900))
    recipe, shape = references.recipe("sound", "lif", 8, setting), references.shape(of_task)
    drawn = replace(of_task, values={**of_task.values, "share": 400 / 16000})
    draw = samples.few(references.trials(drawn), 200, 400)
    alone = learning.train(recipe, shape, draw, 1, [900])[0.0, 900].arrays
    for name, values in alone.items():
        np.testing.assert_array_equal(found.arrays[f"{name}_200"], values)
    choices, _ = answering.answer(recipe, shape, alone, x)
    assert rows[0][2:] == [{"accuracy": np.mean(choices == classes)}, 50]
    assert (found.arrays["input_200"] != found.arrays["input_1000"]).any()


def test_the_figure_says_the_mean_accuracies():
    rows = [
        ("samples", cell, "accuracy", n, seed, 0.5 + 0.01 * (seed - 22) + 0.04 * (cell == "lif"))
        for cell in SAMPLES.cells
        for n in SAMPLES.n_distinct
        for seed in SAMPLES.seeds
    ]
    names = pd.Index(["experiment", "variant", "metric", "strength", "seed", "value"])
    said = figures.few_trials(pd.DataFrame(rows, columns=names)).alt
    assert "LIF: 54.0, 54.0, 54.0, 54.0" in said and "GRU: 50.0" in said
    with pytest.raises(NotMeasuredError):
        figures.few_trials(pd.DataFrame([], columns=names))
