"""What a run at scale paper says and takes is kept, and of no other scale."""

import json
import shutil

import pandas as pd
import pytest
from made.checkouts import ROOT
from made.results import log_a_training, make_results

from whyspiking.errors import UserError
from whyspiking.running import machine
from whyspiking_maintain import paper_scale
from whyspiking_maintain.inputs import config_of


def test_a_run_of_another_scale_is_not_kept(tmp_path):
    (tmp_path / "full" / "goeltz").mkdir(parents=True)
    shutil.copy(ROOT / "results/reference/goeltz/verdicts.csv", tmp_path / "full" / "goeltz")
    with pytest.raises(
        UserError, match=r"scale full; expected scale 'paper'. Run: snakemake goeltz"
    ):
        paper_scale.keep("goeltz", config_of("paper"), tmp_path / "full", tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_what_kinds_of_jobs_took_replaces_what_those_of_the_talk_had(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "unit", lambda build_folder: 1.25)
    run, folder = make_results(tmp_path / "paper", "paper", ["goeltz"]), tmp_path / "reference"
    log_a_training(run)
    folder.mkdir()
    shutil.copy(ROOT / "results/reference/durations.csv", folder)
    before = pd.read_csv(folder / "durations.csv", keep_default_na=False)
    paper_scale.keep("goeltz", config_of("paper"), run, folder / "paper")
    after = pd.read_csv(folder / "durations.csv", keep_default_na=False)
    own = (before["scale"] == "paper") & (before["talk"] == "goeltz")
    told = (after["scale"] == "paper") & (after["talk"] == "goeltz")
    assert after[told][["variant", "cpu_seconds", "speed_factor"]].values.tolist() == [
        ["spiking", 11, 1.25]
    ]
    assert own.sum() > 1 and after[~told].values.tolist() == before[~own].values.tolist()
    kept = json.loads((folder / "paper" / "goeltz.json").read_text())
    assert kept["longest_job_cpu_seconds"] == 11 and kept["scale"] == "paper"
