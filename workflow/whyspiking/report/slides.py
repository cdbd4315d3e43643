"""Figures that stand by themselves, as files: matrix, verdicts, the forest of every axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from whyspiking.plots import figures, svg
from whyspiking.plots.figures import NotMeasuredError, Plate
from whyspiking.report.html import macros
from whyspiking.verdicts.answers import CLAIMS, Answer

FOLDER = "slides"
"""Beside the page."""


def write(drawn: Mapping[str, Callable[[], Plate]], folder: Path) -> None:
    """Write every slide that has something to show.

    Args:
        drawn: Name -> drawing; see `RunPage.slides`.
        folder: Where `<name>.svg` goes; it is there even if nothing can be drawn.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in drawn.items():
        with figures.style():
            try:
                svg.write(draw(), folder / f"{name}.svg")
            except NotMeasuredError:
                continue


def links(answers: Sequence[Answer]) -> Markup:
    """Where the slides lie, for those axes that have one."""
    drawn = [a.axis for a in answers if any(f.measure != CLAIMS for f in a.findings)]
    return macros("pages").slides(FOLDER, ["matrix", "verdicts", *drawn])
