"""Drawn figures inside a page: shorter paths, the colour of the page, names of their own."""

import re

import numpy as np
import pytest

from whyspiking.plots import svg
from whyspiking.plots.figures import Plate, style


def plate():
    with style():
        drawn = Plate(2)
        ax = drawn.panels(1, 1)[0, 0]
        ax.plot([0, 1], [0, 1], label="a line", clip_on=True)
        ax.set_xlabel("time, ms")
    return drawn


def test_svg_takes_the_colour_of_the_page_and_stays_apart_from_others():
    picture = svg.inline(plate(), "one", 'a "line" <rising>')
    assert 'role="img" aria-label="a &quot;line&quot; &lt;rising&gt;"' in picture
    assert "currentColor" in picture and "#010203" not in picture
    ids = re.findall(r'\bid="([^"]+)"', picture)
    assert ids and all(name.startswith("one-") for name in ids)
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', picture))
    assert used and used <= set(ids)
    assert re.findall(r"<style>(.*?)</style>", picture)[0].count("{") == picture.count("{")
    assert set(re.findall(r"[.](one-s\d+)[{]", picture)) == set(
        re.findall(r'class="(.*?)"', picture)
    )
    assert "<metadata" not in picture
    assert svg.inline(plate(), "one", 'a "line" <rising>') == picture, "the same on every build"


def points(path):
    """Where a path goes, absolute, from either spelling; an independent reading of the grammar."""
    numbers = r"-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?"
    here, start, found = np.zeros(2), np.zeros(2), []
    for command, rest in re.findall(r"([a-zA-Z])([^a-zA-Z]*)", path):
        values = [float(x) for x in re.findall(numbers, rest)]
        if command in "zZ":
            here = start
        elif command in "hv":
            for value in values:
                here = here + ([value, 0] if command == "h" else [0, value])
                found.append(here)
        else:
            pairs = np.reshape(values, (-1, {"m": 1, "l": 1, "q": 2, "c": 3}[command.lower()], 2))
            for pair in pairs:
                absolute = pair + here if command.islower() else pair
                found.extend(absolute)
                here = absolute[-1]
                if command in "mM":
                    start, command = here, "l" if command == "m" else "L"
    return np.array(found)


@pytest.mark.parametrize(
    "path",
    [
        "M 0 356.4 L 691.2 356.4 L 691.2 0 L 0 0 L 0 356.4 z",
        "M 55.361 292.04 L 55.361 289.62 M 55.361 286.67 L 55.361 284.26 L 55.361 284.26",
        "M 1 1 L 1.5 0.75 L 2.25 3 C 0 1 2 3 4.005 5 z M 3 3 L 0.4 -0.4 L -0.004 0.996",
        "M 10 -0.999 Q 1.006 2 -3.5 4 L -3.5 40 L 100.25 40",
    ],
)
def test_short_paths_go_where_the_long_ones_went(path):
    short = svg.compact(path)
    assert len(short) < len(path)
    np.testing.assert_allclose(points(short), points(path), atol=0.0051)


def test_rounding_does_not_add_up_along_a_path():
    x = np.cumsum(np.full(500, 0.0149))
    path = "M 0 0 " + " ".join(f"L {a:.4f} 1.2345" for a in x)
    assert abs(points(svg.compact(path))[-1] - [x[-1], 1.2345]).max() < 0.0051


@pytest.mark.parametrize("path", ["M 0 0 A 1 1 0 0 1 2 2", "M 0 0 L 1 1 2 2", "M 0 0 L 1"])
def test_an_unknown_path_is_left_alone(path):
    assert svg.compact(path) == path
