"""What each talk's abstract states, beside what the claims that test it say: for its page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whyspiking.declared import abstract_file
from whyspiking.declared.abstract_file import Statement
from whyspiking.declared.claims_file import Claim
from whyspiking.declared.registry import Talk
from whyspiking.records.tables import Table
from whyspiking.report import html
from whyspiking.report.html import Html, macros
from whyspiking.verdicts import rule
from whyspiking.verdicts.comparison import ReferenceResults, Row


def _tests(
    statement: Statement,
    talk: Talk,
    claims: Mapping[str, Claim],
    rows: Mapping[str, Row],
    recorded: ReferenceResults,
) -> list[dict[str, Any]]:
    """The claims that put a statement to the test, as the table shows them.

    Args:
        statement: What the abstract states.
        talk: The talk, for titles of experiments.
        claims: Claim by id.
        rows: Claim -> its row of verdicts.csv; a claim without one is left out.
        recorded: The record.
    """
    tests = []
    for claim in (claims[name] for name in statement.claims if name in rows):
        row = rows[claim.id]
        tests.append(
            {
                "claim": claim,
                "experiment": talk.experiments[claim.rows["experiment"]].title,
                "row": row,
                "here": recorded.compare_claim(row, claim),
                "compared": _compared(claim, row),
                "value": html.inline(row["value"], row["ci_low"], row["ci_high"], str(row["unit"])),
            }
        )
    return tests


def _compared(claim: Claim, shown: Row) -> str:
    """Words for what a claim is compared with: the other network, the negative control."""
    parts = [f"against {_named(claim.compared_with)}"] if claim.compared_with else []
    if claim.negative_control:
        value = html.value(shown["control_value"], str(shown["unit"]))
        results = {True: ", meets the criterion, too", False: ", misses the criterion"}
        how = results.get(shown["control_meets_criterion"], ", not measured")
        if shown["verdict"] == rule.NOT_JUDGED:
            value, how = shown["verdict"], ""
        parts.append(f"control {_named(claim.negative_control)}: {value}{how}")
    return "; ".join(parts) or "none"


def section(
    talk: Talk, claims: Mapping[str, Claim], verdicts: Table, recorded: ReferenceResults
) -> Html:
    """The abstract of one talk as a table, for its page."""
    abstract = abstract_file.load(talk.folder, claims)
    rows = {str(row["claim"]): row for row in verdicts.to_dict("records")}
    statements = [(s, _tests(s, talk, claims, rows, recorded)) for s in abstract.statements]
    return Html(macros("abstracts").table(talk.name, abstract, statements))


def _named(place: Mapping[str, Any]) -> str:
    names = (place.get(key) for key in ("experiment", "variant", "perturbation", "engine"))
    return ", ".join(str(n).replace("_", " ") for n in names if n not in (None, "none"))
