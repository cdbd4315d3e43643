"""How often the slow regime is found, and what becomes of a regime in training."""

from __future__ import annotations

from scipy import stats

from whyspiking.plots.figures import (
    BLUE,
    GREY,
    INK,
    PURPLE,
    RED,
    NotMeasuredError,
    Plate,
    legend_below,
    row_of_panels,
)
from whyspiking.records.tables import Table, where
from whyspiking.talks.comsa.measures import NEARLY_ALL

COURSES = {
    "published start": (RED, [("regimes", "spiking"), ("pulses", "spiking")]),
    "our slow start": (BLUE, [("mnist_slow", "spiking")]),
    "authors' slow network, trained further": (PURPLE, [("regimes", "continued")]),
}
"""Label -> colour and (experiment, variant) of the networks whose course is drawn."""
PANELS = {
    "validation_decision_ms": "mean decision, ms",
    "validation_hidden_before": "hidden neurons in\nat the decision",
    "validation_accuracy": "validation accuracy",
}


def share_interval(found: int, of: int, level: float = 0.95) -> tuple[float, float]:
    """Clopper-Pearson interval of a share."""
    tail = (1 - level) / 2
    low = stats.beta.ppf(tail, found, of - found + 1) if found else 0.0
    high = stats.beta.ppf(1 - tail, found + 1, of - found) if found < of else 1.0
    return float(low), float(high)


def found_slow(metrics: Table) -> tuple[int, int]:
    """Networks from the published start that are slow, and how many there are."""
    rows = where(
        metrics,
        experiment=["regimes", "pulses"], variant="spiking", engine="brian2",
        perturbation="none", metric="slow_regime",
    )  # fmt: skip
    return int(rows["value"].sum()), len(rows)


def courses(history: Table, metrics: Table) -> Plate:
    """Decision time, hidden spikes before it and accuracy against epoch, one line per network."""
    slow, n = found_slow(metrics)
    if not n:
        raise NotMeasuredError("No network from the published start was trained at this scale.")
    plate, axes = row_of_panels(3.0, 3)
    words = []
    for ax, (metric, name) in zip(axes, PANELS.items(), strict=True):
        for label, (colour, networks) in COURSES.items():
            # Most validation images were training images of the authors.
            if metric == "validation_accuracy" and networks[0][1] == "continued":
                continue
            ends, shown = [], label
            for experiment, variant in networks:
                rows = where(history, experiment=experiment, variant=variant, metric=metric)
                for _, course in rows.groupby("seed"):
                    course = course.sort_values("epoch")
                    ax.plot(
                        course["epoch"], course["value"], color=colour, linewidth=0.9, alpha=0.75,
                        label=shown,
                    )  # fmt: skip
                    shown = ""
                    ends.append(float(course["value"].iloc[-1]))
            if ends:
                told = f"{min(ends):.3g} to {max(ends):.3g}"
                words.append(f"{metric.replace('_', ' ')}, {label}: {len(ends)} end at {told}")
        ax.set(xlabel="epoch", ylabel=name)
        ax.xaxis.get_major_locator().set_params(integer=True)
    released = where(
        metrics, experiment="released", engine="brian2", perturbation="none", metric="decision_time"
    )
    for name, value in zip(released["variant"], released["value"], strict=True):
        axes[0].axhline(float(value), color=GREY, linewidth=0.8, linestyle="--", zorder=0)
        axes[0].annotate(
            f"authors' {name}", (0.98, float(value)), xycoords=("axes fraction", "data"),
            fontsize=8, ha="right", va="top" if name == "fast" else "bottom",
        )  # fmt: skip
        words.append(f"the authors' {name} network decides at {float(value):.3g} ms")
    axes[0].set_yscale("log")
    axes[0].set_ylim(0.8, 50)
    axes[0].set_yticks([1, 3, 10, 30])
    axes[0].yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes[0].yaxis.set_minor_formatter(lambda value, _: "")
    axes[1].axhline(NEARLY_ALL, color=INK, linewidth=0.8, linestyle=":")
    axes[1].set_ylim(0, 1.03)
    axes[2].set_ylim(0.8, 1)
    low, high = share_interval(slow, n)
    rate = f"{slow} of {n} found slow (95 % interval {100 * low:.0f} to {100 * high:.0f} %)"
    axes[1].set_title(f"slow: {slow} of {n} from\nthe published start", fontsize=9)
    legend_below(plate, [axes[0]])
    return plate.says(
        "Regimes in training, one line per network. From the published start "
        f"{slow} of {n} networks are slow when their training ends, that is, decide after at least "
        f"99 % of their hidden neurons (dotted); interval of Clopper and Pearson: {100 * low:.0f} "
        f"to {100 * high:.0f} %. Blue and purple networks were slow when training began.",
        rate + ". " + "; ".join(words) + ".",
        "history.csv",
    )
