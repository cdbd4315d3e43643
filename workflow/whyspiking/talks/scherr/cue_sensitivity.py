"""Which cues make which neurons fire, and whether fixed random feedback decided it.

Bellec et al. 2020, Fig. 3 (from memory): in a network that learned with random feedback, the
feedback weights B of a neuron correlate with the rates that it came to have during
left and right cues.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.talks.scherr import kernel, learning, model
from whyspiking.talks.scherr.trials import Trials

SIDES = 2


def cue_rates(
    params: ct.Params, cell: model.Cell, arrays: learning.Arrays, trials: Trials
) -> NDArray[np.float64]:
    """Mean rate of every neuron while left and while right cues are shown, Hz, (side, neuron)."""
    weights = model.Weights(arrays["w"], arrays["w_out"])
    spikes = kernel.forward(cell, weights, trials, spikes=True).spikes
    sides = cue_sides(params, trials)
    cue, within = _cue_of(params, spikes[:, 1])
    counts = np.zeros((SIDES, cell.beta.size))
    side = sides[spikes[within, 0], cue[within]]
    np.add.at(counts, (side, spikes[within, 2]), 1)
    shown = np.array([(sides == k).sum() for k in range(SIDES)])
    return 1000 * counts / (shown * params.cue_ms)[:, None]


def cue_sides(params: ct.Params, trials: Trials) -> NDArray[np.int64]:
    """Side of each cue, by the inputs that fire in it, (trial, cue)."""
    cue, within = _cue_of(params, trials.steps)
    group = trials.channels // params.n_per_group
    counted = within & (group < SIDES)
    fired = np.zeros((trials.n_trials, params.n_cues, SIDES))
    np.add.at(fired, (trials.of_spike[counted], cue[counted], group[counted]), 1)
    return fired.argmax(axis=2)


def _cue_of(params: ct.Params, steps: NDArray) -> tuple[NDArray, NDArray[np.bool_]]:
    """Number of the cue at each step, and whether the step lies within it."""
    silence, whole = (
        round(ms / params.dt_ms)
        for ms in (params.cue_silence_ms, params.cue_silence_ms + params.cue_ms)
    )
    cue, place = np.divmod(steps, whole)
    return cue, (cue < params.n_cues) & (place >= silence)


def correlation(feedback: NDArray, rates: NDArray) -> float:
    """Correlation over neurons of B_right - B_left with the rate in right less that in left cues.

    Args:
        feedback: B, (neuron, output); the first outputs are the choices left and right.
        rates: As `cue_rates`.
    """
    differences = feedback[:, 1] - feedback[:, 0], rates[1] - rates[0]
    return float(np.corrcoef(*differences)[0, 1])
