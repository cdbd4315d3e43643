"""Print how fast the training code is on this machine, as ratios of CPU times.

Run `python maintain/benchmarks/kernels.py [--quick]` in the project's folder with the environment
active. All times are CPU seconds of one thread. The two times of a ratio are measured one after the
other, but they are still uncertain on a busy machine.
Other libraries (snnTorch, Norse) are included if they are installed in this environment or in that
of the Python interpreter that WHYSPIKING_PEERS names.
No test depends on these numbers.
"""

from __future__ import annotations

from whyspiking import arithmetic

# Before numpy, JAX and Brian2 are imported: everything is timed on one thread.
arithmetic.set_variables()

import argparse
import json
import os
import subprocess
import sys
import time
import timeit
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from whyspiking.training.first_spike import compiled_epoch
from whyspiking.training.first_spike.epoch_state import Settings
from whyspiking.training.first_spike.inputs import Inputs
from whyspiking.training.first_spike.training import Training

sys.path.append(str(Path(__file__).parents[2] / "tests"))
from oracles import first_spike_epoch

FEW_SAMPLES = 640
"""Samples from which the time of an epoch in JAX is extrapolated."""
PEERS = Path(__file__).with_name("peers.py")


@dataclass(frozen=True)
class Timing:
    """One measurement, and what it is compared with.

    Attributes:
        description: What was timed.
        seconds: CPU seconds.
        compared_with: What it is compared with; "" for nothing.
        reference_s: CPU seconds of that; nan where it could not be measured.
        note: Remarks.
    """

    description: str
    seconds: float
    compared_with: str = ""
    reference_s: float = float("nan")
    note: str = ""

    @property
    def ratio(self) -> float:
        """Our CPU seconds divided by those of the reference; below 1, ours is faster."""
        return self.seconds / self.reference_s if self.reference_s else float("nan")


def measure_cpu(run: Callable[[], Any], repeats: int = 3) -> float:
    """Measure CPU seconds of one call in this process, the least of several repeats."""
    run()  # warm
    return min(timeit.repeat(run, timer=time.process_time, number=1, repeat=repeats))


