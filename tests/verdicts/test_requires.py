"""A claim that requires claims about a fraction of networks, without which it is not replicated."""

import numpy as np
import pytest
from made.claims import SOURCE, claim
from made.measured import rows, table

from whyspiking.verdicts import judge, rule

SHARE = "goeltz.yinyang.some_waiting"
EVERY = claim(
    metric="order_correlation",
    test_type="every",
    source=SOURCE,
    criteria={"full": [0.9, None]},
    requires=[SHARE],
)


def judged(values, kinds, control=(), origin="published"):
    """The row of a claim about every network that requires one about a fraction of networks."""
    required = claim(
        id=SHARE,
        claim_role="secondary",
        metric="waits_for_hidden",
        test_type="share",
        source=SOURCE,
        criteria={"full": [0.002, 1.0]},
        negative_control={"variant": "linear"},
    )
    measured = table(
        rows(values, "order_correlation"),
        rows(kinds, "waits_for_hidden"),
        rows(control, "waits_for_hidden", variant="linear"),
    )
    claims = [EVERY.model_copy(update={"origin": origin}), required]
    return judge.judge_all(measured, claims).set_index("claim").loc[EVERY.id]


@pytest.mark.parametrize(
    ("values", "kinds", "control", "verdict", "is_met"),
    [
        ([0.95] * 10, [1] + [0] * 9, [0, 0], "replicated", True),
        ([0.95] * 10, [0] * 10, [0, 0], "not replicated", False),
        ([0.95] * 9 + [0.5], [1] * 10, [0, 0], "not replicated", True),
        ([0.95] * 9 + [0.5], [0] * 10, [0, 0], "not replicated", False),
        # The negative control meets the criterion, or the required metric is missing.
        ([0.95] * 10, [1] * 10, [1, 0], "inconclusive", False),
        ([0.95] * 10, [], [], "inconclusive", False),
        # One of 13 networks: the interval of the fraction begins below 0.002.
        ([0.95] * 13, [1] + [0] * 12, [0, 0], "inconclusive", False),
        # With few networks, all may be of one kind by chance.
        ([0.95], [1], [0], "unconfirmed", True),
        ([0.95] * 4, [0] * 4, [0], "inconclusive", False),
    ],
)
def test_a_claim_is_replicated_only_with_the_claim_that_it_requires(
    values, kinds, control, verdict, is_met
):
    row = judged(values, kinds, control)
    assert row["verdict"] == verdict
    assert (rule.REQUIRED in row["failed_conditions"]) == (not is_met)
    assert (f"requires {SHARE}: " in row["comment"]) == (not is_met)


def test_an_unmet_requirement_has_no_reproducibility_and_fails_a_claim_of_our_own():
    met, unmet = judged([0.95] * 9 + [0.96], [1] * 10), judged([0.95] * 9 + [0.96], [0] * 10)
    assert met["reproducibility"] == 1.0
    assert np.isnan(unmet["reproducibility"])
    assert judged([0.95] * 10, [0] * 10, origin="ours")["verdict"] == "fails"
