"""What tests of the workflow start from."""

from pathlib import Path

import pytest
from made.checkouts import copy_workflow


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the workflow's files without results."""
    (tmp_path / "results").mkdir()
    return copy_workflow(tmp_path)
