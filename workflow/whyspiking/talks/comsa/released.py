"""The two networks that the authors released, read from a folder of the user's.

One text file each, words separated by white space: the mode of the pulses, the threshold, the
number of layers and their sizes, the number of pulses, pulse times per layer (those of the output
layer are never used), then the weights, layer by layer, neuron by neuron. The decay rate is not in
the file.
"""

from __future__ import annotations

import numpy as np

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.datasets import released
from whyspiking.errors import UserError
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


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Read one released network, "slow" or "fast"; nothing is trained.

    Raises:
        Unavailable: If the user does not have its file.
        UserError: If the file is not the released one, or does not fit the parameters.
    """
    text = FILES[variant].read(params.originals_dir).decode("ascii")
    return ct.Network(parse(text, params, FILES[variant].name), {"engine": compiled.NAME})


def parse(text: str, params: ct.Params, name: str) -> dict[str, np.ndarray]:
    """Arrays of a network from the text of its file.

    Args:
        text: Content of the file.
        params: What the network must look like: sizes, pulses, threshold.
        name: Name of the file, for messages.

    Raises:
        UserError: If a field, or the order of fields, does not fit.
    """
    words = text.split()
    sizes = (params.n_input, params.n_hidden, params.n_output)
    n = params.n_pulses
    head = [MODE, str(params.theta), str(len(sizes)), *map(str, sizes), str(n)]
    if words[: len(head)] != head:
        raise UserError(
            f"{name}: begins with '{' '.join(words[: len(head)])}'; expected '{' '.join(head)}'; "
            "correct talk.yaml"
        )
    shapes = [(sizes[0] + n, sizes[1]), (sizes[1] + n, sizes[2])]
    numbers = np.array(words[len(head) :], float)
    pulses, weights = numbers[: 3 * n].reshape(3, n), numbers[3 * n :]
    hidden, output = (
        part.reshape(columns, rows).T
        for part, (rows, columns) in zip(
            np.split(weights, [shapes[0][0] * shapes[0][1]]), shapes, strict=True
        )
    )
    return {
        "w_hidden": np.ascontiguousarray(hidden),
        "w_output": np.ascontiguousarray(output),
        "input_pulses": pulses[0],
        "hidden_pulses": pulses[1],
    }
