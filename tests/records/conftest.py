"""A small recorded run, for tests of what reads it."""

import shutil
from pathlib import Path

import pytest

from whyspiking.records import reference

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path):
    """A reference of one talk, with one joint table."""
    source = ROOT / reference.FOLDER
    shutil.copytree(source / "naud", tmp_path / "naud")
    shutil.copy(source / "verdicts.csv", tmp_path)
    return tmp_path