def main() -> None:
    """Measure all kernels and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="measure smaller sizes, which takes less than two minutes",
    )
    args = parser.parse_args()
    print(f"{'what':78} {'CPU s':>9} {'ratio':>7}  compared with")
    for timing in measure_kernels(args.quick):
        note = f" ({timing.note})" if timing.note else ""
        print(
            f"{timing.description:78} {timing.seconds:9.4f} {timing.ratio:7.3f}  "
            f"{timing.compared_with}{note}",
            flush=True,
        )
    print(f"load average of the machine: {os.getloadavg()[0]:.1f}")


def measure_kernels(quick: bool) -> Iterator[Timing]:
    """Measure all kernels; `quick` takes fewer samples."""
    yield _measure_first_spikes(3200 if quick else 54_000)
    yield from _measure_s4nn(1000 if quick else 20_000)
    yield from _measure_eprop(quick)
    yield from _measure_decolle(quick)


def _measure_first_spikes(n_samples: int) -> Timing:
    """Measure an epoch of a first-spike network on made-up digits: every fifth pixel is ink."""
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 10, n_samples).astype(np.int32)
    prototypes = rng.random((10, 784)) < 0.2
    is_ink = prototypes[classes] ^ (rng.random((n_samples, 784)) < 0.03)
    darkness = np.where(is_ink, rng.integers(1, 257, is_ink.shape) / 256, 0).astype(np.float32)
    spike_times = 0.15 + 1.85 * (1 - darkness)
    settings = Settings(
        "goeltz", batch=80, threshold=1.0, temperature=0.2, max_dw=0.2, push=0.005,
        bump_rule="faithful", bump=5e-4, tolerated=(0.15, 0.05),
    )  # fmt: skip
    weights = rng.normal(0.05, 0.8, (784, 350)), rng.normal(0.15, 0.8, (350, 10))
    seconds = []
    for run, n_timed in (
        (compiled_epoch.run, n_samples),
        (first_spike_epoch.run, min(n_samples, FEW_SAMPLES)),
    ):
        training_inputs = (
            Training(settings, weights, ((), ())),
            Inputs(spike_times[:n_timed]),
            classes[:n_timed],
        )

        def epoch(
            run: Any = run, training_inputs: Any = training_inputs, n_timed: int = n_timed
        ) -> None:
            run(*training_inputs, rng.permutation(n_timed), 1e-3, 1e-2)

        # The first epoch of either also compiles or sorts.
        seconds.append(
            measure_cpu(epoch, repeats=1 if n_timed > 10_000 else 2) * n_samples / n_timed
        )
    description = f"first spikes, epoch of {n_samples} samples, 784-350-10, all pixels, batch 80"
    return Timing(description, seconds[0], "the same computation, one layer at a time", seconds[1])


def _measure_s4nn(n_images: int) -> Iterator[Timing]:
    """Measure the online rule of S4NN on made-up digits, 784-400-10."""
    from oracles import masquelier_reference as reference

    from whyspiking.talks.masquelier import compiled
    from whyspiking.talks.masquelier.network import Neurons, Rule, order_spikes

    rng = np.random.default_rng(0)
    ticks = np.where(rng.random((n_images, 784)) < 0.2, rng.integers(0, 256, (n_images, 784)), 256)
    events, targets = order_spikes(ticks.astype(np.uint16), 256), rng.integers(0, 10, n_images)
    neurons, rule = Neurons(100.0, 256), Rule(3, 0.2, 1e-6)
    initial_weights = rng.uniform(0, 5, (784, 400)), rng.uniform(0, 48, (400, 10))
    seconds = {}
    for name, engine, n_timed in (("compiled", compiled, n_images), ("numpy", reference, 60)):
        order = np.arange(n_timed)

        def epoch(engine: Any = engine, order: Any = order) -> None:
            weights = tuple(w.copy() for w in initial_weights)
            engine.train_epoch(events, targets, order, weights, None, neurons, rule)

        seconds[name] = measure_cpu(epoch, repeats=2) / n_timed * n_images
    description = f"S4NN, epoch of {n_images} images, 784-400-10"
    yield Timing(
        description, seconds["compiled"], "the same computation in NumPy", seconds["numpy"]
    )


def _measure_eprop(quick: bool) -> Iterator[Timing]:
    """Measure e-prop and BPTT in C++ for a network of 50 plain and 50 adaptive neurons."""
    from whyspiking.talks.scherr import kernel, trials

    rng = np.random.default_rng(0)
    n_trials, n_steps, n_in, n_neurons = 64, 500 if quick else 2250, 40, 100
    cell = kernel.Cell(
        alpha=np.exp(-1 / 20), rho=np.exp(-1 / 2000), kappa=np.exp(-1 / 20), v_th=0.6, gamma=0.3,
        refractory=5, beta=np.where(np.arange(n_neurons) < n_neurons // 2, 0.0, 0.0174),
    )  # fmt: skip
    w_hidden = rng.normal(0, 1, (n_in + n_neurons, n_neurons)) / np.sqrt(n_in)
    weights = kernel.Weights(
        w_hidden.astype(np.float32), rng.normal(0, 0.1, (n_neurons, 2)).astype(np.float32)
    )
    input_trials = trials.from_raster(rng.random((n_trials, n_steps, n_in)) < 0.02)
    labels = rng.integers(0, 2, n_trials).astype(np.int32)
    batch = replace(input_trials, labels=labels, first_step=n_steps - 150)
    cost = kernel.RateCost(2.0, 0.01)
    eprop_s = measure_cpu(lambda: kernel.eprop(cell, weights, weights.w_out, batch, cost))
    bptt_s = measure_cpu(lambda: kernel.bptt(cell, weights, batch, cost))
    description = f"e-prop, batch {n_trials}, {n_steps} steps, 40-100-2"
    yield Timing(description, eprop_s, "BPTT with the same kernel", bptt_s)


def _measure_decolle(quick: bool) -> Iterator[Timing]:
    """Measure local against end-to-end learning of DECOLLE, and that against other libraries."""
    import jax
    import jax.numpy as jnp

    from whyspiking.talks.neftci import initial_weights, learning, model, training

    sizes, n_classes, batch = [578, 300, 150, 100], 10, 64
    n_steps = 20 if quick else 42
    rng = np.random.default_rng(0)
    frames = jnp.asarray(rng.random((n_steps, batch, sizes[0])) < 0.05, jnp.float32)
    constants = model.Constants(alpha=0.8, beta=0.5, gamma=0.05, burn_in=2, slope=2.0)
    weights = initial_weights.draw(sizes, n_classes, 1.0, -1.0, np.asarray(frames), constants, rng)
    target = jnp.asarray(np.eye(n_classes)[rng.integers(0, n_classes, batch)], jnp.float32)
    initial_state = learning.start(weights)
    learning_rate, seconds = jnp.asarray(0.01), {}
    for name, rule in (("local", "online"), ("bptt", "end_to_end")):

        def run(learn: Any = training.RULES[rule]) -> None:
            jax.block_until_ready(
                learn(initial_state, weights.g, frames, target, learning_rate, constants, 0.95).w
            )

        seconds[name] = measure_cpu(run, repeats=3)
    shape = f"578-300-150-100, batch {batch}, {n_steps} steps"
    description, note = f"local learning, {shape}", "weights are updated in every time step"
    yield Timing(description, seconds["local"], "BPTT", seconds["bptt"], note=note)
    for library in ("snntorch", "norse"):
        peer_result = _measure_peer(library, sizes, batch, n_steps)
        yield Timing(
            f"BPTT, {shape}", seconds["bptt"], library,
            peer_result.get("seconds", float("nan")), peer_result.get("note", ""),
        )  # fmt: skip


def _measure_peer(library: str, sizes: list[int], batch: int, n_steps: int) -> dict[str, Any]:
    """Measure a training step of leaky neurons of the same sizes in another library."""
    python = os.environ.get("WHYSPIKING_PEERS", sys.executable)
    arguments = [library, json.dumps(sizes), str(batch), str(n_steps)]
    process = subprocess.run(
        [python, str(PEERS), *arguments], capture_output=True, text=True, check=False
    )
    if process.returncode:
        return {"note": f"{library} is not installed in {Path(python).name}; left out"}
    return json.loads(process.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
