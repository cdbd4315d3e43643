"""Reference networks: one job trains a family on one seed, at all sizes and penalties.

Each network has a condition of the metrics table: perturbation `spike_penalty_<penalty>`, strength
its number of units. Units that are never silent send a state only when it has changed enough
(protocol.yaml, `change_threshold`). Of the spiking networks of a seed two are run again in Brian2,
both corners of every frontier of accuracy against arrivals at weights: the most accurate one, and
the one that gains most on guessing for an arrival.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from whyspiking.contract import types as ct
from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.randomness import Streams
from whyspiking.talks.ground import references, tasks
from whyspiking.talks.ground.protocol import protocol
from whyspiking.training.gradient import ENGINE
from whyspiking.training.reference import answering, learning, replaying
from whyspiking.training.reference.units import UNCEASING, Recipe

SUFFIX = "_trained"
LIF = "lif"
PENALTY_NAME = "spike_penalty_{:g}"
REPLAYED: dict[str, Callable[[float, float], float]] = {
    "replayed_best": lambda gain, arrivals: gain,
    "replayed_cheap": lambda gain, arrivals: gain / max(arrivals, 1.0),
}
"""Variant that Brian2 runs -> score that is largest for its network.

Gain on guessing (validation) and arrivals at weights are given.
"""


def of_task(params: ct.Params) -> ct.Params:
    """Return the parameters of the task's own experiment, whose data are shared."""
    return replace(params, experiment=params.experiment.removesuffix(SUFFIX))


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Draw trials of the task, for a seed the same as for baselines and hand-designed networks."""
    return tasks.make_task(of_task(params), split, streams)


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train all networks of a family and score them on test trials; or pick one for Brian2."""
    task_params = of_task(params)
    if variant in REPLAYED:
        (ladder,) = parents.values()
        return picked(ladder, protocol().tasks[task_params.experiment].chance, REPLAYED[variant])
    training = protocol().training[task_params.experiment]
    shape, draw = references.shape(task_params), references.trials(task_params)
    validation_trials, test_trials = (
        references.told(task_params, split, Streams(task_params.seed))
        for split in ("validation", "test")
    )
    arrays: dict[str, Any] = {}
    rows: list[list[Any]] = []
    history: list[dict[str, Any]] = []
    recipes = ladder_of(task_params, variant)
    for i_recipe, recipe in enumerate(recipes):

        def report(share: float, news: str, i_recipe: int = i_recipe, n: int = recipe.n) -> None:
            progress((i_recipe + share) / len(recipes), f"{n} units, {news}")

        n_parts = max(1, round(training.parts * task_params.share))
        networks = learning.train(
            recipe, shape, draw, n_parts, [task_params.seed], training.spike_penalties, report
        )
        for i_penalty, ((spike_penalty, _), network) in enumerate(networks.items()):
            values = scored(recipe, shape, network.arrays, validation_trials, test_trials)
            rows.append([PENALTY_NAME.format(spike_penalty), recipe.n, values, len(test_trials[1])])
            arrays |= {f"{recipe.n}_{i_penalty}/{name}": x for name, x in network.arrays.items()}
            history += network.history if recipe is recipes[-1] and not i_penalty else []
    return ct.Network(arrays, {"engine": ENGINE, "measured_at": rows}, history)


def ladder_of(task_params: ct.Params, family: str) -> Sequence[Recipe]:
    """List the recipes of a family on a task by size, without spike penalties."""
    benchmark = protocol()
    sizes = benchmark.families[family][task_params.experiment].n_hidden
    setting = benchmark.chosen_settings[task_params.experiment][family].given
    trained_sizes = sizes[: max(1, round(len(sizes) * task_params.share))]
    return [references.recipe(task_params.experiment, family, n, setting) for n in trained_sizes]


