"""The main figure: validation accuracy during training."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from whyspiking.contract.types import Results
from whyspiking.plots.figures import Plate, line_with_interval, over_seeds, require
from whyspiking.records import tables

LABELS = {"spiking": "one neuron", "mlp": "ReLU network", "counts": "linear classifier of counts"}


def figures(results: Results) -> Mapping[str, Callable[[], Plate]]:
    """Return functions that draw the figures, by name, in the order of the page."""
    return {"learning": lambda: learning(results)}


def learning(results: Results) -> Plate:
    """Draw the validation accuracy against the epoch."""
    accuracy = tables.where(
        results.history, experiment="patterns", metric="validation_accuracy", variant=list(LABELS)
    )
    require(len(accuracy), "This run has no validation accuracy.")
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
        "Validation accuracy during training, mean over seeds with its 95 % confidence interval.",
        f"Validation accuracy: {'; '.join(ends)}.",
        source="history.csv",
        experiment="patterns",
    )
