"""What a network from elsewhere is set: a shared task or MNIST, and how its answer is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.talk import Replication
from whyspiking.contract.types import (
    Binding,
    Network,
    Outcome,
    Params,
    Recording,
    Split,
    Stimulus,
    Task,
    Trials,
)
from whyspiking.datasets import mnist
from whyspiking.declared.shared_tasks import WINDOW_MS, shared_tasks
from whyspiking.errors import UserError
from whyspiking.tasks import generators, task_data
from whyspiking_exchange.nir import model, script
from whyspiking_exchange.nir.layers import INPUT, Layers, Readout
from whyspiking_exchange.nir.model import Steps

MNIST = "mnist"
TASKS = (*(task for task in shared_tasks() if not generators.is_stream(task)), MNIST)
AFTER_MS = 10.0
"""Of a trial after the window of its input, unless asked otherwise."""
MAX_TRIALS = 1000
"""Trials per run of the compiled program."""
HELD_OUT = 5000
"""Images of MNIST's training file that are for validation."""
OF_MNIST = {"n_input": 784, "n_output": 10, "n_train": 55000, "n_validation": 5000, "n_test": 10000}
READOUTS = {name: script.READOUTS[name][0] for name in ("count", "first", "max", "sum", "last")}
"""How the answer is read; the first two from spikes, the others from potentials."""


@dataclass(frozen=True)
class Setting:
    """All that is not in the file.

    Attributes:
        task: One of `TASKS`.
        steps: What NIR leaves open.
        seed: Of the data, where a task draws them anew for each.
        trial_ms: Length of a trial.
        bias_ms: Times of further input channels, which fire then in every trial.
        readout: One of `READOUTS`.
    """

    task: str
    steps: Steps
    seed: int
    trial_ms: float
    bias_ms: tuple[float, ...]
    readout: str


def params_of(task: str, config: Mapping[str, Any], *, seed: int) -> Params:
    """The parameters of a task at the scale of the config.

    Args:
        task: One of `TASKS`.
        config: The run configuration.
        seed: Of the data.

    Raises:
        UserError: If there is no such task or seed.
    """
    if task not in TASKS:
        raise UserError(f"--task is '{task}'; expected one of {', '.join(TASKS)}; correct it")
    if seed < 0:
        raise UserError(f"--seed is {seed}; expected 0 or more; correct it")
    folder = Path(config["data"]["folder"])
    place = {"talk": "community", "scale": config["scale"], "seed": seed}
    if task == MNIST:
        values: dict[str, Any] = {**OF_MNIST, "window_ms": WINDOW_MS}
        if config["scale"] == "smoke":
            values["n_test"] = 100
        if not (folder / "mnist" / "meta.json").is_file():
            raise UserError(
                f"{folder / 'mnist'}: this folder does not contain MNIST; expected the data set. "
                f"To prepare it, run `snakemake {folder / 'mnist' / 'meta.json'}`"
            )
        found = Params(experiment=MNIST, values=values, data_dir=folder, **place)
        return replace(found, dataset_dir=folder / "mnist")
    described = shared_tasks()[task]
    values = {name: entry["value"] for name, entry in described.parameters.items()}
    for name, change in dict(described.scale_overrides).get(config["scale"], {}).items():
        values[name] = change["value"]
    values["shared_task"] = task
    return Params(experiment=task, values=values, data_dir=folder, **place)


def trial_ms(params: Params, asked: float | None) -> float:
    """How long a trial lasts: as asked, else as long as the input and a little more."""
    return params.window_ms + AFTER_MS if asked is None else asked


def whole_number(trial_ms: float, step_ms: float) -> int:
    """Steps of a trial.

    Raises:
        UserError: If they are no whole number above 0.
    """
    steps = trial_ms / step_ms if step_ms > 0 else 0.0
    if steps < 1 or abs(steps - round(steps)) > 1e-6:
        raise UserError(
            f"--step-ms is {step_ms:g}, so a trial of {trial_ms:g} ms has {steps:g} time steps; "
            "expected a whole number. Change --step-ms or --trial-ms"
        )
    return round(steps)


