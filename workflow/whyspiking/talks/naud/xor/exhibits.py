"""Arrays for the figures of XOR.

`credit.<variant>.<seed>` (population, pattern), and `output.<variant>.<seed>` (2, pattern, bin):
the output rate in Hz in the published test before and after learning.
"""

from __future__ import annotations

from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams


def exhibits(
    params: ct.Params, networks: ct.Networks, simulate: ct.Simulate, streams: Streams
) -> dict[str, NDArray]:
    """Credit and output of all networks that have them."""
    return {
        f"{name}.{variant}.{seed}": network.arrays[name]
        for (variant, seed), network in networks.items()
        for name in ("credit", "output")
        if name in network.arrays
    }
