"""The axes of "why spiking?": one contrast per talk, experiment and axis, with its interval.

The contrasts are listed in the config; a sentence of the report is a template filled from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whyspiking.measures import statistics
from whyspiking.measures.statistics import Interval, Transform
from whyspiking.records import columns, tables
from whyspiking.records.glossary import GLOSSARY
from whyspiking.records.tables import Table

PLACE = ["talk", "experiment", "variant", "engine", "perturbation", "locus"]
SAME = ["talk", "experiment", "perturbation", "locus"]
"""In what both sides of a difference agree, unless `versus` says otherwise."""
FAVOURS, AGAINST, UNCLEAR = "yes", "no", "unclear"


def contrasts(metrics: pd.DataFrame, config: Mapping[str, Any]) -> pd.DataFrame:
    """Effect and interval of every axis in every experiment where it was measured.

    Args:
        metrics: Rows of the metrics table, all talks.
        config: The run configuration; `axes` lists the contrasts: axis, measure, level, metric,
            where, versus (subtracted, paired by seed), neutral, better, transform, says.

    Returns:
        A table with the columns of `columns.AXES`. `favours_spikes` says on which side of `neutral`
        the whole interval lies; with one seed, or an interval over the null, it is "unclear".
    """
    counted = tables.where(metrics, metric="synapses", perturbation="none")
    synapses = counted.groupby(["talk", "experiment", "variant"])["value"].mean().astype(float)
    return columns.AXES.table(
        row for entry in config["axes"] for row in _rows(metrics, entry, synapses)
    )


def _rows(metrics: Table, entry: Mapping[str, Any], synapses: Table) -> Iterator[dict[str, Any]]:
    """A row per place where a contrast was measured; sizes by talk, experiment and variant."""
    ratio, values = entry["transform"] == "log", _per_seed(metrics, entry, "where", PLACE)
    if entry.get("versus"):
        others = _per_seed(metrics, entry, "versus", SAME).rename("other")
        pairs = values.reset_index().merge(others.reset_index(), on=[*SAME, "seed"])
        if ratio:
            pairs = pairs[(pairs["value"] > 0) & (pairs["other"] > 0)]
        pairs = pairs.set_index([*PLACE, "seed"])
        values = pairs["value"] / pairs["other"] if ratio else pairs["value"] - pairs["other"]
    null = np.nan if entry["neutral"] is None else float(entry["neutral"])
    for place, own in values.groupby(PLACE):
        told = dict(zip(PLACE, place, strict=True))
        # The locus names the control.
        names = told["variant"], told["locus"].rpartition("/")[2]
        ours, theirs = (synapses.get((*place[:2], name), np.nan) for name in names)
        estimate = _interval(own.to_numpy(), entry["transform"])
        yield {
            **{key: entry[key] for key in ("axis", "measure", "level", "metric", "better", "says")},
            **{key: told[key] for key in ("talk", "experiment", "perturbation", "locus")},
            **{"effect": estimate.mean, "low": estimate.low, "high": estimate.high},
            "seeds": estimate.seeds,
            "unit": "1" if ratio and entry.get("versus") else GLOSSARY[entry["metric"]].unit,
            "neutral": null,
            "favours_spikes": favoured(entry["better"], estimate, null),
            "size": ours / theirs if theirs > 0 else np.nan,
        }


def _per_seed(metrics: Table, entry: Mapping[str, Any], side: str, by: list[str]) -> Table:
    """Value by place and seed, averaged over strengths where several fit."""
    chosen = tables.where(metrics, metric=entry["metric"], **entry[side]).dropna(subset=["value"])
    return chosen.astype({"value": float}).groupby([*by, "seed"])["value"].mean()


def _interval(values: NDArray[np.float64], transform: Transform) -> Interval:
    """Without limits where a value is not finite, or has no logarithm."""
    if not np.isfinite(values).all() or (transform == "log" and (values <= 0).any()):
        return Interval(float(np.median(values)), np.nan, np.nan, values.size)
    return statistics.interval(values, transform)


def favoured(better: str, estimate: Interval, null: float) -> str:
    """Whether a whole interval lies on the side of its null that favours spikes.

    Args:
        better: The side that favours spikes, `larger` or `smaller`.
        estimate: The interval; without limits it is unclear.
        null: The value that says "no effect"; nan where there is none.
    """
    low, high = estimate.bounds
    if low > null:
        return FAVOURS if better == "larger" else AGAINST
    if high < null:
        return AGAINST if better == "larger" else FAVOURS
    return UNCLEAR
