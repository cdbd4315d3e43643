"""Export trained networks and runs in formats of other tools: `python -m whyspiking.export`.

    python -m whyspiking.export nir results/default
    python -m whyspiking.export nir results/default/goeltz/yinyang/spiking/seed-20 --samples 100
    python -m whyspiking.export crate results/default

Each network becomes a .nir file in `<run>/nir`, or in the folder of `--to`, with a .json file that
describes its inputs and its readout. `docs/exchange.md` lists the networks that can be exported.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from whyspiking.errors import UserError
from whyspiking.records import array_files
from whyspiking.running.jobs import command
from whyspiking_exchange.export import networks
from whyspiking_exchange.nir import NotExpressible


def main(words: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m whyspiking.export", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    kinds = parser.add_subparsers(dest="kind", required=True)
    nir = kinds.add_parser("nir", help="write networks as NIR files for other simulators")
    nir.add_argument("where", type=Path, help="folder of a run, or of one trained network")
    nir.add_argument("--to", type=Path, help="folder for the files [<run>/nir]")
    nir.add_argument(
        "--samples", type=int, default=0, help="number of test trials to add as .npz [0]"
    )
    nir.add_argument("--step-ms", type=float, help="length of a time step in ms [that of the talk]")
    nir.add_argument(
        "--solver",
        choices=("euler", "exact"),
        help="integration method of the simulator that reads the file [euler]",
    )
    nir.add_argument(
        "--one-spike",
        choices=("inhibition", "reset"),
        help="how neurons that fire only once are kept silent after their spike [inhibition]",
    )
    crate = kinds.add_parser(
        "crate", help="describe how a run was made, as a Workflow Run RO-Crate"
    )
    crate.add_argument(
        "where", type=Path, help="folder of a run; the file is written into this folder"
    )
    options = parser.parse_args(words)
    export = _export_networks if options.kind == "nir" else _export_crate
    return command(lambda: export(options))


def _export_networks(options: argparse.Namespace) -> int:
    """Write the networks of a run as NIR files; 1 if the single network asked for has none."""
    single = (options.where / "network.npz").is_file()
    folders = [options.where] if single else networks.find(options.where)
    if not folders:
        raise UserError(
            f"{options.where}: this folder contains no trained spiking network. Name "
            "results/<scale> of a run, or the folder of a network.npz"
        )
    failed = False
    for folder in folders:
        trained = networks.load(folder)
        run = folder.parents[3]
        to = options.to or run / "nir"
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


def _export_crate(options: argparse.Namespace) -> int:
    """Write the crate of a run and print where it is."""
    # Imported here because rocrate takes 0.4 s to load, which `nir` and --help need not wait for.
    from whyspiking_exchange.export import crate

    print(crate.write(options.where))
    return 0


if __name__ == "__main__":
    sys.exit(main())
