"""Comsa: the networks that the authors released, read, refused, or not measured; their past."""

from dataclasses import replace

import numpy as np
import pytest
from made.comsa_networks import SIZES, small
from made.project import params_of, silent

from whyspiking.contract.randomness import Streams
from whyspiking.datasets import mnist
from whyspiking.errors import UserError
from whyspiking.talks.comsa import learning, model, released, task


def written(own, arrays):
    """The text of a released file for a small network."""
    n = own.n_pulses
    head = ["pulses_per_layer", own.theta, 3, own.n_input, own.n_hidden, own.n_output, n]
    pulses = [*arrays["input_pulses"], *arrays["hidden_pulses"], *np.arange(n)]
    weights = [*arrays["w_hidden"].T.ravel(), *arrays["w_output"].T.ravel()]
    return " ".join(str(word) for word in [*head, *pulses, *weights])


def test_released_files_are_read_in_order():
    _, arrays, _, _ = small()
    own = params_of("comsa", "released", **SIZES)
    found = released.parse(written(own, arrays), own, "file")
    for name in model.NAMES:
        np.testing.assert_allclose(found[name], arrays[name])


def test_released_files_that_do_not_fit_are_refused():
    _, arrays, _, _ = small()
    own = params_of("comsa", "released", **SIZES)
    text = written(own, arrays)
    for changed, said in (
        (text.replace(" 12 9 3 ", " 9 12 3 "), r"begins with .* 9 12 3 .*expected .* 12 9 3 "),
        (text.replace("pulses_per_layer", "no_pulses"), "begins with 'no_pulses"),
    ):
        with pytest.raises(UserError, match=said):
            released.parse(changed, own, "file")


# ---- what the weights from pixels that are never lit tell ------------------------------------


@pytest.fixture
def corner(monkeypatch, tmp_path):
    """Images of 12 pixels of which the last three are never lit."""
    rng = np.random.default_rng(0)
    images = rng.integers(1, 256, (50, 3, 4)).astype(np.uint8)
    images[:, 2, 1:] = 0
    monkeypatch.setattr(mnist, "load", lambda folder, file: (images, None))
    return tmp_path


def test_unlit_pixels_tell_start_age_and_rate(corner):
    own, arrays, _, _ = small()
    own = replace(own, dataset_dir=corner)
    np.testing.assert_array_equal(released.unlit(own), [9, 10, 11])
    rng = np.random.default_rng(1)
    # Neurons that were silent in no batch, in one, in two apart, in many.
    rises = released.one_silence() * 2e-4 * np.array([0, 0, 1, 1, 2, 2, 5.5, 7, 9])
    learned = {**arrays, "w_hidden": arrays["w_hidden"] + rises}
    learned["w_hidden"][:9] += rng.normal(size=(9, 9))
    learned["w_hidden"][9:12] += rng.uniform(0, 1e-6, (3, 9))
    found = released.lineage(own, arrays, learned)
    assert found["same_start"] == pytest.approx(1) and found["older"] == 1
    assert abs(found["same_start_shuffled"]) < 0.7
    assert found["rate_told"] == pytest.approx(2e-4, abs=1e-7)
    assert released.lineage(own, learned, arrays)["older"] < 0.5
    assert abs(released.lineage(own, arrays, small(seed=5)[1])["same_start"]) < 0.7


@pytest.mark.parametrize(("penalty", "batch"), [(48.3748, 5), (48.3748, 32), (10.0, 5)])
def test_one_silent_batch_moves_weights_by_the_rate_alone(penalty, batch):
    """Adam as in tempcoder.cc, step by step; neither penalty nor batch matters."""
    (first, second), moment, square, moved = released.ADAM_BETAS, 0.0, 0.0, 0.0
    for step in range(3000):
        gradient = penalty / batch * (step == 0)
        moment = first * moment + (1 - first) * gradient
        square = second * square + (1 - second) * gradient**2
        moved += moment / np.sqrt(square + 1e-8)
    assert moved == pytest.approx(released.one_silence(), rel=1e-4)


def test_weights_of_unlit_pixels_change_by_the_penalty_alone(corner, monkeypatch):
    """Neurons that always fire leave them; where all are silent, all rise alike."""
    rng = np.random.default_rng(2)
    features = rng.random((64, 12)).astype(np.float32)
    features[:, 9:] = 0
    monkeypatch.setattr(task, "samples", lambda *_: (features, rng.integers(0, 3, 64)))
    own = params_of(
        "comsa", "regimes", n_input=12, n_hidden=9, n_output=3, n_pulses=4, epochs=2, batch=16
    )
    for mean, silent_ones in ((7.8, False), (-3.0, True)):
        one = replace(own, values={**own.values, "pulse_mean": mean, "hidden_mean": mean / 8})
        network = learning.train(one, "spiking", Streams(0), {}, silent)
        start = learning.initial_arrays(one, Streams(0))
        moved = network.arrays["w_hidden"][9:12] - start["w_hidden"][9:12]
        np.testing.assert_allclose(moved, np.broadcast_to(moved[0], moved.shape), atol=1e-5)
        assert (moved > 1e-4).all() == silent_ones
