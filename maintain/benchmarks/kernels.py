"""Training kernels against other forms of the same, and against other libraries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from timing import Row, cpu

from whyspiking.training.first_spike import compiled_epoch
from whyspiking.training.first_spike.epoch_state import Settings
from whyspiking.training.first_spike.inputs import Inputs
from whyspiking.training.first_spike.training import Training

sys.path.append(str(Path(__file__).parents[2] / "tests"))
from oracles import first_spike_epoch

FEW_SAMPLES = 640
"""Samples from which the time of an epoch in JAX is extrapolated."""
PEERS = Path(__file__).with_name("peers.py")


def rows(quick: bool) -> Iterator[Row]:
    """All kernels; `quick` takes fewer samples."""
    yield _first_spikes(3200 if quick else 54_000)
    yield from _s4nn(1000 if quick else 20_000)
    yield from _eprop(quick)
    yield from _frames(quick)


def _first_spikes(n: int) -> Row:
    """An epoch of a first-spike network on made-up digits: every fifth pixel is ink."""
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 10, n).astype(np.int32)
    prototypes = rng.random((10, 784)) < 0.2
    ink = prototypes[classes] ^ (rng.random((n, 784)) < 0.03)
    dark = np.where(ink, rng.integers(1, 257, ink.shape) / 256, 0).astype(np.float32)
    times = 0.15 + 1.85 * (1 - dark)
    settings = Settings(
        "goeltz", batch=80, threshold=1.0, temperature=0.2, max_dw=0.2, push=0.005,
        bump_rule="faithful", bump=5e-4, tolerated=(0.15, 0.05),
    )  # fmt: skip
    weights = rng.normal(0.05, 0.8, (784, 350)), rng.normal(0.15, 0.8, (350, 10))
    seconds = []
    for run, m in ((compiled_epoch.run, n), (first_spike_epoch.run, min(n, FEW_SAMPLES))):
        given = Training(settings, weights, ((), ())), Inputs(times[:m]), classes[:m]

        def epoch(run: Any = run, given: Any = given, m: int = m) -> None:
            run(*given, rng.permutation(m), 1e-3, 1e-2)

        # The first epoch of either also compiles or sorts.
        seconds.append(cpu(epoch, repeats=1 if m > 10_000 else 2) * n / m)
    what = f"first spikes, epoch of {n} samples, 784-350-10, all pixels, batch 80"
    return Row(what, seconds[0], "the same computation, one layer at a time", seconds[1], 1 / 6)


def _s4nn(n: int) -> Iterator[Row]:
    """The online rule of S4NN on made-up digits, 784-400-10."""
    from whyspiking.talks.masquelier import compiled
    from whyspiking.talks.masquelier.network import Neurons, Rule, order_spikes

    sys.path.append(str(Path(__file__).parents[2] / "tests"))
    from oracles import masquelier_reference as reference

    rng = np.random.default_rng(0)
    ticks = np.where(rng.random((n, 784)) < 0.2, rng.integers(0, 256, (n, 784)), 256)
    events, targets = order_spikes(ticks.astype(np.uint16), 256), rng.integers(0, 10, n)
    neurons, rule = Neurons(100.0, 256), Rule(3, 0.2, 1e-6)
    start = rng.uniform(0, 5, (784, 400)), rng.uniform(0, 48, (400, 10))
    seconds = {}
    for name, engine, m in (("compiled", compiled, n), ("numpy", reference, 60)):
        order = np.arange(m)

        def epoch(engine: Any = engine, order: Any = order) -> None:
            weights = tuple(w.copy() for w in start)
            engine.train_epoch(events, targets, order, weights, None, neurons, rule)

        seconds[name] = cpu(epoch, repeats=2) / m * n
    what = f"S4NN, epoch of {n} images, 784-400-10"
    yield Row(what, seconds["compiled"], "the same computation in NumPy", seconds["numpy"])


def _eprop(quick: bool) -> Iterator[Row]:
    """E-prop and BPTT in C++ for a network of 50 plain and 50 adaptive neurons."""
    from whyspiking.talks.scherr import kernel, trials

    rng = np.random.default_rng(0)
    n_trials, n_steps, n_in, n = 64, 500 if quick else 2250, 40, 100
    cell = kernel.Cell(
        alpha=np.exp(-1 / 20), rho=np.exp(-1 / 2000), kappa=np.exp(-1 / 20), v_th=0.6, gamma=0.3,
        refractory=5, beta=np.where(np.arange(n) < n // 2, 0.0, 0.0174),
    )  # fmt: skip
    w = rng.normal(0, 1, (n_in + n, n)) / np.sqrt(n_in)
    weights = kernel.Weights(w.astype(np.float32), rng.normal(0, 0.1, (n, 2)).astype(np.float32))
    made = trials.from_raster(rng.random((n_trials, n_steps, n_in)) < 0.02)
    labels = rng.integers(0, 2, n_trials).astype(np.int32)
    batch = replace(made, labels=labels, first_step=n_steps - 150)
    cost = kernel.RateCost(2.0, 0.01)
    eprop = cpu(lambda: kernel.eprop(cell, weights, weights.w_out, batch, cost))
    bptt = cpu(lambda: kernel.bptt(cell, weights, batch, cost))
    what = f"e-prop, batch {n_trials}, {n_steps} steps, 40-100-2"
    yield Row(what, eprop, "BPTT with the same kernel", bptt)


def _frames(quick: bool) -> Iterator[Row]:
    """The network of DECOLLE, local against end to end, and that against other libraries."""
    import jax
    import jax.numpy as jnp

    from whyspiking.talks.neftci import initial_weights, learning, model, training

    sizes, n_classes, batch = [578, 300, 150, 100], 10, 64
    n_steps = 20 if quick else 42
    rng = np.random.default_rng(0)
    frames = jnp.asarray(rng.random((n_steps, batch, sizes[0])) < 0.05, jnp.float32)
    c = model.Constants(alpha=0.8, beta=0.5, gamma=0.05, burn_in=2, slope=2.0)
    weights = initial_weights.draw(sizes, n_classes, 1.0, -1.0, np.asarray(frames), c, rng)
    target = jnp.asarray(np.eye(n_classes)[rng.integers(0, n_classes, batch)], jnp.float32)
    now = learning.start(weights)
    rate, seconds = jnp.asarray(0.01), {}
    for name, rule in (("local", "online"), ("bptt", "end_to_end")):

        def run(learn: Any = training.RULES[rule]) -> None:
            jax.block_until_ready(learn(now, weights.g, frames, target, rate, c, 0.95).w)

        seconds[name] = cpu(run, repeats=3)
    shape = f"578-300-150-100, batch {batch}, {n_steps} steps"
    what, note = f"local learning, {shape}", "weights are updated in every time step"
    yield Row(what, seconds["local"], "BPTT", seconds["bptt"], note=note)
    for library in ("snntorch", "norse"):
        told = _peer(library, sizes, batch, n_steps)
        target_ratio = 0.65 if library == "snntorch" else float("nan")
        yield Row(
            f"BPTT, {shape}", seconds["bptt"], library,
            told.get("seconds", float("nan")), target_ratio, told.get("note", ""),
        )  # fmt: skip


def _peer(library: str, sizes: list[int], batch: int, n_steps: int) -> dict[str, Any]:
    """A training step of leaky neurons of the same sizes in another library, if it is there."""
    python = os.environ.get("WHYSPIKING_PEERS", sys.executable)
    words = [library, json.dumps(sizes), str(batch), str(n_steps)]
    done = subprocess.run([python, str(PEERS), *words], capture_output=True, text=True, check=False)
    if done.returncode:
        return {"note": f"{library} is not installed in {Path(python).name}; left out"}
    return json.loads(done.stdout.splitlines()[-1])
