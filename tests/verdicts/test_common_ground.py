"""The same tasks for all: every method has a result or a reason."""

import numpy as np
import pytest
from made.common_ground import CONFIG, experiment, metrics, talk
from made.measured import table

from whyspiking.declared.shared_tasks import shared_tasks
from whyspiking.measures import statistics
from whyspiking.records import columns, tables
from whyspiking.verdicts import common_ground
from whyspiking.verdicts.described import described


def matrix(rows, talks):
    return common_ground.matrix(described(rows, talks), talks, CONFIG)


def judged(*scores_of, task="randman"):
    """The row of a method with these accuracies."""
    own = experiment("own", task, ["spiking"])
    rows = tables.where(table(metrics(own, "spiking", list(scores_of))), perturbation="none")
    found = matrix(rows, {"own": talk("own", own)})
    assert list(found.columns) == columns.SHARED.names
    return tables.where(found, task=task, status="measured").to_dict("records")[0]


def test_where_seeds_share_their_test_trials_the_interval_is_wider():
    scores = [0.9, 0.9, 0.9]
    alone, shared = judged(*scores), judged(*scores, task="yinyang")
    limits = statistics.logit_interval(scores, 1000)
    assert (alone["ci_low"], alone["ci_high"]) == pytest.approx((limits.low, limits.high))
    assert shared["accuracy"] == pytest.approx(alone["accuracy"], abs=1e-3)
    assert shared["ci_high"] - shared["ci_low"] > alone["ci_high"] - alone["ci_low"]


def test_controls_are_no_methods_and_who_has_no_result_says_why():
    home = experiment("home", "randman", ["spiking", "rates", "mlp"])
    later = experiment("later", "randman", ["spiking"])
    talks = {"home": talk("home", home), "idle": talk("idle"), "later": talk("later", later)}
    rows = [metrics(home, variant, [0.9, 0.9]) for variant in home.variants]
    found = matrix(table(*rows), talks)
    assert not found.duplicated(["task", "talk", "variant"]).any()
    for task, own in found.groupby("task"):
        assert set(own["talk"]) == set(talks), task
    here = tables.where(found, task="randman")
    assert here[here["status"] == "measured"]["variant"].to_list() == ["spiking", "rates"]
    why = dict(zip(here["talk"], here["comment"], strict=True))
    assert why["idle"] == "idle was not made for randman" and why["home"] == ""
    assert why["later"] == "a run at scale default has no network of this talk"


def test_nothing_measured_leaves_reasons_only(tmp_path):
    home = experiment("home", "randman", ["spiking"])
    talks = {"idle": talk("idle"), "home": talk("home", home)}
    found = matrix(table(), talks)
    n = 2 * len(shared_tasks())
    assert set(found["status"]) == {"absent"} and len(found) == n
    own = tables.where(found, task="randman", talk="home")["comment"].item()
    assert own == "a run at scale default has no network of this talk"
    tables.write_csv(found, tmp_path / "shared.csv")
    assert len(tables.read(tmp_path / "shared.csv", columns.SHARED)) == n


def test_memory_of_learning_is_that_of_the_rule():
    own = experiment("a", "randman", ["spiking", "bptt"], shared={"input_step_ms": 2.0})
    rows = metrics(own, "spiking", [0.9], synapses=700.0, spikes_hidden=31.0)
    rows += metrics(own, "bptt", [0.9])
    found = matrix(table(rows), {"a": talk("a", own)})
    spiking, bptt = tables.where(found, status="measured").to_dict("records")
    # A number per synapse, two per neuron and step (50 ms in steps of 2 ms), 50 for all.
    assert spiking["n_memory"] == 700 + 50 * 2 * 25 + 50
    assert spiking["is_local"] == "no" and spiking["signals"] == "an error (neuron, later)"
    assert spiking["spikes_hidden"] == 31 and spiking["n_settings_tried"] == 6
    assert spiking["n_samples_shown"] == 16000 * 20
    assert (
        bptt["learning_rule"] == "" and np.isnan(bptt["n_memory"]) and bptt["n_settings_tried"] == 0
    )
    for name, lasts in (("n_steps", 30), ("trial_ms", 60.0)):  # beyond the window of the input
        tried = {"rate": 1, "batch": 10, name: lasts}
        given = {key: {"value": value, "source": "ours"} for key, value in tried.items()}
        longer = experiment(
            "a", "randman", ["spiking"], shared={"input_step_ms": 2.0}, parameters=given
        )
        rows = table(metrics(longer, "spiking", [0.9], synapses=700.0))
        found = matrix(rows, {"a": talk("a", longer)})
        kept = tables.where(found, status="measured")["n_memory"].item()
        assert kept == 700 + 50 * 2 * 30 + 50, name
    whole = experiment("a", "randman", ["spiking"])
    found = matrix(table(metrics(whole, "spiking", [0.9])), {"a": talk("a", whole)})
    assert np.isnan(tables.where(found, status="measured")["n_memory"].item()), (
        "there are no steps to multiply by"
    )
