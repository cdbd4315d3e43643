"""The rule of verdicts errs as often as its table of simulated runs says."""

import numpy as np
import pytest

from whyspiking.declared.bands import Band
from whyspiking.records import tables, verdict_columns
from whyspiking.verdicts import rule
from whyspiking.verdicts.rule import Criterion
from whyspiking.verdicts.sample import Sample

RUNS = 1000
GAIN = "a gain, of no stated size"
CRITERION = Criterion("difference", Band(0.0, float("inf")), 0.0)


def row(truth, networks, family):
    study = tables.read(rule.STUDY, verdict_columns.RULE_STUDY)
    (found,) = tables.where(
        study, claim=GAIN, truth=truth, n_networks=networks, family_size=family
    ).index
    return study.loc[found]


@pytest.mark.parametrize("family", [1, 21])
@pytest.mark.parametrize("networks", [3, 5])
@pytest.mark.parametrize(("truth", "mean"), [("no gain", 0.0), ("gain of 2 sd", 2.0)])
def test_simulated_runs_agree_with_the_table_within_four_standard_errors(
    truth, mean, networks, family
):
    rng = np.random.default_rng(networks)
    verdicts = []
    for _ in range(RUNS):
        values = rng.normal(mean, 1.0, networks)
        sample = Sample(values, np.ones(networks), "none")
        interval = sample.interval(CRITERION.test)
        verdict = rule.decide(CRITERION, values, interval)
        p = family * sample.p_value(CRITERION, interval)
        verdicts.append(rule.corrected(verdict, p) if family > 1 else verdict)
    expected = row(truth, networks, family)
    for name in ("replicated", "unconfirmed", "inconclusive", "not_replicated"):
        share = float(expected[name])
        error = np.sqrt(max(share * (1 - share), 0.002) * (1 / RUNS + 1 / expected["n_runs"]))
        assert abs(verdicts.count(name.replace("_", " ")) / RUNS - share) < 4 * error, name


def test_false_claims_are_rarely_called_replicated():
    study = tables.read(rule.STUDY, verdict_columns.RULE_STUDY)
    is_false = ~study["is_true"].astype(bool)
    # Two one-sided tests have a level of 5 % together, all others 2.5 %.
    assert is_false.sum() > 20
    assert study.loc[is_false, "replicated"].max() < 0.056
    assert (study.loc[study["n_networks"] == 1, "replicated"] == 0).all()


def test_repetitions_of_shares_are_drawn_around_the_shares_of_the_networks():
    """An interval adds half a count on both sides of a share; a repetition does so once only."""
    shares = Sample(np.ones(3), np.full(3, 20.0), "logit")
    assert shares.interval("value").low == pytest.approx(20.5 / 21)
    criterion = Criterion("value", Band(0.96, np.inf))
    assert shares.returns(criterion) == 1
