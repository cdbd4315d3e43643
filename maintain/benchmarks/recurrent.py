"""Print what a training step of the talk bohte costs, against its matmuls and against snnTorch.

Run `python maintain/benchmarks/recurrent.py` in the project's folder with the environment active.
snnTorch is no requirement of the project: without it (and torch) its lines say so. With it, outside
of the project's environment:

    uv venv /tmp/compare && uv pip install --python /tmp/compare/bin/python -e ".[benchmarks]"
    /tmp/compare/bin/python maintain/benchmarks/recurrent.py

One core each, CPU time, the least of several; a step of ours includes the conversion of the input
and the change of the weights, one of snnTorch the gradients only.
"""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Callable
from typing import Any

from whyspiking import arithmetic

arithmetic.set_variables()

import jax
import jax.numpy as jnp
import numpy as np

from whyspiking.contract.types import Params
from whyspiking.talks.bohte import network, training

SHAPES = {
    "ECG 4-36-6, 1301 steps, batch 16": (1301, 16, 4, [36], 6),
    "speech 140-128-128-20, 100 steps, batch 64": (100, 64, 140, [128, 128], 20),
}
DENSITY = 0.07
REPEATS, STEPS = 5, 8
CONSTANTS: dict[str, Any] = {
    "threshold": 0.01, "adaptation": 1.8, "surrogate": "triangle", "tau_mem": 20.0,
    "spread_tau_mem": 5.0, "tau_adapt": 100.0, "spread_tau_adapt": 0.0, "tau_out": 20.0,
    "spread_tau_out": 5.0,
}  # fmt: skip


def main() -> None:
    """Measure and print."""
    print(f"{'CPU ms per step of training':50} {'ours':>9} {'matmuls':>9} {'ratio':>7}")
    for name, (n_steps, batch, n_in, hidden, n_out) in SHAPES.items():
        ours = _ours(n_steps, batch, n_in, hidden, n_out)
        bound = _matmuls(n_steps, batch, n_in, hidden, n_out)
        print(f"{name:50} {ours:9.1f} {bound:9.1f} {ours / bound:7.2f}")
        if importlib.util.find_spec("snntorch") is None:
            print(f"{'  against snnTorch':50} not installed, left out")
            continue
        theirs = _snntorch(n_steps, batch, n_in, hidden, n_out)
        print(f"{'  against snnTorch':50} {ours:9.1f} {theirs:9.1f} {ours / theirs:7.2f}")


def _milliseconds(run: Callable[[], Any]) -> float:
    """CPU time of one call, the least of several: others may be busy on the machine."""
    run()
    found = []
    for _ in range(REPEATS):
        began = time.process_time()
        run()
        found.append(time.process_time() - began)
    return 1e3 * min(found)


def _ours(n_steps: int, batch: int, n_in: int, hidden: list[int], n_out: int) -> float:
    sizes = {"n_input": n_in, "n_hidden": hidden, "n_output": n_out}
    params = Params("bohte", "ecg", "benchmark", {**CONSTANTS, **sizes})
    rng = np.random.default_rng(0)
    arrays = {k: jnp.asarray(v) for k, v in network.initial(params, "alif", rng).items()}
    shown = {
        "x": jnp.asarray(rng.random((batch, n_steps, n_in)) < DENSITY),
        "labels": jnp.asarray(rng.integers(0, n_out, (batch, n_steps))),
        "penalty": jnp.zeros(()),
        "adaptation": jnp.asarray(1.8),
    }
    loss = jax.grad(training.label_loss(params, "alif"), has_aux=True)

    # As in training: many steps in one call, which so keeps its memory.
    @jax.jit
    def epoch(arrays: Any) -> Any:
        def step(arrays: Any, _: Any) -> Any:
            slope, _ = loss(arrays, shown)
            return {k: value - 1e-3 * slope[k] for k, value in arrays.items()}, None

        return jax.lax.scan(step, arrays, None, length=STEPS)[0]

    return _milliseconds(lambda: jax.block_until_ready(epoch(arrays))) / STEPS


def _matmuls(n_steps: int, batch: int, n_in: int, hidden: list[int], n_out: int) -> float:
    """The products alone: those over all steps at once, and the recurrent ones step by step."""
    rng = np.random.default_rng(0)

    def random(*shape: int) -> Any:
        return jnp.asarray(rng.normal(size=shape), jnp.float32)

    total = 0.0
    for n_pre, n in zip([n_in, *hidden], [*hidden, n_out], strict=True):
        x, w, g = random(n_steps * batch, n_pre), random(n_pre, n), random(n_steps * batch, n)
        whole = jax.jit(lambda x, w, g: (x @ w, g @ w.T, x.T @ g))
        total += _milliseconds(lambda f=whole, a=(x, w, g): jax.block_until_ready(f(*a)))
    for n in hidden:
        s, w = random(batch, n), random(n, n)

        @jax.jit
        def recurrent(s: Any, w: Any) -> Any:
            def step(carry: Any, _: Any) -> Any:
                # Forward, backward, and the gradient of the weights.
                forward, gradient = carry
                return (forward @ w, gradient + forward.T @ (forward @ w.T)), None

            return jax.lax.scan(step, (s, jnp.zeros_like(w)), None, length=n_steps)[0]

        w = w / jnp.linalg.norm(w)
        total += _milliseconds(lambda f=recurrent, a=(s, w): jax.block_until_ready(f(*a)))
    return total


def _snntorch(n_steps: int, batch: int, n_in: int, hidden: list[int], n_out: int) -> float:
    """The same sizes with recurrent leaky neurons without adaptation, which is less work."""
    snntorch, torch = (importlib.import_module(name) for name in ("snntorch", "torch"))
    torch.set_num_threads(1)
    feed, cells, n_pre = [], [], n_in
    for n in hidden:
        feed.append(torch.nn.Linear(n_pre, n))
        cells.append(snntorch.RLeaky(beta=0.95, linear_features=n, all_to_all=True))
        n_pre = n
    readout = torch.nn.Linear(n_pre, n_out)
    x = (torch.rand(n_steps, batch, n_in) < DENSITY).float()
    labels = torch.randint(0, n_out, (n_steps * batch,))
    modules = [*feed, *cells, readout]

    def step() -> None:
        for module in modules:
            module.zero_grad()
        states = [cell.init_rleaky() for cell in cells]
        outputs = []
        for now in x:
            for k, (linear, cell) in enumerate(zip(feed, cells, strict=True)):
                states[k] = cell(linear(now), *states[k])
                now = states[k][0]
            outputs.append(readout(now))
        loss = torch.nn.functional.cross_entropy(torch.cat(outputs), labels)
        loss.backward()

    return _milliseconds(step)


if __name__ == "__main__":
    main()
