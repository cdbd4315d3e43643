"""Every figure of the page and of its details as a file, on white, for a slide."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

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
        text = whole_files.read(page).decode("utf-8")
        for name, opening, drawing in FIGURE.findall(text):
            shown = ON_WHITE.format(opening=opening, drawing=drawing)
            with whole_files.replacing(folder / f"{name}.svg") as partial:
                partial.write_text(shown.replace("currentColor", "black"), encoding="utf-8")
