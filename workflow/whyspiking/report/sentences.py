"""The synthesis in words: sentences whose every number and name comes from the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup

from whyspiking.declared.registry import Talk
from whyspiking.records import labels
from whyspiking.report import html
from whyspiking.verdicts.answers import (
    DIVIDED,
    NO,
    NONE,
    PART,
    UNDECIDED,
    YES,
    Answer,
    Finding,
)
from whyspiking.verdicts.axes import FAVOURS

LOOK = {
    # word -> symbol, colour class; the symbols are the marks of the forest figures
    YES: ("▲", "green"),
    PART: ("◆", "olive"),
    NO: ("■", "red"),
    UNDECIDED: ("●", "grey"),
    NONE: ("–", "grey"),
    DIVIDED: ("◆", "olive"),
}
LEVELS = {
    "advantage": "What helps, beside the talks’ own controls",
    "mechanism": "What trained networks use: that they use it is no advantage by itself",
}
"""Level of an axis -> heading of the summary."""
TIMING = "timing"
"""The axis on which it matters who put the times there."""
RULES = (
    "Everything is counted by talk. A talk says “yes” where the interval of at least one "
    "comparison excludes the null in favour of spikes and none excludes it against them, “no” the "
    "other way round, “in part” where both happen; a single seed decides nothing, nor does a "
    "comparison that could hardly come out otherwise. Intervals are 95 % t intervals over seeds, "
    "not corrected for the number of comparisons, some of which share their data; no p value is "
    "pooled, since the tasks are too different."
)
MEANINGS = {
    YES: "an interval favours spikes and none speaks against them",
    PART: "some intervals favour spikes, others do not",
    NO: "an interval speaks against spikes and none favours them",
    UNDECIDED: "no interval excludes the null",
    NONE: "not measured or not counted, for the reason given below the table",
}


def by_level(answers: Sequence[Answer], talks: Mapping[str, Talk]) -> Markup:
    """Every axis in a line, counted by talk, under the heading of its level."""
    ledger = [(head, [a for a in answers if a.level == level]) for level, head in LEVELS.items()]
    chosen = [(head, [(a, inputs(a, talks)) for a in own]) for head, own in ledger if own]
    names = {name: talk.surname for name, talk in talks.items()}
    return html.macros("answers").by_level(chosen, names)


def inputs(answer: Answer, talks: Mapping[str, Talk]) -> dict[str, list[str]]:
    """Whether the times that carry were put there: talks that say yes, by their inputs.

    Args:
        answer: The axis; only that of timing has any.
        talks: Talk by name; its experiments say what their `input_times` are.

    Returns:
        "trains", "none", "constructed" -> talks. A talk counts for the first of these that an
        interval in favour of spikes comes from: for the last where all of them do.
    """
    by_code: dict[str, list[str]] = {"trains": [], "none": [], "constructed": []}
    for name in answer.talks(YES, PART) if answer.axis == TIMING else ():
        favours = [f for f in answer.stands[name].findings if f.side == FAVOURS and f.decidable]
        own = talks[name].experiments
        codes = {own[f.experiment].input_times for f in favours if f.experiment in own}
        for code in [code for code in by_code if code in codes][:1]:
            by_code[code].append(name)
    return by_code


def number(finding: Finding) -> Markup:
    """An effect with its interval, in a line."""
    signed = finding.metric in labels.DIFFERENCES
    shown = html.inline(finding.effect, finding.low, finding.high, finding.unit, signed=signed)
    alone = not finding.decidable and np.isfinite(finding.effect)
    return shown + ", one seed" if alone else shown
