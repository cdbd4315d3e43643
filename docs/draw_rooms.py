"""Draw the rooms of the package and what they import, from the code: `python docs/draw_rooms.py`.

Writes docs/rooms.svg, the picture in CONTRIBUTING.md. Floors are the layers of the import contract
in pyproject.toml. An arrow is drawn where a room imports another and no longer way says so already.
"""

from __future__ import annotations

import ast
import textwrap
import tomllib
from pathlib import Path

import grimp
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "workflow" / "whyspiking"
HEIGHT, GAP, WIDTH = 1.1, 0.7, 15.0
INK, PAPER, LINE = "#1f2933", "#eef3f7", "#8aa4b8"


def floors() -> list[list[str]]:
    """The rooms of each layer, the top layer first."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["type"] == "layers")
    return [[room.strip() for room in layer.split("|")] for layer in layers]


def described(room: str) -> tuple[str, int, int]:
    """First sentence of a room's docstring, its files and its lines."""
    folder = PACKAGE / room
    sources = [p for p in folder.rglob("*") if p.suffix in (".py", ".cpp", ".hpp", ".j2", ".js")]
    face = folder / "__init__.py"
    if not face.is_file():
        face = PACKAGE / f"{room}.py"
        sources = [face]
    says = ast.get_docstring(ast.parse(face.read_text(encoding="utf-8"))) or ""
    lines = sum(len(p.read_text(encoding="utf-8").splitlines()) for p in sources)
    return says.split("\n")[0], len(sources), lines


def arrows(rooms: list[str]) -> list[tuple[str, str]]:
    """Pairs (importer, imported), without those that a longer way implies."""
    graph = grimp.build_graph("whyspiking", cache_dir=None)
    direct = {
        room: {
            other
            for other in rooms
            if other != room
            and graph.find_shortest_chains(
                f"whyspiking.{room}", f"whyspiking.{other}", as_packages=True
            )
        }
        for room in rooms
    }
    return [
        (room, other)
        for room, reached in direct.items()
        for other in reached
        if not any(other in direct[between] for between in reached)
    ]


def draw(ax: Axes) -> None:
    """All floors, rooms and arrows."""
    places = {}
    storeys = floors()
    for level, rooms in enumerate(storeys):
        y = (len(storeys) - 1 - level) * (HEIGHT + GAP)
        width = min(WIDTH / len(rooms), 5.0)
        start = (WIDTH - width * len(rooms)) / 2
        for index, room in enumerate(rooms):
            x = start + index * width
            places[room] = (x + width / 2, y, width)
            box = FancyBboxPatch(
                (x + 0.12, y), width - 0.24, HEIGHT, boxstyle="round,pad=0,rounding_size=0.08",
                facecolor=PAPER, edgecolor=LINE, linewidth=1,
            )  # fmt: skip
            ax.add_patch(box)
            says, files, lines = described(room)
            ax.text(x + 0.25, y + HEIGHT - 0.24, room, weight="bold", size=10, va="center")
            size = f"{lines:,} lines" if files == 1 else f"{files} files, {lines:,} lines"
            ax.text(
                x + width - 0.25, y + HEIGHT - 0.24, size, size=6.5, va="center", ha="right",
                color=LINE,
            )  # fmt: skip
            told = textwrap.fill(says.rstrip("."), round(width * 12))
            ax.text(x + 0.25, y + HEIGHT - 0.44, told, size=6.5, va="top", linespacing=1.25)
    for room, other in arrows(list(places)):
        (x0, y0, _), (x1, y1, _) = places[room], places[other]
        arrow = FancyArrowPatch(
            (x0, y0), (x1, y1 + HEIGHT), arrowstyle="-|>", mutation_scale=8, color=LINE,
            linewidth=0.9, shrinkA=1, shrinkB=1,
        )  # fmt: skip
        arrow.set_zorder(0)
        ax.add_patch(arrow)
    ax.set_xlim(0, WIDTH)
    ax.set_ylim(-0.1, len(storeys) * (HEIGHT + GAP) - GAP + 0.1)
    ax.axis("off")


if __name__ == "__main__":
    plt.rcParams.update(
        {
            "text.color": INK,
            "font.family": "sans-serif",
            "svg.hashsalt": "rooms",
            "svg.fonttype": "none",
        }
    )
    figure, axes = plt.subplots(figsize=(10, 8.6), layout="constrained")
    draw(axes)
    figure.savefig(ROOT / "docs" / "rooms.svg", metadata={"Date": None})
