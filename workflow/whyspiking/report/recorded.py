"""Recorded runs beside the one at hand: what a scale leaves out, `results/reference` tells.

Pages mark what is recorded, and count none of it among what their run found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from whyspiking.declared import scales
from whyspiking.records import reference, tables
from whyspiking.records.columns import AXES, PROGRAMME, SHARED, SPAN, VERDICTS
from whyspiking.verdicts import rule

if TYPE_CHECKING:
    from whyspiking.records.tables import Table

type Row = Mapping[str, Any]

JOINT = {
    "axes": AXES,
    "shared": SHARED,
    "span": SPAN,
    "programme": PROGRAMME,
}
"""Name of a recorded table of all talks that pages show -> its columns."""
SCALE = "full"
"""Scale of the recorded run."""
FOLDER = "reference"
"""Name of its folder, beside that of a run."""
PAPER = "paper"
"""The largest scale, and the folder in FOLDER with verdicts of talks that were run at it."""


@dataclass(frozen=True)
class Recorded:
    """The recorded tables that pages show; empty where a run shows none of them.

    Attributes:
        commit: With which code; several where talks were recorded at different times.
        verdicts: Rows of its verdict tables.
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

    def row_for(self, row: Row) -> Row | None:
        """The recorded row of a claim that the run at hand does not judge, if there is one."""
        return self.claims.get(row["claim"]) if row["verdict"] == rule.OUT_OF_SCOPE else None

    def otherwise(self, row: Row) -> Row | None:
        """Row of a claim at the published sizes, where the verdict is another one."""
        shown = self.row_for(row) or row
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
    files = ("verdicts.csv", "manifest.json")
    paths = joint + [kept / talk / file for talk in reference.recorded(kept) for file in files]
    return paths if len(paths) > len(joint) and all(map(Path.is_file, paths)) else []


def beside(folder: Path, scale: str) -> Recorded:
    """The recorded tables that the pages of a run show.

    Args:
        folder: Of the run.
        scale: Its scale.

    Raises:
        UserError: If a recorded table is damaged or of another version.
    """
    paper = _verdicts(_of_paper(folder, scale))
    paths = _of_full(folder, scale)
    joint = {p.stem: reference.table(p, JOINT[p.stem]) for p in paths if p.stem in JOINT}
    verdicts = [path for path in paths if path.name == "verdicts.csv"]
    commits = {reference.manifest(path.parent)["commit"][:7] for path in verdicts}
    return Recorded(", ".join(sorted(commits)), _verdicts(verdicts), **joint, paper=paper)


def _verdicts(paths: Iterable[Path]) -> Table:
    parts = [reference.table(path, VERDICTS) for path in paths]
    return tables.stacked(parts or [VERDICTS.table([])])
