"""How cost grows with network size, samples and duration: exponents over a range of sizes.

What more seeds cost is told by `simulation.py`: they share a build.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from timing import Row, cpu, slope

PART = "scaling"


def rows(quick: bool) -> Iterator[Row]:
    """Every series, one row a size, then one row with the exponent."""
    more = 1 if quick else 2
    yield from _series(
        "first-spike layer, hidden neurons", [128, 256, 512, 1024 * more], _layer_of_size
    )
    yield from _series("first-spike layer, samples", [100, 200, 400, 800 * more], _layer_of_samples)
    yield from _series("e-prop, steps of a trial", [250, 500, 1000, 2000 * more], _eprop_of_steps)
    yield from _series("e-prop, neurons", [50, 100, 200, 400], _eprop_of_size)
    yield from _series("S4NN, images", [500, 1000, 2000, 4000 * more], _s4nn_of_images)


def _series(what: str, sizes: list[int], run: Callable[[int], Callable[[], Any]]) -> Iterator[Row]:
    seconds = [cpu(run(size)) for size in sizes]
    for size, found in zip(sizes, seconds, strict=True):
        yield Row(PART, f"{what}: {size}", found)
    exponent = slope([float(size) for size in sizes], seconds)
    yield Row(
        PART, f"{what}: {sizes[0]} to {sizes[-1]}", seconds[-1], "proportional growth",
        seconds[0] * sizes[-1] / sizes[0], note=f"cost grows as size^{exponent:.2f}",
    )  # fmt: skip


def _layer(n_samples: int, n_hidden: int) -> Callable[[], Any]:
    from whyspiking.training.first_spike import compiled

    rng = np.random.default_rng(0)
    times = rng.uniform(0.15, 2.0, (n_samples, 784)).astype(np.float32)
    weights = rng.normal(0.05, 0.8, (784, n_hidden)).astype(np.float32)
    return lambda: compiled.forward(times, weights, 1.0, 1)


def _layer_of_size(n: int) -> Callable[[], Any]:
    return _layer(200, n)


def _layer_of_samples(n: int) -> Callable[[], Any]:
    return _layer(n, 352)


def _eprop(n_steps: int, n: int) -> Callable[[], Any]:
    from whyspiking.talks.scherr import kernel, trials

    rng = np.random.default_rng(0)
    cell = kernel.Cell(
        alpha=np.exp(-1 / 20), rho=np.exp(-1 / 2000), kappa=np.exp(-1 / 20), v_th=0.6, gamma=0.3,
        refractory=5, beta=np.zeros(n),
    )  # fmt: skip
    w = (rng.normal(0, 1, (40 + n, n)) / np.sqrt(40 + n)).astype(np.float32)
    weights = kernel.Weights(w, rng.normal(0, 0.1, (n, 2)).astype(np.float32))
    targets = np.zeros((16, n_steps, 2), np.float32)
    batch = trials.from_raster(rng.random((16, n_steps, 40)) < 0.02, targets)
    cost = kernel.RateCost(2.0, 0.01)
    return lambda: kernel.eprop(cell, weights, weights.w_out, batch, cost)


def _eprop_of_steps(n: int) -> Callable[[], Any]:
    return _eprop(n, 100)


def _eprop_of_size(n: int) -> Callable[[], Any]:
    return _eprop(1000, n)


def _s4nn_of_images(n: int) -> Callable[[], Any]:
    from whyspiking.talks.masquelier import compiled
    from whyspiking.talks.masquelier.network import Neurons, Rule, order_spikes

    rng = np.random.default_rng(0)
    ticks = np.where(rng.random((n, 784)) < 0.2, rng.integers(0, 256, (n, 784)), 256)
    events, targets = order_spikes(ticks.astype(np.uint16), 256), rng.integers(0, 10, n)
    start = rng.uniform(0, 1, (784, 400)), rng.uniform(0, 2, (400, 10))
    rule = Rule(3, 0.2, 1e-6)

    def run() -> None:
        weights = (start[0].astype(np.float32), start[1].astype(np.float32))
        compiled.train_epoch(
            events, targets, np.arange(n), weights, None, Neurons(100.0, 256), rule
        )

    return run
