"""The network for digits pixel by pixel that the authors released (README, section 12).

Two recurrent layers and a feed-forward one, all adaptive; ten adaptive output neurons whose spikes
are counted. The file holds the arrays of `NMI_vis/smnist/model_98.21_Task-smnist...pth`
(byin-cwi/Efficient-spiking-networks).
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import (
    Binding,
    Layer,
    Network,
    Params,
    Parents,
    Progress,
    Recording,
    Split,
    Stimulus,
    Task,
    Trials,
)
from whyspiking.datasets import mnist, released
from whyspiking.errors import UserError
from whyspiking.talks.bohte import one_class, brian_network
from whyspiking.talks.bohte.task import raster
from whyspiking.training import gradient

__all__ = [
    "bind", "decode", "evaluate", "make_task", "reference_counts", "to_brian", "train",
]  # fmt: skip

FILE = "srnn_smnist.npz"
DIGEST = "99b3116a96017cb754b4361e99d2f734efa4c1ce4f1ceca2c5c6325aa539fab8"
N_PIXELS, N_BITS = 784, 8
INTO = ("i2h", "h2d", "dense1", "d2o")
"""What the authors call the weights into each layer, the output last; `AMONG`, those within it."""
AMONG = ("h2h", "d2d", None, None)
TAUS = ("r1", "r2", "d1", "o")
CHUNK = 100


def names(params: Params) -> list[str]:
    """The groups of neurons, the output last."""
    return [*(brian_network.hidden(k) for k in range(len(params.n_hidden))), "output"]


def shown(params: Params, images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Digits as bits, (trial, time, channel): the network sees brightness, not ink.

    At step t it sees pixels t to t + 7, in the last 8 steps the last 8 (published). Brightness is a
    sum of bits; channel 8 p + b is bit b of pixel p of the window, so that every input is a spike.

    Args:
        params: `n_steps`, `n_input`.
        images: Brightness 0 to 255, (trial, pixel).
    """
    width = params.n_input // N_BITS
    first = np.minimum(np.arange(params.n_steps), N_PIXELS - width)
    seen = images[:, first[:, None] + np.arange(width)]
    bits = seen[..., None] >> np.arange(N_BITS, dtype=np.uint8) & 1
    return bits.astype(bool).reshape(*seen.shape[:2], -1)


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """Test digits; no other split exists, since the network learned elsewhere."""
    if split != "test":
        return None
    images, labels = _digits(params, split, params.n_test)
    spikes = Spikes.from_raster(shown(params, images), params.step_ms)
    return Task(Stimulus(spikes={"input": spikes}), labels, params.n_output)


