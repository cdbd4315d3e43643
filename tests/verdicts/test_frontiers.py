"""Hulls and what is read of them, on tables whose answers are known by construction."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made.frontier_points import UP, built, family, point, points, rule
from made.project import config

from whyspiking.measures.accounting import MAIN
from whyspiking.records import columns
from whyspiking.verdicts import advantage, frontiers
from whyspiking.verdicts.advantage import INCONCLUSIVE, LESS, MORE, NO_DIFFERENCE, NONE_ABOVE_CHANCE
from whyspiking.verdicts.frontiers import COMPETITORS, COSTS, Frontier

MISSED = (
    "relative accuracy 0.95 reached by spiking networks on {} and by non-spiking networks on 3 of 3"
)
"""Comment on a level that not all spiking networks reach."""


def read(*rows, beside="best_overall", who="spikes"):
    """Cost -> its row of advantage.csv."""
    table = advantage.table(points(*rows), config()["energy"])
    assert table.columns.to_list() == columns.OF_A_RUN["advantage.csv"].names
    return (
        table.query("compared_with == @beside and subject == @who")
        .set_index("cost_model")
        .to_dict("index")
    )


# ---- hulls ---------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.floats(0.125, 100, width=16), st.floats(0, 1, width=16)), min_size=1),
    st.tuples(st.floats(0, 50), st.floats(0, 1)),
)
def test_what_is_dearer_and_worse_changes_nothing_on_a_concave_hull(networks, more):
    cost, accuracy = np.array(networks).T
    kept = frontiers.corners(cost, accuracy, 0.25)
    worse = np.append(cost, cost[0] + more[0]), np.append(accuracy, accuracy[0] * more[1])
    assert frontiers.corners(*worse, 0.25) == kept
    x, y = np.append(0, cost[kept]), np.append(0.25, accuracy[kept])
    slopes = np.diff(y) / np.diff(x)
    assert min(slopes, default=1) > 0 and (np.diff(slopes) < 0).all()
    assert (np.interp(cost, x, y) >= accuracy - 1e-9).all()


def test_corners_are_chosen_by_validation_and_told_with_test():
    own = [(1, 0.8, 0.6), (1.5, 0.82, 0.99), (2, 0.9, 0.85), (3, 0.85, 1.0)]
    front = Frontier.of(points([point(c, v, test_accuracy=t) for c, v, t in own]), "n_parameters")
    assert [front.cost.tolist(), front.accuracy.tolist()] == [[0, 1, 2], [0.5, 0.6, 0.85]]
    # At 0.55 the smaller network on half of the trials and a coin on the other half.
    found, rows = zip(*(front.least(level) for level in (0.5, 0.55, 0.725, 0.9)), strict=True)
    assert (found, rows) == (pytest.approx([0, 0.5, 1.5, np.nan], nan_ok=True), (None, 0, 2, None))
    assert front.at([0.5, 9]) == pytest.approx([0.55, 0.85])


def test_the_table_of_points_names_corners():
    rows = family("lif"), family("lif", [(3, 0.92)], seeds=(0,)), built("lif", [(1, 1)])
    found = frontiers.table(points(*rows), config()["energy"])
    assert found.columns.to_list() == columns.OF_A_RUN["frontiers.csv"].names
    assert (
        found["pareto_optimal_under"].str.split().to_list() == [list(MAIN)] * 3 * len(UP) + [[]] * 4
    )


# ---- readings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("times", "word"), [(2.0, MORE), (1.0, NO_DIFFERENCE), (0.5, LESS)])
@pytest.mark.parametrize("beside", COMPETITORS)
def test_a_family_that_is_so_much_dearer_everywhere(times, word, beside):
    other = beside if beside in ("leaky_units", "gru") else "relu"
    found = read(family("lif", times=times), family(other), beside=beside)
    for row in map(found.get, COSTS):
        assert [row[x] for x in ("ratio", "ci_low", "ci_high")] == pytest.approx([times] * 3)
        assert (
            row["verdict"],
            row["verdict_all_cost_models"],
            row["cheapest_family"],
            row["relative_accuracy"],
        ) == (word, word, other, 0.95)
    assert found["n_parameters"]["cost_spiking"] == pytest.approx(times * 3.5)


@pytest.mark.parametrize(
    ("weak", "way", "ratio"),
    [([(2, 0.96)], 0.9, (2 * 0.45 / 0.46 / 3) ** (1 / 3)), ([(1, 0.7)], 0.8, np.nan)],
)
def test_the_level_is_the_highest_that_both_reach_on_every_seed(weak, way, ratio):
    rows = family("lif", weak, seeds=(0,)), family("lif", seeds=(1, 2)), family("relu")
    row = read(*rows)["memory_8kb_event_driven"]
    assert (row["relative_accuracy"], row["ratio"]) == (way, pytest.approx(ratio, nan_ok=True))
    assert (row["verdict"] == row["verdict_all_cost_models"] == "", row["n_reached_spiking"]) == (
        way == 0.8,
        2 + (way > 0.8),
    )
    assert row["comment"].startswith(MISSED.format(2))


def test_the_level_follows_from_validation_accuracy():
    """The best networks have 1.0 on validation and 0.98 on test data, and chance is 0.5."""
    for row in read(family("lif", test_accuracy=0.98), family("relu", test_accuracy=0.98)).values():
        assert (row["relative_accuracy"], row["accuracy"]) == (
            0.95,
            pytest.approx(0.5 + 0.95 * (1.0 - 0.5)),
        )


def test_a_level_that_is_missed_under_one_cost_model_is_not_reached():
    """The network with 1.0 on test data is a corner only where the other one is clock-driven."""
    spiking = [
        *family("lif", [(2, 0.99)], test_accuracy=1.0),
        *family("lif", [(1, 1.0)], clock=16.0, test_accuracy=0.9),
    ]
    for row in read(spiking, family("relu")).values():
        assert (row["relative_accuracy"], row["accuracy"]) == (0.8, pytest.approx(0.9))
        assert row["comment"].startswith(MISSED.format(0))


def test_seeds_are_paired_at_the_level_of_each():
    """Costs differ tenfold between seeds and their ratio not at all; a seed of one side is out."""
    rows = family("lif", times=[1.5, 15, 150]), family("gru", times=[1, 10, 100])
    row = read(*rows, family("lif", seeds=(7,), times=99.0))["n_parameters"]
    assert [row[x] for x in ("ratio", "ci_low", "ci_high", "n_seeds")] == pytest.approx(
        [1.5, 1.5, 1.5, 3]
    )


@settings(max_examples=20, deadline=None)
@given(st.permutations([1.0, 1.7, 0.4]), st.sampled_from(COSTS))
def test_the_ratio_turned_round_is_its_inverse(times, cost):
    here, there = (
        read(family(a, times=times), family(b), beside="leaky_units")[cost]
        for a, b in (("lif", "leaky_units"), ("leaky_units", "lif"))
    )
    assert [here["ratio"] * there["ratio"], here["ci_low"] * there["ci_high"]] == pytest.approx(
        [1, 1]
    )
    assert here["verdict"] == there["verdict"] == INCONCLUSIVE


def test_built_networks_stand_beside_everything_on_all_seeds_and_beside_no_family():
    rows = [
        family("lif"),
        family("leaky_units"),
        built("lif", [(0.5, 1)]),
        built("by order", [(0.25, 1)]),
    ]
    for beside, made_by, ratio in (
        ("best_overall", "by order", 2),
        ("leaky_units", "leaky_units", 1),
    ):
        row = read(*rows, beside=beside)["n_parameters"]
        assert (row["cheapest_family"], row["ratio"]) == (made_by, pytest.approx(ratio))


def test_words_depend_on_who_is_clocked_and_on_memory():
    clocked = read(family("lif", times=0.5, clock=16.0), family("relu"))
    assert [clocked[name]["verdict"] for name in MAIN] == [LESS, MORE] * 2
    assert (
        clocked["memory_8kb_event_driven"]["verdict_all_cost_models"] == "depends on: update model"
    )
    alike = dict.fromkeys(MAIN, MORE)
    either = alike | {"memory_8kb_clock_driven": LESS}
    assert advantage.over(either) == "depends on: update model, memory"
    assert advantage.over(alike | {"free_updates": LESS}) == "depends on: cost of updates"
    both = dict(zip(MAIN, (LESS, INCONCLUSIVE, INCONCLUSIVE, MORE), strict=True))
    assert advantage.over(both) == "depends on: update model, memory"


def test_what_is_open_under_an_account_depends_on_nothing():
    assert advantage.over(dict.fromkeys(MAIN, INCONCLUSIVE)) == INCONCLUSIVE
    assert (
        advantage.over(dict.fromkeys(MAIN, MORE) | {"memory_8kb_clock_driven": INCONCLUSIVE})
        == "more or inconclusive"
    )
    clocks = enumerate((0.1, 1.0, 8.0))
    rows = read(*(family("lif", times=0.5, seeds=(k,), clock=c) for k, c in clocks), family("relu"))
    assert {rows[name]["verdict"] for name in MAIN} == {LESS, INCONCLUSIVE}
    assert rows["memory_8kb_event_driven"]["verdict_all_cost_models"] == "less or inconclusive"


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([family("lif")], "the two sides have no networks with the same seeds"),
        (
            [family("lif"), family("leaky_units", seeds=(8, 9))],
            "the two sides have no networks with the same seeds",
        ),
        ([family("lif", seeds=(1,)), family("leaky_units", seeds=(1,))], NONE_ABOVE_CHANCE),
        (
            [family(n, [(1, 0.51)], test_accuracy=0.5) for n in ("lif", "leaky_units")],
            NONE_ABOVE_CHANCE,
        ),
    ],
)
def test_why_there_is_no_word(rows, why):
    for row in read(*rows, beside="leaky_units").values():
        assert (row["verdict"], row["comment"], np.isnan(row["ratio"])) == ("", why, True)


# ---- methods of the talks ------------------------------------------------------------------------


def test_what_a_rule_gives_away_to_frontiers_its_size_and_its_counterpart():
    """Frontiers have 0.75, 0.9 and 1 at 1, 2 and 4, which are their units as well."""
    rows = [family("lif"), family("relu", times=0.5), built("lif", [(0.1, 0.55)])]
    rows += [rule("mine", [(3, 0.8), (3, 0.82), (3, 0.84)], counterpart="whole")]
    rows += [rule("whole", [(3, 0.9), (3, 0.91), (3, 0.95)])]

    def gap(beside, cost="", who="mine"):
        row = read(*rows, beside=beside, who=who)[cost]
        assert (
            row["accuracy_difference_low"]
            < row["accuracy_difference"]
            < row["accuracy_difference_high"]
        )
        return row["accuracy_difference"]

    assert gap("lif", "memory_8kb_event_driven") == pytest.approx(0.82 - 0.95)
    assert gap("best_overall", "memory_8kb_clock_driven") == pytest.approx(0.82 - 1.0)
    assert gap("equal_size") == pytest.approx(0.82 - (0.9 + 0.1 * np.log2(3 / 2)))
    assert gap("end_to_end") == pytest.approx(0.82 - 0.92)
    assert "" in read(*rows, beside="equal_size", who="whole")
    assert not read(*rows, beside="end_to_end", who="whole"), "it is the counterpart"


def test_a_rule_that_is_not_above_guessing_gives_nothing_away_and_shares_are_told():
    weak = rule("weak", [(2, 0.5), (2, 0.52), (2, 0.49)])
    half = rule("half", [(2, 0.9), (2, 0.85), (2, 0.7)])
    row = read(family("lif"), weak, half, beside="lif", who="weak")[""]
    assert (row["comment"], np.isnan(row["accuracy_difference"])) == ("not above chance", True)
    little = [family("lif"), rule("little", [(2, 0.6), (2, 0.62), (2, 0.64)])]
    assert (
        read(*little, beside="lif", who="little")[""]["comment"]
        == "less than half of the range from chance to the best accuracy"
    )
    assert not read(*little, beside="best_overall", who="little"), "so low it has no price"
    assert read(*little, beside="equal_size", who="little")[""]["accuracy_difference"] < 0
    row = read(family("lif"), weak, half, beside="equal_size", who="half")[""]
    assert (row["n_reached_spiking"], row["n_seeds"]) == (2, 3)
    too_large = read(family("lif"), rule("r", [(9, 0.9)] * 3), beside="equal_size", who="r")
    assert not too_large, "no reference is as large"


@pytest.mark.parametrize(
    ("networks", "better"),
    [
        ([(1, 0.8), (1, 0.81), (1, 0.82)], True),
        ([(1, 0.8)], False),
        ([(1, 0.6), (1, 0.81), (1, 0.82)], False),
    ],
)
def test_a_comparison_is_not_assessed_where_a_method_is_better_than_the_baselines(networks, better):
    row = read(family("lif"), family("relu"), rule("r", networks))["memory_8kb_event_driven"]
    assert (row["verdict"] == row["verdict_all_cost_models"] == "not assessed") == better
    assert row["comment"].startswith("r: more accurate") == better


def test_a_method_that_is_better_under_one_cost_model_leaves_the_other_verdicts():
    """The method needs sixteen times as much where every unit is updated in every step."""
    better_event_driven = rule("r", [(1, 0.8), (1, 0.81), (1, 0.82)], clock=16.0)
    rows = read(family("lif", times=2.0), family("relu"), better_event_driven)
    words = {name: rows[name]["verdict"] for name in MAIN}
    event_driven = [name for name in MAIN if name.endswith("event_driven")]
    assert words == {name: "not assessed" if name in event_driven else MORE for name in MAIN}
    expected = f"{MORE}; not assessed under operations_event_driven, memory_8kb_event_driven"
    assert {row["verdict_all_cost_models"] for row in rows.values()} == {expected}
    assert rows["memory_8kb_clock_driven"]["comment"] == "" and np.isfinite(
        rows["memory_8kb_event_driven"]["ratio"]
    )


def test_one_network_or_one_reference_seed_gives_no_interval():
    three, one = [(1, 0.8), (1, 0.81), (1, 0.82)], [(1, 0.8)]
    for networks, seeds in ((three, (0,)), (one, (0, 1, 2))):
        found = advantage.table(
            points(family("lif", seeds=seeds), family("relu", seeds=seeds), rule("r", networks)),
            config()["energy"],
        )
        gaps = found[(found["subject"] == "r") & found["accuracy_difference"].notna()]
        assert gaps[["accuracy_difference_low", "accuracy_difference_high"]].isna().all(axis=None)
        assert "not assessed" not in set(found["verdict"])
