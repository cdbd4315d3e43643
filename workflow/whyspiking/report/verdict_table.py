"""The verdict table: every registered claim, what was published, what came out here."""

from __future__ import annotations

import re
from collections.abc import Mapping

from markupsafe import Markup

from whyspiking.declared.claims_file import Claim
from whyspiking.declared.registry import Talk
from whyspiking.records.tables import Table
from whyspiking.report.html import macros


def verdict_table(
    verdicts: Table, claims: Mapping[str, Claim], talks: Mapping[str, Talk], *, many: bool
) -> Markup:
    """All verdicts, key claims first, none more prominent than another.

    Args:
        verdicts: Rows of verdicts.csv.
        claims: Claim by id, for the source of each.
        talks: Talk by name, for the papers.
        many: Whether there are several talks: then the table can be filtered.
    """
    order = verdicts.sort_values("role", kind="stable", key=lambda role: role != "key")
    rows = []
    for row in order.to_dict("records"):
        claim, papers = claims[row["claim"]], talks[row["talk"]].papers
        paper = claim.source["paper"]
        source = _short_citation(papers[paper]["cite"] if paper in papers else paper)
        control = claim.negative_control or {}
        named = [control.get(key) for key in ("experiment", "variant", "perturbation")]
        name = ", ".join(str(part) for part in named if part not in (None, "none"))
        rows.append((row, claim, source, name))
    return macros("verdicts").verdict_table(rows, many)


def _short_citation(cite: str) -> str:
    """First author and year."""
    year = re.search(r"\b(?:19|20)\d\d\b", cite)
    author = re.split(r"[,.;(*]| and | et al", cite)[0].strip()
    return f"{author} {year.group(0)}" if year else author
