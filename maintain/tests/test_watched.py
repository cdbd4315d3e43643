"""Trials that the page shows step by step: what the last step says is what the tables say."""

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from whyspiking.records.reference import FOLDER
from whyspiking.report import watch
from whyspiking.training.reference import answering, units
from whyspiking_maintain import watched

SHAPE = units.Shape(n_lines=5, n_steps=30, answer_steps=6, n_classes=3, step_ms=5.0)
NETWORKS = [("spiking", None), ("sigmoid", None), ("sigmoid", 0.05), ("gru", None), ("gru", 0.05)]


@pytest.mark.parametrize(("kind", "least_change"), NETWORKS)
@pytest.mark.parametrize("is_recurrent", [True, False])
def test_operations_up_to_the_last_step_are_those_that_the_tables_count(
    kind, least_change, is_recurrent
):
    recipe = units.Recipe(kind, 7, 0.01, (20.0, 20.0), is_recurrent, gain=6.0)
    rng = np.random.default_rng(3)
    arrays = units.initial(recipe, SHAPE, rng)
    raster = rng.random((4, SHAPE.n_steps, SHAPE.n_lines)) < 0.1
    _, expected = answering.answer(recipe, SHAPE, arrays, raster, least_change)
    input_spikes = raster.swapaxes(0, 1).astype(np.float32)
    _, messages = units.run(recipe, SHAPE, arrays, input_spikes, least_change)
    for i_trial, trial_raster in enumerate(raster):
        counts = watched.count_by_step(
            recipe, SHAPE, trial_raster, np.asarray(messages)[:, i_trial], least_change
        )
        for name, steps in asdict(counts).items():
            assert np.all(np.diff(np.broadcast_to(steps, SHAPE.n_steps)) >= 0), name
            # `verdicts.points` adds what is read in every step.
            if name != "buffered_values":
                assert np.ravel(steps)[-1] == asdict(expected)[name][i_trial], name


def test_the_kept_trials_are_whole_and_their_energy_only_rises():
    content = json.loads((FOLDER / watch.FILE).read_text(encoding="utf-8"))
    assert [network["family"] for network in content["networks"]] == list(watched.FAMILIES)
    assert len(content["trials"]) == watched.N_TRIALS
    frontiers = pd.read_csv(FOLDER / "frontiers.csv")
    frontiers = frontiers[(frontiers["task"] == watched.TASK) & (frontiers["seed"] == 30)]
    for network in content["networks"]:
        is_network = frontiers["family"] == network["family"]
        is_network &= frontiers["n_hidden"] == network["units"]
        is_network &= np.isclose(frontiers["test_accuracy"], network["accuracy"])
        (row,) = frontiers[is_network].to_dict("records")
        trial_energies = [1e3 * trial["energy"][-1] for trial in network["trials"]]
        assert np.mean(trial_energies) == pytest.approx(row[watched.ACCOUNT], rel=0.15), (
            "as in the table"
        )
        for trial in network["trials"]:
            assert {len(row) for row in trial["levels"]} == {content["n_steps"]}
            assert len(trial["levels"]) == network["units"]
            assert len(trial["outputs"]) == content["n_steps"] - content["answer_step"]
            assert trial["choice"] == int(np.argmax(trial["outputs"][-1]))
            assert np.all(np.diff(trial["energy"]) >= 0)
    assert (FOLDER / watch.FILE).stat().st_size < 60_000
