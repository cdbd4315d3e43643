"""The notebook for readers who install nothing of this project, run as Binder would."""

import ast
import json
import re
import sys

import matplotlib
import pytest
from made.checkouts import ROOT
from matplotlib import pyplot

import whyspiking
from whyspiking.declared.claims_file import REPLICABLE
from whyspiking.measures import accounting
from whyspiking.report.notebook import run_notebook
from whyspiking.verdicts import rule

NOTEBOOK = ROOT / "notebooks" / "explore.ipynb"
CELLS = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
SOURCES = ["".join(cell["source"]) * (cell["cell_type"] == "code") for cell in CELLS]
NETWORKS = next(source for source in SOURCES if "run.frontiers" in source)
"""The cell that draws accuracy against energy."""


def test_it_imports_what_binder_installs():
    """`whyspiking.results` needs no more than pandas: `test_finished.py`."""
    asked = (ROOT / ".binder" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    there = {"pandas", "seaborn", "notebook"}
    assert {line for line in asked if not line.startswith("#")} == there
    imported = set(re.findall(r"^\s*(?:import|from) (\w+)", "\n".join(SOURCES), re.MULTILINE))
    assert imported - sys.stdlib_module_names <= there | {"matplotlib", "numpy", "whyspiking"}


def test_it_runs_and_shows_energy_ratios_and_what_was_not_replicated(tmp_path, monkeypatch):
    monkeypatch.chdir(NOTEBOOK.parent)  # where a notebook server starts its kernel
    parameters = {
        "results": "reference",
        "task": "randman",
        "cost_model": "operations_clock_driven",
    }
    run_notebook(NOTEBOOK, tmp_path / "out.ipynb", parameters)
    cells = json.loads((tmp_path / "out.ipynb").read_text(encoding="utf-8"))["cells"]
    shown = [output for cell in cells for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in shown) == 6
    told = "".join("".join(output.get("data", {}).get("text/html", "")) for output in shown)
    verdicts = whyspiking.results("reference").verdicts
    missed = verdicts[verdicts["verdict"] == "not replicated"]["claim"]
    assert len(missed) and not [claim for claim in missed if claim not in told]
    assert not [output for output in shown if output["output_type"] == "stream"], "a warning"
    ratios = whyspiking.results("reference").advantage.query(
        "task == 'randman' and subject == 'spikes' and cost_model in @accounting.MAIN"
    )
    assert len(ratios) == 20 and ratios["ratio"].notna().all()
    for row in ratios.to_dict("records"):
        cells = "".join(rf"<td>{row[key]:.3f}</td>\s*" for key in ("ratio", "ci_low", "ci_high"))
        assert re.search(cells, told), row


@pytest.mark.parametrize(
    ("given", "words"),
    [({"task": "span"}, "task is 'span'"), ({"cost_model": "dram"}, "cost_model is 'dram'")],
)
def test_an_unknown_task_or_cost_model_is_refused_with_the_known_ones(given, words, monkeypatch):
    monkeypatch.chdir(NOTEBOOK.parent)
    monkeypatch.setattr(sys, "path", [*sys.path])
    space = {}
    with matplotlib.rc_context({"backend": "agg"}):
        exec("\n".join(SOURCES[k] for k in (1, 3)), space)
        space |= given
        with pytest.raises(AssertionError, match=rf"{words}; expected one of \['\w+', "):
            exec(NETWORKS, space)


def test_no_claim_of_papers_and_abstracts_is_dropped_and_every_verdict_has_a_colour(monkeypatch):
    monkeypatch.chdir(NOTEBOOK.parent)
    monkeypatch.setattr(sys, "path", [*sys.path])
    space = {}
    with matplotlib.rc_context({"backend": "agg"}):
        exec("\n".join(SOURCES[k] for k in (1, 3, 5)), space)
        pyplot.close("all")
    verdicts = whyspiking.results("reference").verdicts
    told = verdicts[verdicts["origin"].isin(REPLICABLE)]
    assert space["n_claims"].to_numpy().sum() == len(told) > 60
    assert set(space["verdict_colours"]) == set(rule.VERDICTS) >= set(verdicts["verdict"])


def test_every_family_competitor_and_cost_model_of_the_tables_has_a_name():
    """A name that the notebook lacks would leave networks without a colour, or a ratio out."""
    declared = {}
    for source in SOURCES:
        for name in ("family_names", "competitor_names", "cost_model_names", "task_names"):
            if found := re.search(rf"^{name} = (\{{.*?^\}})", source, re.MULTILINE | re.DOTALL):
                declared[name] = ast.literal_eval(found[1])
    run = whyspiking.results("reference")
    own = run.frontiers.query("network_type != 'learning_rule'")
    spiking = run.advantage.query("subject == 'spikes'")
    assert set(own["family"]) == set(declared["family_names"])
    assert set(spiking["compared_with"]) == set(declared["competitor_names"])
    assert set(accounting.MAIN) == set(declared["cost_model_names"])
    assert set(own["task"]) == set(declared["task_names"])
