"""Figures of the page as files: matrix, same task, break-even, axes, key claims, cards."""

from __future__ import annotations

import html
import re
import textwrap
from pathlib import Path

from whyspiking.records import whole_files

FOLDER = "slides"
"""Beside the page."""
CARDS = "cards"
SLIDE = re.compile(
    r'<figure id="(matrix|claims|same-task|break-even|forest-[a-z]+)"><div class="picture">'
    r"<svg (.*?>)(.*?</svg>)",
    re.DOTALL,
)
CARD = re.compile(
    r'<li><a class="thumb"[^>]*>(?P<picture>.*?)</a>\s*<h3>(?P<who>.*?)</h3>\s*'
    r'<p class="soft">.*?</p>\s*<p>(?P<says>.*?)</p>\s*<p>(?P<result>.*?)</p></li>',
    re.DOTALL,
)
ON_WHITE = (
    '<?xml version="1.0" encoding="utf-8"?>\n<svg font-family="DejaVu Sans, sans-serif" {opening}\n'
    '<rect width="100%" height="100%" fill="white"/>{drawing}\n'
)
COLUMNS, WIDTH, HEIGHT = 4, 320, 360
"""Size of a card, in pixels."""


def write(page: Path, folder: Path) -> None:
    """Write every slide that the page shows, on white.

    Args:
        page: The page of a run.
        folder: Where `<name>.svg` goes; it is there even if the page shows none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = whole_files.read(page).decode("utf-8")
    drawn = {name(figure): (opening, drawing) for figure, opening, drawing in SLIDE.findall(text)}
    cards = list(CARD.finditer(text))
    if cards:
        drawn[CARDS] = _cards(cards)
    for called, (opening, drawing) in drawn.items():
        shown = ON_WHITE.format(opening=opening, drawing=drawing).replace("currentColor", "black")
        with whole_files.replacing(folder / f"{called}.svg") as partial:
            partial.write_text(shown, encoding="utf-8")


def name(figure: str) -> str:
    """How the file of a figure is called."""
    return "verdicts" if figure == "claims" else figure.removeprefix("forest-")


def _cards(cards: list[re.Match[str]]) -> tuple[str, str]:
    """Every talk: its first figure, the speaker, the key claim and its result."""
    width, height = COLUMNS * WIDTH, -(-len(cards) // COLUMNS) * HEIGHT
    opening = (
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
    )
    parts = []
    for number, card in enumerate(cards):
        row, column = divmod(number, COLUMNS)
        place = f'<svg x="12" y="12" width="{WIDTH - 24}" height="150" '
        picture = _unsized(card["picture"]).replace("<svg ", place, 1)
        lines = [
            ("bold", _plain(card["who"])),
            *(("normal", line) for line in textwrap.wrap(_plain(card["says"]), 48)),
            *(("bold", line) for line in textwrap.wrap(_plain(card["result"]), 44)),
        ]
        words = "".join(
            f'<text x="12" y="{184 + 16 * below}" font-size="11" font-weight="{weight}">'
            f"{html.escape(line)}</text>"
            for below, (weight, line) in enumerate(lines)
        )
        at = f"translate({column * WIDTH} {row * HEIGHT})"
        parts.append(f'<g transform="{at}">{picture}{words}</g>')
    return opening, "\n".join(parts) + "</svg>"


def _unsized(svg: str) -> str:
    """A drawing that keeps its coordinates and takes any size."""
    opening, rest = svg.split(">", 1)
    return re.sub(r'\s(width|height)="[^"]*"', "", opening) + ">" + rest


def _plain(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())
