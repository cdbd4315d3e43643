"""README's results: which claims its table shows stands there, numbers and counts come from a run.

Run `python -m whyspiking.recording readme` (`make record` does) after a new record. A row is
found by the claim id that its first cell names; its other cells are written from the verdict table.
The rows on when to use spikes are those of the page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from whyspiking.declared import registry
from whyspiking.declared.claims_file import REPLICABLE, Claim, load
from whyspiking.errors import UserError
from whyspiking.records import columns, finished, labels, reference, tables
from whyspiking.report import first_screen, html, when
from whyspiking.verdicts import recorded, rule
from whyspiking.verdicts.sample import EVERY

README = Path("README.md")
HEAD = "| what | published | ours, 95 % interval | verdict | again |"
COUNTED = re.compile(r"^\*\*Counted\*\* of the eight talks: .*$", re.MULTILINE)
REDUCED = "at reduced scale"
UNJUDGED = {rule.OUT_OF_SCOPE: "not judged"}
ROW = re.compile(r"^\| (?P<what>[^|]*\(`(?P<claim>[a-z0-9_.]+)`\)) \|.*\|$")


def refreshed(
    readme: str,
    verdicts: pd.DataFrame,
    claims: Mapping[str, Claim],
    larger: Mapping[str, tuple[str, int]],
) -> str:
    """The text of README.md with the numbers of a verdict table.

    Args:
        readme: The present text; it must hold the table's head once.
        verdicts: Rows of verdicts.csv.
        claims: Claim by id, for the spread of published values.
        larger: Claim -> its verdict at the published sizes and of how many networks, where run.

    Raises:
        UserError: If the table or the line of counts is missing, or a row names an unknown claim.
    """
    if readme.count(HEAD) != 1:
        raise UserError(
            f"{README}: holds the line '{HEAD}' {readme.count(HEAD)} times; expected one"
        )
    if len(COUNTED.findall(readme)) != 1:
        raise UserError(
            f"{README}: expected a line that begins '**Counted** of the eight talks: '; add it"
        )
    readme = COUNTED.sub(counted(verdicts), readme)
    written = labels.in_points(verdicts).to_dict("records")
    records = {str(record["claim"]): record for record in written}
    before, after = readme.split(HEAD)
    lines = after.split("\n")
    end = next(k for k, line in enumerate(lines) if k and not line.startswith("|"))
    rows = lines[2:end]
    for index, line in enumerate(rows):
        row = ROW.match(line)
        name = row["claim"] if row else ""
        if row is None or name not in records or name not in claims:
            raise UserError(
                f"{README}: the row '{line}' names no claim of {reference.FOLDER}; correct the "
                "claim id in its first cell, or take the row out"
            )
        verdict, networks = larger.get(name, ("", 0))
        too = networks if verdict == records[name]["verdict"] else 0
        rows[index] = f"| {row['what']} | {_cells(records[name], claims[name], too=too)} |"
    return before + HEAD + "\n".join([*lines[:2], *rows, *lines[end:]])


def advised(readme: str, rows: str) -> str:
    """The text of README.md with the rows of its table on when to use spikes.

    Args:
        readme: The present text; it must hold the table's head once.
        rows: Lines of the table, each with its newline.

    Raises:
        UserError: If the table is missing.
    """
    head = f"| {' | '.join(when.HEADS)} |\n{'|---' * len(when.HEADS)}|\n"
    if readme.count(head) != 1:
        raise UserError(f"{README}: holds the table that begins with '{head}' not once; add it")
    before, after = readme.split(head)
    return before + head + rows + re.sub(r"\A(\|.*\n)*", "", after)


def counted(verdicts: pd.DataFrame) -> str:
    """How many claims of papers and talks replicated; extensions and checks apart."""
    key, whose = verdicts["role"] == "key", verdicts["origin"]
    others = whose.isin(REPLICABLE)
    parts = {
        "key claims": key,
        "other claims of papers and abstracts": others & ~key,
        "claims of ours": (whose == "ours") & ~key,
        "checks": whose == "check",
    }
    sentences = []
    for name, part in parts.items():
        counts = verdicts.loc[part, "verdict"].value_counts()
        shown = [word for word in html.VERDICT_LOOK if word in counts]
        words = ", ".join(html.tally(int(counts[x]), UNJUDGED.get(x, x)) for x in shown)
        sentences.append(f"of {int(part.sum())} {name} {words}")
    known = verdicts["known"] == True  # noqa: E712
    passed = int((known & verdicts["verdict"].isin(rule.PASSES)).sum())
    return (
        f"**Counted** of the eight talks: {'; '.join(sentences)}. Of {int(known.sum())} of them a "
        f"number was on record when the band was written; {passed} of these pass."
    )


def at_published_sizes(folder: Path) -> dict[str, tuple[str, int]]:
    """Claim -> its verdict at the published sizes, of how many networks; of talks recorded so.

    Args:
        folder: Of the record.
    """
    kept = (tables.read(x, columns.VERDICTS) for x in (folder / recorded.PAPER).glob("*.csv"))
    rows = tables.stacked([columns.VERDICTS.table([]), *kept])
    return {row["claim"]: (row["verdict"], row["seeds"]) for row in rows.to_dict("records")}


def _cells(row: Mapping[Any, Any], claim: Claim, *, too: int) -> str:
    """What stands behind a claim; `too`: of so many networks the published sizes say the same."""
    unit, signed = str(row["unit"]), claim.test == "difference"
    published = html.value(row["published"], unit, signed=signed)
    if claim.source.spread is not None and not np.isnan(row["published"]):
        published += f" ± {html.bare(claim.source.spread, unit)}"
    published += ", recalled" if row["recalled"] else ""
    ours = html.value(row["value"], unit, signed=signed)
    if np.isfinite(row["low"]) and np.isfinite(row["high"]):
        named = ", lowest and highest" * (row["over"] == EVERY)
        ours += f" [{html.bare(row['low'], unit)}, {html.bare(row['high'], unit)}{named}]"
    elif not np.isnan(row["value"]):
        ours += " (no interval)"
    if row["data"] in ("synthetic", "simulated"):
        ours += f", {row['data']} data"
    again = "–" if np.isnan(row["returns"]) else f"{100 * row['returns']:.0f} %"
    larger = f", and at the published size ({too:.0f} networks)" if too else ""
    label = row["label"].replace(REDUCED, REDUCED + larger)
    return f"{published} | {ours} | {label} | {again}"


def write() -> None:
    """Write the numbers of the recorded verdicts into README.md."""
    talks = [registry.load_talk(name) for name in registry.available()]
    claims = {c.id: c for talk in talks for c in load(talk.folder / "claims.yaml", talk)}
    verdicts = finished.find(reference.FOLDER).verdicts
    larger = at_published_sizes(reference.FOLDER)
    text = refreshed(README.read_text(encoding="utf-8"), verdicts, claims, larger)
    answered = first_screen.recorded(reference.FOLDER)
    README.write_text(advised(text, when.markdown(answered)), encoding="utf-8")
