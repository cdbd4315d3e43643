"""The network that the authors released with their code, read from a folder of the user's.

The file holds the two arrays of `weights_pretrained.npy` of SRKH/S4NN (commit 4e7a86f), as they
are: w_hidden (hidden, row, column) and w_output (class, hidden, 1), classes in the code's order.
"""

from __future__ import annotations

import io

import numpy as np

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Params, Parents, Progress
from whyspiking.datasets import released
from whyspiking.errors import UserError
from whyspiking.talks.masquelier import compiled
from whyspiking.talks.masquelier.brian_network import bind, decode, to_brian
from whyspiking.talks.masquelier.model import CODE_ORDER, evaluate
from whyspiking.talks.masquelier.s4nn import reference_first_ms
from whyspiking.talks.masquelier.task import make_task

__all__ = ["bind", "decode", "evaluate", "make_task", "reference_first_ms", "to_brian", "train"]

FILE = "s4nn_mnist.npz"
SHA256 = "1a63b50bdd7d65e7130eecdffff3d77befe1a1ace3563ac14a8362e152eb58c7"


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Read the released network in `originals_dir`; nothing is trained.

    Returns:
        The network; without its file one without arrays whose `info["unavailable"]` says why.

    Raises:
        UserError: If the file is not the released one, or its content does not fit.
    """
    facts = {"engine": compiled.NAME}
    try:
        raw = released.read(params.originals_dir, FILE, SHA256)
    except released.Unavailable as reason:
        return Network({}, {**facts, "unavailable": str(reason)})
    return Network(parse(raw, params), facts)


def parse(raw: bytes, params: Params) -> dict[str, np.ndarray]:
    """Arrays of the network, classes in the order of their digits.

    Args:
        raw: Content of the file.
        params: What the network must look like: its sizes.

    Raises:
        UserError: If arrays or shapes do not fit.
    """
    side = int(np.sqrt(params.n_input))
    expected = {
        "w_hidden": (params.n_hidden, side, side),
        "w_output": (params.n_output, params.n_hidden, 1),
    }
    with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
        stored = {name: np.asarray(arrays[name], np.float64) for name in arrays.files}
    shapes = {name: array.shape for name, array in stored.items()}
    if shapes != expected:
        raise UserError(f"{FILE}: holds {shapes}; expected {expected}; fetch the file again")
    output = np.empty((params.n_hidden, params.n_output))
    output[:, CODE_ORDER] = stored["w_output"][:, :, 0].T
    hidden = stored["w_hidden"].reshape(params.n_hidden, params.n_input)
    return {"w_hidden": np.ascontiguousarray(hidden.T), "w_output": output}
