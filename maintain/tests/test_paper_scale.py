"""What a run at scale paper says is kept, and of no other scale."""

import shutil

import pytest
from made.checkouts import ROOT

from whyspiking.errors import UserError
from whyspiking_maintain import paper_scale
from whyspiking_maintain.inputs import config_of


def test_a_run_of_another_scale_is_not_kept(tmp_path):
    (tmp_path / "full" / "goeltz").mkdir(parents=True)
    shutil.copy(ROOT / "results/reference/goeltz/verdicts.csv", tmp_path / "full" / "goeltz")
    with pytest.raises(UserError, match=r"of scale full; expected 'paper'; run: snakemake goeltz"):
        paper_scale.keep("goeltz", config_of("paper"), tmp_path / "full", tmp_path / "kept")
    assert not (tmp_path / "kept").exists()
