"""How a run was made: how long its jobs took, code, configuration, machine, data."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from whyspiking import arithmetic
from whyspiking.contract.data_folders import used_folders
from whyspiking.declared.registry import FOLDER, PROTOCOL, available, with_protocol
from whyspiking.records import tables, whole_files
from whyspiking.running import machine
from whyspiking.stages import durations


def write(config: Mapping[str, Any], folder: Path, reproduced: str) -> None:
    """Write durations.csv and manifest.json.

    Args:
        config: The run configuration.
        folder: `results/<scale>`.
        reproduced: How many of its numbers are those of the record, in a line.
    """
    # The host may have been slow when the run began.
    unit = machine.of_parts(machine.measure(Path(config["build_folder"])))
    timed = durations.of_jobs(folder)
    # Which of the later jobs have run before says nothing of this run.
    before = timed[~timed["rule"].isin(("compare", "page", "slides", "report"))]
    kinds = durations.of_kinds(before, config["scale"], unit)
    tables.write_csv(kinds, folder / "durations.csv")
    made = manifest(config, timed, unit) | {"reproduced": reproduced}
    whole_files.write(folder / "manifest.json", json.dumps(made, indent=1, sort_keys=True) + "\n")


def manifest(config: Mapping[str, Any], timed: pd.DataFrame, unit: float) -> dict[str, Any]:
    """How a run was made.

    Args:
        config: Its configuration.
        timed: Its jobs, from `durations.of_jobs`.
        unit: Unit of the machine.
    """
    measured = timed[timed["rule"].isin(("train", "simulate"))]
    per_talk = {
        str(talk): {
            "jobs": len(part),
            "wall_seconds": round(float(part["seconds"].sum()), 1),
            "cpu_seconds": round(float(part["cpu_seconds"].sum()), 1),
            "startup_cpu_seconds": round(float(part["startup_seconds"].sum()), 1),
            "max_rss_mb": round(float(part["max_rss_mb"].max()), 1),
        }
        for talk, part in measured.groupby("talk")
    }
    # Of a folder of the user's, that it was given; where it lies is nobody's concern.
    given = {key: x and "given" for key, x in config["data"].items() if key.endswith("_dir")}
    config = {**config, "data": {**config["data"], **given}}
    described = json.dumps(config, sort_keys=True, default=str)
    folder, told = Path(config["data"]["folder"]), ("provenance", "sha256")
    places = (folder / name / "meta.json" for name in sorted(used_folders(config["data"])))
    metas = {p.parent.name: whole_files.read_json(p, *told) for p in places if p.is_file()}
    return {
        "commit": git("rev-parse", "HEAD"),
        "uncommitted_changes": bool(git("status", "--porcelain", "--untracked-files=no")),
        "scale": config["scale"],
        "command": f"snakemake --configfile config/{config['scale']}.yaml"
        if config["scale"] != "default"
        else "snakemake",
        "config": json.loads(described),
        "config_sha256": hashlib.sha256(described.encode()).hexdigest(),
        "protocols": {
            name: hashlib.sha256((FOLDER / name / PROTOCOL).read_bytes()).hexdigest()
            for name in with_protocol(available())
        },
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in machine.VERSIONS_OF},
        "machine": {
            "cpu": machine.processor(),
            "system": platform.system(),
            "arch": platform.machine(),
            "speed_factor": unit,
        },
        "arithmetic": {**arithmetic.described(), "compiler": machine.compiler()},
        "talks": per_talk,
        "data": {name: {key: meta[key] for key in told} for name, meta in metas.items()},
    }


def git(*words: str) -> str | None:
    """Output of a git command; None outside a checkout or without git."""
    try:
        done = subprocess.run(["git", *words], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
