"""How much networks use spike times, how early they decide and how robust they are."""

from __future__ import annotations

import pandas as pd

from whyspiking.declared.registry import Talk
from whyspiking.measures import statistics
from whyspiking.records import columns, tables
from whyspiking.verdicts.contrasts import SPIKING_ENGINE
from whyspiking.verdicts.described import described

MEASURES = {
    "timing_index": "share of the score above chance that is lost when spike times are redrawn and "
    "spike counts are kept: 0 if only counts matter, 1 if only times matter",
    "t95": "time until 95 % of the final score above chance is reached",
    "speed_area": "mean over the trial of the score above chance so far, divided by the final one: "
    "1 if the answer is known at once",
    "robustness_area": "mean over the strengths of a perturbation of the score above chance, "
    "divided by the unperturbed one",
}
"""Metrics that the page of a talk shows of each network, and what they mean."""


def measures(metrics: pd.DataFrame, talk: Talk) -> pd.DataFrame:
    """Average the metrics of `MEASURES` over the seeds of each spiking network and each control.

    Args:
        metrics: The talk's rows of the metrics table.
        talk: The talk.

    Returns:
        A table with the columns of `columns.MEASURES`, in the order of talk.yaml.
    """
    networks = described(metrics, {talk.name: talk})
    shown = tables.where(networks, metric=list(MEASURES)).dropna(subset=["value"])
    # The engine of training measured some of these in spiking networks, too.
    is_spiking = (shown["role"] == "spiking") & (shown["engine"] == SPIKING_ENGINE)
    shown = shown[is_spiking | (shown["role"] == "control")]
    place = ["rank", "talk", "experiment", "variant", "metric", "perturbation", "location", "unit"]
    means = statistics.over_seeds(shown, place).rename(columns={"mean": "value"})
    return means[columns.MEASURES.names]
