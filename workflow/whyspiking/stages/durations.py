"""How long the jobs of a run took, from their logs and what Snakemake timed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from whyspiking.records import columns
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
            rule, *names = log.relative_to(folder / "logs").with_suffix("").parts
            used = {"cpu_seconds": cpu_seconds, "startup_seconds": startup_seconds}
            rows.append(_kind(rule, names) | used | _timed(folder.joinpath(*names)))
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
    table = means.assign(n_jobs=kinds.size(), scale=scale, speed_factor=unit).reset_index()
    return table[columns.DURATIONS.names]


def _kind(rule: str, names: list[str]) -> dict[str, Any]:
    """The kind of job that wrote a log; `logs` holds a folder, or a file, for each rule."""
    of_talk = dict(zip(("talk", "experiment", "variant"), names, strict=False))
    of_data = {"dataset": "".join(names[:1])}  # of its parts, the folder
    return dict.fromkeys(KIND, "") | {"rule": rule} | (of_talk if rule in OF_A_TALK else of_data)


def _timed(folder: Path) -> dict[str, float]:
    """What Snakemake measured of a job of training or simulation."""
    try:
        row = pd.read_csv(folder / "benchmark.tsv", sep="\t", na_values=["-"]).iloc[0]
        return {"seconds": float(row["s"]), "max_rss_mb": float(row["max_rss"])}
    except (OSError, ValueError, KeyError, IndexError):
        return {}
