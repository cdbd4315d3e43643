"""Masquelier: the network that the authors released, read or refused."""

import numpy as np
import pytest
from made.project import params_of

from whyspiking.datasets.released import Stored
from whyspiking.errors import UserError
from whyspiking.talks.masquelier import model, released, script

SIZES = {"n_input": 9, "n_hidden": 4, "n_output": 10}


WHOLE = {
    "w_hidden": np.arange(36.0).reshape(4, 3, 3),
    "w_output": np.arange(40.0).reshape(10, 4, 1),
}
"""What a released file would hold."""


def test_weights_are_read_in_the_order_of_the_digits():
    found = released.parse(Stored("file", WHOLE), params_of("masquelier", "released", **SIZES))
    # Pixel (1, 2) of an image of 3 x 3 is input 5; output 0 of the code stands for digit 4.
    assert found["w_hidden"][5, 2] == WHOLE["w_hidden"][2, 1, 2]
    for place, digit in enumerate(model.CODE_ORDER):
        np.testing.assert_array_equal(found["w_output"][:, digit], WHOLE["w_output"][place, :, 0])
    assert found["w_hidden"].shape == (9, 4) and found["w_output"].shape == (4, 10)


def test_other_files_are_refused():
    own = params_of("masquelier", "released", **SIZES)
    other = Stored("file", {**WHOLE, "w_output": np.zeros((10, 5, 1))})
    with pytest.raises(UserError, match=r"\(10, 5, 1\).*expected .*\(10, 4, 1\)"):
        released.parse(other, own)


def made_by_the_script(own, seed=0):
    """Input weights after 6 epochs with redraws, (pixel, hidden); the last two pixels have ink."""
    rng = np.random.RandomState(seed)
    weights = own.hidden_limit * rng.random_sample((4, 9))
    rng.random_sample((10, 4))
    for silent in ([], [3], [], [0, 1], [], []):
        weights *= (1 - own.learning_rate * own.decay) ** 60000
        for neuron in silent:
            weights[neuron] = own.hidden_limit * rng.random_sample(9)
    weights[:, 7:] += 1.0
    return weights.T


def test_weights_without_ink_tell_draw_age_and_redraws():
    own, dark = params_of("masquelier", "released", "full", **SIZES), np.arange(9) < 7
    made = made_by_the_script(own)

    def told(weights=made, dark=dark, params=own):
        return list(script.provenance(params, weights, dark).values())

    assert told() == [1, pytest.approx(6, abs=1e-9), 3]
    assert told(made[:, [1, 0, 2, 3]])[2] == 1, "the order counts"
    assert told(made_by_the_script(own, seed=1))[::2] == [0, 0]
    assert told(dark=np.arange(9) < 8)[::2] == [0, 0], "a pixel with ink"
    shorter = params_of("masquelier", "released", "full", **SIZES, n_train=59000)
    assert told(params=shorter)[1:] == [pytest.approx(6 * 60 / 59), 0]
