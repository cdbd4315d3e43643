"""The scripts that measure speed, and what they estimate."""

import re
import subprocess
import sys

import pandas as pd
import pytest
from made.checkouts import ROOT
from made.hangs import limit


def printed(script, *words):
    """What a script of maintain/benchmarks prints; it must end well."""
    done = subprocess.run(
        [sys.executable, f"maintain/benchmarks/{script}.py", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=limit(), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
def test_benchmarks_run_and_print_their_ratios():
    told = printed("run", "--quick", "--only", "kernels")
    for versus in ("the same a layer at a time", "the same in numpy", "bptt"):
        # Timed, and nothing is asked of how fast it was.
        assert re.search(rf"[\d.]+ +[\d.]+ +[\d.]* +{versus}", told), told


def test_where_the_seconds_of_a_run_went_is_told_by_the_command_of_the_docs(tmp_path):
    assert re.search(r"^all +0", printed("stages", str(tmp_path)), re.M)


def test_core_hours_of_the_reference_do_not_exceed_those_measured():
    table = re.split("not in it|measured at", printed("core_hours"))[0]
    rows = [line.split() for line in table.splitlines()[1:]]
    told = {row[0]: float(row[2]) for row in rows}
    durations = pd.read_csv(ROOT / "results/reference/durations.csv", keep_default_na=False)
    seconds = "cpu_seconds" if "cpu_seconds" in durations else "seconds"
    longest = pd.to_numeric(durations[seconds]).groupby(durations["talk"]).max() / 3600
    for row in rows[:-1]:
        # Experiments that are newer than the measurements are not in the estimate.
        assert float(row[3]) <= longest[row[0]] + 0.006
    assert told["all"] == pytest.approx(sum(v for k, v in told.items() if k != "all"), abs=0.5)


def test_the_page_on_clusters_shows_the_core_hours_that_are_printed():
    page = (ROOT / "docs/cluster.md").read_text(encoding="utf-8")
    shown = page.partition("core-hours: begin -->\n```\n")[2].partition("```\n<!-- core-hours")[0]
    assert shown == printed("core_hours", "config/paper.yaml"), (
        "run: python maintain/benchmarks/core_hours.py config/paper.yaml docs/cluster.md"
    )


def test_core_hours_name_what_was_never_measured():
    _, _, missing = printed("core_hours", "config/paper.yaml").partition("not in it")
    assert "train smnist/spiking" in missing, "scale full has no such network"
