"""Layers of neurons that fire at most once, with exact spike times and exact gradients.

`engine()` gives the compiled form, or the JAX form where nothing can be compiled; both provide
`forward` and `backward` with the same arguments. Time is in units of tau_s, so the layer serves
every network of current-based LIF neurons with tau_m = tau_s (alpha-shaped potentials) or
tau_m = 2 tau_s. Mathematics and derivatives: `layer`.
"""

from __future__ import annotations

import importlib
import logging
from typing import Literal

from whyspiking.first_spike.layer import Engine, LayerOutput, measured, min_slope

__all__ = ["Engine", "LayerOutput", "engine", "measured", "min_slope"]

log = logging.getLogger(__name__)


def engine(choice: Literal["auto", "compiled", "jax"] = "auto") -> Engine:
    """The module that computes layers.

    Args:
        choice: "compiled" (C++), "jax", or "auto": compiled, else JAX with a line in the log.

    Raises:
        compiled.NoCompiler: If "compiled" was asked for and is not possible.
    """
    if choice != "jax":
        from whyspiking.first_spike import compiled

        try:
            compiled.library()
            return compiled  # type: ignore[return-value]
        except compiled.NoCompiler as reason:
            if choice == "compiled":
                raise
            log.warning("first-spike layers run in JAX, several times slower: %s", reason)
    return importlib.import_module("whyspiking.first_spike.closed_form")  # type: ignore[return-value]
