"""A network that was trained on BrainScaleS-2, and what the chip answered (README, section 11).

The authors recorded the output spikes of the chip at the 1,000 test points of Yin-Yang. The same
weights are run in ideal neurons (`authors`), in steps of the chip (`grid`), and in neurons that are
fitted to a random half of the recordings: threshold and time constants the same for all neurons
(`common`), or for each its own (`neurons`; `elsewhere` deals these to other neurons). Models are
held against the other half. Every input comes five times at once, so the weights of its copies add
up. The chip has no bias: its weights are 0 here.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.datasets import released
from whyspiking.talks.goeltz import imperfections, model, networks, substrate_fit
from whyspiking.talks.goeltz.imperfections import LAYERS
from whyspiking.talks.goeltz.model import Weights
from whyspiking.talks.goeltz.networks import decode, to_brian
from whyspiking.talks.goeltz.substrates import make_task
from whyspiking.training.first_spike import compiled, encoding

__all__ = [
    "bind", "decode", "evaluate", "make_task", "reference_first_ms", "to_brian", "train",
]  # fmt: skip

NETWORK = released.File(
    "fastanddeep_chip_network.pt",
    "4ca425f249760a4ab84131893a229a0d24d4ad38e4dcb4d92d30d821a69398b5",
)
TIMES = released.File(
    "fastanddeep_chip_test_spiketimes.npy",
    "f5d71e6a41f3544d12171013269004d604d6f25920d3325c04e00918883bdb35",
)
"""yin_yang_network.pt and yin_yang_test_spiketimes.npy in JulianGoeltz/fastAndDeep, main branch
(33e4876), experiment_pretrained/yin_yang_hxpynn_W/epoch_300."""
STORED = ("yin_yang_network/data/0", "yin_yang_network/data/2")
"""Weights of the two layers in the archive: float64, row by row."""
FITTED = ("common", "neurons")


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Read the network and the recordings, and fit what the variant fits; no weight is learned.

    Returns:
        The network, fitted thresholds taken into its weights; `saved_times`, recorded, in units of
        tau_s; `held_out`, the trials that were not fitted. `info["measures"]` compares them.

    Raises:
        Unavailable: If the user lacks one of the files.
        UserError: If one is another file, or does not fit the parameters.
    """
    copies = read_weights(NETWORK.read(params.originals_dir), params)
    saved = read_times(TIMES.read(params.originals_dir), params)
    task = make_task(params, "test", streams)
    assert task is not None  # Yin-Yang has a test split
    held_out, own = np.ones(len(saved), bool), {}
    ideal = weights = held(copies, params, None)
    if variant != "authors":
        weights = held(copies, params, params.weight_step)
    if variant in FITTED:
        times = task.stimulus.spikes["input"].first_ms() / params.tau_s_ms
        shown = streams.rng("half").permutation(len(saved))[: len(saved) // 2]
        held_out[shown] = False
        factors = substrate_fit.fit(
            params, weights, times[shown], saved[shown], streams.rng("fit"),
            alike=variant == "common", progress=progress,
        )  # fmt: skip
        own = substrate_fit.neurons(factors, params.n_hidden)
    elif variant == "elsewhere":
        (fitted,) = parents.values()
        held_out, own = fitted.arrays["held_out"], _dealt(fitted.arrays, streams.rng("elsewhere"))
    arrays = {"saved_times": saved, "held_out": held_out, **own}
    for layer, w in zip(LAYERS, weights, strict=True):
        arrays[f"w_{layer}"] = w / own.get(f"threshold_{layer}", 1.0)
    network = ct.Network(arrays, {"engine": compiled.NAME})
    ideal_times = model.forward_pass(params, ideal, task).output.times
    ours = _pass(params, network, task).output.times
    points = np.asarray(task.features)[:, :2]
    network.info["measures"] = compare(saved, ours, ideal_times, held_out, points)
    right = saved.argmin(axis=1) == task.targets
    network.info["measures"]["released_accuracy"] = float(right[held_out].mean())
    return network


def read_weights(raw: bytes, params: ct.Params) -> tuple[NDArray, NDArray]:
    """Weights as stored: hidden (copy, input, hidden) and output (1, hidden, output).

    Raises:
        UserError: If one does not have the sizes of the parameters.
    """
    shapes = (
        (params.input_copies, params.n_input, params.n_hidden),
        (1, params.n_hidden, params.n_output),
    )
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        flat = {name: np.frombuffer(archive.read(name), "<f8") for name in STORED}
    stored = released.Stored(NETWORK.name, flat)
    hidden, output = (
        stored.take(name, int(np.prod(shape))).reshape(shape)
        for name, shape in zip(STORED, shapes, strict=True)
    )
    return hidden, output


def read_times(raw: bytes, params: ct.Params) -> NDArray[np.float64]:
    """Recorded output spikes in units of tau_s, inf where silent, (trial, output).

    Raises:
        UserError: If they are not those of the test set.
    """
    recorded = np.load(io.BytesIO(raw), allow_pickle=False)
    stored = released.Stored(TIMES.name, {"spike times": recorded})
    return stored.take("spike times", params.n_test, params.n_output)


def held(copies: tuple[NDArray, NDArray], params: ct.Params, step: float | None) -> Weights:
    """Weight matrices with bias, each copy rounded by itself; None does not round."""
    rounded = [w if step is None else np.round(w / step) * step for w in copies]
    return tuple(np.pad(w.sum(axis=0), [(0, len(params.bias_times)), (0, 0)]) for w in rounded)


def _dealt(arrays: Mapping[str, NDArray], rng: np.random.Generator) -> dict[str, NDArray]:
    """Fitted neurons in another order, those of a layer among themselves."""
    orders = {layer: rng.permutation(arrays[f"tau_m_{layer}"].size) for layer in LAYERS}
    return {
        f"{part}_{layer}": arrays[f"{part}_{layer}"][order]
        for layer, order in orders.items()
        for part in substrate_fit.PARTS
    }


def compare(
    saved: NDArray, ours: NDArray, ideal: NDArray, held_out: NDArray, points: NDArray
) -> dict[str, float]:
    """A model of the chip against what was recorded, on trials that it was not fitted to.

    Args:
        saved: Recorded output spikes, (trial, output).
        ours: Those of the model.
        ideal: Those of ideal neurons.
        held_out: Which trials, (trial,).
        points: Inputs, (trial, 2).

    Returns:
        `released_decisions`, `released_time_sd` in ms, `released_time_explained`; and where trials
        were fitted `released_time_explainable`.
    """
    there, model_there, ideal_there = saved[held_out], ours[held_out], ideal[held_out]
    fired = np.isfinite(there) & np.isfinite(model_there)
    found = {
        "released_decisions": float((model_there.argmin(1) == there.argmin(1)).mean()),
        "released_time_sd": float((there[fired] - model_there[fired]).std()),
        "released_time_explained": _explained(there, model_there, ideal_there),
    }
    if not held_out.all():
        shown = ~held_out
        mapped = nearby(points[shown], saved[shown], points[held_out])
        found["released_time_explainable"] = _explained(there, mapped, ideal_there)
    return found


def _explained(saved: NDArray, ours: NDArray, ideal: NDArray) -> float:
    """Share of the squared difference of `saved` from `ideal` that is not left from `ours`."""
    all_fire = np.isfinite(saved) & np.isfinite(ours) & np.isfinite(ideal)
    left, before = ((saved[all_fire] - times[all_fire]) ** 2 for times in (ours, ideal))
    return float(1 - left.sum() / before.sum())


def nearby(points: NDArray, times: NDArray, at: NDArray, n: int = 10) -> NDArray[np.float64]:
    """Spike times without a model: planes through those at the nearest points, (trial, output).

    Args:
        points: Where times are known, (sample, 2).
        times: (sample, output), inf where silent; an output is where half of its neighbours are.
        at: Where they are asked for, (trial, 2).
        n: Neighbours.
    """
    found = np.full((len(at), times.shape[1]), np.inf)
    for trial, here in enumerate(at):
        nearest = np.argsort(np.hypot(*(points - here).T))[:n]
        away = points[nearest] - here
        planes = np.column_stack([np.ones(n), away / np.abs(away).max()])
        for output in range(times.shape[1]):
            fired = np.isfinite(times[nearest, output])
            if fired.mean() > 0.5:
                known = times[nearest[fired], output]
                found[trial, output] = np.linalg.lstsq(planes[fired], known, rcond=0.1)[0][0]
    return found


def _pass(params: ct.Params, network: ct.Network, task: ct.Task) -> model.Pass:
    forward = None
    if "tau_m_hidden" in network.arrays:
        forward = imperfections.uneven_neurons(params, network.arrays)
    return model.forward_pass(params, model.weights_of(network), task, forward)


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Outcome:
    """Decisions by the first output spike; `_pass` says of which neurons."""
    times = _pass(params, network, task).output.times
    return encoding.decide(times, task, params.tau_s_ms)


def reference_first_ms(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> Mapping[str, NDArray]:
    """First spikes of both layers in the engine of `evaluate`."""
    layers = zip(LAYERS, _pass(params, network, task).layers, strict=True)
    return {name: layer.times * params.tau_s_ms for name, layer in layers}


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Place a network into the Brian2 model, with time constants of its neurons."""
    ideal = networks.bind(params, network)
    own = {
        f"{layer}.{tau}": network.arrays[f"{tau}_{layer}"] * params.tau_s_ms * 1e-3
        for layer in LAYERS
        for tau in ("tau_m", "tau_s")
        if f"{tau}_{layer}" in network.arrays
    }
    return ct.Binding({**ideal.values, **own}, ideal.layers)
