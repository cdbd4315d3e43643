"""What reversion interneurons do to the replay: its order in either direction, its speed."""

from __future__ import annotations

from collections.abc import Mapping

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Condition, Params, Recording, Task
from whyspiking.talks.clopath.sequence import septal_measures
from whyspiking.talks.clopath.shot import SAMPLE_MS


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """Those of experiment shot: rhythm, beat, order against theta, compression, rates."""
    off_ms = params.warmup_ms + params.on_ms
    return septal_measures(
        recording.spikes["excitatory"],
        recording.traces["oscillator"],
        SAMPLE_MS,
        on_ms=(params.warmup_ms, off_ms),
        off_ms=(off_ms + params.release_ms, off_ms + params.off_ms),
        septum_hz=float(params.theta_septum),
        rng=Streams(params.seed).rng("shuffled-labels"),
    )
