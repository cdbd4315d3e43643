"""The scales of a run: how much of each talk is run, and how long."""

from __future__ import annotations

from typing import Literal

Scale = Literal["smoke", "default", "full", "paper"]
SCALES: tuple[str, ...] = ("smoke", "default", "full", "paper")
"""From the smallest to what was published."""


def at_least(scale: str, least: Scale) -> bool:
    """Whether a scale has what stands in talk.yaml as `from_scale: <least>`.

    Smoke has everything, in miniature, but what config/smoke.yaml leaves out by name.
    """
    return scale == "smoke" or scale in up_from(least)


def recipe(scale: str) -> str:
    """The scale whose recipes and bands a scale has: default is a part of scale full."""
    return "full" if scale == "default" else scale


def up_from(scale: str) -> tuple[str, ...]:
    """This scale and the larger ones."""
    return SCALES[SCALES.index(scale) :] if scale in SCALES else ()
