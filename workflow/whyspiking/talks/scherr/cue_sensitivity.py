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
    """Compute the mean rate of each neuron in left and in right cues, Hz, (side, neuron)."""
    weights = model.Weights(arrays["w"], arrays["w_out"])
    spikes = kernel.forward(cell, weights, trials, spikes=True).spikes
    cue_side = cue_sides(params, trials)
    i_cue, is_cue = _find_cue(params, spikes[:, 1])
    counts = np.zeros((SIDES, cell.beta.size))
    side = cue_side[spikes[is_cue, 0], i_cue[is_cue]]
    np.add.at(counts, (side, spikes[is_cue, 2]), 1)
    n_cues_shown = np.array([(cue_side == k).sum() for k in range(SIDES)])
    return 1000 * counts / (n_cues_shown * params.cue_ms)[:, None]


def cue_sides(params: ct.Params, trials: Trials) -> NDArray[np.int64]:
    """Find the side of each cue, by the inputs that fire in it, (trial, cue)."""
    i_cue, is_cue = _find_cue(params, trials.steps)
    group = trials.channels // params.n_per_group
    is_counted = is_cue & (group < SIDES)
    n_fired = np.zeros((trials.n_trials, params.n_cues, SIDES))
    np.add.at(n_fired, (trials.of_spike[is_counted], i_cue[is_counted], group[is_counted]), 1)
    return n_fired.argmax(axis=2)


def _find_cue(params: ct.Params, steps: NDArray) -> tuple[NDArray, NDArray[np.bool_]]:
    """Find the number of the cue at each step, and whether the step lies within it."""
    silence_steps, period = (
        round(ms / params.dt_ms)
        for ms in (params.cue_silence_ms, params.cue_silence_ms + params.cue_ms)
    )
    i_cue, step_in_period = np.divmod(steps, period)
    return i_cue, (i_cue < params.n_cues) & (step_in_period >= silence_steps)


def correlation(feedback: NDArray, rates: NDArray) -> float:
    """Correlate B_right - B_left with the rate in right cues less that in left cues, over neurons.

    Args:
        feedback: B, (neuron, output); the first outputs are the choices left and right.
        rates: As `cue_rates`.
    """
    differences = feedback[:, 1] - feedback[:, 0], rates[1] - rates[0]
    return float(np.corrcoef(*differences)[0, 1])
