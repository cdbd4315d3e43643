"""How long the jobs of a run took, from their logs and what Snakemake timed.

`record` puts those of a finished run into the table of the recorded ones, by which the first
estimate of a later run is made.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from whyspiking.errors import UserError
from whyspiking.records import columns, tables, whole_files
from whyspiking.running import jobs

KIND = ["rule", "talk", "experiment", "variant", "dataset"]
OF_A_TALK = ("train", "simulate", "collect", "page")
"""Rules whose logs lie below the names of talk, experiment and variant; others make data sets."""


def of_jobs(folder: Path) -> pd.DataFrame:
    """Kind, wall seconds, CPU seconds and peak memory (MB) of every job that has ended well.

    CPU seconds are those that the job's log states, programs that it ran included.

    Args:
        folder: `results/<scale>`.
    """
    rows = []
    for log in sorted((folder / "logs").rglob("*.log")):
        cpu_seconds, startup_seconds = jobs.used(log)
        # Durations decide no result: a damaged one is left out, not worth a rerun.
        if cpu_seconds > 0:
            own = {"cpu_seconds": cpu_seconds, "startup_seconds": startup_seconds}
            rows.append({**_kind(log, folder), **own, **_timed(log, folder)})
    numbers = dict.fromkeys(("seconds", "cpu_seconds", "startup_seconds", "max_rss_mb"), float)
    return pd.DataFrame(rows, columns=pd.Index([*KIND, *numbers])).astype(numbers)


def of_kinds(timed: pd.DataFrame, scale: str, unit: float) -> pd.DataFrame:
    """Means over jobs of a kind, from which the progress display estimates.

    Args:
        timed: From `of_jobs`.
        scale: Scale of the run.
        unit: Unit of the machine it was made on (`running.machine`).
    """
    kinds = timed.groupby(KIND)
    means = kinds[["seconds", "cpu_seconds"]].mean().round(1)
    table = means.assign(jobs=kinds.size(), scale=scale, unit=unit).reset_index()
    return table[columns.DURATIONS.names]


def record(run: Path, recorded: Path) -> None:
    """Put the durations of a finished run into a table, in place of those of its scale.

    Args:
        run: `results/<scale>`.
        recorded: The table, durations.csv; made if it is not there.

    Raises:
        UserError: If the run is not finished, or does not tell the unit of its machine.
    """
    manifest = whole_files.read_json(run / "manifest.json", "scale", "machine")
    scale, unit = manifest["scale"], manifest["machine"].get("unit")
    if unit is None:
        raise UserError(
            f"{run / 'manifest.json'}: machine.unit is missing; expected a run of this version; "
            "delete the file and rerun snakemake"
        )
    table = of_kinds(of_jobs(run), scale, unit)
    if recorded.is_file():
        others = tables.read(recorded, columns.DURATIONS)
        table = pd.concat([others[others["scale"] != scale], table])
    tables.write_csv(table.sort_values(["scale", *KIND], kind="stable"), recorded)


def _kind(log: Path, folder: Path) -> dict[str, str]:
    """The kind of job that wrote a log; `logs` holds a folder, or a file, for each rule."""
    rule, *names = log.relative_to(folder / "logs").with_suffix("").parts
    kind = {**dict.fromkeys(KIND, ""), "rule": rule}
    if rule in OF_A_TALK:
        kind |= dict(zip(("talk", "experiment", "variant"), names, strict=False))
    elif names:
        kind["dataset"] = names[0]  # of its parts, the folder
    return kind


def _timed(log: Path, folder: Path) -> dict[str, float]:
    """What Snakemake measured of a job of training or simulation."""
    _, *names = log.relative_to(folder / "logs").with_suffix("").parts
    path = folder.joinpath(*names, "benchmark.tsv")
    try:
        row = pd.read_csv(path, sep="\t", na_values=["-"]).iloc[0]
        return {"seconds": float(row["s"]), "max_rss_mb": float(row["max_rss"])}
    except (OSError, ValueError, KeyError, IndexError):
        return {}
