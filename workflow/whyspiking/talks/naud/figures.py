"""The figures of the talk: the signature, and one for each sentence of the abstract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from whyspiking.talks.naud.burst_code import figures as of_channels
from whyspiking.talks.naud.xor import figures as of_xor

if TYPE_CHECKING:
    from whyspiking.contract.types import Results
    from whyspiking.plots.figures import Plate


def figures(results: Results) -> Mapping[str, Callable[[], Plate]]:
    """All figures by name, in the order of the story."""
    read_exhibit = results.exhibit
    return {
        "xor before and after": lambda: of_xor.before_and_after(
            "xor_published", read_exhibit("xor_published")
        ),
        "credit": lambda: of_xor.credit(read_exhibit("xor")),
        "lesions": lambda: of_xor.lesions(results.history),
        "two channels": lambda: of_channels.channels(read_exhibit("multiplexing")),
        "plasticity": lambda: of_channels.plasticity(read_exhibit("plasticity")),
    }
