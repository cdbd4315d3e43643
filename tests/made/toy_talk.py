"""A toy talk whose every answer is known, with a stand-in for the simulator.

Toy: class k is coded by channel k firing first among K channels; the hidden layer repeats the input
1 ms later; output k fires 1 ms after hidden k if its weight is above the threshold. The choice is
the first output. So times decide everything and counts nothing.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from whyspiking.battery import probe as battery
from whyspiking.contract.brian_model import BrianModel, Replay
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.talk import Replication
from whyspiking.contract.types import (
    Binding,
    Condition,
    Layer,
    Network,
    Outcome,
    Params,
    Recording,
    Stimulus,
    Task,
    Trials,
)
from whyspiking.declared import plans
from whyspiking.declared.registry import Experiment, Talk, TauChar
from whyspiking.records import columns, tables
from whyspiking.training import controls

K, DURATION, DELAY, TAU = 4, 20.0, 1.0, 2.0
CONFIG = {
    "n_trials": 60,
    "n_perturbations": 2,
    "n_agreement_trials": 50,
    "n_decoder_trials": 400,
    "jitter": [0.01, 4.0],
    "shuffle_window": [0.5, 1.0],
    "delete": [0.2, 1.0],
    "insert": [0.5],
    "quantise": [8, 2],
    "clip": [0.5],
    "mismatch": [0.1, 0.4],
}
SPIKES_ONLY = ("jitter", "shuffle", "delete")


class ToyMachine:
    """Computes the toy in numpy; keeps what it was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[Stimulus, dict]] = []

    def run(self, stimulus, values, *, trials=None, seed=0) -> Recording:
        self.calls.append((stimulus, dict(values)))
        first = stimulus.spikes["input"].first_ms()
        hidden = first + DELAY
        if values["hidden.v_th"].min() > 1e6:
            hidden = np.full_like(hidden, np.inf)
        driven = hidden
        if "replay" in stimulus.spikes:
            driven = np.minimum(hidden, stimulus.spikes["replay"].first_ms())
        weights = values["s_out.w"].reshape(K, K).diagonal()
        output = np.where(weights > 0.25, driven + DELAY, np.inf)
        return Recording(
            {
                "hidden": Spikes.from_first_spikes(hidden, DURATION),
                "output": Spikes.from_first_spikes(output, DURATION),
            }
        )


class ToyTalk(Replication):
    """What fulfils an experiment, as methods."""

    own: tuple[Condition, ...] = ()
    fresh = True

    def make_task(self, params, split, streams):
        if split == "fresh" and not self.fresh:
            return None
        rng = streams.rng(f"data-{split}")
        n = {"test": 200, "fresh": 80}[split]
        targets = rng.integers(K, size=n)
        times = rng.uniform(6, 12, (n, K))
        times[np.arange(n), targets] = rng.uniform(2, 4, n)
        features = np.exp(-times / 5)
        spikes = Spikes.from_first_spikes(times, DURATION)
        return Task(Stimulus({"input": spikes}), targets, K, features)

    def train(self, params, variant, streams, parents, progress):
        raise NotImplementedError

    def evaluate(self, params, variant, network, task) -> Outcome:
        if variant == "mlp":
            features = controls.seen(network, task.features)
            choices = controls.forward(network.arrays, features)[-1].argmax(axis=1)
            return Trials(task.targets, choices, np.zeros(choices.size), K)
        first = task.stimulus.spikes["input"].first_ms()
        return Trials(task.targets, first.argmin(axis=1), first.min(axis=1) + 2 * DELAY + 0.25, K)

    def reference_first_ms(self, params, variant, network, task):
        return {"hidden": task.stimulus.spikes["input"].first_ms() + DELAY + 0.125}

    def to_brian(self, params):
        return BrianModel(
            name="toy",
            groups=[],
            synapses=[],
            inputs={"input": K, "replay": K},
            dt_ms=0.5,
            trial_ms=DURATION,
            max_trials=100,
            record_spikes=("hidden", "output"),
            replay={"hidden": Replay("replay", {"hidden.v_th": np.float64(1e9)})},
            sub_step=True,
        )

    def bind(self, params, network):
        weights = network.arrays["w"]
        return Binding(
            values={
                "s_in.w": np.eye(K).ravel(),
                "s_out.w": weights.ravel(),
                "hidden.v_th": np.ones(K),
            },
            layers={
                "s_in.w": Layer("input", "hidden", np.eye(K)),
                "s_out.w": Layer("hidden", "output", weights, "readout"),
            },
        )

    def decode(self, params, recording, task) -> Outcome:
        first = recording.spikes["output"].first_ms()
        decision = first.min(axis=1)
        choices = np.where(np.isfinite(decision), first.argmin(axis=1), -1)
        return Trials(task.targets, choices, decision, K)

    def conditions(self, params):
        return self.own

    def vary(self, params, condition, task, binding, rng):
        shift = condition.strength * rng.choice([1.0, 1.0])
        first = task.stimulus.spikes["input"].first_ms() + shift
        stimulus = Stimulus({"input": Spikes.from_first_spikes(first, DURATION)})
        return replace(task, stimulus=stimulus), binding

    def measures(self, params, condition, recording, task):
        return {"output_frequency": condition.strength}

    def exhibits(self, params, networks, simulate, streams):
        network = networks["spiking", 0]
        recording = simulate(network, self.make_task(params, "test", streams))
        return {"first": recording.spikes["hidden"].first_ms()}


