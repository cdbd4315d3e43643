"""One class for a whole trial, from outputs at every step (README, Eq. 16)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.talks.bohte import brian_network
from whyspiking.talks.bohte import network as networks


def outcome(params: ct.Params, outputs: NDArray, task: ct.Task) -> ct.Trials:
    """Choose the class whose softmax, summed over the trial, is largest (README, Eq. 16).

    The decision falls at the end of the step from which on the running sum names no other class.

    Args:
        params: Parameters of the experiment.
        outputs: (trial, time, class).
        task: The trials.
    """
    return settled(params, _sum_softmax(params, outputs), task, params.n_unscored)


def settled(params: ct.Params, summed: NDArray, task: ct.Task, first_step: int = 0) -> ct.Trials:
    """Decide as `outcome` does, from sums up to each step, (trial, time, class).

    Nothing is decided before step `first_step`.
    """
    running_choices = summed.argmax(axis=2)
    is_other = running_choices != running_choices[:, -1:]
    # One after the last step that still names another class.
    decision_step = np.where(
        is_other.any(axis=1), is_other.shape[1] - is_other[:, ::-1].argmax(axis=1), 0
    )
    return ct.Trials(
        targets=np.asarray(task.targets, np.int64),
        choices=running_choices[:, -1],
        decision_ms=(np.maximum(decision_step, first_step) + 1.0) * float(params.step_ms),
        n_classes=task.n_classes,
    )


def chosen(params: ct.Params, outputs: NDArray) -> NDArray[np.int64]:
    """Choose the class at the end of every trial, (trial,); arguments as for `outcome`."""
    return _sum_softmax(params, outputs)[:, -1].argmax(axis=1)


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Trials:
    """The class of every trial in the engine of training."""
    return outcome(params, networks.outputs_of(params, network, task), task)


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Trials:
    """The class of every trial of a recording of Brian2."""
    return outcome(params, brian_network.outputs(params, recording), task)


def _sum_softmax(params: ct.Params, outputs: NDArray) -> NDArray:
    """Sum the softmax up to every step, from the first scored one on."""
    probabilities = np.exp(outputs - outputs.max(axis=2, keepdims=True))
    probabilities /= probabilities.sum(axis=2, keepdims=True)
    probabilities[:, : params.n_unscored] = 0
    return probabilities.cumsum(axis=1)
