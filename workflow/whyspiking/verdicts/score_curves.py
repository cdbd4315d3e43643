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
        metrics: Rows of the metrics table, all talks.
        talks: The talks, by name.
        folder: `results/<scale>`, where the exhibits of the experiments lie; None where none are
            kept, and with them no scores along time.

    Returns:
        A table with the columns of `columns.CURVES`.
    """
    rows: list[dict[str, Any]] = []
    for talk in talks.values():
        for experiment in talk.experiments.values():
            rows += _along_size(metrics, experiment)
            exhibits = folder and folder / talk.name / experiment.name / "exhibits.npz"
            if exhibits and exhibits.is_file() and experiment.kind == "classification":
                rows += _along_time(experiment, talk.tau_char_ms, exhibits)
    return columns.CURVES.table(rows)


def _along_size(metrics: Table, experiment: Experiment) -> Iterator[dict[str, Any]]:
    """Score of every network that was trained at several sizes, in the engine of training."""
    if experiment.sizes is None:
        return
    place = {"talk": experiment.talk, "experiment": experiment.name}
    own = tables.where(metrics, **place, perturbation="none", locus="")
    engines = tables.where(own, metric="parameters")["engine"].unique().tolist()
    own = tables.where(own, engine=engines)
    for name in experiment.sizes.of:
        same = [v.name for v in experiment.variants.values() if v.trained_as == name]
        part: Table = tables.where(own, variant=same)
        sizes = part[part["metric"] == "parameters"].groupby("variant")["value"].mean()
        scores = part[(part["metric"] == "score") & part["variant"].isin(sizes.index)]
        if scores.empty:
            continue
        points = statistics.over_seeds(scores.assign(place=scores["variant"].map(sizes)), ["place"])
        for point in points.to_dict("records"):
            yield {**place, "variant": name, "along": "parameters", **point}


def _along_time(experiment: Experiment, tau_char_ms: float, path: Path) -> Iterator[dict[str, Any]]:
    """Accuracy if stopped, of the spiking networks that were trained here."""
    exhibits = array_files.load_arrays(path)
    for variant in experiment.variants.values():
        # A network that another experiment trained has its line already.
        fresh = variant.role == "spiking" and not variant.parents
        names = [k for k in sorted(exhibits) if k.startswith(f"anytime.{variant.name}.")]
        if not fresh or not names:
            continue
        scores = np.stack([exhibits[name] for name in names]).astype(float)
        times = np.asarray(exhibits["anytime.time_ms"], float) / tau_char_ms
        every = max(1, times.size // POINTS)
        for time, values in zip(times[::every], scores.T[::every], strict=True):
            place = {"talk": experiment.talk, "experiment": experiment.name, "place": time}
            interval = asdict(statistics.t_interval(values))
            yield {**place, "variant": variant.name, "along": "time", **interval}
