"""Twins that come with the repository: of each task of the ground one network that sends numbers.

NIR has no node that sends a number where a neuron would fire. So the arrays are written as they
were trained, beside the test trials of `networks.samples` and what the network decides in them:

    networks/ground-<task>-twin.npz      input (line, unit), state (unit, unit), out (unit, class),
                                         bias, log_tau, out_bias; trials, steps, channels, shape,
                                         choices, targets
    networks/ground-<task>-twin.json     its recipe and shape

`training/reference/units.py` has the equations and `run`.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np

from whyspiking.contract import network_files
from whyspiking.contract.randomness import Streams
from whyspiking.contract.trial_subsets import select_task
from whyspiking.declared import registry
from whyspiking.declared.experiments import Experiment
from whyspiking.records import array_files
from whyspiking.talks.ground import references, tasks, trained
from whyspiking.talks.ground.protocol import protocol
from whyspiking.training.reference import answering
from whyspiking_exchange.export import networks

FAMILY = "twin"


def ship(run: Path, folder: Path, n: int) -> list[tuple[str, float]]:
    """Write the twin of each task that decides best on validation data, of the lowest seed.

    Args:
        run: `results/<scale>`.
        folder: Where to.
        n: Test trials.

    Returns:
        Name of each file without its ending, and its share of right decisions in these trials.
    """
    written = []
    for experiment in registry.load_talk("ground").experiments.values():
        found = run.glob(f"ground/{experiment.name}/{FAMILY}/seed-*/network.npz")
        seeds = {int(path.parent.name.removeprefix("seed-")): path.parent for path in found}
        if seeds and experiment.name.endswith(trained.SUFFIX):
            written.append(_written(experiment, min(seeds), seeds[min(seeds)], folder, n))
    return written


def _written(
    experiment: Experiment, seed: int, place: Path, folder: Path, n: int
) -> tuple[str, float]:
    params = trained.of_task(
        registry.params(experiment, networks.config_of(place.parents[3]), seed)
    )
    ladder = network_files.load_network(place)
    chance = protocol().tasks[params.experiment].chance
    network = trained.picked(ladder, chance, trained.REPLAYED["replayed_best"])
    chosen = protocol().chosen[params.experiment][FAMILY].given
    recipe = references.recipe(params.experiment, FAMILY, len(network.arrays["bias"]), chosen)
    shape = references.shape(params)
    task = tasks.make_task(params, "test", Streams(seed))
    assert task is not None
    task = select_task(task, np.arange(n))
    inputs = tasks.raster(params, task)
    choices, _ = answering.answer(recipe, shape, network.arrays, inputs)
    path = folder / f"ground-{params.experiment}-{FAMILY}.npz"
    told = {"choices": choices, "targets": np.asarray(task.targets)}
    array_files.save_arrays({**network.arrays, **networks.events_of(inputs), **told}, path)
    facts = {"family": FAMILY, "seed": seed, "recipe": asdict(recipe), "shape": asdict(shape)}
    networks.write_facts(facts, path)
    return path.stem, float((choices == task.targets).mean())
