"""Acceptance bands of claims, present and earlier: what a file may say, what a verdict needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

from pydantic import Discriminator, Field, Tag

from whyspiking.declared.strict_yaml import Block, closed

Edges = Annotated[list[float | None], Field(min_length=2, max_length=2)]
"""Lower and upper; null where a side is open."""


class Accepted(Block):
    """A band whose edges need a reason.

    Attributes:
        criterion: Lower and upper edge; null where a side is open.
        criterion_reason: Why these edges.
    """

    criterion: Edges
    criterion_reason: str = Field(min_length=10)


def _form(band: Any) -> str:
    return "reasoned" if isinstance(band, dict | Accepted) else "edges"


Given = Annotated[
    Annotated[Edges, Tag("edges")] | Annotated[Accepted, Tag("reasoned")], Discriminator(_form)
]


@closed
class Accept(TypedDict, total=False):
    """Bands by scale; scale default has that of full.

    Attributes:
        full: At scales full and default.
        paper: At the published sizes.
    """

    full: Given
    paper: Given


class Look(Block):
    """An earlier test of a claim on test data, with another recipe or another band.

    Attributes:
        commit: With which code.
        recipe: What was other then.
        value: What came out.
        verdict: What it was called.
    """

    commit: str = Field(pattern="^[0-9a-f]{7,40}$")
    recipe: str = Field(min_length=5)
    value: float | None = None
    verdict: str = Field(min_length=5)


class EarlierBand(Block):
    """A band that a claim had, and why it has another one now.

    Attributes:
        commit: The last one that had it.
        criterion: As it was.
        reason: Why it is another one now.
    """

    commit: str = Field(pattern="^[0-9a-f]{7,40}$")
    criterion: Edges
    reason: str = Field(min_length=10)


def _entry(given: Any) -> str:
    banded = "criterion" in given if isinstance(given, dict) else isinstance(given, EarlierBand)
    # A tag must differ from every key, because messages of errors leave out tags but not keys.
    return "earlier band" if banded else "look"


Earlier = Annotated[
    Annotated[Look, Tag("look")] | Annotated[EarlierBand, Tag("earlier band")],
    Discriminator(_entry),
]


def spelt(band: list[float | None]) -> str:
    """A band in words."""
    low, high = band
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    return f"at least {low:g}" if low is not None else f"at most {high:g}"


@dataclass(frozen=True)
class Band:
    """Where a result must lie to count as replicated; an open side is infinite."""

    low: float
    high: float
    why: str = ""

    def contains(self, value: float) -> bool:
        """Whether a number lies inside, edges included."""
        return self.low <= value <= self.high
