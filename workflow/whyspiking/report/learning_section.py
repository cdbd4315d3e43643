"""How the talks' networks learn: what their rules keep and need, and how long training takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
from markupsafe import Markup

from whyspiking.declared.learning_rules import Rule
from whyspiking.declared.registry import Talk
from whyspiking.records import labels, tables
from whyspiking.records.tables import Table
from whyspiking.report import html
from whyspiking.verdicts.costs import RATIO


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


def training_sentence(costs: Table) -> Markup:
    """In how many comparisons training takes more CPU time than that of a control, and less."""
    ratios = costs[(costs["metric"] == RATIO) & (costs["talk"] != "")]
    if ratios.empty:
        return Markup()
    (median,) = tables.where(costs, metric=RATIO, talk="").to_dict("records")
    return html.macros("costs").training_sentence(Counter(ratios["favours_spikes"]), median)


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
