"""Key claims list how else they were measured, and say which verdicts that changes."""

import numpy as np
import pytest
from made.claims import claim
from made.measured import rows, table

from whyspiking.declared import key_claims, registry
from whyspiking.measures import statistics
from whyspiking.records import columns, reference, tables
from whyspiking.verdicts import judge

INSIDE = [0.960, 0.962, 0.961, 0.963, 0.961]
OUTSIDE = [0.900, 0.905, 0.902, 0.898, 0.903]


@pytest.mark.parametrize(
    ("alternative", "measured", "verdict"),
    [
        ({"metric": "accuracy_fresh"}, {"metric": "accuracy_fresh"}, "not replicated"),
        ({"rows": {"engine": "jax"}}, {"engine": "jax"}, "not replicated"),
    ],
)
def test_another_metric_or_simulator_that_changes_the_verdict_is_stated(
    alternative, measured, verdict
):
    entry = claim(also_measured=[{"description": "in another way", **alternative}])
    row = judge.judge(table(rows(INSIDE), rows(OUTSIDE, **measured)), entry)
    mean = 100 * np.mean(OUTSIDE)
    assert row["verdict"] == "replicated"
    assert row["verdict_changes_with"] == row["also_measured"]
    assert row["verdict_changes_with"].startswith(f"in another way: {mean:.2f} % [")
    assert row["verdict_changes_with"].endswith(f"], {verdict}")
    same = judge.judge(table(rows(INSIDE), rows(INSIDE, **measured)), entry)
    assert same["also_measured"].endswith("], replicated") and same["verdict_changes_with"] == ""


def test_what_was_not_measured_or_measures_another_quantity_has_no_verdict():
    other = {"metric": "accuracy_fresh", "not_judged": "another quantity"}
    entries = [
        {"description": "apart", **other},
        {"description": "absent", "rows": {"engine": "jax"}},
    ]
    measured = table(rows(INSIDE), rows(OUTSIDE, metric="accuracy_fresh"))
    row = judge.judge(measured, claim(also_measured=entries))
    assert row["also_measured"] == row["verdict_changes_with"] == ""


WITH_ERROR = {
    "publication": "goeltz2021",
    "source_location": "Table 1",
    "value": 0.96,
    "standard_deviation": 0.02,
    "n_seeds": 5,
}
"""Source of a published mean with its standard deviation."""


def test_the_standard_error_of_the_published_mean_widens_the_interval():
    entry = claim(
        source=WITH_ERROR, also_measured=[{"description": "two-sample", "published_error": True}]
    )
    row = judge.judge(table(rows(INSIDE, trials=10**6)), entry)
    expected = statistics.logit_interval(
        INSIDE,
        10**6,
        extra_variance=statistics.binomial_variance(INSIDE, [10**6] * 5) + 0.02**2 / 5,
        extra_degrees=4.0,
    )
    ends = f"[{100 * expected.low:.2f}, {100 * expected.high:.2f}]"
    assert ends in row["also_measured"]
    assert expected.high - expected.low > 2 * (row["ci_high"] - row["ci_low"])


def test_the_main_interval_includes_the_published_error_where_the_claim_says_so():
    entries = [{"description": "two-sample", "published_error": True}]
    measured = table(rows(INSIDE, trials=10**6))
    widened = judge.judge(measured, claim(source=WITH_ERROR, published_error=True))
    assert widened["interval_type"].endswith("and published networks")
    ends = f"[{100 * widened['ci_low']:.2f}, {100 * widened['ci_high']:.2f}]"
    apart = judge.judge(measured, claim(source=WITH_ERROR, also_measured=entries))
    assert ends in apart["also_measured"]


@pytest.mark.parametrize(
    "change",
    [
        {"published_error": True},
        {"also_measured": [{"description": "x: y", "metric": "accuracy"}]},
        {"also_measured": [{"description": "another", "metric": "acuracy"}]},
        {"also_measured": [{"description": "two-sample", "published_error": True}]},
    ],
)
def test_a_wrong_entry_is_refused(change):
    source = {"publication": "goeltz2021", "source_location": "Table 1", "value": 0.96}
    with pytest.raises(ValueError, match=r"acuracy|published_error|description"):
        claim(source=source, **change)


TALKS = [name for name in registry.available() if (reference.FOLDER / name).is_dir()]


@pytest.mark.parametrize("name", TALKS)
def test_a_key_claim_lists_every_other_measurement_of_its_quantity(name):
    """Metrics of the same experiment and variant whose names begin with the same word."""
    key = key_claims.of(registry.load_talk(name))
    metrics = tables.read(reference.FOLDER / name / "metrics.csv", columns.METRICS)
    place = {x: key.rows[x] for x in ("experiment", "variant")}
    clean = tables.where(metrics, **place, perturbation="none")
    stem = key.metric.split("_")[0]
    is_alike = (clean["metric"] == stem) | clean["metric"].str.startswith(f"{stem}_")
    measured = set(clean[is_alike][["metric", "engine"]].itertuples(index=False, name=None))
    listed = {(key.metric, key.rows.get("engine", "brian2"))}
    for entry in key.also_measured:
        where = key.measured_as(entry).rows
        metric = entry.metric or key.metric
        engines = {e for m, e in measured if m == metric} if entry.not_judged else set()
        listed |= {(metric, where.get("engine", "brian2")), *((metric, e) for e in engines)}
    assert measured - listed == set(), f"list these under also_measured of {key.id}"
