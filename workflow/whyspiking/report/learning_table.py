"""The table of learning rules: what each keeps in memory and needs to be told."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from markupsafe import Markup

from whyspiking.declared.learning_rules import Rule
from whyspiking.declared.registry import Talk
from whyspiking.records import tables
from whyspiking.records.tables import Table
from whyspiking.report import html


def learning_table(costs: Table, talks: Mapping[str, Talk]) -> Markup:
    """M1 and M2 of every learning rule, as declared in talk.yaml, and the numbers counted.

    Args:
        costs: Rows of costs.csv; its `learning_memory` is what the code kept.
        talks: The talks, by name.
    """
    rows = [
        (talk.name, rule, _where(rule), _counted(costs, talk, rule))
        for talk in talks.values()
        for rule in talk.learning
    ]
    return html.macros("costs").learning_table(rows)


def _where(rule: Rule) -> str:
    names = (f"{e} {v}" if v != "spiking" else e for e, v in rule.learners)
    return ", ".join(names).replace("_", " ")


def _counted(costs: Table, talk: Talk, rule: Rule) -> float:
    """What the code kept; nan where that was not measured."""
    if rule.check is None:
        return np.nan
    place = {"experiment": rule.check.experiment, "variant": rule.check.variant}
    own = tables.where(costs, talk=talk.name, metric="learning_memory", **place)["value"].tolist()
    return own[0] if own else np.nan
