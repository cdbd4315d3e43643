"""Masquelier: the network that the authors released, read, refused or missing."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made.bars import params, silent
from made.fulfilled import fulfilled

from whyspiking.contract.randomness import Streams
from whyspiking.datasets.released import Stored
from whyspiking.errors import UserError
from whyspiking.talks.masquelier import model, released

SIZES = {"n_input": 9, "n_hidden": 4, "n_output": 10}


WHOLE = {
    "w_hidden": np.arange(36.0).reshape(4, 3, 3),
    "w_output": np.arange(40.0).reshape(10, 4, 1),
}
"""What a released file would hold."""


def test_weights_are_read_in_the_order_of_the_digits():
    found = released.parse(Stored("file", WHOLE), params("released", **SIZES))
    # Pixel (1, 2) of an image of 3 x 3 is input 5; output 0 of the code stands for digit 4.
    assert found["w_hidden"][5, 2] == WHOLE["w_hidden"][2, 1, 2]
    for place, digit in enumerate(model.CODE_ORDER):
        np.testing.assert_array_equal(found["w_output"][:, digit], WHOLE["w_output"][place, :, 0])
    assert found["w_hidden"].shape == (9, 4) and found["w_output"].shape == (4, 10)


def test_other_files_are_refused(tmp_path):
    own = params("released", **SIZES)
    other = Stored("file", {**WHOLE, "w_output": np.zeros((10, 5, 1))})
    with pytest.raises(UserError, match=r"\(10, 5, 1\).*expected .*\(10, 4, 1\)"):
        released.parse(other, own)
    raw = b"something else"
    (tmp_path / released.FILE.name).write_bytes(raw)
    there = replace(own, originals_dir=tmp_path)
    with pytest.raises(UserError, match=hashlib.sha256(raw).hexdigest()) as refused:
        fulfilled(there).train(there, "authors", Streams(0), {}, silent)
    assert released.FILE.sha256 in str(refused.value)


@pytest.mark.parametrize("folder", [None, Path("nowhere")])
def test_a_missing_file_is_said(tmp_path, folder):
    own = replace(params("released"), originals_dir=folder and tmp_path / folder)
    found = fulfilled(own).train(own, "authors", Streams(0), {}, silent)
    assert not found.arrays
    assert found.info["unavailable"].startswith(f"file not available: {released.FILE.name}")
