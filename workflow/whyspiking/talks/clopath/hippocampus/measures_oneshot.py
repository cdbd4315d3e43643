"""Recall of a sequence that was taught once: order, share of cells, speed; see `recalled`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Condition, Params, Recording, Task
from whyspiking.talks.clopath.force.task import SAMPLE_MS
from whyspiking.talks.clopath.hippocampus import memory, oneshot
from whyspiking.talks.clopath.hippocampus.measures import phase_slope

FEWEST_CELLS = 10
"""An order of fewer cells is none."""


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """Recall of either sequence in the sharp wave, of the first also in theta; mean over trials."""
    cells, oscillator = recording.spikes["cells"], recording.traces["oscillator"]
    first_onsets, second_onsets = (memory.onsets(params, order) for order in oneshot.orders(params))
    theta_ms = (params.warmup_ms, params.wave_at_ms)
    in_theta = slice(*(round(edge_ms / SAMPLE_MS) for edge_ms in theta_ms))
    rows = []
    for trial in range(cells.n_trials):
        own_hz = phase_slope(oscillator[trial, in_theta], SAMPLE_MS)
        wave = recalled(cells, trial, wave_span(params, own_hz), own_hz)
        theta = recalled(cells, trial, theta_ms, own_hz - params.theta_septum)
        order, speed = order_of(first_onsets, wave, 1000.0 / own_hz)
        rows.append(
            {
                "recall_order": order,
                "recall_order_second": order_of(second_onsets, wave, 1.0)[0],
                "recall_order_theta": order_of(first_onsets, theta, 1.0)[0],
                "recall_compression": speed,
                "recalled_share": float(np.isfinite(wave).mean()),
                "recalled_share_theta": float(np.isfinite(theta).mean()),
            }
        )
    return {name: _average_finite([row[name] for row in rows]) for name in rows[0]}


def wave_span(params: Params, own_hz: float) -> tuple[float, float]:
    """One internal cycle of the sharp wave, from `release_ms` after its start on; in ms."""
    start = params.wave_at_ms + params.release_ms
    return start, start + 1000.0 / own_hz


def recalled(
    cells: Spikes, trial: int, span_ms: tuple[float, float], frequency: float
) -> NDArray[np.float64]:
    """Mean phase of each cell's spikes, in cycles from 0 to 1; nan without spikes (cell,).

    Args:
        cells: Spikes of RO-CA1.
        trial: Which trial.
        span_ms: Start and stop.
        frequency: Of the cycle, in Hz.
    """
    in_span = (
        (cells.trials == trial) & (cells.times_ms >= span_ms[0]) & (cells.times_ms < span_ms[1])
    )
    units, n = cells.units[in_span], cells.n_units
    unit_vectors = np.exp(2j * np.pi * frequency * cells.times_ms[in_span] / 1000.0)
    vector_sum = np.bincount(units, np.real(unit_vectors), n) + 1j * np.bincount(
        units, np.imag(unit_vectors), n
    )
    phase = np.mod(np.angle(vector_sum) / (2 * np.pi), 1.0)
    return np.where(np.bincount(units, minlength=n) > 0, phase, np.nan)


def order_of(taught_ms: NDArray, phase: NDArray, cycle_ms: float) -> tuple[float, float]:
    """Compare the order of recall with the order of teaching, and the speeds of both.

    A cycle has no start of its own, so it is cut where the order fits best. This alone gives
    unrelated orders of 100 cells about 0.2, and a reversed one up to 0.5.

    Args:
        taught_ms: When each cell was taught, (cell,).
        phase: When it fires, in cycles, nan where it does not, (cell,).
        cycle_ms: Length of a cycle.

    Returns:
        Rank correlation of both times at the best cut, and there the inverse of the median slope
        (Theil and Sen) of recalled on taught time; nan for fewer than `FEWEST_CELLS` cells, or if
        all fire at once.
    """
    has_phase = np.isfinite(phase)
    if has_phase.sum() < FEWEST_CELLS or np.unique(phase[has_phase]).size == 1:
        return np.nan, np.nan
    taught_times, phase = taught_ms[has_phase], phase[has_phase]
    cuts = [phase + (phase < start) for start in np.unique(phase)]
    fits = [np.corrcoef(rankdata(taught_times), rankdata(cut))[0, 1] for cut in cuts]
    best = int(np.nanargmax(fits))
    i_cell, j_cell = np.triu_indices(taught_times.size, 1)
    slopes = (cuts[best][i_cell] - cuts[best][j_cell]) / (
        taught_times[i_cell] - taught_times[j_cell]
    )
    slope = float(np.median(slopes)) * cycle_ms
    return float(fits[best]), 1.0 / slope if slope else np.inf


def _average_finite(values: list[float]) -> float:
    """Mean of what is finite; nan where nothing is."""
    finite_values = [value for value in values if np.isfinite(value)]
    return float(np.mean(finite_values)) if finite_values else np.nan
