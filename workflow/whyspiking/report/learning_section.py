"""Memory and signals that learning rules need, and how local they are (M1, M2)."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes

from whyspiking.declared.learning_rules import Rule
from whyspiking.declared.registry import Talk
from whyspiking.plots.figures import MARKERS, PALETTE, Plate, require
from whyspiking.records import labels, tables
from whyspiking.records.tables import Table
from whyspiking.report import html
from whyspiking.report.sentences import surnames

LAYER = {"N": 100.0, "S": 10_000.0, "K": 10.0}
"""The layer that the figure is about: neurons, synapses, outputs."""
STEPS = np.geomspace(10, 10_000, 13)
COLUMNS = 4
LETTERS = 26
"""Letters of a label that fit side by side in a panel."""

Rules = Mapping[str, Sequence[Rule]]
"""Talk -> its rules."""


def figure(rules: Rules, names: Mapping[str, str]) -> Plate:
    """Memory against the length of a trial, a panel per talk, a line per rule.

    Raises:
        NotMeasuredError: If no talk declares a rule.
    """
    shown = [name for name in names if rules.get(name)]
    require(shown, "No talk declares what its learning rule keeps in memory.")
    columns = min(COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    plate = Plate(0.4 + 2.15 * rows, 2.2 * max(2, columns))
    axes = plate.panels(rows, columns, len(shown), sharex=True, sharey=True)
    words = []
    axes[0, 0].set(xscale="log", yscale="log")
    for ax, name in zip(axes.flat, shown, strict=False):
        words += [f"{names[name]}, {line}" for line in _lines(ax, rules[name])]
        ax.set_title(names[name])
    lows, highs = zip(*(ax.dataLim.intervaly for ax in axes.flat[: len(shown)]), strict=True)
    # Room for the names above the lines.
    # A rule that keeps nothing has no line on a logarithmic axis.
    axes[0, 0].set_ylim(0.5 * min(low for low in lows if low > 0), 300 * max(highs))
    for ax in axes.flat:
        ax.minorticks_off()
    for ax in axes[:, 0]:
        ax.set_ylabel("numbers kept")
    for ax in axes[-1]:
        ax.set_xlabel("steps of a trial, T")
    return plate.says(
        "Numbers that a learning rule keeps beside weights, states and optimiser, as each talk "
        f"declares it, for a layer of {LAYER['N']:g} neurons, {LAYER['S']:g} synapses and "
        f"{LAYER['K']:g} outputs (M1). A line that rises is memory that grows with the trial.",
        "Memory against steps. " + "; ".join(words) + ".",
        "#table-learning",
    )


def _lines(ax: Axes, rules: Sequence[Rule]) -> list[str]:
    """Draw the rules of one talk, equal ones as one line; returns them in words."""
    curves: dict[tuple[float, ...], list[str]] = {}
    for rule in rules:
        kept = tuple(rule.numbers({**LAYER, "T": float(steps)}) for steps in STEPS)
        curves.setdefault(kept, []).append(rule.name)
    words = []
    for index, (kept, called) in enumerate(curves.items()):
        label = "\n".join(textwrap.fill(name, LETTERS) for name in called)
        ax.plot(
            STEPS,
            kept,
            color=PALETTE[index % len(PALETTE)],
            marker=MARKERS[index % len(MARKERS)],
            markevery=6,
            label=label,
        )
        words.append(f"{' and '.join(called)}: {kept[0]:.3g} to {kept[-1]:.3g}")
    ax.legend(loc="upper left", fontsize=7, handlelength=1.2, borderaxespad=0.1)
    return words


def sentence(rules: Rules, talks: Mapping[str, Talk]) -> Markup:
    """In how many talks the rule of the spiking network is local, and forgets as it goes."""
    every = {
        name: [rule for rule in rules.get(name, ()) if _trains_spiking(rule, talk)]
        for name, talk in talks.items()
    }
    own = {name: trained for name, trained in every.items() if trained}
    if not own:
        return Markup()
    local = [name for name in own if any(rule.local for rule in own[name])]
    constant = [name for name in own if not all(rule.grows_with("T") for rule in own[name])]
    return html.macros("costs").rules_sentence(local, constant, list(own), surnames(talks))


def _trains_spiking(rule: Rule, talk: Talk) -> bool:
    return any(
        talk.experiments[experiment].variants[variant].role == "spiking"
        for experiment, variant in rule.learners
        if experiment in talk.experiments and variant in talk.experiments[experiment].variants
    )


def table(costs: Table, talks: Mapping[str, Talk]) -> Markup:
    """M1 and M2 of every learning rule, as declared in talk.yaml, and the numbers counted.

    Args:
        costs: Rows of costs.csv; its `learning_memory` is what the code kept.
        talks: The talks, by name.
    """
    rows = [
        (talk.name, rule, _where(talk.name, rule), _counted(costs, talk, rule))
        for talk in talks.values()
        for rule in talk.learning
    ]
    return html.macros("costs").learning_table(rows)


def _where(talk: str, rule: Rule) -> str:
    return "; ".join(
        labels.experiment(talk, e) + (f" ({labels.variant(v)})" if v != "spiking" else "")
        for e, v in rule.learners
    )


def _counted(costs: Table, talk: Talk, rule: Rule) -> float:
    """What the code kept; nan where that was not measured."""
    if rule.check is None:
        return np.nan
    place = {"experiment": rule.check.experiment, "variant": rule.check.variant}
    own = tables.where(costs, talk=talk.name, metric="learning_memory", **place)["value"]
    return next(iter(own), np.nan)
