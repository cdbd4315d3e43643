"""Comsa: how often a regime is found, where networks come from, and what a network wants to see."""

from dataclasses import replace

import numpy as np
import pytest
from made.comsa_networks import params, silent, small

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network
from whyspiking.datasets import mnist
from whyspiking.talks.comsa import (
    boolean,
    figures_regimes,
    ideal,
    learning,
    model,
    regimes,
    released,
    task,
)


@pytest.fixture
def corner(monkeypatch, tmp_path):
    """Images of 12 pixels of which the last three are never lit."""
    rng = np.random.default_rng(0)
    images = rng.integers(1, 256, (50, 3, 4)).astype(np.uint8)
    images[:, 2, 1:] = 0
    monkeypatch.setattr(mnist, "load", lambda folder, file: (images, None))
    return tmp_path


def test_unlit_pixels_tell_start_and_age(corner):
    own, arrays, _, _ = small()
    own = replace(own, dataset_dir=corner)
    np.testing.assert_array_equal(regimes.unlit(own), [9, 10, 11])
    rng = np.random.default_rng(1)
    learned = {**arrays, "w_hidden": arrays["w_hidden"] + 0.1}
    learned["w_hidden"][:9] += rng.normal(size=(9, 9))
    found = regimes.lineage(own, arrays, learned)
    assert found["same_start"] == pytest.approx(1) and found["older"] == 1
    assert abs(found["same_start_shuffled"]) < 0.7
    sigma = np.sqrt(2 / (12 + 9 + 4))
    assert found["silence_drift"] == pytest.approx(0.1 / sigma)
    assert regimes.lineage(own, learned, arrays)["older"] == 0
    other = small(seed=5)[1]
    assert abs(regimes.lineage(own, arrays, other)["same_start"]) < 0.7


def test_weights_of_unlit_pixels_change_by_the_penalty_alone(corner, monkeypatch):
    """Neurons that always fire leave them; where all are silent, all rise alike."""
    rng = np.random.default_rng(2)
    features = rng.random((64, 12)).astype(np.float32)
    features[:, 9:] = 0
    monkeypatch.setattr(task, "samples", lambda *_: (features, rng.integers(0, 3, 64)))
    own = params("regimes", n_input=12, n_hidden=9, n_output=3, n_pulses=4, epochs=2, batch=16)
    own = replace(own, dataset_dir=corner)
    for mean, silent_ones in ((7.8, False), (-3.0, True)):
        one = replace(own, values={**own.values, "pulse_mean": mean, "hidden_mean": mean / 8})
        network = regimes.train(one, "spiking", Streams(0), {}, silent)
        start = learning.initial_arrays(one, Streams(0))
        moved = network.arrays["w_hidden"][9:12] - start["w_hidden"][9:12]
        np.testing.assert_allclose(moved, np.broadcast_to(moved[0], moved.shape), atol=1e-5)
        assert (moved > 1e-3).all() == silent_ones
        drift = network.info["measures"]["silence_drift"]
        assert drift == pytest.approx(moved.mean() / np.sqrt(2 / 25), abs=1e-4)


def test_without_the_authors_files_nothing_is_continued():
    network = regimes.train(
        params("regimes", originals_dir=None), "continued", Streams(0), {}, silent
    )
    assert not network.arrays and "unavailable" in network.info


def test_interval_of_a_share():
    low, high = figures_regimes.share_interval(0, 15)
    assert low == 0 and high == pytest.approx(1 - 0.025 ** (1 / 15))
    low, high = figures_regimes.share_interval(3, 15)
    assert (low, high) == pytest.approx((0.04331, 0.48089), abs=1e-4)
    assert figures_regimes.share_interval(15, 15)[1] == 1


# ---- what a network wants to see -----------------------------------------------------------


