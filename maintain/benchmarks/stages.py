"""Where the CPU seconds of a run went: `python maintain/benchmarks/stages.py results/default`.

By stage, with what is spent before a job's work begins, from the last lines of the jobs' logs; a
data set that an earlier run has made is not among them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from whyspiking.stages import durations

STAGES = {
    "data": ("fetch", "shard", "gather"),
    "train": ("train",),
    "simulate": ("simulate",),
    "compare": ("collect", "compare"),
    "report": ("page", "slides", "report", "details"),
}
"""Stage -> its rules."""


def by_stage(folder: Path) -> pd.DataFrame:
    """Number of jobs, CPU seconds and those of start-up of each stage of a run.

    Args:
        folder: `results/<scale>`.
    """
    timed = durations.of_jobs(folder)
    stage_of = {rule: stage for stage, rules in STAGES.items() for rule in rules}
    stages = timed.groupby(timed["rule"].map(stage_of))[["cpu_seconds", "startup_seconds"]]
    spent = stages.sum().assign(jobs=stages.size())
    return spent.reindex([stage for stage in STAGES if stage in spent.index])


def main(folder: Path) -> None:
    """Print a line for each stage."""
    spent = by_stage(folder)
    spent.loc["all"] = spent.sum()
    print(f"{'stage':10} {'jobs':>5} {'CPU s':>8} {'start-up s':>11} {'share':>6}")
    for stage, row in spent.iterrows():
        share = row["startup_seconds"] / row["cpu_seconds"] if row["cpu_seconds"] else 0.0
        print(
            f"{stage:10} {row['jobs']:5.0f} {row['cpu_seconds']:8.1f} "
            f"{row['startup_seconds']:11.1f} {share:6.1%}"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results/default"))
