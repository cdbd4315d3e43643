"""Files that others released: read, missing, another file, or arrays that do not fit."""

import hashlib
import io

import numpy as np
import pytest

from whyspiking.datasets.released import File, Stored
from whyspiking.errors import UserError


def placed(folder, content):
    """A released file of this content, in its folder."""
    (folder / "net").write_bytes(content)
    return File("net", hashlib.sha256(content).hexdigest())


def zipped(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def test_arrays_are_given_out_in_double_precision(tmp_path):
    saved = np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3))
    stored = placed(tmp_path, zipped(w=saved, n=np.arange(4))).stored(tmp_path)
    found = stored.take("w", 2, None)
    assert found.dtype == np.float64 and found.flags.c_contiguous
    np.testing.assert_array_equal(found, saved)
    assert stored.take("n", 4).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("key", "shape", "said"),
    [
        ("v", (2, 3), "net: the file has no array 'v'. Download"),
        (
            "w",
            (3, 2),
            r"'w' is float64 of shape \(2, 3\); expected numbers of shape \(3, 2\); check",
        ),
        ("w", (2,), r"of shape \(2, 3\); expected numbers of shape \(2,\)"),
        ("w", (2, 3, None), r"expected numbers of shape \(2, 3, None\)"),
        ("text", (2,), "'text' is <U1 of shape"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(key, shape, said):
    stored = Stored("net", {"w": np.zeros((2, 3)), "text": np.array(["a", "b"])})
    with pytest.raises(UserError, match=said):
        stored.take(key, *shape)


def one_array():
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [b"", b"PK of another kind", one_array(), zipped(w=np.array([{}], object))],
    ids=["empty", "text", "npy", "object"],
)
def test_what_holds_no_plain_arrays_is_refused(content, tmp_path):
    with pytest.raises(UserError, match="net: this is not a file of arrays"):
        placed(tmp_path, content).stored(tmp_path)
