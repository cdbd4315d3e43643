"""The networks that the authors released, read from a folder of the user's.

Nothing is trained. The closed form runs in float64, as the published code does; its spike times are
compared with those that the authors saved for the same test set: of Yin-Yang from their closed
form, of MNIST from their integrator with steps of 0.01 tau_s.
"""

from __future__ import annotations

import io
import zipfile

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import gaps_of_first_spikes
from whyspiking.datasets import released
from whyspiking.errors import UserError
from whyspiking.talks.goeltz import model
from whyspiking.talks.goeltz.networks import (
    bind,
    decode,
    evaluate,
    make_task,
    reference_first_ms,
    to_brian,
)
from whyspiking.training.first_spike import compiled

__all__ = ["bind", "decode", "evaluate", "make_task", "reference_first_ms", "to_brian", "train"]

FILES = {
    "yinyang": (
        "fastanddeep_yinyang.npz",
        "9b096a16a4e93aec8f4602a9bd3c771b6dad87c2e628ce632fc7a17a1594481d",
    ),
    "mnist": (
        "fastanddeep_mnist.npz",
        "d7490362e3bbeb8e329dd9e47cc37603db32e4f745fab8fe28fc8c569954ffa3",
    ),
}
"""Data set -> name and SHA-256 of what was converted from yinyang_et_300epochs and
fullmnist_et_150epochs in JulianGoeltz/fastAndDeep, tag v1.0.0, experiment_pretrained."""


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Read the released network of a data set in `originals_dir`; nothing is trained.

    Returns:
        The network, and under `info["measures"]` how far its spike times in closed form are from
        those that the authors saved; without its file a network without arrays whose
        `info["unavailable"]` says why.

    Raises:
        UserError: If the file is not the released one, or its content does not fit.
    """
    facts = {"engine": compiled.NAME}
    name, digest = FILES[params.dataset]
    try:
        raw = released.read(params.originals_dir, name, digest)
    except released.Unavailable as reason:
        return ct.Network({}, {**facts, "unavailable": str(reason)})
    found = parse(raw, params, name)
    network = ct.Network({key: found[key] for key in ("w_hidden", "w_output")}, facts)
    network.info["measures"] = compare(
        params, network, found["test_spike_times"], found["test_labels"], streams
    )
    return network


def parse(raw: bytes, params: ct.Params, name: str) -> dict[str, NDArray]:
    """Arrays of a released file.

    Args:
        raw: Content of the file.
        params: What the network must look like: sizes and bias times.
        name: Name of the file, for messages.

    Raises:
        UserError: If an array is missing, or has another shape or value than expected.
    """
    n_bias = len(params.bias_times)
    shapes = {
        "w_hidden": (params.n_input + n_bias, params.n_hidden),
        "w_output": (params.n_hidden + n_bias, params.n_output),
    }
    try:
        with np.load(io.BytesIO(raw), allow_pickle=False) as file:
            found = {key: file[key] for key in file.files}
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise UserError(f"{name}: is no file of arrays ({error}); fetch the file again") from None
    for key in (*shapes, "test_spike_times", "test_labels"):
        if key not in found:
            raise UserError(f"{name}: has no array '{key}'; fetch the file again")
    shapes["test_spike_times"] = (len(found["test_labels"]), params.n_output)
    for key, expected in shapes.items():
        if found[key].shape != expected:
            raise UserError(
                f"{name}: '{key}' has the shape {found[key].shape}; expected {expected}; fetch the "
                "file again"
            )
    times = found.get("bias_times", np.zeros(0))
    if not np.array_equal(np.unique(times), np.unique(params.bias_times)):
        raise UserError(f"{name}: bias spikes at {times}; expected {params.bias_times}")
    return {key: np.ascontiguousarray(value) for key, value in found.items()}


def compare(
    params: ct.Params, network: ct.Network, times: NDArray, labels: NDArray, streams: Streams
) -> dict[str, float]:
    """Output spikes in closed form against those that the authors saved.

    Args:
        params: Parameters of the experiment.
        network: The released network.
        times: Saved output times in units of tau_s, inf where silent, (trial, class); where this
            scale tests fewer trials, those are the first.
        labels: Saved classes, (trial,).
        streams: Of the task.

    Returns:
        `released_time_error_p99` and `released_time_error_max` in ms, and `released_decisions`.

    Raises:
        UserError: If the classes are not those of the test set.
    """
    task = make_task(params, "test", streams)
    assert task is not None  # both data sets have a test split
    saved = times[: len(task.targets)].astype(float)
    if not np.array_equal(labels[: len(saved)], task.targets):
        raise UserError(
            f"{FILES[params.dataset][0]}: its classes are not those of the test set; expected the "
            "published test set; check data.mnist_dir"
        )
    ours = model.forward_pass(params, model.weights_of(network), task).output.times
    end = params.trial_ms / params.tau_s_ms
    gaps = gaps_of_first_spikes(ours, saved, end) * params.tau_s_ms
    return {
        "released_time_error_p99": float(np.quantile(gaps, 0.99)),
        "released_time_error_max": float(gaps.max()),
        "released_decisions": float((ours.argmin(axis=1) == saved.argmin(axis=1)).mean()),
    }
