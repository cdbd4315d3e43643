"""Which cues make which neurons fire, and whether fixed random feedback decided it.

Bellec et al. 2020, Fig. 3 (from memory): in a network that learned with random feedback, the
weights B by which a neuron is told of errors correlate with the rates that it came to have during
left and right cues.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.types import Params
from whyspiking.talks.scherr import kernel, learning

SIDES = 2


def cue_rates(
    params: Params, cell: kernel.Cell, arrays: learning.Arrays, trials: kernel.Trials
) -> NDArray[np.float64]:
    """Mean rate of every neuron while left and while right cues are shown, Hz, (side, neuron)."""
    weights = kernel.Weights(arrays["w"], arrays["w_out"])
    spikes = kernel.forward(cell, weights, trials, spikes=True).spikes
    sides = cue_sides(params, trials)
    cue, within = _cue_of(params, spikes[:, 1])
    counts = np.zeros((SIDES, cell.beta.size))
    side = sides[spikes[within, 0], cue[within]]
    np.add.at(counts, (side, spikes[within, 2]), 1)
    shown = np.array([(sides == k).sum() for k in range(SIDES)])
    return 1000 * counts / (shown * params.cue_ms)[:, None]


def cue_sides(params: Params, trials: kernel.Trials) -> NDArray[np.int64]:
    """Side of each cue, by the inputs that fire in it, (trial, cue)."""
    trial = np.repeat(np.arange(trials.n_trials), np.diff(trials.starts))
    cue, within = _cue_of(params, trials.steps)
    group = trials.channels // params.n_per_group
    counted = within & (group < SIDES)
    fired = np.zeros((trials.n_trials, params.n_cues, SIDES))
    np.add.at(fired, (trial[counted], cue[counted], group[counted]), 1)
    return fired.argmax(axis=2)


def _cue_of(params: Params, steps: NDArray) -> tuple[NDArray, NDArray[np.bool_]]:
    """Number of the cue at each step, and whether the step lies within it."""
    silence, whole = (
        round(ms / params.dt_ms)
        for ms in (params.cue_silence_ms, params.cue_silence_ms + params.cue_ms)
    )
    cue, place = np.divmod(steps, whole)
    return cue, (cue < params.n_cues) & (place >= silence)


def correlation(feedback: NDArray, rates: NDArray, left: int = 0, right: int = 1) -> float:
    """Correlation over neurons of B_right - B_left with the rate in right less that in left cues.

    Args:
        feedback: B, (neuron, output); the outputs are the choices left and right.
        rates: As `cue_rates`.
        left: Place of the left side, and of its choice.
        right: Of the right one.
    """
    told, fires = feedback[:, right] - feedback[:, left], rates[right] - rates[left]
    return float(np.corrcoef(told, fires)[0, 1])
