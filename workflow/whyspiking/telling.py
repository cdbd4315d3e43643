"""The synthesis in words: sentences whose every number and name comes from the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

import numpy as np

from whyspiking import markup
from whyspiking.axes import AGAINST, FAVOURS
from whyspiking.registry import Talk
from whyspiking.synthesis import (
    CLAIMS,
    DIVIDED,
    NO,
    NONE,
    PART,
    UNDECIDED,
    YES,
    Answer,
    Finding,
    Stand,
    by_talk,
    turning,
)

LOOK = {
    # word -> symbol, colour class; the symbols are the marks of the forest figures
    YES: ("▲", "green"),
    PART: ("◆", "olive"),
    NO: ("■", "red"),
    UNDECIDED: ("●", "grey"),
    NONE: ("–", "grey"),
    DIVIDED: ("◆", "olive"),
}
LEDGER = (
    ("Spikes buy", (YES,)),
    ("They buy in part, or in some talks only", (PART, DIVIDED)),
    ("They do not buy", (NO,)),
    ("This run cannot tell whether they buy", (UNDECIDED, NONE)),
)
"""Heading -> words of an axis, in the order of the summary."""
DIFFERENCES = ("robustness_advantage", "speed_area_gain")
"""Metrics that are printed with their sign."""
RULES = (
    "Everything is counted by talk. A talk says “yes” where the interval of at least one "
    "comparison excludes the null in favour of spikes and none excludes it against them (energy: "
    "where every comparison favours them), “no” the other way round, “in part” where both happen; "
    "a single seed decides nothing. Intervals are 95 % t intervals over seeds, not corrected for "
    "the number of comparisons, some of which share their data; no p value is pooled, since the "
    "tasks are too different."
)
MEANINGS = {
    YES: "an interval favours spikes and none speaks against them",
    PART: "some intervals favour spikes, others do not",
    NO: "an interval speaks against spikes and none favours them",
    UNDECIDED: "no interval excludes the null",
    NONE: "not measured, for the reason given below the table",
}


def chip(word: str) -> str:
    """A word with its symbol and colour."""
    return markup.labelled(*LOOK[word], word)


def surname(talk: Talk) -> str:
    """How tables, figures and sentences call a talk."""
    return talk.speaker.split()[-1]


def _talks(number: int) -> str:
    return f"{number} talk{'' if number == 1 else 's'}"


def named(talks: Iterable[str], described: Mapping[str, Talk]) -> str:
    """Surnames, in a list with "and"."""
    names = [escape(surname(described[name])) for name in talks]
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def in_one_screen(answers: Sequence[Answer], talks: Mapping[str, Talk]) -> str:
    """The answer to "why spiking?": what spikes buy, what not, in how many talks."""
    parts = []
    for heading, words in LEDGER:
        chosen = [answer for answer in answers if answer.word in words]
        if not chosen:
            continue
        items = "".join(f"<li>{_line(answer, talks)}</li>" for answer in chosen)
        parts.append(f"<h3>{escape(heading)}</h3><ul>{items}</ul>")
    return f'<div class="summary">{"".join(parts)}</div>'


def _line(answer: Answer, talks: Mapping[str, Talk]) -> str:
    if not answer.measured:
        return f"{escape(answer.buys)} ({escape(answer.axis)}): measured in no talk."
    return (
        f'{escape(answer.buys)} (<a href="#axis-{answer.axis}">{escape(answer.axis)}</a>): '
        f"<strong>yes in {len(answer.talks(YES))} of {answer.measured} talks</strong>, against "
        f"{escape(answer.against)}{_others(answer, talks, (YES, NONE))}."
    )


def _others(answer: Answer, talks: Mapping[str, Talk], without: Sequence[str]) -> str:
    """Counts and names of the talks with other words, each after a comma or semicolon."""
    said = ""
    for word in (PART, NO, UNDECIDED, YES):
        found = answer.talks(word)
        if word not in without and found:
            said += f"; {word} in {len(found)} ({named(found, talks)})"
    return said


def axis_paragraph(answer: Answer, talks: Mapping[str, Talk], meanings: Mapping[str, str]) -> str:
    """What one axis says: counts by talk, effects, who disagrees, what would change it.

    Args:
        answer: The axis.
        talks: Talk by name.
        meanings: Measure -> what it measures, from the config.
    """
    if not answer.measured:
        return (
            f"<p>{escape(answer.asks)} Nothing was measured on this axis: "
            f"{escape('; '.join(dict.fromkeys(s.reason for s in answer.stands.values())))}.</p>"
        )
    yes = answer.talks(YES)
    names = f" ({named(yes, talks)})" if yes else ""
    first = (
        f"{escape(answer.asks)} Against {escape(answer.against)}: <strong>yes in {len(yes)} of "
        f"{answer.measured} talks</strong> in which it was measured{names}"
        f"{_others(answer, talks, (YES, NONE))}."
    )
    absent = answer.talks(NONE)
    if absent:
        first += f" Not measured in {len(absent)} ({named(absent, talks)})."
    items = ""
    for measure in dict.fromkeys(finding.measure for finding in answer.findings):
        own = [finding for finding in answer.findings if finding.measure == measure]
        items += f"<li>{_measure_sentence(measure, own, answer, talks, meanings)}</li>"
    return (
        f"<p>{first} {_disagreement(answer, talks)}</p><ul>{items}</ul>"
        f"<p><strong>What would change this.</strong> {change_sentence(answer)}</p>"
    )


def _measure_sentence(
    measure: str,
    findings: Sequence[Finding],
    answer: Answer,
    talks: Mapping[str, Talk],
    meanings: Mapping[str, str],
) -> str:
    words = by_talk(findings, answer.needs)
    favours, against = (
        {f.talk for f in findings if f.side == side and f.decidable} for side in (FAVOURS, AGAINST)
    )
    if measure == CLAIMS:
        return (
            f"The talks' own claims ({len(findings)} in {len(words)} talks): replicated with their "
            f"whole interval in {len(favours)} talks, not replicated in {len(against)}."
        )
    says = meanings[measure].rstrip(".")
    said = (
        f"{measure} ({escape(says[0].lower() + says[1:])}) was measured in "
        f"{_talks(len(words))}: the interval excludes the null in favour of spikes in "
        f"{len(favours)}, against them in {len(against)} (comparisons: "
        f"{_count(findings, FAVOURS)} and {_count(findings, AGAINST)} of {len(findings)})"
    )
    alone = sum(not finding.decidable for finding in findings)
    if alone:
        said += f"; {alone} with one seed decide{'s' if alone == 1 else ''} nothing"
    said += "."
    ends = [f for f in findings if f.side == FAVOURS and f.decidable]
    if ends:
        best = max(ends, key=lambda finding: finding.distance)
        said += f" Strongest: {_effect(best, talks)}"
        least = min(ends, key=lambda finding: finding.distance)
        said += f"; weakest: {_effect(least, talks)}." if least is not best else "."
    losses = [f for f in findings if f.side == AGAINST and f.decidable]
    if losses:
        worst = max(losses, key=lambda finding: finding.distance)
        said += f" Most against spikes: {_effect(worst, talks)}."
    return said


def _count(findings: Sequence[Finding], side: str) -> int:
    return sum(finding.side == side and finding.decidable for finding in findings)


def _effect(finding: Finding, talks: Mapping[str, Talk]) -> str:
    return f"{number(finding)} ({escape(surname(talks[finding.talk]))}: {escape(finding.place)})"


def plain_number(finding: Finding) -> str:
    """An effect without its interval."""
    return markup.value(finding.effect, finding.unit, signed=finding.metric in DIFFERENCES)


def number(finding: Finding) -> str:
    """An effect with its interval, in a line."""
    shown = plain_number(finding)
    if not finding.decidable:
        return f"{shown}, one seed" if np.isfinite(finding.effect) else shown
    low, high = (markup.bare(x, finding.unit) for x in (finding.low, finding.high))
    return f"{shown} [{low}, {high}]"


def _disagreement(answer: Answer, talks: Mapping[str, Talk]) -> str:
    """The talks whose word is not that of most, each with its evidence."""
    others = [
        stand
        for stand in answer.stands.values()
        if stand.word not in (NONE, answer.word) and stand.findings
    ]
    if not others:
        return "No talk disagrees." if answer.measured > 1 else ""
    told = "; ".join(_dissent(stand, answer, talks) for stand in others)
    if answer.word == DIVIDED:
        return f"No word has most of the talks: {told}."
    return f"The talks that disagree with “{answer.word}”: {told}."


def _dissent(stand: Stand, answer: Answer, talks: Mapping[str, Talk]) -> str:
    who = f"{escape(surname(talks[stand.talk]))} ({stand.word}"
    wanted = AGAINST if answer.word in (YES, DIVIDED) and stand.word == PART else None
    fitting = [f for f in stand.findings if f.side == wanted]
    shown = max(fitting, key=lambda finding: finding.distance) if fitting else stand.strongest
    if shown is None:
        return f"{who})"
    name = "" if shown.measure == CLAIMS else f"{shown.measure} "
    return f"{who}: {name}{number(shown)}, {escape(shown.place)})"


def change_sentence(answer: Answer) -> str:
    """What would change the answer, as declared in the config, and how far the run is from it."""
    measure = answer.change["measure"]
    own = [finding for finding in answer.findings if finding.measure == measure]
    words = by_talk(own, answer.needs)
    favours, measured = list(words.values()).count(YES), len(words)
    said = escape(answer.change["says"])
    name = "the claims favour" if measure == CLAIMS else f"{measure} favours"
    if not measured:
        return f"{said} Now: not measured."
    rule = "" if answer.needs == "any" else " in every comparison"
    said += f" Now: {name} spikes{rule} in {favours} of {measured} talks; "
    needed = turning(favours, measured)
    if needed > 0:
        return f"{said}{needed} of them would have to stop doing so."
    return f"{said}{-needed} more would have to join them."


def legend(words: Iterable[str]) -> str:
    """What the words of the matrix mean."""
    pairs = [(word, MEANINGS[word]) for word in words]
    items = "".join(f"<dt>{chip(word)}</dt><dd>{escape(says)}</dd>" for word, says in pairs)
    return f'<dl class="facts">{items}</dl>'
