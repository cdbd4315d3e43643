"""Controls that read the task's spikes get the same spikes perturbed."""

from typing import Any

import numpy as np
import pandas as pd
from made.fulfilled import made_of

from whyspiking.battery.control import probe_control
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Network, Params, Stimulus, Task, Trials
from whyspiking.records import tables

CONFIG: dict[str, Any] = {
    "n_trials": 40,
    "n_labelled_trials": 10,
    "n_perturbations": 2,
    "delete": [0.5, 1.0],
    "jitter": [0.1, 4.0],
    "quantise": [8],
}
N_TRIALS = 60


def make_task(params, split, streams):
    """Class 1 fires early, class 0 late; one channel, five spikes."""
    rng = np.random.default_rng(0)
    labels = np.arange(N_TRIALS) % 2
    trials = np.repeat(np.arange(N_TRIALS), 5)
    times = rng.uniform(0, 40, trials.size) + np.where(labels[trials] == 1, 0, 60)
    spikes = Spikes.sorted(
        times, 0 * trials, trials, n_trials=N_TRIALS, n_units=1, duration_ms=100.0
    )
    return Task(Stimulus({"input": spikes}), labels, 2)


def evaluate(params, variant, network, task):
    """The weight times (early minus late spikes); silence is class 0."""
    spikes = task.stimulus.spikes["input"]
    early = np.where(spikes.times_ms < 50, 1.0, -1.0) * network.arrays["w"][0]
    drive = np.bincount(spikes.trials, weights=early, minlength=spikes.n_trials)
    choices = (drive > 0).astype(np.int64)
    return Trials(task.targets, choices, np.zeros(choices.size), 2)


def probed(with_counts=True, **info):
    parts = {"make_task": make_task, "evaluate": evaluate}
    if with_counts:
        parts["control_counts"] = lambda params, variant, network, task: {"macs_dense": 7.0}
    network = Network(
        {"w": np.array([0.8])},
        {"engine": "jax", "weights": ["w"], "counts": {"synapses": 1.0}, **info},
    )
    rows = probe_control(
        made_of(**parts),
        Params("toy", "one", "smoke", {}),
        ("jitter", "shift", "reverse", "delete", "quantise", "swap_trials"),
        "gru",
        network,
        CONFIG,
        lambda *_: None,
        tau_ms=20.0,
    )
    return tables.check_metrics(pd.DataFrame(rows), "rows")


def score(table, perturbation, strength):
    rows = tables.where(table, perturbation=perturbation, strength=strength, metric="score")
    assert len(rows) == 1
    return float(rows["value"].iloc[0])


def test_operations_come_from_the_talk():
    for with_counts in (True, False):
        table = probed(with_counts)
        counted = dict(zip(table["metric"], table["value"], strict=True))
        assert counted["synapses"] == 1
        assert ("macs_dense" in counted) is with_counts


def test_a_control_that_reads_features_is_not_called_robust_to_what_it_does_not_see():
    assert set(probed(reads="features")["perturbation"]) == {"none", "quantise"}


def test_spikes_and_weights_of_the_control_are_perturbed():
    table = probed()
    for perturbation, strength, least, most in (
        ("delete", 1.0, 0.3, 0.7),  # silence: always class 0
        ("delete", 0.5, 0.9, 1.0),
        ("jitter", 0.1, 1.0, 1.0),
        ("jitter", 4.0, 0.0, 0.95),  # 80 ms of 100: times tell little
        ("quantise", 8.0, 1.0, 1.0),
        ("reverse", 1.0, 0.0, 0.0),  # early is late
        # Five spikes that move together by 20 ms of 100 tell what one does that moves so.
        ("shift", 1.0, 0.6, 0.99),
    ):
        assert least <= score(table, perturbation, strength) <= most, perturbation
    for perturbation, location in (
        ("delete", "input"),
        ("quantise", "weights"),
        ("jitter", "input"),
    ):
        own = tables.where(table, perturbation=perturbation)
        assert set(own["location"]) == {location} and "robustness_area" in set(own["metric"])
        assert set(tables.where(own, metric="score")["n_trials"]) == {CONFIG["n_trials"]}
