"""The common conditions of the battery: which there are, and what each does to its location."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from whyspiking.contract import perturb
from whyspiking.contract.perturb import Window
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.talk import Replication
from whyspiking.contract.types import Binding, Condition, ExperimentParameters, Task
from whyspiking.errors import UserError

THRESHOLDS = ("v_th", "v_t", "v_threshold", "theta")


def plan(
    names: Sequence[str],
    config: Mapping[str, Any],
    *,
    spike_locations: Sequence[str],
    number_locations: Sequence[str],
    classification: bool,
) -> list[Condition]:
    """All common conditions of an experiment, one per level; draws come later.

    Args:
        names: Perturbations that the experiment lists in talk.yaml.
        config: The `battery` block of the config: levels by name of the perturbation.
        spike_locations: Where spike trains can be perturbed: "input", "hidden".
        number_locations: Where numbers can be: "weights", "neurons".
        classification: Whether trials have classes; without, trials cannot be swapped, and what is
            wanted at every time would have to be turned with a reversed input.

    Raises:
        UserError: If the config has no levels for a perturbation.
    """
    chosen = []
    of_classes = () if classification else ("swap_trials", "reverse")
    for name in (name for name in names if name not in of_classes):
        locations = spike_locations if name in perturb.ON_SPIKES else number_locations
        if name in ("quantise", "clip"):
            locations = [location for location in locations if location == "weights"]
        chosen += [
            Condition(name, location, strength)
            for location in locations
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
            f"config: 'battery.{name}' is missing, but an experiment lists '{name}' under "
            "'robustness_tests' in talk.yaml; expected its levels. Add them"
        )
    return [float(level) for level in config[name]]


def draws(condition: Condition, config: Mapping[str, Any]) -> int:
    """Number of random draws that a condition is averaged over."""
    return 1 if condition.perturbation in perturb.DETERMINISTIC else int(config["n_perturbations"])


def single(locations: Mapping[str, Sequence[Spikes]]) -> list[str]:
    """Return the locations at which no neuron fires twice in any trial.

    Args:
        locations: Location -> its populations.
    """
    return [name for name, trains in locations.items() if all(map(perturb.fires_once, trains))]


def measured_as(condition: Condition, single: Collection[str]) -> Condition:
    """A condition of equal distribution, which need not be run again where it has been.

    Args:
        condition: Any of the common ones.
        single: Locations at which no neuron fires twice in a trial: to move trains is to move
        spikes.
    """
    if condition.perturbation == "shift" and condition.location in single:
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
    strength = condition.strength
    actions: dict[str, Callable[[], NDArray]] = {
        "quantise": lambda: perturb.quantise(values, int(strength)),
        "clip": lambda: perturb.clip(values, strength),
        "mismatch": lambda: perturb.mismatch(values, strength, rng),
    }
    return actions[condition.perturbation]()


def keys_at(location: str, binding: Binding) -> list[str]:
    """Which of a binding's values a perturbation of numbers acts on.

    "weights": the values of its layers. "neurons": thresholds and time constants that the talk
    gives per neuron, i.e. arrays whose variable is one of `THRESHOLDS` or begins with "tau".
    """
    if location == "weights":
        return [key for key in binding.layers if key in binding.values]
    arrays = [key for key, value in binding.values.items() if np.ndim(value)]
    return [
        key
        for key in arrays
        if ((variable := key.rpartition(".")[2]) in THRESHOLDS or variable.startswith("tau"))
        and key not in binding.layers
    ]


def perturb_values(
    binding: Binding, condition: Condition, rng: Generator
) -> dict[str, NDArray | float]:
    """A binding's values with one draw of a perturbation at its location."""
    return dict(binding.values) | {
        key: perturb_array(np.asarray(binding.values[key]), condition, rng)
        for key in keys_at(condition.location, binding)
    }


def test_task(
    replication: Replication[Any], params: ExperimentParameters, streams: Streams
) -> Task:
    """The task of a talk's test split, on which the battery is run.

    Raises:
        UserError: If the talk gives none.
    """
    task = replication.make_task(params, "test", streams)
    if task is None:
        raise UserError(
            f"talk '{params.talk}': `make_task` returns no split 'test'; expected one. Add it"
        )
    return task


def describe(condition: Condition) -> str:
    """A condition in words, also the name of its random stream."""
    return f"{condition.perturbation} {condition.location} {condition.strength:g}"