def _digits(params: Params, split: Split, n_test: int) -> tuple[NDArray, NDArray]:
    own = {**params.values, "n_input": N_PIXELS, "n_test": n_test}
    return mnist.samples(replace(params, values=own), split, n_held_out=params.n_validation)


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Read the released network in `originals_dir`; nothing is trained.

    Returns:
        The network, and under `info["measures"]` its accuracy on the whole test set, more digits
        than Brian2 is given. Without its file, one without arrays whose `info["unavailable"]` says
        why.

    Raises:
        UserError: If the file is not the released one, or its content does not fit.
    """
    facts = {"engine": gradient.ENGINE, "provenance": "original"}
    try:
        raw = released_ecg.read(params.originals_dir, FILE, DIGEST)
    except released_ecg.Unavailable as reason:
        return Network({}, {**facts, "unavailable": str(reason)})
    with np.load(io.BytesIO(raw), allow_pickle=False) as saved:
        arrays = parse(dict(saved), params)
    found = {"accuracy_whole": whole_test(params, arrays, progress)}
    return Network(arrays, {**facts, "measures": found})


def parse(saved: Mapping[str, NDArray], params: Params) -> dict[str, NDArray]:
    """Arrays of a network from those of the authors' model, weights as (pre, post).

    Args:
        saved: Names of PyTorch -> array.
        params: Sizes.

    Raises:
        UserError: If an array is missing or has another shape.
    """
    sizes = [params.n_input // N_BITS, *params.n_hidden, params.n_output]

    def of(name: str, *shape: int) -> NDArray[np.float64]:
        found = np.asarray(saved.get(name, ()), np.float64)
        if found.shape != shape:
            raise UserError(f"{FILE}: array '{name}' has shape {found.shape}; expected {shape}")
        return found

    arrays: dict[str, NDArray] = {}
    for k, (into, among, tau) in enumerate(zip(INTO, AMONG, TAUS, strict=True)):
        m, n = sizes[k], sizes[k + 1]
        arrays[f"w_in_{k}"] = of(f"{into}.weight", n, m).T.copy()
        arrays[f"bias_{k}"] = of(f"{into}.bias", n)
        if among is not None:
            arrays[f"w_rec_{k}"] = of(f"{among}.weight", n, n).T.copy()
            arrays[f"bias_{k}"] = arrays[f"bias_{k}"] + of(f"{among}.bias", n)
        arrays[f"tau_mem_{k}"] = of(f"tau_m_{tau}", n)
        arrays[f"tau_adapt_{k}"] = of(f"tau_adp_{tau}", n)
    bits = 2.0 ** np.arange(N_BITS) / 255
    arrays["w_in_0"] = (arrays["w_in_0"][:, None] * bits[:, None]).reshape(-1, sizes[1])
    return arrays


def spikes(params: Params, arrays: Mapping[str, NDArray], x: NDArray) -> list[NDArray[np.bool_]]:
    """Spikes of every group, each (trial, time, neuron), the output last.

    Args:
        params: Threshold and strength of the adaptation.
        arrays: The network.
        x: (trial, time, channel).
    """
    found = [_spikes(params, arrays, x[k : k + CHUNK]) for k in range(0, len(x), CHUNK)]
    return [np.concatenate(layer) for layer in zip(*found, strict=True)]


def _spikes(params: Params, arrays: Mapping[str, NDArray], x: NDArray) -> list[NDArray[np.bool_]]:
    import jax.numpy as jnp

    from whyspiking.talks.bohte import model, network

    own = {name: jnp.asarray(values, jnp.float32) for name, values in arrays.items()}
    neuron = network.neuron(params, "alif")
    now: Any = jnp.asarray(x.swapaxes(0, 1), jnp.float32)
    found = []
    for k in range(len(INTO)):
        w = own[f"w_in_{k}"]
        drive = (now.reshape(-1, w.shape[0]) @ w).reshape(*now.shape[:2], -1) + own[f"bias_{k}"]
        none = jnp.zeros((w.shape[1],) * 2, jnp.float32)
        kept = (jnp.exp(-1 / own[f"tau_{kind}_{k}"]) for kind in ("mem", "adapt"))
        beta = jnp.float32(params.adaptation)
        now = model.spikes(neuron, beta, drive, own.get(f"w_rec_{k}", none), *kept)
        found.append(np.asarray(now).swapaxes(0, 1) > 0)
    return found


def whole_test(params: Params, arrays: Mapping[str, NDArray], progress: Progress) -> float:
    """Accuracy on `n_whole` test digits."""
    images, labels = _digits(params, "test", params.n_whole)
    right = 0
    for first in range(0, params.n_whole, CHUNK):
        part = slice(first, first + CHUNK)
        counts = _spikes(params, arrays, shown(params, images[part]))[-1].sum(axis=1)
        right += int((counts.argmax(axis=1) == labels[part]).sum())
        progress(first / params.n_whole, f"{first} of {params.n_whole} digits")
    return right / params.n_whole


def outcome(params: Params, fired: NDArray[np.bool_], task: Task) -> Trials:
    """The class whose neuron spikes most, of equal ones the first; `fired` (trial, time, class)."""
    return one_class.settled(params, fired.cumsum(axis=1), task)


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Trials:
    """Classify the digits in JAX."""
    return outcome(params, spikes(params, network.arrays, raster(params, task))[-1], task)


def reference_counts(
    params: Params, variant: str, network: Network, task: Task
) -> Mapping[str, NDArray]:
    """Spikes of every neuron in JAX, (trial, neuron)."""
    found = spikes(params, network.arrays, raster(params, task))
    return {name: layer.sum(axis=1) for name, layer in zip(names(params)[:-1], found, strict=False)}


def decode(params: Params, recording: Recording, task: Task) -> Trials:
    """What the output neurons say."""
    fired, lag = recording.spikes["output"], len(params.n_hidden)
    step = np.rint(fired.times_ms / params.step_ms).astype(np.int64) - (lag + 1)
    return outcome(params, fired.raster(step, params.n_steps), task)


def to_brian(params: Params) -> BrianModel:
    """The structure; weights, biases and time constants are values of each run."""
    groups = names(params)
    sizes = [params.n_input, *params.n_hidden, params.n_output]

    def construct(inputs: Mapping[str, Any]) -> list[Any]:
        before, made = inputs["input"], []
        for k, name in enumerate(groups):
            group = brian_network.neurons(sizes[k + 1], name, k + 1)
            made += [group, brian_network.synapses(before, group, f"s_in_{k}")]
            if AMONG[k] is not None:
                made.append(brian_network.synapses(group, group, f"s_rec_{k}"))
            before = group
        return made

    step_ms = float(params.step_ms)
    return BrianModel(
        name="bohte-released-" + "-".join(str(size) for size in sizes),
        definition={"equations": [*brian_network.EQUATIONS], "sizes": sizes},
        construct=construct,
        inputs={"input": params.n_input},
        dt_ms=step_ms,
        trial_ms=(params.n_steps + len(groups)) * step_ms,
        max_trials=params.max_trials,
        reset={name: brian_network.start_of(k + 1) for k, name in enumerate(groups)},
        record_spikes=tuple(groups),
        record_traces={},
        schedule=("start", "groups", "thresholds", "synapses", "resets", "end"),
    )


def bind(params: Params, network: Network) -> Binding:
    """Place the network into the structure; time constants in seconds."""
    at, seconds = network.arrays, params.step_ms / 1000
    values: dict[str, NDArray | float] = {}
    layers: dict[str, Layer] = {}
    before = "input"
    for k, group in enumerate(names(params)):
        values |= {
            f"{group}.rest": float(params.threshold),
            f"{group}.beta": float(params.adaptation),
            f"{group}.kept": 1.0,
            f"{group}.tau_mem": seconds * at[f"tau_mem_{k}"],
            f"{group}.tau_adapt": seconds * at[f"tau_adapt_{k}"],
            f"{group}.bias": at[f"bias_{k}"],
        }
        kind = "readout" if group == "output" else "feedforward"
        layers[f"s_in_{k}.w"] = Layer(before, group, at[f"w_in_{k}"], kind)
        if AMONG[k] is not None:
            layers[f"s_rec_{k}.w"] = Layer(group, group, at[f"w_rec_{k}"], "recurrent")
        before = group
    return Binding({**values, **{key: layer.weights for key, layer in layers.items()}}, layers)
