"""The signature figure: how the neuron learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from whyspiking.contract.types import Results
from whyspiking.plots.figures import Plate, learning_curve


def figures(results: Results) -> Mapping[str, Callable[[], Plate]]:
    """Figures by name, in the order of the story."""
    return {"learning": lambda: learning(results)}


def learning(results: Results) -> Plate:
    """Validation accuracy over training."""
    plate = Plate(2.8, width=4.5)
    ax = plate.subplots()
    said = learning_curve(
        ax,
        results.history[results.history["experiment"] == "patterns"],
        metric="validation_accuracy",
        labels={"spiking": "one neuron", "mlp": "ReLU network", "counts": "counts, linear"},
    )
    ax.legend()
    return plate.says(
        "Validation accuracy over training, mean and 95 % t interval over seeds.",
        f"Validation accuracy: {said}.",
        source="history.csv",
        experiment="patterns",
    )
