"""What the workers of a test run share is made once, and a failure is everyone's."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from made.once import once


def test_of_many_who_ask_at_once_one_makes_it(tmp_path):
    began = []

    def make(folder):
        began.append(folder)
        (folder / "made.txt").write_text("whole")

    def read(_):
        return (once(tmp_path / "run", make) / "made.txt").read_text()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(read, range(8))) == {"whole"}
    assert began == [tmp_path / "run"]


def test_who_comes_later_is_told_why_it_could_not_be_made(tmp_path):
    def make(folder):
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        once(tmp_path / "run", make)
    with pytest.raises(pytest.fail.Exception, match="OSError: no space"):
        once(tmp_path / "run", pytest.fail)
