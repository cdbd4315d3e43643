"""The scripts that measure speed."""

import re
import subprocess
import sys

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
    told = printed("run", "--quick")
    for versus in (
        "the same computation, one layer at a time",
        "the same computation in NumPy",
        "BPTT",
    ):
        # Timed, and nothing is asked of how fast it was.
        assert re.search(rf"[\d.]+ +[\d.]+ +[\d.]* +{versus}", told), told