def test_gradient_of_the_wanted_output_is_that_of_finite_differences():
    own, arrays, times, targets = small(slope_floor=1e-9)
    found = ideal.gradient(own, arrays, times, targets)
    rows, step = np.arange(len(times)), 1e-6
    for pixel in range(own.n_input):
        ends = []
        for way in (step, -step):
            moved = times.copy()
            moved[:, pixel] += way
            ends.append(model.first_spikes(own, arrays, moved)[1][rows, targets])
        known = np.isfinite(times[:, pixel]) & np.isfinite(ends[0]) & np.isfinite(ends[1])
        expected = (ends[0] - ends[1])[known] / (2 * step)
        np.testing.assert_allclose(found[known, pixel], expected, rtol=1e-3, atol=1e-5)


def test_wanted_inputs_bring_the_output_forward():
    own, arrays, times, targets = small(ideal_steps=20, ideal_step=0.01)
    features = np.where(np.isfinite(times), 1 - times, 0)
    found = ideal.descend(own, arrays, features, targets)
    np.testing.assert_array_equal(found > 0, features > 0)
    assert found.max() <= 1 and found[found > 0].min() >= 1 / 256
    rows = np.arange(len(times))
    shown = [np.where(f > 0, 1 - f, np.inf) for f in (features, found)]
    before, after = (model.first_spikes(own, arrays, x)[1][rows, targets] for x in shown)
    heard = np.isfinite(before)
    assert (after[heard] <= before[heard] + 1e-3).mean() > 0.9
    dealt = ideal.dealt(features, found, np.random.default_rng(0))
    assert not np.allclose(dealt, found) and ((dealt > 0) == (features > 0)).all()


def test_what_is_read_is_what_the_relu_network_says(monkeypatch):
    own, arrays, _, _ = small(
        n_starts=2, start_images=3, ideal_steps=3, ideal_step=0.01, control_epochs=1
    )
    images = np.random.default_rng(0).random((40, 12)).astype(np.float32)
    monkeypatch.setattr(task, "samples", lambda *_: (images, np.zeros(40, int)))
    reader = {"w0": np.eye(12, 3), "b0": np.zeros(3)}
    parents = {"mnist_slow/mlp": Network(reader)}
    assert "unavailable" in ideal.train(own, "ideal", Streams(0), parents, silent).info
    monkeypatch.setattr(released, "train", lambda *_: Network(arrays))
    shown = ideal.make_task(own, "test", Streams(0))
    assert shown is not None and shown.targets.tolist() == [0, 1, 2, 0, 1, 2]
    assert ideal.make_task(own, "train", Streams(0)) is None
    for variant in ("ideal", "fast", "shuffled"):
        network = ideal.train(own, variant, Streams(0), parents, silent)
        trials = ideal.evaluate(own, variant, network, shown)
        np.testing.assert_array_equal(
            trials.choices, network.arrays["inputs"][:, :3].argmax(axis=1)
        )
        assert 0 <= network.info["measures"]["read_by_itself"] <= 1


# ---- gates without pulses ------------------------------------------------------------------


def test_pulses_that_never_come_are_no_pulses():
    own = params("boolean_pulses", n_networks=1, epochs=1, n_train=50, n_validation=20)
    never = boolean.train(own, "no_pulses", Streams(0), {}, silent)
    assert all(np.isinf(never.arrays[name]).all() for name in model.PULSES)
    assert all(np.isfinite(never.arrays[name]).all() for name in ("w_hidden", "w_output"))
    values = boolean.samples(own, "validation", Streams(0))
    bare = {
        **never.arrays,
        "w_hidden": never.arrays["w_hidden"][:, :2],
        "w_output": never.arrays["w_output"][:, : own.n_hidden],
        **{name: np.empty((3, 0)) for name in model.PULSES},
    }
    np.testing.assert_allclose(
        boolean.first_output_times(own, never.arrays, values),
        boolean.first_output_times(own, bare, values),
    )
    # Nothing tells when a trial began: all spikes shift with the inputs.
    later = boolean.first_output_times(own, never.arrays, values + 0.25)
    found = boolean.first_output_times(own, never.arrays, values)
    np.testing.assert_allclose(later, found + 0.25, rtol=1e-6)
