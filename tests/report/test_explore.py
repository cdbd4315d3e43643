"""The notebook for readers who install nothing of this project, run as Binder would."""

import json
import re
import sys
from importlib import metadata

import matplotlib
import pytest
from made.checkouts import ROOT
from matplotlib import pyplot
from packaging.requirements import Requirement

import whyspiking
from whyspiking.declared.claims_file import REPLICABLE
from whyspiking.report.notebook import run_notebook
from whyspiking.verdicts import rule

NOTEBOOK = ROOT / "notebooks" / "explore.ipynb"
REFUSE = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in FORBIDDEN:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)

sys.meta_path.insert(0, Refuse())
sys.path[:] = [path for path in sys.path if not path.endswith("workflow")]
"""


def needed(names):
    """Installed distributions that some need, themselves included; extras left out."""
    found, waiting = set(), list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        try:
            asks = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # of another system, or what the kernel is served by
        if name not in found:
            found.add(name)
            parsed = [Requirement(text) for text in asks]
            waiting += [r.name for r in parsed if not r.marker or r.marker.evaluate({"extra": ""})]
    return found


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """What `.binder` asks for; a kernel started here finds nothing else, nor this package."""
    text = (ROOT / ".binder" / "requirements.txt").read_text(encoding="utf-8")
    asked = {line for line in text.splitlines() if not line.startswith("#")}
    allowed = needed({*asked, "ipykernel"})
    owners = metadata.packages_distributions()
    del owners["whyspiking"]  # of the checkout, where the notebook finds it
    forbidden = sorted(
        module
        for module, names in owners.items()
        if not allowed & {re.sub(r"[-_.]+", "-", name).lower() for name in names}
    )
    assert {"jax", "brian2", "scipy", "snakemake", "pydantic"} <= set(forbidden)
    (tmp_path / "sitecustomize.py").write_text(f"FORBIDDEN = {forbidden}\n{REFUSE}")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return asked


def test_it_runs_on_what_binder_installs_and_shows_what_was_not_replicated(
    tmp_path, monkeypatch, installed
):
    assert installed == {"pandas", "seaborn", "notebook"}
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
    sources = ["".join(cell["source"]) for cell in json.loads(NOTEBOOK.read_text())["cells"]]
    space = {}
    with matplotlib.rc_context({"backend": "agg"}):
        exec("\n".join(sources[k] for k in (1, 2, 4)), space)
        pyplot.close("all")
    verdicts = whyspiking.results("reference").verdicts
    told = verdicts[verdicts["origin"].isin(REPLICABLE)]
    assert space["counts"].to_numpy().sum() == len(told) > 80
    assert set(space["looks"]) == set(rule.VERDICTS) >= set(verdicts["verdict"])
