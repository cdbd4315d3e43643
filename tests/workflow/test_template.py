"""The walk-through of docs/extending.md, step by step: a talk of the template runs at once."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made.checkouts import ROOT, copy_workflow, finish, only, use_builds
from made.hangs import limit

from whyspiking.contract.types import Params
from whyspiking.records import tables
from whyspiking.talks import talk_module

SPEAKER = "tempotron"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, builds) -> Path:
    """A copy of the project in which the first step of the walk-through was made."""
    folder = tmp_path_factory.mktemp("template")
    copy_workflow(folder, "tests", "pyproject.toml")
    use_builds(folder, builds)
    told = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
    steps = re.search(r"```\n( *talk=SPEAKER\n.*?)```", told, re.DOTALL)
    assert steps, "the page tells how to copy the template"
    run(folder, "bash", "-euc", steps.group(1).replace("SPEAKER", SPEAKER))
    only(folder, SPEAKER)
    return folder


def run(folder: Path, *words: str, status: int = 0) -> str:
    """Run a command in the copy, whose own package comes first; returns what it said."""
    done = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "workflow")},
        capture_output=True,
        text=True,
        timeout=limit(),
        stdin=subprocess.DEVNULL,
    )
    said = done.stdout + done.stderr
    assert done.returncode == status, said[-6000:]
    return said


def test_the_copy_fulfils_the_contract_but_for_its_text_and_is_set_a_shared_task(checkout):
    said = run(
        checkout, sys.executable, "-m", "pytest", "-q", "-rfp", "-n", "0",
        "tests/talks/test_contract.py", "tests/talks/test_shared_tasks.py",
        "-k", f"{SPEAKER} and (test_contract or shown) or agree", status=1,
    )  # fmt: skip
    assert re.search(r"\n1 failed, [1-9]\d* passed", said)
    for kind in (rf"contract\.py::.*{SPEAKER}", f"shown.*{SPEAKER}", "agree"):
        assert re.search(f"PASSED .*{kind}", said), kind
    (lacks,) = set(re.findall(rf"{SPEAKER} lacks (\d+) things", said))
    left = set(re.findall(r"(?m)^E +(?:AssertionError: )?(\S+): \d+ of the template", said))
    assert len(left) == int(lacks) - 2 and f"{SPEAKER}/talk.yaml" in left
    for remedy in ("known_before.csv: lacks", f"recording tune {SPEAKER}"):
        assert remedy in said, "what hands it in"


def test_the_copy_runs_to_its_page(checkout):
    finish(checkout, SPEAKER, "--configfile", "config/smoke.yaml")
    folder = checkout / "results" / "smoke" / SPEAKER
    page = (folder / "report.html").read_text()
    assert "<svg" in page
    assert "Template, the name of the workshop" in page and "SNUFA" not in page
    assert "<small>not measured</small>" not in page  # the control was
    verdicts = pd.read_csv(folder / "verdicts.csv")
    assert list(verdicts["claim"]) == [f"{SPEAKER}.patterns.accuracy"]
    metrics = tables.read_metrics([folder / "metrics.csv"])
    equal = metrics[metrics["metric"] == "equal_decisions"]
    assert equal["value"].min() >= 0.95
    assert set(equal["experiment"]) == {"patterns", "shared_yinyang"}
    counts = tables.where(metrics, variant="counts", metric="accuracy", perturbation="none")
    assert set(counts["value"]) == {0.5}


def test_a_single_spike_leaves_a_potential_of_at_most_its_weight():
    model = talk_module("_template", "model")
    params = Params(
        "_template", "patterns", "smoke",
        {"tau_m": 15.0, "tau_s": 3.75, "trial_ms": 200.0, "dt_ms": 0.01},
    )  # fmt: skip
    v = model.potentials(params, np.array([0.7, 5.0]), np.array([20.0, np.inf]))
    times = params.dt_ms * np.arange(v.size)
    assert v.max() == pytest.approx(0.7, rel=1e-6)
    # Where K' is 0: ln(tau_m / tau_s) tau_m tau_s / (tau_m - tau_s) after the spike.
    assert times[v.argmax()] - 20.0 == pytest.approx(5.0 * np.log(4.0), abs=0.011)
    assert not v[times <= 20.0].any()
