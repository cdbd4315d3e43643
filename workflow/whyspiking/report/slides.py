"""Figures of the page as files: matrix, verdicts, forests of the axes, the same task for all."""

from __future__ import annotations

import re
from pathlib import Path

from whyspiking.records import whole_files

FOLDER = "slides"
"""Beside the page."""
SLIDE = re.compile(
    r'<figure id="(matrix|claims|same-task|break-even|forest-[a-z]+)"><div class="picture">'
    r"<svg (.*?>)(.*?</svg>)",
    re.DOTALL,
)
ON_WHITE = (
    '<?xml version="1.0" encoding="utf-8"?>\n<svg font-family="DejaVu Sans, sans-serif" {opening}\n'
    '<rect width="100%" height="100%" fill="white"/>{drawing}\n'
)


def write(page: Path, folder: Path) -> None:
    """Write every slide that the page shows, on white.

    Args:
        page: The page of a run.
        folder: Where `<name>.svg` goes; it is there even if the page shows none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = whole_files.read(page).decode("utf-8")
    for figure, opening, drawing in SLIDE.findall(text):
        shown = ON_WHITE.format(opening=opening, drawing=drawing).replace("currentColor", "black")
        with whole_files.replacing(folder / f"{name(figure)}.svg") as partial:
            partial.write_text(shown, encoding="utf-8")


def name(figure: str) -> str:
    """How the file of a figure is called."""
    return "verdicts" if figure == "claims" else figure.removeprefix("forest-")
