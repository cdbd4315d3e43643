"""The simulation of the rule: the committed table is its outcome."""

import numpy as np
import pandas as pd
import pytest

from whyspiking.records import finished, reference
from whyspiking.verdicts import rule
from whyspiking_maintain import rule_study


@pytest.fixture(scope="module")
def committed() -> pd.DataFrame:
    return pd.read_csv(rule.STUDY)


def test_the_committed_table_is_what_the_rule_does(committed):
    """A tenth of the draws again, with another seed: shares agree within four standard errors."""
    again = rule_study.study(draws=1000, seed=1)
    key = ["claim", "truth", "networks", "family"]
    pd.testing.assert_frame_equal(again[key], committed[key])
    for column in ("replicated", "unconfirmed", "direction_only", "inconclusive", "not_replicated"):
        share = committed[column].to_numpy()
        error = np.sqrt(np.maximum(share * (1 - share), 0.002) * (1 / 1000 + 1 / 10000))
        assert (abs(again[column].to_numpy() - share) < 4 * error).all(), column


def test_false_claims_are_rarely_called_replicated(committed):
    false = committed[~committed["is_true"]]
    assert (committed["draws"] == rule_study.DRAWS).all()
    assert len(false) > 20
    # Two one-sided tests at 5 %, all others at 2.5 %; 10,000 draws tell 0.2 % apart.
    assert false["replicated"].max() < 0.056
    one = committed[committed["networks"] == 1]
    assert (one["replicated"] == 0).all()
    assert (one.loc[~one["is_true"], "not_replicated"] > 0).all()


def test_true_claims_are_found_with_enough_networks(committed):
    chosen = (committed["claim"] == "a gain, of no stated size") & (
        committed["truth"] == "gain of 2 sd"
    )
    gain = committed[chosen].set_index(["networks", "family"])["replicated"]
    assert gain[3, 1] > 0.4 and gain[5, 1] > 0.85 and gain[20, 1] > 0.99
    # As one of many, five networks do not do: README says so.
    assert gain[5, rule_study.LARGEST_FAMILY] < 0.3


def test_the_largest_family_is_one_that_there_is():
    recorded = finished.find(reference.FOLDER).verdicts
    others = recorded["origin"].isin(rule.REPLICABLE) & (recorded["role"] == "secondary")
    family = recorded[others & recorded["p_holm"].notna()].groupby("talk").size()
    assert family.max() == rule_study.LARGEST_FAMILY
