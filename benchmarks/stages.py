"""Where the time of a whole run went, by stage, and what its start-up costs.

Read from a finished run in `results/default` (or the folder named): the records that Snakemake
keeps of its jobs, and the CPU seconds in the manifest. Cluster jobs record their waiting too.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from timing import Row

PART = "stages"
IMPORTS = {
    "train, a compiled talk": "whyspiking.stages.train, whyspiking.training.first_spike.compiled",
    "train in JAX": "whyspiking.stages.train, whyspiking.training.gradient",
    "simulate": "whyspiking.stages.simulate",
    "simulate, Brian2 itself": "brian2",
    "page": "whyspiking.report.run_page, papermill, nbconvert",
}
"""Job -> what it imports."""
STAGES = {
    "data": ("fetch", "speak", "gather", "record", "catalogue"),
    "train": ("train",),
    "simulate": ("simulate",),
    "compare": ("collect", "compare"),
    "report": ("page", "report"),
}
"""Stage -> its rules."""


def rows(quick: bool, folder: Path = Path("results/default")) -> Iterator[Row]:
    """Start-up, then the stages of the run in a folder, if there is one."""
    yield from _imports(1 if quick else 3)
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "snakemake", "-n"], capture_output=True, check=False)
    yield Row(
        PART, "start of snakemake, nothing run", time.perf_counter() - began, "target", 4.0, 1.0,
        "wall-clock time",
    )  # fmt: skip
    yield from _stages(folder)


def _imports(repeats: int) -> Iterator[Row]:
    code = (
        "import importlib, time; t = time.process_time();"
        "[importlib.import_module(n) for n in {!r}.split(', ')]; print(time.process_time() - t)"
    )
    for job, names in IMPORTS.items():
        found = []
        for _ in range(repeats):
            done = subprocess.run(
                [sys.executable, "-c", code.format(names)],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            found.append(float(done.stdout.split()[-1]))
        yield Row(PART, f"imports of {job}", min(found), note=names)


def _stages(folder: Path) -> Iterator[Row]:
    records = _records(folder)
    if records.empty:
        yield Row(PART, f"no finished run in {folder}", float("nan"), note="stages left out")
        return
    total = records["seconds"].sum()
    wall = records["end"].max() - records["start"].min()
    for stage, rules in STAGES.items():
        part = records[records["rule"].isin(rules)]
        yield Row(
            PART, f"{folder}: {stage}", float(part["seconds"].sum()), "all jobs", float(total),
            note=f"{len(part)} jobs, wall-clock seconds summed over jobs",
        )  # fmt: skip
    yield Row(
        PART, f"{folder}: from the first start to the last end", float(wall), "all jobs",
        float(total), note="wall-clock time; breaks between runs count",
    )  # fmt: skip
    yield from _share_of_start_up(folder)


def _share_of_start_up(folder: Path) -> Iterator[Row]:
    """CPU seconds of jobs before they begin their work, as the run recorded them."""
    manifest = folder / "manifest.json"
    if manifest.is_file():
        talks = json.loads(manifest.read_text(encoding="utf-8"))["talks"].values()
        yield Row(
            PART, f"{folder}: training and simulation, before the work begins",
            sum(talk["startup_cpu_seconds"] for talk in talks),
            "their CPU seconds", sum(talk["cpu_seconds"] for talk in talks),
            note="start and first imports; what a talk imports, JAX for one, comes later",
        )  # fmt: skip


def _records(folder: Path) -> pd.DataFrame:
    """Rule, start and end of every job that made a file of a run, from Snakemake's records."""
    found = {}
    for path in Path(".snakemake/metadata").rglob("*"):
        if not path.is_file():
            continue
        try:
            # Long names of files are cut into folders.
            name = base64.b64decode("".join(path.parts[2:]).replace("@", "")).decode()
            record = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, UnicodeDecodeError):
            continue
        ours = name.startswith((f"{folder}/", "resources/"))
        if ours and record.get("endtime") and record.get("starttime"):
            start, end = record["starttime"], record["endtime"]
            # One job makes several files, and each has a record; they share the log.
            key = (record["rule"], *record["log"])
            found[key] = (record["rule"], start, end, end - start)
    return pd.DataFrame(list(found.values()), columns=["rule", "start", "end", "seconds"])
