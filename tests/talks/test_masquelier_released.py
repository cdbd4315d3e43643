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


def made_by_the_script(seed=0, images=60000):
    """Weights after 6 epochs with redraws of neurons 3, 0 and 1; the last two pixels have ink."""
    rng = np.random.RandomState(seed)
    weights = 5 * rng.random_sample((4, 9))
    output = 48 * rng.random_sample((10, 4))
    for silent in ([], [3], [], [0, 1], [], []):
        weights *= (1 - 2e-7) ** images
        for neuron in silent:
            weights[neuron] = 5 * rng.random_sample(9)
    weights[:, 7:] += 1.0
    return {"w_hidden": weights.T, "w_output": output.T}


def test_weights_without_ink_tell_draw_age_and_redraws():
    made, dark = made_by_the_script(), np.arange(9) < 7
    assert list(script.provenance(made, dark).values()) == [1, pytest.approx(6, abs=1e-9), 3]
    shorter = script.provenance(made_by_the_script(images=59000), dark)
    assert list(shorter.values()) == [1, pytest.approx(5.9), 0]
    swapped = {**made, "w_hidden": made["w_hidden"][:, [1, 0, 2, 3]]}
    assert script.provenance(swapped, dark)["released_resets"] == 1, "the order counts"
    for other in (
        script.provenance(made_by_the_script(seed=1), dark),
        script.provenance(made, np.arange(9) < 8),  # a pixel with ink among them
    ):
        assert other["released_first"] == other["released_resets"] == 0
