"""Write what was trained here in formats that other tools read: `python -m whyspiking.export`.

    python -m whyspiking.export nir results/default
    python -m whyspiking.export nir results/default/goeltz/yinyang/spiking/seed-20 --samples 100
    python -m whyspiking.export nirdata results/default/nir/goeltz-yinyang-spiking-seed-20.npz
    python -m whyspiking.export neurobench results/default
    python -m whyspiking.export nmnist resources/data/nmnist-... --to FOLDER
    python -m whyspiking.export crate results/default

Each network becomes a .nir file in `<run>/nir`, or in the folder of `--to`, with a .json that says
how it is fed and read. `docs/exchange.md` tells what can be expressed.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from whyspiking.errors import UserError
from whyspiking.records import array_files
from whyspiking.running.jobs import command
from whyspiking_exchange.export import networks
from whyspiking_exchange.nir import NotExpressible

EXPORTED = "nir"
"""Folder beside a run's tables that receives exported networks."""


def main(words: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m whyspiking.export", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    kinds = parser.add_subparsers(dest="kind", required=True)
    nir = kinds.add_parser("nir", help="networks, for other simulators")
    nir.add_argument("where", type=Path, help="folder of a run, or of one trained network")
    nir.add_argument("--to", type=Path, help="folder for the files [<run>/nir]")
    nir.add_argument("--samples", type=int, default=0, help="test trials to add as .npz [0]")
    nir.add_argument("--step-ms", type=float, help="length of a step [that of the talk]")
    nir.add_argument("--solver", choices=("euler", "exact"), help="what the reader does [euler]")
    nir.add_argument(
        "--one-spike",
        choices=("inhibition", "reset"),
        help="how neurons that fire once are kept silent [inhibition]",
    )
    data = kinds.add_parser("nirdata", help="input spikes of samples as NIRData")
    data.add_argument("where", type=Path, help="samples of a network, .npz; the .h5 goes beside it")
    bench = kinds.add_parser("neurobench", help="metrics under the names of NeuroBench")
    bench.add_argument("where", type=Path, help="folder of a run; neurobench.json goes there")
    events = kinds.add_parser("nmnist", help="test digits of the event camera as N-MNIST files")
    events.add_argument("where", type=Path, help="folder of the data set")
    events.add_argument("--to", type=Path, required=True, help="folder for the files")
    crate = kinds.add_parser("crate", help="how a run was made, as a Workflow Run RO-Crate")
    crate.add_argument("where", type=Path, help="folder of a run; the file goes to this folder")
    options = parser.parse_args(words)
    return command(lambda: _nir(options) if options.kind == "nir" else _others(options))


def _nir(options: argparse.Namespace) -> int:
    single = (options.where / "network.npz").is_file()
    folders = [options.where] if single else networks.find(options.where)
    if not folders:
        raise UserError(
            f"{options.where}: no trained spiking network is there; name results/<scale> of a run, "
            "or the folder of a network.npz"
        )
    failed = False
    for folder in folders:
        trained = networks.load(folder)
        run = folder.parents[3]
        to = options.to or run / EXPORTED
        path = to / ("-".join(folder.relative_to(run).parts) + ".nir")
        try:
            clock = trained.clock(
                step_ms=options.step_ms, solver=options.solver, one_spike=options.one_spike
            )
            networks.export(trained, clock, path)
            if options.samples:
                trials = networks.samples(trained, clock, options.samples)
                array_files.save_arrays(trials, path.with_suffix(".npz"))
            print(f"{folder}  {path}")
        except NotExpressible as reason:
            failed = single
            print(f"{folder}  not exported: {reason}")
    return int(failed)


def _others(options: argparse.Namespace) -> int:
    """What is not `nir`; each loads its module only when it is chosen."""
    if options.kind == "nmnist":
        from whyspiking_exchange.export.events import write_nmnist

        done = f"{write_nmnist(options.where, options.to)} recordings in {options.to}"
    else:
        module = importlib.import_module(f"whyspiking_exchange.export.{options.kind}")
        done = module.write(options.where)
    print(done)
    return 0


if __name__ == "__main__":
    sys.exit(main())
