"""The table of learning rules: what each keeps in memory and needs to be told."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from whyspiking import markup
from whyspiking.learning_rules import Rule
from whyspiking.markup import Cell
from whyspiking.registry import Talk
from whyspiking.tables import Table

RECEIVER = {"layer": "broadcast", "neuron": "per neuron", "synapse": "per synapse"}
HEADS = (
    "Talk",
    "Rule",
    "Per synapse",
    "Per neuron",
    "Shared",
    "Grows with T",
    "Counted",
    "Signals",
    "Online",
    "Local",
)


def learning_table(metrics: Table, talks: Mapping[str, Talk]) -> str:
    """M1 and M2 of every learning rule, as declared in talk.yaml, and the numbers counted.

    Args:
        metrics: Rows of the metrics table, all talks; `learning_memory` is what the code kept.
        talks: The talks, by name.
    """
    rows = [
        [
            markup.text(talk.name),
            Cell(f"{escape(rule.name)}<small>{escape(_where(rule))}</small>"),
            *(_expression(numbers) for numbers in (memory.synapse, memory.neuron, memory.shared)),
            _yes(rule.grows_with("T")),
            _counted(metrics, talk, rule),
            _signals(rule),
            _yes(rule.online),
            _yes(rule.local),
        ]
        for talk in talks.values()
        for rule in talk.learning
        for memory in [rule.memory]
    ]
    return markup.table(
        list(HEADS),
        rows,
        name="learning",
        caption="M1: numbers that a rule keeps beside weights, states and optimiser, N neurons of "
        "the layer, T steps of a trial, K outputs; counted: sizes of the arrays in the code. M2: "
        "signals that a synapse needs beyond the states of its two neurons. Local: all signals "
        "online, none of a single synapse, no store that grows with the layer.",
        sortable=True,
    )


def _where(rule: Rule) -> str:
    names = (f"{e} {v}" if v != "spiking" else e for e, v in rule.learners)
    return ", ".join(names).replace("_", " ")


def _expression(numbers: str) -> Cell:
    return Cell(escape(numbers.replace(" ** 2", "²").replace(" * ", " ")), None, "number")


def _yes(value: bool) -> Cell:
    return markup.text("yes" if value else "no")


def _counted(metrics: Table, talk: Talk, rule: Rule) -> Cell:
    if rule.check is None:
        return Cell('<span class="soft">not counted</span>', "", "number")
    own = metrics[
        (metrics["talk"] == talk.name)
        & (metrics["experiment"] == rule.check.experiment)
        & (metrics["variant"] == rule.check.variant)
        & (metrics["metric"] == "learning_memory")
    ]
    if own.empty:
        return Cell('<span class="soft">not measured</span>', "", "number")
    value = float(own["value"].mean())
    return markup.number(markup.digits(value), value)


def _signals(rule: Rule) -> Cell:
    if not rule.signals:
        return markup.text("none")
    told = "".join(
        f"{escape(s.what)}<small>{RECEIVER[s.to]}, {'online' if s.online else 'later'}</small>"
        for s in rule.signals
    )
    return Cell(f"{len(rule.signals)}: {told}")
