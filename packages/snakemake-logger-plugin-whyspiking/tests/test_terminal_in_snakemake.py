"""The logger plugin in Snakemake itself, as a reader of a pipe sees it."""

import os
import subprocess
import sys

from made.hangs import limit

SNAKEFILE = """
from snakemake_logger_plugin_whyspiking import announce

onstart:
    announce(workflow.dag, {"scale": "default", "build_folder": "build"})

rule all:
    input: expand("{talk}.txt", talk=["one", "two"])

rule train:
    output: "{talk}.txt"
    log: "results/default/logs/{talk}.log"
    shell:
        "echo ERROR: {wildcards.talk} is wrong >{log}; "
        "test {wildcards.talk} = one && touch {output}"
"""


def test_snakemake_uses_it_in_a_pipe(tmp_path):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--keep-going"]
    command += ["--scheduler", "greedy", "--show-failed-logs", "--logger", "whyspiking"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=limit(),
    )
    assert done.returncode == 1
    said = "3 jobs to do\n", "1/3] one: trained (", "two: training", "| ERROR: two is wrong"
    for words in said:
        assert words in done.stderr
    assert "Building DAG" not in done.stderr + done.stdout
