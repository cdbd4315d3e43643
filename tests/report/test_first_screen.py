"""The sentences of the first screen state what the tables hold, whatever that is."""

import re
from dataclasses import replace

import numpy as np
import pytest
from made.frontier_points import CURVES, UP, built, crowded, family, points, rule
from made.markup import plain
from made.project import config
from scipy import special

from whyspiking.measures.accounting import MAIN
from whyspiking.records.reference import FOLDER
from whyspiking.report import first_screen, html
from whyspiking.report.first_screen import Comparisons
from whyspiking.report.run_page import RunPage
from whyspiking.verdicts import advantage, frontiers

TITLES = {name: f"{name.capitalize()}: which?" for name in (*CURVES, "t")}
TOO_LOW = [(cost, 0.75) for cost, _ in UP]
"""A family that does not reach the accuracy at which energies are compared."""


def compare(*rows):
    """Comparisons of networks whose tables are made from these points."""
    return compare_points(points(*rows))


def compare_points(table):
    """Comparisons of the networks of a table of points."""
    tables = [module.table(table, config()["energy"]) for module in (frontiers, advantage)]
    return Comparisons(*tables, TITLES)


def read_numbers(sentence):
    """The numbers of a sentence in their order."""
    digits = sentence.replace("less on none", "less on 0").replace("−", "-")
    return [float(x) for x in re.findall(r"-?\d+(?:\.\d+)?", digits)]


def find_sentence(comparisons, beginning):
    sentences = (*comparisons.sentences, *comparisons.family_sentences)
    (sentence,) = (x for x in sentences if x.startswith(beginning))
    return sentence


def make_random_tasks(seed):
    """Five tasks with families of random cost, and random additional cost when clock-driven."""
    draw = np.random.default_rng(seed)
    rows = [
        family(name, task=task, times=float(times), clock=float(clock))
        for task in CURVES
        for name in ("lif", "leaky_units", "gru", "relu")
        for times, clock in [draw.choice([(1, 1), (3, 1), (9, 1), (3, 8)])]
    ]
    return compare(*rows, built("leaky", [(draw.choice([0.1, 100]), 1.0)], task="span"))


def count_words(table, competitor):
    """Verdicts of all comparisons with a competitor, counted in the table of the file."""
    is_counted = (table["subject"] == "spikes") & (table["compared_with"] == competitor)
    return table[is_counted & table["cost_model"].isin(MAIN)]["verdict"].value_counts()


def check_against_table(comparisons):
    """Every number of the sentences on energy follows from the table, computed another way."""
    table = comparisons.advantage
    best = table[(table["subject"] == "spikes") & (table["compared_with"] == "best_trained")]
    best = best[best["cost_model"].isin(MAIN)]
    is_assessed = ~best["verdict"].isin(["", "not assessed"])
    low, high, n_costs = read_numbers(find_sentence(comparisons, "At equal accuracy"))
    assert n_costs == 4
    ratios = best[is_assessed]["ratio"]
    assert [low, high] == pytest.approx([ratios.min(), ratios.max()], rel=0.06)
    for competitor in comparisons.competitors:
        words = count_words(table, competitor)
        if (
            competitor == "best_trained"
            or not words.drop(["", "not assessed"], errors="ignore").sum()
        ):
            continue
        name = first_screen.COMPETITORS[competitor]
        is_last = competitor == "best_overall"
        begins = "If hand-designed networks" if is_last else f"Compared with {name} only"
        sentence = find_sentence(comparisons, begins)
        counts = [float(x) for x in re.findall(r" (?:in|of) (\d+)", sentence)]
        unclear = words.get("inconclusive", 0) + words.get("no difference", 0)
        less, more = words.get("less", 0), words.get("more", 0)
        assert counts == [less, less + more + unclear, more, unclear]
        less = table[(table["subject"] == "spikes") & (table["compared_with"] == competitor)]
        less = less[less["cost_model"].isin(MAIN) & (less["verdict"] == "less")]["task"].unique()
        shown = (
            re.search(r"less energy in \d+ of \d+ comparisons(?: \((.*?)\))? and", sentence)[1]
            or ""
        )
        names = [
            title.split()[0].rstrip(":") for t, title in comparisons.titles.items() if t in less
        ]
        assert shown == ", ".join(names)
    by_task = best[is_assessed].groupby("task")["verdict"].agg(set)
    n_tasks = best["task"].nunique()
    expected = [sum(by_task == {"more"}), n_tasks, sum(by_task == {"less"})]
    assert read_numbers(comparisons.title) == expected


@pytest.mark.parametrize("seed", range(4))
def test_the_sentences_count_what_the_table_holds(seed):
    check_against_table(make_random_tasks(seed))


