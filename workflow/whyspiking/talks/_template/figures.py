"""The signature figure: how the neuron learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from whyspiking.contract.types import Results
from whyspiking.plots.figures import Plate, line_with_interval, over_seeds, require
from whyspiking.records import tables

LABELS = {"spiking": "one neuron", "mlp": "ReLU network", "counts": "counts, linear"}


def figures(results: Results) -> Mapping[str, Callable[[], Plate]]:
    """Figures by name, in the order of the story."""
    return {"learning": lambda: learning(results)}


def learning(results: Results) -> Plate:
    """Validation accuracy over training."""
    accuracy = tables.where(
        results.history, experiment="patterns", metric="validation_accuracy", variant=list(LABELS)
    )
    require(len(accuracy), "No validation accuracy was recorded.")
    plate = Plate(2.8, width=4.5)
    ax = plate.subplots()
    ends = []
    for index, (variant, own) in enumerate(accuracy.groupby("variant", sort=False)):
        points, label = over_seeds(own, ["epoch"]), LABELS[str(variant)]
        line_with_interval(ax, points["epoch"], points, index=index, label=label)
        ends.append(f"{label} ends at {points['mean'].iloc[-1]:.3f}")
    ax.set(xlabel="epoch", ylabel="validation accuracy")
    ax.legend()
    return plate.says(
        "Validation accuracy over training, mean and 95 % t interval over seeds.",
        f"Validation accuracy: {'; '.join(ends)}.",
        source="history.csv",
        experiment="patterns",
    )
