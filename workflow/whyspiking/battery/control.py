"""The battery's counterpart for non-spiking controls: the same doses on the control.

ReLU networks: deletion zeroes activations, quantisation and mismatch act on the weights; time has
no counterpart. Recurrent controls that read the same spikes get the same spikes perturbed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from whyspiking.battery import conditions, curves
from whyspiking.contract import perturb, places
from whyspiking.contract.randomness import Streams
from whyspiking.contract.talk import Replication
from whyspiking.contract.trial_subsets import chosen_trials, perturbed_limit, select_task
from whyspiking.contract.types import (
    Condition,
    ExperimentParameters,
    Network,
    Outcome,
    Progress,
    Task,
    Trials,
)
from whyspiking.errors import UserError
from whyspiking.measures import scoring
from whyspiking.records import tables
from whyspiking.training import controls
from whyspiking.training.controls import KINDS, Arrays, forward, seen, weight_names


def probe_control(
    replication: Replication[Any],
    params: ExperimentParameters,
    perturbations: Sequence[str],
    variant: str,
    network: Network,
    config: Mapping[str, Any],
    progress: Progress,
    *,
    tau_ms: float = 1.0,
) -> list[dict[str, Any]]:
    """Count the operations of a control and perturb it as the spiking network is.

    Feed-forward networks that the core has trained (`network.info["is"]`) are measured in full. A
    control that reads the task's
    spikes names its weights in `network.info["weights"]` and is perturbed through the talk's
    `evaluate`; its operations are what the talk's `control_counts` says. If it reads features that
    were made of the spikes beforehand, it says `network.info["reads"] = "features"`, and only its
    numbers are perturbed. Of other controls only the counts that the talk itself states are kept
    (`network.info["counts"]`), with names as in `glossary.GLOSSARY`.

    Args:
        replication: The talk.
        params: Parameters, with the seed of this network.
        perturbations: Names of those to apply, as in the config's `battery`.
        variant: Name of the control.
        network: The trained control.
        config: The `battery` block of the config.
        progress: Called with the fraction done.
        tau_ms: The talk's characteristic time in ms, the unit of jitter.
    """
    shared = places.common(params, variant, params.seed, network.info["engine"])
    streams = Streams(params.seed)
    task = conditions.test_task(replication, params, streams)
    if "weights" in network.info:
        bench = _SpikeReader(replication, params, variant, network, task, config, tau_ms)
        return bench.rows(shared, perturbations, progress)
    if network.info.get("is") in KINDS:
        return _feed_forward_rows(shared, perturbations, network, task, streams, config, progress)
    progress(
        1.0,
        "this control is evaluated by the talk's own code, so only its operation counts are "
        "reported",
    )
    return tables.rows(shared, network.info.get("counts", {}), int(task.targets.shape[0]))


def _feed_forward_rows(
    shared: Mapping[str, Any],
    perturbations: Sequence[str],
    network: Network,
    task: Task,
    streams: Streams,
    config: Mapping[str, Any],
    progress: Progress,
) -> list[dict[str, Any]]:
    """Counts of a network that the core has trained, and its score under every perturbation."""
    chosen = chosen_trials(int(task.targets.shape[0]), int(config["n_trials"]), streams)
    part = select_task(task, chosen)
    features = seen(network, np.asarray(part.features))
    rows = tables.rows(shared, count_operations(network.arrays, features), chosen.size)
    several = len(weight_names(network.arrays)) > 1
    planned = conditions.plan(
        [name for name in perturbations if name in ("delete", *perturb.ON_NUMBERS)],
        config,
        spike_locations=["input", "hidden"] if several else ["input"],
        number_locations=["weights"],
        classification=True,
    )

    def outcome_of(condition: Condition, draw: int) -> Outcome:
        rng = streams.rng(f"battery {conditions.describe(condition)} control {draw}")
        choices = _perturbed(network.arrays, features, condition, rng)
        return _trials(choices, part.targets, task.n_classes)

    choices = forward(network.arrays, features)[-1].argmax(axis=1)
    clean = _trials(choices, part.targets, task.n_classes)
    measured = _measured(planned, config, outcome_of, clean, (), progress)
    # The controls know no jitter, so no time unit is needed.
    return rows + curves.rows_of(shared, measured, 1.0, chosen.size)


def _measured(
    planned: Sequence[Condition],
    config: Mapping[str, Any],
    outcome_of: Callable[[Condition, int], Outcome],
    clean: Outcome,
    single: Collection[str],
    progress: Progress,
    *,
    chance: float | None = None,
) -> Iterator[curves.Measurement]:
    """Every condition, mean over its draws; `chance` where it is not that of the clean outcome."""

    def outcomes_of(condition: Condition) -> list[Outcome]:
        return [outcome_of(condition, k) for k in range(conditions.draws(condition, config))]

    return curves.measured_once(
        planned,
        outcomes_of,
        single,
        lambda index, condition: progress(index / len(planned), conditions.describe(condition)),
        clean=scoring.score(clean),
        chance=scoring.chance(clean) if chance is None else chance,
        trials=scoring.n_trials(clean),
    )


def count_operations(arrays: Arrays, features: NDArray) -> dict[str, float]:
    """Operations per trial of a ReLU network, by name of `glossary.GLOSSARY`.

    `macs_effective` skips zero activations and zero weights; biases never count.

    Args:
        arrays: w0, b0, w1, ...
        features: Input, (trial, feature).
    """
    weights = [arrays[name] for name in weight_names(arrays)]
    activations = forward(arrays, features)
    effective = sum(
        float((np.count_nonzero(x, axis=0) @ np.count_nonzero(w, axis=1)) / x.shape[0])
        for x, w in zip(activations, weights, strict=False)
    )
    n_weights = sum(w.size for w in weights)
    n_synapses = sum(int(np.count_nonzero(w)) for w in weights)
    counts = {
        "macs_effective": effective,
        "macs_dense": float(n_weights),
        "neuron_updates": float(sum(w.shape[1] for w in weights)),
        "synapses": float(n_synapses),
        "connection_sparsity": 1 - n_synapses / n_weights,
        "footprint": 4.0 * sum(array.size for array in arrays.values()),
    }
    hidden = activations[1:-1]
    if hidden:
        zeros = sum(x.size - int(np.count_nonzero(x)) for x in hidden)
        counts["activation_sparsity"] = zeros / sum(x.size for x in hidden)
    return counts


@dataclass(frozen=True)
class _SpikeReader:
    """A control that reads spikes over time, e.g. a recurrent network."""

    replication: Replication[Any]
    params: ExperimentParameters
    variant: str
    network: Network
    task: Task
    config: Mapping[str, Any]
    tau_ms: float

    @property
    def streams(self) -> Streams:
        return Streams(self.params.seed)

    def rows(
        self, shared: Mapping[str, Any], perturbations: Sequence[str], progress: Progress
    ) -> list[dict[str, Any]]:
        """Counts of a control, and its score under every perturbation of spikes and weights."""
        n_trials = int(self.task.targets.shape[0])
        described = (self.params, self.variant, self.network, self.task)
        counted = self.replication.control_counts(*described)
        rows = tables.rows(shared, {**self.network.info.get("counts", {}), **counted}, n_trials)
        # Perturbed spikes would not reach a network that is given features made of the clean ones.
        binned = self.network.info.get("reads") == "features"
        planned = conditions.plan(
            perturbations,
            self.config,
            spike_locations=["input"] if self.task.stimulus.spikes and not binned else [],
            number_locations=["weights"],
            classification=self.task.targets.ndim == 1,
        )
        if not planned:
            return rows
        outcome = self._evaluate(self.network, self.task)
        chosen = chosen_trials(n_trials, perturbed_limit(outcome, self.config), self.streams)
        outcome_of = partial(self._outcome, select_task(self.task, chosen))
        clean, chance = scoring.select(outcome, chosen), scoring.chance(outcome)
        single = conditions.single({"input": list(self.task.stimulus.spikes.values())})
        measured = _measured(
            planned, self.config, outcome_of, clean, single, progress, chance=chance
        )
        return rows + curves.rows_of(shared, measured, self.tau_ms, chosen.size)

    def _outcome(self, part: Task, condition: Condition, draw: int) -> Outcome:
        name = f"battery {conditions.describe(condition)} control {draw}"
        if condition.perturbation in perturb.ON_NUMBERS:
            rng = self.streams.rng(name)
            changed = {
                key: conditions.perturb_array(self.network.arrays[key], condition, rng)
                for key in self.network.info["weights"]
            }
            arrays = {**self.network.arrays, **changed}
            return self._evaluate(replace(self.network, arrays=arrays), part)
        spikes = {
            key: conditions.perturb_spikes(
                trains,
                condition,
                self.streams.rng(f"{name} {key}"),
                tau_ms=self.tau_ms,
                labels=part.targets,
                window=perturb.firing_window(self.task.stimulus.spikes[key]),
            )
            for key, trains in part.stimulus.spikes.items()
        }
        return self._evaluate(
            self.network, replace(part, stimulus=replace(part.stimulus, spikes=spikes))
        )

    def _evaluate(self, network: Network, task: Task) -> Outcome:
        outcome = controls.evaluate_variant(
            self.replication, self.params, self.variant, network, task
        )
        if outcome is None:
            raise UserError(
                f"talk '{self.params.talk}': `evaluate` returns nothing for the control "
                f"'{self.variant}'; expected its outcome, because no other code can evaluate a "
                "control. Return the outcome"
            )
        return outcome


def _perturbed(
    arrays: Arrays, features: NDArray, condition: Condition, rng: Generator
) -> NDArray[np.int64]:
    names = weight_names(arrays)
    if condition.perturbation == "delete":
        layers = [0] if condition.location == "input" else range(1, len(names))
        dropped = {
            layer: rng.random((len(features), len(arrays[names[layer]]))) < condition.strength
            for layer in layers
        }
        return forward(arrays, features, dropped)[-1].argmax(axis=1)
    changed = {
        name: conditions.perturb_array(values, condition, rng) if name in names else values
        for name, values in arrays.items()
    }
    return forward(changed, features)[-1].argmax(axis=1)


def _trials(choices: NDArray, targets: NDArray, n_classes: int) -> Trials:
    return Trials(
        targets=np.asarray(targets, np.int64),
        choices=np.asarray(choices, np.int64),
        decision_ms=np.zeros(choices.size),
        n_classes=n_classes,
    )