def test_the_sentences_on_the_reference_results_follow_from_their_tables():
    comparisons = first_screen.recorded(FOLDER)
    check_against_table(comparisons)
    networks = comparisons.networks
    trained = networks[networks["network_type"] == "trained"]
    worse, means = 0, []
    for _, own in trained.groupby("task"):
        sides = [own[own["family"] == "lif"], own[own["family"] != "lif"]]
        best = [
            x.loc[x.groupby("seed")["validation_accuracy"].idxmax()].set_index("seed")
            for x in sides
        ]
        difference = (best[0]["test_accuracy"] - best[1]["test_accuracy"]).dropna()
        error = difference.std() / np.sqrt(len(difference))
        means.append(100 * difference.mean())
        worse += difference.mean() + special.stdtrit(len(difference) - 1, 0.975) * error < 0
    n_better, n_tasks, n_worse, *ends = read_numbers(find_sentence(comparisons, "A computational"))
    assert (n_better, n_tasks, n_worse) == (0, len(means), worse)
    assert ends == pytest.approx([min(means), max(means)], abs=0.051)


def test_a_run_without_baselines_says_so_and_nothing_else():
    comparisons = compare()
    assert (comparisons.title, comparisons.sentences) == ("", [])
    screen = html.macros("first_screen")
    assert plain(screen.headline(comparisons.title)) == "Why spiking?"
    brief = plain(screen.brief([], False, "keys.", ""))
    assert brief == (
        "This run has no baseline networks, so it says nothing about the energy of spikes. "
        "Replications. keys."
    )


def test_a_run_with_too_few_networks_shows_the_reference_results_and_says_so(tmp_path):
    rows = points(family("lif"), family("leaky_units", times=2.0), family("gru", times=4.0))
    rows = rows.assign(task="sound")
    few = rows[rows["seed"] == rows["seed"].min()]
    (tmp_path / "reference").mkdir()
    for name, module in (("frontiers", frontiers), ("advantage", advantage)):
        table = module.table(rows, config()["energy"])
        table.to_csv(tmp_path / f"reference/{name}.csv", index=False)
    opened = RunPage(tmp_path / "default", "default", {}, {}, {}, None)
    for given, is_recorded in ((few, True), (rows, False)):
        tables = {
            "frontiers": frontiers.table(given, config()["energy"]),
            "advantage": advantage.table(given, config()["energy"]),
        }
        found = replace(opened, tables=tables)._comparisons
        assert found.is_recorded == is_recorded and len(found.advantage) > 0
    brief = html.macros("first_screen").brief(["It costs."], True, "keys.", "")
    assert "These are the reference results, because this run has too few" in plain(brief)


def test_what_is_not_assessed_is_counted_with_the_network_that_is_better():
    better = rule("Own", [(0.5, 0.95)] * 3)
    comparisons = compare(family("lif"), family("gru", times=4.0), better)
    assert comparisons.title == first_screen.NO_TITLE
    sentence = find_sentence(comparisons, "Not assessed")
    assert sentence.endswith(": T under 4 of 4 cost models (Own).")
    assert not [x for x in comparisons.sentences if x.startswith("At equal")]
    assert comparisons.family_sentences == []


def test_accuracy_that_only_one_side_reaches_gives_no_verdict():
    comparisons = compare(family("lif"), family("gru", TOO_LOW))
    assert comparisons.title == first_screen.NO_TITLE
    assert read_numbers(find_sentence(comparisons, "A computational"))[:3] == [1, 1, 0]


def test_tasks_without_a_clear_difference_in_accuracy_are_named():
    comparisons = compare(family("lif"), family("gru", times=4.0))
    assert "; there was no clear difference on T." in find_sentence(comparisons, "A computational")


def test_the_first_screen_is_short():
    comparisons = compare_points(crowded())
    assert len(comparisons.title.split()) <= 22
    assert all(len(x.split()) <= 40 for x in " ".join(comparisons.sentences).split(". "))


def test_the_lowest_and_the_highest_ratio_are_named_with_their_tasks():
    comparisons = compare(family("lif", times=7.0), family("gru"), family("relu", times=0.5))
    sentence = find_sentence(comparisons, "At equal accuracy")
    assert "between 14 times (T) and 14 times (T)" in sentence


@pytest.mark.parametrize(("times", "depends"), [(100, False), (0.1, True)])
def test_the_conclusions_count_verdicts_and_name_training_only_if_it_matters(times, depends):
    """A hand-designed network that needs little energy changes the verdict."""
    designed = built("leaky", [(times, 1.0)])
    networks = family("lif", times=0.5), family("gru"), family("leaky_units", times=2.0)
    said = compare(*networks, designed).conclusions
    assert "needed less energy in 4 of 4 comparisons (a task" in said["engineers"]
    assert "Compared with GRUs only, they needed less energy in 4 of 4 (T)." in said["engineers"]
    assert (first_screen.TRAINING in said["neuroscientists"]) == depends
    assert compare().conclusions == {}


def test_a_planted_verdict_changes_the_sentences():
    comparisons = make_random_tasks(0)
    planted = comparisons.advantage.copy()
    planted.loc[planted["compared_with"] == "best_trained", "verdict"] = "less"
    changed = replace(comparisons, advantage=planted)
    assert changed.title != comparisons.title
    check_against_table(changed)
