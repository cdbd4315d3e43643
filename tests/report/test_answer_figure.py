"""The figure of the answer: marks where the tables say, names apart, counts true."""

import itertools
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from whyspiking.declared import registry
from whyspiking.plots.figures import NotMeasuredError, style
from whyspiking.records import columns, tables
from whyspiking.report import answer_figure
from whyspiking.report.same_task_rows import Ground

RECORDED = Path(__file__).parents[2] / "results" / "reference"
DELTA = 0.02
KEYS = ["task", "talk", "experiment", "variant"]


@pytest.fixture(scope="module")
def recorded():
    """Prices and shared tasks of the recorded run, with all its crowdedness."""
    talks = {name: registry.load_talk(name) for name in registry.counted(registry.available())}
    shared = tables.read(RECORDED / "shared.csv", columns.SHARED)
    return tables.read(RECORDED / "prices.csv", columns.PRICES), Ground(shared, talks)


@pytest.fixture(scope="module")
def rows(recorded):
    """The spiking networks as the two files have them, joined."""
    own = [
        pd.read_csv(RECORDED / name).query("kind == 'method'")
        for name in ("shared.csv", "prices.csv")
    ]
    both = own[0].merge(own[1], on=KEYS, suffixes=("", "_priced"), validate="one_to_one")
    return both[both["counted"] != "no spikes"]


@pytest.fixture(scope="module", params=[False, True], ids=["wide", "narrow"])
def drawn(recorded, request):
    with style():
        yield answer_figure.figure(recorded[0], recorded[1], DELTA, narrow=request.param)


def marks(ax) -> list[Any]:
    """The marks of a panel: (x, y, whether it is hollow)."""
    own = [line for line in ax.lines if line.get_gid() == "mark"]
    return [
        (*map(float, line.get_xydata()[0]), line.get_markerfacecolor() == "none") for line in own
    ]


def test_marks_lie_where_the_tables_say(drawn, rows):
    strip, ax = drawn.axes
    counted = rows["counted"] == "yes"
    hollow = ~rows["could"].fillna("").isin(["", "better"])
    want = zip(rows["energy_median"], 100 * rows["difference"], hollow, strict=True)
    placed = [entry for entry, yes in zip(want, counted, strict=True) if yes]
    assert 0 < len(placed) < len(rows)
    np.testing.assert_allclose(sorted(marks(ax)), sorted(placed))
    aside = sorted(y for _, y, _ in marks(strip))
    np.testing.assert_allclose(aside, sorted(100 * rows["difference"][~counted]))
    bars = [line.get_xydata() for line in ax.lines if len(line.get_xydata()) == 2]
    for row in rows[counted].to_dict("records"):
        y = 100 * row["difference"]
        ends = [[row["energy_least"], y], [row["energy_largest"], y]]
        assert any(np.allclose(bar, ends) for bar in bars)
        x = row["energy_median"]
        interval = [[x, 100 * row["difference_low"]], [x, 100 * row["difference_high"]]]
        assert any(np.allclose(bar, interval, equal_nan=True) for bar in bars)
    low, high = ax.get_ylim()
    assert low < 100 * rows["difference_low"].min() and 100 * rows["difference_high"].max() < high


def test_no_name_touches_another_or_a_mark(drawn):
    ax = drawn.axes[1]
    boxes = {text: Text.get_window_extent(text) for text in ax.texts}
    assert len(boxes) > 15
    for one, other in itertools.combinations(boxes, 2):
        assert not boxes[one].overlaps(boxes[other]), (one.get_text(), other.get_text())
    radius = 3 * drawn.dpi / 72
    for x, y, _ in marks(ax):
        here = ax.transData.transform((x, y))
        for text, box in boxes.items():
            assert not box.padded(radius).contains(*here), text.get_text()
    frame = ax.get_window_extent()
    inside = [text for text in ax.texts if text.get_fontsize() == 7.5]
    assert all(frame.x0 <= boxes[t].x0 and boxes[t].x1 <= frame.x1 for t in inside)


def test_every_name_has_room_on_a_wide_screen(recorded, rows):
    with style():
        plate = answer_figure.figure(recorded[0], recorded[1], DELTA)
    names = [text for text in plate.axes[1].texts if text.get_fontsize() == 7.5]
    assert len(names) == (rows["counted"] == "yes").sum()
    assert "no name" not in plate.alt


def test_the_numbers_that_it_says_are_the_tables(drawn, rows):
    counted = rows["counted"] == "yes"
    said = " ".join(text.get_text().replace("\n", " ") for text in drawn.axes[1].texts)

    def some(column, word, of=slice(None)):
        return int((rows[of][column] == word).sum())

    worse, better = some("verdict", "worse"), some("verdict", "better") or "none"
    assert f"costs accuracy: {worse} of {len(rows)}" in said
    assert f"computational advantage: {better} of {len(rows)}" in said
    assert f"cheaper under every cost model: {some('energy', 'cheaper', counted)} →" in said
    assert f"← dearer under every cost model: {some('energy', 'dearer', counted)}" in said
    closed = (~rows["could"].fillna("").isin(["", "better"])).sum()
    assert f"Hollow ({closed})" in drawn.caption
    assert f"without a price ({(~counted).sum()})" in drawn.caption
    assert f"{some('counted', 'not above chance')} not above chance" in drawn.caption
    unbounded = f"{some('counted', 'no smaller control')} for which no smaller control was trained"
    assert unbounded in drawn.caption
    assert drawn.alt.count(" points, ") == len(rows)


def test_of_one_seed_there_are_no_intervals_and_of_none_no_figure(recorded):
    prices, ground = recorded
    ends = dict.fromkeys(["difference_low", "difference_high"], np.nan)
    one = Ground(ground.shared.assign(**ends, could="", verdict="undecided"), ground.talks)
    with style():
        plate = answer_figure.figure(prices.assign(counted="no energy"), one, DELTA)
    assert "of one seed, without intervals" in plate.caption and "Hollow" not in plate.caption
    assert marks(plate.axes[1]) == [] and re.search(r"\d+ whose operations", plate.caption)
    alone = Ground(ground.shared.assign(difference=np.nan), ground.talks)
    with pytest.raises(NotMeasuredError):
        answer_figure.figure(prices, alone, DELTA)
