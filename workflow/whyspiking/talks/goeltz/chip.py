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
TIMES_FILE = released.File(
    "fastanddeep_chip_test_spiketimes.npy",
    "f5d71e6a41f3544d12171013269004d604d6f25920d3325c04e00918883bdb35",
)
"""yin_yang_network.pt and yin_yang_test_spiketimes.npy in JulianGoeltz/fastAndDeep, main branch
(33e4876), experiment_pretrained/yin_yang_hxpynn_W/epoch_300."""
STORED = ("yin_yang_network/data/0", "yin_yang_network/data/2")
"""Weights of the two layers in the archive: float64, row by row."""
FITTED_VARIANTS = ("common", "neurons")


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
    stored_weights = read_weights(NETWORK.read(params.originals_dir), params)
    saved_times = read_times(TIMES_FILE.read(params.originals_dir), params)
    task = make_task(params, "test", streams)
    assert task is not None  # Yin-Yang has a test split
    held_out, neuron_factors = np.ones(len(saved_times), bool), {}
    ideal_weights = weights = held(stored_weights, params, None)
    if variant != "authors":
        weights = held(stored_weights, params, params.weight_step)
    if variant in FITTED_VARIANTS:
        input_times = task.stimulus.spikes["input"].first_ms() / params.tau_s_ms
        i_fitted = streams.rng("half").permutation(len(saved_times))[: len(saved_times) // 2]
        held_out[i_fitted] = False
        factors = substrate_fit.fit(
            params, weights, input_times[i_fitted], saved_times[i_fitted], streams.rng("fit"),
            is_shared=variant == "common", progress=progress,
        )  # fmt: skip
        neuron_factors = substrate_fit.neurons(factors, params.n_hidden)
    elif variant == "elsewhere":
        (fitted_network,) = parents.values()
        held_out = fitted_network.arrays["held_out"]
        neuron_factors = _permute_neurons(fitted_network.arrays, streams.rng("elsewhere"))
    arrays = {"saved_times": saved_times, "held_out": held_out, **neuron_factors}
    for layer, w in zip(LAYERS, weights, strict=True):
        arrays[f"w_{layer}"] = w / neuron_factors.get(f"threshold_{layer}", 1.0)
    network = ct.Network(arrays, {"engine": compiled.NAME})
    ideal_times = model.forward_pass(params, ideal_weights, task).output.times
    model_times = _run_forward_pass(params, network, task).output.times
    points = np.asarray(task.features)[:, :2]
    network.info["measures"] = compare(saved_times, model_times, ideal_times, held_out, points)
    is_correct = saved_times.argmin(axis=1) == task.targets
    network.info["measures"]["released_accuracy"] = float(is_correct[held_out].mean())
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
    stored = released.Stored(TIMES_FILE.name, {"spike times": recorded})
    return stored.take("spike times", params.n_test, params.n_output)


def held(stored_weights: tuple[NDArray, NDArray], params: ct.Params, step: float | None) -> Weights:
    """Round each copy by itself and sum the copies, with bias; None does not round."""
    rounded = [w if step is None else np.round(w / step) * step for w in stored_weights]
    return tuple(np.pad(w.sum(axis=0), [(0, len(params.bias_times)), (0, 0)]) for w in rounded)


def _permute_neurons(arrays: Mapping[str, NDArray], rng: np.random.Generator) -> dict[str, NDArray]:
    """Deal the fitted factors to other neurons of the same layer."""
    orders = {layer: rng.permutation(arrays[f"tau_m_{layer}"].size) for layer in LAYERS}
    return {
        f"{factor}_{layer}": arrays[f"{factor}_{layer}"][order]
        for layer, order in orders.items()
        for factor in substrate_fit.PARTS
    }


def compare(
    saved_times: NDArray,
    model_times: NDArray,
    ideal_times: NDArray,
    held_out: NDArray,
    points: NDArray,
) -> dict[str, float]:
    """Compare a model of the chip with the recordings, on trials that it was not fitted to.

    Args:
        saved_times: Recorded output spikes, (trial, output).
        model_times: Those of the model.
        ideal_times: Those of ideal neurons.
        held_out: Which trials, (trial,).
        points: Inputs, (trial, 2).

    Returns:
        `released_decisions`, `released_time_sd` in ms, `released_time_explained`; and where trials
        were fitted `released_time_explainable`.
    """
    saved_held_out, model_held_out, ideal_held_out = (
        saved_times[held_out],
        model_times[held_out],
        ideal_times[held_out],
    )
    both_fired = np.isfinite(saved_held_out) & np.isfinite(model_held_out)
    measures = {
        "released_decisions": float((model_held_out.argmin(1) == saved_held_out.argmin(1)).mean()),
        "released_time_sd": float((saved_held_out[both_fired] - model_held_out[both_fired]).std()),
        "released_time_explained": _compute_explained_share(
            saved_held_out, model_held_out, ideal_held_out
        ),
    }
    if not held_out.all():
        is_fitted = ~held_out
        nearby_times = nearby(points[is_fitted], saved_times[is_fitted], points[held_out])
        measures["released_time_explainable"] = _compute_explained_share(
            saved_held_out, nearby_times, ideal_held_out
        )
    return measures


def _compute_explained_share(
    saved_times: NDArray, model_times: NDArray, ideal_times: NDArray
) -> float:
    """Compute the share of the squared difference chip - ideal that the model explains."""
    all_fire = np.isfinite(saved_times) & np.isfinite(model_times) & np.isfinite(ideal_times)
    model_errors, ideal_errors = (
        (saved_times[all_fire] - times[all_fire]) ** 2 for times in (model_times, ideal_times)
    )
    return float(1 - model_errors.sum() / ideal_errors.sum())


def nearby(
    points: NDArray, times: NDArray, test_points: NDArray, n_neighbours: int = 10
) -> NDArray[np.float64]:
    """Predict spike times without a model, by planes through the nearest points, (trial, output).

    Args:
        points: Where times are known, (sample, 2).
        times: (sample, output), inf where silent; an output is where half of its neighbours are.
        test_points: Where they are predicted, (trial, 2).
        n_neighbours: Number of nearest points.
    """
    predicted = np.full((len(test_points), times.shape[1]), np.inf)
    for trial, point in enumerate(test_points):
        i_nearest = np.argsort(np.hypot(*(points - point).T))[:n_neighbours]
        offsets = points[i_nearest] - point
        planes = np.column_stack([np.ones(n_neighbours), offsets / np.abs(offsets).max()])
        for output in range(times.shape[1]):
            has_fired = np.isfinite(times[i_nearest, output])
            if has_fired.mean() > 0.5:
                neighbour_times = times[i_nearest[has_fired], output]
                predicted[trial, output] = np.linalg.lstsq(
                    planes[has_fired], neighbour_times, rcond=0.1
                )[0][0]
    return predicted


def _run_forward_pass(params: ct.Params, network: ct.Network, task: ct.Task) -> model.Pass:
    """Run the network in ideal neurons, or in fitted ones where it has their time constants."""
    forward = None
    if "tau_m_hidden" in network.arrays:
        forward = imperfections.uneven_neurons(params, network.arrays)
    return model.forward_pass(params, model.weights_of(network), task, forward)


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Outcome:
    """Decide by the first output spike of ideal or fitted neurons, see `_run_forward_pass`."""
    times = _run_forward_pass(params, network, task).output.times
    return encoding.decide(times, task, params.tau_s_ms)


def reference_first_ms(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> Mapping[str, NDArray]:
    """First spikes of both layers in the engine of `evaluate`."""
    layers = zip(LAYERS, _run_forward_pass(params, network, task).layers, strict=True)
    return {name: layer.times * params.tau_s_ms for name, layer in layers}


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Place a network into the Brian2 model, with time constants of its neurons."""
    ideal_binding = networks.bind(params, network)
    taus = {
        f"{layer}.{tau}": network.arrays[f"{tau}_{layer}"] * params.tau_s_ms * 1e-3
        for layer in LAYERS
        for tau in ("tau_m", "tau_s")
        if f"{tau}_{layer}" in network.arrays
    }
    return ct.Binding({**ideal_binding.values, **taus}, ideal_binding.layers)
