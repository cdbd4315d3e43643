"""Memory and signals that learning rules need, and how local they are (M1, M2)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from markupsafe import Markup

from whyspiking.declared.learning_rules import Rule
from whyspiking.declared.registry import Talk
from whyspiking.records import labels, tables
from whyspiking.records.tables import Table
from whyspiking.report import html


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
