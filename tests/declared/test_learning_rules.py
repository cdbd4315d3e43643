"""What talks declare about their learning rules: arithmetic, locality, a check against arrays."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from whyspiking.declared import registry
from whyspiking.declared.config import read
from whyspiking.declared.learning_rules import Rule, evaluate
from whyspiking.errors import UserError
from whyspiking.records import columns, tables
from whyspiking.report import learning_section

ROOT = Path(__file__).parents[2]
TALKS = {name: registry.load_talk(name) for name in registry.available()}
CHECKED = [
    pytest.param(talk, rule, id=f"{talk.name}-{rule.name}")
    for talk in TALKS.values()
    for rule in talk.learning_rules
    if rule.check is not None
]
PADDING = 0.15
"""Vectors of neurons are filled up to a multiple of 16."""


def rule(synapse="1", neuron="2", shared="0", signals=()):
    return Rule.model_validate(
        {
            "learning_rule": "a rule",
            "networks": ["one/spiking"],
            "memory": {
                "synapse": synapse,
                "neuron": neuron,
                "shared": shared,
                "description": "numbers",
            },
            "signals": [
                {"description": "words", "recipient": to, "online": online}
                for to, online in signals
            ],
        }
    )


def test_expressions():
    assert evaluate("2 * T + K", {"T": 10, "K": 3}) == 23
    assert evaluate("(N - 1) ** 2 / 4", {"N": 5}) == 4
    for wrong in ("__import__('os')", "T if N else K", "M + 1", "2 *", "N.real", "'a'"):
        with pytest.raises(UserError, match="cannot be evaluated"):
            evaluate(wrong, {"N": 1, "T": 1, "K": 1})


def test_memory_of_a_layer_by_hand():
    sizes = {"S": 20, "N": 5, "T": 100, "K": 2}
    assert rule("1", "2", "0").numbers(sizes) == 30
    assert rule("1", "T", "K * T").numbers(sizes) == 20 + 500 + 200
    assert rule("0", "0", "N ** 2").numbers(sizes) == 25
    assert rule("1", "T").grows_with("T")
    assert not rule("1", "2").grows_with("T")
    assert rule("0", "0", "N ** 2").grows_with("N")


def test_what_local_means():
    assert rule().local
    assert rule(signals=[("neuron", True), ("layer", True)]).local
    assert not rule(signals=[("neuron", False)]).local
    assert not rule(signals=[("synapse", True)]).local
    assert not rule(shared="N ** 2").local


@pytest.mark.parametrize(("talk", "declared"), CHECKED)
def test_declared_memory_is_what_the_code_kept_in_the_recorded_run(talk, declared):
    config = read(folder=ROOT / "config") | {"scale": "full"}
    values = registry.params(talk.experiments[declared.check.experiment], config).values
    sizes = {name: evaluate(text, values) for name, text in declared.check.sizes.items()}
    metrics = tables.read_metrics([ROOT / "results" / "reference" / talk.name / "metrics.csv"])
    counted = tables.where(
        metrics,
        talk=talk.name,
        experiment=declared.check.experiment,
        variant=declared.check.variant,
        metric="learning_memory",
    )["value"]
    assert len(counted)
    assert counted.to_numpy() == pytest.approx(declared.numbers(sizes), rel=PADDING)


def test_the_checks_tell_rules_apart():
    """What e-prop keeps is not what back-propagation keeps, by far more than padding."""
    config = read(folder=ROOT / "config")
    kept = set()
    for parameter in CHECKED:
        talk, declared = parameter.values
        values = registry.params(talk.experiments[declared.check.experiment], config).values
        sizes = {name: evaluate(text, values) for name, text in declared.check.sizes.items()}
        kept.add(declared.numbers(sizes))
    ratios = np.divide(*np.meshgrid(sorted(kept), sorted(kept)))
    assert len(kept) > 1
    assert (np.abs(np.log(ratios[~np.eye(len(kept), dtype=bool)])) > np.log(1 + PADDING)).all()


def test_force_keeps_one_matrix_of_all_pairs():
    from whyspiking.talks.clopath.force.learning import RecursiveLeastSquares

    (force,) = (rule for rule in TALKS["clopath"].learning_rules if "FORCE" in rule.name)
    kept = RecursiveLeastSquares(50, 3, 1.0).inverse.size
    assert kept == force.numbers({"S": 150, "N": 50, "T": 9, "K": 3})


def test_rules_of_other_experiments_are_refused(monkeypatch):
    data = yaml.safe_load((registry.FOLDER / "comsa" / "talk.yaml").read_text())
    data["learning_rules"][0]["networks"] = ["mnist_slow/spikng"]
    monkeypatch.setattr(registry, "read_yaml", lambda path: data)
    with pytest.raises(UserError, match=r"mnist_slow/spikng"):
        registry.load_talk("comsa")


def test_the_table_shows_what_was_counted():
    metrics = pd.DataFrame(columns=columns.METRICS.names)
    page = learning_section.table(metrics, {"scherr": TALKS["scherr"]})
    assert "e-prop, symmetric" in page
    assert "not measured" in page
    row = {
        **dict.fromkeys(columns.METRICS.names, ""),
        **{"talk": "scherr", "experiment": "evidence", "variant": "spiking"},
        **{"metric": "learning_memory", "value": 123032.0},
    }
    other = {**row, "experiment": "shared_yinyang", "value": 8690.0}
    page = learning_section.table(pd.DataFrame([row, other]), {"scherr": TALKS["scherr"]})
    assert "8690<small>Yin-Yang</small>" in page, "a number is said of the task that it is of"
    assert "<sup>5</sup><small>evidence accumulation</small>" in page
    assert page.count("not measured") == 2
