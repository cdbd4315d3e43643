"""The septal-hippocampal network (SHOT-CA3): FORCE on oscillators, compressed replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import (
    Binding,
    Condition,
    Network,
    Outcome,
    Params,
    Parents,
    Progress,
    Recording,
    Split,
    Stimulus,
    Task,
)
from whyspiking.errors import unknown_variant
from whyspiking.talks.clopath import learning, shot
from whyspiking.talks.clopath.frozen import bind_shot as bind
from whyspiking.talks.clopath.frozen import shot_model as to_brian
from whyspiking.talks.clopath.learning import SAMPLE_MS

__all__ = [
    "bind", "conditions", "decode", "evaluate", "make_task", "measures", "to_brian", "train", "vary",
]  # fmt: skip


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """Trials of one split; `fresh` does not exist for continuous outputs."""
    return None if split == "fresh" else shot.make_task(params, streams.rng(f"start-{split}"))


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Train the network from burn-in to test; see `learning.force` and `learning.trained`."""
    if variant != "spiking":
        raise unknown_variant(params.talk, params.experiment, variant)
    schedule = learning.schedule_of(params, params.dt_ms)
    arrays = shot.wire(params, streams)
    learning.start_runtime(params.work_dir, schedule.dt_ms, params.codegen)
    arrays["phi"], outputs, wanted = learning.force(
        shot.plant(params, arrays, schedule.end_ms, schedule.dt_ms),
        lambda times: shot.supervisor(params, arrays["phases"], times),
        params.n_oscillators,
        schedule,
        params.p_start,
        progress,
    )
    # All oscillators span two dimensions: keep the cosine and the sine (Eq. 20).
    basis = shot.reading(arrays["phases"], np.eye(params.n_oscillators))
    return learning.trained(arrays, outputs @ basis, wanted @ basis, schedule, learning.ENGINE)


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Outcome:
    """Output after learning in the engine of training; `task` has no say in it."""
    return learning.after(network, free_phase=True)


def decode(params: Params, recording: Recording, task: Task) -> Outcome:
    """The oscillator while the septum is on, after the warm-up."""
    stop = round((params.warmup_ms + params.on_ms) / SAMPLE_MS)
    outputs = recording.traces["oscillator"][:, :stop]
    return learning.warmed_up(params, outputs, task, free_phase=True)


def conditions(params: Params) -> Sequence[Condition]:
    """Own conditions of the trained network: septal input, release, spikes lost as it runs.

    - `septum` (input): frequency of the septum in Hz; at that of the network there is no beat;
    - `septum_constant` (input): inhibition of the same mean without a rhythm;
    - `delete` (neurons): every spike is lost with probability `strength` for all its targets.
    """
    return [
        *(Condition("delete", "neurons", float(p)) for p in params.lost_shares),
        *(Condition("septum", "input", float(f)) for f in params.septum_frequencies),
        Condition("septum_constant", "input", 1.0),
    ]


def vary(
    params: Params, condition: Condition, task: Task, binding: Binding, rng: np.random.Generator
) -> tuple[Task, Binding]:
    """Task and binding under one of `conditions`."""
    if condition.perturbation == "delete":
        lost = {"inhibitory.p_lost": condition.strength}
        return task, replace(binding, values={**binding.values, **lost})
    if condition.perturbation == "septum":
        return shot.make_task(with_septum(params, condition.strength), rng), binding
    septal = task.stimulus.arrays["septum"].copy()
    septal[septal[:, :, 1] == 0, 0] = shot.SEPTAL_MEAN
    return replace(task, stimulus=Stimulus(arrays={"septum": septal})), binding


def with_septum(params: Params, frequency: float) -> Params:
    """The same parameters with another septal frequency in Hz."""
    return replace(params, values={**params.values, "theta_septum": frequency})


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """Rhythm, beat, order, compression, how much excitatory neurons fire."""
    from whyspiking.talks.clopath.sequence import septal_measures

    on_stop = params.warmup_ms + params.on_ms
    septum_hz = float(params.theta_septum)
    if condition.perturbation == "septum":
        septum_hz = condition.strength
    elif condition.perturbation == "septum_constant":
        septum_hz = np.nan
    return septal_measures(
        recording.spikes["excitatory"],
        recording.traces["oscillator"],
        SAMPLE_MS,
        on_ms=(params.warmup_ms, on_stop),
        off_ms=(on_stop + params.release_ms, on_stop + params.off_ms),
        septum_hz=septum_hz,
        rng=Streams(params.seed).rng("shuffled-labels"),
    )
