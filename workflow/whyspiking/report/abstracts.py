"""What each talk's abstract states, beside what the claims that test it say: for its page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from whyspiking.declared import abstract_file
from whyspiking.declared.abstract_file import Abstract
from whyspiking.declared.claims_file import Claim
from whyspiking.declared.registry import Talk
from whyspiking.records.tables import Table
from whyspiking.report import html
from whyspiking.report.html import Html, macros
from whyspiking.report.recorded import Recorded


@dataclass(frozen=True)
class Test:
    """A claim that puts a statement to the test.

    Attributes:
        claim: What is claimed.
        experiment: Title of the experiment.
        row: Its row of verdicts.csv.
        recorded: The recorded row, where the run at hand does not judge the claim.
    """

    __test__ = False

    claim: Claim
    experiment: str
    row: Mapping[str, Any]
    recorded: Mapping[str, Any] | None

    @property
    def compared(self) -> str:
        """What it is compared with, in words: the other network, the negative control."""
        versus, control = self.claim.versus, self.claim.negative_control
        parts = [f"against {_named(versus)}"] if versus else []
        if control:
            shown = self.recorded or self.row
            value = html.value(shown["control_value"], str(shown["unit"]))
            results = {True: ", passes too", False: ", misses"}
            how = results.get(shown["control_passes"], ", not measured")
            parts.append(f"control {_named(control)}: {value}{how}")
        return "; ".join(parts) or "none"

    @property
    def found(self) -> str:
        """Value and interval, in words."""
        shown = self.recorded or self.row
        return html.inline(shown["value"], shown["low"], shown["high"], str(shown["unit"]))


def tests_of(
    abstract: Abstract,
    talk: Talk,
    claims: Mapping[str, Claim],
    verdicts: Table,
    recorded: Recorded,
) -> list[tuple[abstract_file.Statement, list[Test]]]:
    """Every statement with its tests.

    Args:
        abstract: What the abstract states.
        talk: The talk, for titles of experiments.
        claims: Claim by id.
        verdicts: Rows of verdicts.csv; a claim without one is left out.
        recorded: The recorded run.
    """
    rows = {str(row["claim"]): row for row in verdicts.to_dict("records")}
    return [
        (
            statement,
            [
                Test(
                    claims[name],
                    talk.experiments[claims[name].where["experiment"]].title,
                    rows[name],
                    recorded.told(rows[name]),
                )
                for name in statement.claims
                if name in rows
            ],
        )
        for statement in abstract.statements
    ]


def section(talk: Talk, claims: Mapping[str, Claim], verdicts: Table, recorded: Recorded) -> Html:
    """The abstract of one talk as a table, for its page."""
    abstract = abstract_file.load(talk.folder, claims)
    statements = tests_of(abstract, talk, claims, verdicts, recorded)
    return Html(macros("abstracts").table(talk.name, abstract, statements))


def _named(place: Mapping[str, Any]) -> str:
    names = (place.get(key) for key in ("experiment", "variant", "perturbation", "engine"))
    return ", ".join(str(n).replace("_", " ") for n in names if n not in (None, "none"))
