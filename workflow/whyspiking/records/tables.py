"""The tidy tables: their columns, the closed list of metrics, reading, writing, checking."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from whyspiking.errors import UserError
from whyspiking.records import whole_files
from whyspiking.records.glossary import GLOSSARY
from whyspiking.records.metrics_columns import METRICS
from whyspiking.records.table_schema import TableSchema

type Table = Any
"""A pandas DataFrame where it is sliced a lot: its annotations make of every selection a union of
all that indexing could give."""

PACKED = ".gz"
"""Suffix of a compressed table; pandas reads it as it reads any."""
LARGEST_BYTES = 2_000_000_000
"""Of a table, unpacked: a small file from elsewhere must not fill the memory."""
NUMBER = "%.10g"
"""How numbers are written."""
ENGINES = ("jax", "compiled", "numpy", "brian2-runtime", "brian2-learning", "brian2")
"""`brian2-learning`: a compiled Brian2 program that learns; `brian2`: the trained network."""


def rows(
    common: Mapping[str, Any], values: Mapping[str, float], trials: int
) -> list[dict[str, Any]]:
    """Rows of the metrics table for several metrics of one condition.

    Args:
        common: The columns scale, talk, experiment, variant, seed, engine, perturbation, location,
            strength.
        values: Metric name -> value; each name must be in `GLOSSARY`.
        trials: Number of trials behind the values.

    Raises:
        KeyError: If a metric is not in the glossary.
    """
    return [
        {
            **common,
            "metric": name,
            "value": float(value),
            "unit": GLOSSARY[name].unit,
            "n_trials": int(trials),
        }
        for name, value in values.items()
    ]


def check(table: pd.DataFrame, schema: TableSchema, where: str) -> pd.DataFrame:
    """Check the columns of a table; returns it with its columns in order.

    Raises:
        UserError: If a column is missing or unknown.
    """
    missing = [name for name in schema.names if name not in table.columns]
    extra = [name for name in table.columns if name not in schema.names]
    if missing or extra:
        raise UserError(
            f"{where}: the table has missing columns {missing} and unknown columns {extra}. "
            "Delete the file and rerun snakemake"
        )
    return table[schema.names]


def check_metrics(table: pd.DataFrame, where: str) -> pd.DataFrame:
    """Check columns, engines and metric names; returns the table with columns in order.

    Raises:
        UserError: If a column is missing or unknown, or a metric or engine is not in the lists.
    """
    table = check(table, METRICS, where)
    unknown = sorted(set(table["metric"]) - set(GLOSSARY))
    if unknown:
        raise UserError(
            f"{where}: the metrics {unknown} are not in records/glossary.py. Add them there"
        )
    engines = sorted(set(table["engine"]) - set(ENGINES))
    if engines:
        raise UserError(f"{where}: the engines {engines} are not in tables.ENGINES. Add them there")
    return table


def where(table: pd.DataFrame, **places: Any) -> pd.DataFrame:
    """The rows whose columns have the given values (a list: any of them; strength: nearly)."""
    mask = np.ones(len(table), bool)
    for column, value in places.items():
        if column == "strength":
            mask &= np.isclose(table[column].astype(float).to_numpy(), float(value))
        else:
            mask &= table[column].isin(value if isinstance(value, list) else [value]).to_numpy(bool)
    return cast("pd.DataFrame", table.loc[mask])


def write_metrics(records: Iterable[Mapping[str, Any]] | pd.DataFrame, path: Path) -> None:
    """Write a checked metrics table as CSV, whole or not at all."""
    table = records if isinstance(records, pd.DataFrame) else METRICS.table(records)
    write_csv(check_metrics(table, str(path)), path)


def read_metrics(paths: Iterable[Path | str]) -> pd.DataFrame:
    """Read and check metrics tables and stack them.

    Raises:
        UserError: If a file is unreadable or does not fit the columns.
    """
    parts = [check_metrics(read(Path(path), METRICS), str(path)) for path in paths]
    filled = [part for part in parts if not part.empty]
    return pd.concat(filled, ignore_index=True) if filled else METRICS.table([])


def stacked(parts: Sequence[Table]) -> Table:
    """Tables with the same columns, at least one, as one table below each other."""
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write any table as CSV, sealed, whole or not at all; compressed where its name says so."""
    with whole_files.replacing(Path(path), sealed=True) as partial:
        if Path(path).suffix != PACKED:
            table.to_csv(partial, index=False, float_format=NUMBER, na_rep="")
            return
        text = table.to_csv(index=False, float_format=NUMBER, na_rep="")
        # The same bytes whenever the same table is written: without a name and a time.
        partial.write_bytes(gzip.compress(text.encode(), mtime=0))


def append(table: pd.DataFrame, path: Path) -> None:
    """Add rows to a table by one write, which no other process cuts in two."""
    text = table.to_csv(index=False, header=not path.exists(), float_format=NUMBER)
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def lying(path: Path) -> Path:
    """A table's file as it lies there: itself, or compressed, as the record has its largest."""
    packed = path.with_name(path.name + PACKED)
    return packed if packed.is_file() and not path.is_file() else path


def header(path: Path) -> list[str]:
    """Names of the columns of a table.

    Raises:
        OSError: If it cannot be read.
    """
    found = lying(path)
    opened = gzip.open if found.suffix == PACKED else open
    with opened(found, "rt", encoding="utf-8") as file:
        return str(file.readline()).rstrip("\r\n").split(",")


def read(path: Path, schema: TableSchema, *, other: bool = False) -> Table:
    """Read a table that `write_csv` wrote; missing words are empty, missing numbers nan.

    Args:
        path: The table; it may lie there compressed.
        schema: Its columns.
        other: It may have been written with other columns: those that it lacks are empty, those
            that are not known are left out.

    Raises:
        UserError: If the file is missing, damaged, or does not fit the columns and their types.
    """
    found = lying(path)
    raw = whole_files.read(found)
    words = schema.of_kind("string")
    kinds = {"integer": "int64", "number": "float64", "string": "str"}
    types = {column.name: kinds[column.kind] for column in schema.columns if column.kind in kinds}
    try:
        if found.suffix == PACKED:
            with gzip.open(io.BytesIO(raw)) as file:
                raw = file.read(LARGEST_BYTES + 1)
            if len(raw) > LARGEST_BYTES:
                raise ValueError(f"more than {LARGEST_BYTES} bytes")
        table = pd.read_csv(
            io.BytesIO(raw), dtype=cast("Any", types), keep_default_na=False, na_values=["", "nan"]
        )
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise UserError(
            f"{found}: this file is not a readable table ({error}); expected rows of "
            "comma-separated values. Delete it and rerun snakemake"
        ) from None
    if other:
        table = table.assign(**dict.fromkeys(set(words) - set(table), ""))
        table = table.reindex(columns=schema.names)
    table = check(table, schema, str(path)).copy()
    table[words] = table[words].fillna("")
    return table
