"""Turn a figure into SVG that lives inside a page: one picture for light, dark and print."""

from __future__ import annotations

import html
import io
import re
from collections import Counter

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
    point; what several parts look like is said once. That is more than half of it.

    Args:
        source: The document.
        prefix: Unique within the page; letters, digits and `-`.
        alt: Text for readers who cannot see the figure.
    """
    text = UNSEEN.sub("", source[source.index("<svg") :].rstrip())
    # Matplotlib derives names from coordinates, whose last digit differs from run to run.
    used = dict.fromkeys(re.findall(r'(?:url\(#|href="#)([^")]+)', text))
    names = {name: f"{prefix}-{number}" for number, name in enumerate(used)}
    text = re.sub(
        r'\s\bid="([^"]+)"',
        lambda m: f' id="{names[m.group(1)]}"' if m.group(1) in names else "",
        text,
    )
    text = re.sub(r'(url\(#|href="#)([^")]+)', lambda m: f"{m.group(1)}{names[m.group(2)]}", text)
    for pattern, shorter in SHORTER:
        text = re.sub(pattern, shorter, text)
    style_counts = Counter(re.findall(r' style="([^"]+)"', text))
    looks = {
        style: f"{prefix}-s{n}"
        for n, (style, count) in enumerate(style_counts.items())
        if count > 1
    }
    text = re.sub(
        r' style="([^"]+)"',
        lambda m: f' class="{looks[m[1]]}"' if m[1] in looks else m[0],
        text,
    )
    rules = "".join(f".{name}{{{style}}}" for style, name in looks.items())
    text = text.replace(">", f"><style>{rules}</style>", 1) if rules else text
    opening = f'<svg role="img" aria-label="{html.escape(alt)}" style="stroke-linejoin:round"'
    return text.replace(INK, "currentColor").replace("<svg", opening, 1)


def compact(path: str) -> str:
    """The same path to a hundredth of a point, in relative coordinates.

    Args:
        path: As matplotlib writes it: absolute M, L, Q, C and z, separated by blanks.

    Returns:
        The path; as it was if it holds anything else.
    """
    if not PATH.fullmatch(path):
        return path
    short, last_letter = "", ""
    position, start = (0, 0), (0, 0)
    for command, arguments in COMMAND.findall(path):
        hundredths = [round(100 * float(x)) for x in arguments.split()]
        points = list(zip(hundredths[::2], hundredths[1::2], strict=True))
        if not points:
            short, last_letter, position = short + "z", "z", start
            continue
        letter = command.lower() if short else command
        moves = [x - position[axis] for point in points for axis, x in enumerate(point)]
        if letter == "l" and moves[1] == 0:
            letter, moves = "h", moves[:1]
        elif letter == "l" and moves[0] == 0:
            letter, moves = "v", moves[1:]
        numbers = re.sub(r"\b0\.", ".", " ".join(f"{move / 100:.12g}" for move in moves))
        # After a move, a line needs no letter; neither does a repeated command.
        implied = {"m": "l", "M": "L"}.get(last_letter, last_letter)
        short += f"{' ' if letter == implied else letter}{numbers}".replace(" -", "-")
        last_letter, position = letter, points[-1]
        if command == "M":
            start = position
    return short


PATH = re.compile(
    r"(?:\s*(?:z|[ML](?:\s+N){2}|Q(?:\s+N){4}|C(?:\s+N){6}))*\s*".replace("N", "[-+.e\\d]+")
)
"""A path as matplotlib writes it."""
COMMAND = re.compile(r"([MLQCz])([^MLQCz]*)")


UNSEEN = re.compile(
    r"<metadata>.*?</metadata>\s*|<defs>\s*<style.*?</style>\s*</defs>\s*", re.DOTALL
)
"""Matplotlib's style sheet has the selector `*`, which would reach the whole page."""
SHORTER = (
    (r'\bd="([^"]+)"', lambda match: f'd="{compact(match[1])}"'),
    (r'\b([xy])="(-?\d+\.\d\d)\d+"', r'\1="\2"'),
    (r"<text [^>]*/>\s*", ""),  # empty lines of a text
    (r'transform="[^"]+"', lambda match: re.sub(r"(\.\d\d)\d+", r"\1", match[0])),
    # The page names the font, and turning by nothing is no turn.
    (r"font-family: [^;\"]*;? ?", ""),
    (r' transform="rotate\(-?0 [^)]*\)"', ""),
    (
        r'style="([^"]+)"',
        lambda match: f'style="{re.sub("([:;]) ", r"\1", match[1]).rstrip(";")}"',
    ),
    (r">\s*\n\s*<", ">\n<"),
)
"""What is written at length -> shorter, in order."""
