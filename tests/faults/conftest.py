"""Runs that several tests of crashes and damage start from."""

from pathlib import Path

import pytest
from made import scenes
from made.checkouts import use_builds
from made.once import once


@pytest.fixture(scope="session")
def small_run(shared: Path, builds: Path) -> Path:
    """A finished smoke run of the template alone, up to its verdicts."""

    def make(folder: Path) -> None:
        scenes.checkout(folder, ("tempotron",))
        use_builds(folder, builds)
        scenes.finish(folder, "results/smoke/tempotron/verdicts.csv")

    return once(shared / "small-run", make)
