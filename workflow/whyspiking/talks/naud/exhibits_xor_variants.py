"""Example data for the figures of the experiment `xor_variants`."""

from __future__ import annotations

from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Networks, Params, Simulate
from whyspiking.talks.naud import exhibits_xor


def exhibits(
    params: Params, networks: Networks, simulate: Simulate, streams: Streams
) -> dict[str, NDArray]:
    """All tests of training."""
    return exhibits_xor.histories(networks)
