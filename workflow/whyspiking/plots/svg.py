"""Turn a figure into SVG that lives inside a page: one picture for light, dark and print."""

from __future__ import annotations

import html
import io
import re

from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from whyspiking.plots.figures import INK, style


def inline(figure: Figure, prefix: str, alt: str) -> str:
    """The figure as an `<svg>` element that can stand beside others in one page.

    Text and axes, drawn in `figures.INK`, take the page's own colour; identifiers carry `prefix`
    so that clip paths of several figures do not collide; nothing in it depends on the date.

    Args:
        figure: Drawn under `figures.style`; it is not to be used again.
        prefix: Unique within the page; letters, digits and `-`.
        alt: Text for readers who cannot see the figure.
    """
    buffer = io.StringIO()
    with style():
        # `savefig` would draw the whole figure once more, only to lay it out.
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None})
    return embed(buffer.getvalue(), prefix, alt)


def embed(source: str, prefix: str, alt: str) -> str:
    """Make a stand-alone SVG document, as matplotlib writes it, part of a page.

    What no reader sees is left out: names that nothing refers to, indentation, thousandths of a
    point. That is more than half of it.

    Args:
        source: The document.
        prefix: Unique within the page; letters, digits and `-`.
        alt: Text for readers who cannot see the figure.
    """
    text = source[source.index("<svg") :].rstrip()
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    # Matplotlib's style sheet has the selector `*`, which would reach the whole page.
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>\s*", "", text, flags=re.DOTALL)
    # Matplotlib derives names from coordinates, whose last digit differs from run to run.
    used = dict.fromkeys(re.findall(r'(?:url\(#|href="#)([^")]+)', text))
    names = {name: f"{prefix}-{number}" for number, name in enumerate(used)}
    text = re.sub(
        r'\s\bid="([^"]+)"',
        lambda m: f' id="{names[m.group(1)]}"' if m.group(1) in names else "",
        text,
    )
    text = re.sub(r'(url\(#|href="#)([^")]+)', lambda m: f"{m.group(1)}{names[m.group(2)]}", text)
    text = re.sub(r'\bd="([^"]+)"', lambda m: f'd="{compact(m.group(1))}"', text)
    text = re.sub(r'\b([xy])="(-?\d+\.\d\d)\d+"', r'\1="\2"', text)
    # The page names the font, and turning by nothing is no turn.
    text = re.sub(r"font-family: [^;\"]*;? ?", "", text)
    text = re.sub(r' transform="rotate\(-?0 [^)]*\)"', "", text)
    text = re.sub(r'style="([^"]+)"', _dense, text)
    text = re.sub(r">\s*\n\s*<", ">\n<", text)
    text = text.replace(INK, "currentColor")
    label = html.escape(alt, quote=True)
    opening = f'<svg role="img" aria-label="{label}" style="stroke-linejoin:round"'
    return text.replace("<svg", opening, 1)


def compact(path: str) -> str:
    """The same path to a hundredth of a point, in relative coordinates.

    Args:
        path: As matplotlib writes it: absolute M, L, Q, C and z, separated by blanks.

    Returns:
        The path; as it was if it holds anything else.
    """
    tokens = path.split()
    said, last = "", ""
    here, start = (0, 0), (0, 0)
    place = 0
    while place < len(tokens):
        command = tokens[place]
        length = ARGUMENTS.get(command)
        if length is None:
            return path
        numbers = [round(100 * float(x)) for x in tokens[place + 1 : place + 1 + length]]
        place += 1 + length
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        if not points:
            said, last, here = said + "z", "z", start
            continue
        letter = command if not said else command.lower()
        origin = here if said else (0, 0)
        moves = [x - origin[axis] for point in points for axis, x in enumerate(point)]
        if letter == "l" and moves[1] == 0:
            letter, moves = "h", moves[:1]
        elif letter == "l" and moves[0] == 0:
            letter, moves = "v", moves[1:]
        # After a move, a line needs no letter; neither does a repeated command.
        implied = {"m": "l", "M": "L"}.get(last, last)
        said += _joined("" if letter == implied else letter, moves)
        last, here = letter, points[-1]
        if command == "M":
            start = here
    return said


ARGUMENTS = {"M": 2, "L": 2, "Q": 4, "C": 6, "z": 0}
"""Numbers that each command of a path takes."""


def _joined(letter: str, hundredths: list[int]) -> str:
    """A command with its numbers, blanks only where they are needed."""
    said = letter
    for place, number in enumerate(hundredths):
        shown = f"{number / 100:.2f}".rstrip("0").rstrip(".").replace("0.", ".", 1)
        shown = shown if abs(number) < 100 else f"{number / 100:.2f}".rstrip("0").rstrip(".")
        shown = "0" if shown in ("", "-", "-0") else shown
        blank = (place or not letter) and not shown.startswith("-")
        said += f" {shown}" if blank else shown
    return said


def _dense(style: re.Match[str]) -> str:
    return f'style="{style.group(1).replace(": ", ":").replace("; ", ";").rstrip(";")}"'
