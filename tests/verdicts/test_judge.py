"""Judging claims: one table per verdict, one test per kind of comparison."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made.claims import DIFFERENCE, claim, rows, table

from whyspiking.errors import UserError
from whyspiking.measures import statistics
from whyspiking.records import columns
from whyspiking.verdicts import judge, rule
from whyspiking.verdicts.rule import VERDICTS

# One table per verdict of a claim of an accuracy.
PER_VERDICT = {
    "replicated": [0.960, 0.962, 0.961, 0.963, 0.961],
    "compatible": [0.940, 0.975, 0.950, 0.962, 0.945],
    "inconclusive": [0.930, 0.960, 0.940, 0.955, 0.935],
    "not replicated": [0.900, 0.905, 0.902, 0.898, 0.903],
}


@pytest.mark.parametrize("verdict", PER_VERDICT)
def test_one_table_per_verdict_of_a_measured_claim(verdict):
    row = judge.judge(table(rows(PER_VERDICT[verdict])), claim())
    assert row["verdict"] == verdict
    assert row["value"] == pytest.approx(np.mean(PER_VERDICT[verdict]))
    assert row["low"] < row["value"] < row["high"]
    assert row["seeds"] == 5
    assert (row["band_low"], row["band_high"]) == (0.95, np.inf)


def test_not_measured_and_out_of_scope():
    empty = table(rows([0.9], variant="other"))
    missing = judge.judge(empty, claim())
    assert missing["verdict"] == "not measured"
    assert "accuracy" in missing["note"]
    measured = table(rows([0.96, 0.96]))
    row = judge.judge(measured, claim(accept={"paper": [0.9, 1.0]}))
    assert row["verdict"] == "out of scope at this scale"
    assert row["value"] == pytest.approx(0.96)
    undefined = table(rows([np.nan, np.nan]))
    assert judge.judge(undefined, claim())["verdict"] == "not measured"
    nothing = table()
    assert judge.judge(nothing, claim(), "default")["verdict"] == "not measured"


def test_every_verdict_word_is_reached_and_listed():
    said = {rule.named(verdict, "ours") for verdict in PER_VERDICT}
    none = {"not measured", "out of scope at this scale"}
    assert {*PER_VERDICT, *said, "direction only", *none} == set(VERDICTS)
    ours = judge.judge(
        table(rows(PER_VERDICT["replicated"])), claim(role="secondary", origin="ours")
    )
    assert (ours["verdict"], ours["label"]) == ("holds", "holds")
    check = claim(role="secondary", origin="check")
    failed = judge.judge(table(rows(PER_VERDICT["not replicated"])), check)
    assert failed["verdict"] == "fails"


@given(st.permutations(range(10)), st.sampled_from(sorted(PER_VERDICT)))
@settings(deadline=None, max_examples=30)
def test_a_verdict_does_not_depend_on_the_order_of_rows(order, verdict):
    full = table(rows(PER_VERDICT[verdict]), rows([0.6] * 5, variant="linear", engine="jax"))
    judged = claim(negative_control={"variant": "linear"})
    a, b = judge.judge(full, judged), judge.judge(full.iloc[list(order)], judged)
    assert pd.Series(a).equals(pd.Series(b))


def test_one_seed_is_never_replicated_and_can_fail():
    good = judge.judge(table(rows([0.99])), claim())
    bad = judge.judge(table(rows([0.5])), claim())
    assert good["verdict"] == "compatible"
    assert good["over"] == "test trials"
    assert good["low"] < 0.99 < good["high"] < 1
    assert good["label"] == "compatible (one network)"
    assert bad["verdict"] == "not replicated"
    near = judge.judge(table(rows([0.94], trials=500)), claim())
    assert near["verdict"] == "inconclusive"
    # Without trials to go by, the number alone decides.
    early = claim(metric="t95", better="smaller", accept={"default": [None, 1.0]})
    assert judge.judge(table(rows([0.9], "t95")), early)["verdict"] == "compatible"
    assert judge.judge(table(rows([1.1], "t95")), early)["verdict"] == "not replicated"


def test_shared_test_trials_widen_the_interval_of_an_accuracy():
    values = [0.99, 0.995, 1.0]
    row = judge.judge(table(rows(values, trials=200)), claim())
    extra = statistics.binomial_variance(values, [200] * 3)
    expected = statistics.logit_interval(values, 200, extra_variance=extra)
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))
    assert row["high"] < 1
    assert row["over"] == "seeds and test trials"


def test_a_number_published_for_the_same_trials_is_compared_over_seeds_only():
    values = [0.957, 0.958, 0.959]
    here = {"value": 0.959, "same_trials": True}
    row = judge.judge(table(rows(values, trials=200)), claim(published=here))
    expected = statistics.logit_interval(values, 200)
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))
    assert (row["verdict"], row["over"]) == ("replicated", "seeds")
    assert judge.judge(table(rows(values, trials=200)), claim())["verdict"] == "compatible"
    alone = judge.judge(table(rows(values[:1], trials=200)), claim(published=here))
    assert alone["over"] == "test trials"


def in_parts(values, **place):
    """Scores of three parts of the test set, of as many trials, for each of several seeds."""
    return [
        row
        for part, scores in enumerate(zip(*values, strict=True))
        for row in rows(scores, trials=100, perturbation="part", strength=float(part), **place)
    ]


def test_parts_of_the_test_set_enter_a_difference_by_pairs():
    ours = np.array([[0.9, 0.7, 0.8], [0.92, 0.72, 0.82]])
    gains = np.array([[0.03, 0.02, 0.01], [0.02, 0.03, 0.01]])
    theirs = ours - gains
    full = table(
        rows(ours.mean(axis=1)),
        rows(theirs.mean(axis=1), variant="mlp"),
        in_parts(ours),
        in_parts(theirs, variant="mlp"),
    )
    row = judge.judge(full, claim(**DIFFERENCE))
    # Hard parts are hard for both: only the differences count.
    variance, degrees = statistics.shared_variance(gains.mean(axis=0), [100] * 3)
    expected = statistics.t_interval(gains.mean(axis=1), 0.95, variance, degrees)
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))
    assert row["over"] == "seeds and test trials"
    alone = judge.judge(full, claim())
    assert alone["high"] - alone["low"] > 2 * (row["high"] - row["low"])


def test_better_smaller_flips_the_band():
    error = claim(metric="nrmse", better="smaller", accept={"default": [None, 0.15]})
    low = table(rows([0.10, 0.11, 0.10], metric="nrmse"))
    high = table(rows([0.30, 0.31, 0.30], metric="nrmse"))
    assert judge.judge(low, error)["verdict"] == "replicated"
    assert judge.judge(high, error)["verdict"] == "not replicated"


def test_a_range_binds_on_both_sides():
    rhythm = claim(
        metric="internal_frequency",
        test="range",
        better="both",
        accept={"default": [8.35, 8.65]},
    )
    for values, verdict in (
        ([8.49, 8.51, 8.50], "replicated"),
        ([8.4, 8.64, 8.5], "compatible"),
        ([9.0, 9.01, 9.0], "not replicated"),
        ([8.0, 8.01, 8.0], "not replicated"),
        ([8.6, 8.75, 8.7], "inconclusive"),
    ):
        got = judge.judge(table(rows(values, metric="internal_frequency")), rhythm)
        assert got["verdict"] == verdict, values


SMALL_GAINS = np.array([0.02, 0.03, 0.02, 0.03])


def test_differences_are_paired_by_seed():
    noisy = np.array([0.70, 0.90, 0.80, 0.60])
    full = table(rows(noisy + SMALL_GAINS), rows(noisy, variant="mlp", engine="jax"))
    row = judge.judge(full, claim(**DIFFERENCE))
    assert row["verdict"] == "replicated"
    assert row["value"] == pytest.approx(0.025)
    assert row["direction_agrees"]
    reverse = table(rows(noisy), rows(noisy + SMALL_GAINS, variant="mlp"))
    assert judge.judge(reverse, claim(**DIFFERENCE))["verdict"] == "not replicated"
    same = judge.judge(table(rows(noisy), rows(noisy, variant="mlp")), claim(**DIFFERENCE))
    assert same["verdict"] == "compatible"  # no difference at all is no gain
    alone = table(rows(noisy))
    assert judge.judge(alone, claim(**DIFFERENCE))["verdict"] == "not measured"


@pytest.mark.parametrize(
    ("gains", "verdict"),
    [
        ([0.12, 0.13, 0.11, 0.12], "replicated"),
        ([0.03, 0.04, 0.03, 0.04], "direction only"),
        ([0.10, 0.30, -0.05, 0.12], "compatible"),
        ([0.02, 0.10, -0.05, 0.12], "inconclusive"),
        ([-0.02, 0.04, -0.01, 0.03], "not replicated"),
        ([-0.03, -0.04, -0.03, -0.04], "not replicated"),
    ],
)
def test_a_gain_of_a_stated_size_must_exclude_zero_and_reach_the_size(gains, verdict):
    base = np.array([0.70, 0.80, 0.75, 0.60])
    judged = claim(**{**DIFFERENCE, "accept": {"default": [0.1, None]}})
    row = judge.judge(table(rows(base + gains), rows(base, variant="mlp")), judged)
    assert row["verdict"] == verdict
    # Where smaller is better, the same mirrored.
    judged = claim(**{**DIFFERENCE, "better": "smaller", "accept": {"default": [None, -0.1]}})
    mirrored = judge.judge(table(rows(base - gains), rows(base, variant="mlp")), judged)
    assert mirrored["verdict"] == verdict
    assert mirrored["p_value"] == pytest.approx(row["p_value"])


def test_a_margin_must_hold_the_whole_interval():
    base = np.array([0.70, 0.80, 0.75, 0.60])
    judged = claim(**{**DIFFERENCE, "accept": {"default": [-0.01, None]}})

    def verdict(gaps):
        return judge.judge(table(rows(base + gaps), rows(base, variant="mlp")), judged)["verdict"]

    assert verdict([-0.004, -0.005, -0.003, -0.004]) == "replicated"
    assert verdict([-0.004, -0.02, 0.01, -0.004]) == "compatible"
    assert verdict([-0.02, -0.021, -0.022, -0.02]) == "not replicated"


def test_equivalence_uses_the_90_percent_interval():
    judged = claim(
        **{
            **DIFFERENCE,
            "test": "equivalence",
            "better": "both",
            "accept": {"default": [-0.02, 0.02]},
        }
    )
    base = np.array([0.9, 0.8, 0.85, 0.7])

    def verdict(differences):
        return judge.judge(table(rows(base + differences), rows(base, variant="mlp")), judged)

    same = verdict([0.001, -0.002, 0.002, 0.0])
    assert same["verdict"] == "replicated"
    assert same["p_value"] < 0.05
    assert verdict([0.01, -0.03, 0.02, 0.01])["verdict"] == "compatible"
    assert verdict([0.01, 0.05, 0.02, 0.03])["verdict"] == "inconclusive"
    assert verdict([0.1, 0.11, 0.1, 0.11])["verdict"] == "not replicated"
    differences = np.array([0.01, -0.012, 0.02, 0.005])
    expected = statistics.t_interval(differences, 0.90)
    found = verdict(differences)
    assert (found["low"], found["high"]) == pytest.approx((expected.low, expected.high))


def test_ratios_are_judged_on_a_log_scale():
    judged = claim(
        metric="energy_ratio",
        test="ratio",
        published={"value": 100.0},
        where={
            "experiment": "yinyang",
            "variant": "spiking",
            "perturbation": "ops_int32",
            "locus": "mlp",
        },
        accept={"default": [50.0, None]},
    )

    def verdict(values):
        part = rows(values, "energy_ratio", perturbation="ops_int32", locus="mlp")
        return judge.judge(table(part), judged)

    row = verdict([80.0, 100.0, 125.0])
    assert row["verdict"] == "replicated"
    assert row["value"] == pytest.approx(100)
    assert row["low"] * row["high"] == pytest.approx(100**2)
    assert row["direction_agrees"]
    assert verdict([20.0, 100.0, 400.0])["verdict"] == "compatible"
    assert verdict([10.0, 60.0, 50.0])["verdict"] == "inconclusive"
    assert verdict([9.0, 10.0, 11.0])["verdict"] == "not replicated"


def test_every_means_every_seed():
    judged = claim(
        metric="order_correlation",
        test="every",
        published={"value": None},
        accept={"default": [0.9, 1.0]},
    )
    for values, verdict in (
        ([0.95, 0.99, 0.92, 0.97, 0.93], "replicated"),
        ([0.95, 0.99, 0.92, 0.97, 0.1], "not replicated"),
        ([0.95, 0.99, 0.92], "compatible"),
        ([0.95], "compatible"),
        ([0.1], "not replicated"),
    ):
        got = judge.judge(table(rows(values, metric="order_correlation")), judged)
        assert got["verdict"] == verdict, values
        assert (got["low"], got["high"]) == (min(values), max(values))
        assert got["over"] == judge.EVERY


def test_an_exact_number_of_one_object_holds_or_fails():
    judged = claim(
        role="secondary", origin="check", test="exact", accept={"default": [0.9595, 0.9605]}
    )
    held = judge.judge(table(rows([0.96])), judged)
    assert (held["verdict"], held["note"], held["over"]) == ("holds", "", "")
    assert judge.judge(table(rows([0.97])), judged)["verdict"] == "fails"


def test_infinite_measurements_have_no_interval():
    judged = claim(metric="sigma50", accept={"default": [1.0, None]}, published={"value": None})
    row = judge.judge(table(rows([2.0, np.inf, 3.0], metric="sigma50")), judged)
    assert row["verdict"] == "compatible"
    assert row["value"] == 3.0
    assert np.isnan(row["low"])


def test_a_band_that_the_negative_control_passes_proves_nothing():
    good = rows(PER_VERDICT["replicated"])
    judged = claim(negative_control={"variant": "linear"})
    fails = judge.judge(table(good, rows([0.64] * 5, variant="linear", engine="jax")), judged)
    assert fails["verdict"] == "replicated"
    assert fails["control_value"] == pytest.approx(0.64)
    assert fails["control_passes"] is False
    passes = judge.judge(table(good, rows([0.97] * 5, variant="linear", engine="jax")), judged)
    assert passes["verdict"] == "inconclusive"
    assert "negative control" in passes["note"]
    absent = judge.judge(table(good), judged)
    assert absent["verdict"] == "replicated"
    assert "not measured" in absent["note"]


def test_the_engine_is_brian2_unless_said_otherwise():
    both = table(rows([0.96, 0.961, 0.96]), rows([0.5, 0.5, 0.5], engine="jax"))
    assert judge.judge(both, claim())["value"] == pytest.approx(0.9603, abs=1e-4)
    where = {"experiment": "yinyang", "variant": "spiking", "engine": "jax"}
    assert judge.judge(both, claim(where=where))["value"] == 0.5


def test_an_ambiguous_place_is_refused():
    two = table(
        rows([0.9, 0.9], "robustness_area", perturbation="jitter", locus="input"),
        rows([0.8, 0.8], "robustness_area", perturbation="jitter", locus="hidden"),
    )
    where = {"experiment": "yinyang", "variant": "spiking", "perturbation": "jitter"}
    judged = claim(metric="robustness_area", where=where)
    with pytest.raises(UserError, match=r"locus \['hidden', 'input'\]"):
        judge.judge(two, judged)
    named = claim(metric="robustness_area", where={**where, "locus": "hidden"})
    assert judge.judge(two, named)["value"] == pytest.approx(0.8)


def test_strength_selects_one_level():
    levels = table(
        rows([0.9, 0.9], perturbation="quantise", locus="weights", strength=4.0),
        rows([0.7, 0.7], perturbation="quantise", locus="weights", strength=3.0),
    )
    where = {
        "experiment": "yinyang",
        "variant": "spiking",
        "perturbation": "quantise",
        "strength": 3,
    }
    assert judge.judge(levels, claim(where=where))["value"] == pytest.approx(0.7)


def test_other_indicators():
    judged = claim(published={"value": 0.959, "spread": 0.007, "seeds": 20})
    row = judge.judge(table(rows([0.958, 0.962, 0.957, 0.960])), judged)
    expected = statistics.prediction_interval(0.959, 0.007, 20, 4)
    assert (row["prediction_low"], row["prediction_high"]) == expected
    assert row["inside_prediction"]
    assert row["published_inside"]
    assert row["exceeds"] is False
    better = judge.judge(table(rows([0.980, 0.981, 0.982])), judged)
    # Above the published value by more than the tolerance 0.009.
    assert better["exceeds"] is True
    assert better["published_inside"] is False


def test_labels_of_the_report():
    full = table(rows(PER_VERDICT["replicated"]))
    assert judge.judge(full, claim())["label"] == "replicated at reduced scale"
    assert judge.label("replicated", "default", "simulated") == (
        "replicated at reduced scale, stand-in data"
    )
    assert judge.label("compatible", "default", "simulated") == "compatible"
    assert judge.label("replicated", "paper") == "replicated"
    assert judge.label("not replicated", "default") == "not replicated"
    smoke = judge.judge(table(rows([0.96] * 3, scale="smoke")), claim())
    assert smoke["label"] == "plumbing only, no verdict"
    assert smoke["verdict"] == "out of scope at this scale"


FAMILY_OF_ITS_OWN = {
    "id": "goeltz.yinyang.b",
    "role": "secondary",
    "origin": "check",
    "metric": "score",
}


def test_holm_downgrades_secondary_claims_only():
    # p is about 0.015 against the edge: enough alone, not as one of two with Holm.
    borderline = np.array([0.951, 0.960, 0.956, 0.958])
    tests = [
        claim(metric="score"),
        claim(id="goeltz.yinyang.a", role="secondary", metric="score"),
        claim(id="goeltz.yinyang.b", role="secondary", metric="score"),
    ]
    full = table(rows(borderline, metric="score"))
    alone = judge.judge(full, tests[1])
    assert alone["verdict"] == "replicated"
    assert 0.0125 < alone["p_value"] < 0.025
    verdicts = judge.judge_all(full, tests)
    assert verdicts["verdict"].tolist() == [
        "replicated",
        "compatible",
        "compatible",
    ]
    assert verdicts["p_holm"].tolist()[1:] == pytest.approx([2 * alone["p_value"]] * 2)
    assert list(verdicts.columns) == columns.VERDICTS.names
    # A check is no member of the family of claims that others made.
    apart = [tests[0], tests[1], claim(**FAMILY_OF_ITS_OWN)]
    assert judge.judge_all(full, apart)["verdict"].tolist() == ["replicated", "replicated", "holds"]
