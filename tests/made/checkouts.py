"""Copies of the workflow, and how it is run in them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = ("Snakefile", "config", "workflow", "notebooks", "environment.yml", "profiles", "results")


def snakemake(folder: Path, *words: str, timeout: float = 600) -> subprocess.CompletedProcess[str]:
    """Run snakemake in `folder`, with the package that lies there, and capture what it says."""
    paths = [str(folder / "workflow"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
    )


def copy_workflow(folder: Path) -> Path:
    """Copy the workflow's files into `folder`, without results."""
    for part in PARTS:
        source = ROOT / part
        if not source.is_dir():
            shutil.copy(source, folder / part)
        elif part == "results":
            (folder / part).mkdir()
        else:
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    return folder
