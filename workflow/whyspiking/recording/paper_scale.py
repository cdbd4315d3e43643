"""Keep what a finished run at scale paper says of a talk, beside the recorded run at scale full.

    python -m whyspiking.stages.paper_scale clopath

Verdicts go to `results/reference/paper/<talk>.csv`, how they were made and what they cost to
`<talk>.json`; `python -m whyspiking.report.readme` makes docs/paper-scale.md of them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from whyspiking.declared import registry
from whyspiking.errors import UserError
from whyspiking.records import columns, reference, tables, whole_files
from whyspiking.stages import provenance
from whyspiking.recording.record import config_of, write

SCALE = "paper"
KEPT = ("talk", "scale", "commit", "uncommitted_changes", "python", "versions", "machine", "costs")


def keep(
    name: str,
    config: Mapping[str, Any],
    results: Path,
    folder: Path = reference.FOLDER / SCALE,
) -> None:
    """Keep the verdicts of a talk and the cost of its run.

    Args:
        name: Of the talk.
        config: The configuration of the run.
        results: `results/paper`.
        folder: Where to.

    Raises:
        UserError: If the talk is unknown, its run is not finished or is of another scale.
    """
    talk = registry.load_talk(name)
    source = results / name / "verdicts.csv"
    verdicts = tables.read(source, columns.VERDICTS)
    scales = set(verdicts["scale"])
    if scales != {SCALE}:
        raise UserError(
            f"{source}: of scale {', '.join(sorted(scales))}; expected '{SCALE}'; run: snakemake "
            f"{name} --configfile config/{SCALE}.yaml"
        )
    timed, made = provenance.of_talk(talk, config, results)
    told = {key: made[key] for key in KEPT}
    worked = timed[timed["rule"].isin(("train", "simulate"))]
    told["longest_job_cpu_seconds"] = float(worked["cpu_seconds"].max())
    write(folder / f"{name}.csv", whole_files.read(source))
    write(folder / f"{name}.json", f"{json.dumps(told, indent=1, sort_keys=True)}\n".encode())


def main(words: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m whyspiking.stages.paper_scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("talks", nargs="+", metavar="TALK")
    try:
        for name in parser.parse_args(words).talks:
            keep(name, config_of(SCALE), Path("results") / SCALE)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
