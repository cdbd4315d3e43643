"""What is measured of oscillators and of the song beyond the correlation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.types import Condition, Params, Recording, Task
from whyspiking.talks.clopath.learning import SAMPLE_MS
from whyspiking.talks.clopath.song import frequencies_hz
from whyspiking.talks.clopath.task import SINES

ONE_FREQUENCY = (*SINES, "sawtooth")
"""Experiments whose output has a single frequency."""
MOST_LAG_MS = 100.0
"""Largest delay of the song that is looked for, half of its longest syllable."""
SOUNDING = 0.25
"""Share of the song's peak from which on a moment counts as sung."""
EDGE = 0.1
"""Share of the trace at either end in which the phase of an analytic signal is not trusted."""


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """Frequency of an autonomous output, lag and pitch of the song, mean over trials; else nothing.

    The correlation of an autonomous output is taken at the best lag of each second, and so hardly
    sees a frequency that is a per cent wrong.
    """
    if params.experiment == "song":
        return _song(params, recording, task)
    if params.experiment not in ONE_FREQUENCY:
        return {}
    start = round(params.warmup_ms / SAMPLE_MS)
    outputs = recording.traces["output"][:, start:, 0]
    found = np.mean([frequency_hz(output, SAMPLE_MS) for output in outputs])
    return {"output_frequency": float(found)}


def _song(params: Params, recording: Recording, task: Task) -> Mapping[str, float]:
    start = round(params.warmup_ms / SAMPLE_MS)
    wanted = task.targets[:, start:]
    outputs = recording.traces["output"][:, start:, : wanted.shape[2]]
    channels_hz = frequencies_hz(wanted.shape[2])
    pairs = list(zip(outputs, wanted, strict=True))
    return {
        "song_lag": float(np.mean([lag_ms(*pair, SAMPLE_MS) for pair in pairs])),
        "song_pitch_error": float(np.mean([pitch_error_hz(*pair, channels_hz) for pair in pairs])),
    }


def lag_ms(output: NDArray, target: NDArray, dt_ms: float) -> float:
    """Delay of `output` at which it fits `target` best, both (time, channel).

    Delays up to `MOST_LAG_MS` either way are tried, over the moments that all of them share; nan
    where the first or the last of them fits best, as with a constant output.
    """
    most = round(MOST_LAG_MS / dt_ms)
    lags = np.arange(-most, most + 1)
    output = output - output.mean(axis=0)
    inner = target[most : target.shape[0] - most]
    inner = inner - inner.mean(axis=0)
    fits = [(inner * output[most + lag : most + lag + inner.shape[0]]).sum() for lag in lags]
    best = int(np.argmax(fits))
    return float(lags[best] * dt_ms) if 0 < best < lags.size - 1 else np.nan


def pitch_error_hz(output: NDArray, target: NDArray, channels_hz: NDArray) -> float:
    """Mean distance of the loudest channels of both, (time, channel), while `target` sounds."""
    sounding = target.max(axis=1) >= SOUNDING * target.max()
    loudest = (channels_hz[part[sounding].argmax(axis=1)] for part in (output, target))
    return float(np.abs(np.subtract(*loudest)).mean())


def frequency_hz(output: NDArray, dt_ms: float) -> float:
    """Slope of the phase of the analytic signal of a trace (time,), in Hz."""
    spectrum = np.fft.fft(output - output.mean())
    spectrum[output.size // 2 + 1 :] = 0.0  # what is left is the analytic signal, halved
    phase = np.unwrap(np.angle(np.fft.ifft(spectrum)))
    edge = round(EDGE * phase.size)
    kept = phase[edge : phase.size - edge]
    seconds = np.arange(kept.size) * dt_ms / 1000.0
    return float(np.polyfit(seconds, kept, 1)[0] / (2 * np.pi))
