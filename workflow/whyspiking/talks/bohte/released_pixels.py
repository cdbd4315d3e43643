"""The network for digits pixel by pixel that the authors released (README, section 10).

Two recurrent layers and a feed-forward one, all adaptive; ten adaptive output neurons whose spikes
are counted. The file holds the arrays of `NMI_vis/smnist/model_98.21_Task-smnist...pth`
(byin-cwi/Efficient-spiking-networks).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import brian_model as bm
from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.datasets import mnist
from whyspiking.datasets.released import File
from whyspiking.talks.bohte import (
    brian_network,
    learning,
    model,
    network,
    one_class,
    released_layers,
)
from whyspiking.talks.bohte.released_layers import Layer
from whyspiking.talks.bohte.task import raster
from whyspiking.training.products import product

__all__ = [
    "bind", "decode", "evaluate", "make_task", "reference_counts", "to_brian", "train",
]  # fmt: skip

RELEASED = released_layers.Released(
    File(
        "srnn_smnist.npz",
        "99b3116a96017cb754b4361e99d2f734efa4c1ce4f1ceca2c5c6325aa539fab8",
    ),
    (
        Layer("i2h", "h2h", "tau_m_r1", "tau_adp_r1", "s_in_0"),
        Layer("h2d", "d2d", "tau_m_r2", "tau_adp_r2", "s_in_1"),
        Layer("dense1", None, "tau_m_d1", "tau_adp_d1", "s_in_2"),
        Layer("d2o", None, "tau_m_o", "tau_adp_o", "s_in_3"),
    ),
)
GROUPS = released_layers.groups(RELEASED)
N_PIXELS, N_BITS = 784, 8
CHUNK = 100


def shown(params: ct.Params, images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Encode the brightness of digits as bits, (trial, time, channel).

    At step t it sees pixels t to t + 7, in the last 8 steps the last 8 (published). Brightness is a
    sum of bits; channel 8 p + b is bit b of pixel p of the window, so that every input is a spike.

    Args:
        params: `n_steps`, `n_input`.
        images: Brightness 0 to 255, (trial, pixel).
    """
    width = params.n_input // N_BITS
    first_pixels = np.minimum(np.arange(params.n_steps), N_PIXELS - width)
    window = images[:, first_pixels[:, None] + np.arange(width)]
    bits = window[..., None] >> np.arange(N_BITS, dtype=np.uint8) & 1
    return bits.astype(bool).reshape(*window.shape[:2], -1)


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Test digits; no other split exists, since the network learned elsewhere."""
    if split != "test":
        return None
    images, labels = _load_test_digits(params, params.n_test)
    bits = Spikes.from_raster(shown(params, images), params.step_ms)
    return ct.Task(ct.Stimulus(spikes={"input": bits}), labels, params.n_output)


def _load_test_digits(params: ct.Params, n_test: int) -> tuple[NDArray, NDArray]:
    test_values = {**params.values, "n_input": N_PIXELS, "n_test": n_test}
    return mnist.samples(
        replace(params, values=test_values), "test", n_held_out=params.n_validation
    )


def train(
    params: ct.Params,
    variant: str,
    streams: Streams,
    parents: ct.Parents,
    progress: ct.Progress,
) -> ct.Network:
    """Read the released network.

    `info["measures"]` holds its accuracy on the whole test set, more digits than Brian2 is given,
    from states drawn as published (randomness: "states").
    """
    released_network = released_layers.network(params, RELEASED, params.n_input // N_BITS)
    released_network.arrays["w_in_0"] = weights_of_bits(released_network.arrays["w_in_0"])
    accuracy = measure_whole_test(params, released_network.arrays, streams.rng("states"), progress)
    released_network.info["measures"] = {"accuracy_whole": accuracy}
    return released_network


def weights_of_bits(w: NDArray) -> NDArray:
    """Weights (channel, neuron) of the bits from those (pixel, neuron) of brightness 0 to 1."""
    bits = 2.0 ** np.arange(N_BITS) / 255
    return (w[:, None] * bits[:, None]).reshape(-1, w.shape[1])


def spikes(
    params: ct.Params,
    arrays: Mapping[str, NDArray],
    x: NDArray,
    starts: Sequence[NDArray] | None = None,
) -> list[NDArray[np.bool_]]:
    """Compute the spikes of every layer, each (trial, time, neuron), the output last.

    Args:
        params: Threshold and strength of the adaptation.
        arrays: The network.
        x: (trial, time, channel), `CHUNK` trials at most where `starts` are given.
        starts: Membranes, and spikes, of every layer before the first step, (trial, neuron); None:
            at rest.
    """
    if len(x) > CHUNK:
        batches = [spikes(params, arrays, x[k : k + CHUNK]) for k in range(0, len(x), CHUNK)]
        return [np.concatenate(layer) for layer in zip(*batches, strict=True)]
    jax_arrays = {name: jnp.asarray(values, jnp.float32) for name, values in arrays.items()}
    neuron, beta = network.neuron(params, "alif"), jnp.float32(params.adaptation)
    layer_input: Any = jnp.asarray(x.swapaxes(0, 1), jnp.float32)
    spikes_by_layer = []
    for k in range(len(GROUPS)):
        drive = product(layer_input, jax_arrays[f"w_in_{k}"]) + jax_arrays[f"bias_{k}"]
        no_recurrence = jnp.zeros((drive.shape[2],) * 2, jnp.float32)
        alpha, rho = (jnp.exp(-1 / jax_arrays[f"tau_{kind}_{k}"]) for kind in ("mem", "adapt"))
        w_rec, start_state = (
            jax_arrays.get(f"w_rec_{k}", no_recurrence),
            model.at_rest(neuron, drive[0]),
        )
        if starts is not None:
            start_membrane = jnp.asarray(starts[k], jnp.float32)
            start_state = start_state._replace(u=start_membrane, spikes=start_membrane)
        # The compiled steps know whole spikes only.
        first_state = model.step(neuron, beta, start_state, drive[0], w_rec, alpha, rho)
        later_spikes = learning.spikes(neuron, beta, drive[1:], w_rec, alpha, rho, first_state)
        layer_input = jnp.concatenate([first_state.spikes[None], later_spikes])
        spikes_by_layer.append(np.asarray(layer_input).swapaxes(0, 1) > 0)
    return spikes_by_layer


def measure_whole_test(
    params: ct.Params,
    arrays: Mapping[str, NDArray],
    rng: np.random.Generator,
    progress: ct.Progress,
) -> float:
    """Measure the accuracy on `n_whole` test digits, each from its own state, as in the notebook.

    Membrane, spike and, in the output, count of a neuron begin at one number from [0, 1].
    """
    images, labels = _load_test_digits(params, params.n_whole)
    n_correct = 0
    for start in range(0, params.n_whole, CHUNK):
        x = shown(params, images[start : start + CHUNK])
        starts = [rng.random((len(x), n)) for n in (*params.n_hidden, params.n_output)]
        counts = spikes(params, arrays, x, starts)[-1].sum(axis=1) + starts[-1]
        n_correct += int((counts.argmax(axis=1) == labels[start : start + CHUNK]).sum())
        progress(start / params.n_whole, f"{start} of {params.n_whole} digits")
    return n_correct / params.n_whole


def outcome(params: ct.Params, fired: NDArray[np.bool_], task: ct.Task) -> ct.Trials:
    """The class whose neuron spikes most, of equal ones the first; `fired` (trial, time, class)."""
    return one_class.settled(params, fired.cumsum(axis=1), task)


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Trials:
    """Classify the digits in JAX."""
    return outcome(params, spikes(params, network.arrays, raster(params, task))[-1], task)


def reference_counts(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> Mapping[str, NDArray]:
    """Spikes of every hidden neuron in JAX, (trial, neuron)."""
    spikes_by_layer = spikes(params, network.arrays, raster(params, task))
    return {
        name: layer.sum(axis=1) for name, layer in zip(GROUPS[:-1], spikes_by_layer, strict=False)
    }


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Trials:
    """Count the spikes of the output neurons in Brian2."""
    fired = brian_network.raster(params, recording, len(params.n_hidden), "output")
    return outcome(params, fired, task)


def to_brian(params: ct.Params) -> bm.BrianModel:
    """The structure."""
    return released_layers.to_brian(params, RELEASED)


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Place the network into the structure."""
    return released_layers.bind(params, network, RELEASED)
