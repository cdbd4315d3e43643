"""The figure of the answer: marks where the table says, a row a task, hollow for twins."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from whyspiking.declared import registry
from whyspiking.plots.figures import NotMeasuredError, style
from whyspiking.records import columns, tables
from whyspiking.report import answer_figure
from whyspiking.report.same_task_rows import Ground

RECORDED = Path(__file__).parents[2] / "results" / "reference"
DELTA = 0.02


@pytest.fixture(scope="module")
def ground():
    """Shared tasks of the recorded run, with all its crowdedness."""
    talks = {name: registry.load_talk(name) for name in registry.counted(registry.available())}
    return Ground(tables.read(RECORDED / "shared.csv", columns.SHARED), talks)


@pytest.fixture(scope="module")
def rows():
    """The spiking networks as the file has them."""
    own = pd.read_csv(RECORDED / "shared.csv").query("kind == 'method' and talk != 'naud'")
    return own.assign(cell=own["task"] + own["at"].map("{:g}".format))


@pytest.fixture(scope="module", params=[False, True], ids=["wide", "narrow"])
def drawn(ground, request):
    with style():
        yield answer_figure.figure(ground, DELTA, narrow=request.param)


def marks(ax, hollow):
    own = [line for line in ax.lines if line.get_gid() == "mark"]
    own = [line for line in own if (line.get_markerfacecolor() == "white") == hollow]
    return [tuple(map(float, line.get_xydata()[0])) for line in own]


def test_marks_lie_where_the_table_says_a_row_a_task(drawn, rows):
    (ax,) = drawn.axes
    counted = rows[rows["counted"] == "yes"]
    twins = counted.dropna(subset=["twin_difference"])
    assert 0 < len(twins) < len(counted) < len(rows)
    for own, name, hollow in ((counted, "difference", False), (twins, "twin_difference", True)):
        found = marks(ax, hollow)
        np.testing.assert_allclose(sorted(x for x, _ in found), sorted(100 * own[name]))
        in_row = pd.Series([round(y) for _, y in found]).value_counts().sort_index()
        order = list(dict.fromkeys(counted["cell"]))
        assert in_row.to_list() == [n for c in order if (n := (own["cell"] == c).sum())]
    bars = [line.get_xydata() for line in ax.lines if len(line.get_xydata()) == 2]
    for row in counted.to_dict("records"):
        ends = [100 * row["difference_low"], 100 * row["difference_high"]]
        assert any(np.allclose(bar[:, 0], ends, equal_nan=True) for bar in bars)
    low, high = ax.get_xlim()
    shown = counted[["difference_low", "difference_high"]]
    assert low < 100 * shown.to_numpy().min() and 100 * shown.to_numpy().max() < high


def test_no_mark_covers_another_and_every_look_is_one_network(drawn, ground):
    (ax,) = drawn.axes
    places = ax.transData.transform(marks(ax, False))
    gaps = np.hypot(*np.moveaxis(places[:, None] - places, -1, 0)) + 1e9 * np.eye(len(places))
    assert gaps.min() > 3
    (legend,) = drawn.legends
    told = [text.get_text() for text in legend.get_texts()]
    looks = {(h.get_color(), h.get_marker()) for h in legend.legend_handles[:-1]}
    names = {
        ground.label(m) for c in ground.cells for m, r in c.methods.items() if ground.spikes(r)
    }
    assert len(looks) == len(told) - 1 and set(told) <= {*names, "hollow: less its twin"}


def test_the_numbers_that_it_says_are_the_tables(drawn, rows):
    counted = rows[rows["counted"] == "yes"]
    for why, n in rows.loc[rows["counted"] != "yes", "counted"].value_counts().items():
        assert f"{n} ({why})" in drawn.caption
    assert drawn.alt.count(" points") == len(counted) + counted["twin_difference"].notna().sum()
    assert drawn.alt.count("beside its graded twin") == counted["twin_difference"].notna().sum()


def test_of_one_seed_there_are_no_intervals_and_of_none_no_figure(ground):
    ends = [f"{name}_{end}" for name in ("difference", "twin") for end in ("low", "high")]
    one = Ground(ground.shared.assign(**dict.fromkeys(ends, np.nan)), ground.talks)
    with style():
        plate = answer_figure.figure(one, DELTA)
    assert "of one seed, without intervals" in plate.caption
    alone = Ground(ground.shared.assign(counted="one network"), ground.talks)
    with pytest.raises(NotMeasuredError):
        answer_figure.figure(alone, DELTA)
