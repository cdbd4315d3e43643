"""The convolutional spiking network for spoken words, in JAX (README, section 10).

Arrays of a network: w_0, w_1, w_2 (tap, pre, neuron), tap k looking k dilations back; b_0, b_1, b_2
(neuron,) thresholds; leak_0, leak_1, leak_2 (); w_out (neuron, class), b_out (class,).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.types import Params
from whyspiking.training.surrogates import sigmoid, spike

if TYPE_CHECKING:
    from whyspiking.training.gradient import Arrays, Loss

EPSILON = 1e-8
LEAKY = {"spiking": True, "if_neuron": False, "sparse": True}
"""Variant -> whether its membranes leak."""


def depth(params: Params) -> int:
    """Number of convolutional layers."""
    return len(params.dilations)


def lag_of(params: Params) -> int:
    """Steps by which the last layer lags behind the first in Brian2."""
    return depth(params) - 1


def initial(params: Params, variant: str, rng: np.random.Generator) -> dict[str, NDArray]:
    """Draw a network before training (README, section 11).

    Args:
        params: Parameters of the experiment.
        variant: A spiking one, or "conv" (ReLU).
        rng: Source of the numbers.
    """
    arrays: dict[str, NDArray] = {}
    before = params.n_bands
    spiking = variant in LEAKY
    for k in range(depth(params)):
        shape = (params.kernel, before, params.n_channels)
        fan_in = params.kernel * before
        # ReLU units keep the size of their input with a gain of sqrt(2).
        scale = (params.init_scale if spiking else np.sqrt(2.0)) / np.sqrt(fan_in)
        arrays[f"w_{k}"] = scale * rng.standard_normal(shape)
        if spiking:
            arrays[f"b_{k}"] = 1 + 0.01 * rng.standard_normal(params.n_channels)
            arrays[f"leak_{k}"] = np.asarray(params.leak + 0.01 * rng.standard_normal())
        else:
            arrays[f"b_{k}"] = np.zeros(params.n_channels)
        before = params.n_channels
    scale = (params.init_scale if spiking else 1.0) / np.sqrt(before)
    arrays["w_out"] = scale * rng.standard_normal((before, params.n_words))
    arrays["b_out"] = np.zeros(params.n_words)
    return {name: np.asarray(value, np.float32) for name, value in arrays.items()}


def stacked(x: Any, kernel: int, dilation: int) -> Any:
    """The taps of a causal dilated convolution side by side, (trial, time, tap * channel).

    Args:
        x: (trial, time, channel), NumPy or JAX.
        kernel: Number of taps.
        dilation: Steps between taps; tap k looks k dilations back, where nothing was: 0.
    """
    if isinstance(x, np.ndarray):
        library: Any = np
    else:
        import jax.numpy as library

    n_time = x.shape[1]
    taps = []
    for k in range(kernel):
        shift = min(k * dilation, n_time)
        taps.append(library.pad(x, ((0, 0), (shift, 0), (0, 0)))[:, :n_time])
    return library.concatenate(taps, axis=2)


def constants(arrays: Mapping[str, Any], k: int, leaky: bool, gain: float) -> tuple[Any, ...]:
    """What layer k needs per step: scaled weights, lateral reset, leak (README, Eqs. 9 to 11).

    Args:
        arrays: The network.
        k: Which layer.
        leaky: Whether its membranes leak.
        gain: Factor on the input of neurons that do not.

    Returns:
        Weights (tap * pre, neuron) and reset (neuron that fired, neuron) in units of the squared
        norm of a neuron's weights, and the leak.
    """
    w = arrays[f"w_{k}"]
    flat = w.reshape(-1, w.shape[-1])
    norm = (flat**2).sum(axis=0) + EPSILON
    leak = arrays[f"leak_{k}"] if leaky else 1.0
    into = (1.0 - arrays[f"leak_{k}"]) if leaky else gain
    if isinstance(flat, np.ndarray):
        shared = flat.T @ flat
    else:
        from whyspiking.training.products import over_rows

        shared = over_rows(flat, flat)
    # In this order: another one moves the last bits of what XLA makes of it.
    return into * flat / norm, shared / norm, leak


def layer(params: Params, arrays: Arrays, k: int, x: Any, leaky: bool) -> Any:
    """Spikes of layer k, (trial, time, neuron) (README, Eqs. 9 and 10)."""
    import jax
    import jax.numpy as jnp

    from whyspiking.training.products import product

    fire = spike(sigmoid(params.surrogate_slope))
    w, lateral, leak = constants(arrays, k, leaky, 1.0 - params.leak)
    current = product(stacked(x, params.kernel, params.dilations[k]), w)

    def step(carry: Any, now: Any) -> Any:
        u, s = carry
        u = leak * (u - product(s, lateral)) + now
        s = fire(u - arrays[f"b_{k}"])
        return (u, s), s

    rest = jnp.zeros((x.shape[0], w.shape[1]), x.dtype)
    _, spikes = jax.lax.scan(step, (rest, rest), current.swapaxes(0, 1))
    return spikes.swapaxes(0, 1)


def spikes_of(params: Params, arrays: Arrays, x: Any, leaky: bool) -> list[Any]:
    """Spikes of all layers, each (trial, time, neuron)."""
    layers = []
    for k in range(depth(params)):
        x = layer(params, arrays, k, x, leaky)
        layers.append(x)
    return layers


def readout(arrays: Arrays, mean: Any) -> Any:
    """Outputs (trial, class) from the mean activity of the last layer (README, Eq. 12)."""
    from whyspiking.training.products import product

    w = arrays["w_out"]
    return product(mean, w / ((w**2).sum(axis=0) + EPSILON)) - arrays["b_out"]


def outputs(params: Params, variant: str, arrays: Arrays, x: Any) -> tuple[Any, Any]:
    """Outputs (trial, class), and the mean over layers of squared activity: half the penalty."""
    import jax
    import jax.numpy as jnp

    from whyspiking.training.products import product

    if variant in LEAKY:
        spikes = spikes_of(params, arrays, x, LEAKY[variant])
        active = sum((s**2).mean() for s in spikes) / len(spikes)
        return readout(arrays, spikes[-1].mean(axis=1)), active
    for k in range(depth(params)):
        w = arrays[f"w_{k}"]
        flat = w.reshape(-1, w.shape[-1])
        taps = stacked(x, params.kernel, params.dilations[k])
        x = jax.nn.relu(product(taps, flat) + arrays[f"b_{k}"])
    return product(x.mean(axis=1), arrays["w_out"]) + arrays["b_out"], jnp.zeros(())


def loss(params: Params, variant: str) -> Loss:
    """Cross-entropy plus the price of spikes (README, Eq. 13)."""
    import jax.numpy as jnp
    import optax

    def value(arrays: Arrays, batch: Arrays) -> tuple[Any, dict[str, Any]]:
        scores, active = outputs(params, variant, arrays, batch["x"])
        entropy = optax.softmax_cross_entropy_with_integer_labels(scores, batch["labels"]).mean()
        hits = (scores.argmax(axis=1) == batch["labels"]).mean()
        price = batch["penalty"] * 0.5 * active
        return entropy + price, {"train_accuracy": hits, "train_activity": jnp.asarray(active)}

    return value


def within(arrays: Arrays) -> Arrays:
    """Leaks between 0 and 1 and thresholds from 0 on, as published."""
    import jax.numpy as jnp

    bounds: dict[str, Callable[[Any], Any]] = {
        "leak": lambda value: jnp.clip(value, 0.0, 1.0),
        "b": lambda value: jnp.maximum(value, 0.0),
    }
    return {
        name: bounds[name.split("_")[0]](value)
        if name.split("_")[0] in bounds and name != "b_out"
        else value
        for name, value in arrays.items()
    }
