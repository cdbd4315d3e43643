"""We can train them, what now? What trained networks stand when they are simulated elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from whyspiking.declared.registry import Talk
from whyspiking.records import tables
from whyspiking.records.tables import Table
from whyspiking.report import html
from whyspiking.report.sentences import surnames


@dataclass(frozen=True)
class Limit:
    """How a limit of limits.csv is shown.

    Attributes:
        head: Heading of the column.
        unit: How the number is printed.
        stronger: Whether a larger number means that the network stands more.
    """

    head: str
    unit: str
    stronger: bool = True


LIMITS = {
    "quantise": Limit("Weight bits for 95 % of the score", "bit", stronger=False),
    "jitter": Limit("Jitter that costs half, τ", "1"),
    "delete": Limit("Deleted spikes that cost half", "fraction"),
    "mismatch": Limit("Mismatch that costs half, relative sd", "fraction"),
}
"""Perturbation -> its limit."""


def table(limits: Table, talks: Mapping[str, Talk]) -> Markup:
    """What trained networks stand, worst and best experiment of each talk.

    Args:
        limits: Rows of limits.csv.
        talks: Talk by name.
    """
    ends = {name: {kind: _ends(limits, name, kind) for kind in LIMITS} for name in talks}
    return html.macros("trained").limits_table(LIMITS, ends, surnames(talks))


def sentences(limits: Table, talks: Mapping[str, Talk], bits: int = 6) -> Markup:
    """What the table comes down to, counted by talk.

    Args:
        limits: Rows of limits.csv.
        talks: Talk by name.
        bits: Number of bits per weight that the sentence asks about.
    """
    worst = {
        kind: {name: ends[0]["value"] for name in talks if (ends := _ends(limits, name, kind))}
        for kind in LIMITS
    }
    stand = {kind: [name for name, x in worst[kind].items() if np.isinf(x)] for kind in LIMITS}
    stand["quantise"] = [name for name, least in worst["quantise"].items() if least <= bits]
    stand["jitter"] = [name for name, least in worst["jitter"].items() if least < 1]
    return html.macros("trained").limits_sentences(worst, stand, bits, surnames(talks))


def _ends(limits: Table, talk: str, perturbation: str) -> list[dict[str, Any]]:
    """Rows of a talk, least tolerant first."""
    own: Table = tables.where(limits, talk=talk, perturbation=perturbation)
    sign = 1 if LIMITS[perturbation].stronger else -1
    return sorted(own.to_dict("records"), key=lambda row: sign * row["value"])
