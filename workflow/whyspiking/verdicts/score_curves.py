"""Scores along the size of a network and along time: rows of curves.csv."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from whyspiking.declared.registry import Experiment, Talk
from whyspiking.measures import statistics
from whyspiking.records import array_files, columns, tables
from whyspiking.records.tables import Table

POINTS = 100
"""Of the times at which the anytime score is kept, about as many as a line needs."""


def curves(metrics: Table, talks: Mapping[str, Talk], folder: Path | None = None) -> pd.DataFrame:
    """Score against parameters and time, mean and interval over seeds.

    Args:
        metrics: Rows of the metrics table, all talks, as `described`.
        talks: The talks, by name.
        folder: `results/<scale>`, where the exhibits of the experiments lie; None where none are
            kept, and with them no scores along time.

    Returns:
        A table with the columns of `columns.CURVES`.
    """
    rows = list(along_size(metrics))
    if folder is None:
        return columns.CURVES.table(rows)
    for talk in talks.values():
        for experiment in talk.experiments.values():
            exhibits = folder / talk.name / experiment.name / "exhibits.npz"
            if exhibits.is_file() and experiment.kind == "classification":
                rows += _along_time(experiment, talk.tau_char_ms, exhibits)
    return columns.CURVES.table(rows)


def along_size(metrics: Table) -> Iterator[dict[str, Any]]:
    """Score of every network that was trained at several sizes, in the engine of training."""
    clean = tables.where(metrics[metrics["sizes"] > 1], perturbation="none", locus="")
    network = ["talk", "experiment", "variant", "engine"]
    numbers = tables.where(clean, metric="parameters").groupby(network)["value"].mean()
    places = numbers.rename("place").reset_index()
    scores = tables.where(clean, metric="score").merge(places, on=network)
    by = ["talk", "experiment", "trained_as"]
    for place, own in scores.sort_values("rank").groupby(by, sort=False):
        named = dict(zip(("talk", "experiment", "variant"), place, strict=True))
        for point in statistics.over_seeds(own, ["place"]).to_dict("records"):
            yield {**named, "along": "parameters", **point}


def _along_time(experiment: Experiment, tau_char_ms: float, path: Path) -> Iterator[dict[str, Any]]:
    """Accuracy if stopped, of the spiking networks that were trained here."""
    exhibits = array_files.load_arrays(path)
    spiking = [own for own in experiment.variants.values() if own.role == "spiking"]
    # A network that another experiment trained has its line already.
    for variant in (own for own in spiking if not own.parents):
        names = [k for k in sorted(exhibits) if k.startswith(f"anytime.{variant.name}.")]
        if not names:
            continue
        scores = np.stack([exhibits[name] for name in names]).astype(float)
        times = np.asarray(exhibits["anytime.time_ms"], float) / tau_char_ms
        every = max(1, times.size // POINTS)
        for time, values in zip(times[::every], scores.T[::every], strict=True):
            yield {
                "talk": experiment.talk,
                "experiment": experiment.name,
                "variant": variant.name,
                "along": "time",
                "place": time,
                **asdict(statistics.t_interval(values)),
            }
