"""`snakemake --report`: the second product, with a caption and labels for every result."""

import re

import pytest
from made.checkouts import copy_workflow, finish, only
from made.results import make_results

from whyspiking.report import slides
from whyspiking.report.run_page import RunPage

TALK = "clopath"


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> str:
    """The report of a finished smoke run of one talk, whose results are made up."""
    folder = tmp_path_factory.mktemp("report")
    copy_workflow(folder)
    only(folder, TALK)
    results = make_results(folder / "results" / "smoke", "smoke", [TALK])
    told = RunPage.open(results, "smoke")
    shown = "<h1>A page</h1>" + told.tasks()
    for page in (results / "why_spiking", results / TALK / "report"):
        page.with_suffix(".html").write_text(shown, "utf-8")
        page.with_suffix(".ipynb").write_text("{}", "utf-8")
    slides.write([results / "why_spiking.html"], results / "slides")
    finish(folder, "--configfile", "config/smoke.yaml", "--report", "report.html")
    return (folder / "report.html").read_text(encoding="utf-8")


def test_every_result_is_there_with_its_labels(report):
    for name in ("why_spiking.html", "task-randman-drawn.svg", "verdicts.csv"):
        assert name in report
    for category in ("Answer", "Talks", "Tables"):
        assert f'"{category}"' in report


def test_captions_are_filled_in(report):
    title, warning = f"The page of one talk ({TALK})", "A smoke run checks that all code runs"
    for words in (title, "(scale smoke)", warning):
        assert words in report
    assert "{{" not in re.sub(r"<script.*?</script>", "", report, flags=re.DOTALL)
