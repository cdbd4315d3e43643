"""The answer on one screen: sentences say what the tables hold, and would say something else."""

import re
from dataclasses import replace

import numpy as np
import pytest
from made.frontier_points import CURVES, UP, built, crowded, family, points, rule
from made.project import config

from whyspiking.measures.accounting import MAIN
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


HELD = ", beside every opponent"
BY_ALL = "At equal accuracy, by all four energy accounts, "


@pytest.mark.parametrize(
    ("rows", "title", "costs"),
    [
        (
            [family("twin", times=2.0), family("gated", times=4.0)],
            "for energy, whatever is counted and compared",
            f"spikes are cheaper on T (2 times){HELD}.",
        ),
        (
            [family("twin", times=4.0), family("gated", times=0.5)],
            "if for energy, that depends on what is compared",
            "spikes are beside their graded twin cheaper on T (4 times); beside gated units dearer "
            "on T (2 times); beside all, even hand-built, dearer on T (2 times).",
        ),
        (
            [family("gated", times=3.0), built("by order", [(0.1, 1.0)])],
            "if for energy, that depends on what is compared",
            "spikes are beside gated units cheaper on T (3 times); beside all, even hand-built, "
            "dearer on T (37 times).",
        ),
        (
            [family("gated", times=0.5), built("lif", [(0.01, 1.0)])],
            "if for energy, that depends on what is compared",
            "spikes are beside gated units dearer on T (2 times); beside all, even hand-built, "
            "cheaper on T (180 times).",
        ),
        (
            [family("twin"), family("relu", times=0.5)],
            "not for energy so far",
            "spikes are beside their graded twin no different on T; beside ReLU units told at once "
            "dearer on T (2 times); beside all, even hand-built, dearer on T (2 times).",
        ),
        (
            [family("twin", times=(0.4, 1.0, 2.5))],
            "not for energy so far",
            "no word holds. Elsewhere seeds differ too much.",
        ),
        (
            [family("gated", HALF)],
            "for right answers on T; not for energy so far",
            "one side falls",
        ),
    ],
)
def test_a_word_is_said_beside_whom_no_account_turns_it(rows, title, costs):
    head, said = told(family("lif"), *rows)
    assert head == title
    assert costs in said and said.count(HELD) == (HELD in costs)
    assert "Right answers in %, with spikes and without: T 100 and " in said


def test_where_the_clock_turns_the_word_none_is_said():
    title, said = told(family("lif", clock=90.0), family("gated", times=3.0))
    assert title == "if for energy, that depends on what is counted"
    assert f"{BY_ALL}no word holds. Elsewhere accounts disagree." in said


def turned(found, other):
    """Words on costs of one answer that are turned in the tables of another."""
    for clause in other._costs(brief=False)[0].removeprefix(f"{BY_ALL}spikes are ").split("; "):
        one = [b for b, name in first_screen.BESIDES.items() if clause.startswith(f"beside {name}")]
        for says, names in re.findall(r"(cheaper|dearer|no different) on ([\w ,-]+)", clause):
            for task in re.findall(r"\b[A-Z][\w-]*", names):
                words = {
                    row["word"]
                    for (beside, cost, name), row in found.read.items()
                    if name == task.lower() and cost in MAIN and beside in (one or found.over)
                }
                if {first_screen.SAYS.get(word, word) for word in words - {""}} != {says}:
                    yield clause, task


def mixed(seed):
    """Five tasks, of families so many times as dear and so much dearer when clocked."""
    draw = np.random.default_rng(seed)
    rows = [
        family(name, task=task, times=float(times), clock=float(clock))
        for task in CURVES
        for name in ("lif", "twin", "gated", "relu")
        for times, clock in [draw.choice([(1, 1), (3, 1), (9, 1), (3, 8)])]
    ]
    return points(*rows, built("leaky", [(draw.choice([0.1, 100]), 1.0)], task="span"))


def test_a_sceptic_turns_no_sentence_and_would_turn_those_of_another_table():
    tables = [answered(mixed(seed)) for seed in range(6)]
    for found in tables:
        assert list(turned(found, found)) == []
        assert len(" ".join([found.title, *found.sentences]).split()) <= 120
    pairs = zip(tables, [*tables[1:], tables[0]], strict=True)
    assert all(list(turned(*pair)) for pair in pairs)


@pytest.mark.parametrize("short", ["lif", "gated"])
def test_who_does_not_reach_the_level_is_told(short):
    own = {"lif": UP, "gated": UP} | {short: HALF}
    title, said = told(*(family(name, networks) for name, networks in own.items()))
    right = "75 and 100" if short == "lif" else "100 and 75"
    assert f"T {right}." in said and "no word holds. Elsewhere one side falls short." in said
    assert ("for right answers on T" in title) == (short == "gated")
    title, _ = told(*(family(name, networks) for name, networks in own.items()), built("x", UP))
    assert "for right answers" not in title, "built by hand, they need no spikes"


def test_above_the_references_no_word_is_said():
    rows = [family("lif"), family("gated", times=4.0), rule("Own", [(0.5, 0.95)] * 3)]
    title, said = told(*rows)
    assert title == "no answer yet"
    assert "On T a talk’s method beats these, so no word on energy" in said
    assert "cheaper" not in said and "no word holds." in said


def test_who_is_set_fewer_than_two_tasks_with_time_is_named():
    def said(*rules):
        return " ".join(told(family("lif"), family("gated"), *rules)[1:])

    one = rule("One", [(1, 0.6)] * 3, task="sound")
    both = [rule("Both", [(1, 0.6)] * 3, task=x) for x in ("sound", "span_recall")]
    none = [rule(x, [(1, 0.6)] * 3, task="yinyang") for x in ("None", "None (BPTT)")]
    assert "task with time" not in said(*both)
    assert "None has no task with time." in said(*both, *none)
    assert "None and One have at most one task with time." in said(*both, *none, one)


def test_the_screen_is_read_in_a_minute():
    found = answered(crowded())
    told = " ".join([found.title, *found.sentences])
    assert found.title == "for energy on 1 of 5 tasks, whatever is counted and compared"
    assert len(found.sentences) == 3 and len(told.split()) <= 120
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
