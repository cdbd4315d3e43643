"""Comsa: how often a regime is found, and where networks come from."""

from dataclasses import replace

import numpy as np
import pytest
from made.comsa_networks import small
from made.fulfilled import fulfilled
from made.project import params_of, silent

from whyspiking.contract.randomness import Streams
from whyspiking.datasets import mnist
from whyspiking.talks.comsa import learning, regimes, task


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
    own = params_of(
        "comsa", "regimes", n_input=12, n_hidden=9, n_output=3, n_pulses=4, epochs=2, batch=16
    )
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
    own = params_of("comsa", "regimes", originals_dir=None)
    network = fulfilled(own).train(own, "continued", Streams(0), {}, silent)
    assert not network.arrays and "comsa_slow_network.txt" in network.info["unavailable"]
