"""Files that others released: read, missing, or another file."""

import hashlib

import pytest

from whyspiking.datasets import released
from whyspiking.errors import UserError


def test_the_released_file_is_read(tmp_path):
    (tmp_path / "net").write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    assert released.read(tmp_path, "net", digest) == b"weights"


def test_another_file_of_that_name_is_refused(tmp_path):
    (tmp_path / "net").write_bytes(b"other weights")
    found = hashlib.sha256(b"other weights").hexdigest()
    with pytest.raises(UserError, match=rf"net: SHA-256 is {found}; expected 1234; fetch"):
        released.read(tmp_path, "net", "1234")


def test_a_missing_file_says_why(tmp_path):
    with pytest.raises(released.Unavailable, match=r"not available: net \(data.originals_dir is"):
        released.read(None, "net", "1234")
    with pytest.raises(released.Unavailable, match=r"not available: net is not in data\.originals"):
        released.read(tmp_path, "net", "1234")
