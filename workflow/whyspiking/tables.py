"""The tidy tables: their columns, the closed list of metrics, reading, writing, checking."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from whyspiking import whole_files
from whyspiking.errors import UserError
from whyspiking.glossary import GLOSSARY

type Table = Any
"""A pandas DataFrame where it is sliced a lot: its annotations make of every selection a union of
all that indexing could give."""

METRICS_COLUMNS = (
    "scale",
    "talk",
    "experiment",
    "variant",
    "seed",
    "engine",
    "perturbation",
    "locus",
    "strength",
    "metric",
    "value",
    "unit",
    "trials",
)
VERDICT_COLUMNS = (
    "claim",
    "talk",
    "role",
    "metric",
    "published",
    "value",
    "low",
    "high",
    "seeds",
    "scale",
    "data",
    "band_low",
    "band_high",
    "control_value",
    "verdict",
)
NUMBER = "%.10g"
"""How numbers are written."""
HISTORY_COLUMNS = ("experiment", "variant", "seed", "epoch", "metric", "value")
ENGINES = ("jax", "compiled", "numpy", "brian2-runtime", "brian2-learning", "brian2")
"""`brian2-learning`: a compiled Brian2 program that learns; `brian2`: the trained network."""


def rows(
    common: Mapping[str, Any], values: Mapping[str, float], trials: int
) -> list[dict[str, Any]]:
    """Rows of the metrics table for several metrics of one condition.

    Args:
        common: The columns scale, talk, experiment, variant, seed, engine, perturbation, locus,
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
            "trials": int(trials),
        }
        for name, value in values.items()
    ]


def check_metrics(table: pd.DataFrame, where: str) -> pd.DataFrame:
    """Check columns, engines and metric names; returns the table with columns in order.

    Raises:
        UserError: If a column is missing or unknown, or a metric or engine is not in the lists.
    """
    missing = [c for c in METRICS_COLUMNS if c not in table.columns]
    extra = [c for c in table.columns if c not in METRICS_COLUMNS]
    if missing or extra:
        raise UserError(
            f"{where}: columns missing {missing}, unknown {extra}; delete the file and rerun"
        )
    unknown = sorted(set(table["metric"]) - set(GLOSSARY))
    if unknown:
        raise UserError(f"{where}: metrics {unknown} are not in tables.GLOSSARY; add them there")
    engines = sorted(set(table["engine"]) - set(ENGINES))
    if engines:
        raise UserError(f"{where}: engines {engines} are not in tables.ENGINES")
    return table[list(METRICS_COLUMNS)]


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
    table = records if isinstance(records, pd.DataFrame) else pd.DataFrame(list(records))
    if table.empty:
        table = pd.DataFrame(columns=list(METRICS_COLUMNS))
    write_csv(check_metrics(table, str(path)), path)


def read_metrics(paths: Iterable[Path | str]) -> pd.DataFrame:
    """Read and check metrics tables and stack them.

    Raises:
        UserError: If a file is unreadable or does not fit the columns.
    """
    parts = []
    for path in paths:
        part = read_csv(Path(path), keep_default_na=False, na_values=["nan"])
        parts.append(check_metrics(part, str(path)))
    filled = [part for part in parts if not part.empty]
    if not filled:
        return pd.DataFrame(columns=list(METRICS_COLUMNS))
    return pd.concat(filled, ignore_index=True)


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write any table as CSV, sealed, whole or not at all."""
    with whole_files.replacing(Path(path), sealed=True) as partial:
        table.to_csv(partial, index=False, float_format=NUMBER, na_rep="nan")


def read_csv(path: Path, **options: Any) -> pd.DataFrame:
    """Read a table that `write_csv` wrote.

    Args:
        path: The file.
        options: For `pandas.read_csv`.

    Raises:
        UserError: If the file is missing, damaged or no table.
    """
    raw = whole_files.read(path)
    try:
        return pd.read_csv(io.BytesIO(raw), **options)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path}: not a readable table ({error}); expected rows of comma-separated values; "
            "delete it and rerun snakemake"
        ) from None
