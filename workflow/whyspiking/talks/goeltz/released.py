"""The networks that the authors released, read from a folder of the user's.

Nothing is trained. The closed form runs in float64, as the published code does; its spike times are
compared with those that the authors saved for the same test set: of Yin-Yang from their closed
form, of MNIST from their integrator with steps of 0.01 tau_s, which is compared as well.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import gaps_of_first_spikes
from whyspiking.datasets import released
from whyspiking.errors import UserError
from whyspiking.talks.goeltz import integrator, model
from whyspiking.talks.goeltz.networks import (
    bind,
    decode,
    evaluate,
    make_task,
    reference_first_ms,
    to_brian,
)
from whyspiking.talks.goeltz.task import with_bias
from whyspiking.training.first_spike import compiled

__all__ = ["bind", "decode", "evaluate", "make_task", "reference_first_ms", "to_brian", "train"]

FILES = {
    "yinyang": released.File(
        "fastanddeep_yinyang.npz",
        "9b096a16a4e93aec8f4602a9bd3c771b6dad87c2e628ce632fc7a17a1594481d",
    ),
    "mnist": released.File(
        "fastanddeep_mnist.npz",
        "d7490362e3bbeb8e329dd9e47cc37603db32e4f745fab8fe28fc8c569954ffa3",
    ),
}
"""Data set -> file of what was converted from yinyang_et_300epochs and
fullmnist_et_150epochs in JulianGoeltz/fastAndDeep, tag v1.0.0, experiment_pretrained."""


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Read the released network of a data set; nothing is trained.

    Returns:
        The network, and under `info["measures"]` how far its spike times in closed form are from
        those that the authors saved.

    Raises:
        Unavailable: If the user does not have its file.
        UserError: If the file is not the released one, or does not fit parameters or test set.
    """
    stored = FILES[params.dataset].stored(params.originals_dir)
    network = ct.Network(parse(stored, params), {"engine": compiled.NAME})
    network.info["measures"] = compare(params, network, stored, streams)
    return network


def parse(stored: released.Stored, params: ct.Params) -> dict[str, NDArray]:
    """Arrays of the network.

    Raises:
        UserError: If one does not have the sizes of the parameters, or bias spikes come at others
            than their times.
    """
    n_bias = len(params.bias_times)
    times = stored.take("bias_times", None) if n_bias else ()
    if not np.array_equal(np.unique(times), np.unique(params.bias_times)):
        raise UserError(
            f"{stored.file}: the bias spikes are at {times}; expected {params.bias_times}. "
            "Correct 'bias_times' in talk.yaml"
        )
    return {
        "w_hidden": stored.take("w_hidden", params.n_input + n_bias, params.n_hidden),
        "w_output": stored.take("w_output", params.n_hidden + n_bias, params.n_output),
    }


def compare(
    params: ct.Params, network: ct.Network, stored: released.Stored, streams: Streams
) -> dict[str, float]:
    """Compare output spikes in closed form with those that the authors saved.

    Args:
        params: Parameters of the experiment.
        network: The released network.
        stored: With `test_spike_times`, output times in units of tau_s, inf where silent, (trial,
            class), and `test_labels` (trial,); this scale may test the first of them only.
        streams: Of the task.

    Returns:
        `released_time_error_p99` and `released_time_error_max` in ms, and `released_decisions`;
        where the authors used their integrator, what `compare_integrator` gives too.

    Raises:
        UserError: If arrays do not fit each other, or the classes are not those of the test set.
    """
    task = make_task(params, "test", streams)
    assert task is not None  # both data sets have a test split
    labels = stored.take("test_labels", None)
    times = stored.take("test_spike_times", len(labels), params.n_output)
    saved_times, labels = times[: len(task.targets)], labels[: len(task.targets)]
    if not np.array_equal(labels, task.targets):
        raise UserError(
            f"{stored.file}: its classes differ from those of the test set; expected the "
            "published test set. Check data.mnist_dir"
        )
    spikes = model.forward_pass(params, model.weights_of(network), task)
    model_times = spikes.output.times
    gaps = (
        gaps_of_first_spikes(model_times, saved_times, params.trial_ms / params.tau_s_ms)
        * params.tau_s_ms
    )
    measures = {
        "released_time_error_p99": float(np.quantile(gaps, 0.99)),
        "released_time_error_max": float(gaps.max()),
        "released_decisions": float(
            (model_times.argmin(axis=1) == saved_times.argmin(axis=1)).mean()
        ),
    }
    if params.integrator_step:
        measures |= compare_integrator(params, model.weights_of(network), spikes, saved_times)
    return measures


def compare_integrator(
    params: ct.Params, weights: model.Weights, spikes: model.Pass, saved_times: NDArray
) -> dict[str, float]:
    """Compare the authors' integrator with what they saved and with the closed form.

    Args:
        params: `integrator_step`, in units of tau_s.
        weights: Of the released network.
        spikes: Its closed form.
        saved_times: Output times, as in `compare`.

    Returns:
        `released_step_error_p99` in ms; `released_step_decisions`; `released_grazing`.
    """
    c, end = model.threshold(params), params.trial_ms / params.tau_s_ms
    step = {"dt": params.integrator_step, "end": end}
    hidden = integrator.first_spikes(spikes.received[0], weights[0], c, **step)
    output = integrator.first_spikes(with_bias(hidden, params), weights[1], c, **step)
    gaps = gaps_of_first_spikes(output, saved_times, end) * params.tau_s_ms
    only_in_steps = np.isfinite(hidden) & (spikes.hidden.times > end)
    return {
        "released_step_error_p99": float(np.quantile(gaps, 0.99)),
        "released_step_decisions": float(
            (output.argmin(axis=1) == saved_times.argmin(axis=1)).mean()
        ),
        "released_grazing": float(only_in_steps.mean()),
    }
