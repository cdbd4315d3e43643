"""Networks that learn from fresh trials, each shown once, by Adam along a cosine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.training.products import product

BATCH = 100
Arrays = Mapping[str, Any]
Loss = Callable[[Arrays, Any, Any], Any]


@partial(jax.jit, static_argnames=("loss", "frozen"))
def _run(loss: Loss, start: Arrays, x: Any, y: Any, rate: Any, frozen: frozenset[str]) -> Arrays:
    adam = optax.adam(lambda step: rate * (1 + jnp.cos(jnp.pi * step / len(x))) / 2)

    def step(carry: Any, batch: Any) -> tuple[Any, None]:
        arrays, state = carry
        slopes = jax.grad(loss)(arrays, *batch)
        slopes = {k: jnp.zeros_like(v) if k in frozen else v for k, v in slopes.items()}
        change, state = adam.update(slopes, state)
        return (optax.apply_updates(arrays, change), state), None

    return jax.lax.scan(step, (start, adam.init(start)), (x, y))[0][0]


def fit(
    loss: Loss,
    start: Arrays,
    x: NDArray,
    y: NDArray,
    rate: float,
    frozen: Collection[str] = (),
) -> dict[str, NDArray]:
    """Arrays after one pass.

    Args:
        loss: Of arrays, inputs and targets of a batch; a module's function, so that it compiles
            once.
        start: First values by name.
        x: (trial, ...), whole batches of 100.
        y: (trial,).
        rate: Of Adam, at the start of its cosine.
        frozen: Names of arrays that stay.
    """
    batches = (len(x) // BATCH, BATCH)
    x = np.asarray(x, np.float32).reshape(*batches, *x.shape[1:])
    y = np.asarray(y, np.float32).reshape(batches)
    start = {name: jnp.asarray(value, jnp.float32) for name, value in start.items()}
    found = _run(loss, start, x, y, rate, frozenset(frozen))
    return {name: np.asarray(value) for name, value in found.items()}


def tries(
    loss: Loss,
    begin: Callable[[np.random.Generator], Arrays],
    drawn: tuple[NDArray, NDArray],
    rates: Iterable[float],
    streams: Streams,
    purpose: str,
    frozen: Collection[str] = (),
) -> Iterator[dict[str, NDArray]]:
    """One fit for every rate, each from random values of its own; arguments as `fit`."""
    for rate in rates:
        yield fit(loss, begin(streams.rng(f"{purpose} {rate:g}")), *drawn, rate, frozen)


def relu_start(sizes: Collection[int], rng: np.random.Generator) -> dict[str, NDArray]:
    """Weights of a ReLU network with one output (He et al. 2015) and small random biases."""
    sizes, arrays = [*sizes, 1], {}
    for place, (n_in, n_out) in enumerate(pairwise(sizes)):
        arrays[f"w{place}"] = rng.normal(0, np.sqrt(2 / n_in), (n_in, n_out))
        arrays[f"b{place}"] = rng.uniform(-1, 1, n_out) / np.sqrt(n_in)
    return arrays


def relu(arrays: Arrays, x: Any) -> Any:
    """Output of a ReLU network, (trial,)."""
    depth = len(arrays) // 2
    for place in range(depth):
        x = product(x, arrays[f"w{place}"]) + arrays[f"b{place}"]
        x = jnp.maximum(x, 0) if place < depth - 1 else x
    return x[:, 0]


def relu_decision(arrays: Arrays, x: Any, y: Any) -> Any:
    """Cross-entropy of two classes."""
    return optax.sigmoid_binary_cross_entropy(relu(arrays, x), y).mean()


def relu_square(arrays: Arrays, x: Any, y: Any) -> Any:
    """Squared error."""
    return jnp.mean((relu(arrays, x) - y) ** 2)


def gru_start(n_in: int, n: int, rng: np.random.Generator) -> dict[str, NDArray]:
    """Weights of `n` gated units (Glorot & Bengio 2010), gates z, r and candidate side by side."""
    return {
        "input": rng.uniform(-1, 1, (n_in, 3 * n)) * np.sqrt(6 / (n_in + n)),
        "state": rng.uniform(-1, 1, (n, 3 * n)) * np.sqrt(3 / n),
        "bias": np.zeros(3 * n),
        "out": rng.uniform(-1, 1, n),
        "out_bias": np.zeros(()),
    }


def gru(arrays: Arrays, x: Any) -> Any:
    """Output after the last step of frames (trial, time, input); (trial,)."""
    n = len(arrays["out"])
    drive = jnp.swapaxes(product(x, arrays["input"]) + arrays["bias"], 0, 1)

    def step(h: Any, now: Any) -> tuple[Any, None]:
        gates = jax.nn.sigmoid(now[:, : 2 * n] + product(h, arrays["state"][:, : 2 * n]))
        reset = gates[:, n:] * h
        candidate = jnp.tanh(now[:, 2 * n :] + product(reset, arrays["state"][:, 2 * n :]))
        return h + gates[:, :n] * (candidate - h), None

    h, _ = jax.lax.scan(step, jnp.zeros((x.shape[0], n)), drive)
    return h @ arrays["out"] + arrays["out_bias"]


def gru_decision(arrays: Arrays, x: Any, y: Any) -> Any:
    """Cross-entropy of two classes."""
    return optax.sigmoid_binary_cross_entropy(gru(arrays, x), y).mean()
