"""Places of measurements: the columns that all rows of one network, or one condition, share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whyspiking.contract.types import Condition, ExperimentParameters


def common(params: ExperimentParameters, variant: str, seed: int, engine: str) -> dict[str, Any]:
    """The columns that all rows of one network share, for the clean run."""
    return {
        "scale": params.scale,
        "talk": params.talk,
        "experiment": params.experiment,
        "variant": variant,
        "seed": seed,
        "engine": engine,
        "perturbation": "none",
        "location": "",
        "strength": 0.0,
    }


def at(shared: Mapping[str, Any], condition: Condition) -> dict[str, Any]:
    """The shared columns, moved to a condition."""
    return {
        **shared,
        "perturbation": condition.perturbation,
        "location": condition.location,
        "strength": condition.strength,
    }
