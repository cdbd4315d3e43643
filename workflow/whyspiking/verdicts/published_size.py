"""Reads the verdicts of runs at the published size, kept next to the reference results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from whyspiking.declared.bands import Band
from whyspiking.measures.statistics import Interval
from whyspiking.records import tables
from whyspiking.records.columns import VERDICTS
from whyspiking.records.labels import in_points
from whyspiking.verdicts import rule

type Row = Mapping[str, Any]

SCALE = "paper"
"""The largest scale, and the name of the folder below the reference results."""


def list_files(reference_folder: Path, scale: str) -> list[Path]:
    """List the verdict tables that pages of a run show; none at this scale or without verdicts."""
    return [] if scale in ("smoke", SCALE) else sorted((reference_folder / SCALE).glob("*.csv"))


def read_verdicts(reference_folder: Path, scale: str) -> dict[str, Row]:
    """Read the rows of verdicts.csv that have a value, by claim."""
    # These runs are seldom repeated, so that their columns may be those of an earlier version.
    parts = [tables.read(p, VERDICTS, other=True) for p in list_files(reference_folder, scale)]
    rows = in_points(tables.stacked([VERDICTS.table([]), *parts])).to_dict("records")
    return {str(row["claim"]): row for row in rows if np.isfinite(row["value"])}


def find_other_verdict(row: Row, larger: Row | None) -> Row | None:
    """Return the row of a claim at the published size if its verdict is another one.

    Args:
        row: Row of verdicts.csv of the run.
        larger: Row of the same claim at the published size; None if there is none.
    """
    if larger is None:
        return None
    if larger["verdict"] == rule.NOT_JUDGED and np.isfinite(larger["value"]):
        verdict = judge_by_criterion(row, larger)
        comment = "judged by the criterion of the reduced run"
        larger = {**larger, "verdict": verdict, "qualification": comment}
    # A claim of a paper may have become a check: one outcome has two names.
    own = row["verdict"]
    same = next((names for names in (rule.SUCCESSES, rule.FAILURES) if own in names), (own,))
    return None if larger["verdict"] in same else larger


def judge_by_criterion(row: Row, larger: Row) -> str:
    """The verdict of a result by the criterion of another row of verdicts.csv.

    Args:
        row: The row with the criterion.
        larger: Value, interval and number of seeds.
    """
    ends = [np.nan_to_num(row[name], nan=side) for name, side in
            (("criterion_low", -np.inf), ("criterion_high", np.inf))]  # fmt: skip
    null = {"difference": 0.0, "ratio": 1.0}.get(row["test_type"]) if row["compared_with"] else None
    criterion = rule.Criterion(row["test_type"], Band(*ends), null)
    estimate = Interval(
        larger["value"], larger["ci_low"], larger["ci_high"], int(larger["n_seeds"])
    )
    verdict = rule.decide(criterion, np.array([larger["value"]]), estimate)
    return rule.name_by_origin(verdict, row["origin"])
