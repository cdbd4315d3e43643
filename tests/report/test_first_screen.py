"""The answer on one screen: sentences say what the tables hold, and would say something else."""

import re
from dataclasses import replace

import numpy as np
import pytest
from made.frontier_points import CURVES, UP, built, crowded, family, points, rule
from made.markup import plain
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


def test_a_run_without_references_says_so_and_nothing_else():
    title, said = told()
    assert (title, said) == ("", "")
    screen = html.macros("first_screen")
    assert plain(screen.headline(title)) == "Why spiking?"
    brief = plain(screen.brief([], False, "keys.", ""))
    assert brief == (
        "No reference networks are in this run, so nothing is said of what spikes cost. "
        "The talks: keys."
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


TWIN, BEST = "leaky units without a spike", "the best, built or trained"
DEPENDS = "whether it saves energy depends on the rival"


@pytest.mark.parametrize(
    ("rows", "title", "costs"),
    [
        (
            [family("twin", times=2.0), family("gated", times=4.0)],
            "to save energy",
            "they need 2 times less energy on T.",
        ),
        (
            [family("twin", times=4.0), family("gated", times=0.5)],
            DEPENDS,
            f"2 times the energy on T. But beside {TWIN}, on T they need less.",
        ),
        (
            [family("gated", times=3.0), built("by order", [(0.1, 1.0)])],
            DEPENDS,
            f"3 times less energy on T. But beside {BEST}, on T they need more.",
        ),
        (
            [family("gated", times=0.5), built("lif", [(0.01, 1.0)])],
            DEPENDS,
            f"2 times the energy on T. But beside {BEST}, on T they need less.",
        ),
        (
            [family("twin"), family("relu", times=0.5)],
            "not to save energy, so far",
            f"2 times the energy on T. But beside {TWIN}, on T they need as much.",
        ),
        (
            [family("twin", times=(0.4, 1.0, 2.5))],
            "not to save energy, so far",
            "On T trainings differ too much to say.",
        ),
        (
            [family("gated", HALF)],
            "for right answers on T; not to save energy, so far",
            "On T one side gives too few right answers.",
        ),
    ],
)
def test_a_word_is_said_where_no_account_turns_it_with_the_rivals_that_do(rows, title, costs):
    head, said = told(family("lif"), *rows)
    assert head == title
    assert costs in said and said.count("But ") == costs.count("But ")


def test_where_the_clock_turns_the_word_none_is_said():
    title, said = told(family("lif", clock=90.0), family("gated", times=3.0))
    assert title == "whether it saves energy depends on how energy is counted"
    assert "On T it depends on how energy is counted." in said and "they need" not in said


def test_where_an_account_is_open_no_account_is_said_to_turn_the_word():
    def said(*rows):
        found = answered(points(family("lif"), *rows))
        over = found.advantage["over"].where(found.advantage["beside"] != "twin", "cheaper or open")
        return replace(found, advantage=found.advantage.assign(over=over))

    found = said(family("twin", times=2.0), family("gated", times=2.0))
    (turns,) = (x for x in found.costs() if x.startswith("But"))
    assert turns == f"But beside {TWIN}, on T they may need less."
    alone = said(family("twin", times=2.0))
    alone = replace(alone, advantage=alone.advantage.assign(over="cheaper or open"))
    (why,) = (x for x in alone.sentences if "On T" in x)
    assert why == "On T they may need less."
    both = answered(points(family("lif"), family("twin", times=2.0), family("gated")))
    over = both.advantage["beside"].map({"twin": "cheaper"}).fillna("dearer or open")
    both = replace(both, advantage=both.advantage.assign(over=over))
    assert "On T the rival decides." in both.sentences, "neither may hide the other"


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


def test_tasks_of_one_word_are_told_together_with_every_rival_that_turns_it():
    def read(told, before):
        listed = r"(?:,? ?(?:and )?(?!it|they)[A-Z][\w-]*)*"
        return re.findall(r"[A-Z][\w-]*", re.match(listed, told.partition(before)[2])[0])

    seen = set()
    for found in (answered(mixed(seed)) for seed in range(6)):
        told, best = " ".join(found.costs()), found.over["trained"]
        assert len(" ".join([found.title, *found.sentences]).split()) <= first_screen.WORDS
        for word, says in first_screen.SAYS.items():
            times = re.escape(says).replace(r"\{\}", r"[\d. to]+")
            before = re.search(rf"hey need {times} on ", told)
            own = [task for task, x in best.items() if x == word]
            assert (read(told, before[0]) if before else []) == own
        for rival, over in found.over.items():
            _, _, clause = told.partition(f"eside {first_screen.BESIDES[rival]}, ")
            clause = re.split("; beside|[.;]", clause)[0]
            said = {task: x for task, x in best.items() if x in first_screen.SAYS}
            turned = {task: over[task] for task, x in said.items() if over.get(task, x) != x}
            for word, less in [*first_screen.LESS.items(), ("", "it depends")]:
                own = [
                    t
                    for t, x in turned.items()
                    if x and (x if x in first_screen.SAYS else "") == word
                ]
                names = re.search(rf"on ((?:(?:,? and |, )?[A-Z][\w-]*)+) {less}", clause)
                assert (re.findall(r"[A-Z][\w-]*", names[1]) if names else []) == own
                seen |= {less} if own else set()
    assert len(seen) > 2


def test_right_answers_are_told_where_intervals_leave_out_that_both_are_alike():
    def reached(*rows, **tops):
        rows = [
            *(family(name, [(1, top)], task=task, seeds=(seed,))
              for task, both in tops.items()
              for name, own in zip(("lif", "gated"), both, strict=True)
              for seed, top in enumerate(own)),
            *rows,
        ]  # fmt: skip
        return answered(points(*rows))._reached()

    high, low, mixed = (0.9, 0.9, 0.91), (0.8, 0.8, 0.81), (0.8, 0.9, 0.85)
    assert "give 10 points fewer right answers on 1 of 2" in reached(
        span=(low, high), sound=(mixed, low)
    )
    assert "9 to 10 points more right answers on 2 of 2" in reached(
        span=(high, low), sound=((0.89, 0.89, 0.9), low)
    )
    both = reached(span=(high, low), sound=(low, high))
    assert (
        "10 points fewer right answers on 1 of 2 tasks and 10 points more right answers on 1"
        in both
    )
    assert "give surely neither more nor fewer right" in reached(span=(mixed, low))
    above = rule("Own", [(0.5, 0.99)] * 3, task="span")
    assert "surely neither" in reached(above, span=(low, high)), "no word is said of such a task"


@pytest.mark.parametrize("short", ["lif", "gated"])
def test_who_does_not_reach_the_level_is_told(short):
    own = {"lif": UP, "gated": UP} | {short: HALF}
    title, said = told(*(family(name, networks) for name, networks in own.items()))
    assert f"25 points {'fewer' if short == 'lif' else 'more'} right answers on 1 of 1" in said
    assert "On T one side gives too few right answers." in said
    assert ("for right answers on T" in title) == (short == "gated")
    title, _ = told(*(family(name, networks) for name, networks in own.items()), built("x", UP))
    assert "for right answers" not in title, "built by hand, they need no spikes"


def test_above_the_references_no_word_is_said():
    rows = [family("lif"), family("gated", times=4.0), rule("Own", [(0.5, 0.95)] * 3)]
    title, said = told(*rows)
    assert title == "no answer yet"
    assert "On T we cannot say yet." in said and "they need" not in said


def test_the_screen_is_read_in_a_minute():
    found = answered(crowded())
    told = " ".join([found.title, *found.sentences])
    assert found.title == "to save energy on 1 of 5 tasks"
    assert len(told.split()) <= first_screen.WORDS
    assert all(len(x.split()) <= 25 for x in found.sentences)


def test_the_answer_in_full_has_every_comparison_and_what_was_claimed():
    row = {"says": "Time buys it.", "label": "holds", "verdict": "holds", "value": 0.999}
    row |= {"low": 0.998, "high": 1.0, "unit": "fraction"}
    against = {**row, "says": "It is free.", "verdict": "failed", "label": "not replicated"}
    found = answered(points(family("lif"), family("twin", times=2.0), family("gated", HALF)))
    title = found.titles["t"]
    again = {first_screen.comparison(title, x): ("cheaper", "open") for x in ("twin", "gated")}
    markup = first_screen.words(found, [], {"time": [row], "price": [against]}, again)
    said = plain(markup)
    assert "What time buys. Time buys it (99.90 % [99.80, 100.00])." in said
    assert "Expected, and not replicated (99.90 % [99.80, 100.00]): It is free." in said
    rows = [plain(x) for x in re.findall(r"<tr>(.*?)</tr>", markup, re.DOTALL)[1:]]
    assert rows[0].startswith(f"T {TWIN} (twin)") and rows[1].startswith("T gated units:")
    assert rows[0].count("0.5") >= 6 and "cheaper trained again: open" in rows[0]
    assert said.count("trained again") == 1  # of the others the record has another word
    assert rows[1].count("–") >= 6 and "without on 0" in rows[1]
    assert len(rows) == len(frontiers.OPPONENTS)
    assert np.isfinite(found.read["twin", "numbers", "t"]["ratio"])
