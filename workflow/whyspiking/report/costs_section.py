"""What holds spiking networks back: time and memory of training, size, agreement of engines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from markupsafe import Markup

from whyspiking.declared.registry import Talk
from whyspiking.plots.figures import Plate, require
from whyspiking.records import tables
from whyspiking.records.glossary import GLOSSARY
from whyspiking.records.tables import Table
from whyspiking.report import forest_plots, html
from whyspiking.report.forest_plots import Panel
from whyspiking.report.sentences import surnames
from whyspiking.verdicts.answers import Finding
from whyspiking.verdicts.costs import MEMORY, RATIO, SECONDS


def _ratios(costs: Table) -> Table:
    """Rows of the ratios of training time of single experiments."""
    return costs[(costs["metric"] == RATIO) & (costs["talk"] != "")]


def training_figure(costs: Table, names: Mapping[str, str]) -> Plate:
    """Seconds of training over those of the control, a row per experiment and control.

    Raises:
        NotMeasuredError: If no experiment trained both.
    """
    ratios = [
        Finding(
            measure="seconds",
            talk=row["talk"],
            experiment=row["experiment"],
            perturbation="none",
            locus=", ".join([row["locus"], *({row["variant"]} - {"spiking"})]),
            metric=SECONDS,
            effect=row["value"],
            low=row["low"],
            high=row["high"],
            unit="1",
            null=1.0,
            side=row["favours_spikes"],
        )
        for row in _ratios(costs).to_dict("records")
    ]
    require(ratios, "No experiment of this run trained a spiking network and a control.")
    label = "CPU seconds, spiking network over control"
    panel = Panel("training time", label, 1.0, forest_plots.rows_of(ratios))
    plate, words = forest_plots.forest(panel, names)
    return plate.says(
        "CPU seconds of training, spiking network over its control, with 95 % t intervals "
        "of the logarithm over seeds. Right of the line, red: the spiking network takes longer. "
        "Both run on the same machine, but not in the same engine nor for the same number of "
        "epochs: it is the price paid here, not a law.",
        "Training time. " + "; ".join(words) + ".",
        "costs.csv",
    )


def training_sentence(costs: Table) -> Markup:
    """In how many comparisons training takes more CPU time than that of a control, and less."""
    ratios = _ratios(costs)
    if ratios.empty:
        return Markup()
    (median,) = costs[(costs["metric"] == RATIO) & (costs["talk"] == "")].to_dict("records")
    return html.macros("costs").training_sentence(Counter(ratios["favours_spikes"]), median)


def memory(costs: Table, talks: Mapping[str, Talk]) -> Markup:
    """What the learning rules keep, and how it grows with the length of a trial."""
    rows = costs[costs["metric"].str.startswith(MEMORY)].to_dict("records")
    return html.macros("costs").memory(rows, GLOSSARY, surnames(talks))


def size(measures: Table, talks: Mapping[str, Talk]) -> Markup:
    """How large spiking networks need to be (G1), where size curves were measured."""
    rows = tables.where(measures, metric="size_ratio", why="").to_dict("records")
    return html.macros("costs").size(rows, surnames(talks))


def parity_words(parity: Table, talks: Mapping[str, Talk], limits: Mapping[str, float]) -> Markup:
    """Sentence and table on the agreement of the engines."""
    return html.macros("costs").parity(parity.to_dict("records"), limits, surnames(talks))
