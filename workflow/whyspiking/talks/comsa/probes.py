"""Networks that read digits, with equal, exchanged or jittered spike times (README, 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.spikes import Spikes
from whyspiking.talks.comsa import model
from whyspiking.talks.comsa.brian_network import PulsedBinding
from whyspiking.talks.comsa.digits import (
    bind,
    control_task,
    decode,
    evaluate,
    features_until,
    make_task,
    reference_first_ms,
    to_brian,
    train,
)

__all__ = [
    "bind", "conditions", "control_task", "decode", "evaluate", "features_until", "make_task",
    "reference_first_ms", "to_brian", "train", "vary",
]  # fmt: skip

HIDDEN_SILENT = 1e9
"""A threshold that no neuron reaches; its recorded spikes are replayed instead."""


def conditions(params: ct.Params) -> Sequence[ct.Condition]:
    """The probes: equal times, exchanged times, jitter of the pixels or of the hidden spikes."""
    jitters = [
        ct.Condition("layer_jitter", location, strength)
        for location in ("input", "hidden")
        for strength in params.layer_jitters
    ]
    return (
        ct.Condition("same_time", "input", 1.0),
        ct.Condition("swap_pixels", "input", 1.0),
        *jitters,
    )


def vary(
    params: ct.Params,
    condition: ct.Condition,
    task: ct.Task,
    binding: ct.Binding,
    rng: np.random.Generator,
) -> tuple[ct.Task, ct.Binding]:
    """Change task and binding for one probe; pulses are never changed.

    Args:
        params: Time constant and length of a trial.
        condition: "same_time": all pixels fire at 0; "swap_pixels": the times of an image are dealt
            anew among its active pixels; "layer_jitter": Gaussian noise, sd in units of 1/K, on the
            spikes of one layer, reflected at the borders of the trial.
        task: The unperturbed trials.
        binding: From `bind`; hidden spikes of its network come from the closed form.
        rng: Source of noise and order.
    """
    if not isinstance(binding, PulsedBinding):
        raise TypeError("probes need the binding that `bind` returns")
    first_ms = task.stimulus.spikes["input"].first_ms()
    if condition.location == "input":
        moved_ms = {
            "same_time": lambda: np.where(np.isfinite(first_ms), 0.0, np.inf),
            "swap_pixels": lambda: swapped(first_ms, rng),
            "layer_jitter": lambda: _jitter_times(params, condition, first_ms, rng),
        }[condition.perturbation]()
        return _replace_spikes(task, params, "input", moved_ms), binding
    hidden = model.first_spikes(params, binding.arrays, model.times_of(params, task))[0]
    hidden_ms = model.within_trial(params, {"hidden": hidden})["hidden"]
    moved_ms = _jitter_times(params, condition, hidden_ms, rng)
    silenced_values = {**binding.values, "hidden.v_th": HIDDEN_SILENT}
    return _replace_spikes(task, params, "hidden_replay", moved_ms), replace(
        binding, values=silenced_values
    )


def swapped(first_ms: NDArray, rng: np.random.Generator) -> NDArray:
    """Permute the times of each trial among the channels that fire in it, (trial, channel)."""
    exchanged_ms = np.full_like(first_ms, np.inf)
    for row, times in zip(exchanged_ms, first_ms, strict=True):
        i_active = np.flatnonzero(np.isfinite(times))
        row[i_active] = rng.permutation(times[i_active])
    return exchanged_ms


def _jitter_times(
    params: ct.Params, condition: ct.Condition, first_ms: NDArray, rng: np.random.Generator
) -> NDArray:
    noise = condition.strength * model.tau_ms(params) * rng.standard_normal(first_ms.shape)
    jittered_ms = np.abs(first_ms + noise)
    is_late = np.isfinite(jittered_ms) & (jittered_ms > params.trial_ms)
    return np.where(is_late, 2 * params.trial_ms - np.where(is_late, jittered_ms, 0.0), jittered_ms)


def _replace_spikes(task: ct.Task, params: ct.Params, name: str, first_ms: NDArray) -> ct.Task:
    spikes = {**task.stimulus.spikes, name: Spikes.from_first_spikes(first_ms, params.trial_ms)}
    return replace(task, stimulus=replace(task.stimulus, spikes=spikes))
