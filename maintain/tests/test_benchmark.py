"""The scripts that measure speed, and what they estimate."""

import re
import subprocess
import sys

import pandas as pd
import pytest
from made.checkouts import ROOT
from made.hangs import limit


@pytest.mark.slow
def test_benchmarks_run_and_print_their_ratios():
    words = ["--quick", "--only", "kernels"]
    done = subprocess.run(
        [sys.executable, "maintain/benchmarks/run.py", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=limit(), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    for versus in ("the same a layer at a time", "the same in numpy", "bptt"):
        # Timed, and nothing is asked of how fast it was.
        assert re.search(rf"[\d.]+ +[\d.]+ +[\d.]* +{versus}", done.stdout), done.stdout


def test_where_the_seconds_of_a_run_went_is_told_by_the_command_of_the_docs(tmp_path):
    words = [sys.executable, "maintain/benchmarks/stages.py", str(tmp_path)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert re.search(r"^all +0", done.stdout, re.M), done.stderr


def test_core_hours_of_the_reference_do_not_exceed_those_measured():
    done = subprocess.run(
        [sys.executable, "maintain/benchmarks/core_hours.py"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    table = re.split("not in it|measured at", done.stdout)[0]
    rows = [line.split() for line in table.splitlines()[1:]]
    told = {row[0]: float(row[2]) for row in rows}
    durations = pd.read_csv(ROOT / "results/reference/durations.csv", keep_default_na=False)
    seconds = "cpu_seconds" if "cpu_seconds" in durations else "seconds"
    longest = pd.to_numeric(durations[seconds]).groupby(durations["talk"]).max() / 3600
    for row in rows[:-1]:
        # Experiments that are newer than the measurements are not in the estimate.
        assert float(row[3]) <= longest[row[0]] + 0.006
    assert told["all"] == pytest.approx(sum(v for k, v in told.items() if k != "all"), abs=0.5)


def at_scale_paper():
    """Lines of the estimate: those of talks, and what it has not."""
    done = subprocess.run(
        [sys.executable, "maintain/benchmarks/core_hours.py", "config/paper.yaml"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def test_the_page_on_clusters_shows_the_core_hours_that_are_printed():
    page = (ROOT / "docs/cluster.md").read_text(encoding="utf-8")
    shown = page.partition("core-hours: begin -->\n```\n")[2].partition("```\n<!-- core-hours")[0]
    assert shown == at_scale_paper(), (
        "run: python maintain/benchmarks/core_hours.py config/paper.yaml docs/cluster.md"
    )


def test_core_hours_name_what_was_never_measured():
    _, _, missing = at_scale_paper().partition("not in it")
    assert "train smnist/spiking" in missing, "scale full has no such network"
