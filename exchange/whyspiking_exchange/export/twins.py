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

from pathlib import Path

from whyspiking.declared import registry
from whyspiking.records import array_files
from whyspiking_exchange.export import networks

TALK, FAMILY = "ground", "twin"


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
    for experiment in registry.load_talk(TALK).experiments.values():
        place = networks.lowest_seed(run / TALK / experiment.name / FAMILY)
        if place and experiment.name.endswith("_trained"):
            written.append(_written(networks.load(place), folder, n))
    return written


def _written(trained: networks.Trained, folder: Path, n: int) -> tuple[str, float]:
    params = trained.params
    arrays, facts, inputs, decided = trained.nir.best_of(params, FAMILY, trained.network, n)
    path = folder / f"{TALK}-{params.experiment.removesuffix('_trained')}-{FAMILY}.npz"
    array_files.save_arrays({**arrays, **networks.events_of(inputs), **decided}, path)
    networks.write_facts({"family": FAMILY, "seed": params.seed, **facts}, path)
    return path.stem, float((decided["choices"] == decided["targets"]).mean())
