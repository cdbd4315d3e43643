"""The axes of "why spiking?": one contrast per talk, experiment and axis, with its interval.

The contrasts are listed in the config; a sentence of the report is a template filled from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from whyspiking.errors import UserError
from whyspiking.measures import statistics
from whyspiking.measures.statistics import Interval
from whyspiking.records import columns, tables
from whyspiking.records.glossary import GLOSSARY

PLACE_COLUMNS = ("talk", "experiment", "variant", "engine", "perturbation", "locus")
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

    Raises:
        UserError: If a contrast names a metric that is not in the glossary.
    """
    rows: list[dict[str, Any]] = []
    synapses = _synapses(metrics)
    for entry in config["axes"]:
        if entry["metric"] not in GLOSSARY:
            raise UserError(
                f"config: 'axes' uses metric '{entry['metric']}'; expected one of "
                "records/glossary.py; correct it"
            )
        chosen = _matching(metrics, entry["metric"], entry["where"])
        for place in _places(chosen):
            estimate = _effect(metrics, entry, tables.where(chosen, **place), place)
            if estimate is not None:
                rows.append(_row(entry, place, estimate) | {"size": _size(synapses, place)})
    return columns.AXES.table(rows)


def _synapses(metrics: pd.DataFrame) -> Mapping[tuple[str, str, str], float]:
    """Talk, experiment and variant -> synapses, mean over seeds."""
    counted = tables.where(metrics, metric="synapses", perturbation="none")
    means = counted.groupby(["talk", "experiment", "variant"], as_index=False)["value"].mean()
    named = zip(means["talk"], means["experiment"], means["variant"], strict=True)
    return dict(zip(named, means["value"].astype(float), strict=True))


def _size(synapses: Mapping[tuple[str, str, str], float], place: Mapping[str, str]) -> float:
    """How many times the synapses of the control, which the locus names, the network has."""
    control = place["locus"].rpartition("/")[2]
    ours, theirs = (
        synapses.get((place["talk"], place["experiment"], name), np.nan)
        for name in (place["variant"], control)
    )
    return ours / theirs if theirs > 0 else np.nan


def _matching(metrics: pd.DataFrame, metric: str, where: Mapping[str, Any]) -> pd.DataFrame:
    chosen = tables.where(metrics, metric=metric, **where)
    return tables.where(chosen.assign(known=chosen["value"].notna()), known=True)


def _effect(
    metrics: pd.DataFrame, entry: Mapping[str, Any], part: pd.DataFrame, place: Mapping[str, str]
) -> Interval | None:
    """Interval of one contrast; None if the other side of a difference was not measured."""
    ours = _by_seed(part)
    values = np.array(list(ours.values()))
    if entry.get("versus"):
        same = {key: place[key] for key in ("talk", "experiment", "perturbation", "locus")}
        theirs = _by_seed(_matching(metrics, entry["metric"], {**same, **entry["versus"]}))
        values = statistics.compared(ours, theirs, ratio=entry["transform"] == "log")
    if values.size == 0:
        return None
    if not np.isfinite(values).all() or (entry["transform"] == "log" and (values <= 0).any()):
        return Interval(float(np.median(values)), np.nan, np.nan, values.size)
    return statistics.interval(values, entry["transform"])


def _by_seed(table: pd.DataFrame) -> dict[int, float]:
    """Seed -> value, averaged over strengths where several fit; in the order of the seeds."""
    seeds, values = table["seed"].astype(int).to_numpy(), table["value"].astype(float).to_numpy()
    return {int(seed): float(values[seeds == seed].mean()) for seed in np.unique(seeds)}


def _places(table: pd.DataFrame) -> list[dict[str, str]]:
    """The distinct combinations of `PLACE_COLUMNS`, sorted."""
    named = [table[column].astype(str) for column in PLACE_COLUMNS]
    return [
        dict(zip(PLACE_COLUMNS, key, strict=True)) for key in sorted(set(zip(*named, strict=True)))
    ]


def _row(entry: Mapping[str, Any], place: Mapping[str, str], estimate: Interval) -> dict[str, Any]:
    ratio = entry["transform"] == "log"
    null = np.nan if entry["neutral"] is None else float(entry["neutral"])
    declared = ("axis", "measure", "level", "metric", "better", "says")
    keys = {key: entry[key] for key in declared} | {
        key: place[key] for key in ("talk", "experiment", "perturbation", "locus")
    }
    limits = {
        "effect": estimate.mean,
        "low": estimate.low,
        "high": estimate.high,
        "seeds": estimate.seeds,
    }
    unit = "1" if ratio and entry.get("versus") else GLOSSARY[entry["metric"]].unit
    side = favoured(entry["better"], estimate, null)
    return {**keys, **limits, "unit": unit, "neutral": null, "favours_spikes": side}


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
