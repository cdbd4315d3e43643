"""What holds spiking networks back: CPU time and memory of training, parity of engines."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from whyspiking.declared.registry import Talk
from whyspiking.declared.variants import Variant
from whyspiking.measures import statistics
from whyspiking.records import columns, tables
from whyspiking.records.tables import Table
from whyspiking.verdicts.axes import favoured

SECONDS, RATIO = "train_cpu_seconds", "train_cpu_seconds_ratio"
MEMORY = ("learning_memory", "memory")
"""How the names of metrics about the memory of learning begin."""
LEAST_SECONDS = 0.05
"""A network that another experiment trained takes less than this to copy."""


def costs(metrics: Table, talks: Mapping[str, Talk]) -> pd.DataFrame:
    """CPU seconds of training, their ratios, and memory of learning.

    Returns:
        A table with the columns of `columns.COSTS`; its last row is the median of all ratios.
    """
    ratios = training_ratios(metrics, talks)
    rows = [*_means(metrics, talks), *ratios]
    if ratios:
        median = float(np.median([row["value"] for row in ratios]))
        everywhere = {"talk": "", "experiment": "", "variant": "", "locus": ""}
        over_all = {"metric": RATIO, "value": median, "unit": "1", "seeds": len(ratios)}
        rows.append({**everywhere, **over_all, "favours_spikes": ""})
    return columns.COSTS.table(rows)


def _means(metrics: Table, talks: Mapping[str, Talk]) -> Iterator[dict[str, Any]]:
    """Mean over seeds of what single networks cost."""
    values = metrics["value"].astype(float)
    seconds = (metrics["metric"] == SECONDS) & (values > LEAST_SECONDS)
    memory = metrics["metric"].str.startswith(MEMORY) & np.isfinite(values)
    rows = metrics[(seconds | memory) & metrics["talk"].isin(list(talks))]
    by = ["talk", "experiment", "metric", "variant"]
    for key, part in rows.groupby(by, sort=False):
        mean = {"value": float(part["value"].mean()), "unit": str(part["unit"].iloc[0])}
        place = dict(zip(by, key, strict=True))
        yield {**place, **mean, "locus": "", "seeds": part["seed"].nunique(), "favours_spikes": ""}


def training_ratios(metrics: Table, talks: Mapping[str, Talk]) -> list[dict[str, Any]]:
    """CPU seconds of training, spiking network over each of its controls, paired by seed."""
    rows = metrics[(metrics["metric"] == SECONDS) & (metrics["value"] > LEAST_SECONDS)]
    ratios = []
    for name, talk in talks.items():
        for experiment in talk.experiments.values():
            here: Table = tables.where(rows, talk=name, experiment=experiment.name)
            for spiking, control in _pairs(experiment.variants):
                values = statistics.compared(
                    _seconds(here, spiking), _seconds(here, control), ratio=True
                )
                if values.size == 0:
                    continue
                ratio = statistics.log_interval(values)
                place = {"talk": name, "experiment": experiment.name, "variant": spiking}
                limits = {"value": ratio.mean, "low": ratio.low, "high": ratio.high}
                side = favoured("smaller", ratio, 1)
                rest = {"unit": "1", "seeds": ratio.seeds, "favours_spikes": side}
                ratios.append({**place, "locus": control, "metric": RATIO, **limits, **rest})
    return ratios


def parity(metrics: Table, talks: Mapping[str, Talk], limits: Mapping[str, float]) -> pd.DataFrame:
    """Agreement of the training engine with Brian2, per talk: the worst over its networks.

    Returns:
        A table with the columns of `columns.PARITY`; `equal` where both are within the limits,
        and what was not measured does not count.
    """
    rows = metrics[(metrics["perturbation"] == "none") & metrics["talk"].isin(list(talks))]
    keys = ["experiment", "variant", "seed"]
    talks_measured = []
    for name in talks:
        own: Table = tables.where(rows, talk=name, metric=list(limits))
        if own.empty:
            continue
        least = float(tables.where(own, metric="equal_decisions")["value"].min())
        largest = float(tables.where(own, metric="score_difference")["value"].abs().max())
        beyond = least < limits["equal_decisions"] or largest > limits["score_difference"]
        worst = {"equal_decisions": least, "score_difference": largest}
        networks = len(own[keys].drop_duplicates())
        talks_measured.append({"talk": name, "networks": networks, **worst, "equal": not beyond})
    return columns.PARITY.table(talks_measured)


def _pairs(variants: Mapping[str, Variant]) -> Iterator[tuple[str, str]]:
    """Spiking variant and control."""
    for spiking, control in itertools.product(variants.values(), repeat=2):
        if (spiking.role, control.role) == ("spiking", "control"):
            yield spiking.name, control.name


def _seconds(rows: Table, variant: str) -> dict[int, float]:
    own = rows[rows["variant"] == variant]
    return own.groupby("seed")["value"].mean().to_dict()
