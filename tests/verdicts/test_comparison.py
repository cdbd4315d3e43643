"""A run compared with the reference results: numbers, claims, parameters, code, versions."""

import json

import numpy as np
import pandas as pd
import pytest
from made.claims import claim

from whyspiking.declared import registry
from whyspiking.records import columns, reference, tables, whole_files
from whyspiking.report.html import macros
from whyspiking.running import code_inputs, machine
from whyspiking.verdicts import comparison, differing_inputs
from whyspiking.verdicts.comparison import DIFFERENT, EQUAL, NEW, ROUNDED
from whyspiking.verdicts.differing_inputs import Change

CLOCK = np.random.default_rng(0)
VALUES = {("yinyang", "spiking"): [0.95, 0.96, 0.97], ("yinyang", "mlp"): [0.97, 0.98, 0.97]}


def rows(values, scale="full", talk="goeltz"):
    return columns.METRICS.table(
        {
            **dict.fromkeys(("location",), ""),
            "scale": scale, "talk": talk, "experiment": experiment, "variant": variant,
            "seed": seed, "engine": "brian2", "perturbation": "none", "strength": 0.0,
            "metric": metric, "value": value, "unit": "fraction", "n_trials": 100,
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
    return comparison.compare_talk("goeltz", rows(values, scale), scale, record)


def states(found):
    return dict(zip(found.networks["variant"], found.networks["outcome"], strict=True))


def repeated_in_part(curve_difference, accuracy=0.95):
    """A run that repeated a tenth of the training of one network."""
    table = rows({("yinyang", "spiking"): [accuracy]}, "default")
    part = table.iloc[:1].assign(engine="compiled", unit="1", n_trials=1)
    stated = {"trained_fraction": 0.1, "curve_numbers": 7, "curve_difference": curve_difference}
    own = [part.assign(metric=metric, value=value) for metric, value in stated.items()]
    return tables.stacked([table, *own])


@pytest.mark.parametrize(
    ("difference", "accuracy", "outcome"),
    [(0.0, 0.95, EQUAL), (1e-9, 0.95, ROUNDED), (0.2, 0.95, DIFFERENT), (0.0, 0.9, DIFFERENT)],
)
def test_a_learning_curve_counts_as_a_number_and_the_verdict_stays(
    record, difference, accuracy, outcome
):
    metrics = repeated_in_part(difference, accuracy)
    found = comparison.compare_talk("goeltz", metrics, "default", record)
    (network,) = found.networks.to_dict("records")
    assert (network["outcome"], network["trained_fraction"]) == (outcome, 0.1)
    assert network["n_equal"] + network["n_rounding"] + network["n_different"] == 2
    assert network["largest_difference"] == pytest.approx(max(difference, 1 - accuracy / 0.95))
    judged = found.metrics[found.metrics["metric"] == "accuracy"]
    assert sorted(judged["value"]) == sorted(v for own in VALUES.values() for v in own)


def test_the_page_says_that_only_a_part_was_trained(record):
    found = comparison.compare_talk("goeltz", repeated_in_part(0.0), "default", record)
    line = comparison.summarise(found.networks, 0)
    assert line.startswith("2 of 2 numbers are equal to the reference results (of 1 network, only ")
    verdict = {"n_seeds": 60, "claim": "goeltz.yinyang.accuracy"}
    results = comparison.ReferenceResults(
        networks=found.networks, verdicts={verdict["claim"]: verdict}
    )
    compared = results.compare_claim(verdict, claim())
    assert compared == comparison.ClaimComparison(1, 60, EQUAL, 0.1, None)
    said = str(macros("macros").here(compared))
    assert (
        "reproduced here: the first 10 % of the training and the final evaluation of 1 of 60 "
        "networks, equal" in said
    )
    complete = comparison.ClaimComparison(1, 60, EQUAL)
    assert "reproduced here: 1 of 60 networks, equal" in str(macros("macros").here(complete))


def test_a_part_of_the_record_is_judged_on_all_of_it(record):
    found = held(record, {place: own[:1] for place, own in VALUES.items()})
    assert states(found) == {"spiking": EQUAL, "mlp": EQUAL}
    assert found.networks["n_equal"].tolist() == [1, 1]  # no duration is compared
    assert comparison.find_changed_experiments(found.networks) == set()
    accuracy = found.metrics[found.metrics["metric"] == "accuracy"]
    assert sorted(accuracy["value"]) == sorted(value for own in VALUES.values() for value in own)
    assert set(found.metrics["scale"]) == {"default"}


@pytest.mark.parametrize(
    ("value", "state"), [(0.95 * (1 + 1e-9), ROUNDED), (0.951, DIFFERENT), (np.nan, DIFFERENT)]
)
def test_a_number_that_differs_is_told(record, value, state):
    found = held(record, {("yinyang", "spiking"): [value]})
    assert states(found) == {"spiking": state}
    differs = state == DIFFERENT
    changed = comparison.find_changed_experiments(found.networks)
    assert changed == ({"yinyang"} if differs else set())
    assert (len(found.metrics) == 2) is differs  # the run's own rows alone
    assert found.networks["differing_number"].tolist() == ["accuracy (brian2)"]


def test_further_seeds_and_experiments_are_the_run_s_own(record):
    found = held(record, {("yinyang", "spiking"): [*VALUES["yinyang", "spiking"], 0.9]})
    assert found.networks["outcome"].tolist() == [EQUAL] * 3 + [NEW]
    assert comparison.find_changed_experiments(found.networks) == {"yinyang"}
    other = held(record, {("other", "spiking"): [0.5]}).networks
    assert comparison.find_changed_experiments(other) == {"other"}


def test_what_is_undefined_in_both_is_identical(record):
    tables.write_metrics(rows({("yinyang", "spiking"): [np.nan]}), record / "goeltz/metrics.csv")
    assert states(held(record, {("yinyang", "spiking"): [np.nan]})) == {"spiking": EQUAL}


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
    assert found.networks.empty
    assert len(found.metrics) == 2
    assert comparison.summarise(found.networks, 0, found.why_not).startswith("not compared")


def test_the_line_at_the_end_of_a_run(record):
    same = held(record, VALUES).networks
    assert comparison.summarise(same, 0) == "6 of 6 numbers are equal to the reference results"
    changed = held(record, {("yinyang", "spiking"): [0.95, 0.48]}).networks
    assert comparison.summarise(changed, 1) == (
        "1 of 2 numbers are equal to the reference results, 1 different (largest relative "
        "difference 0.5, in goeltz.yinyang/spiking, seed 1: accuracy (brian2)); 1 verdict changed"
    )


def test_a_claim_compared_with_the_reference_results(record):
    ours = claim(id="goeltz.yinyang.accuracy")
    row = {"claim": ours.id, "value": 0.96, "n_seeds": 3}

    def compare(networks):
        return comparison.ReferenceResults(
            networks=networks, verdicts={ours.id: row}
        ).compare_claim(row, ours)

    part = held(record, {place: own[:1] for place, own in VALUES.items()}).networks
    found = compare(part)
    assert (found.n_networks, found.n_reference, found.outcome) == (1, 3, EQUAL)
    assert found.reference is None
    found = compare(held(record, {("yinyang", "spiking"): [0.5]}).networks)
    assert (found.outcome, found.reference) == (DIFFERENT, row)
    # Another seed of the same experiment is not in the reference results.
    more = {("yinyang", "spiking"): [*VALUES["yinyang", "spiking"], 0.9]}
    found = compare(held(record, more).networks)
    assert (found.outcome, found.reference) == (NEW, row)
    nothing = compare(part.assign(experiment="other"))
    assert (nothing.n_networks, nothing.outcome, nothing.reference) == (0, "", None)
    assert compare(part[:0]) is None


def test_changed_verdicts_are_listed():
    before = pd.DataFrame({"claim": ["a", "b", "c"], "verdict": ["passes", "fails", "passes"]})
    now = pd.DataFrame({"claim": ["b", "a", "d"], "verdict": ["fails", "fails", "passes"]})
    assert comparison.list_changed_verdicts(now, before) == [("a", "passes", "fails")]


def test_values_of_perturbed_conditions_are_told_with_their_place(record):
    changed = rows({("yinyang", "spiking"): [0.5]}, "default")
    changed = changed.assign(perturbation="jitter", strength=0.5, location="input")
    before = pd.concat([rows(VALUES), changed.assign(scale="full", value=0.25)])
    tables.write_metrics(before, record / "goeltz/metrics.csv")
    found = comparison.compare_talk("goeltz", changed, "default", record)
    assert found.networks["differing_number"].tolist() == ["accuracy (brian2, jitter 0.5 input)"]


# ---- parameters, code and versions ---------------------------------------------------------------

GOELTZ = registry.load_talk("goeltz")
FILE = "talks/goeltz/learning.py"


@pytest.fixture(scope="module")
def manifest():
    digests = {f: digest for f, (_, digest) in code_inputs.of_results("goeltz", []).items()}
    return {"recipe": differing_inputs.list_parameters(GOELTZ), "inputs": digests}


def changed(name, *places, **update):
    """The talk with one parameter changed: in some experiments, or where all share it."""

    def new(owner):
        parameters = owner.parameters
        other = {**parameters, name: {**parameters[name], **update}}
        return owner.model_copy(update={"parameters": other})

    found = {
        n: new(e) for n, e in GOELTZ.experiments.items() if n in (places or GOELTZ.experiments)
    }
    above = GOELTZ if places else new(GOELTZ)
    return above.model_copy(update={"experiments": {**GOELTZ.experiments, **found}})


def test_nothing_differs_from_reference_results_of_the_same_files(manifest):
    assert differing_inputs.find_talk_changes(GOELTZ, manifest) == []


def test_a_value_of_several_experiments_is_one_change(manifest):
    both = ["yinyang", "released_yinyang"]
    other = changed("learning_rate", *both, value=0.01)
    found = differing_inputs.find_talk_changes(other, manifest)
    assert found == [Change("learning_rate", 0.005, 0.01, both)]


def test_a_shared_parameter_may_be_changed_in_one_experiment_or_in_all(manifest):
    alone = changed("xi", "substrates", value=0.3)
    assert differing_inputs.find_talk_changes(alone, manifest) == [
        Change("xi", 0.2, 0.3, ["substrates"])
    ]
    (change,) = differing_inputs.find_talk_changes(changed("xi", value=0.3), manifest)
    assert (change.key, change.before, change.now) == ("xi", 0.2, 0.3)
    assert set(change.places) == set(GOELTZ.experiments)


def test_manifests_that_list_a_shared_parameter_only_with_the_talk_are_understood(manifest):
    inherited = {
        key
        for key, value in manifest["recipe"].items()
        if (parent := differing_inputs.INHERITED.sub("", key)) != key
        and manifest["recipe"].get(parent) == value
    }
    assert inherited
    older = {k: v for k, v in manifest["recipe"].items() if k not in inherited}
    assert differing_inputs.find_talk_changes(GOELTZ, {**manifest, "recipe": older}) == []


def test_another_source_is_no_change(manifest):
    other = changed("learning_rate", "yinyang", source="ours: a guess")
    assert differing_inputs.find_talk_changes(other, manifest) == []


def test_a_changed_code_file_is_named(manifest):
    older = {**manifest, "inputs": {**manifest["inputs"], FILE: "0" * 32}}
    assert differing_inputs.find_talk_changes(GOELTZ, older) == [Change(FILE)]


def test_a_manifest_without_parameters_names_no_parameter(manifest):
    other = changed("learning_rate", "yinyang", value=0.01)
    assert differing_inputs.find_talk_changes(other, {"inputs": manifest["inputs"]}) == []
    assert differing_inputs.find_talk_changes(other, {}) == []


def test_where_files_of_the_authors_lie_is_no_change_of_a_parameter():
    config = {"scale": "full", "data": {"originals_dir": "given", "n_train": 3}}
    assert differing_inputs.list_settings(config) == {"data.n_train": 3}


def test_versions_of_the_networks_are_compared_not_those_of_today(tmp_path, monkeypatch):
    """After an upgrade, a new report does not date old networks to the new versions."""
    folders = [tmp_path / "goeltz/yinyang/spiking" / f"seed-{seed}" for seed in range(3)]
    for folder in folders:
        whole_files.write(folder / "network.json", '{"history": [], "info": {}}')
    now = machine.making()
    for folder in folders[1:]:
        machine.stamp(folder / "network.json")
    manifest = {
        "python": now["python"],
        "machine": {"cpu": machine.processor()},
        "versions": {"numpy": now["numpy"]},
        "arithmetic": {**now, "vectors": "another"},
    }
    monkeypatch.setattr(machine.metadata, "version", lambda name: "9.9.9")
    machine.stamp(folders[1] / "network.json")  # taken over by another experiment
    stamps = differing_inputs.read_stamps(tmp_path / "goeltz")
    assert len(stamps) == 2
    found = differing_inputs.find_other_versions([manifest], stamps[1:])
    assert found == [("SIMD level", "another", now["vectors"])]
    found = {
        name: here for name, _, here in differing_inputs.find_other_versions([manifest], stamps)
    }
    assert found["numpy"] == f"not stated, {now['numpy']}"
    assert "processor" not in found
    (compiler,) = differing_inputs.find_other_versions([{}], stamps[1:])
    assert compiler == ("compiler", "not stated", now["compiler"])
    (present,) = differing_inputs.read_stamps(tmp_path / "nothing")
    assert present["numpy"] == "9.9.9"
