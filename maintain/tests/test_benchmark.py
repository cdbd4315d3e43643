"""The scripts that measure speed."""

import re
import subprocess
import sys

import pytest
from made.checkouts import ROOT
from made.hangs import limit


@pytest.mark.slow
def test_benchmarks_run_and_print_their_ratios():
    command = [sys.executable, "maintain/benchmarks/kernels.py", "--quick"]
    process = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=limit(), check=False
    )
    assert process.returncode == 0, process.stderr[-3000:]
    for compared_with in (
        "the same computation, one layer at a time",
        "the same computation in NumPy",
        "BPTT",
    ):
        # Timed, and nothing is asked of how fast it was.
        assert re.search(rf"[\d.]+ +[\d.]+ +{compared_with}", process.stdout), process.stdout
