"""E-prop on the shared tasks: what the networks are shown, and that all engines agree."""

from dataclasses import replace

import numpy as np
import pytest
from made.fulfilled import task_of
from made.interpreted import in_brian
from made.project import params_of

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Recording
from whyspiking.datasets import shared
from whyspiking.talks.scherr import kernel, model, shared_networks

LATENCIES = ("shared_yinyang", "shared_randman")
ALL = (*LATENCIES, "shared_match_100")


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


@pytest.mark.parametrize(
    ("experiment", "steps"),
    # 50 ms, the delay, 50 ms, a gap of 20 ms, and 50 ms in which the answer counts.
    [*((name, (60, 40)) for name in LATENCIES), ("shared_match_100", (54, 44))],
)
def test_a_trial_ends_with_the_steps_that_count_and_biases_fire_when_they_are_told(
    experiment, steps
):
    params = params_of("scherr", experiment)
    task = task_of(params)
    spikes = task.stimulus.spikes["input"]
    trials = shared_networks.given(params, spikes, task.targets)
    assert (trials.n_steps, trials.first_step) == steps
    if experiment in LATENCIES:
        assert (spikes.first_ms()[:, params.n_input :] == params.bias_ms).all()


def test_every_fresh_trial_is_shown_once_whatever_the_batch():
    params = params_of("scherr", "shared_match_100", n_train=4300)
    drawn = [
        shared_networks.given(params, shared.on_steps(spikes, params.dt_ms), classes)
        for spikes, classes in shared.training_trials(params)
    ]
    wanted = [trial for part in drawn for trial in listed(part)]
    for size in (50, 48):
        draw, iterations = shared_networks.drawing(params, "spiking", size, Streams(0))
        shown = [trial for k in range(iterations) for trial in listed(draw(k))]
        assert shown == wanted
    control = shared_networks.control_task(params, "train", Streams(0))
    assert [label for _, _, label in wanted] == control.targets.tolist()
    assert control.features.sum() == sum(part.steps.size for part in drawn)


@pytest.mark.parametrize("experiment", LATENCIES)
def test_every_epoch_shows_every_sample_once_in_another_order(experiment):
    params = params_of("scherr", experiment, n_train=130, epochs=3)
    task = task_of(params, "train")
    all_of_them = listed(shared_networks.given(params, task.stimulus.spikes["input"], task.targets))
    draw, iterations = shared_networks.drawing(params, "bptt", 25, Streams(0))
    assert iterations == 3 * 6
    epochs = [[t for k in range(6) for t in listed(draw(6 * e + k))] for e in range(3)]
    for epoch in epochs:
        assert sorted(epoch) == sorted(all_of_them)
    assert epochs[0] != epochs[1]


def test_a_network_that_begins_anew_cannot_know_the_first_cue():
    params = params_of("scherr", "shared_match_100")
    task, network = task_of(params), untrained(params)
    spikes = task.stimulus.spikes["input"]
    trials = shared_networks.given(params, spikes, task.targets, "reset")
    assert trials.steps.min() * params.dt_ms >= 50
    # The other cue first: groups A and B, ten inputs each, exchange their spikes.
    cue = (spikes.times_ms < 50) & (spikes.units < 20)
    units = np.where(cue, (spikes.units + 10) % 20, spikes.units).astype(np.int32)
    order = np.lexsort((units, spikes.times_ms, spikes.trials))
    outputs = {
        variant: [
            kernel.mean_outputs(
                shared_networks.cell(params),
                network.arrays,
                shared_networks.given(params, shown, task.targets, variant),
            )
            for shown in (spikes, replace(spikes, units=units[order]))
        ]
        for variant in ("reset", "bptt")
    }
    np.testing.assert_array_equal(*outputs["reset"])
    assert np.abs(np.subtract(*outputs["bptt"])).max() > 1e-3


@pytest.mark.parametrize("experiment", ALL)
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
