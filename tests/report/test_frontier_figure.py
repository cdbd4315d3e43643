"""The figure of frontiers: a panel a task that says what the table says, in all its forms."""

import itertools

import numpy as np
import pytest
from made.frontier_points import CURVES, crowded
from made.project import config
from matplotlib.backends.backend_agg import FigureCanvasAgg

from whyspiking.plots.figures import INK, style
from whyspiking.report import frontier_figure
from whyspiking.verdicts import advantage, frontiers

TITLES = {name: f"{name}: which group fired together?" for name in CURVES}


def drawn(*options):
    """The figure of made-up networks, and what was read of them."""
    tables = [module.table(crowded(), config()["energy"]) for module in (frontiers, advantage)]
    with style():
        plate = frontier_figure.figure(*tables, TITLES, *options)
        FigureCanvasAgg(plate).draw()
    return plate, tables[1].set_index(["task", "compared_with", "cost_model"])


@pytest.mark.parametrize("columns", frontier_figure.WIDTHS)
def test_a_panel_says_and_draws_what_the_table_has(columns):
    plate, read = drawn(columns)
    shown = [ax for ax in plate.axes if ax.axison]
    for ax, task in zip(shown, TITLES, strict=True):
        row = read.loc[(task, "best_trained", frontier_figure.ACCOUNT)]
        clocked = read.loc[(task, "best_trained", frontier_figure.CLOCKED)]
        texts = [text.get_text() for text in ax.texts]
        bars = [line for line in ax.lines if line.get_gid() == "bar"]
        ringed = [x for x in ax.lines if x.get_gid() == "rule" and x.get_mec() == INK]
        assert texts[0] == task
        if task == "yinyang":
            assert row["verdict"] == "not assessed" and not bars and len(ringed) == 1
            assert texts[2:4] == ["not assessed:", "a rule (ring) is better"]
            continue
        (bar,) = bars
        np.testing.assert_allclose(1e3 * bar.get_xdata(), [row["cost_spiking"], row["cost_other"]])
        assert not ringed
        for text, number in ((texts[2], row), (texts[3], clocked)):
            times = max(number["ratio"], 1 / number["ratio"])
            assert f"{times:.{int(times < 9.95)}f} ×" in text
            assert ("less" in text) == (number["verdict"] == "less")
        assert f"at {100 * row['accuracy']:.0f} % accuracy" in texts[4]
        # The best family of most data sets is named once, with one ratio.
        assert not (row["cheapest_family"] == "leaky_units" and texts[5])
    assert len(plate.alt) <= 300


@pytest.mark.parametrize("columns", frontier_figure.WIDTHS)
def test_no_words_lie_on_others_and_all_lie_on_the_figure(columns):
    plate, _ = drawn(columns)
    boxes = [text.get_window_extent() for ax in plate.axes for text in ax.texts if text.get_text()]
    boxes += [ax.xaxis.get_tightbbox() for ax in plate.axes if ax.axison]
    boxes += [plate.legends[0].get_window_extent()]
    for one, two in itertools.combinations(boxes, 2):
        # Lines of one panel stand close.
        assert not one.padded(-1.5).overlaps(two.padded(-1.5))
    for box in boxes:
        assert box.x0 >= 0 and box.x1 <= plate.bbox.x1
