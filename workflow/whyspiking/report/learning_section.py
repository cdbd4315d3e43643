"""How the talks' networks learn: what their rules keep and need, and how long training takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from markupsafe import Markup

from whyspiking.declared.learning_rules import Rule
from whyspiking.declared.registry import Talk
from whyspiking.records import labels, tables
from whyspiking.records.tables import Table
from whyspiking.report import html
from whyspiking.verdicts.costs import RATIO


def table(costs: Table, talks: Mapping[str, Talk]) -> Markup:
    """M1 and M2 of every learning rule, as declared in talk.yaml, and the numbers counted, by task.

    Args:
        costs: Rows of costs.csv; its `learning_memory` is what the code kept.
        talks: The talks, by name.
    """
    rows = [
        (talk.name, rule, _name_learners(talk.name, rule), _read_memory(costs, talk.name, rule))
        for talk in talks.values()
        for rule in talk.learning_rules
    ]
    return html.macros("costs").learning_table(rows)


def training_sentence(costs: Table) -> Markup:
    """In how many comparisons training takes more CPU time than that of a control, and less."""
    ratios = costs[(costs["metric"] == RATIO) & (costs["talk"] != "")]
    if ratios.empty:
        return Markup()
    (median,) = tables.where(costs, metric=RATIO, talk="").to_dict("records")
    return html.macros("costs").training_sentence(Counter(ratios["favours_spikes"]), median)


def _name_learners(talk: str, rule: Rule) -> str:
    return "; ".join(
        labels.experiment(talk, experiment)
        + (f" ({labels.variant(variant)})" if variant != "spiking" else "")
        for experiment, variant in rule.learners
    )


def _read_memory(costs: Table, talk: str, rule: Rule) -> dict[str, float]:
    """Read the memory that the code kept, where it was measured: task -> numbers."""
    memory_rows = tables.where(costs, talk=talk, metric="learning_memory")
    memory = {
        (row["experiment"], row["variant"]): row["value"] for row in memory_rows.to_dict("records")
    }
    return {
        labels.experiment(talk, learner[0]): memory[learner]
        for learner in rule.learners
        if learner in memory
    }
