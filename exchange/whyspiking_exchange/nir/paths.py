"""What reaches a node of a graph: paths from input and neurons, with weights and delays; biases."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from whyspiking_exchange.nir.layers import Matrix


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


@dataclass
class Sum:
    """What reaches a node: a bias, when it begins to flow in s, and paths by source."""

    bias: Matrix | None = None
    onset: Matrix | None = None
    terms: dict[str, list[Path]] = field(default_factory=dict)

    @property
    def paths(self) -> list[tuple[str, Path]]:
        """All of them with their source."""
        return [(source, path) for source, found in self.terms.items() for path in found]


def equal(one: Matrix | None, other: Matrix | None) -> bool:
    """Whether biases begin together."""
    none = one is None or other is None
    return one is other if none else bool(np.all(one == other))


def flowing(into: Sum, n: int) -> tuple[Matrix, Matrix | None]:
    """Bias and onset, (neuron,)."""
    onset = None if into.onset is None else np.broadcast_to(into.onset, n).copy()
    return np.zeros(n) if into.bias is None else into.bias, onset


def added(one: Matrix | None, other: Matrix) -> Matrix:
    """The sum of what there is."""
    return other if one is None else one + other
