"""What holds spiking networks back: CPU time and memory of training, parity of engines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from whyspiking.measures import statistics
from whyspiking.measures.statistics import Interval
from whyspiking.records import columns, tables
from whyspiking.records.tables import Table

PLACE = ["talk", "experiment", "variant"]
SECONDS, RATIO = "train_cpu_seconds", "train_cpu_seconds_ratio"
MEMORY = ("learning_memory", "memory")
"""How the names of metrics about the memory of learning begin."""
OTHER_SIZE = 10
"""A control with a tenth of the synapses, or ten times as many, is not compared."""
LEAST_SECONDS = 0.05
"""A network that another experiment trained takes less than this to copy; of such a variant, though
it be one seed, no time is told."""


def costs(metrics: Table) -> pd.DataFrame:
    """CPU seconds of training, their ratios, and memory of learning.

    Args:
        metrics: Rows of the metrics table, as `described`.

    Returns:
        A table with the columns of `columns.COSTS`; its last row is the median of all ratios.
    """
    ratios = list(training_ratios(metrics))
    rows = [*_means(metrics), *ratios]
    if ratios:
        median = float(np.median([row["value"] for row in ratios]))
        over_all = {"metric": RATIO, "value": median, "unit": "1", "n_seeds": len(ratios)}
        rows.append(dict.fromkeys((*PLACE, "control", "favours_spikes"), "") | over_all)
    return columns.COSTS.table(rows)


def _means(metrics: Table) -> Iterator[dict[str, Any]]:
    """Mean over seeds of what single networks cost."""
    memory = metrics["metric"].str.startswith(MEMORY) & np.isfinite(metrics["value"].astype(float))
    by = ["talk", "experiment", "metric", "variant"]
    for key, part in metrics[memory | _timed(metrics)].groupby(by, sort=False):
        yield {
            **dict(zip(by, key, strict=True)),
            "value": float(part["value"].mean()),
            "unit": str(part["unit"].iloc[0]),
            "control": "",
            "n_seeds": part["seed"].nunique(),
            "favours_spikes": "",
        }


def training_ratios(metrics: Table) -> Iterator[dict[str, Any]]:
    """CPU seconds of training, spiking network over each control without spikes, paired by seed.

    Each control counts once, beside the network that its talk calls `spiking`. Where none is called
    so, networks with spikes are compared with each other. A control of another size is none.
    """
    counted: Table = tables.where(metrics, metric="synapses", perturbation="none")
    sizes = counted.groupby(PLACE)["value"].mean().rename("size")
    rows = metrics[_timed(metrics)].join(sizes, on=PLACE)
    ours, controls = tables.where(rows, variant="spiking"), tables.where(rows, role="control")
    pairs = ours.merge(controls, on=["talk", "experiment", "seed"], suffixes=("", "_other"))
    other = abs(np.log(pairs["size"] / pairs["size_other"])) >= np.log(OTHER_SIZE)
    pairs = pairs.assign(value=pairs["value"] / pairs["value_other"])[~other]
    by = ["rank", "rank_other", *PLACE, "variant_other"]
    for ratio in statistics.over_seeds(pairs, by, "log").to_dict("records"):
        found = Interval(*(ratio[name] for name in ("mean", "ci_low", "ci_high", "n_seeds")))
        yield {
            **{name: ratio[name] for name in (*PLACE, "ci_low", "ci_high", "n_seeds")},
            "control": ratio["variant_other"],
            "metric": RATIO,
            "value": found.mean,
            "unit": "1",
            "favours_spikes": find_side(found),
        }


def find_side(ratio: Interval) -> str:
    """Say whether the whole interval of a ratio of costs lies below 1, which favours spikes.

    Returns:
        "yes", or "no" if the interval lies above 1, or "unclear"; one seed has no interval.
    """
    low, high = ratio.bounds
    if high < 1:
        return "yes"
    return "no" if low > 1 else "unclear"


def _timed(metrics: Table) -> Table:
    """Which rows are times of trainings: of variants that were trained with every seed."""
    seconds = metrics["value"].where(metrics["metric"] == SECONDS)
    return seconds.notna() & (
        seconds.groupby([metrics[name] for name in PLACE]).transform("min") > LEAST_SECONDS
    )


def parity(metrics: Table, limits: Mapping[str, float]) -> pd.DataFrame:
    """Agreement of the training engine with Brian2, per talk: the worst over its networks.

    Returns:
        A table with the columns of `columns.PARITY`; `equal` where both are within the limits,
        and what was not measured does not count.
    """
    measured = tables.where(metrics, perturbation="none", metric=list(limits))
    found = []
    for talk, own in measured.groupby("talk", sort=False):
        least = float(tables.where(own, metric="equal_decisions")["value"].min())
        largest = float(tables.where(own, metric="score_difference")["value"].abs().max())
        found.append(
            {
                "talk": talk,
                "n_networks": len(own[["experiment", "variant", "seed"]].drop_duplicates()),
                "equal_decisions": least,
                "score_difference": largest,
                # What was not measured is nan, and beyond no limit.
                "within_limits": not (
                    least < limits["equal_decisions"] or largest > limits["score_difference"]
                ),
            }
        )
    return columns.PARITY.table(found)
