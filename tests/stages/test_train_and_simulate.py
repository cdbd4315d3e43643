"""Training and simulation of a talk: what they write, and what becomes of it in the tables."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made.claims import claim
from made.fulfilled import made_of
from made.project import silent
from made.toy_talk import described, talk_of

from whyspiking.contract import network_files
from whyspiking.contract.types import Labels, Network, Params, Stimulus, Task, Traces, Trials
from whyspiking.declared import plans, registry
from whyspiking.records import tables
from whyspiking.running import jobs
from whyspiking.stages import collect
from whyspiking.stages import simulate as simulating
from whyspiking.stages import train as training
from whyspiking.training import checkpoint


def make_replication(measures):
    """A talk with four trials, three of which it decides rightly."""

    def make_task(params, split, streams):
        return Task(Stimulus(), np.array([0, 1, 0, 1]), 2) if split == "test" else None

    def evaluate(params, variant, network, task):
        return Trials(task.targets, np.array([0, 1, 0, 0]), np.ones(4), 2)

    def train(params, variant, streams, parents, progress):
        return Network({}, {"engine": "numpy", "measures": measures})

    return made_of(make_task=make_task, evaluate=evaluate, train=train)


NETWORK = {"variant_role": "rate", "description": "A network."}
EXPERIMENT = described("one", variants={"net": NETWORK})


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """Train the toy with a seed of 3 and give its rows of the talk's table."""

    def _rows(made, experiment=EXPERIMENT):
        monkeypatch.setattr(training, "load_replication", lambda *_: made)
        talk = talk_of({"one": experiment})
        monkeypatch.setattr(collect.registry, "load_talk", lambda name: talk)
        variant = list(experiment.variants)[-1]
        folder = tmp_path / "toy" / "one" / variant / "seed-3"
        plan = plans.training(experiment, variant, Params("toy", "one", "smoke", {}, seed=3))
        training.train(plan, [], folder, lambda share, news: None)
        (tmp_path / "claims.yaml").write_text("claims: []\n")
        monkeypatch.setattr(collect.judge, "load", lambda path, talk: [])
        collect.collect_talk("toy", [], [folder / "network.json"], "smoke", tmp_path / "toy")
        return tables.read_metrics([tmp_path / "toy" / "metrics.csv"])

    return _rows


def test_what_was_measured_during_training_becomes_rows(rows):
    every = rows(make_replication({"xor_margin": 1.5}))
    table = every[every["perturbation"] == "none"].set_index("metric")
    parts = every[(every["perturbation"] == "part") & (every["metric"] == "accuracy")]
    assert parts["value"].mean() == 0.75  # four trials, a part each
    assert table.loc["accuracy", "value"] == 0.75
    told = table.loc["xor_margin", ["value", "unit", "engine", "seed"]].tolist()
    assert told == [1.5, "Hz", "numpy", 3]


def test_measures_must_be_in_the_glossary(rows):
    with pytest.raises(KeyError, match="beauty"):
        rows(make_replication({"beauty": 1.0}))


def test_a_network_may_have_no_engine_but_brian2(rows):
    made = make_replication({})
    made.evaluate = lambda *_: None
    assert set(rows(made)["metric"]) == {"train_seconds", "train_cpu_seconds"}


def test_of_further_samples_only_the_accuracy_counts(rows):
    made = make_replication({})
    made.make_task = lambda params, split, streams: Task(Stimulus(), np.array([0, 1, 0, 1]), 2)
    table = rows(made)
    metrics = list(table[table["perturbation"] == "none"]["metric"])
    assert [name for name in metrics if name.endswith("_fresh")] == ["accuracy_fresh"]
    assert len(set(metrics)) == len(metrics)


OUTCOMES = {
    "trials": Trials(np.array([0, 1]), np.array([1, -1], np.int32), np.array([2.5, np.inf]), 3),
    "traces": Traces(np.ones((2, 3, 1), np.float32), np.zeros((2, 3, 1)), 0.5, True),
    "labels": Labels(np.array([[0, -1]]), np.array([[1, 1]]), 4.0, 6),
}


@pytest.mark.parametrize("kind", OUTCOMES)
def test_outcomes_survive_the_disk(tmp_path, kind):
    kept = OUTCOMES[kind]
    network_files.save_outcomes({"test": kept, "fresh": kept}, tmp_path / "outcome.npz")
    found = network_files.load_outcomes(tmp_path / "outcome.npz")
    assert list(found) == ["test", "fresh"]
    for outcome in found.values():
        assert type(outcome) is type(kept)
        for name, value in vars(kept).items():
            again = getattr(outcome, name)
            assert type(again) is type(value)
            np.testing.assert_array_equal(again, value)
            assert np.asarray(again).dtype == np.asarray(value).dtype


def test_no_outcome_is_kept_as_none(tmp_path):
    network_files.save_outcomes({}, tmp_path / "outcome.npz")
    assert network_files.load_outcomes(tmp_path / "outcome.npz") == {}


