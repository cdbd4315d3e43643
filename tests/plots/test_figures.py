import csv
import itertools
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from whyspiking.plots import figures
from whyspiking.plots.figures import NotMeasuredError, Plate
from whyspiking.plots.perturbation_curves import perturbation_curves
from whyspiking.report import eight_talks
from whyspiking.report.eight_talks import COLOURS
from whyspiking.talks.goeltz import figures as goeltz

CSS = Path(figures.__file__).parents[1] / "report" / "assets" / "style.css"
PLACE = {"talk": "t", "experiment": "e", "engine": "brian2", "perturbation": "none", "location": ""}


def rows(values, metric="score", **place):
    """One row per (seed, strength, value)."""
    return pd.DataFrame(
        [
            {**PLACE, "variant": "spiking", "metric": metric, "seed": s, "strength": x, "value": v}
            | place
            for s, x, v in values
        ]
    )


def data(line):
    """Points of a line as two arrays."""
    return np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)


def linear(colour):
    channels = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def luminance(colour):
    return linear(colour) @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def page_colours():
    found = re.search(r"--page: light-dark\((#\w{6}), (#\w{6})\)", CSS.read_text())
    return found.groups()


@pytest.mark.parametrize("page", page_colours())
def test_every_colour_can_be_told_from_both_pages(page):
    for colour in figures.PALETTE:
        assert contrast(colour, page) >= 3.0, colour


BLIND = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
               [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
               [0.004733, 0.691367, 0.303900]],
    "none": np.eye(3),
}  # fmt: skip
"""What linear red, green and blue become (Machado et al. 2009, severity 1)."""
XYZ = np.array([[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]])


def lab(colour, matrix):
    """A colour in CIELAB, as someone sees it."""
    seen = np.clip(np.array(matrix) @ linear(colour), 0, 1)
    x, y, z = np.cbrt(XYZ @ seen / XYZ.sum(axis=1))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def page_classes(theme):
    names = "|".join(COLOURS)
    found = re.findall(rf"--(?:{names}): light-dark\((#\w{{6}}), (#\w{{6}})\)", CSS.read_text())
    return [both[theme] for both in found]


@pytest.mark.parametrize("kind", BLIND)
@pytest.mark.parametrize("colours", [figures.PALETTE, page_classes(0), page_classes(1)])
def test_no_two_colours_look_alike_to_a_colour_blind_reader(kind, colours):
    assert len(colours) >= 5
    seen = {colour: lab(colour, BLIND[kind]) for colour in colours}
    for one, other in itertools.combinations(colours, 2):
        assert np.linalg.norm(seen[one] - seen[other]) >= 10, (one, other)


def test_over_seeds_averages_draws_first_and_uses_student_t():
    table = rows([(0, 1.0, 0.0), (0, 1.0, 2.0), (1, 1.0, 3.0), (2, 1.0, 5.0), (0, 2.0, 0.4)])
    several, alone = figures.over_seeds(table, ["strength"]).to_dict("records")
    half = 4.302652729911275 * 2.0 / np.sqrt(3)  # t(.975, 2), sd of 1, 3, 5
    ends = [several[key] for key in ("ci_low", "mean", "ci_high", "n_seeds")]
    assert ends == pytest.approx([3.0 - half, 3.0, 3.0 + half, 3])
    assert alone["mean"] == 0.4 and np.isnan(alone["ci_low"]), "one seed has no interval"


def test_labels_move_apart_as_little_as_possible():
    assert figures.spread([0.1, 0.5, 0.9], 0.1) == pytest.approx([0.1, 0.5, 0.9])
    placed = figures.spread([0.5, 0.5, 0.52], 0.1)
    assert np.diff(placed) == pytest.approx([0.1, 0.1])
    assert np.mean(placed) == pytest.approx(np.mean([0.5, 0.5, 0.52]))


def test_perturbation_curve_starts_at_the_clean_run_of_its_engine():
    clean = pd.concat([rows([(0, 0.0, 0.9), (1, 0.0, 0.94)]), rows([(0, 0.0, 0.1)], engine="jax")])
    bits = rows(
        [(s, b, v) for s in (0, 1) for b, v in ((8, 0.9), (2, 0.4), (4, 0.7))],
        perturbation="quantise",
        location="weights",
    )
    lost = rows([(0, 0.1, 0.8), (0, 0.2, 0.7)], perturbation="delete", location="hidden")
    plate = perturbation_curves(pd.concat([clean, bits, lost]), ["spiking"])
    delete, quantise = plate.axes[:2]
    assert data(delete.get_lines()[0])[1] == pytest.approx([0.92, 0.8, 0.7])
    x, y = data(quantise.get_lines()[0])
    assert list(x) == [0, 1, 2, 3]
    assert list(y) == pytest.approx([0.92, 0.9, 0.7, 0.4])
    ticks = [label.get_text() for label in quantise.get_xticklabels()]
    assert ticks == ["none", "8", "4", "2"], "evenly spaced, bits downwards"


def test_nothing_perturbed_is_said_not_drawn():
    with pytest.raises(NotMeasuredError):
        perturbation_curves(rows([(0, 0.0, 0.9)]), ["spiking"])


def key_claim(**other):
    row = {
        "talk": "t", "value": 0.90, "ci_low": 0.88, "ci_high": 0.92, "published_value": 0.96,
        "quoted_from_memory": "",
        "criterion_low": 0.95, "criterion_high": np.inf, "unit": "fraction",
        "verdict": "not replicated", "qualification": "", "test_type": "value",
        "metric": "accuracy", "n_seeds": 5, "n_passing": 0,
        "evidence": "published number", "verdict_changes_with": "",
    }  # fmt: skip
    return ("Who", "what", {**row, **other}, [0.89, 0.91])


