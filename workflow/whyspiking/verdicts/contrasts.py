"""Metrics that are computed from metrics of two networks."""

from __future__ import annotations

from whyspiking.records import columns, tables
from whyspiking.records.glossary import GLOSSARY
from whyspiking.records.tables import Table

SPIKING_ENGINE = "brian2"
LEAST_LOSS = 0.02
"""Least loss of score of which a share is computed: twice the standard error of 1,000 trials."""
RECOVERED = "loss_recovered"
CROSSED = {RECOVERED}
"""Metrics that this module computes from others, and nothing else does."""


def compute_recovered_losses(metrics: Table) -> Table:
    """Compute the share of a loss of score that further training wins back.

    A variant of talk.yaml that has `recovers_loss_of` was trained further under a perturbation,
    from the variant that this key names. The share is computed for each seed and condition.

    Args:
        metrics: The talk's rows of the metrics table, as `described`.

    Returns:
        Rows of the metrics table.
    """
    simulated = tables.where(metrics, engine=SPIKING_ENGINE, metric="score")
    before = simulated.assign(recovers=simulated["variant"])
    clean = tables.where(before, perturbation="none")
    network = ["experiment", "seed", "recovers"]
    place = ["perturbation", "location", "strength"]
    pairs = simulated.merge(before, on=[*network, *place], suffixes=("", "_before"))
    pairs = pairs.merge(clean[[*network, "value"]], on=network, suffixes=("", "_clean"))
    pairs = pairs.assign(loss=pairs["value_clean"] - pairs["value_before"])
    pairs = pairs[pairs["loss"] >= LEAST_LOSS]
    share = (pairs["value"] - pairs["value_before"]) / pairs["loss"]
    pairs = pairs.assign(metric=RECOVERED, value=share, unit=GLOSSARY[RECOVERED].unit)
    return pairs[columns.METRICS.names]
