"""Non-spiking leaky units that come with the repository: one network for each shared task.

NIR has no node that sends a number where a neuron would fire. So the arrays are written as they
were trained, with the test trials of `networks.samples` and the decisions of the network:

    networks/ground-<task>-leaky_units.npz      input (line, unit), state (unit, unit), out
    (unit, class),
                                         bias, log_tau, out_bias; trials, steps, channels, shape,
                                         choices, targets
    networks/ground-<task>-leaky_units.json     its recipe and shape

`training/reference/units.py` has the equations and `run`.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from whyspiking.declared import registry
from whyspiking.records import array_files
from whyspiking.verdicts.points import TRAINED_ON
from whyspiking_exchange.export import networks

TALK, FAMILY = "ground", "leaky_units"


def ship(run: Path, folder: Path, n: int, names: Collection[str] = ()) -> None:
    """Write the non-spiking leaky units with the best validation accuracy of each task.

    They have the lowest seed.

    Args:
        run: `results/<scale>`.
        folder: Where to.
        n: Test trials.
        names: Experiments that alone are asked; empty: all.
    """
    for name, path in list_files(folder).items():
        place = networks.lowest_seed(run / TALK / name / FAMILY)
        if place and (not names or name in names):
            _write(networks.load(place), path, n)


def list_files(folder: Path) -> dict[str, Path]:
    """Experiment with trained references -> the file of its non-spiking leaky units."""
    return {
        name: folder / f"{TALK}-{name.removesuffix(TRAINED_ON)}-{FAMILY}.npz"
        for name in registry.load_talk(TALK).experiments
        if name.endswith(TRAINED_ON)
    }


def _write(trained: networks.Trained, path: Path, n: int) -> None:
    params = trained.params
    arrays, facts, inputs, decided = trained.nir.best_of(params, FAMILY, trained.network, n)
    array_files.save_arrays({**arrays, **networks.events_of(inputs), **decided}, path)
    networks.write_facts({"family": FAMILY, "seed": params.seed, **facts}, path)
