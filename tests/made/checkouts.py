"""Copies of the workflow, and how it is run in them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from made.hangs import limit

ROOT = Path(__file__).parents[2]
PARTS = ("Snakefile", "config", "workflow", "notebooks", "profiles", "docs")


def repository(*patterns: str) -> list[Path]:
    """Files that are in the repository, or would be after `git add`; skips outside of one."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git repository")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def copy_workflow(folder: Path, *more: str) -> Path:
    """Copy the workflow's files, and `more` of the project, into a folder, which may be there."""
    for part in (*PARTS, *more):
        source = ROOT / part
        if source.is_dir():
            left_out = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, folder / part, ignore=left_out)
        else:
            folder.mkdir(exist_ok=True)
            shutil.copy(source, folder / part)
    return folder


def name_template(folder: Path, talk: str) -> Path:
    """Make a talk of the template in a copy; returns the talk's folder."""
    own = folder / "workflow" / "whyspiking" / "talks" / talk
    shutil.copytree(own.with_name("_template"), own)
    notebook = folder / "notebooks" / f"{talk}.ipynb"
    shutil.copy(notebook.with_name("_template.ipynb"), notebook)
    for path in (*own.iterdir(), notebook):
        if path.is_file():
            path.write_text(path.read_text().replace("_template", talk))
    return own


def use_builds(folder: Path, builds: Path) -> None:
    """Have a copy keep its compiled programs where those of the test run are."""
    (folder / "resources").mkdir()
    (folder / "resources" / "build").symlink_to(builds)


def only(folder: Path, talk: str) -> None:
    """Leave one talk in the config of a copy."""
    config = folder / "config" / "config.yaml"
    values = yaml.safe_load(config.read_text(encoding="utf-8"))
    config.write_text(yaml.safe_dump({**values, "talks": [talk], "seeds_of": []}), "utf-8")


def snakemake(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run snakemake in `folder`, with the package that lies there, and capture what it says."""
    paths = [str(folder / "workflow"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=limit(),
        stdin=subprocess.DEVNULL,
    )


def finish(folder: Path, *words: str) -> str:
    """Run snakemake, which must succeed; what it said."""
    done = snakemake(folder, *words)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-8000:]
    return said
