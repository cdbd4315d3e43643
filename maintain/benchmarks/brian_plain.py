"""One network in plain Brian2: `python brian_plain.py standalone|cython|numpy FILE.npz FOLDER`.

FILE holds t_ms, unit (input spikes of all trials, one after the other), w_in, w_rec, w_out, steps,
trials, dt_ms. The network of `simulation.py`, without anything of whyspiking: a
SpikeGeneratorGroup with all spikes, one run, the state reset at the start of every trial. Prints
JSON: CPU seconds of building and of running, and the number of hidden spikes.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import brian2
import numpy as np

NEURON = "dv/dt = -v / (20*ms) : 1"
READOUT = "do/dt = -o / (20*ms) : 1"


def used() -> float:
    """CPU seconds of this process and of the programs that it ran."""
    other = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + other.ru_utime + other.ru_stime


def main(mode: str, source: str, folder: str) -> dict[str, float]:
    """Build and run."""
    with np.load(source, allow_pickle=False) as file:
        given = {name: file[name] for name in file.files}
    steps, trials, dt = int(given["steps"]), int(given["trials"]), float(given["dt_ms"])
    began = used()
    if mode == "standalone":
        brian2.set_device("cpp_standalone", directory=folder, build_on_run=False)
        brian2.prefs.devices.cpp_standalone.openmp_threads = 0
        brian2.prefs.devices.cpp_standalone.extra_make_args_unix = ["-j1"]
    else:
        brian2.prefs.codegen.target = mode
        brian2.prefs.codegen.runtime.cython.cache_dir = str(Path(folder) / "cython")
    brian2.defaultclock.dt = dt * brian2.ms
    n_in, n = given["w_in"].shape
    n_out = given["w_out"].shape[1]
    inputs = brian2.SpikeGeneratorGroup(
        n_in, given["unit"], given["t_ms"] * brian2.ms, name="input"
    )
    hidden = brian2.NeuronGroup(
        n, NEURON, threshold="v > 1", reset="v -= 1", method="exact", name="hidden"
    )
    output = brian2.NeuronGroup(n_out, READOUT, method="exact", name="output")
    period = steps * dt * brian2.ms
    hidden.run_regularly("v = 0", dt=period, when="start", name="hidden_start")
    output.run_regularly("o = 0", dt=period, when="start", name="output_start")
    objects = [inputs, hidden, output]
    for pre, post, key, target in (
        (inputs, hidden, "w_in", "v"),
        (hidden, hidden, "w_rec", "v"),
        (hidden, output, "w_out", "o"),
    ):
        made = brian2.Synapses(pre, post, "w : 1", on_pre=f"{target}_post += w", name=f"s_{key}")
        made.connect()
        made.w = given[key].ravel()
        objects.append(made)
    monitor = brian2.SpikeMonitor(hidden, name="seen")
    traces = brian2.StateMonitor(output, "o", record=True, name="traces")
    network = brian2.Network(*objects, monitor, traces)
    if mode != "standalone":
        # Compiles what there is to compile.
        network.store()
        network.run(dt * brian2.ms)
        network.restore()
    else:
        network.run(steps * trials * dt * brian2.ms)
        brian2.device.build(directory=folder, run=False)
    built = used() - began
    began = used()
    if mode == "standalone":
        brian2.device.run()
    else:
        network.run(steps * trials * dt * brian2.ms)
    return {"build": built, "run": used() - began, "spikes": int(monitor.num_spikes)}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
