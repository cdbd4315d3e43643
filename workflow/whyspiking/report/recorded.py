"""Recorded runs beside the one at hand: what a scale leaves out, `results/reference` tells.

Pages mark what is recorded, and count none of it among what their run found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from whyspiking.declared import scales
from whyspiking.records import reference
from whyspiking.records.columns import AXES, PROGRAMME, SHARED, SPAN, VERDICTS
from whyspiking.verdicts import rule

if TYPE_CHECKING:
    from whyspiking.records.tables import Table

type Row = Mapping[str, Any]

JOINT = {
    "verdicts": VERDICTS,
    "axes": AXES,
    "shared": SHARED,
    "span": SPAN,
    "programme": PROGRAMME,
}
"""Name of a recorded table of all talks that pages show -> its columns."""
SCALE = "full"
"""Of the recorded run."""
FOLDER = "reference"
"""Beside the folder of a run."""
PAPER = "paper"
"""The largest scale; below FOLDER, what it said of talks that were run at it."""


@dataclass(frozen=True)
class Recorded:
    """What was recorded; nothing where a run shows none of it.

    Attributes:
        commit: With which code; several where talks were recorded at different times.
        verdicts: Rows of its verdict table.
        axes: Rows of its axes.csv.
        shared: Rows of its shared.csv.
        span: Rows of its span.csv.
        programme: Rows of its programme.csv.
        paper: Rows of the verdict tables of talks that were run at the published sizes.
    """

    commit: str = ""
    verdicts: Table = field(default_factory=lambda: VERDICTS.table([]))
    axes: Table = field(default_factory=lambda: AXES.table([]))
    shared: Table = field(default_factory=lambda: SHARED.table([]))
    span: Table = field(default_factory=lambda: SPAN.table([]))
    programme: Table = field(default_factory=lambda: PROGRAMME.table([]))
    paper: Table = field(default_factory=lambda: VERDICTS.table([]))

    @cached_property
    def claims(self) -> dict[str, Row]:
        """Claim -> its row, of the claims that were judged."""
        return _judged(self.verdicts)

    @cached_property
    def _at_paper(self) -> dict[str, Row]:
        return _judged(self.paper)

    def told(self, row: Row) -> Row | None:
        """The recorded row of a claim that the run at hand does not judge, if there is one."""
        return self.claims.get(row["claim"]) if row["verdict"] == rule.OUT_OF_SCOPE else None

    def otherwise(self, row: Row) -> Row | None:
        """What the published sizes say of a claim, where it is another verdict."""
        shown = self.told(row) or row
        larger = self._at_paper.get(row["claim"], shown)
        return larger if larger["verdict"] != shown["verdict"] else None


def _judged(verdicts: Table) -> dict[str, Row]:
    rows = verdicts.to_dict("records")
    unjudged = rule.NOT_MEASURED, rule.OUT_OF_SCOPE
    return {str(row["claim"]): row for row in rows if row["verdict"] not in unjudged}


def files(folder: Path, scale: str) -> list[Path]:
    """The recorded files that pages of a run need.

    Args:
        folder: Of the run.
        scale: Its scale.
    """
    return [*_of_full(folder, scale), *_of_paper(folder, scale)]


def _of_paper(folder: Path, scale: str) -> list[Path]:
    """Verdicts at the published sizes: none for pages of that scale, or of one without verdicts."""
    if scale in ("smoke", PAPER):
        return []
    return sorted((folder.parent / FOLDER / PAPER).glob("*.csv"))


def _of_full(folder: Path, scale: str) -> list[Path]:
    """The recorded run: nothing of it at a scale that runs as much."""
    if scale == "smoke" or scale not in scales.SCALES[: scales.SCALES.index(SCALE)]:
        return []
    kept = folder.parent / FOLDER
    joint = [kept / f"{name}.csv" for name in JOINT]
    made = [kept / talk / "manifest.json" for talk in reference.recorded(kept)]
    return [*joint, *made] if made and all(path.is_file() for path in joint) else []


def beside(folder: Path, scale: str) -> Recorded:
    """What pages of a run show of the recorded one.

    Args:
        folder: Of the run.
        scale: Its scale.

    Raises:
        UserError: If a recorded table is damaged or of another version.
    """
    larger = [reference.table(path, VERDICTS) for path in _of_paper(folder, scale)]
    paper = pd.concat(larger, ignore_index=True) if larger else VERDICTS.table([])
    of_full = _of_full(folder, scale)
    commits = {reference.manifest(p.parent)["commit"][:7] for p in of_full[len(JOINT) :]}
    joint = {path.stem: reference.table(path, JOINT[path.stem]) for path in of_full[: len(JOINT)]}
    return Recorded(", ".join(sorted(commits)), **joint, paper=paper)
