"""Where the CPU seconds of a run went: `python maintain/benchmarks/stages.py results/default`.

By stage, with what is spent before a job's work begins, from the last lines of the jobs' logs; a
data set that an earlier run has made is not among them. As a part of `run.py` it also
measures what start-up costs.
"""

from __future__ import annotations

# Before numpy: it sets the number of threads.
from timing import Row

# isort: split
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from whyspiking.running.jobs import cpu_seconds
from whyspiking.stages import durations

IMPORTS = {
    "train, a compiled talk": "whyspiking.stages.train, whyspiking.training.first_spike.compiled",
    "train in JAX": "whyspiking.stages.train, whyspiking.training.gradient",
    "simulate": "whyspiking.stages.simulate",
    "simulate, Brian2 itself": "brian2",
    "page": "whyspiking.report.run_page, papermill, nbconvert",
}
"""Job -> what it imports."""
STAGES = {
    "data": ("fetch", "shard", "gather"),
    "train": ("train",),
    "simulate": ("simulate",),
    "compare": ("collect", "compare"),
    "report": ("page", "slides", "report"),
}
"""Stage -> its rules."""


def rows(quick: bool) -> Iterator[Row]:
    """What start-up costs."""
    code = (
        "import importlib, time; t = time.process_time();"
        "[importlib.import_module(n) for n in {!r}.split(', ')]; print(time.process_time() - t)"
    )
    for job, names in IMPORTS.items():
        spent = []
        for _ in range(1 if quick else 3):
            done = subprocess.run(
                [sys.executable, "-c", code.format(names)],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            spent.append(float(done.stdout.split()[-1]))
        yield Row(f"imports of {job}", min(spent), note=names)
    began = cpu_seconds()
    subprocess.run([sys.executable, "-m", "snakemake", "-n"], capture_output=True, check=False)
    seconds = cpu_seconds() - began
    yield Row("start of snakemake, nothing run", seconds, "target", 4.0, 1.0)


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
