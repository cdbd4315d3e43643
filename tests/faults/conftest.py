"""Runs that several tests of crashes and damage start from."""

from pathlib import Path

import pytest
from made import scenes


@pytest.fixture(scope="session")
def small_run(tmp_path_factory) -> Path:
    """A finished smoke run of the template alone, up to its verdicts."""
    folder = scenes.checkout(tmp_path_factory.mktemp("small") / "run", ("tempotron",))
    scenes.finish(folder, "results/smoke/tempotron/verdicts.csv")
    return folder
