"""Runs that several tests of crashes and damage start from."""

from pathlib import Path

import pytest
from made import scenes
from made.once import once


@pytest.fixture(scope="session")
def small_run(shared) -> Path:
    """A finished smoke run of the template alone, up to its verdicts."""

    def make(folder: Path) -> None:
        scenes.checkout(folder, ("tempotron",))
        scenes.finish(folder, "results/smoke/tempotron/verdicts.csv")

    return once(shared / "small-run", make)
