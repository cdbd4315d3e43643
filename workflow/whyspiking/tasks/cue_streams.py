"""Span recall and volley recall: one event of a stream must be kept until a go signal.

Cues come in slots of 40 ms; each block of four slots is a random order of four groups of inputs, so
that every input fires equally often whatever the class. In one slot after the first block something
happens: in span recall a marker fires together with the cue, in volley recall the group's spikes,
otherwise spread over the slot, fall within 10 ms. The class is the group to which it happened. Then
a go signal, in which the answer counts.

The slot is drawn independently of the order: so the class is independent of the cues, of the slot
and of every count, exactly. The definitions are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.spikes import Spikes

GROUPS = 4
N_GO = 5


@dataclass(frozen=True)
class Settings:
    """How a trial is laid out; times in ms.

    Attributes:
        blocks: Blocks of `GROUPS` slots; the event is in none of the first.
        per_group: Inputs of each group.
        fire_ms: From the start of a slot, how long the inputs of its group take to fire.
        marker: Inputs of a marker that fires in the slot of the event; 0 for volleys.
        sync_ms: In what time a volley falls.
        slot_ms: Length of a slot, and of the go signal.
    """

    blocks: int
    per_group: int
    fire_ms: float
    marker: int = 0
    sync_ms: float = 0.0
    slot_ms: float = 40.0

    @property
    def slots(self) -> int:
        """Slots before the go signal."""
        return self.blocks * GROUPS

    @property
    def trial_ms(self) -> float:
        """Length of a trial: the slots and the go signal."""
        return (self.slots + 1) * self.slot_ms

    @property
    def n_inputs(self) -> int:
        """Inputs: groups, marker, go signal."""
        return GROUPS * self.per_group + self.marker + N_GO


def list_inputs(settings: Settings) -> NDArray[np.int64]:
    """Group of every input, (input,); marker and go signal have the number `GROUPS`."""
    n_ungrouped = settings.n_inputs - GROUPS * settings.per_group
    return np.append(np.repeat(np.arange(GROUPS), settings.per_group), np.full(n_ungrouped, GROUPS))


def orders(rng: np.random.Generator, trials: int, blocks: int) -> NDArray[np.int64]:
    """Draw the group of every slot, (trial, slot): each block a random order of all."""
    slot_groups = rng.permuted(np.tile(np.arange(GROUPS), (trials, blocks, 1)), axis=2)
    return slot_groups.reshape(trials, blocks * GROUPS)


def generate(
    rng: np.random.Generator, trials: int, settings: Settings
) -> tuple[Spikes, NDArray[np.int64]]:
    """Draw trials: spikes of all inputs and classes, (trial,)."""
    sequence, event = _draw_sequence(rng, trials, settings)
    return lay_out(rng, sequence, event, settings), class_of(sequence, event)


def on_steps(
    rng: np.random.Generator, trials: int, settings: Settings, step_ms: float
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Draw the same trials on time steps: spikes, (trial, step, input), and classes."""
    sequence, event = _draw_sequence(rng, trials, settings)
    times, inputs = _draw_spike_times(rng, sequence, event, settings)
    steps = np.floor(times / step_ms + 1e-9).astype(np.int64)
    n_steps = round(settings.trial_ms / step_ms)
    flat_index = (np.arange(trials)[:, None] * n_steps + steps) * settings.n_inputs + inputs
    raster = np.zeros(trials * n_steps * settings.n_inputs, bool)
    raster[flat_index[steps < n_steps]] = True
    return raster.reshape(trials, n_steps, settings.n_inputs), class_of(sequence, event)


def _draw_sequence(
    rng: np.random.Generator, trials: int, settings: Settings
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw the group of every slot, (trial, slot), and the slot of the event, (trial,)."""
    sequence = orders(rng, trials, settings.blocks)
    return sequence, rng.integers(GROUPS, settings.slots, size=trials)


def class_of(sequence: NDArray[np.int64], event: NDArray[np.int64]) -> NDArray[np.int64]:
    """Group in whose slot the event was, (trial,)."""
    return np.take_along_axis(sequence, event[:, None], axis=1)[:, 0]


def lay_out(
    rng: np.random.Generator, sequence: NDArray, event: NDArray, settings: Settings
) -> Spikes:
    """Spikes of trials.

    Args:
        rng: For the times within slots.
        sequence: Group of every slot, (trial, slot).
        event: Slot of the event, (trial,).
        settings: How each is laid out.
    """
    times, inputs = _draw_spike_times(rng, sequence, event, settings)
    return Spikes.sorted(
        times.ravel(),
        inputs.ravel(),
        np.repeat(np.arange(len(times)), times.shape[1]),
        n_trials=len(times),
        n_units=settings.n_inputs,
        duration_ms=settings.trial_ms,
    )


def _draw_spike_times(
    rng: np.random.Generator, sequence: NDArray, event: NDArray, settings: Settings
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Draw times in ms and inputs of all spikes, (trial, spike), in no order."""
    (trials, slots), n_per_group = sequence.shape, settings.per_group
    slot_times = settings.fire_ms * rng.random((trials, slots, n_per_group))
    if settings.sync_ms:
        start = (settings.slot_ms - settings.sync_ms) * rng.random((trials, 1))
        volley = start + settings.sync_ms * rng.random((trials, n_per_group))
        slot_times[np.arange(trials), event] = volley
    times = [(settings.slot_ms * np.arange(slots)[:, None] + slot_times).reshape(trials, -1)]
    inputs = [(sequence[:, :, None] * n_per_group + np.arange(n_per_group)).reshape(trials, -1)]
    for i_first_input, size, slot, lasts_ms in (
        (GROUPS * n_per_group, settings.marker, event, settings.fire_ms),
        (GROUPS * n_per_group + settings.marker, N_GO, np.full(trials, slots), settings.slot_ms),
    ):
        times.append(settings.slot_ms * slot[:, None] + lasts_ms * rng.random((trials, size)))
        inputs.append(np.tile(i_first_input + np.arange(size), (trials, 1)))
    return np.hstack(times), np.hstack(inputs)
