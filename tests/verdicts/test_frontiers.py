"""Hulls and what is read of them, on tables whose answers are known by construction."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made.frontier_points import SEEDS, UP, built, family, point, points, rule
from made.project import config

from whyspiking.measures.accounting import MAIN
from whyspiking.records import columns
from whyspiking.verdicts import advantage, frontiers
from whyspiking.verdicts.advantage import CHEAPER, DEARER, NO_DIFFERENCE, ONE_IS_NONE, OPEN
from whyspiking.verdicts.frontiers import COSTS, Frontier

ENERGY = config()["energy"]
NUMBERS = st.lists(
    st.tuples(st.floats(0.125, 100, width=16), st.floats(0, 1, width=16)), min_size=1, max_size=12
)


def read(*rows, beside="everything", who="spikes"):
    """Cost -> its row of advantage.csv."""
    table = advantage.table(points(*rows), ENERGY)
    assert table.columns.to_list() == columns.ADVANTAGE.names
    own = table[(table["beside"] == beside) & (table["who"] == who)]
    return own.set_index("cost").to_dict("index")


# ---- hulls ---------------------------------------------------------------------------------------


def test_corners_by_hand():
    cost, accuracy = np.array([1.0, 2, 3, 4, 2]), np.array([0.7, 0.75, 0.9, 0.85, 0.72])
    # 2 lies below the line from 1 to 3; 4 is dearer and worse
    assert frontiers.corners(cost, accuracy, 0.5) == [0, 2]
    assert frontiers.corners(cost, accuracy, 0.9) == []


@given(NUMBERS, st.tuples(st.floats(0, 50), st.floats(0, 1)))
def test_what_is_dearer_and_worse_changes_nothing(networks, more):
    cost, accuracy = np.array(networks).T
    kept = frontiers.corners(cost, accuracy, 0.25)
    worse = cost[0] + more[0], accuracy[0] * more[1]
    again = frontiers.corners(np.append(cost, worse[0]), np.append(accuracy, worse[1]), 0.25)
    assert again == kept
    x, y = np.append(0, cost[kept]), np.append(0.25, accuracy[kept])
    assert (np.diff(x) > 0).all() and (np.diff(y) > 0).all()
    assert (np.diff(np.diff(y) / np.diff(x)) < 0).all()
    assert (np.interp(cost, x, y) >= accuracy - 1e-9).all()


def test_corners_are_chosen_by_validation_and_told_with_test():
    rows = [point(1, 0.8, test=0.6), point(2, 0.9, test=0.85), point(3, 0.85, test=1.0)]
    front = Frontier.of(points(rows), "numbers")
    np.testing.assert_array_equal(front.cost, [0, 1, 2])
    np.testing.assert_array_equal(front.accuracy, [0.5, 0.6, 0.85])
    assert front.least(0.55)[0] == pytest.approx(0.5)  # a coin on half of the trials
    assert front.least(0.725) == (pytest.approx(1.5), 1)
    assert front.at([0.5, 9]) == pytest.approx([0.55, 0.85])
    assert np.isnan(front.least(0.9)[0])
    assert front.least(0.5) == (0.0, None)


# ---- readings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("times", "word"), [(2.0, DEARER), (1.0, NO_DIFFERENCE), (0.5, CHEAPER)])
@pytest.mark.parametrize("beside", ["twin", "gated", "everything"])
def test_a_family_that_is_so_much_dearer_everywhere(times, word, beside):
    other = "relu" if beside == "everything" else beside
    found = read(family("lif", times=times), family(other), beside=beside)
    assert set(found) == set(COSTS)
    for row in found.values():
        ends = [row[name] for name in ("ratio", "low", "high")]
        assert ends == pytest.approx([times] * 3)
        assert (row["word"], row["over"], row["made_by"], row["why"]) == (word, word, other, "")
        assert (row["way"], row["level"], row["seeds"]) == (0.95, pytest.approx(0.975), 3)
    assert found["numbers"]["mine"] == pytest.approx(times * 3.5)


def test_the_level_is_the_highest_that_both_reach_on_every_seed():
    weak = [(1, 0.7), (2, 0.96)]
    rows = [*family("lif", weak, seeds=(0,)), *family("lif", seeds=(1, 2)), *family("relu")]
    row = read(rows)["numbers"]
    assert (row["way"], row["level"]) == (0.9, pytest.approx(0.95))
    assert row["why"] == "at 0.95 reached with spikes on 2 of 3 seeds, without on 3"
    assert row["ratio"] == pytest.approx((2 * (0.45 / 0.46) / 3) ** (1 / 3))


def test_who_misses_the_lowest_level_on_a_seed_has_no_ratio():
    rows = [*family("lif", [(1, 0.7)], seeds=(0,)), *family("lif", seeds=(1, 2)), *family("relu")]
    row = read(rows)["8kb_events"]
    assert (row["way"], row["word"], row["over"]) == (0.8, "", "")
    assert (row["reached"], row["reached_theirs"]) == (2, 3)
    assert np.isnan(row["ratio"])


def test_seeds_are_paired_at_the_level_of_each():
    """Costs differ tenfold between seeds and their ratio not at all; a seed of one side is out."""
    rows = [family(name, seeds=(s,), times=10.0**s * t) for s in SEEDS for name, t in PAIR]
    found = read(*rows, family("lif", seeds=(7,), times=99.0))
    assert [found["numbers"][x] for x in ("ratio", "low", "high")] == pytest.approx([1.5] * 3)
    assert found["numbers"]["seeds"] == 3


PAIR = (("lif", 1.5), ("gated", 1.0))


@given(st.permutations([1.0, 1.7, 0.4]), st.sampled_from(COSTS))
def test_the_ratio_turned_round_is_its_inverse(times, cost):
    one = [row for s in SEEDS for row in family("lif", seeds=(s,), times=times[s])]
    other = family("twin")
    turned = [row | {"family": {"lif": "twin", "twin": "lif"}[row["family"]]} for row in one + other]
    here, there = (read(rows, beside="twin")[cost] for rows in (one + other, turned))
    assert here["ratio"] * there["ratio"] == pytest.approx(1)
    assert here["low"] * there["high"] == pytest.approx(1)
    assert here["word"] == there["word"] == OPEN


def test_built_networks_stand_beside_everything_on_all_seeds_and_beside_no_family():
    rows = [family("lif"), family("twin"), built("lif", 0.5, 1.0), built("by order", 0.25, 1.0)]
    found = read(*rows)["numbers"]
    assert (found["ratio"], found["made_by"]) == (pytest.approx(2), "by order")
    assert read(*rows, beside="twin")["numbers"]["ratio"] == pytest.approx(1)


def test_words_depend_on_who_is_clocked_and_on_memory():
    clocked = read(family("lif", times=0.5, clock=8.0), family("relu"))
    assert [clocked[name]["word"] for name in MAIN] == [CHEAPER, DEARER] * 2
    assert clocked["8kb_events"]["over"] == "depends on: clock or events?"
    words = dict(zip(MAIN, (DEARER, DEARER, DEARER, OPEN), strict=True))
    assert advantage.over(words) == "depends on: clock or events? memory?"
    free = words | {"8kb_clocked": DEARER, "updates_free": CHEAPER}
    assert advantage.over(free) == "depends on: updates free?"


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([family("lif")], "no such networks on the same seeds"),
        ([family("lif"), family("twin", seeds=(8, 9))], "no such networks on the same seeds"),
        ([family("lif", seeds=(1,)), family("twin", seeds=(1,))], ONE_IS_NONE),
        ([family(n, [(1, 0.51)], test=0.5) for n in ("lif", "twin")], ONE_IS_NONE),
    ],
)
def test_why_there_is_no_word(rows, why):
    for row in read(*rows, beside="twin").values():
        assert (row["word"], row["why"]) == ("", why)
        assert np.isnan(row["ratio"])


# ---- methods of the talks ------------------------------------------------------------------------


def test_a_rule_is_so_many_times_as_dear_as_the_lif_frontier_at_its_accuracy():
    weak = rule("weak", [(2, 0.6)] * 3)
    rows = [family("lif"), rule("mine", [(6, 0.9)] * 3), weak, rule("other", [(6, 0.9)] * 2, (8, 9))]
    for who in ("mine", "other"):
        row = read(*rows, beside="lif", who=who)["operations_events"]
        assert (row["ratio"], row["word"]) == (pytest.approx(3), DEARER)
        assert (row["gap"], row["way"]) == (pytest.approx(-0.1), pytest.approx(0.8))
    row = read(*rows, beside="lif", who="weak")["operations_events"]
    assert (row["word"], row["why"][:10]) == ("", "below half")


def test_words_are_withheld_where_a_rule_lies_above_the_lif_frontier():
    rows = [family("lif"), family("relu")]
    high = [(1, 0.8), (1, 0.81), (1, 0.82)]
    found = read(*rows, rule("high", high))["8kb_events"]
    assert (found["word"], found["why"]) == ("withheld", "high: above the lif frontier")
    for unclear in (high[:1], [(1, 0.6), (1, 0.81), (1, 0.82)]):
        seeds = SEEDS[: len(unclear)]
        assert read(*rows, rule("high", unclear, seeds))["8kb_events"]["word"] == NO_DIFFERENCE


def test_the_table_of_points_names_corners():
    both = points(family("lif"), family("lif", [(3, 0.92)], seeds=(0,)), built("lif", 1, 1.0))
    found = frontiers.table(both, ENERGY)
    assert found.columns.to_list() == columns.FRONTIERS.names
    named = found["vertex"].str.split().to_list()
    assert named == [list(MAIN)] * 3 * len(UP) + [[]] * 2
    ratio = found["8kb_events"] / found["operations_events"]
    np.testing.assert_allclose(ratio, ratio[0])
    assert all(column.says for column in (*columns.FRONTIERS.columns, *columns.ADVANTAGE.columns))
