"""Judging claims: one table per verdict, one test per kind of comparison."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made.claims import DIFFERENCE, SOURCE, claim
from made.measured import rows, table
from scipy import stats

from whyspiking.declared import registry
from whyspiking.errors import UserError
from whyspiking.measures import statistics
from whyspiking.records import columns
from whyspiking.verdicts import judge, rule, sample
from whyspiking.verdicts.rule import VERDICTS

# One table per verdict of a claim of an accuracy.
PER_VERDICT = {
    "replicated": [0.960, 0.962, 0.961, 0.963, 0.961],
    "inconclusive": [0.930, 0.960, 0.940, 0.955, 0.935],
    "not replicated": [0.900, 0.905, 0.902, 0.898, 0.903],
}


def test_every_verdict_word_is_reached_and_listed():
    said = {rule.name_by_origin(verdict, "ours") for verdict in PER_VERDICT}
    none = {"not measured", "not judged"}
    assert {*PER_VERDICT, *said, "direction only", "unconfirmed", *none} == set(VERDICTS)
    ours = judge.judge(
        table(rows(PER_VERDICT["replicated"])), claim(claim_role="secondary", origin="ours")
    )
    assert (ours["verdict"], ours["qualification"]) == ("passes", "")
    check = claim(claim_role="secondary", origin="check")
    failed = judge.judge(table(rows(PER_VERDICT["not replicated"])), check)
    assert failed["verdict"] == "fails"


@given(st.permutations(range(10)), st.sampled_from(sorted(PER_VERDICT)))
@settings(deadline=None, max_examples=30)
def test_a_verdict_does_not_depend_on_the_order_of_rows(order, verdict):
    full = table(rows(PER_VERDICT[verdict]), rows([0.6] * 5, variant="linear", engine="jax"))
    judged = claim(negative_control={"variant": "linear"})
    a, b = judge.judge(full, judged), judge.judge(full.iloc[list(order)], judged)
    assert pd.Series(a).equals(pd.Series(b))


def test_shared_test_trials_widen_the_interval_of_an_accuracy():
    values = [0.99, 0.995, 1.0]
    row = judge.judge(table(rows(values, trials=200)), claim())
    extra = statistics.binomial_variance(values, [200] * 3)
    expected = statistics.logit_interval(values, 200, extra_variance=extra)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((expected.low, expected.high))
    assert row["ci_high"] < 1 and row["interval_type"] == "seeds and test trials"


def test_a_number_published_for_the_same_trials_is_compared_over_seeds_only():
    values = [0.957, 0.958, 0.959]
    same = claim().on("original").on("")
    row = judge.judge(table(rows(values, trials=200)), same)
    expected = statistics.logit_interval(values, 200)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((expected.low, expected.high))
    assert (row["verdict"], row["interval_type"]) == ("replicated", "seeds")
    assert judge.judge(table(rows(values, trials=200)), claim())["verdict"] == "inconclusive"
    alone = judge.judge(table(rows(values[:1], trials=200)), same)
    assert alone["interval_type"] == "test trials"


def test_shares_of_labelled_steps_are_counted_in_steps():
    values, labelled = [0.957, 0.958, 0.959], claim()
    labelled.of_experiment(registry.load_talk("bohte").experiments["ecg"])
    row = judge.judge(table(rows(values, trials=141)), labelled)
    expected = statistics.logit_interval(values, 141 * 1291)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((expected.low, expected.high))


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
    expected = statistics.t_interval(gains.mean(axis=1), variance, degrees)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((expected.low, expected.high))
    assert row["interval_type"] == "seeds and test trials"
    alone = judge.judge(full, claim())
    assert alone["ci_high"] - alone["ci_low"] > 2 * (row["ci_high"] - row["ci_low"])


@pytest.mark.parametrize(
    ("gains", "verdict"),
    [
        ([0.12, 0.13, 0.11, 0.12], "replicated"),
        ([0.03, 0.04, 0.03, 0.04], "direction only"),
        ([0.10, 0.30, -0.05, 0.12], "inconclusive"),
        ([0.02, 0.10, -0.05, 0.12], "inconclusive"),
        ([-0.02, 0.04, -0.01, 0.03], "not replicated"),
        ([-0.03, -0.04, -0.03, -0.04], "not replicated"),
    ],
)
def test_a_gain_of_a_stated_size_must_exclude_zero_and_reach_the_size(gains, verdict):
    base = np.array([0.70, 0.80, 0.75, 0.60])
    judged = claim(**{**DIFFERENCE, "criteria": {"full": [0.1, None]}})
    row = judge.judge(table(rows(base + gains), rows(base, variant="mlp")), judged)
    assert row["verdict"] == verdict
    # Where smaller is better, the same mirrored.
    judged = claim(
        **{**DIFFERENCE, "better_direction": "smaller", "criteria": {"full": [None, -0.1]}}
    )
    mirrored = judge.judge(table(rows(base - gains), rows(base, variant="mlp")), judged)
    assert mirrored["verdict"] == verdict
    assert mirrored["p_value"] == pytest.approx(row["p_value"])


MISSED = {
    "criterion": (claim(), rows([0.900, 0.905, 0.902])),
    "interval": (claim(), rows([0.940, 0.975, 0.950, 0.962, 0.945])),
    "number of networks": (claim(), rows([0.97])),
    "criterion, number of networks": (claim(), rows([0.90])),
    "": (claim(), rows(PER_VERDICT["replicated"])),
    "no difference": (claim(**DIFFERENCE), rows([0.8, 1.1, 0.6]) + rows([0.7] * 3, variant="mlp")),
    "criterion, no difference": (
        claim(**DIFFERENCE),
        rows([0.6, 0.5, 0.9]) + rows([0.7] * 3, variant="mlp"),
    ),
    "negative control": (
        claim(negative_control={"variant": "linear"}),
        rows(PER_VERDICT["replicated"]) + rows([0.97] * 5, variant="linear"),
    ),
}


@pytest.mark.parametrize("missed", MISSED)
def test_what_a_claim_misses_is_told(missed):
    judged, measured = MISSED[missed]
    row = judge.judge(table(measured), judged)
    assert row["failed_conditions"] == missed
    assert set(row["failed_conditions"].split(", ")) - {""} <= set(rule.CONDITIONS)


@given(
    st.lists(st.floats(0.05, 0.95), min_size=1, max_size=6),
    st.sampled_from(["value", "every", "exact", "difference", "equivalence", "range"]),
    st.tuples(st.floats(-0.3, 0.9), st.floats(0.0, 0.5)),
)
@settings(deadline=None, max_examples=200)
def test_nothing_is_missed_exactly_where_a_claim_is_replicated(values, test, edges):
    """Of all tests, numbers of networks and bands: the column repeats the rule nowhere wrongly."""
    closed = edges[1] > 0.1 or test in ("equivalence", "range")
    band = [edges[0], min(edges[0] + edges[1] + 0.01, 1.0) if closed else None]
    versus = {"compared_with": {"variant": "mlp"}} if test in ("difference", "equivalence") else {}
    origin = {"origin": "check", "claim_role": "secondary"} if test == "exact" else {}
    judged = claim(metric="score", test_type=test, criteria={"full": band}, **versus, **origin)
    measured = rows(values, metric="score") + rows([0.4] * 6, metric="score", variant="mlp")
    row = judge.judge(table(measured), judged)
    assert (row["verdict"] in rule.SUCCESSES) == (row["failed_conditions"] == "")


def test_a_band_that_the_negative_control_passes_proves_nothing():
    good = rows(PER_VERDICT["replicated"])
    judged = claim(negative_control={"variant": "linear"})
    for control, passes, verdict, note in (
        ([0.64] * 5, False, "replicated", ""),
        ([0.97] * 5, True, "inconclusive", "negative control"),
        ([], np.nan, "replicated", "not measured"),
    ):
        row = judge.judge(table(good, rows(control, variant="linear", engine="jax")), judged)
        assert row["verdict"] == verdict and note in row["comment"]
        found = [row["control_meets_criterion"], row["control_value"]]
        assert found == pytest.approx([passes, *(control or [np.nan])[:1]], nan_ok=True)


def test_other_indicators():
    judged = claim(source={**SOURCE, "value": 0.959, "standard_deviation": 0.007, "n_seeds": 20})
    row = judge.judge(table(rows([0.958, 0.962, 0.957, 0.960])), judged)
    expected = statistics.prediction_interval(0.959, 0.007, 20, 4)
    assert (row["prediction_low"], row["prediction_high"]) == expected
    # The better one is above the published value by more than the tolerance 0.009.
    better = judge.judge(table(rows([0.980, 0.981, 0.982])), judged)
    names = "in_prediction_interval", "above_criterion"
    assert [row[name] for name in names] == [True, False]
    assert [better[name] for name in names] == [False, True]


def test_holm_downgrades_secondary_claims_only():
    # p is about 0.015 against the edge: enough alone, not as one of two with Holm.
    borderline = np.array([0.951, 0.960, 0.956, 0.958])
    tests = [
        claim(metric="score"),
        claim(id="goeltz.yinyang.a", claim_role="secondary", metric="score"),
        claim(id="goeltz.yinyang.b", claim_role="secondary", metric="score"),
    ]
    full = table(rows(borderline, metric="score"))
    alone = judge.judge(full, tests[1])
    assert alone["verdict"] == "replicated"
    assert 0.0125 < alone["p_value"] < 0.025
    verdicts = judge.judge_all(full, tests)
    assert verdicts["verdict"].tolist() == ["replicated", "unconfirmed", "unconfirmed"]
    assert verdicts["failed_conditions"].tolist() == ["", "Holm", "Holm"]
    assert verdicts["p_holm"].tolist()[1:] == pytest.approx([2 * alone["p_value"]] * 2)
    assert list(verdicts.columns) == columns.VERDICTS.names
    # A claim of a user's own talk has no row in known_before.csv.
    assert verdicts["known_before"].isna().tolist() == [False, True, True]
    # A check is no member of the family of claims that others made.
    own = claim(id="goeltz.yinyang.b", claim_role="secondary", origin="check", metric="score")
    apart = [tests[0], tests[1], own]
    assert judge.judge_all(full, apart)["verdict"].tolist() == [
        "replicated",
        "replicated",
        "passes",
    ]


PLACE = {"experiment": "yinyang", "variant": "spiking"}
KINDS = {
    "value": {},
    "smaller": {
        "metric": "nrmse", "better_direction": "smaller", "criteria": {"full": [None, 0.15]},
    },
    "early": {"metric": "t95", "better_direction": "smaller", "criteria": {"full": [None, 1.0]}},
    "infinite": {"metric": "sigma50", "criteria": {"full": [1.0, None]}},
    "range": {
        "metric": "internal_frequency", "test_type": "range", "better_direction": "both",
        "criteria": {"full": [8.35, 8.65]},
    },
    "every": {
        "metric": "order_correlation", "test_type": "every", "source": SOURCE,
        "criteria": {"full": [0.9, 1.0]},
    },
    "exact": {
        "claim_role": "secondary", "origin": "check", "test_type": "exact",
        "criteria": {"full": [0.9595, 0.9605]},
    },
    "ratio": {
        "metric": "energy_ratio_published", "test_type": "ratio",
        "source": {**SOURCE, "value": 100.0}, "criteria": {"full": [50.0, None]},
    },
    "difference": DIFFERENCE,
    "share": {
        "metric": "slow_regime", "test_type": "share", "better_direction": "both",
        "criteria": {"full": [0.002, 0.998]},
    },
    "margin": {**DIFFERENCE, "criteria": {"full": [-0.01, None]}},
    "equivalence": {
        **DIFFERENCE, "test_type": "equivalence", "better_direction": "both",
        "criteria": {"full": [-0.02, 0.02]},
    },
}  # fmt: skip
BASE = np.array([0.70, 0.80, 0.75, 0.60])


def judged(kind, values, trials=100_000):
    """The verdict on values; of a comparison they are what is above another network."""
    asked = claim(**KINDS[kind])
    if asked.compared_with is not None:
        full = table(rows(BASE + values), rows(BASE, variant="mlp", engine="jax"))
    else:
        place = {key: asked.rows[key] for key in ("perturbation", "location") if key in asked.rows}
        full = table(rows(values, asked.metric, trials=trials, **place))
    return judge.judge(full, asked)


@pytest.mark.parametrize(
    ("kind", "values", "verdict"),
    [
        *(("value", values, verdict) for verdict, values in PER_VERDICT.items()),
        ("value", [0.5], "not replicated"),  # one seed can fail, and never replicates
        ("value", [0.99], "unconfirmed"),
        ("early", [0.9], "inconclusive"),  # without trials to go by, the number alone decides
        ("early", [1.1], "not replicated"),
        ("infinite", [2.0, np.inf, 3.0], "inconclusive"),
        ("smaller", [0.10, 0.11, 0.10], "replicated"),
        ("smaller", [0.30, 0.31, 0.30], "not replicated"),
        ("range", [8.49, 8.51, 8.50], "replicated"),
        ("range", [8.4, 8.64, 8.5], "inconclusive"),
        ("range", [9.0, 9.01, 9.0], "not replicated"),
        ("range", [8.0, 8.01, 8.0], "not replicated"),
        ("range", [8.6, 8.75, 8.7], "inconclusive"),
        ("every", [0.95, 0.99, 0.92, 0.97, 0.93], "replicated"),
        ("every", [0.95, 0.99, 0.92, 0.97, 0.1], "not replicated"),
        ("every", [0.95, 0.99, 0.92], "unconfirmed"),
        ("every", [0.95], "unconfirmed"),
        ("every", [0.1], "not replicated"),
        ("exact", [0.96], "passes"),
        ("exact", [0.97], "fails"),
        ("ratio", [80.0, 100.0, 125.0], "replicated"),
        ("ratio", [20.0, 100.0, 400.0], "inconclusive"),
        ("ratio", [10.0, 60.0, 50.0], "inconclusive"),
        ("ratio", [9.0, 10.0, 11.0], "not replicated"),
        ("difference", [0.02, 0.03, 0.02, 0.03], "replicated"),
        ("difference", [-0.02, -0.03, -0.02, -0.03], "not replicated"),
        ("difference", [0.0, 0.0, 0.0, 0.0], "inconclusive"),  # no difference at all is no gain
        ("margin", [-0.004, -0.005, -0.003, -0.004], "replicated"),
        ("margin", [-0.004, -0.02, 0.01, -0.004], "inconclusive"),
        ("margin", [-0.02, -0.021, -0.022, -0.02], "not replicated"),
        ("equivalence", [0.001, -0.002, 0.002, 0.0], "replicated"),
        ("equivalence", [0.01, -0.03, 0.02, 0.01], "inconclusive"),
        ("equivalence", [0.01, 0.05, 0.02, 0.03], "inconclusive"),
        ("equivalence", [0.1, 0.11, 0.1, 0.11], "not replicated"),
        ("share", [0, 0, 1, 0, 0, 0, 0, 0, 0, 0], "replicated"),  # both kinds were seen
        ("share", [0] * 5, "inconclusive"),  # none of five says little of the next
        ("share", [1], "inconclusive"),
    ],
)
def test_verdicts(kind, values, verdict):
    row = judged(kind, values)
    middle = {"ratio": stats.gmean, "infinite": np.median}.get(kind, np.mean)
    assert row["verdict"] == verdict
    assert row["value"] == pytest.approx(middle(values)) and row["n_seeds"] == len(values)
    if row["interval_type"] == sample.EVERY:
        assert (row["ci_low"], row["ci_high"]) == (min(values), max(values))
    elif row["interval_type"]:
        assert row["ci_low"] <= row["value"] <= row["ci_high"]


def test_the_chance_that_a_verdict_returns():
    def returns(kind, values):
        return judged(kind, values)["reproducibility"]

    assert returns("value", [0.99, 0.991, 0.992]) == 1
    # At the edge of the band (0.95) either verdict is a toss; half of all means lie above it.
    edge = returns("every", [0.9, 0.9, 0.9001, 0.9, 0.9])
    assert edge == pytest.approx(stats.norm.cdf(0.447) ** 5, abs=0.05)
    # All of one kind, in either way: 2 x 0.5^10 of repetitions; then neither edge is excluded.
    assert returns("share", [0, 1] * 5) == pytest.approx(1 - 2 * 0.5**10, abs=0.005)
    assert returns("share", [0] * 9 + [1]) == pytest.approx(1 - 0.9**10, abs=0.05)
    assert np.isnan(returns("value", [0.99]))
    assert np.isnan(
        judge.judge(table(rows([0.9] * 3)), claim(claim_role="secondary"))["reproducibility"]
    )


def test_intervals_are_of_the_scale_and_level_of_the_test():
    ratio, same = judged("ratio", [80.0, 100.0, 125.0]), judged("equivalence", [0.01, -0.01, 0, 0])
    assert ratio["ci_low"] * ratio["ci_high"] == pytest.approx(100**2)
    expected = statistics.t_interval([0.01, -0.01, 0, 0])
    assert (same["ci_low"], same["ci_high"]) == pytest.approx((expected.low, expected.high))
    assert same["p_value"] < 0.025
    kinds = judged("share", [0, 1, 0])
    assert (kinds["interval_type"], kinds["n_passing"]) == (sample.EXACT, 1)
    assert kinds["qualification"] == "1 of 3 networks"
    alone = judged("value", [0.99])
    assert (alone["interval_type"], alone["verdict"], alone["qualification"]) == (
        "test trials",
        "unconfirmed",
        "one network",
    )
    assert alone["ci_low"] < 0.99 < alone["ci_high"] < 1
    assert judged("value", [0.94], trials=500)["verdict"] == "inconclusive"
    assert judged("every", [0.95])["interval_type"] == sample.EVERY
    assert np.isnan(judged("infinite", [2.0, np.inf, 3.0])["ci_low"])


@pytest.mark.parametrize(
    ("parts", "accept", "verdict"),
    [
        (rows([0.9], variant="other"), "full", "not measured"),
        (rows([np.nan, np.nan]), "full", "not measured"),
        ([], "full", "not measured"),
        (rows([0.96, 0.96]), "paper", "not judged"),
    ],
)
def test_not_measured_and_out_of_scope(parts, accept, verdict):
    row = judge.judge(table(parts), claim(criteria={accept: [0.9, 1.0]}), "default")
    assert row["verdict"] == verdict
    assert ("accuracy" in row["comment"]) == (verdict == "not measured") == np.isnan(row["value"])


@pytest.mark.parametrize(
    ("verdict", "data", "says"),
    [
        ("replicated", "", ""),
        ("replicated", "simulated", "surrogate data"),
        ("inconclusive", "simulated", ""),
        ("not replicated", "", ""),
    ],
)
def test_qualifications_of_verdicts(verdict, data, says):
    assert rule.describe_qualification(verdict, data_source=data) == says
    smaller = rule.describe_qualification(
        verdict, data_source=data, reduction="reduced: 25 of 1000 epochs"
    )
    expected = ["reduced: 25 of 1000 epochs", says] if verdict == "replicated" else [says]
    assert smaller == "; ".join(filter(None, expected))


@pytest.mark.parametrize("verdict", PER_VERDICT)
def test_a_smoke_run_gives_no_verdict(verdict):
    row = judge.judge(table(rows(PER_VERDICT[verdict], scale="smoke")), claim())
    assert (row["verdict"], row["qualification"]) == ("not judged", rule.SMOKE_RUN)


def test_a_claim_about_every_network_says_of_how_many_it_is_true():
    row = judged("every", [0.95, 0.99, 0.92, 0.97, 0.1])
    assert (row["n_passing"], row["verdict"], row["qualification"]) == (
        4,
        "not replicated",
        "4 of 5 networks",
    )


def test_a_place_names_engine_locus_and_strength_where_there_are_several():
    both = table(rows([0.96, 0.961, 0.96]), rows([0.5, 0.5, 0.5], engine="jax"))
    assert judge.judge(both, claim())["value"] == pytest.approx(0.9603, abs=1e-4), "Brian2"
    assert judge.judge(both, claim(rows={**PLACE, "engine": "jax"}))["value"] == 0.5
    levels = table(
        rows([0.9, 0.9], perturbation="jitter", location="input", strength=4.0),
        rows([0.8, 0.8], perturbation="jitter", location="hidden", strength=4.0),
        rows([0.7, 0.7], perturbation="jitter", location="hidden", strength=3.0),
    )
    where = {**PLACE, "perturbation": "jitter", "strength": 4}
    with pytest.raises(UserError, match=r"location \['hidden', 'input'\]"):
        judge.judge(levels, claim(rows=where))
    named = claim(rows={**where, "location": "hidden"})
    assert judge.judge(levels, named)["value"] == pytest.approx(0.8)


def test_a_row_names_the_rows_of_metrics_that_it_was_judged_by():
    """In place of claims.yaml: who is compared with whom, in which engine, under what."""
    made = table(rows([0.8, 1.1, 0.6]), rows([0.7] * 3, variant="mlp"))
    row = judge.judge(made, claim(**DIFFERENCE))
    names = ("experiment", "variant", "engine", "condition", "compared_with")
    assert [row[name] for name in names] == [
        "yinyang", "spiking", "", "", "experiment=yinyang variant=mlp"
    ]  # fmt: skip
    other = claim(rows={**PLACE, "engine": "jax", "perturbation": "jitter", "strength": 1})
    assert [judge.judge(made, other)[name] for name in names[2:]] == [
        "jax",
        "perturbation=jitter strength=1.0",
        "",
    ]
