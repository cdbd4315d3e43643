"""Example data for the figures of the experiment `xor_published`."""

from __future__ import annotations

from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Networks, Params, Simulate
from whyspiking.talks.naud import exhibits_xor


def exhibits(
    params: Params, networks: Networks, simulate: Simulate, streams: Streams
) -> dict[str, NDArray]:
    """All tests of training, and the output rates before it at the published step."""
    kept = exhibits_xor.histories(networks)
    for (variant, seed), network in networks.items():
        kept[f"start.{variant}.{seed}"] = network.arrays["start_rates"]
    return kept
