"""Spiking networks on shared tasks as the figure of the answer shows them, and what it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from whyspiking.records.tables import Table
from whyspiking.report.same_task_rows import Cell, Ground, Row, rows_where
from whyspiking.verdicts.common_ground import BETTER, METHOD
from whyspiking.verdicts.prices import CHANCE, CHEAPER, DEARER, ENDS, NO_ENERGY, UNBOUNDED, YES

WHY = {
    CHANCE: "not above chance",
    UNBOUNDED: "for which no smaller control was trained",
    NO_ENERGY: "whose operations were not all counted",
}
"""Why a network has no price, in words."""
LINEAR = 5.0
"""Points up to which the upright axis is linear; beyond it is logarithmic."""


@dataclass(frozen=True)
class Mark:
    """A spiking network on a task.

    Attributes:
        label: How it is called.
        cell: The task.
        row: Of shared.csv.
        price: Of prices.csv.
    """

    label: str
    cell: Cell
    row: Row
    price: Row

    @property
    def placed(self) -> bool:
        """Whether it has a place sideways."""
        return bool(self.price["counted"] == YES)

    @property
    def ratios(self) -> list[float]:
        """Energy of the control over its own: least, median, largest."""
        return [self.price[f"energy_{end}"] for end in ENDS]

    @property
    def points(self) -> list[float]:
        """Accuracy less that of the control: low, mean, high, in points."""
        return [100 * self.row[f"difference{end}"] for end in ("_low", "", "_high")]

    @property
    def sure(self) -> bool:
        """Whether all cost models agree who is cheaper."""
        return self.price["energy"] in (CHEAPER, DEARER)

    @property
    def closed(self) -> bool:
        """Whether not even a network without error could be called better."""
        return self.row["could"] not in ("", BETTER)

    @property
    def sequence(self) -> bool:
        """Whether the task is a sequence."""
        return self.cell.sequence


def marks(prices: Table, ground: Ground) -> list[Mark]:
    """All spiking networks that have a matched control, in the order of the tasks."""
    keys = ("task", "talk", "experiment", "variant")
    price_of = {tuple(row[k] for k in keys): row for row in rows_where(prices, kind=METHOD)}
    return [
        Mark(ground.label(method), cell, row, price_of[place])
        for cell in ground.cells
        for method, row in cell.methods.items()
        if (place := (cell.name, row["talk"], row["experiment"], row["variant"])) in price_of
        and ground.spikes(row)
        and np.isfinite(row["difference"])
    ]


def caption(every: Sequence[Mark], delta: float, left_out: int) -> str:
    """What is drawn, and what has no place in it, counted."""
    reasons = Counter(str(mark.price["counted"]) for mark in every if not mark.placed)
    closed = sum(mark.closed for mark in every)
    several = any(np.isfinite(mark.points[0]) for mark in every)
    said = [
        "One mark is a spiking network on a task. Sideways, how many times the energy the smallest "
        "network without spikes of equal accuracy needs: the mark under the median cost model, the "
        "bar from the least to the most favourable, bold where all agree.",
        "Upwards, by how many points it is more accurate than its matched control"
        + (", with 95 % intervals over seeds" if several else ", of one seed, without intervals")
        + f": linear up to {LINEAR:g} points, logarithmic beyond.",
        f"Grey: differences within {100 * delta:g} points count as equal.",
    ]
    if closed:
        said.append(
            f"Hollow ({closed}): by the spread over seeds not even a network without error could "
            "have been called better."
        )
    if reasons:
        words = ", ".join(f"{n} {WHY.get(why, why)}" for why, n in reasons.items())
        said.append(f"At the left, without a price ({reasons.total()}): {words}.")
    if left_out:
        said.append(f"Not drawn: {left_out} without a matched control.")
    return " ".join(said)


def alt(every: Sequence[Mark], unnamed: int) -> str:
    """The marks in words."""
    words = []
    for mark in every:
        least, _, largest = mark.ratios
        price = f"{least:.3g} to {largest:.3g} times" if mark.placed else "no price"
        words.append(f"{mark.cell.title}, {mark.label}: {mark.points[1]:+.1f} points, {price}")
    names = f" {unnamed} marks bear no name for want of room." if unnamed else ""
    return f"Accuracy and price of spiking networks. {'; '.join(words)}.{names}"
