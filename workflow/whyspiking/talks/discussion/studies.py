"""Element distinctness for many sizes (README, section 3).

Every network of these experiments is an arm (`arms`) with all its sizes; rows of the metrics table
say by their perturbation which task it was, and by their strength how many units.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.datasets import distinctness
from whyspiking.datasets.distinctness import Settings
from whyspiking.talks.discussion import arms, one_neuron
from whyspiking.talks.discussion.arms import Found, Splits

PLACES: Mapping[str, Mapping[str, Settings]] = {
    "units": {
        "n 3": Settings(3),
        "n 4": Settings(4),
        "n 5": Settings(5),
        "n 6": Settings(6),
        "n 10": Settings(10),
        "n 20": Settings(20),
    },
}
"""Experiment -> what its rows call a task -> the task."""
ENOUGH = 0.95
"""Accuracy from which a network counts as solving its task."""


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Test trials of six inputs: what there is to see, not what is scored."""
    shown = replace(params, values={**params.values, "n_input": 6, "trial_ms": 36.0})
    return one_neuron.make_task(shown, split, streams) if split == "test" else None


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> None:
    """Its networks were scored where they were trained."""


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train one arm on every task, in every size, each on trials shown once."""
    rows: list[list[Any]] = []
    places = PLACES[params.experiment]
    for done, (name, settings) in enumerate(places.items()):
        if name not in params.tasks:
            continue
        data = splits(params, settings, streams)
        found = list(arms.ARMS[variant](params, settings, data, streams))
        rows += rows_of(name, found, params.n_test)
        progress((done + 1) / len(places), f"{name}: {100 * found[-1][1]:.1f} %")
    return ct.Network({}, {"engine": "jax", "epochs": 1, "measured_at": rows})


def splits(params: ct.Params, settings: Settings, streams: Streams) -> Splits:
    """Fresh trials for training, validation and test."""
    name = f"{settings.n}-{settings.window_ms:g}"
    sizes = {"train": params.n_train, "validation": params.n_validation, "test": params.n_test}
    a, b, c = (
        distinctness.draw(settings, n, streams.rng(f"data-{split}-{name}"))
        for split, n in sizes.items()
    )
    return a, b, c


def rows_of(name: str, found: list[Found], trials: int) -> list[list[Any]]:
    """Rows of the metrics table for all sizes of an arm, and the fewest units that are enough."""
    rows = [
        [name, units, {"accuracy": accuracy, "parameters": numbers}, trials]
        for units, accuracy, numbers in found
    ]
    return rows + [[name, 0, {"units_enough": units}, trials] for units in _enough(found)]


def _enough(found: list[Found]) -> Iterator[int]:
    yield from sorted(units for units, accuracy, _ in found if accuracy >= ENOUGH)[:1]
