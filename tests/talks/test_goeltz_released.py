"""Goeltz: the networks that the authors released, read or refused."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from made.fulfilled import fulfilled
from made.project import params_of, silent

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network
from whyspiking.datasets.released import File, Stored
from whyspiking.errors import UserError
from whyspiking.talks.goeltz import integrator, learning, model, released, task


def small():
    """A network of the released Yin-Yang size, and what it answers on the test points."""
    own = params_of("goeltz", "released_yinyang", n_test=200)
    weights = [w.astype(float) for w in learning.initial_weights(own, Streams(0))]
    network = Network(dict(zip(model.WEIGHT_NAMES, weights, strict=True)))
    test = task.make_task(own, "test", Streams(0))
    first = model.forward_pass(own, model.weights_of(network), test).output.times
    return own, network, test, first


def stored(network, first, labels, **changes):
    """What a released file would hold; `changes` replace arrays, None leaves one out."""
    arrays = {
        **network.arrays, "bias_times": np.array([0.9, 0.9]), "test_spike_times": first,
        "test_labels": labels, **changes,
    }  # fmt: skip
    return Stored("file", {k: v for k, v in arrays.items() if v is not None})


def test_saved_times_are_compared_trial_by_trial(tmp_path, monkeypatch):
    own, network, test, first = small()
    saved = first.copy()
    fired = np.argwhere(np.isfinite(first) & (first < own.trial_ms - 0.5))
    (a, i), (b, j) = fired[0], fired[-1]
    saved[a, i] += 0.25  # later
    saved[b, j] = np.inf  # never: as if at the end of the trial
    np.savez(tmp_path / "net.npz", **stored(network, saved, test.targets).arrays)
    digest = hashlib.sha256((tmp_path / "net.npz").read_bytes()).hexdigest()
    monkeypatch.setitem(released.FILES, "yinyang", File("net.npz", digest))
    there = replace(own, originals_dir=tmp_path)
    found = fulfilled(there).train(there, "authors", Streams(0), {}, silent)
    np.testing.assert_equal(found.arrays, network.arrays)
    assert found.info["measures"] == pytest.approx(
        {
            "released_time_error_max": max(0.25, own.trial_ms - first[b, j]),
            "released_time_error_p99": 0.0,
            "released_decisions": (saved.argmin(axis=1) == first.argmin(axis=1)).mean(),
        }
    )


def test_times_of_the_integrator_are_found_again_and_grazing_neurons_counted():
    own, network, test, _ = small()
    own = replace(own, values={**own.values, "integrator_step": 0.01})
    spikes = model.forward_pass(own, model.weights_of(network), test)
    step = {"dt": 0.01, "end": own.trial_ms}
    w_hidden, w_output = model.weights_of(network)
    hidden = integrator.first_spikes(spikes.received[0], w_hidden, own.theta, **step)
    saved = integrator.first_spikes(task.with_bias(hidden, own), w_output, own.theta, **step)
    found = released.compare(own, network, stored(network, saved, test.targets), Streams(0))
    assert found["released_step_error_p99"] == 0.0
    assert found["released_step_decisions"] == 1.0
    assert found["released_time_error_p99"] > 0.0
    assert found["released_grazing"] == (np.isfinite(hidden) & np.isinf(spikes.hidden.times)).mean()


def test_files_that_do_not_fit_are_refused():
    own, network, test, first = small()
    for changes, said in (
        ({"w_hidden": network.arrays["w_hidden"].T}, r"'w_hidden' is .* of shape \(120, 5\)"),
        ({"w_output": None}, "no array 'w_output'"),
        ({"bias_times": np.array([0.5, 0.5])}, r"bias spikes are at \[0.5 0.5\]; expected \[0.9\]"),
    ):
        with pytest.raises(UserError, match=said):
            released.parse(stored(network, first, test.targets, **changes), own)
    for times, labels, said in (
        (first[:-1], test.targets, r"expected numbers of shape \(200, 3\)"),
        (first, np.roll(test.targets, 1), "differ from those of the test set"),
    ):
        with pytest.raises(UserError, match=said):
            released.compare(own, network, stored(network, times, labels), Streams(0))
