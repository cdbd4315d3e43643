"""How much noise and coarseness trained networks stand, nothing retrained: rows of limits.csv."""

from __future__ import annotations

import pandas as pd

from whyspiking.records import columns
from whyspiking.records.tables import Table
from whyspiking.verdicts.described import in_task_time

LIMITS = {"quantise": "bits95", "jitter": "sigma50", "delete": "half_dose", "mismatch": "half_dose"}
"""Perturbation -> the metric that says how much of it a network stands."""


def limits(metrics: Table) -> pd.DataFrame:
    """One number per perturbation, spiking variant and locus: the median over seeds.

    Args:
        metrics: Rows of the metrics table, all talks, as `described`; of the role `spiking` count.

    Returns:
        A table with the columns of `columns.LIMITS`; jitter is given in units of the talk's
        characteristic time, of shared tasks in ms of the task.
    """
    asked = pd.DataFrame(LIMITS.items(), columns=pd.Index(["perturbation", "metric"]))
    in_order = pd.Categorical(metrics["talk"], metrics["talk"].unique())
    spiking = metrics.assign(talk=in_order)[metrics["role"] == "spiking"].dropna(subset=["value"])
    known = in_task_time(spiking).merge(asked.assign(order=asked.index))
    by = ["talk", "order", "perturbation", "metric", "experiment", "variant", "locus"]
    found = known.groupby(by, as_index=False, observed=True).agg(
        {"value": "median", "unit": "first", "task": "first", "tau_ms": "first"}
    )
    own = (found["metric"] == "sigma50") & (found["task"] == "")
    found = found.assign(
        value=found["value"].mask(own, found["value"] * (1 / found["tau_ms"])),
        unit=found["unit"].mask(own, "tau"),
    )
    return found[columns.LIMITS.names]
