"""Example data for the figures of the experiment `xor_gradient`."""

from __future__ import annotations

from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Networks, Params, Simulate


def exhibits(
    params: Params, networks: Networks, simulate: Simulate, streams: Streams
) -> dict[str, NDArray]:
    """By pattern and projection: `rule.<when>.<v>.<s>` and `gradient.<when>.<v>.<s>`."""
    return {
        f"{name}.{variant}.{seed}": network.arrays[name]
        for (variant, seed), network in networks.items()
        for name in network.arrays
        if name.startswith(("rule.", "gradient."))
    }
