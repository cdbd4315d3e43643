"""The two networks that the authors released, read from a folder of the user's, and their past.

One text file each, words separated by white space: the mode of the pulses, the threshold, the
number of layers and their sizes, the number of pulses, pulse times per layer (those of the output
layer are never used), then the weights, layer by layer, neuron by neuron. The decay rate is not in
the file.

Pixels that are background in every training image never fire, so the weights from them change in
one way only: where a neuron is silent in an image, (6) raises all of its weights alike. Less the
mean over these pixels, their weights are for ever those of the start: they tell whether two
networks come from one start; the mean tells which one is older, and at which rate it was trained.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.datasets import mnist, released
from whyspiking.errors import UserError
from whyspiking.talks.comsa import model
from whyspiking.talks.comsa.digits import (
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
    "slow": released.File(
        "comsa_slow_network.txt",
        "66494f525c3ebf6b75e8d4a4ba39855593df49e1197f8b67a84d6b433862f435",
    ),
    "fast": released.File(
        "comsa_fast_network.txt",
        "7bf0a3d518c3426c1fdb40997c975542d5638491c88e6e2412a2d87e96ee599b",
    ),
}
"""Variant -> file; slow_network and fast_network in google/ihmehimmeli, tempcoding."""
MODE = "pulses_per_layer"
ADAM_BETAS = 0.9, 0.999
"""The authors' kB1 and kB2, tempcoder.cc:845 and 850."""
ROUNDING = 1e-5
"""More than six digits in the files leave of a difference of two weights, or of a mean of such."""


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Read one released network, "slow" or "fast"; nothing is trained. With "fast", `lineage`.

    Raises:
        Unavailable: If the user does not have its file.
        UserError: If the file is not the released one, or does not fit the parameters.
    """
    arrays = _read(params, variant)
    network = ct.Network(arrays, {"engine": compiled.NAME})
    if variant == "fast":
        network.info["measures"] = lineage(params, _read(params, "slow"), arrays)
    return network


def _read(params: ct.Params, name: str) -> dict[str, np.ndarray]:
    text = FILES[name].read(params.originals_dir).decode("ascii")
    return parse(text, params, FILES[name].name)


def unlit(params: ct.Params) -> NDArray[np.int64]:
    """Find the pixels that are background in every image of the training file."""
    assert params.dataset_dir is not None  # talk.yaml names the data
    images, _ = mnist.load(params.dataset_dir, "train")
    return np.flatnonzero(~images.reshape(-1, params.n_input).any(axis=0))


def one_silence(betas: tuple[float, float] = ADAM_BETAS) -> float:
    """Compute how far one batch with silent images moves the weights by Adam, over the rate.

    The batch gives all weights of the neuron one gradient g by (6), the batches before and after it
    none. Late in training, when the corrections of Adam's moments are 1, these are
    m_k = (1 - b1) b1^k g and v_k = (1 - b2) b2^k g^2 after k further batches, and g, with it the
    penalty and the size of the batch, cancels in the sum of all steps:

        sum_k m_k / sqrt(v_k) = (1 - b1) / sqrt(1 - b2) / (1 - b1 / sqrt(b2)) = 31.77
    """
    beta_1, beta_2 = betas
    return (1 - beta_1) / np.sqrt(1 - beta_2) / (1 - beta_1 / np.sqrt(beta_2))


def lineage(
    params: ct.Params, first_arrays: model.Arrays, second_arrays: model.Arrays
) -> dict[str, float]:
    """Compare two networks: common start, which one is older, and its learning rate.

    Returns:
        `same_start`: correlation, over unlit pixels and hidden neurons, of weights less their mean
        over these pixels; `same_start_shuffled`: the same with the neurons of one network shifted
        by one; `older`: share of hidden neurons whose weights have not sunk from first to second;
        `rate_told`: the smallest mean rise of a neuron, taken for that of `one_silence`.
    """
    pixels = unlit(params)
    w_first, w_second = (
        arrays["w_hidden"][pixels].astype(float) for arrays in (first_arrays, second_arrays)
    )
    centred_first, centred_second = (w - w.mean(axis=0) for w in (w_first, w_second))
    rise = (w_second - w_first).mean(axis=0)
    return {
        "same_start": float(np.corrcoef(centred_first.ravel(), centred_second.ravel())[0, 1]),
        "same_start_shuffled": float(
            np.corrcoef(centred_first.ravel(), np.roll(centred_second, 1, axis=1).ravel())[0, 1]
        ),
        "older": float((rise >= 0).mean()),
        "rate_told": float(rise[rise > ROUNDING].min(initial=np.inf) / one_silence()),
    }


def parse(text: str, params: ct.Params, name: str) -> dict[str, np.ndarray]:
    """Parse the arrays of a network from the text of its file.

    Args:
        text: Content of the file.
        params: What the network must look like: sizes, pulses, threshold.
        name: Name of the file, for messages.

    Raises:
        UserError: If a field, or the order of fields, does not fit.
    """
    fields = text.split()
    sizes = (params.n_input, params.n_hidden, params.n_output)
    n = params.n_pulses
    expected_fields = [MODE, str(params.theta), str(len(sizes)), *map(str, sizes), str(n)]
    if fields[: len(expected_fields)] != expected_fields:
        raise UserError(
            f"{name}: the file begins with '{' '.join(fields[: len(expected_fields)])}'; expected "
            f"'{' '.join(expected_fields)}'. Correct talk.yaml"
        )
    shapes = [(sizes[0] + n, sizes[1]), (sizes[1] + n, sizes[2])]
    numbers = np.array(fields[len(expected_fields) :], float)
    pulses, weights = numbers[: 3 * n].reshape(3, n), numbers[3 * n :]
    hidden, output = (
        layer_weights.reshape(columns, rows).T
        for layer_weights, (rows, columns) in zip(
            np.split(weights, [shapes[0][0] * shapes[0][1]]), shapes, strict=True
        )
    )
    return {
        "w_hidden": np.ascontiguousarray(hidden),
        "w_output": np.ascontiguousarray(output),
        "input_pulses": pulses[0],
        "hidden_pulses": pulses[1],
    }
