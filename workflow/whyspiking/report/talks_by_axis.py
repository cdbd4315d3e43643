"""The matrix talk x axis as a table: a word and one number each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from whyspiking.declared.registry import Talk
from whyspiking.report import html, sentences
from whyspiking.verdicts.answers import CLAIMS, NONE, PART, WORDS, YES, Answer, Stand
from whyspiking.verdicts.axes import FAVOURS


def table(answers: Sequence[Answer], talks: Mapping[str, Talk]) -> Markup:
    """Talk x axis as an HTML table: a word and one number."""
    stands = {name: [answer.stands[name] for answer in answers] for name in talks}
    rows = [
        (name, talk.surname, [(x.word, x.reason, _lines(x)) for x in stands[name]])
        for name, talk in talks.items()
    ]
    missing = dict.fromkeys(
        reason for _, _, cells in rows for word, reason, _ in cells if word == NONE
    )
    return html.macros("answers").matrix(
        [answer.axis.capitalize() for answer in answers],
        rows,
        [(answer.word, _total(answer)) for answer in answers],
        {reason: html.letter(number) for number, reason in enumerate(missing)},
        {word: sentences.MEANINGS[word] for word in WORDS},
        sentences.LOOK,
    )


def _lines(stand: Stand) -> list[Markup]:
    """One effect; where comparisons disagree, how many favour spikes."""
    shown = stand.shown
    if shown is None:
        return [escape(stand.reason.partition(":")[0])] if stand.apart else []
    if stand.word == PART:
        return [Markup("{} of {} favour").format(stand.count(FAVOURS), len(stand.findings))]
    name = "claim" if shown.measure == CLAIMS else shown.measure
    return [Markup("{} {}").format(name, sentences.number(shown))]


def _total(answer: Answer) -> str:
    return f"yes in {len(answer.talks(YES))} of {answer.measured}" if answer.measured else ""
