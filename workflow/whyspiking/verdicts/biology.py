"""Trained networks beside nervous systems, in numbers: rates, sparsity, irregularity, latency.

The published ranges stand, each with its source, in `biology.yaml`, and so does what the same
functions measure in trains that were recorded.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from pydantic import Field

from whyspiking.declared.strict_yaml import Block, Name, Some, parsed, read_yaml
from whyspiking.records import columns, tables
from whyspiking.records.tables import Table

SOURCES = Path(__file__).with_name("biology.yaml")


Words = Annotated[str, Field(min_length=8)]
Link = Annotated[str, Field(pattern="^https://")]
Positive = Annotated[float, Field(gt=0)]


class Sourced(Block):
    """Numbers from a source.

    Attributes:
        citation: The source.
        url: Address of the source.
        known_from: Part of the source that was read, or `recalled`.
    """

    citation: Words
    url: Link
    known_from: Literal["abstract", "table", "figure", "recalled"]


class Range(Sourced):
    """A published range of one quantity.

    Attributes:
        metric: The metric of the battery that stands beside it.
        name: The quantity, in words.
        unit: Unit of the range and the metric.
        time_scaling: `rate` (per time), `time` or `none`: how the network's time unit enters.
        minimum: Lower end.
        maximum: Upper end.
        description: In which animal and what exactly.
        perturbation: Under which the metric is measured.
        talks: The only ones that the quantity is taken of; all, where there are none.
    """

    metric: Name
    name: Words
    unit: str = Field(min_length=1)
    time_scaling: Literal["rate", "time", "none"]
    minimum: float
    maximum: float
    description: Words
    perturbation: Name = "none"
    talks: tuple[Name, ...] = Field((), strict=False)

    def place(self, low: float, high: float) -> str:
        """Place of other numbers: inside, partly inside, below or above the range."""
        if self.minimum <= low and high <= self.maximum:
            return "inside"
        if high < self.minimum:
            return "below"
        return "above" if low > self.maximum else "partly inside"


class TimeConstant(Sourced):
    """The time constant that translates network time, ms: value used, and published range."""

    value: Positive
    minimum: Positive
    maximum: Positive
    description: Words


class Biology(Block):
    """What `biology.yaml` says."""

    tau_ms: TimeConstant
    stimulus_populations: list[Name]
    ranges: Some[Range]


@cache
def stated() -> Biology:
    """All of `biology.yaml`.

    Raises:
        UserError: If the file does not fit its schema.
    """
    return parsed(Biology, read_yaml(SOURCES), f"verdicts/{SOURCES.name}")


def beside(metrics: Table) -> pd.DataFrame:
    """The clean spiking networks of every talk beside every published range.

    Args:
        metrics: Rows of the metrics table, all talks, as `described`.

    Returns:
        A table with the columns of `columns.BIOLOGY`.
    """
    told = stated()
    # Infinite is what was not reached within the levels tried.
    spiking: Table = tables.where(metrics, role="spiking", engine="brian2").dropna(subset=["value"])
    # Of a clean run the location is a population, and the stimulus is the experimenter's.
    spiking = spiking[
        (spiking["perturbation"] != "none") | ~spiking["location"].isin(told.stimulus_populations)
    ]
    rows = []
    for number, entry in enumerate(told.ranges, 1):
        own = tables.where(spiking, metric=entry.metric, perturbation=entry.perturbation)
        own = tables.where(own, talk=list(entry.talks)) if entry.talks else own
        for talk, part in own.groupby("talk", sort=False):
            means = part.groupby(["experiment", "variant", "location"])["value"].mean()
            low, high = float(means.min()), float(means.max())
            ratio = float(part["tau_ms"].iloc[0]) / told.tau_ms.value
            scale = {"rate": ratio, "time": 1 / ratio, "none": 1.0}[entry.time_scaling]
            rows.append(
                {
                    "range_number": number,
                    "metric": entry.metric,
                    "talk": talk,
                    "minimum": low,
                    "maximum": high,
                    "position": entry.place(low, high),
                    "n_populations": len(means),
                    "rescaled_minimum": low * scale,
                    "rescaled_maximum": high * scale,
                    "rescaled_position": entry.place(low * scale, high * scale),
                }
            )
    return columns.BIOLOGY.table(rows)
