"""A run held against the record."""

import json

import numpy as np
import pandas as pd
import pytest
from made.claims import claim

from whyspiking.records import columns, reference, tables
from whyspiking.verdicts import reproduction
from whyspiking.verdicts.reproduction import CLOSE, DIFFERENT, IDENTICAL, NEW

CLOCK = np.random.default_rng(0)
VALUES = {("yinyang", "spiking"): [0.95, 0.96, 0.97], ("yinyang", "mlp"): [0.97, 0.98, 0.97]}


def rows(values, scale="full", talk="goeltz"):
    return columns.METRICS.table(
        {
            **dict.fromkeys(("locus",), ""),
            "scale": scale, "talk": talk, "experiment": experiment, "variant": variant,
            "seed": seed, "engine": "brian2", "perturbation": "none", "strength": 0.0,
            "metric": metric, "value": value, "unit": "fraction", "trials": 100,
        }
        for (experiment, variant), found in values.items()
        for seed, accuracy in enumerate(found)
        for metric, value in (("accuracy", accuracy), ("train_seconds", CLOCK.random()))
    )  # fmt: skip


@pytest.fixture
def record(tmp_path):
    own = tmp_path / "goeltz"
    own.mkdir()
    tables.write_metrics(rows(VALUES), own / "metrics.csv")
    tables.write_csv(columns.VERDICTS.table([]), own / "verdicts.csv")
    tables.write_csv(columns.VERDICTS.table([]), tmp_path / "verdicts.csv")
    (own / "manifest.json").write_text(json.dumps({"format": reference.FORMAT}))
    return tmp_path


def held(record, values, scale="default"):
    return reproduction.held("goeltz", rows(values, scale), scale, record)


def states(found):
    return dict(zip(found.table["variant"], found.table["state"], strict=True))


def test_a_part_of_the_record_is_judged_on_all_of_it(record):
    found = held(record, {place: own[:1] for place, own in VALUES.items()})
    assert states(found) == {"spiking": IDENTICAL, "mlp": IDENTICAL}
    assert found.table["compared"].tolist() == [1, 1]  # no clock is compared
    assert found.own == set()
    accuracy = found.metrics[found.metrics["metric"] == "accuracy"]
    assert sorted(accuracy["value"]) == sorted(value for own in VALUES.values() for value in own)
    assert set(found.metrics["scale"]) == {"default"}


@pytest.mark.parametrize(
    ("value", "state"), [(0.95 * (1 + 1e-9), CLOSE), (0.951, DIFFERENT), (np.nan, DIFFERENT)]
)
def test_a_number_that_differs_is_told(record, value, state):
    found = held(record, {("yinyang", "spiking"): [value]})
    assert states(found) == {"spiking": state}
    differs = state == DIFFERENT
    assert found.own == ({"yinyang"} if differs else set())
    assert (len(found.metrics) == 2) is differs  # the run's own rows alone
    assert found.table["where"].tolist() == ["accuracy (brian2)"]


def test_further_seeds_and_experiments_are_the_run_s_own(record):
    found = held(record, {("yinyang", "spiking"): [*VALUES["yinyang", "spiking"], 0.9]})
    assert found.table["state"].tolist() == [IDENTICAL] * 3 + [NEW]
    assert found.own == {"yinyang"}
    assert held(record, {("other", "spiking"): [0.5]}).own == {"other"}


def test_what_is_undefined_in_both_is_identical(record):
    tables.write_metrics(rows({("yinyang", "spiking"): [np.nan]}), record / "goeltz/metrics.csv")
    assert states(held(record, {("yinyang", "spiking"): [np.nan]})) == {"spiking": IDENTICAL}


@pytest.mark.parametrize(
    ("scale", "harm", "said"),
    [
        ("smoke", lambda _: None, "scale smoke has recipes of its own"),
        ("default", lambda r: (r / "goeltz/manifest.json").unlink(), "is not there"),
        ("default", lambda r: (r / "goeltz/manifest.json").write_text('{"format": 0}'), "version"),
        ("default", lambda r: (r / "goeltz/metrics.csv").write_text("a,b\n1,2\n"), "version"),
    ],
)
def test_nothing_is_compared_with_what_is_no_record(record, scale, harm, said):
    harm(record)
    found = held(record, {("yinyang", "spiking"): [0.95]}, scale)
    assert said in found.why_not
    assert found.table.empty
    assert len(found.metrics) == 2
    assert reproduction.summary(found.table, 0, found.why_not).startswith("not compared")


def test_the_line_at_the_end_of_a_run(record):
    same = held(record, VALUES).table
    assert reproduction.summary(same, 0) == "6 of 6 numbers identical to the recorded ones"
    changed = held(record, {("yinyang", "spiking"): [0.95, 0.48]}).table
    assert reproduction.summary(changed, 1) == (
        "1 of 2 numbers identical to the recorded ones, 1 different (most in "
        "goeltz.yinyang/spiking, seed 1: accuracy (brian2) by 50 %); 1 verdict changed"
    )


def verdict(value, low, high, seeds, over="seeds"):
    return {"value": value, "low": low, "high": high, "seeds": seeds, "over": over}


def test_where_the_record_expects_the_run():
    """As many further networks: the interval of a difference of two means, sqrt(2) as wide."""
    low, high = reproduction.expected(verdict(0.9, 0.8, 1.0, 4), verdict(0.5, 0, 1, 4))
    np.testing.assert_allclose([low, high], 0.9 + np.array([-0.1, 0.1]) * np.sqrt(2))
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(2000):
        known, further = rng.normal(size=5), rng.normal(size=2)
        half = 2.776 * known.std(ddof=1) / np.sqrt(5)
        before = verdict(known.mean(), known.mean() - half, known.mean() + half, 5)
        low, high = reproduction.expected(before, verdict(0, 0, 0, 2))
        inside.append(low <= further.mean() <= high)
    assert 0.93 < np.mean(inside) < 0.97
    assert np.isnan(reproduction.expected(verdict(0.9, 0.9, 0.9, 1), verdict(0.5, 0, 1, 1))).all()


def test_a_claim_beside_the_record(record):
    ours = claim(id="goeltz.yinyang.accuracy")
    row = {"claim": ours.id, **verdict(0.96, 0.94, 0.98, 3)}
    part = held(record, {place: own[:1] for place, own in VALUES.items()}).table
    found = reproduction.here(ours, row, row, part)
    assert (found.networks, found.of, found.state, found.before) == (1, 3, IDENTICAL, None)
    other = held(record, {("yinyang", "spiking"): [0.5]}).table
    found = reproduction.here(ours, {**row, "value": 0.5, "seeds": 1}, row, other)
    assert found.before == row
    assert not found.inside({"value": 0.5})
    assert found.inside({"value": 0.97})
    nothing = reproduction.here(ours, row, row, part.assign(experiment="other"))
    assert (nothing.networks, nothing.state) == (0, "")


def test_values_of_perturbed_conditions_are_told_with_their_place(record):
    changed = rows({("yinyang", "spiking"): [0.5]}, "default")
    changed = changed.assign(perturbation="jitter", strength=0.5, locus="input")
    before = pd.concat([rows(VALUES), changed.assign(scale="full", value=0.25)])
    tables.write_metrics(before, record / "goeltz/metrics.csv")
    found = reproduction.held("goeltz", changed, "default", record)
    assert found.table["where"].tolist() == ["accuracy (brian2, jitter 0.5, input)"]
