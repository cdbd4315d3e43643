"""What needs two variants: the share of a loss that further training wins back."""

import pandas as pd
import pytest
from made.toy_talk import talk_of
from made.toy_yaml import TOY

from whyspiking.contract import places
from whyspiking.contract.types import Condition, Params
from whyspiking.declared.registry import Talk
from whyspiking.declared.strict_yaml import parsed
from whyspiking.errors import UserError
from whyspiking.records import tables
from whyspiking.verdicts import contrasts
from whyspiking.verdicts import described as descriptions

ENTRY = {
    "title": "First",
    "task_type": "classification",
    "data": {"data_set": "toy", "data_source": "synthetic"},
    "robustness_tests": [],
    "parameters": {"n_hidden": {"value": 10, "source": "Table 1"}},
    "scale_overrides": {"smoke": {"n_hidden": {"value": 5, "reason": "quick"}}},
    "variants": {
        "before": {"variant_role": "ablation", "description": "as it was"},
        "after": {
            "variant_role": "spiking",
            "description": "trained further",
            "recovers_loss_of": "before",
        },
    },
}


def described(**variant):
    """The toy experiment, with changes of its second variant."""
    after = {**ENTRY["variants"]["after"], **variant}
    entry = {**ENTRY, "variants": {**ENTRY["variants"], "after": after}}
    learning = [{**TOY["learning_rules"][0], "networks": ["one/after"]}]
    return parsed(
        Talk, {**TOY, "learning_rules": learning, "experiments": {"one": entry}}, "toy"
    ).called("toy")


def made_metrics(clean: float, lost: float, found: float) -> pd.DataFrame:
    """Scores without a perturbation and under one, before and after further training."""
    params = Params("toy", "one", "default", {})
    rows = []
    for variant, scores in (("before", (clean, lost)), ("after", (0.9, found))):
        shared = places.common(params, variant, 3, "brian2")
        rows += tables.rows(shared, {"score": scores[0]}, 1000)
        there = places.at(shared, Condition("quantise", "weights", 4.0))
        rows += tables.rows(there, {"score": scores[1], "accuracy": 0.1}, 1000)
    # Another engine, and a condition that only one variant knows, do not count.
    elsewhere = places.common(params, "after", 3, "jax")
    rows += tables.rows(elsewhere, {"score": 0.2}, 1000)
    alone = places.at(places.common(params, "after", 3, "brian2"), Condition("clip", "weights", 1))
    return pd.DataFrame(rows + tables.rows(alone, {"score": 0.3}, 1000))


def recovered(*scores):
    talk = talk_of({"one": described().experiments["one"]})
    metrics = descriptions.described(made_metrics(*scores), {"toy": talk})
    return contrasts.compute_recovered_losses(metrics).to_dict("records")


def test_a_share_of_the_loss_is_won_back():
    (row,) = recovered(0.95, 0.75, 0.90)
    (worse,) = recovered(0.95, 0.75, 0.70)
    assert [row["value"], worse["value"]] == pytest.approx([0.75, -0.25])
    assert (row["variant"], row["seed"], row["n_trials"]) == ("after", 3, 1000)
    assert (row["perturbation"], row["location"], row["strength"]) == ("quantise", "weights", 4.0)


def test_of_no_loss_there_is_no_share():
    assert recovered(0.95, 0.94, 0.99) == []


def test_a_variant_that_is_not_there_cannot_be_recovered_from():
    with pytest.raises(UserError, match=r"recovers.*'nobody'"):
        described(recovers_loss_of="nobody")
