"""Rows of the metrics table that nobody measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from whyspiking.records import columns, tables

PLACE = {
    "scale": "default",
    "talk": "goeltz",
    "experiment": "yinyang",
    "variant": "spiking",
    "seed": 0,
    "engine": "brian2",
    "perturbation": "none",
    "location": "",
    "strength": 0.0,
}


def row(values: Mapping[str, float], trials: int = 100_000, **place: Any) -> list[dict[str, Any]]:
    """Metrics of one network at one place; what is not said of it is as in `PLACE`."""
    return tables.rows({**PLACE, **place}, values, trials)


def rows(
    values: Sequence[float], metric: str = "accuracy", trials: int = 100_000, **place: Any
) -> list[dict[str, Any]]:
    """One metric of seeds 0, 1, ..."""
    return [
        one
        for seed, value in enumerate(values)
        for one in row({metric: value}, trials, **{**place, "seed": seed})
    ]


def table(*parts: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """The metrics table of several parts."""
    flat = [one for part in parts for one in part]
    return pd.DataFrame(flat, columns=pd.Index(columns.METRICS.names))
