"""Measures of the septal network: its rhythm, the beat, the order of the sequence, compression.

All are taken from recorded spikes and the decoded oscillator.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Condition, Params, Recording, Task
from whyspiking.talks.clopath.force.task import SAMPLE_MS

FASTEST_BEAT_HZ = 2.5
"""A beat is looked for up to here."""
FEWEST_CYCLES = 1.2
"""A beat must have gone through as many cycles: any activity looks locked to a slower one."""
RHYTHM_HZ = (6.0, 11.0)
"""Where the rhythm of excitatory spikes is looked for once the septum is off."""
FEWEST_SPIKES = 3
"""Neurons with fewer spikes have no phase."""


def phase_slope(oscillator: NDArray, dt_ms: float) -> float:
    """Frequency in Hz of an oscillator: a straight line through its unwrapped phase.

    Args:
        oscillator: Its cosine and sine, (time, 2).
        dt_ms: Sampling.
    """
    phase = np.unwrap(np.arctan2(oscillator[:, 1], oscillator[:, 0]))
    seconds = np.arange(phase.size) * dt_ms / 1000.0
    return float(np.polyfit(seconds, phase, 1)[0] / (2 * np.pi))


def vectors(times_ms: NDArray, units: NDArray, n_units: int, frequency: float) -> NDArray:
    """Mean resultant vector of every neuron's spikes at a frequency, complex (neuron,).

    Neurons with too few spikes get nan.
    """
    unit_vectors = np.exp(-2j * np.pi * frequency * np.asarray(times_ms) / 1000.0)
    count = np.bincount(units, minlength=n_units)
    vector_sum = np.bincount(units, np.real(unit_vectors), n_units) + 1j * np.bincount(
        units, np.imag(unit_vectors), n_units
    )
    return np.where(count >= FEWEST_SPIKES, vector_sum / np.maximum(count, 1), np.nan)


def locked_frequency(
    times_ms: NDArray, units: NDArray, n_units: int, span_hz: tuple[float, float]
) -> float:
    """The frequency in Hz at which the mean vector strength of the neurons is greatest.

    The grid is a tenth of the resolution of the recording; its best point is refined.
    """
    if np.size(times_ms) == 0:
        return np.nan

    def loss(frequency: float) -> float:
        strength = np.abs(vectors(times_ms, units, n_units, frequency))
        return -float(np.nanmean(strength)) if np.isfinite(strength).any() else np.nan

    duration_s = (np.max(times_ms) - np.min(times_ms)) / 1000.0
    step = 0.1 / max(duration_s, 0.1)
    grid = np.arange(span_hz[0], span_hz[1] + step, step)
    losses = np.array([loss(frequency) for frequency in grid])
    if not np.isfinite(losses).all():
        return np.nan
    best = grid[int(np.argmin(losses))]
    optimum = minimize_scalar(loss, bounds=(best - step, best + step), method="bounded")
    return float(optimum.x)


def order_correlation(phases_a: NDArray, phases_b: NDArray) -> float:
    """Circular correlation of two lists of phases in rad, whatever the shift between them.

    The modulus of the Pearson correlation of the unit vectors exp(i phase): 1 if the neurons come
    in the same circular order at the same distances, near 0 if their order is unrelated. Phases
    that all neurons share do not count, so activity without a sequence does not look ordered.
    Neurons without a phase in either list are left out.
    """
    has_both = np.isfinite(phases_a) & np.isfinite(phases_b)
    if has_both.sum() < 3:
        return np.nan
    u, v = np.exp(1j * phases_a[has_both]), np.exp(1j * phases_b[has_both])
    u, v = u - u.mean(), v - v.mean()
    norm = np.sqrt((np.abs(u) ** 2).mean() * (np.abs(v) ** 2).mean())
    return float(np.abs((u * v.conj()).mean()) / norm) if norm > 0 else 0.0


def sequences(
    spikes: Spikes, trial: int, on_ms: tuple[float, float], off_ms: tuple[float, float]
) -> dict[str, NDArray | float]:
    """The theta sequence and its replay in one trial of excitatory spikes.

    Args:
        spikes: Excitatory spikes.
        trial: Which trial.
        on_ms: Start and stop of the time with septal inhibition.
        off_ms: The same without.

    Returns:
        `beat` and `rhythm` in Hz, at which spikes lock best in either part, and the neurons'
        phases `phase_on` and `phase_off` in rad at these frequencies (nan without spikes).
    """
    sequence: dict[str, NDArray | float] = {}
    slowest = 1000.0 * FEWEST_CYCLES / (on_ms[1] - on_ms[0])
    for name, phase, (start, stop), span in (
        ("beat", "phase_on", on_ms, (slowest, FASTEST_BEAT_HZ)),
        ("rhythm", "phase_off", off_ms, RHYTHM_HZ),
    ):
        in_span = (spikes.trials == trial) & (spikes.times_ms >= start) & (spikes.times_ms < stop)
        times, units = spikes.times_ms[in_span], spikes.units[in_span]
        frequency = locked_frequency(times, units, spikes.n_units, span)
        sequence[name] = frequency
        sequence[phase] = np.angle(vectors(times, units, spikes.n_units, frequency))
    return sequence


def mean_rate(spikes: Spikes, trial: int, span_ms: tuple[float, float]) -> float:
    """Spikes per neuron and second within a span of one trial."""
    start, stop = span_ms
    in_span = (spikes.trials == trial) & (spikes.times_ms >= start) & (spikes.times_ms < stop)
    return float(in_span.sum()) / spikes.n_units / ((stop - start) / 1000.0)


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """All measures of theta_replay and reversion, means over trials (names: `GLOSSARY`)."""
    on_ms, off_ms = spans(params)
    return septal_measures(
        recording.spikes["excitatory"], recording.traces["oscillator"], SAMPLE_MS, on_ms, off_ms
    )


def spans(params: Params) -> tuple[tuple[float, float], tuple[float, float]]:
    """Measured periods with and without septal inhibition: start and stop of either, in ms."""
    silence_ms = params.warmup_ms + params.on_ms
    return (params.warmup_ms, silence_ms), (
        silence_ms + params.release_ms,
        silence_ms + params.off_ms,
    )


def septal_measures(
    spikes: Spikes,
    oscillator: NDArray,
    dt_ms: float,
    on_ms: tuple[float, float],
    off_ms: tuple[float, float],
) -> Mapping[str, float]:
    """All measures of the septal network, averaged over trials.

    Args:
        spikes: Excitatory spikes.
        oscillator: Decoded cosine and sine, (trial, time, 2).
        dt_ms: Sampling of the oscillator.
        on_ms: Start and stop of the part with septal inhibition that is measured.
        off_ms: The same without septal inhibition.
    """
    rows = []
    for trial in range(spikes.n_trials):
        frequency_on, frequency_off = (
            phase_slope(oscillator[trial, round(start / dt_ms) : round(stop / dt_ms)], dt_ms)
            for start, stop in (on_ms, off_ms)
        )
        sequence = sequences(spikes, trial, on_ms, off_ms)
        beat, rhythm = float(sequence["beat"]), float(sequence["rhythm"])
        phase_on, phase_off = np.asarray(sequence["phase_on"]), np.asarray(sequence["phase_off"])
        rows.append(
            {
                "internal_frequency": frequency_on,
                "internal_frequency_off": frequency_off,
                "beat_frequency": beat,
                "order_correlation": order_correlation(phase_on, phase_off),
                "order_correlation_reversed": order_correlation(phase_on, -phase_off),
                "ordered_share": float((np.isfinite(phase_on) & np.isfinite(phase_off)).mean()),
                "sequence_rate": mean_rate(spikes, trial, on_ms),
                "replay_rate": mean_rate(spikes, trial, off_ms),
                "compression": rhythm / beat,
            }
        )
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
