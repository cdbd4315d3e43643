"""Reference networks: one job trains a family on one seed, at all sizes and prices of the protocol.

Each network is told as a place of the metrics table: perturbation `spike_penalty_<penalty>`,
strength its
units. What never is silent tells a state only when it has changed enough (protocol.yaml,
`change_threshold`). Of the spiking networks of a seed two are run again in Brian2, both corners of
every frontier of accuracy against arrivals at weights: the most accurate one, and the one that
gains most on guessing for an arrival.
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
PRICE = "spike_penalty_{:g}"
REPLAYED: dict[str, Callable[[float, float], float]] = {
    "replayed_best": lambda gain, arrivals: gain,
    "replayed_cheap": lambda gain, arrivals: gain / max(arrivals, 1.0),
}
"""Variant that Brian2 runs -> what is largest of the network that it is.

Gain on guessing (validation) and arrivals at weights are given.
"""


def of_task(params: ct.Params) -> ct.Params:
    """The same as parameters of the task's own experiment, whose data they share."""
    return replace(params, experiment=params.experiment.removesuffix(SUFFIX))


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Trials of the task; a seed has those that floors and built networks have."""
    return tasks.make_task(of_task(params), split, streams)


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """All networks of a family, scored on the test trials; or one of them, for Brian2."""
    own = of_task(params)
    if variant in REPLAYED:
        (ladder,) = parents.values()
        return picked(ladder, protocol().tasks[own.experiment].chance, REPLAYED[variant])
    said = protocol().training[own.experiment]
    shape, draw = references.shape(own), references.trials(own)
    held_out, tested = (
        references.told(own, split, Streams(own.seed)) for split in ("validation", "test")
    )
    arrays: dict[str, Any] = {}
    rows: list[list[Any]] = []
    history: list[dict[str, Any]] = []
    recipes = ladder_of(own, variant)
    for done, recipe in enumerate(recipes):

        def told(share: float, news: str, done: int = done, n: int = recipe.n) -> None:
            progress((done + share) / len(recipes), f"{n} units, {news}")

        parts = max(1, round(said.parts * own.share))
        found = learning.train(recipe, shape, draw, parts, [own.seed], said.spike_penalties, told)
        for place, ((price, _), network) in enumerate(found.items()):
            values = scored(recipe, shape, network.arrays, held_out, tested)
            rows.append([PRICE.format(price), recipe.n, values, len(tested[1])])
            arrays |= {f"{recipe.n}_{place}/{name}": x for name, x in network.arrays.items()}
            history += network.history if recipe is recipes[-1] and not place else []
    return ct.Network(arrays, {"engine": ENGINE, "measured_at": rows}, history)


def ladder_of(own: ct.Params, family: str) -> Sequence[Recipe]:
    """The networks of a family on a task without their prices, by size."""
    said = protocol()
    sizes = said.families[family][own.experiment].n_hidden
    chosen = said.chosen_settings[own.experiment][family].given
    kept = sizes[: max(1, round(len(sizes) * own.share))]
    return [references.recipe(own.experiment, family, n, chosen) for n in kept]


def scored(recipe: Recipe, shape: Any, arrays: Any, held_out: Any, tested: Any) -> dict[str, float]:
    """Accuracies and mean counts of a network, by name of `records.frontier_columns.POINTS`.

    Args:
        recipe: What it is.
        shape: What the task fixes.
        arrays: Of the network.
        held_out: Raster and classes of validation trials, by which the threshold is chosen.
        tested: Those of test trials, looked at once.
    """
    raster, classes = held_out

    def right(least_change: float | None) -> float:
        choices, _ = answering.answer(recipe, shape, arrays, raster, least_change)
        return float((choices == classes).mean())

    least, reached = None, right(None)
    if recipe.kind in UNCEASING:
        said = protocol().change_threshold
        known = {change: right(change) for change in said.value}
        least = max(
            (c for c, x in known.items() if x >= reached - said.max_accuracy_loss), default=None
        )
        reached = known.get(least, reached)  # pyright: ignore
    raster, classes = tested
    choices, counts = answering.answer(recipe, shape, arrays, raster, least)
    means = counts.means()
    inputs = shape.n_lines if recipe.kind == "static" else np.count_nonzero(raster) / len(raster)
    return {
        "accuracy": float((choices == classes).mean()),
        "validation_accuracy": reached,
        "n_parameters": float(sum(np.size(x) for x in arrays.values())),
        "n_messages": means["binary_messages"] + means["graded_messages"] - inputs,
        **{name: x for name, x in means.items() if x},
    }


def picked(ladder: ct.Network, guess: float, wanted: Callable[[float, float], float]) -> ct.Network:
    """Of all networks of a family the one of which something is largest; of equals the smallest.

    Args:
        ladder: From `train`.
        guess: Accuracy of guessing.
        wanted: An entry of `REPLAYED`.
    """
    rows: list[tuple[str, int, dict[str, float], int]] = ladder.info["measured_at"]
    best = max(rows, key=lambda x: wanted(x[2]["validation_accuracy"] - guess, x[2]["acs"]))
    prices = list(dict.fromkeys(row[0] for row in rows))
    start = f"{best[1]}_{prices.index(best[0])}/"
    own = {k.removeprefix(start): x for k, x in ladder.arrays.items() if k.startswith(start)}
    return ct.Network(own, {"engine": ENGINE, "epochs": 0})


# ---- in both engines -----------------------------------------------------------------------------


def evaluate(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> ct.Trials | None:
    """A network that Brian2 runs; the others were scored where they were trained."""
    if variant not in REPLAYED:
        return None
    own, recipe = of_task(params), _of_lif(params)
    recipe = replace(recipe, n=len(network.arrays["bias"]))
    raster = tasks.raster(own, task)
    choices, _ = answering.answer(recipe, references.shape(own), network.arrays, raster)
    return ct.Trials.of(task, choices, own.trial_ms)


def _of_lif(params: ct.Params) -> Recipe:
    """The largest spiking network of a task: others have fewer units of the same kind."""
    own, tuned = of_task(params), protocol().families[LIF]
    chosen = protocol().chosen_settings[own.experiment][LIF].given
    return references.recipe(own.experiment, LIF, max(tuned[own.experiment].n_hidden), chosen)


def to_brian(params: ct.Params) -> BrianModel:
    """One structure for all sizes."""
    return replaying.to_brian(_of_lif(params), references.shape(of_task(params)), params.max_trials)


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Units that a smaller network lacks are silent."""
    return replaying.bind(_of_lif(params).n, network.arrays)


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Trials:
    """The largest of the readout in the answer."""
    choices = replaying.decide(references.shape(of_task(params)), recording)
    return ct.Trials.of(task, choices, params.trial_ms)