@dataclass(eq=False)
class Foreign(Replication):
    """A network from elsewhere, in the place of a talk.

    Attributes:
        layers: The network.
        setting: What it is set.
    """

    layers: Layers
    setting: Setting

    def check(self, params: Params, name: str) -> None:
        """Refuse what the task has no use for.

        Raises:
            UserError: If inputs, outputs, steps or readout do not fit.
        """
        n_bias = len(self.setting.bias_ms)
        if self.layers.n_in != params.n_input + n_bias:
            raise UserError(
                f"{name}: the network has {self.layers.n_in} inputs; expected {params.n_input} "
                f"for task '{self.setting.task}' and {n_bias} whose spike times --bias-ms gives. "
                "Use a network for this task, or give the spike times of its other inputs with "
                "--bias-ms"
            )
        if self.layers.n_out != params.n_output:
            raise UserError(
                f"{name}: the network has {self.layers.n_out} outputs; expected "
                f"{params.n_output}, the number of classes of task '{self.setting.task}'; use a "
                "network for this task"
            )
        script.check_readout(self.setting.readout, self.layers, name, READOUTS)
        whole_number(self.setting.trial_ms, self.setting.steps.step_ms)

    def make_task(self, params: Params, split: Split, streams: Streams) -> Task | None:
        """The task on the steps of the network, its further inputs last."""
        step, trial = self.setting.steps.step_ms, self.setting.trial_ms
        if params.experiment == MNIST:
            return _digits(params, split, step, trial, self.setting.bias_ms)
        return task_data.task_on_steps(
            params, split, step_ms=step, trial_ms=trial, bias_ms=self.setting.bias_ms, name=INPUT
        )

    def evaluate(self, params: Params, variant: str, network: Network, task: Task) -> None:
        """The engine of training is elsewhere."""
        return

    def to_brian(self, params: Params) -> BrianModel:
        """The layers of the graph."""
        return model.brian_model(self.layers, self.setting.steps, self.setting.trial_ms, MAX_TRIALS)

    def bind(self, params: Params, network: Network) -> Binding:
        """Its numbers."""
        return model.binding(self.layers, self.setting.steps)

    def decode(self, params: Params, recording: Recording, task: Task) -> Outcome:
        """The answer by the readout that was asked for."""
        if self.layers.gives_spikes:
            spikes = recording.spikes[self.layers.output[0]]
            return Trials.of(task, *of_spikes(spikes, self.setting.readout))
        choices = Readout(self.setting.readout).decide(recording.traces["output"])
        return Trials.of(task, choices, self.setting.trial_ms)


def of_spikes(spikes: Spikes, readout: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Classes and times of decision in ms from output spikes; -1 and inf where none came.

    Args:
        spikes: Of the outputs.
        readout: "count" or "first"; see `READOUTS`. Counting ends with the trial.
    """
    first = spikes.first_ms()
    decided = np.isfinite(first).any(axis=1)
    if readout == "count":
        counts = spikes.counts()
        most = counts == counts.max(axis=1, keepdims=True)
        choices = np.where(most, first, np.inf).argmin(axis=1)
        at = np.full(len(first), spikes.duration_ms)
    else:
        choices, at = first.argmin(axis=1), first.min(axis=1)
    return np.where(decided, choices, -1), np.where(decided, at, np.inf)


def _digits(
    params: Params, split: Split, step_ms: float, trial_ms: float, bias_ms: tuple[float, ...]
) -> Task | None:
    """MNIST as latencies: a pixel fires at (1 - brightness) of the window, a black one never."""
    if split not in task_data.SPLITS:
        return None
    images, classes = mnist.samples(params, split, n_held_out=HELD_OUT)
    features = images / 255
    times = np.where(images > 0, (1 - features) * params.window_ms, np.inf)
    times = np.hstack([times, np.tile(bias_ms, (len(times), 1))])
    spikes = task_data.on_steps(Spikes.from_first_spikes(times, trial_ms), step_ms)
    return Task(Stimulus({INPUT: spikes}), classes, params.n_output, features)
