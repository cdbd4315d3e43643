"""The answer on one screen: sentences say what the tables hold, and would say something else."""

import re
from dataclasses import replace

import numpy as np
import pytest
from made.frontier_points import CURVES, UP, crowded, family, points, rule
from made.project import config

from whyspiking.report import first_screen, html
from whyspiking.report.first_screen import Answered
from whyspiking.report.run_page import RunPage
from whyspiking.verdicts import advantage, frontiers

TITLES = {name: f"{name.capitalize()}: which?" for name in (*CURVES, "t")}
HALF = [(cost, 0.75) for cost, _ in UP]


def answered(rows):
    return Answered(*(m.table(rows, config()["energy"]) for m in (frontiers, advantage)), TITLES)


def told(*rows):
    """Title, and the sentences as one text, of networks on one task."""
    found = answered(points(*rows))
    return found.title, " ".join(found.sentences)


def plain(markup):
    return " ".join(re.sub(r"<[^>]+>", " ", str(markup)).split())


def test_a_run_without_references_says_so_and_nothing_else():
    title, said = told()
    assert (title, said) == ("", "")
    screen = html.macros("first_screen")
    assert plain(screen.headline(title)) == "Why spiking?"
    brief = plain(screen.brief([], False, "keys.", ""))
    assert brief == (
        "No reference networks are in this run, so nothing is said of what spikes cost. "
        "Of the talks themselves: keys."
    )


def test_a_run_with_too_few_references_shows_the_recorded_ones_and_says_so(tmp_path):
    rows = points(family("lif"), family("twin", times=2.0), family("gated", times=4.0))
    rows = rows.assign(task="sound")
    few = rows[rows["seed"] == rows["seed"].min()]
    (tmp_path / "reference").mkdir()
    for name, module in (("frontiers", frontiers), ("advantage", advantage)):
        own = module.table(rows, config()["energy"])
        own.to_csv(tmp_path / f"reference/{name}.csv", index=False)
    opened = RunPage(tmp_path / "default", "default", {}, {}, {}, None)
    for given, recorded in ((few, True), (rows, False)):
        own = {n: m.table(given, config()["energy"]) for n, m in
               (("frontiers", frontiers), ("advantage", advantage))}  # fmt: skip
        found = replace(opened, tables=own)._answered
        assert found.recorded == recorded and len(found.advantage) > 0
    said = html.macros("first_screen").brief(["It costs."], True, "keys.", "")
    assert "Of the recorded reference networks: this run has too few" in plain(said)


@pytest.mark.parametrize(
    ("twin", "gated", "title", "best", "beside_twin"),
    [
        (2.0, 4.0, "for energy, whatever is counted", "cheaper on T (2 times)", "cheaper on T"),
        (4.0, 0.5, "not for energy so far", "dearer on T (2 times)", "cheaper on T (4 times)"),
        (1.0, 3.0, "not for energy so far", "no different on T;", "no different on T; clocked"),
        ((0.4, 1.0, 2.5), 9.0, "not for energy so far", "undecided on T;", "undecided on T;"),
    ],
)
def test_title_and_costs_follow_the_ratios(twin, gated, title, best, beside_twin):
    rows = [family("lif"), family("twin", times=twin), family("gated", times=gated)]
    head, said = told(*rows)
    assert head == title
    assert f"Beside the best without, at the same accuracy, spikes are {best}" in said
    assert f"Beside their graded twin, all but the spike, they are {beside_twin}" in said
    assert "Right answers after training, with spikes and without: T 100 and 100 %." in said


def test_what_the_clock_turns_is_said():
    title, said = told(family("lif", clock=90.0), family("gated", times=3.0))
    assert title == "whether for energy depends on what is counted"
    assert "spikes are cheaper on T (3 times); clocked dearer on T (4.7 times)." in said
    assert "they are held against nothing." in said, "there is no twin"


@pytest.mark.parametrize("short", ["lif", "gated"])
def test_who_does_not_reach_the_level_is_told(short):
    own = {"lif": UP, "gated": UP} | {short: HALF}
    title, said = told(*(family(name, networks) for name, networks in own.items()))
    right = "75 and 100" if short == "lif" else "100 and 75"
    assert f"T {right} %" in said and "without a common level on T" in said
    assert ("for right answers on T" in title) == (short == "gated")


def test_above_the_references_no_word_is_said():
    rows = [family("lif"), family("gated", times=4.0), rule("Own", [(0.5, 0.95)] * 3)]
    title, said = told(*rows)
    assert title == "no answer yet"
    assert "On T a talk’s method beats these networks with spikes" in said
    assert "cheaper" not in said and "held against nothing" in said


def test_the_screen_is_read_in_a_minute():
    found = answered(crowded())
    told = " ".join([found.title, *found.sentences])
    assert found.title == "for energy on 2 of 5 tasks, whatever is counted"
    assert len(found.sentences) == 3 and len(told.split()) <= 130
    for task in CURVES:
        assert task.capitalize() in told


def test_the_answer_in_full_has_every_comparison_and_what_was_claimed():
    row = {"says": "Time buys it.", "label": "holds", "verdict": "holds", "value": 0.999}
    row |= {"low": 0.998, "high": 1.0, "unit": "fraction"}
    against = {**row, "says": "It is free.", "verdict": "failed", "label": "not replicated"}
    found = answered(points(family("lif"), family("twin", times=2.0), family("gated", HALF)))
    markup = first_screen.words(found, [], {"time": [row], "price": [against]})
    said = plain(markup)
    assert "What time buys. Time buys it (99.90 % [99.80, 100.00])." in said
    assert "Expected, and not replicated (99.90 % [99.80, 100.00]): It is free." in said
    rows = [plain(x) for x in re.findall(r"<tr>(.*?)</tr>", markup, re.DOTALL)[1:]]
    assert [x.split(":")[0] for x in rows[:2]] == ["T its twin", "T gated units"]
    assert rows[0].count("0.5") >= 6 and "cheaper" in rows[0]
    assert rows[1].count("–") >= 6 and "without on 0" in rows[1]
    assert len(rows) == len(frontiers.OPPONENTS)
    assert np.isfinite(found.read["twin", "numbers", "t"]["ratio"])
