"""What a test run makes once, however many workers it has."""

import fcntl
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

MADE = "made"


def once(folder: Path, make: Callable[[Path], object]) -> Path:
    """A folder that the first worker who asks for it makes; the others wait, and only read it.

    Args:
        folder: Where it is; in the fixture `shared`, or it is made once per worker.
        make: Fills the folder, which exists; if it fails, everyone who asks is told why.
    """
    with folder.with_name(f"{folder.name}.state").open("a+", encoding="utf-8") as state:
        fcntl.flock(state, fcntl.LOCK_EX)
        state.seek(0)
        told = state.read()
        if not told:
            folder.mkdir()
            try:
                make(folder)
            except BaseException:
                state.write(traceback.format_exc())
                raise
            state.write(MADE)
    if told not in ("", MADE):
        pytest.fail(f"{folder.name} could not be made by the worker that tried first:\n{told}")
    return folder
