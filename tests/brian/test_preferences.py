"""Preference files of Brian2 change no program and no number."""

import json
import os
import subprocess
import sys

from made.checkouts import ROOT

OF_USER = "core.default_float_dtype = float32\n"
OF_FOLDER = """
core.network.default_schedule = ['start', 'groups', 'synapses', 'thresholds', 'resets', 'end']
codegen.loop_invariant_optimisations = False
codegen.generators.cpp.flush_denormals = True
codegen.cpp.extra_compile_args = ['-O0']
devices.cpp_standalone.openmp_threads = 2
legacy.refractory_timing = True
"""
SIMULATE = """
import hashlib, json, sys
from pathlib import Path
from whyspiking import arithmetic
arithmetic.set_variables()
from whyspiking.brian import Machine
from whyspiking.contract.brian_model import BrianModel, Group
from whyspiking.contract.types import Stimulus
from whyspiking.talks.clopath.force import learning

neurons = Group(
    "neurons",
    3,
    "dv/dt = (1.1 - v + 0.1 * exp(-v / 3)) / (7 * ms) : 1 (unless refractory)",
    threshold="v > 1",
    reset="v = 0",
    method="euler",
)
model = BrianModel(
    name="small",
    groups=[neurons],
    synapses=[],
    inputs={"input": 1},
    dt_ms=0.1,
    trial_ms=50.0,
    max_trials=1,
    reset={"neurons": "v = 0"},
    record_traces={"v": ("neurons", "v", 0.1)},
)
folder = Path(sys.argv[1])
machine = Machine(model, folder)
voltages = machine.run(Stimulus({}), {}).traces["v"]
import brian2
loaded = dict(brian2.prefs)
learning.start_runtime(folder, 0.1, "numpy")
print(json.dumps({
    "built": machine.built,
    "program": machine.project.name,
    "files": {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
              for path in (machine.project / "code_objects").iterdir()},
    "voltages": [str(voltages.dtype), hashlib.sha256(voltages.tobytes()).hexdigest()],
    "loaded": {name: str(value) for name, value in loaded.items()},
    "in runtime mode": {name: str(value) for name, value in brian2.prefs.items()},
}))
"""


def test_preference_files_change_no_program_and_no_number(tmp_path):
    user, folder = tmp_path / "home/.brian", tmp_path / "project"
    user.mkdir(parents=True)
    folder.mkdir()

    def simulate():
        done = subprocess.run(
            [sys.executable, "-c", SIMULATE, "builds"],
            env={**os.environ, "HOME": str(user.parent), "PYTHONPATH": str(ROOT / "workflow")},
            capture_output=True,
            text=True,
            cwd=folder,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout)

    without = simulate()
    (user / "user_preferences").write_text(OF_USER)
    (folder / "brian_preferences").write_text(OF_FOLDER)
    (folder / "builds").rename(folder / "builds_without")
    with_files = simulate()
    loaded = with_files.pop("loaded")
    assert "float32" in loaded["core.default_float_dtype"], "Brian2 has read the user's file"
    assert loaded["legacy.refractory_timing"] == "True", "and that of the folder"
    assert loaded.keys() == without.pop("loaded").keys()
    assert without["voltages"][0] == "float64"
    assert with_files["built"] and with_files == without
