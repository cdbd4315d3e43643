"""What tests of the workflow start from."""

import shutil
from pathlib import Path

import pytest
from made.checkouts import ROOT, copy_workflow, finish, use_builds
from made.once import once


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the workflow's files without results."""
    (tmp_path / "results").mkdir()
    return copy_workflow(tmp_path)


@pytest.fixture(scope="session")
def smoke_run(shared: Path, builds: Path) -> Path:
    """A finished smoke run of the whole workflow, apart from what the checkout holds but MNIST."""

    def make(folder: Path) -> None:
        copy_workflow(folder)
        data = Path("resources", "data", "mnist")
        use_builds(folder, builds)
        if (ROOT / data / "meta.json").is_file():
            shutil.copytree(ROOT / data, folder / data)
        finish(folder, "--configfile", "config/smoke.yaml")

    return once(shared / "smoke-run", make)
