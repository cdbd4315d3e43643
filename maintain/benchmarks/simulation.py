"""Simulation in Brian2: our compiled programs against plain standalone and the runtime modes.

A recurrent network of 140-128-20 neurons. The plain form of `brian_plain.py` is the sequential
bound: one standalone program with all trials in one run, built for its spikes. Ours is built once
and then fed with other spikes and weights.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from timing import Row

from whyspiking.brian import Machine
from whyspiking.contract.brian_model import BrianModel, Group, Synapses
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Stimulus
from whyspiking.running.jobs import cpu_seconds

PLAIN = Path(__file__).with_name("brian_plain.py")
N_IN, N, N_OUT, STEPS, DT_MS = 140, 128, 20, 100, 1.0
NEURON = "dv/dt = -v / (20*ms) : 1"
READOUT = "do/dt = -o / (20*ms) : 1"


def rows(quick: bool) -> Iterator[Row]:
    """All ways; `quick` leaves out Cython, whose compiler takes the longest, and 800 trials."""
    trials, few = (200, 4) if quick else (1000, 20)
    rng = np.random.default_rng(0)
    weights = {
        "w_in": rng.normal(0, 0.15, (N_IN, N)),
        "w_rec": rng.normal(0, 0.08, (N, N)),
        "w_out": rng.normal(0, 0.1, (N, N_OUT)),
    }
    raster = rng.random((trials, STEPS, N_IN)) < 0.07
    with tempfile.TemporaryDirectory(prefix="whyspiking-") as folder:
        plain = _plain("standalone", raster, weights, Path(folder))
        machine = Machine(_model(trials), Path(folder))
        first = _ours(machine, raster, weights)
        ours = min(first, _ours(machine, raster, weights), key=lambda found: found["run"])
        if ours["spikes"] != plain["spikes"]:
            raise SystemExit(f"the two programs differ: {ours['spikes']}, {plain['spikes']} spikes")
        shape = f"140-128-20 recurrent, {STEPS} steps, {trials} trials"
        yield Row(
            f"run, {shape}", ours["run"], "plain standalone, one run", plain["run"], 1.5,
            f"{ours['spikes']} hidden spikes in both",
        )  # fmt: skip
        build = float(sum(machine.manifest["cpu_seconds"].values()))
        yield Row(f"build, {shape}", build, "plain standalone", plain["build"])
        for seeds in (3, 5):
            yield Row(
                f"{seeds} networks with their spikes, {shape}", build + seeds * ours["run"],
                "a plain build each", seeds * (plain["build"] + plain["run"]),
            )  # fmt: skip
        for mode in ("numpy",) if quick else ("numpy", "cython"):
            slow = _plain(mode, raster[:few], weights, Path(folder))
            yield Row(
                f"run, {shape}", ours["run"], f"runtime mode, {mode}, one run",
                slow["run"] / few * trials, note=f"from {few} trials, compiling left out",
            )  # fmt: skip


def _plain(
    mode: str, raster: np.ndarray, weights: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    trial, step, unit = np.nonzero(raster)
    source = folder / f"{mode}.npz"
    np.savez(
        source, allow_pickle=False, t_ms=(trial * STEPS + step) * DT_MS, unit=unit, steps=STEPS,
        trials=len(raster), dt_ms=DT_MS, **weights,
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, str(PLAIN), mode, str(source), str(folder / mode)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return json.loads(done.stdout.splitlines()[-1])


def _model(trials: int) -> BrianModel:
    """The same network as a model of this project."""
    synapses = [
        Synapses(f"s_{key}", pre, post, on_pre=f"{target}_post += w")
        for pre, post, key, target in (
            ("input", "hidden", "w_in", "v"),
            ("hidden", "hidden", "w_rec", "v"),
            ("hidden", "output", "w_out", "o"),
        )
    ]
    return BrianModel(
        name="benchmark",
        groups=[
            Group("hidden", N, NEURON, threshold="v > 1", reset="v -= 1", method="exact"),
            Group("output", N_OUT, READOUT, method="exact"),
        ],
        synapses=synapses,
        inputs={"input": N_IN},
        dt_ms=DT_MS,
        trial_ms=STEPS * DT_MS,
        max_trials=trials,
        reset={"hidden": "v = 0", "output": "o = 0"},
        record_spikes=("hidden",),
        record_traces={"output": ("output", "o", DT_MS)},
        schedule=("start", "groups", "thresholds", "synapses", "resets", "end"),
    )


def _ours(machine: Machine, raster: np.ndarray, weights: Mapping[str, Any]) -> dict[str, Any]:
    stimulus = Stimulus({"input": Spikes.from_raster(raster, DT_MS)})
    began = cpu_seconds()
    found = machine.run(stimulus, {f"s_{name}.w": w for name, w in weights.items()})
    return {"run": cpu_seconds() - began, "spikes": len(found.spikes["hidden"])}
