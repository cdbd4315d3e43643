"""The common conditions of the battery: which there are, and what each does to its locus."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from whyspiking.contract import perturb
from whyspiking.contract.perturb import Window
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Binding, Condition
from whyspiking.errors import UserError

THRESHOLDS = ("v_th", "v_t", "v_threshold", "theta")


def plan(
    names: Sequence[str],
    config: Mapping[str, Any],
    *,
    spike_loci: Sequence[str],
    number_loci: Sequence[str],
    classification: bool,
) -> list[Condition]:
    """All common conditions of an experiment, one per level; draws come later.

    Args:
        names: Perturbations that the experiment lists in talk.yaml.
        config: The `battery` block of the config: levels by name of the perturbation.
        spike_loci: Where spike trains can be perturbed: "input", "hidden".
        number_loci: Where numbers can be: "weights", "neurons".
        classification: Whether trials have classes; without, trials cannot be swapped, and what is
            wanted at every time would have to be turned with a reversed input.

    Raises:
        UserError: If the config has no levels for a perturbation.
    """
    chosen = []
    for name in names:
        loci = spike_loci if name in perturb.ON_SPIKES else number_loci
        if name in ("quantise", "clip"):
            loci = [locus for locus in loci if locus == "weights"]
        if name in ("swap_trials", "reverse") and not classification:
            continue
        chosen += [
            Condition(name, locus, strength)
            for locus in loci
            for strength in levels(name, config)
            if strength != perturb.ORIGIN.get(name, 0.0)
        ]
    return chosen


def levels(name: str, config: Mapping[str, Any]) -> list[float]:
    """Strengths of a perturbation."""
    if name in perturb.ONCE:
        return [1.0]
    if name not in config:
        raise UserError(
            f"config: 'battery.{name}' is missing, but an experiment lists '{name}' in its "
            "battery; add its levels"
        )
    return [float(level) for level in config[name]]


def draws(condition: Condition, config: Mapping[str, Any]) -> int:
    """Number of random draws that a condition is averaged over."""
    return 1 if condition.perturbation in perturb.DETERMINISTIC else int(config["draws"])


def single(loci: Mapping[str, Sequence[Spikes]]) -> list[str]:
    """The loci at which no neuron fires twice in any trial, among locus -> its populations."""
    return [name for name, trains in loci.items() if all(map(perturb.fires_once, trains))]


def measured_as(condition: Condition, single: Collection[str]) -> Condition:
    """A condition of equal distribution, which need not be run again where it has been.

    Args:
        condition: Any of the common ones.
        single: Loci at which no neuron fires twice in a trial: to move trains is to move spikes.
    """
    if condition.perturbation == "shift" and condition.locus in single:
        return replace(condition, perturbation="jitter")
    return condition


def perturb_spikes(
    spikes: Spikes,
    condition: Condition,
    rng: Generator,
    *,
    tau_ms: float,
    labels: NDArray,
    window: Window,
) -> Spikes:
    """One draw of a perturbation of spike trains.

    Args:
        spikes: Unperturbed trains of one population.
        condition: Perturbation and strength; jitter and shift are in units of `tau_ms`.
        rng: Source of the draw.
        tau_ms: The talk's characteristic time in ms.
        labels: Class of each trial, (trial,).
        window: When the population may fire, in ms.
    """
    strength = condition.strength
    actions: dict[str, Callable[[], Spikes]] = {
        "jitter": lambda: perturb.jitter(spikes, strength * tau_ms, rng),
        "shift": lambda: perturb.shift(spikes, strength * tau_ms, rng),
        "shuffle": lambda: perturb.shuffle(spikes, rng, window),
        "shuffle_window": lambda: perturb.shuffle_window(spikes, strength, rng, window),
        "swap_trials": lambda: perturb.swap_trials(spikes, labels, rng),
        "reverse": lambda: perturb.reverse(spikes, window),
        "delete": lambda: perturb.delete(spikes, strength, rng),
        "insert": lambda: perturb.insert(spikes, strength, rng, window),
    }
    return actions[condition.perturbation]()


def perturb_array(values: NDArray, condition: Condition, rng: Generator) -> NDArray:
    """One draw of a perturbation of weights or neuron parameters."""
    if condition.perturbation == "quantise":
        return perturb.quantise(values, int(condition.strength))
    if condition.perturbation == "clip":
        return perturb.clip(values, condition.strength)
    return perturb.mismatch(values, condition.strength, rng)


def keys_at(locus: str, binding: Binding) -> list[str]:
    """Which of a binding's values a perturbation of numbers acts on.

    "weights": the values of its layers. "neurons": thresholds and time constants that the talk
    gives per neuron, i.e. arrays whose variable is one of `THRESHOLDS` or begins with "tau".
    """
    if locus == "weights":
        return [key for key in binding.layers if key in binding.values]
    found = []
    for key, value in binding.values.items():
        variable = key.rpartition(".")[2]
        if np.ndim(value) and (variable in THRESHOLDS or variable.startswith("tau")):
            found.append(key)
    return [key for key in found if key not in binding.layers]


def perturb_values(
    binding: Binding, condition: Condition, rng: Generator
) -> dict[str, NDArray | float]:
    """A binding's values with one draw of a perturbation at its locus."""
    values = dict(binding.values)
    for key in keys_at(condition.locus, binding):
        values[key] = perturb_array(np.asarray(values[key]), condition, rng)
    return values


def describe(condition: Condition) -> str:
    """A condition in words, also the name of its random stream."""
    return f"{condition.perturbation} {condition.locus} {condition.strength:g}"
