"""The figure of frontiers: a panel a task that says what the table says, wide and narrow."""

import numpy as np
import pytest
from made.frontier_points import CURVES, crowded
from made.project import config

from whyspiking.plots.figures import style
from whyspiking.report import frontier_figure
from whyspiking.verdicts import advantage, frontiers

TITLES = {name: f"{name}: which?" for name in CURVES}


@pytest.mark.parametrize("narrow", [False, True])
def test_a_panel_says_and_draws_what_the_table_has(narrow):
    tables = [module.table(crowded(), config()["energy"]) for module in (frontiers, advantage)]
    with style():
        plate = frontier_figure.figure(*tables, TITLES, narrow=narrow)
        plate.draw_without_rendering()
    shown = [ax for ax in plate.axes if ax.axison]
    for ax, (task, title) in zip(shown, TITLES.items(), strict=True):
        row = tables[1].set_index(["task", "beside", "cost"]).loc[(task, "trained", "8kb_events")]
        (bar,) = [line for line in ax.lines if line.get_gid() == "bar"]
        np.testing.assert_allclose(1e3 * bar.get_xdata(), [row["mine"], row["theirs"]])
        times = max(row["ratio"], 1 / row["ratio"])
        told = f"spikes: {times:.{int(times < 9.95)}f} times {row['word']}"
        for said in (title, "no word yet" if task == "yinyang" else told):
            assert said in [text.get_text() for text in ax.texts] and said in plate.alt
        built = any("hand-built included" in text.get_text() for text in ax.texts)
        assert built == (task == "span"), "no row of a method stands in its place"
