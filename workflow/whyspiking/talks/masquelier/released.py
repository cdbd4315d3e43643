"""The network that the authors released with their code, read from a folder of the user's.

The file holds the two arrays of `weights_pretrained.npy` of SRKH/S4NN (commit 4e7a86f), as they
are: w_hidden (hidden, row, column) and w_output (class, hidden, 1), classes in the code's order.
"""

from __future__ import annotations

import numpy as np

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Params, Parents, Progress
from whyspiking.datasets import released
from whyspiking.talks.masquelier import compiled, script
from whyspiking.talks.masquelier.brian_network import bind, decode, to_brian
from whyspiking.talks.masquelier.model import CODE_ORDER, evaluate
from whyspiking.talks.masquelier.s4nn import reference_first_ms
from whyspiking.talks.masquelier.task import make_task, samples

__all__ = ["bind", "decode", "evaluate", "make_task", "reference_first_ms", "to_brian", "train"]

FILE = released.File(
    "s4nn_mnist.npz", "1a63b50bdd7d65e7130eecdffff3d77befe1a1ace3563ac14a8362e152eb58c7"
)


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Read the released network; nothing is trained.

    Returns:
        The network, and under `info["measures"]` how the authors made it (`script.provenance`).

    Raises:
        Unavailable: If the user does not have its file.
        UserError: If the file is not the released one, or does not fit the parameters.
    """
    arrays = parse(FILE.stored(params.originals_dir), params)
    dark = samples(params, "train")[0].max(axis=0) == 0
    made = script.provenance(arrays, dark)
    return Network(arrays, {"engine": compiled.NAME, "measures": made})


def parse(stored: released.Stored, params: Params) -> dict[str, np.ndarray]:
    """Arrays of the network, classes in the order of their digits.

    Raises:
        UserError: If one does not have the sizes of the parameters.
    """
    side = int(np.sqrt(params.n_input))
    hidden = stored.take("w_hidden", params.n_hidden, side, side)
    output = np.empty((params.n_hidden, params.n_output))
    output[:, CODE_ORDER] = stored.take("w_output", params.n_output, params.n_hidden, 1)[:, :, 0].T
    return {"w_hidden": hidden.reshape(params.n_hidden, -1).T.copy(), "w_output": output}
