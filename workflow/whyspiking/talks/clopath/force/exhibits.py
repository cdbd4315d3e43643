"""Example data for the figure of FORCE; what the names mean is said in `figures.py`."""

from __future__ import annotations

from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams


def exhibits(
    params: ct.Params, networks: ct.Networks, simulate: ct.Simulate, streams: Streams
) -> dict[str, NDArray]:
    """`training.*` of the first seed: the output whose target varies most, around learning."""
    seeds = sorted(seed for variant, seed in networks if variant == "spiking")
    arrays = networks["spiking", seeds[0]].arrays if seeds else {}
    if "trace" not in arrays:
        return {}  # the shared tasks keep no course of an output
    i_output = int(arrays["trace_target"].std(axis=0).argmax())
    return {
        "training.time_ms": arrays["trace_ms"],
        "training.output": arrays["trace"][:, i_output],
        "training.target": arrays["trace_target"][:, i_output],
        "training.rls_ms": arrays["learning_ms"],
    }
