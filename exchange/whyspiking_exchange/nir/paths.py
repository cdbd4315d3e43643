"""What reaches a node of a graph: paths from input, neurons and biases, with weights and delays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whyspiking_exchange.nir.layers import Matrix

CONSTANT = ""
"""The source of biases, which is always 1: a path from there has them as its weights, (post, 1)."""


@dataclass(frozen=True, eq=False)
class Path:
    """A way from a source: weights (post, pre), None: one to one; delays in s of the same shape.

    One to one, delays are (neuron,), or one for all; None: there are none.
    """

    weights: Matrix | None
    delays: Matrix | None = None

    @property
    def size(self) -> int:
        """Number of targets; 0 where it is that of the source."""
        if self.weights is not None:
            return len(self.weights)
        return 0 if self.delays is None or self.delays.size == 1 else self.delays.size

    def late(self, delays: Matrix) -> Path:
        """The same behind further delays, (post,) or one for all."""
        more = delays if self.weights is None else delays[:, None]
        whole = more if self.delays is None else self.delays + more
        if self.weights is not None:
            whole = np.broadcast_to(whole, self.weights.shape)
        return Path(self.weights, whole)


type Paths = list[tuple[str, Path]]
"""Paths with their sources."""