def scored(
    recipe: Recipe, shape: Any, arrays: Any, validation_trials: Any, test_trials: Any
) -> dict[str, float]:
    """Compute accuracies and mean counts of a network, by name of `frontier_columns.POINTS`.

    Args:
        recipe: Recipe of the network.
        shape: Sizes that the task fixes.
        arrays: Of the network.
        validation_trials: Raster and classes, by which the threshold is chosen.
        test_trials: Raster and classes, evaluated once.
    """
    raster, classes = validation_trials

    def measure_accuracy(least_change: float | None) -> float:
        choices, _ = answering.answer(recipe, shape, arrays, raster, least_change)
        return float((choices == classes).mean())

    change_threshold, validation_accuracy = None, measure_accuracy(None)
    if recipe.kind in UNCEASING:
        candidates = protocol().change_threshold
        accuracy_by_threshold = {change: measure_accuracy(change) for change in candidates.value}
        change_threshold = max(
            (
                c
                for c, x in accuracy_by_threshold.items()
                if x >= validation_accuracy - candidates.max_accuracy_loss
            ),
            default=None,
        )
        validation_accuracy = accuracy_by_threshold.get(change_threshold, validation_accuracy)  # pyright: ignore
    raster, classes = test_trials
    choices, counts = answering.answer(recipe, shape, arrays, raster, change_threshold)
    means = counts.means()
    inputs = shape.n_lines if recipe.kind == "static" else np.count_nonzero(raster) / len(raster)
    return {
        "accuracy": float((choices == classes).mean()),
        "validation_accuracy": validation_accuracy,
        "n_parameters": float(sum(np.size(x) for x in arrays.values())),
        "n_messages": means["binary_messages"] + means["graded_messages"] - inputs,
        **{name: x for name, x in means.items() if x},
    }


def picked(ladder: ct.Network, chance: float, score: Callable[[float, float], float]) -> ct.Network:
    """Pick the network of a family with the largest score; of equals the smallest.

    Args:
        ladder: From `train`.
        chance: Accuracy of guessing.
        score: An entry of `REPLAYED`.
    """
    rows: list[tuple[str, int, dict[str, float], int]] = ladder.info["measured_at"]
    best = max(rows, key=lambda x: score(x[2]["validation_accuracy"] - chance, x[2]["acs"]))
    penalties = list(dict.fromkeys(row[0] for row in rows))
    prefix = f"{best[1]}_{penalties.index(best[0])}/"
    arrays = {k.removeprefix(prefix): x for k, x in ladder.arrays.items() if k.startswith(prefix)}
    return ct.Network(arrays, {"engine": ENGINE, "epochs": 0})


# ---- in both engines -----------------------------------------------------------------------------


def evaluate(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> ct.Trials | None:
    """Run a network that Brian2 runs; the others were scored where they were trained."""
    if variant not in REPLAYED:
        return None
    task_params, recipe = of_task(params), _make_lif_recipe(params)
    recipe = replace(recipe, n=len(network.arrays["bias"]))
    raster = tasks.raster(task_params, task)
    choices, _ = answering.answer(recipe, references.shape(task_params), network.arrays, raster)
    return ct.Trials.of(task, choices, task_params.trial_ms)


def _make_lif_recipe(params: ct.Params) -> Recipe:
    """Make the recipe of the largest spiking network; others have fewer units of the same kind."""
    task_params, family_protocol = of_task(params), protocol().families[LIF]
    setting = protocol().chosen_settings[task_params.experiment][LIF].given
    return references.recipe(
        task_params.experiment, LIF, max(family_protocol[task_params.experiment].n_hidden), setting
    )


def to_brian(params: ct.Params) -> BrianModel:
    """One structure for all sizes."""
    return replaying.to_brian(
        _make_lif_recipe(params), references.shape(of_task(params)), params.max_trials
    )


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Units that a smaller network lacks are silent."""
    return replaying.bind(_make_lif_recipe(params).n, network.arrays)


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Trials:
    """Decide by the largest readout in the answer."""
    choices = replaying.decide(references.shape(of_task(params)), recording)
    return ct.Trials.of(task, choices, params.trial_ms)
