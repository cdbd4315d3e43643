"""The frequency of an oscillator, which the correlation hardly sees."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.types import Condition, Params, Recording, Task
from whyspiking.talks.clopath.force.task import SAMPLE_MS, SINES

EDGE = 0.1
"""Share of the trace at either end in which the phase of an analytic signal is not trusted."""


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """Frequency of a sine, mean over trials; nothing of other outputs.

    The correlation of an autonomous output is taken at the best lag of each second, and so hardly
    sees a frequency that is a per cent wrong.
    """
    if params.experiment not in SINES:
        return {}
    start = round(params.warmup_ms / SAMPLE_MS)
    outputs = recording.traces["output"][:, start:, 0]
    hertz = np.mean([frequency_hz(output, SAMPLE_MS) for output in outputs])
    return {"output_frequency": float(hertz)}


def frequency_hz(output: NDArray, dt_ms: float) -> float:
    """Slope of the phase of the analytic signal of a trace (time,), in Hz."""
    spectrum = np.fft.fft(output - output.mean())
    spectrum[output.size // 2 + 1 :] = 0.0  # what is left is the analytic signal, halved
    phase = np.unwrap(np.angle(np.fft.ifft(spectrum)))
    edge = round(EDGE * phase.size)
    inner_phase = phase[edge : phase.size - edge]
    seconds = np.arange(inner_phase.size) * dt_ms / 1000.0
    return float(np.polyfit(seconds, inner_phase, 1)[0] / (2 * np.pi))
