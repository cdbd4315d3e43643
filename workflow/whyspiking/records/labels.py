"""The words that readers see for names of code and tables; they stand in `labels.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from whyspiking.records.tables import Table

FILE = Path(__file__).with_suffix(".yaml")
TASKS = Path(__file__).parents[1] / "tasks"
POINTS = "points"
"""What differences of shares are in: 2 % more of 50 % is 51 %, 2 points more is 52 %."""
DIFFERENCES = (
    "score_difference",
    "last_layer_gain",
    "lost",
    "gained",
    "above_half_way",
)
"""Metrics that are differences of shares, whatever is asked of them."""


@cache
def declared() -> dict[str, dict[str, Any]]:
    """Content of `labels.yaml`: kind of name -> name -> words; experiments by talk."""
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def _words(kind: Mapping[str, str], name: str) -> str:
    return kind.get(name, name.replace("_", " "))


def experiment(talk: str, name: str) -> str:
    """How readers call an experiment of a talk; one on a shared task has the name of the task."""
    return _words(_shared_experiments() | declared()["experiments"].get(talk, {}), name)


@cache
def _shared_experiments() -> dict[str, str]:
    """Experiment on a shared task -> title of the task."""
    files = TASKS.glob("*/task.yaml")
    titles = {path.parent.name: yaml.safe_load(path.read_text("utf-8"))["title"] for path in files}
    return {f"shared_{name}": title for name, title in titles.items()}


def variant(name: str) -> str:
    """How readers call a network."""
    return _words(declared()["variants"], name)


def perturbation(name: str) -> str:
    """How readers call a perturbation."""
    return _words(declared()["perturbations"], name)


def metric(name: str) -> str:
    """How readers call a metric."""
    return _words(declared()["metrics"], name)


def location(name: str) -> str:
    """How readers call a place: spikes or numbers, or a control (`mlp`)."""
    return declared()["locations"].get(name) or variant(name)


def contrast(perturbed: str, place: str) -> str:
    """Where something was measured, in words: perturbation, place or control."""
    parts = [perturbation(perturbed)] if perturbed not in ("", "none", "nan") else []
    parts += [location(place)] if place not in ("", "none", "nan") else []
    return ", ".join(parts)


def in_points(verdicts: Table) -> Table:
    """Rows of a verdict table, their differences of shares in the unit `POINTS`."""
    differ = verdicts["test_type"].isin(("difference", "equivalence"))
    differ |= verdicts["metric"].isin(DIFFERENCES)
    return verdicts.assign(
        unit=verdicts["unit"].mask(differ & (verdicts["unit"] == "fraction"), POINTS)
    )
