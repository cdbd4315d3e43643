"""Keep what a finished run at scale paper says of a talk, beside the recorded run at scale full.

Verdicts go to `results/reference/paper/<talk>.csv`, how they were made and what they cost to
`<talk>.json`, what its kinds of jobs took to `durations.csv`; pages say where verdicts differ.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from whyspiking.declared import registry
from whyspiking.errors import UserError
from whyspiking.records import columns, reference, tables, whole_files
from whyspiking.stages import durations
from whyspiking_maintain import record
from whyspiking_maintain.inputs import config_of, write

SCALE = "paper"
KEPT = ("talk", "scale", "commit", "uncommitted_changes", "python", "versions", "machine", "costs")


def keep(
    name: str,
    config: Mapping[str, Any] | None = None,
    results: Path = Path("results") / SCALE,
    folder: Path = reference.FOLDER / SCALE,
) -> None:
    """Keep the verdicts of a talk and the cost of its run.

    Args:
        name: Of the talk.
        config: The configuration of the run; None: that of the files in `config/`.
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
            f"{source}: this run has scale {', '.join(sorted(scales))}; expected scale '{SCALE}'. "
            f"Run: snakemake {name} --configfile config/{SCALE}.yaml"
        )
    timed, made = record.of_talk(talk, config or config_of(SCALE), results)
    kept = {key: made[key] for key in KEPT}
    worked = timed[timed["rule"].isin(("train", "simulate"))]
    kept["longest_job_cpu_seconds"] = float(worked["cpu_seconds"].max())
    known = reference.table(folder.parent / "durations.csv", columns.DURATIONS)
    own = (known["scale"] == SCALE) & (known["talk"] == name)
    whole = pd.concat([known[~own], timed]).sort_values(["scale", *durations.KIND], kind="stable")
    record.write_csv(whole, folder.parent / "durations.csv")
    write(folder / f"{name}.csv", whole_files.read(source))
    write(folder / f"{name}.json", f"{json.dumps(kept, indent=1, sort_keys=True)}\n".encode())
