"""The notebook for readers who install nothing of this project, run as Binder would."""

import json
import re
import sys

import matplotlib
from made.checkouts import ROOT
from matplotlib import pyplot

import whyspiking
from whyspiking.declared.claims_file import REPLICABLE
from whyspiking.report.notebook import run_notebook
from whyspiking.verdicts import rule

NOTEBOOK = ROOT / "notebooks" / "explore.ipynb"
CELLS = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
SOURCES = ["".join(cell["source"]) * (cell["cell_type"] == "code") for cell in CELLS]


def test_it_imports_what_binder_installs():
    """`whyspiking.results` needs no more than pandas: `test_finished.py`."""
    asked = (ROOT / ".binder" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    there = {"pandas", "seaborn", "notebook"}
    assert {line for line in asked if not line.startswith("#")} == there
    imported = set(re.findall(r"^\s*(?:import|from) (\w+)", "\n".join(SOURCES), re.MULTILINE))
    assert imported - sys.stdlib_module_names <= there | {"matplotlib", "numpy", "whyspiking"}


def test_it_runs_and_shows_what_was_not_replicated(tmp_path, monkeypatch):
    monkeypatch.chdir(NOTEBOOK.parent)  # where a notebook server starts its kernel
    parameters = {"results": "reference", "model": "ops_int32"}
    run_notebook(NOTEBOOK, tmp_path / "out.ipynb", parameters)
    cells = json.loads((tmp_path / "out.ipynb").read_text(encoding="utf-8"))["cells"]
    shown = [output for cell in cells for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in shown) == 6
    told = "".join("".join(output.get("data", {}).get("text/html", "")) for output in shown)
    verdicts = whyspiking.results("reference").verdicts
    missed = verdicts[verdicts["verdict"] == "not replicated"]["claim"]
    assert len(missed) and not [claim for claim in missed if claim not in told]
    assert not [output for output in shown if output["output_type"] == "stream"], "a warning"


def test_no_claim_of_papers_and_abstracts_is_dropped_and_every_verdict_has_a_colour(monkeypatch):
    monkeypatch.chdir(NOTEBOOK.parent)
    monkeypatch.setattr(sys, "path", [*sys.path])
    space = {}
    with matplotlib.rc_context({"backend": "agg"}):
        exec("\n".join(SOURCES[k] for k in (1, 2, 4)), space)
        pyplot.close("all")
    verdicts = whyspiking.results("reference").verdicts
    told = verdicts[verdicts["origin"].isin(REPLICABLE)]
    assert space["counts"].to_numpy().sum() == len(told) > 80
    assert set(space["looks"]) == set(rule.VERDICTS) >= set(verdicts["verdict"])
