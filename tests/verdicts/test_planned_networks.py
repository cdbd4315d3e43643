"""Claims whose networks are recorded in parts: no verdict before all planned networks are there."""

import pytest
from made.claims import claim
from made.measured import rows, table

from whyspiking.verdicts import judge, rule

ACCURACIES = {
    rule.REPLICATED: [0.960, 0.962, 0.961, 0.963, 0.961],
    rule.NOT_REPLICATED: [0.900, 0.905, 0.902, 0.898, 0.903],
}


@pytest.mark.parametrize("verdict", sorted(ACCURACIES))
def test_fewer_networks_than_planned_give_no_verdict(verdict):
    metrics = table(rows(ACCURACIES[verdict]))
    assert judge.judge(metrics, claim(planned_networks=5))["verdict"] == verdict
    row = judge.judge(metrics, claim(planned_networks=8))
    assert row["verdict"] == rule.INCONCLUSIVE
    assert row["qualification"] == "5 of 8 planned networks"
    assert rule.PLAN in row["failed_conditions"].split(", ")


def test_a_claim_about_every_network_waits_for_all_of_them():
    every = claim(test_type="every", planned_networks=6)
    row = judge.judge(table(rows(ACCURACIES[rule.REPLICATED])), every)
    assert (row["verdict"], row["n_passing"]) == (rule.INCONCLUSIVE, 5)
    assert row["qualification"] == "5 of 6 planned networks"


def test_no_recorded_network_is_not_measured():
    row = judge.judge(table(rows([0.5], variant="linear")), claim(planned_networks=6))
    assert (row["verdict"], row["comment"]) == (rule.NOT_MEASURED, "0 of 6 planned networks")
