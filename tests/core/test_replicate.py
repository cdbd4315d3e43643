"""Both stages of a replication: what they write into the metrics."""

from types import SimpleNamespace

import numpy as np
import pytest
from toy_talk import described

from whyspiking import replicate, resimulate, store, tables
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
        variants = described(
            variants={"spiking": {"role": "spiking", "says": "A network."}}
        ).variants
        one = SimpleNamespace(variants=variants, sizes=None)
        talk = SimpleNamespace(experiments={"one": one})
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


def test_a_network_may_have_no_engine_but_brian2(rows, monkeypatch):
    made = make_replication({})
    made.evaluate = lambda *_: None
    monkeypatch.setitem(globals(), "make_replication", lambda measures: made)
    assert set(rows({})["metric"]) == {"train_seconds"}


def test_what_does_not_spike_is_collected_without_brian2(tmp_path, monkeypatch):
    def to_brian(params):
        raise AssertionError("nothing to simulate")

    def exhibits(params, networks, simulate, streams):
        return {"seeds": np.array([seed for _, seed in networks])}

    made = make_replication({})
    made.to_brian, made.exhibits = to_brian, exhibits
    variants = {"net": {"role": "rate", "says": "A network."}}
    experiment = described("one", variants=variants, simulated=False)
    talk = SimpleNamespace(experiments={"one": experiment}, tau_char_ms=1.0)
    monkeypatch.setattr(replicate.registry, "module", lambda name: made)
    monkeypatch.setattr(replicate.registry, "load_talk", lambda name: talk)
    monkeypatch.setattr("whyspiking.battery.load_talk", lambda name: talk)
    counts = {"macs_dense": 5.0}
    store.save_network(
        Network({"w": np.ones(2)}, {"engine": "numpy", "counts": counts}),
        tmp_path / "net" / "seed-4",
    )
    params = Params("toy", "one", "smoke", {})
    out = tmp_path / "out"
    resimulate.simulate(params, [tmp_path / "net" / "seed-4"], {}, out, lambda share, news: None)
    table = tables.read_metrics([out / "metrics.csv"])
    assert list(table["metric"]) == ["macs_dense"]
    with np.load(out / "exhibits.npz") as kept:
        assert kept["seeds"].tolist() == [4]
