"""Figures of the shared benchmark: baselines, hand-designed networks, and few distinct trials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from whyspiking.plots import figures as fg
from whyspiking.records import tables
from whyspiking.records.tables import Table
from whyspiking.talks.ground.protocol import protocol

if TYPE_CHECKING:
    from whyspiking.contract.types import Results

COLOURS = {"spikes": fg.RED, "leaky": fg.BLUE, "units": fg.GREEN}
"""Kind of a hand-designed network -> colour."""
FAMILIES = {"lif": "LIF", "leaky_units": "non-spiking leaky units", "gru": "GRU"}
"""Family of baseline networks -> label in the figure."""


def figures(results: Results) -> Mapping[str, Callable[[], fg.Plate]]:
    """Return functions that draw the figures, by name, in the order of the page."""
    return {
        "few trials": lambda: few_trials(results.metrics),
        "what the tasks ask": lambda: draw_task_baselines(results.metrics),
    }


def draw_task_baselines(metrics: Table) -> fg.Plate:
    """Draw mean accuracies of memoryless baselines and hand-designed networks, a panel per task."""
    benchmark, rows = protocol(), metrics[metrics["metric"] == "accuracy"]
    baselines = rows[rows["variant"] == "floors"].groupby(["experiment", "perturbation"])["value"]
    baseline_means, texts = baselines.mean().unstack(), []
    tasks = [task for task in benchmark.tasks if task in baseline_means.index]
    fg.require(tasks, "This run has no memoryless baselines.")
    plate, axes = fg.row_of_panels(5.2, len(tasks), sharey=True)
    for ax, task in zip(axes, tasks, strict=True):
        task_protocol, baseline_accuracies = (
            benchmark.tasks[task],
            baseline_means.loc[task].to_dict(),
        )
        for row, name in enumerate(benchmark.baselines):
            veto = name in task_protocol.baseline_expectations.must_fail
            marker_style = (
                {"marker": "s", "color": fg.RED} if veto else {"marker": "o", "color": fg.GREY}
            )
            ax.plot(
                100 * baseline_accuracies[name], row, linestyle="", markersize=5, **marker_style
            )
        hand_designed_texts = []
        for row, (variant, network) in enumerate(
            task_protocol.hand_designed.items(), len(benchmark.baselines)
        ):
            is_network = (rows["experiment"] == task) & (rows["variant"] == variant)
            accuracy = rows[is_network & (rows["engine"] == network.engine)]["value"].mean()
            ax.plot(100 * accuracy, row, "*", color=COLOURS[network.unit_type], markersize=10)
            hand_designed_texts.append(f"{variant} {100 * accuracy:.1f} %")
        ax.axvline(100 * task_protocol.chance, color=fg.INK, linewidth=0.8, linestyle=":")
        ax.set(title=task.replace("_", " ").capitalize(), xlabel="accuracy (%)", xlim=(0, 104))
        veto = max(
            baseline_accuracies[name] for name in task_protocol.baseline_expectations.must_fail
        )
        texts.append(
            f"{task.replace('_', ' ')}: baselines that must stay at chance level reach "
            f"{100 * veto:.1f} % at most, a ReLU network that receives the whole trial reaches "
            f"{100 * baseline_accuracies[benchmark.reference_baseline]:.1f}, chance level is "
            f"{100 * task_protocol.chance:.1f} %."
        )
        texts += (
            [f"Hand-designed: {', '.join(hand_designed_texts)}."] if hand_designed_texts else []
        )
    axes[0].set_yticks(
        range(len(benchmark.baselines)),
        [name.replace("_", " ").replace("relu", "ReLU") for name in benchmark.baselines],
    )
    axes[0].invert_yaxis()
    return plate.says(
        "Accuracy of memoryless baselines (squares and dots) and, below them, of hand-designed "
        "networks (stars) on each task, mean over seeds. Baselines with a red square must stay at "
        "chance level (dotted line), because the task must not be solvable from their input. Red "
        "stars are spiking networks, blue stars non-spiking leaky units and green stars ReLU "
        "units.",
        " ".join(texts),
    )


def few_trials(metrics: Table) -> fg.Plate:
    """Draw the accuracy on sound localisation against the number of distinct training trials."""
    experiment = protocol().samples
    shares = tables.where(metrics, metric="accuracy", experiment="samples")
    fg.require(len(shares), "This run has no networks that were trained on few distinct trials.")
    plate, (ax,) = fg.row_of_panels(4.0, width=5.0)
    texts = []
    for index, cell in zip((1, 0, 2), experiment.cells, strict=True):
        cell_rows = tables.where(shares, variant=cell)
        points = fg.over_seeds(cell_rows.assign(value=100 * cell_rows["value"]), ["strength"])
        fg.line_with_interval(ax, points["strength"], points, index=index, label=FAMILIES[cell])
        means = ", ".join(f"{mean:.1f}" for mean in points["mean"])
        texts.append(f"{FAMILIES[cell]}: {means}")
    ax.set(xlabel="number of distinct training trials", ylabel="accuracy (%)", xscale="log")
    ax.set_xticks(experiment.n_distinct, [f"{n:,}" for n in experiment.n_distinct])
    ax.minorticks_off()
    fg.legend_below(plate, [ax])
    return plate.says(
        "Accuracy on sound localisation of networks with 8 hidden units. Training always has "
        "64,000 presentations, but only the given number of trials are distinct. Mean over seeds "
        "with its 95 % confidence interval.",
        f"Accuracy in % for increasing numbers of distinct training trials. {'; '.join(texts)}.",
    )
