"""Event rates of a hierarchy of sigmoid units (Eq. 39), and back-propagation through it (Eq. 53).

NumPy in single precision: at these sizes its matrix products are the cost. Equation numbers are
those of this talk's README.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from whyspiking.training.history import History

Float = np.float32


@dataclass
class Hierarchy:
    """Weights that carry rates upwards; a rule adds those that carry credit down.

    Attributes:
        forward: Weights (below, above) of every layer.
        bias: Biases (above,).
        history: What was noted while they were learned.
    """

    forward: list[NDArray]
    bias: list[NDArray]
    history: History = field(default_factory=History, kw_only=True)

    @classmethod
    def restored(cls, arrays: Mapping[str, NDArray]) -> Self:
        """What `arrays` gave, without the history."""

        def rows(kind: str) -> list[NDArray]:
            names = [name for name in arrays if name.startswith(f"{kind}_")]
            return [arrays[f"{kind}_{k}"] for k in range(len(names))]

        return cls(*(rows(kind.name) for kind in fields(cls) if not kind.kw_only))

    def arrays(self, *kinds: str) -> dict[str, NDArray]:
        """Weights of these kinds, "forward_0" and so on, as a stored network has them."""
        return {f"{kind}_{k}": v for kind in kinds for k, v in enumerate(getattr(self, kind))}

    def counts(self) -> dict[str, float]:
        """Operations of one forward pass."""
        return {
            "macs_dense": float(sum(weights.size for weights in self.forward)),
            "neuron_updates": float(sum(bias.size for bias in self.bias)),
        }


def rates(layers: Hierarchy, features: NDArray) -> list[NDArray]:
    """Event rates of all layers, input first (Eqs. 39 and 47)."""
    layer_rates = [np.asarray(features, Float)]
    for weights, bias in zip(layers.forward, layers.bias, strict=True):
        layer_rates.append(sigmoid(layer_rates[-1] @ weights + bias))
    return layer_rates


def sigmoid(x: NDArray) -> NDArray:
    """Logistic function."""
    with np.errstate(over="ignore"):
        return Float(1.0) / (Float(1.0) + np.exp(-x))


def back_propagated(
    layers: Hierarchy, activity: Sequence[NDArray], at_output: NDArray
) -> list[NDArray]:
    """Minus the derivative of a loss by every unit's input, lowest layer first.

    Args:
        layers: The weights.
        activity: From `rates`, each (sample, unit).
        at_output: The same at the output, (sample, unit).
    """
    credit = [at_output]
    for weights, event in zip(layers.forward[:0:-1], activity[-2:0:-1], strict=True):
        credit.append((credit[-1] @ weights.T) * event * (Float(1.0) - event))
    return credit[::-1]


def choose(layers: Hierarchy, features: NDArray) -> NDArray[np.int64]:
    """Class with the highest event rate, (sample,)."""
    return rates(layers, features)[-1].argmax(axis=1)


def angle(a: NDArray, b: NDArray) -> float:
    """Between two arrays taken as vectors, in degrees."""
    cosine = (a * b).sum() / (np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
