"""Figures that stand by themselves, as files: matrix, verdicts, the forest of every axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from whyspiking.plots import figures, svg
from whyspiking.plots.figures import NotMeasuredError, Plate
from whyspiking.report import forest_plots, talks_by_axis
from whyspiking.report.html import macros
from whyspiking.verdicts.answers import CLAIMS, Answer

if TYPE_CHECKING:
    from whyspiking.report.run_page import RunPage

FOLDER = "slides"
"""Beside the page."""


def plates(page: RunPage) -> dict[str, Callable[[], Plate]]:
    """Name -> drawing of every slide of a run."""
    drawn: dict[str, Callable[[], Plate]] = {
        "matrix": lambda: talks_by_axis.figure(page.answers, page.talks),
        "verdicts": lambda: forest_plots.verdict_forest(page.verdicts),
    }
    for answer in page.answers:
        drawn[answer.axis] = lambda answer=answer: forest_plots.axis_forest(
            answer, page.config, page.names
        )
    return drawn


def write(page: RunPage, folder: Path) -> None:
    """Write every slide that has something to show.

    Args:
        page: The run.
        folder: Where `<name>.svg` goes; it is there even if nothing can be drawn.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in plates(page).items():
        with figures.style():
            try:
                svg.write(draw(), folder / f"{name}.svg")
            except NotMeasuredError:
                continue


def links(answers: Sequence[Answer]) -> Markup:
    """Where the slides lie, for those axes that have one."""
    drawn = [a.axis for a in answers if any(f.measure != CLAIMS for f in a.findings)]
    return macros("pages").slides(FOLDER, ["matrix", "verdicts", *drawn])
