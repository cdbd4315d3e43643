"""The figure of frontiers: a panel per task that says what the table says."""

import itertools

import numpy as np
from made.frontier_points import CURVES, crowded
from made.project import config
from matplotlib.backends.backend_agg import FigureCanvasAgg

from whyspiking.plots.figures import INK, style
from whyspiking.report import frontier_figure
from whyspiking.verdicts import advantage, frontiers

TITLES = {name: f"{name}: which group fired together?" for name in CURVES}


def drawn():
    """The figure of made-up networks, and what was read of them."""
    tables = [module.table(crowded(), config()["energy"]) for module in (frontiers, advantage)]
    with style():
        plate = frontier_figure.figure(*tables, TITLES)
        FigureCanvasAgg(plate).draw()
    return plate, tables[1].set_index(["task", "compared_with", "cost_model"])


def test_a_panel_says_and_draws_what_the_table_has():
    plate, read = drawn()
    shown = [ax for ax in plate.axes if ax.axison]
    for ax, task in zip(shown, TITLES, strict=True):
        row = read.loc[(task, "best_trained", frontier_figure.ACCOUNT)]
        texts = [text.get_text() for text in ax.texts]
        bars = [line for line in ax.lines if line.get_gid() == "bar"]
        ringed = [x for x in ax.lines if x.get_gid() == "rule" and x.get_mec() == INK]
        assert texts[0] == task
        if task == "yinyang":
            assert row["verdict"] == "not assessed" and not bars and len(ringed) == 1
            assert texts[2:4] == ["no energy verdict", "better: a rule (ring)"]
            continue
        (bar,) = bars
        np.testing.assert_allclose(1e3 * bar.get_xdata(), [row["cost_spiking"], row["cost_other"]])
        assert not ringed
        assert texts[2].startswith(f"{row['ratio']:.2g} × the energy [{row['ci_low']:.2g}, ")
        assert texts[3].startswith(f"at {100 * row['accuracy']:.0f} % accuracy, vs ")
    assert len(plate.alt) <= 300


def test_no_words_lie_on_others_and_all_lie_on_the_figure():
    plate, _ = drawn()
    boxes = [text.get_window_extent() for ax in plate.axes for text in ax.texts if text.get_text()]
    boxes += [ax.xaxis.get_tightbbox() for ax in plate.axes if ax.axison]
    boxes += [plate.legends[0].get_window_extent()]
    for one, two in itertools.combinations(boxes, 2):
        # Lines of one panel stand close.
        assert not one.padded(-1.5).overlaps(two.padded(-1.5))
    for box in boxes:
        assert box.x0 >= 0 and box.x1 <= plate.bbox.x1
