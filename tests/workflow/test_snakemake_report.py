"""`snakemake --report`: the second product, with a caption and labels for every result."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from made.results import make_results

from whyspiking.report import slides
from whyspiking.report.run_page import RunPage

ROOT = Path(__file__).parents[2]
PARTS = ("Snakefile", "config", "workflow", "notebooks", "environment.yml", "profiles")
TALK = "clopath"


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> str:
    """The report of a finished smoke run of one talk, whose results are made up."""
    folder = tmp_path_factory.mktemp("report")
    for part in PARTS:
        if (ROOT / part).is_dir():
            skipped = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / part, folder / part, ignore=skipped)
        else:
            shutil.copy(ROOT / part, folder / part)
    config = folder / "config" / "config.yaml"
    values = yaml.safe_load(config.read_text(encoding="utf-8"))
    config.write_text(yaml.safe_dump({**values, "talks": [TALK], "seeds_of": []}), "utf-8")
    results = make_results(folder / "results" / "smoke", "smoke", [TALK])
    told = RunPage.open(results, "smoke")
    shown = "<h1>A page</h1>" + told.answer() + told.axis_sections()
    for page in (results / "why_spiking", results / TALK / "report"):
        page.with_suffix(".html").write_text(shown, "utf-8")
        page.with_suffix(".ipynb").write_text("{}", "utf-8")
    slides.write(results / "why_spiking.html", results / slides.FOLDER)
    words = ["--configfile", "config/smoke.yaml", "--report", "report.html"]
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return (folder / "report.html").read_text(encoding="utf-8")


def test_every_result_is_there_with_its_labels(report):
    for name in ("why_spiking.html", "matrix.svg", "energy.svg", "verdicts.csv", "axes.csv"):
        assert name in report
    for category in ("Answer", "Talks", "Tables"):
        assert f'"{category}"' in report


def test_captions_are_filled_in(report):
    assert f"The story of one talk ({TALK})" in report
    assert "at smoke scale" in report
    assert "A smoke run checks the plumbing only" in report
    assert "{{" not in re.sub(r"<script.*?</script>", "", report, flags=re.DOTALL)


def test_it_loads_nothing_from_elsewhere(report):
    assert re.findall(r'<(?:script|img|iframe)[^>]*src="https?://', report) == []
    assert re.findall(r'<link[^>]*href="https?://', report) == []