def test_who_is_perturbed():
    """Controls of any kind, and the spiking variants that are chosen."""
    roles = ["spiking", "chosen", "ablation", "rate", "control", "negative_control"]
    variants = {
        r: {"variant_role": "spiking" if r == "chosen" else r, "description": "A network."}
        for r in roles
    }
    experiment = described(
        "one",
        robustness_tests={"chosen": ("jitter",)},
        parameters={"n": {"value": 4, "source": "made up here"}},
        variants=variants,
    )
    plan = plans.measuring(experiment, Params("toy", "one", "smoke", {"n": 4, "m": 1}), 1.0)
    told = plan["variants"]
    perturbed = {name for name in told if told[name]["perturbations"]}
    assert perturbed == {"chosen", "rate", "control", "negative_control"}
    assert not told["control"]["settings"]


def test_a_plan_is_plain_and_gives_the_parameters_back():
    """Snakemake compares plans as text: plain data, without the folders of programs and data."""
    config = {"build_folder": "c", "data": {"folder": "d"}}
    for talk in map(registry.load_talk, registry.available()):
        for experiment in talk.experiments.values():
            params = Params(talk.name, experiment.name, "default", experiment.published, 2)
            told = [plans.measuring(experiment, params, talk.tau_char_ms)]
            told += [plans.training(experiment, name, params) for name in experiment.variants]
            moved = replace(params, work_dir=Path("c"), data_dir=Path("d"))
            for plan in told:
                assert json.loads(json.dumps(plan)) == plan
                assert Params.of(plan["params"]) == params
                elsewhere = plans.anywhere({**plan, "params": moved.plain()})
                assert elsewhere == plans.anywhere(plan) != plan
                assert Params.of(jobs.here(elsewhere, config)["params"]) == moved


def test_what_does_not_spike_is_collected_without_brian2(tmp_path, monkeypatch):
    def to_brian(params):
        raise AssertionError("nothing to simulate")

    def exhibits(params, networks, simulate, streams):
        return {"seeds": np.array([seed for _, seed in networks])}

    made = make_replication({})
    made.to_brian, made.exhibits = to_brian, exhibits
    monkeypatch.setattr(simulating, "load_replication", lambda *_: made)
    counts = {"macs_dense": 5.0}
    network_files.save_network(
        Network({"w": np.ones(2)}, {"engine": "numpy", "counts": counts}),
        tmp_path / "net" / "seed-4",
    )
    plan = plans.measuring(EXPERIMENT, Params("toy", "one", "smoke", {}), 1.0)
    out = tmp_path / "out"
    simulating.simulate(plan, [tmp_path / "net" / "seed-4"], {}, out, lambda share, news: None)
    assert list(tables.read_metrics([out / "metrics.csv"])["metric"]) == ["macs_dense"]
    with np.load(out / "figure_data.npz") as kept:
        assert kept["seeds"].tolist() == [4]


def test_another_order_in_talk_yaml_is_no_change():
    parameters = {n: {"value": 4, "source": "made up here"} for n in ("n", "m")}
    variants = {"net": NETWORK, "other": NETWORK}
    told = []
    for turn in (list, reversed):
        ordered = [{k: d[k] for k in turn(list(d))} for d in (parameters, variants)]
        one = described("one", parameters=ordered[0], variants=ordered[1])
        params = Params("toy", "one", "smoke", one.published)
        told.append(repr((plans.training(one, "net", params), plans.measuring(one, params, 1.0))))
    assert told[0] == told[1]


def test_the_first_part_of_a_training_is_repeated_and_the_recorded_network_evaluated(
    tmp_path, monkeypatch
):
    def train(params, variant, streams, parents, progress):
        (epoch,) = checkpoint.Checkpoint([]).rounds(range(10), progress)
        return Network({}, {"engine": "numpy"}, [{"epoch": epoch, "metric": "e", "value": 0.5}])

    made = make_replication({})
    made.train = train
    monkeypatch.setattr(training, "load_replication", lambda *_: made)
    curve = [{"epoch": epoch, "metric": "e", "value": 0.5 - epoch} for epoch in range(10)]
    recorded = Network({"w": np.ones(2)}, {"engine": "numpy", "epochs": 10}, curve)
    network_files.save_network(recorded, tmp_path / "recorded")
    plan = plans.training(EXPERIMENT, "net", Params("toy", "one", "default", {}, seed=3))
    plan["first_part"] = {"fraction": 0.1, "recorded": str(tmp_path / "recorded")}
    training.train(plan, [], tmp_path / "run", silent)
    network = network_files.load_network(tmp_path / "run")
    assert network.arrays["w"].tolist() == [1, 1] and network.history == curve
    assert network.info["measures"]["curve_difference"] == 0
    assert not [key for key in network.info if key.endswith("seconds")]
    assert "test" in network_files.load_outcomes(tmp_path / "run" / "outcome.npz")


def test_a_verdict_says_which_changed_parameters_its_networks_have():
    judged, other = (
        claim(),
        claim(
            id="goeltz.yinyang_2tau.accuracy", rows={"experiment": "mnist", "variant": "spiking"}
        ),
    )
    verdicts = pd.DataFrame(
        {"claim": [judged.id, other.id], "qualification": ["one network", "reduced"]}
    )
    changed = {"yinyang": "with changed parameters: yinyang.n_hidden 60"}
    marked = collect._mark_changed(verdicts, [judged, other], changed)
    assert marked["qualification"].tolist() == [
        "with changed parameters: yinyang.n_hidden 60; one network",
        "reduced",
    ]
    assert collect._mark_changed(verdicts, [judged, other], {}).equals(verdicts)
