"""Evidence accumulation: seven cues left or right, a delay, the decision (README, section 1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.scherr.trials import Trials, from_spikes, to_spikes

GROUPS = ("left", "right", "recall", "background")


def n_steps(params: ct.Params) -> int:
    """Steps of one trial: cues, delay, recall."""
    cues = params.n_cues * (params.cue_silence_ms + params.cue_ms)
    return round((cues + params.delay_ms + params.recall_ms) / params.dt_ms)


def n_inputs(params: ct.Params) -> int:
    """Input channels: `n_per_group` of each of `GROUPS`, in this order."""
    return len(GROUPS) * params.n_per_group


def draw(params: ct.Params, rng: np.random.Generator, n_trials: int) -> Trials:
    """Draw fresh trials.

    The label is the majority of the cues that are shown.

    Args:
        params: Parameters of the experiment.
        rng: Randomness.
        n_trials: How many.
    """
    steps, n_per_group, dt = n_steps(params), params.n_per_group, params.dt_ms
    side = rng.integers(2, size=(n_trials, 1))
    cue_side = np.where(rng.random((n_trials, params.n_cues)) < params.p_other, 1 - side, side)
    labels = (2 * cue_side.sum(axis=1) > params.n_cues).astype(np.int32)
    cue_steps, silence_steps = round(params.cue_ms / dt), round(params.cue_silence_ms / dt)
    recall_steps = round(params.recall_ms / dt)
    p_cue, p_background = params.cue_hz * dt / 1000, params.background_hz * dt / 1000

    trial, i_cue, step_in_group, channel = _draw_bernoulli(
        rng, (n_trials, params.n_cues, cue_steps, n_per_group), p_cue
    )
    step = i_cue * (silence_steps + cue_steps) + silence_steps + step_in_group
    groups = [(trial, step, cue_side[trial, i_cue] * n_per_group + channel)]
    trial, step_in_group, channel = _draw_bernoulli(
        rng, (n_trials, recall_steps, n_per_group), p_cue
    )
    groups.append((trial, steps - recall_steps + step_in_group, 2 * n_per_group + channel))
    trial, step, channel = _draw_bernoulli(rng, (n_trials, steps, n_per_group), p_background)
    groups.append((trial, step, 3 * n_per_group + channel))
    trial, step, channel = (np.concatenate(columns) for columns in zip(*groups, strict=True))
    # One integer per spike sorts them by trial, step and channel.
    spike_key = np.sort((trial * steps + step) * n_inputs(params) + channel)
    flat_step, channel = np.divmod(spike_key, n_inputs(params))
    trial, step = np.divmod(flat_step, steps)
    return Trials(
        starts=np.searchsorted(trial, np.arange(n_trials + 1)),
        steps=step.astype(np.int32),
        channels=channel.astype(np.int32),
        n_inputs=n_inputs(params),
        n_steps=steps,
        labels=labels,
        first_step=steps - recall_steps,
    )


def _draw_bernoulli(
    rng: np.random.Generator, shape: tuple[int, ...], p: float
) -> tuple[NDArray, ...]:
    """Draw the indices of the ones of a Bernoulli(p) array, by its gaps, not its entries."""
    size = int(np.prod(shape))
    i_ones = np.zeros(0, np.int64)
    i_last = -1
    while i_last < size:
        gaps = rng.geometric(p, int(size * p + 6 * np.sqrt(size * p) + 10))
        i_next = i_last + np.cumsum(gaps)
        i_ones = np.concatenate([i_ones, i_next])
        i_last = int(i_next[-1])
    return np.unravel_index(i_ones[i_ones < size], shape)


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """The trials of a split; training draws fresh ones without end, of which this shows a batch."""
    if split == "fresh":
        return None
    n_trials = {
        "train": params.batch, "validation": params.n_validation, "test": params.n_test,
    }[split]  # fmt: skip
    return to_task(params, draw(params, streams.rng(f"data-{split}"), n_trials))


def to_task(params: ct.Params, trials: Trials) -> ct.Task:
    """Trials as the rest of the project sees them."""
    labels = np.asarray(trials.labels)
    spikes = to_spikes(trials, params.dt_ms)
    return ct.Task(
        stimulus=ct.Stimulus(spikes={"input": spikes}),
        targets=labels.astype(np.int64),
        n_classes=2,
    )


def from_task(params: ct.Params, task: ct.Task) -> Trials:
    """The inverse of `to_task`."""
    steps = n_steps(params)
    return from_spikes(
        task.stimulus.spikes["input"],
        params.dt_ms,
        labels=task.targets.astype(np.int32),
        first_step=steps - round(params.recall_ms / params.dt_ms),
    )
