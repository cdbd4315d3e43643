"""Figures of pages as files, on white, for a slide: all of a run, or one of a talk."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from whyspiking.errors import UserError
from whyspiking.records import whole_files

FIGURE = re.compile(
    r'<figure id="([a-z0-9-]+)"><div class="picture"><svg (.*?>)(.*?</svg>)', re.DOTALL
)
ON_WHITE = (
    '<?xml version="1.0" encoding="utf-8"?>\n<svg font-family="DejaVu Sans, sans-serif" {opening}\n'
    '<rect width="100%" height="100%" fill="white"/>{drawing}\n'
)


def write(pages: Iterable[Path], folder: Path) -> None:
    """Write every figure that some pages show, each by its name.

    Args:
        pages: Of a run.
        folder: Where `<name>.svg` goes; it is there even if the pages show none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for page in pages:
        for name, drawing in _list_figures(page):
            _write_figure(folder / f"{name}.svg", drawing)


def write_one(page: Path, path: Path) -> None:
    """Write the figure of a page that has the name of a file, as that file.

    Raises:
        UserError: If the page shows no such figure.
    """
    drawings = dict(_list_figures(page))
    if path.stem not in drawings:
        raise UserError(
            f"figure '{path.stem}' is not on {page}; expected one of {', '.join(drawings)}. "
            "Correct the path of the file that you ask for."
        )
    _write_figure(path, drawings[path.stem])


def _write_figure(path: Path, drawing: str) -> None:
    with whole_files.replacing(path) as partial:
        partial.write_text(drawing, encoding="utf-8")


def _list_figures(page: Path) -> Iterator[tuple[str, str]]:
    """Name and drawing of every figure of a page."""
    for name, opening, drawing in FIGURE.findall(whole_files.read(page).decode("utf-8")):
        picture = ON_WHITE.format(opening=opening, drawing=drawing)
        yield name, picture.replace("currentColor", "black")
