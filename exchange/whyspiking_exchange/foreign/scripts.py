"""What `python -m whyspiking brian` does: from a .nir file to a script of Brian2."""

from __future__ import annotations

import argparse
import math
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from whyspiking.declared import registry, scales
from whyspiking.errors import UserError
from whyspiking.records import array_files, whole_files
from whyspiking_exchange.export import shipped
from whyspiking_exchange.foreign import job, sources
from whyspiking_exchange.foreign.tasks import Setting
from whyspiking_exchange.nir import arranging, script
from whyspiking_exchange.nir.layers import Readout


def brian(asked: argparse.Namespace) -> int:
    """Write the script of a network and, beside it, its weights.

    Raises:
        UserError: If the file cannot be run, an option is wrong, or a file would be overwritten.
    """
    to = asked.to or Path(f"{asked.file.stem}.py")
    weights = to.with_suffix(".weights.npz")
    if to.suffix != ".py":
        raise UserError(f"--to is {to}; expected the name of a script, *.py; correct it")
    if to.stem in {*sys.stdlib_module_names, *metadata.packages_distributions()}:
        raise UserError(
            f"--to is {to}, and Python would load that script in place of its module {to.stem}; "
            "expected a name that differs from all modules. Name another file"
        )
    for path in (to, weights):
        job.new_file(path, asked.force)
    layers = arranging.read(asked.file)
    known = {} if asked.source else _recorded(asked.file)
    if asked.step_ms is None:
        asked.step_ms = known.get("step_ms", 1.0)
    steps = job.steps_of(asked, layers)
    readout = known.get("readout", Readout("count" if layers.gives_spikes else "max"))
    if asked.readout is not None:
        readout = Readout(asked.readout)
    text, arrays = script.script(layers, steps, readout, file=asked.file.name, name=to.name)
    job.warn(sources.implausible_numbers(layers, Setting("", steps, 0, math.inf, (), "")))
    array_files.save_arrays(arrays, weights)
    with whole_files.replacing(to) as partial:
        partial.write_text(text, encoding="utf-8")
    samples = asked.file.with_suffix(".npz") if known else "SAMPLES.npz"
    print(f"{to} was written, with {weights}. To run it, type: python {to} {samples}")
    return 0


def _recorded(file: Path) -> dict[str, Any]:
    """Step and readout of a network that comes with the repository; empty for others."""
    told = job.facts(file)
    talk, experiment = told.get("talk"), told.get("experiment")
    if talk not in registry.available() or told.get("scale") not in list(scales.SCALES):
        return {}
    known = experiment in list(registry.load_talk(talk).experiments)
    if not known or not isinstance(told.get("seed"), int) or not told.get("variant"):
        return {}
    job.config_at(told["scale"])  # refuses another folder than the project's
    trained = shipped.trained_of({**told, "file": str(file)})
    return {"step_ms": trained.clock().step_ms, "readout": trained.readout}
