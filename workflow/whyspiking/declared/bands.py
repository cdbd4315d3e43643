"""Acceptance bands of claims: what a file may say of them, and what a verdict needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

from pydantic import Discriminator, Field, Tag

from whyspiking.declared.strict_yaml import Block, closed

Edges = Annotated[list[float | None], Field(min_length=2, max_length=2)]
"""Lower and upper; null where a side is open."""


class Accepted(Block):
    """A band whose edges need a reason."""

    band: Edges
    why: str = Field(min_length=10)


def _form(band: Any) -> str:
    return "reasoned" if isinstance(band, dict | Accepted) else "edges"


Given = Annotated[
    Annotated[Edges, Tag("edges")] | Annotated[Accepted, Tag("reasoned")], Discriminator(_form)
]


@closed
class Accept(TypedDict, total=False):
    """Bands by scale; scale default has that of full."""

    full: Given
    paper: Given


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
