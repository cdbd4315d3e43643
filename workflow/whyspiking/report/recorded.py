"""The recorded run beside a smaller one: what a scale leaves out, `results/reference` tells.

Pages mark what is recorded, and count none of it among what their run found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from whyspiking.declared import scales
from whyspiking.records import reference
from whyspiking.records.columns import AXES, PROGRAMME, SHARED, SPAN, VERDICTS

if TYPE_CHECKING:
    from whyspiking.records.tables import Table

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
    """

    commit: str = ""
    verdicts: Table = field(default_factory=lambda: VERDICTS.table([]))
    axes: Table = field(default_factory=lambda: AXES.table([]))
    shared: Table = field(default_factory=lambda: SHARED.table([]))
    span: Table = field(default_factory=lambda: SPAN.table([]))
    programme: Table = field(default_factory=lambda: PROGRAMME.table([]))

    @cached_property
    def claims(self) -> dict[str, Mapping[str, Any]]:
        """Claim -> its row, of the claims that were judged."""
        from whyspiking.verdicts.rule import NOT_MEASURED, OUT_OF_SCOPE

        rows = self.verdicts.to_dict("records")
        return {r["claim"]: r for r in rows if r["verdict"] not in (NOT_MEASURED, OUT_OF_SCOPE)}


def files(folder: Path, scale: str) -> list[Path]:
    """The recorded files that pages of a run need: none at a scale that runs as much.

    Args:
        folder: Of the run.
        scale: Its scale.
    """
    if scale == "smoke" or scale not in scales.up_to(SCALE)[:-1]:
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
    if not (found := files(folder, scale)):
        return Recorded()
    joint, made = found[: len(JOINT)], found[len(JOINT) :]
    commits = sorted({reference.manifest(path.parent)["commit"][:7] for path in made})
    read = zip(JOINT.items(), joint, strict=True)
    shown = {name: reference.table(path, schema) for (name, schema), path in read}
    return Recorded(", ".join(commits), **shown)
