"""E-prop on the shared tasks: what the networks are shown, and that all engines agree."""

import numpy as np
import pytest
from made.fulfilled import task_of
from made.interpreted import in_brian
from made.project import params_of

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Recording
from whyspiking.talks.scherr import model, shared_networks
from whyspiking.tasks import generators

EXPERIMENTS = {
    "shared_yinyang": (60, 40),
    "shared_randman": (60, 40),
    "shared_span_recall": (136, 128),
    "shared_volley_recall": (104, 96),
    "shared_sound": (100, 0),
}
"""Experiment -> steps of a trial, and the first that counts."""


def listed(trials):
    """Steps and channels of every trial, with its class."""
    pairs = zip(trials.starts, trials.starts[1:], trials.labels, strict=False)
    return [
        (trials.steps[a:b].tobytes(), trials.channels[a:b].tobytes(), int(label))
        for a, b, label in pairs
    ]


def untrained(params, seed=0):
    """A network whose neurons fire."""
    arrays = model.initial(
        Streams(seed), shared_networks.n_inputs(params), params.n_hidden, params.n_output
    )
    arrays["w"][: shared_networks.n_inputs(params)] += 0.3
    return Network(arrays)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_a_trial_ends_with_the_steps_that_count_and_biases_fire_when_they_are_told(experiment):
    params = params_of("scherr", experiment)
    task = task_of(params)
    spikes = task.stimulus.spikes["input"]
    trials = shared_networks.given(params, spikes, task.targets)
    assert (trials.n_steps, trials.first_step) == EXPERIMENTS[experiment]
    assert (spikes.first_ms()[:, params.n_input :] == params.bias_ms).all()


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_epoch_shows_its_samples_once_in_another_order(experiment):
    params = params_of("scherr", experiment, n_train=130, n_distinct=260, epochs=3)
    draw, iterations = shared_networks.drawing(params, 25, Streams(0))
    assert iterations == 3 * 6
    epochs = [[t for k in range(6) for t in listed(draw(6 * e + k))] for e in range(3)]
    for number, epoch in enumerate(epochs):
        task = shared_networks.samples(params, "train", number)
        given = shared_networks.given(params, task.stimulus.spikes["input"], task.targets)
        assert sorted(epoch) == sorted(listed(given))
    assert sorted(epochs[0]) == sorted(epochs[2])
    assert epochs[0] != epochs[2]
    others = sorted(epochs[0]) != sorted(epochs[1])
    assert others == generators.is_stream(params.shared_task)


@pytest.mark.parametrize("experiment", ["shared_randman", "shared_span_recall", "shared_sound"])
def test_brian_decides_as_the_kernel(experiment):
    params = params_of("scherr", experiment, n_test=4)
    task, network = task_of(params), untrained(params)
    binding = shared_networks.bind(params, network)
    parts = in_brian(shared_networks.to_brian(params), task.stimulus, binding.values, 4)
    counts = shared_networks.reference_counts(params, "spiking", network, task)["hidden"]
    monitor = parts["spike_monitors"]["hidden"]
    assert counts.sum() > 20
    np.testing.assert_array_equal(
        np.bincount(np.asarray(monitor.i), minlength=params.n_hidden), counts.sum(axis=0)
    )
    outputs = np.asarray(parts["trace_monitors"]["output"].y).T
    traces = {"output": outputs.reshape(4, -1, params.n_output)}
    ours = shared_networks.decode(params, Recording({}, traces), task)
    theirs = shared_networks.evaluate(params, "spiking", network, task)
    np.testing.assert_array_equal(ours.choices, theirs.choices)
    np.testing.assert_array_equal(ours.decision_ms, theirs.decision_ms)
