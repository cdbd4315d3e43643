"""The logger plugin in Snakemake itself, as a reader of a pipe sees it."""

import os
import subprocess
import sys

import pytest
from made.hangs import limit

ANNOUNCE = """
from snakemake_logger_plugin_whyspiking import announce

onstart:
    announce(workflow.dag, {"scale": "default", "build_folder": "build"})
"""
RULES = """
rule all:
    input: expand("{talk}.txt", talk=["one", "two"])

rule train:
    output: "{talk}.txt"
    log: "results/default/logs/{talk}.log"
    shell:
        "echo ERROR: {wildcards.talk} is wrong >{log}; "
        "test {wildcards.talk} = one && touch {output}"
"""


EXPECTED_TEXTS = {
    "announced": (ANNOUNCE + RULES, "3 jobs to do\n", "] one: trained (", "two: training"),
    "nothing is announced": (
        RULES.replace("rule train", "rule draw"),
        "1/3] one: done (",
        "FAILED",
        "two: draw",
    ),
}


@pytest.mark.parametrize("case", EXPECTED_TEXTS)
def test_snakemake_uses_it_in_a_pipe(tmp_path, case):
    """Also in a workflow that announces no jobs."""
    snakefile, *expected = EXPECTED_TEXTS[case]
    (tmp_path / "Snakefile").write_text(snakefile)
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--keep-going"]
    command += ["--scheduler", "greedy", "--show-failed-logs", "--logger", "whyspiking"]
    process = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=limit(),
    )
    assert process.returncode == 1
    for text in (*expected, "| ERROR: two is wrong"):
        assert text in process.stderr
    assert "Building DAG" not in process.stderr + process.stdout