@pytest.mark.parametrize("narrow", [False, True])
def test_a_key_claim_shows_value_band_and_published_in_their_order(narrow):
    with figures.style():
        plate = eight_talks.figure([key_claim()], narrow=narrow)
    (ax,) = plate.axes
    marks = {line.get_marker(): line for line in ax.get_lines() if line.get_marker() != "None"}
    band = ax.patches[0].get_extents().transformed(ax.transData.inverted())
    value, published = (float(np.ravel(marks[m].get_xdata())[0]) for m in ("|", "D"))
    assert value < band.x0 < published <= band.x1
    assert marks["o"].get_color() == figures.RED
    assert list(marks["o"].get_xdata()) == [0.89, 0.91], "every network is a dot"
    assert "not replicated: Who" in plate.alt
    told = {text.get_text() for text in plate.texts}
    assert told >= {"Who", "what", "90 % [88, 92]", "published 96.0 %", "5 networks"}
    for text in plate.texts:
        shown = text.get_window_extent().transformed(plate.transFigure.inverted())
        assert shown.x0 > 0 and shown.x1 < 1, text.get_text()


def test_the_numbers_of_key_claims_are_those_of_all_of_them():
    claims = [key_claim(talk=name, claim=f"{name}.x", ci_low=0.5) for name in ("a", "b")]
    rows = list(csv.DictReader(eight_talks.write_rows(claims).splitlines()))
    assert [row["claim"] for row in rows] == ["a.x", "b.x"]
    assert rows[0]["networks"] == "0.89 0.91" and float(rows[1]["ci_low"]) == 0.5
    with figures.style():
        assert eight_talks.figure(claims).source.startswith("data:text/csv;charset=utf-8,talk%2C")


def test_key_claims_are_grouped_by_their_evidence():
    claims = [key_claim(evidence=x) for x in ("no number", "published number", "no number")]
    with figures.style():
        plate = eight_talks.figure(claims)
    places = {text.get_text(): text.get_position()[1] for text in plate.texts}
    first, last = (eight_talks.HEADINGS[x] for x in ("published number", "no number"))
    assert places[first] > places[last] and len(plate.axes) == 3
    heights = [ax.get_position().y1 for ax in plate.axes]
    assert heights == sorted(heights, reverse=True)
    assert sum(height < places[last] for height in heights) == 2


def test_a_key_claim_says_what_was_recalled_and_what_every_network_must():
    words = eight_talks.words(
        key_claim(quoted_from_memory="number", test_type="every", n_passing=4)[2]
    )
    assert words["published"] == "published 96.0 % (from memory)"
    assert words["but"] == "4 of 5 networks meet it"
    words = eight_talks.words(
        key_claim(published_value=np.nan, qualification="reduced: 2 of 9 epochs")[2]
    )
    assert (words["published"], words["but"]) == (
        "no number published",
        "5 networks\nreduced run",
    )
    other = {"evidence": "released artefact", "verdict_changes_with": "in Brian2: 90 %, fails"}
    words = eight_talks.words(key_claim(**other)[2])
    assert words["published"] == "released weights: 96.0 %"
    assert words["but"] == "5 networks\nchanges with measurement"
    with pytest.raises(NotMeasuredError):
        eight_talks.figure([key_claim(value=np.nan)])


def test_raster_draws_every_spike_once():
    plate = Plate(2)
    ax = plate.panels(1, 1)[0, 0]
    figures.raster(ax, [1.0, 2.0, 3.0], [0, 5, 2], colours=["#0072B2", "#0072B2", "#C8553D"])
    drawn = {
        (x, y)
        for line in ax.get_lines()
        for x, y in zip(
            np.asarray(line.get_xdata())[::3], np.asarray(line.get_ydata())[::3], strict=True
        )
    }
    assert drawn == {(1.0, -0.45), (2.0, 4.55), (3.0, 1.55)}
    assert len(ax.get_lines()) == 2


def test_anytime_reads_all_seeds():
    arrays = {"anytime.time_ms": np.array([0.0, 1.0, 2.0])}
    arrays |= {f"anytime.spiking.{s}": np.array([0.3, 0.6 + 0.1 * s, 0.9]) for s in (0, 1)}
    plate = figures.anytime(arrays, 2.0, "e")
    assert list(data(plate.axes[0].get_lines()[0])[1]) == pytest.approx([0.3, 0.65, 0.9])
    with pytest.raises(NotMeasuredError):
        figures.anytime({}, 2.0, "e")


def test_decision_map_colours_by_the_first_output_neuron():
    axis = np.linspace(0, 1, 21)
    x, _ = np.meshgrid(axis, axis)
    first = np.stack([1 + x, 2 - x, np.full_like(x, np.inf)], axis=2)
    plate = goeltz.draw_decision_map({"map.axis": axis, "map.first_ms": first})
    picture = np.asarray(plate.axes[0].get_images()[0].get_array())
    left, right = picture[10, 4], picture[10, 16]
    assert left[2] > left[0]  # blue: neuron 0 is first where x < 0.5
    assert right[0] > right[2]  # red: neuron 1
    assert picture[0, 0, 3] == 0.0  # nothing outside the disc
    assert "dot 0 %" in plate.alt
