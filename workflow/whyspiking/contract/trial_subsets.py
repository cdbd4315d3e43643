"""Parts of a whole: some trials of a task, several of its populations as one, some networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import (
    Labels,
    Network,
    Networks,
    Outcome,
    Recording,
    Stimulus,
    Task,
    Traces,
    Trials,
)


def select_task(task: Task, chosen: NDArray) -> Task:
    """The task of the given trials, in the given order (repeats allowed)."""
    return replace(
        task,
        stimulus=Stimulus(
            spikes={k: spikes.select_trials(chosen) for k, spikes in task.stimulus.spikes.items()},
            # Arrays of two axes are shared by all trials.
            arrays={k: a[chosen] if a.ndim == 3 else a for k, a in task.stimulus.arrays.items()},
        ),
        targets=task.targets[chosen],
        features=None if task.features is None else task.features[chosen],
        units=None if task.units is None else task.units[chosen],
    )


def with_units(outcome: Outcome, task: Task) -> Outcome:
    """The outcome of a task, with what its trials come from."""
    if task.units is None or isinstance(outcome, Traces):
        return outcome
    return replace(outcome, units=np.asarray(task.units))


def same_stimulus(first: Task, second: Task) -> bool:
    """Whether two tasks send in the same spikes and arrays, as often."""
    ours, theirs = first.stimulus, second.stimulus
    if first.targets.shape[0] != second.targets.shape[0]:
        return False
    if set(ours.spikes) != set(theirs.spikes) or set(ours.arrays) != set(theirs.arrays):
        return False
    spikes = ((s, theirs.spikes[k]) for k, s in ours.spikes.items())
    return all(
        np.array_equal(x.times_ms, y.times_ms)
        and np.array_equal(x.units, y.units)
        and np.array_equal(x.trials, y.trials)
        for x, y in spikes
    ) and all(np.array_equal(a, theirs.arrays[k]) for k, a in ours.arrays.items())


def select_recording(recording: Recording, chosen: NDArray) -> Recording:
    """The recording of the given trials, in the given order."""
    return replace(
        recording,
        spikes={k: spikes.select_trials(chosen) for k, spikes in recording.spikes.items()},
        traces={k: trace[chosen] for k, trace in recording.traces.items()},
    )


def perturbed_limit(outcome: Outcome, config: Mapping[str, Any]) -> int:
    """How many trials a perturbed condition gets, by the config and the clean run."""
    return int(config["n_labelled_trials" if isinstance(outcome, Labels) else "n_trials"])


def chosen_trials(n_trials: int, limit: int, streams: Streams) -> NDArray[np.int64]:
    """Which test trials a network is perturbed on: the same for all variants of a seed."""
    if n_trials <= limit:
        return np.arange(n_trials)
    return np.sort(streams.rng("battery-trials").choice(n_trials, size=limit, replace=False))


def side_by_side(trains: Sequence[Spikes]) -> Spikes:
    """Several populations as one."""
    if len(trains) == 1:
        return trains[0]
    offsets = np.cumsum([0, *(spikes.n_units for spikes in trains)])
    return Spikes.sorted(
        np.concatenate([spikes.times_ms for spikes in trains]),
        np.concatenate(
            [spikes.units + offset for spikes, offset in zip(trains, offsets, strict=False)]
        ),
        np.concatenate([spikes.trials for spikes in trains]),
        n_trials=trains[0].n_trials,
        n_units=int(offsets[-1]),
        duration_ms=trains[0].duration_ms,
    )


def of_variant(networks: Networks, variant: str = "spiking") -> dict[int, Network]:
    """The networks of one variant by seed, lowest seed first; empty where there is none."""
    return {seed: networks[name, seed] for name, seed in sorted(networks) if name == variant}


def typical_trial(trials: Trials) -> int:
    """The rightly decided trial with the median decision time; the first where none is right."""
    right = np.flatnonzero(trials.choices == trials.targets)
    order = np.argsort(trials.decision_ms[right], kind="stable")
    return int(right[order[right.size // 2]]) if right.size else 0
