"""The statements of a talk's abstract and the claims that test them, for the talk's page."""

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


def _list_tests(
    statement: Statement,
    talk: Talk,
    claims: Mapping[str, Claim],
    rows: Mapping[str, Row],
    recorded: ReferenceResults,
) -> list[dict[str, Any]]:
    """List the claims that test a statement, as the table shows them.

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
                "compared": _describe_comparison(claim, row),
                "value": html.inline(row["value"], row["ci_low"], row["ci_high"], str(row["unit"])),
            }
        )
    return tests


def _describe_comparison(claim: Claim, row: Row) -> str:
    """Describe what a claim is compared with: the other network, the negative control."""
    clauses = [f"against {_join_names(claim.compared_with)}"] if claim.compared_with else []
    if claim.negative_control:
        value = html.value(row["control_value"], str(row["unit"]))
        results = {True: ", meets the criterion, too", False: ", misses the criterion"}
        outcome = results.get(row["control_meets_criterion"], ", not measured")
        if row["verdict"] == rule.NOT_JUDGED:
            value, outcome = row["verdict"], ""
        clauses.append(f"control {_join_names(claim.negative_control)}: {value}{outcome}")
    return "; ".join(clauses) or "none"


def section(
    talk: Talk, claims: Mapping[str, Claim], verdicts: Table, recorded: ReferenceResults
) -> Html:
    """The abstract of one talk as a table, for its page."""
    abstract = abstract_file.load(talk.folder, claims)
    rows = {str(row["claim"]): row for row in verdicts.to_dict("records")}
    statements = [(s, _list_tests(s, talk, claims, rows, recorded)) for s in abstract.statements]
    return Html(macros("abstracts").table(talk.name, abstract, statements))


def _join_names(network: Mapping[str, Any]) -> str:
    names = (network.get(key) for key in ("experiment", "variant", "perturbation", "engine"))
    return ", ".join(str(n).replace("_", " ") for n in names if n not in (None, "none"))
