"""The recorded results: `results/reference`, committed for readers who run nothing.

A folder per talk holds its tables and a manifest.json that says how they were made; beside them lie
the joint tables, computed from these. `make record` writes all of it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from whyspiking.errors import UserError
from whyspiking.records import tables
from whyspiking.records.columns import (
    OF_A_RUN,
    OF_A_TALK,
    OF_THE_REFERENCE,
)
from whyspiking.records.table_schema import TableSchema

FOLDER = Path("results/reference")
SCALE = "full"
"""Scale of the run that made the reference results."""
FORMAT = 1
"""Format of a talk's manifest; another one is refused."""
TABLES = {file: schema for file, schema in OF_A_TALK.items() if file != "history.csv"}
"""What is recorded of a talk: all but training curves, which are as large as everything else."""
REMEDY = (
    "restore the reference results of this version (git checkout -- results/reference), or "
    "compute them again (make record)"
)


def table(path: Path, schema: TableSchema) -> pd.DataFrame:
    """One recorded table.

    Raises:
        UserError: If it is not there, or another version of this project recorded it.
    """
    _check_columns(path, schema)
    return tables.read(path, schema)


def recorded(folder: Path = FOLDER) -> list[str]:
    """Names of the recorded talks."""
    return sorted(path.parent.name for path in folder.glob("*/manifest.json"))


def manifest(folder: Path) -> dict[str, Any]:
    """How the tables of one talk were made.

    Args:
        folder: `results/reference/<talk>`.

    Raises:
        UserError: If it is not there, or another version of this project wrote it.
    """
    path = folder / "manifest.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        said = (
            f"these reference results are of another version, with format {content.get('format')}"
        )
    except (OSError, ValueError, AttributeError) as error:
        content, said = {}, f"not readable ({error})"
    if content.get("format") != FORMAT:
        raise UserError(f"{path}: {said}; expected a manifest of format {FORMAT}; {REMEDY}")
    return content


def list_shown_files(folder: Path = FOLDER) -> list[Path]:
    """List the files that every report shows, whether or not the run is compared with them."""
    shown = (
        "discussion/neuron.json",
        "ground/watched.json",
        "networks.csv",
        "networks/goeltz-yinyang.*",
        "repetition.json",
        "retired.csv",
        "frontiers.csv",
        "advantage.csv",
    )
    return sorted(path for name in shown for path in folder.glob(name))


def check(folder: Path = FOLDER) -> None:
    """Refuse a reference that another version recorded.

    Raises:
        UserError: Naming the first file that is missing or does not fit, and the remedy.
    """
    for talk in recorded(folder):
        manifest(folder / talk)
        for file, schema in TABLES.items():
            _check_columns(folder / talk / file, schema)
    for file, schema in {**OF_A_RUN, **OF_THE_REFERENCE}.items():
        if (folder / file).is_file():
            _check_columns(folder / file, schema)


def _check_columns(path: Path, schema: TableSchema) -> None:
    path = tables.lying(path)
    try:
        header = tables.header(path)
    except OSError as error:
        raise UserError(
            f"{path}: the file cannot be read ({error.strerror}); expected a table of the "
            f"reference results; {REMEDY}"
        ) from None
    missing = [name for name in schema.names if name not in header]
    unknown = [name for name in header if name not in schema.names]
    if missing or unknown:
        raise UserError(
            f"{path}: these reference results are of another version: missing columns {missing}, "
            f"unknown columns {unknown}; expected {', '.join(schema.names)}; {REMEDY}"
        )
