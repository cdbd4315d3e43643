"""The workshop's questions besides energy, each with an answer that is read from the tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from whyspiking.report import html
from whyspiking.report.first_screen import Comparisons
from whyspiking.report.talk_page import TalkPage, claims_of
from whyspiking.verdicts import rule

APPROXIMATION, ADVANTAGE = 1, 2
"""Sentences of the workshop's agenda: its title, and the first half of its closing question."""


def answer(
    pages: Sequence[TalkPage], comparisons: Comparisons, biology: Markup, programme: Markup
) -> Markup:
    """Four questions with their answers.

    Args:
        pages: Pages of what belongs to no talk, of which one tests sentences of the agenda.
        comparisons: Comparisons on the shared tasks.
        biology: The table of firing rates and irregularity, with its sentences.
        programme: The experiments that would settle inconclusive comparisons.
    """
    tested = {k: list_tests(pages, k) for k in (APPROXIMATION, ADVANTAGE)}
    n_passed = {
        k: sum(row["verdict"] in rule.SUCCESSES for row in rows) for k, rows in tested.items()
    }
    accuracy = comparisons.sentences[:1]
    return html.macros("questions").answer(
        tested[APPROXIMATION],
        n_passed[APPROXIMATION],
        accuracy[0] if accuracy else "",
        tested[ADVANTAGE],
        n_passed[ADVANTAGE],
        biology,
        programme,
    )


def list_tests(pages: Sequence[TalkPage], sentence: int) -> list[dict[str, Any]]:
    """Rows of verdicts.csv of the claims that test one sentence of the workshop's agenda."""
    return [
        row
        for page in pages
        for statement in page.read_abstract(claims_of([page.talk])).statements
        if statement.sentence == sentence and page.talk.name == "discussion"
        for row in page.tables["verdicts"].to_dict("records")
        if row["claim"] in statement.claims
    ]
