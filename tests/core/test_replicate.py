"""The training stage: what it writes into the metrics."""

from types import SimpleNamespace

import numpy as np
import pytest

from whyspiking import replicate, tables
from whyspiking.contract import Network, Params, Stimulus, Task, Trials


def make_replication(measures):
    """A talk with four trials, three of which it decides rightly."""

    def make_task(params, split, streams):
        return Task(Stimulus(), np.array([0, 1, 0, 1]), 2) if split == "test" else None

    def evaluate(params, variant, network, task):
        return Trials(task.targets, np.array([0, 1, 0, 0]), np.ones(4), 2)

    def train(params, variant, streams, parents, progress):
        return Network({}, {"engine": "numpy", "measures": measures})

    return SimpleNamespace(make_task=make_task, evaluate=evaluate, train=train)


@pytest.fixture
def rows(tmp_path, monkeypatch):
    def _rows(measures):
        variants = {"spiking": SimpleNamespace(starts_from=())}
        talk = SimpleNamespace(experiments={"one": SimpleNamespace(variants=variants)})
        monkeypatch.setattr(replicate.registry, "module", lambda name: make_replication(measures))
        monkeypatch.setattr(replicate.registry, "load_talk", lambda name: talk)
        params = Params("toy", "one", "smoke", {}, seed=3)
        replicate.train(params, "spiking", [], tmp_path, lambda share, news: None)
        return tables.read_metrics([tmp_path / "metrics.csv"])

    return _rows


def test_what_was_measured_during_training_becomes_rows(rows):
    table = rows({"xor_margin": 1.5}).set_index("metric")
    assert table.loc["accuracy", "value"] == 0.75
    assert table.loc["xor_margin", "value"] == 1.5
    assert table.loc["xor_margin", "unit"] == "Hz"
    assert table.loc["xor_margin", "engine"] == "numpy"
    assert (table["seed"] == 3).all()


def test_measures_must_be_in_the_glossary(rows):
    with pytest.raises(KeyError, match="beauty"):
        rows({"beauty": 1.0})
