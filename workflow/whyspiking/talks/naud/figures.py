"""Signature figures of the talk, in the order of its story; one module per group of experiments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from numpy.typing import NDArray

from whyspiking.plots.figures import Plate
from whyspiking.talks.naud import figures_code, figures_gradient, figures_learning, figures_xor

if TYPE_CHECKING:
    from whyspiking.contract.types import Results

EXHIBITED: Mapping[str, tuple[str, Callable[[Mapping[str, NDArray]], Plate]]] = {
    "events and bursts": ("xor", figures_xor.burst),
    "xor before and after": ("xor", figures_xor.before_and_after),
    "learning xor": ("xor", figures_xor.learning),
    "lesions": ("xor", figures_xor.lesions),
    "credit": ("xor", figures_xor.credit),
    "homeostasis": ("xor", figures_xor.homeostasis),
    "weights and gradient": ("xor", figures_xor.weights),
    "xor at the published size": ("xor_published", figures_gradient.published),
    "changes of xor": ("xor_variants", figures_gradient.variants),
    "rule and gradient": ("xor_gradient", figures_gradient.gradient),
    "two compartments": ("neuron", figures_code.traces),
    "two curves": ("neuron", figures_code.curves),
    "two channels": ("multiplexing", figures_code.channels),
    "two read-outs": ("multiplexing", figures_code.readouts),
    "plasticity": ("plasticity", figures_learning.plasticity),
    "other protocols": ("plasticity", figures_learning.protocols),
}
"""Figure -> the experiment whose exhibits it shows, and what draws it."""


def figures(results: Results) -> Mapping[str, Callable[[], Plate]]:
    """All figures by name."""

    def drawn(experiment: str, draw: Callable[[Mapping[str, NDArray]], Plate]) -> Callable:
        return lambda: draw(results.exhibit(experiment))

    found = {name: drawn(*how) for name, how in EXHIBITED.items()}
    return found | {
        "digits": lambda: figures_learning.digits(results.history),
        "deep hierarchies": lambda: figures_learning.deep(results.history),
    }
