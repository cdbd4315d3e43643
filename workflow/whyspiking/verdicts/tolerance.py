"""How much noise and coarseness trained networks stand, nothing retrained: rows of limits.csv."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whyspiking.declared.registry import Talk
from whyspiking.records import columns, tables
from whyspiking.records.tables import Table

LIMITS = {"quantise": "bits95", "jitter": "sigma50", "delete": "half_dose", "mismatch": "half_dose"}
"""Perturbation -> the metric that says how much of it a network stands."""


def limits(metrics: Table, talks: Mapping[str, Talk]) -> pd.DataFrame:
    """One number per perturbation, experiment and locus: the median over seeds.

    Args:
        metrics: Rows of the metrics table, all talks.
        talks: Talk by name; their spiking variants count.

    Returns:
        A table with the columns of `columns.LIMITS`; jitter is given in units of the talk's
        characteristic time, of shared tasks in ms of the task.
    """
    metrics = in_task_time(metrics, talks)
    rows = []
    for name, talk in talks.items():
        for perturbation, metric in LIMITS.items():
            place = {"talk": name, "metric": metric, "perturbation": perturbation}
            own: Table = tables.where(metrics, **place)
            own = own[own["value"].notna() & of_spiking(own, talk)]
            for (experiment, locus), part in own.groupby(["experiment", "locus"], sort=True):
                value, unit = float(np.median(part["value"])), str(part["unit"].iloc[0])
                if metric == "sigma50" and talk.experiments[experiment].shared is None:
                    value, unit = value * (1 / talk.tau_char_ms), "tau"
                there = {"experiment": experiment, "locus": locus, "value": value, "unit": unit}
                rows.append({**place, **there})
    return columns.LIMITS.table(rows)


def in_task_time(metrics: Table, talks: Mapping[str, Talk]) -> Table:
    """Rows of the metrics table, the jitter that shared tasks stand in ms of the task.

    A model that stretches the task's window measures it in ms of its own time. All are set the same
    task, so only the task's time is one in which they can be compared.
    """
    factors = {
        (talk.name, experiment.name): talk.task_ms(experiment)
        for talk in talks.values()
        for experiment in talk.experiments.values()
    }
    sigma = metrics["metric"] == "sigma50"
    places = zip(metrics["talk"], metrics["experiment"], sigma, strict=True)
    stretch = [factors.get((talk, name), 1.0) if own else 1.0 for talk, name, own in places]
    return metrics.assign(value=metrics["value"] * np.array(stretch, float))


def of_spiking(rows: Table, talk: Talk) -> NDArray:
    """Which rows of a talk belong to a variant with the role `spiking`, (row,)."""
    spiking = {
        (experiment.name, variant.name)
        for experiment in talk.experiments.values()
        for variant in experiment.variants.values()
        if variant.role == "spiking"
    }
    pairs = zip(rows["experiment"], rows["variant"], strict=True)
    return np.array([pair in spiking for pair in pairs], bool)
