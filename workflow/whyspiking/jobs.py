"""What every script of the workflow does around its one function call."""

from __future__ import annotations

import os
import re
import resource
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from whyspiking.contract import Progress
from whyspiking.errors import UserError
from whyspiking.progress import reporter

# One job is one thread: the workflow runs as many jobs as there are cores.
SINGLE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
}


@contextmanager
def job(log: str | Path, label: str) -> Iterator[Progress]:
    """Run the body of a script with its output in `log` and its errors told in one line.

    Args:
        log: The job's log file; standard output and error go there.
        label: What the job is, for progress ("goeltz yinyang spiking seed 0").

    Yields:
        A progress function for long computations.
    """
    started = cpu_seconds()
    os.environ.update({k: v for k, v in SINGLE_THREAD.items() if k not in os.environ})
    path = Path(log)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8", buffering=1) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield reporter(path, label)
        except UserError as error:
            print(f"ERROR {label}: {error}", flush=True)
            sys.exit(1)
        except Exception:
            traceback.print_exc()
            print(f"ERROR {label}: unexpected failure; the lines above tell where", flush=True)
            sys.exit(1)
        print(USED.format(total=cpu_seconds(), start=started), flush=True)


USED = "CPU seconds: {total:.2f}, start-up {start:.2f}"
"""Last line of a job's log; `used` reads it."""


def cpu_seconds() -> float:
    """User and system time of this process and of the programs it has run (compilers, Brian2)."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def used(log: Path) -> tuple[float, float]:
    """CPU seconds of a finished job and those of them before its work began, from its log.

    Snakemake's benchmark samples only every half minute and so misses what a short job, or a
    program that a job runs, uses; nan where the log does not say.
    """
    numbers = (float("nan"), float("nan"))
    if log.is_file():
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            if found := re.fullmatch(r"CPU seconds: ([\d.]+), start-up ([\d.]+)", line):
                numbers = float(found[1]), float(found[2])
    return numbers


def wildcard_label(wildcards: Any) -> str:
    """A readable label of a job from its wildcards."""
    names = ("talk", "experiment", "variant", "seed", "dataset")
    parts = [(name, getattr(wildcards, name, None)) for name in names]
    return " ".join(f"seed {v}" if n == "seed" else str(v) for n, v in parts if v is not None)
