"""A small recorded run, for tests of what reads it."""

import json
import shutil
from pathlib import Path

import pytest

from whyspiking.records import reference

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path):
    """A reference of one talk, with one joint table and the manifest of all."""
    source = ROOT / reference.FOLDER
    shutil.copytree(source / "naud", tmp_path / "naud")
    shutil.copy(source / "costs.csv", tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"config": {"talks": ["naud"]}}))
    return tmp_path
