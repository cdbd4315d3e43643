"""Turn a figure into SVG that lives inside a page: one picture for light, dark and print."""

from __future__ import annotations

import html
import io
import re
from pathlib import Path

from matplotlib.figure import Figure

from whyspiking.figures import INK, style


def inline(figure: Figure, prefix: str, alt: str) -> str:
    """The figure as an `<svg>` element that can stand beside others in one page.

    Text and axes, drawn in `figures.INK`, take the page's own colour; identifiers carry `prefix`
    so that clip paths of several figures do not collide; nothing in it depends on the date.

    Args:
        figure: Drawn under `figures.style`.
        prefix: Unique within the page; letters, digits and `-`.
        alt: Text for readers who cannot see the figure.
    """
    buffer = io.StringIO()
    with style():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return embed(buffer.getvalue(), prefix, alt)


def write(figure: Figure, path: Path) -> None:
    """The figure as a file that stands alone, on white, with no date in it.

    Args:
        figure: Drawn under `figures.style`.
        path: Where the SVG goes; it appears whole or not at all.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    with style():
        figure.savefig(
            partial,
            format="svg",
            facecolor="white",
            metadata={"Date": None, "Creator": None},
        )
    partial.replace(path)


def embed(source: str, prefix: str, alt: str) -> str:
    """Make a stand-alone SVG document, as matplotlib writes it, part of a page."""
    text = source[source.index("<svg") :].rstrip()
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    # Matplotlib's style sheet has the selector `*`, which would reach the whole page.
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", text)
    text = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', text)
    text = re.sub(r'\bd="([^"]+)"', _shortened, text)
    text = text.replace(INK, "currentColor")
    label = html.escape(alt, quote=True)
    opening = f'<svg role="img" aria-label="{label}" style="stroke-linejoin:round"'
    return text.replace("<svg", opening, 1)


def _shortened(path: re.Match[str]) -> str:
    """A path to a hundredth of a point, which no screen shows: a third of the page's size."""
    numbers = re.sub(r"(\.\d\d)\d+", r"\1", path.group(1))
    return f'd="{" ".join(numbers.split())}"'
