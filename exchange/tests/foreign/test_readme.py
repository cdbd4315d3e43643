"""README's ten statements that look at one network, run as they stand there."""

import ast
import os
import re
import shlex
import subprocess
import sys

import matplotlib.image
from made.checkouts import ROOT
from made.hangs import limit

SAYS = """
first = output[0][output[0].any(1)][0].argmax()
print(*model.decide(output), samples["choices"][0], first, *spikes)
"""
"""Decision, the one that was recorded, the output that fires first, layers."""


def test_ten_statements_load_a_network_run_a_trial_and_plot_it(tmp_path):
    section = (
        (ROOT / "README.md").read_text("utf-8").partition("## Run it")[2].partition("\n## ")[0]
    )
    (code,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    (command,) = re.findall(r"`(python -m whyspiking brian [^`]* --to model\.py)`", section)
    assert "After `make environment`" in section and "`source .venv/bin/activate`" in section
    assert len([node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.stmt)]) == 10
    for folder in ("config", "results"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    for words in (shlex.split(command)[1:], ["-c", code + SAYS]):
        done = subprocess.run(
            [sys.executable, *words],
            cwd=tmp_path,
            env={**os.environ, "MPLBACKEND": "agg"},
            capture_output=True,
            text=True,
            timeout=limit(),
        )
        assert done.returncode == 0, done.stderr
    decided, recorded, first, *layers = done.stdout.split()
    assert decided == recorded == first
    assert layers == ["layer1", "output"]
    made = {path.name for path in tmp_path.iterdir()} - {"__pycache__"}
    assert made == {"config", "results", "model.py", "model.weights.npz", "raster.png"}
    assert matplotlib.image.imread(tmp_path / "raster.png").std() > 0.05
