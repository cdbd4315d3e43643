"""What runs at the published sizes said beside the recorded run: docs/paper-scale.md.

`python -m whyspiking.report.readme` writes it from `results/reference`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from whyspiking.declared.registry import Talk
from whyspiking.records import columns, reference, tables
from whyspiking.records.tables import Table
from whyspiking.records.whole_files import read_json
from whyspiking.report import html
from whyspiking.report.abstracts import line
from whyspiking.verdicts import rule

DOCUMENT = Path("docs/paper-scale.md")
KEPT = reference.FOLDER / "paper"
HEAD = """# At the published sizes

Scale `paper` has the published sizes and numbers of networks, as far as the papers state them.
Here is what it said of the claims of the talks that were run at it, beside the run recorded in
`results/reference` (scale full). Each was run once, and no band was touched after it. What papers
do not state has no published size: there `paper` is as `full`.
Made by `python -m whyspiking.report.readme` from `results/reference/paper`.
"""

UNJUDGED = {
    rule.OUT_OF_SCOPE: "Out of scope, for want of a band at scale paper",
    rule.NOT_MEASURED: "Not measured, as files of the authors or of a data set were not at hand",
}
"""Verdicts that say nothing, and why they are given at scale paper."""


def kept(folder: Path = KEPT) -> dict[str, tuple[Table, Mapping[str, Any]]]:
    """Talk -> its verdicts at scale paper, and how they were made."""
    return {
        path.stem: (tables.read(path, columns.VERDICTS), read_json(path.with_suffix(".json")))
        for path in sorted(folder.glob("*.csv"))
    }


def document(
    talks: Sequence[Talk], full: Table, paper: Mapping[str, tuple[Table, Mapping[str, Any]]]
) -> str:
    """The text of docs/paper-scale.md.

    Args:
        talks: In the order of the page.
        full: Rows of the recorded verdicts.csv.
        paper: From `kept`.
    """
    before = {str(row["claim"]): row for row in full.to_dict("records")}
    parts = [HEAD]
    for talk in (talk for talk in talks if talk.name in paper):
        verdicts, made = paper[talk.name]
        rows = verdicts.to_dict("records")
        judged = [row for row in rows if row["verdict"] not in UNJUDGED]
        moved = sum(row["verdict"] != before[row["claim"]]["verdict"] for row in judged)
        lines = [
            f"## {talk.speaker}",
            "",
            f"{_cost(made)} {moved} of {len(judged)} verdicts differ (bold).",
            "",
            "| claim | scale full | networks | scale paper | networks | published |",
            "|---|---|---|---|---|---|",
        ]
        for row in judged:
            then, mark = before[row["claim"]], ""
            if row["verdict"] != then["verdict"]:
                mark = "**"
            claim = f"{'**key** ' * (row['role'] == 'key')}`{row['claim']}`"
            cells = [claim, _found(then), str(then["seeds"])]
            cells += [_found(row, mark), str(row["seeds"])]
            lines.append(line([*cells, html.value(row["published"], str(row["unit"]))]))
        for verdict, why in UNJUDGED.items():
            claims = [f"`{row['claim']}`" for row in rows if row["verdict"] == verdict]
            if claims:
                lines += ["", f"{why}: {', '.join(claims)}."]
        parts.append("\n".join(lines) + "\n")
    missing = [talk.speaker for talk in talks if talk.name not in paper]
    if missing:
        parts.append(f"Not run at it: {', '.join(missing)}.\n")
    return "\n".join(parts)


def _found(row: Mapping[Any, Any], mark: str = "") -> str:
    shown = html.inline(row["value"], row["low"], row["high"], str(row["unit"]))
    return f"{mark}{row['verdict']}{mark}, {shown}"


def _cost(made: Mapping[str, Any]) -> str:
    costs, unit = made["costs"], made["machine"]["unit"]
    whole, longest = (
        seconds / unit / 3600 for seconds in (costs["cpu_seconds"], made["longest_job_cpu_seconds"])
    )
    return (
        f"{costs['jobs']} jobs, {whole:.2f} core-hours of a machine of unit 1 "
        f"({costs['cpu_seconds']:.0f} CPU seconds at unit {unit:.2f}), the longest job "
        f"{longest:.2f}; commit {made['commit'][:7]}."
    )
