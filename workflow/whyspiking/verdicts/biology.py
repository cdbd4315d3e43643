"""Trained networks beside nervous systems, in numbers: rates, sparsity, irregularity, latency.

The published ranges stand, each with its source, in `biology.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, TypedDict

import numpy as np
import pandas as pd
from pydantic import Field

from whyspiking.declared.registry import Talk
from whyspiking.declared.strict_yaml import Block, Name, Some, closed, parsed, read_yaml
from whyspiking.records import columns, tables
from whyspiking.records.tables import Table
from whyspiking.verdicts.tolerance import of_spiking

SOURCES = Path(__file__).with_name("biology.yaml")


Words = Annotated[str, Field(min_length=8)]
Link = Annotated[str, Field(pattern="^https://")]
Read = Literal["abstract", "table", "recalled"]
Positive = Annotated[float, Field(gt=0)]


class Range(Block):
    """A published range of one quantity.

    Attributes:
        metric: The metric of the battery that stands beside it.
        name: The quantity, in words.
        unit: Of the range and the metric.
        time: `rate` (per time), `time` or `none`: how the network's time unit enters.
        low: Lower end.
        high: Upper end.
        where: In which animal and what exactly.
        cite: Source.
        link: Address of the source.
        read: What was read of it, or `recalled`.
    """

    metric: Name
    name: Words
    unit: str = Field(min_length=1)
    time: Literal["rate", "time", "none"]
    low: float
    high: float
    where: Words
    cite: Words
    link: Link
    read: Read

    def place(self, low: float, high: float) -> str:
        """Where other numbers lie: inside, partly inside, below or above."""
        if self.low <= low and high <= self.high:
            return "inside"
        if high < self.low:
            return "below"
        return "above" if low > self.high else "partly inside"


@closed
class TimeConstant(TypedDict):
    """The time constant that translates network time, ms: used, and as published."""

    used: Positive
    low: Positive
    high: Positive
    where: Words
    cite: Words
    link: Link
    read: Read


class Biology(Block):
    """What `biology.yaml` says."""

    tau_ms: TimeConstant
    ranges: Some[Range]


def published() -> tuple[Sequence[Range], TimeConstant]:
    """The published ranges and the time constant that translates network time.

    Raises:
        UserError: If the file does not fit its schema.
    """
    found = parsed(Biology, read_yaml(SOURCES), f"verdicts/{SOURCES.name}")
    return found.ranges, found.tau_ms


def beside(metrics: Table, talks: Mapping[str, Talk]) -> pd.DataFrame:
    """The clean spiking networks of every talk beside every published range.

    Returns:
        A table with the columns of `columns.BIOLOGY`.
    """
    ranges, tau = published()
    rows = []
    for number, entry in enumerate(ranges, 1):
        clean: Table = tables.where(
            metrics, metric=entry.metric, perturbation="none", engine="brian2"
        )
        # The input is the experimenter's, not the network's.
        clean = clean[(clean["locus"] != "input") & np.isfinite(clean["value"].astype(float))]
        for name, talk in talks.items():
            own = clean[clean["talk"] == name]
            own = own[of_spiking(own, talk)]
            if own.empty:
                continue
            means = own.groupby(["experiment", "locus"])["value"].mean()
            low, high = float(means.min()), float(means.max())
            ratio = talk.tau_char_ms / float(tau["used"])
            scale = {"rate": ratio, "time": 1 / ratio, "none": 1.0}[entry.time]
            row = {"quantity": number, "metric": entry.metric, "talk": name, "low": low}
            row |= {"high": high, "place": entry.place(low, high), "populations": len(means)}
            low, high = low * scale, high * scale
            row |= {"rescaled_low": low, "rescaled_high": high}
            rows.append({**row, "rescaled_place": entry.place(low, high)})
    return columns.BIOLOGY.table(rows)
