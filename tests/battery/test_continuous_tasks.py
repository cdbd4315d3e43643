"""The battery where outputs are continuous or nothing spikes, on the toy talk."""

from typing import Any, cast

import numpy as np
import pytest
from made.toy_talk import (
    CONFIG,
    DURATION,
    PARAMS,
    TAU,
    K,
    ToyTalk,
    experiment,
    probe,
    value,
)

from whyspiking.battery import probe as battery
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Network, Stimulus, Task, Traces
from whyspiking.declared import plans
from whyspiking.errors import UserError
from whyspiking.records import tables


class ToyWave(ToyTalk):
    """Two channels of a driven wave; the noise of the output depends on a weight."""

    fresh = False

    def make_task(self, params, split, streams):
        if split == "fresh":
            return None
        t = np.arange(200.0)
        wave = np.stack([np.sin(t / 7), np.cos(t / 11)], axis=1)
        spikes = Spikes.from_first_spikes(np.full((3, K), 1.0), DURATION)
        targets = np.broadcast_to(wave, (3, 200, 2)).copy()
        return Task(Stimulus({"input": spikes}), targets, 0, dt_ms=1.0)

    def decode(self, params, recording, task):
        share = recording.spikes["hidden"].counts().mean(axis=1)
        return Traces(share[:, None, None] * task.targets, task.targets, 1.0)

    def evaluate(self, params, variant, network, task):
        return Traces(task.targets, task.targets, 1.0)


def test_continuous_outputs():
    table, arrays, _ = probe(("delete", "swap_trials"), toy=ToyWave())
    rows = tables.where(table, perturbation="none", location="")
    found = dict(zip(rows["metric"], rows["value"], strict=True))
    exact = {"score": 1.0, "correlation": 1.0, "nrmse": 0.0, "score_difference": 0.0}
    assert {name: found[name] for name in exact} == pytest.approx(exact)
    assert 0 < value(table, "chance") < 0.35
    place = {"perturbation": "delete", "location": "input", "strength": 1.0}
    assert value(table, "score", **place) == 0.0
    # There are no classes, so no trial can be swapped within one.
    assert tables.where(table, perturbation="swap_trials").empty
    assert tables.where(table, metric=["accuracy", "t95", "timing_information"]).empty
    assert not any(name.startswith("anytime") for name in arrays)


def test_an_engine_of_its_own_is_not_required():
    class Only(ToyWave):
        def evaluate(self, params, variant, network, task):
            return None

    table, _, _ = probe((), toy=Only())
    assert value(table, "score") == 1.0
    assert tables.where(table, metric="score_difference").empty


def test_what_does_not_spike_meets_no_simulator():
    class Rate(ToyTalk):
        def to_brian(self, params):
            raise AssertionError("nothing to simulate")

        def exhibits(self, params, networks, simulate, streams):
            with pytest.raises(UserError, match="is not simulated"):
                simulate(networks["spiking", 0], None)
            return {"shown": np.ones(1)}

    rows, arrays = battery.probe(
        cast("Any", Rate()),
        PARAMS,
        plans.measuring(experiment(()), PARAMS, TAU),
        {("spiking", 0): Network({}, {"engine": "numpy", "counts": {"macs_dense": 5.0}})},
        CONFIG,
        None,
        lambda share, news: None,
    )
    assert [(row["metric"], row["engine"]) for row in rows] == [("macs_dense", "numpy")]
    assert list(arrays) == ["shown"]
