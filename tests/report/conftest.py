"""A made-up run that several tests of pages read."""

import pytest
from made.once import once
from made.results import make_results

TALKS = ("goeltz", "naud")


@pytest.fixture(scope="session")
def two_talks(shared):
    """Results of two talks at scale default: to be read, or to be copied and changed."""
    folder = shared / "results-of-two-talks"
    return once(folder, lambda made: make_results(made / "default", "default", TALKS)) / "default"