PARAMS = Params("toy", "first", "default", {"dt_ms": 0.5})


def described(name="first", **keys) -> Experiment:
    """An experiment of the toy talk, as its talk.yaml might describe it."""
    entry = {
        "title": "Toy",
        "task_type": "classification",
        "data": {"data_set": "toy", "data_source": "synthetic"},
        "robustness_tests": (),
        "input_times": "constructed",
        "parameters": {},
        "scale_overrides": {},
        **keys,
    }
    found = Experiment.model_validate(entry).completed(name, {})
    found._talk = "toy"
    return found


def experiment(names=SPIKES_ONLY) -> Experiment:
    roles = {"spiking": "spiking", "ablated": "ablation", "mlp": "control", "linear": "control"}
    return described(
        robustness_tests=names,
        variants={
            name: {"variant_role": role, "description": "A network."}
            for name, role in roles.items()
        },
    )


def talk(names=SPIKES_ONLY) -> Talk:
    return talk_of({"first": experiment(names)})


def talk_of(experiments: dict[str, Experiment], **keys) -> Talk:
    """A talk about whose text nobody cares, so it is not checked."""
    tau = TauChar(value=TAU, unit="ms", description="delay")
    named = {
        "title": "Toy talk",
        "speaker": "Nobody",
        "event": "Nowhere 2021",
        "publications": {},
        "learning_rules": (),
    }
    told = {**named, "characteristic_time": tau, "experiments": experiments, **keys}
    return Talk.model_construct(**told).called("toy")


def spiking_network() -> Network:
    return Network({"w": np.eye(K)}, {"engine": "numpy"})


def mlp() -> Network:
    arrays = {"w0": np.eye(K), "b0": np.zeros(K), "w1": np.eye(K), "b1": np.zeros(K)}
    return Network(arrays, {"engine": "jax", "is": "relu"})


def probe(names=SPIKES_ONLY, networks=None, toy: Any = None, machine=None, config=None, **options):
    machine = ToyMachine() if machine is None else machine
    networks = {("spiking", 0): spiking_network()} if networks is None else networks
    rows, arrays = battery.probe(
        toy or ToyTalk(),
        PARAMS,
        plans.measuring(experiment(names), PARAMS, TAU),
        networks,
        {**CONFIG, **(config or {})},
        machine,
        lambda share, news: None,
        **options,
    )
    table = pd.DataFrame(rows, columns=columns.METRICS.names)
    return tables.check_metrics(table, "test"), arrays, machine


def value(table, metric, **place) -> float:
    found = tables.where(table, metric=metric, **{"perturbation": "none", "location": "", **place})
    assert len(found) == 1, f"{metric} {place}: {len(found)} rows"
    return float(found["value"].iloc[0])
