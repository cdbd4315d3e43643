"""The shared tasks: a random spiking network, and a readout that FORCE's rule trains.

The readout is not fed back to the network. Equation numbers are those of this talk's
README.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import (
    Network,
    Params,
    Parents,
    Progress,
    Recording,
    Split,
    Task,
    Trials,
)
from whyspiking.errors import UserError, unknown_variant
from whyspiking.talks.clopath.force import learning, reservoir
from whyspiking.talks.clopath.force.reservoir_network import bind, to_brian
from whyspiking.tasks import generators, task_data
from whyspiking.training.history import History

__all__ = [
    "bind", "decode", "evaluate", "make_task", "reference_counts", "to_brian", "train",
]  # fmt: skip

ENGINE = "compiled"
NOTED = 500
"""Trials over which the history of training takes a mean."""


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """Trials of the shared task; each ends with the answer window.

    Of a task with time they are told on its steps, as to all methods.
    """
    if generators.is_stream(params.shared_task):
        return task_data.task_on_steps(
            params, split, step_ms=params.step_ms, trial_ms=params.trial_ms
        )
    return task_data.latency_task(params, split, trial_ms=reservoir.answer_ms(params)[1])


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Learn the readout, trial by trial (Eqs. 11-13 at the readings of Eq. 25).

    Every trial is shown once: the rule then has the exact solution of a ridge regression, of which
    another pass would only halve the penalty.
    """
    if variant != "spiking":
        raise unknown_variant(params.talk, params.experiment, variant)
    arrays = reservoir.wire(params, streams)
    rls = learning.RecursiveLeastSquares(params.n_hidden, params.n_output, params.p_start)
    history, n_presented, is_correct = History(), 0, []
    spikes, classes = _select_training_trials(params)
    trials = reservoir.Trials(params, arrays, spikes)
    for trial, target in enumerate(np.eye(params.n_output)[classes]):
        is_correct.append(learn_trial(params, rls, trials, trial, target) == classes[trial])
        n_presented += 1
        if n_presented % NOTED == 0 or n_presented == params.n_presented:
            history.note(n_presented / params.n_train, train_accuracy=np.mean(is_correct))
            progress(
                n_presented / params.n_presented, f"trial {n_presented}: {np.mean(is_correct):.4f}"
            )
            is_correct = []
    network = Network(
        {**arrays, "phi": rls.decoders},
        {
            "engine": ENGINE,
            # M1: what the rule keeps beyond the weights it changes.
            "rule_floats_shared": params.n_hidden**2,
            "presented": n_presented,
        },
        history.rows,
    )
    held_out = make_task(params, "validation", streams)
    assert held_out is not None  # every shared task has one
    outcome = evaluate(params, variant, network, held_out)
    accuracy = float((outcome.choices == outcome.targets).mean())
    history.note(n_presented / params.n_train, validation_accuracy=accuracy)
    network.info["validation_accuracy"] = accuracy
    return network


def learn_trial(
    params: Params,
    rls: learning.RecursiveLeastSquares,
    trials: reservoir.Trials,
    trial: int,
    target: NDArray,
) -> int:
    """Show one trial and learn from it; return the answer given meanwhile.

    Args:
        params: Parameters of the experiment.
        rls: Learns at every reading.
        trials: Of which `trial` has not begun.
        trial: Number of the trial.
        target: What the output shall be in the answer window, (output,).
    """
    output_sum, read_steps = np.zeros(params.n_output), reservoir.read_steps(params)
    for step in read_steps:
        trials.advance(int(step) + 1, trial)
        rates = trials.rates[trial]
        output = rates @ rls.decoders
        rls.update(rates, output - target)
        output_sum += output
    learning.refuse_broken(
        trials.rates[trial], output_sum, rls.decoders, int(read_steps[-1]) * params.dt_ms
    )
    return int(output_sum.argmax())


def _select_training_trials(params: Params) -> tuple[Spikes, NDArray[np.int64]]:
    """Training trials, each once, and their classes."""
    n = params.n_presented
    if not 0 < n <= params.n_train:
        raise UserError(
            f"clopath, {params.experiment}: n_presented is {n}; expected 1 to {params.n_train} "
            "training trials, because each trial is presented once. Correct it in talk.yaml"
        )
    task = make_task(params, "train", Streams(params.seed))
    assert task is not None  # the shared tasks have this split
    return task.stimulus.spikes["input"].select_trials(np.arange(n)), task.targets[:n]


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Trials:
    """Decisions in the engine of training."""
    rates, _ = reservoir.responses(params, network.arrays, task.stimulus.spikes["input"])
    return _decide(params, rates @ network.arrays["phi"], task)


def reference_counts(
    params: Params, variant: str, network: Network, task: Task
) -> Mapping[str, NDArray]:
    """Spikes of each neuron there."""
    spikes = task.stimulus.spikes["input"]
    return {"hidden": reservoir.responses(params, network.arrays, spikes)[1]}


def decode(params: Params, recording: Recording, task: Task) -> Trials:
    """Decisions by the recorded output, read as in training."""
    start, end = reservoir.answer_ms(params)
    first_reading, stop_reading = (round(ms / params.rls_ms) for ms in (start, end))
    return _decide(params, recording.traces["output"][:, first_reading:stop_reading], task)


def _decide(params: Params, outputs: NDArray, task: Task) -> Trials:
    """Decide by the mean over the answer window of outputs, (trial, reading, output) (Eq. 25)."""
    read_ms = int(reservoir.read_steps(params)[-1]) * params.dt_ms
    return Trials.of(task, outputs.mean(axis=1).argmax(axis=1), read_ms)
