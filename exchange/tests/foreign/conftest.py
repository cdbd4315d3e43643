"""Commands run in the checkout, with the programs that all tests share."""

import pytest
from made.checkouts import ROOT

from whyspiking_exchange.foreign import job


@pytest.fixture(autouse=True)
def checkout(monkeypatch, builds):
    """The folder of the project, and a config that builds where all tests do."""
    monkeypatch.chdir(ROOT)
    known = job.at_scale
    monkeypatch.setattr(job, "at_scale", lambda s: {**known(s), "build_folder": str(builds)})
