"""Write the numbers of the reference results into README.md and docs/verdicts.md.

Run `python -m whyspiking.recording readme` (`make record` does) after new reference results. README
decides which claims its table shows: a row is found by the claim id in its first cell, and its
other cells are written from verdicts.csv. Texts and tables between `<!-- begin NAME -->` and
`<!-- end NAME -->` are written whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from whyspiking.declared import registry
from whyspiking.declared.claim_parts import NO_NUMBER, RELEASED
from whyspiking.declared.claims_file import Claim, load
from whyspiking.errors import UserError
from whyspiking.records import columns, finished, labels, reference, tables, whole_files
from whyspiking.records.tables import Table
from whyspiking.report import first_screen, html, replications, when
from whyspiking.verdicts import published_size, repetition, rule
from whyspiking.verdicts.sample import EVERY

README, DETAILS = Path("README.md"), Path("docs/verdicts.md")
HEAD = (
    "| claim | published | criterion | this repository, mean [95 % CI] | networks | verdict "
    "| evidence | criterion written |\n|---|---|---|---|---|---|---|---|\n"
)
DETAIL_MARKS = ("sizes table",)
"""Marks that stand in docs/verdicts.md; all others stand in README.md."""
ROW = re.compile(r"^\| (?P<what>[^|]*\(`(?P<claim>[a-z0-9_.]+)`\)) \|.*\|$", re.MULTILINE)
EVIDENCE_WORDS = {
    NO_NUMBER: "no published number",
    RELEASED: "released network or output, scored by us",
}
"""Value of column `evidence` -> the words of README, if they differ."""
CHANGES_HEAD = "| key claim | measured in another way | result | verdict |\n|---|---|---|---|\n"
SIZES_HEAD = "| claim | reference results | published-size run |\n|---|---|---|\n"


def rewrite(readme: str, verdicts: Table, claims: Mapping[str, Claim], larger_runs: Table) -> str:
    """Return the text of README.md with the numbers of the reference results.

    Args:
        readme: The present text.
        verdicts: Rows of verdicts.csv.
        claims: Claim by id, for the spread of published values.
        larger_runs: Rows of verdicts.csv of published-size runs.

    Raises:
        UserError: If a text or table is missing, or a row names an unknown claim.
    """
    for name, text in write_blocks(verdicts, larger_runs).items():
        if name not in DETAIL_MARKS:
            readme = replace_block(readme, name, text)
    size_comparison = replications.compare_sizes(verdicts, larger_runs)
    return rewrite_rows(readme, verdicts, claims, add_published_size(size_comparison))


def rewrite_details(details: str, verdicts: Table, larger_runs: Table) -> str:
    """Return the text of docs/verdicts.md with the numbers of the reference results.

    Args:
        details: The present text.
        verdicts: Rows of verdicts.csv.
        larger_runs: Rows of verdicts.csv of published-size runs.

    Raises:
        UserError: If a text or table is missing.
    """
    for name, text in write_blocks(verdicts, larger_runs).items():
        if name in DETAIL_MARKS:
            details = replace_block(details, name, text)
    return details


def write_blocks(verdicts: Table, larger_runs: Table) -> dict[str, str]:
    """Write the texts and tables that stand between marks: name of the mark -> text.

    Args:
        verdicts: Rows of verdicts.csv.
        larger_runs: Rows of verdicts.csv of published-size runs.
    """
    surnames = {talk: registry.load_talk(talk).surname for talk in verdicts["talk"].unique()}
    size_comparison = replications.compare_sizes(verdicts, larger_runs)
    repetition_path = reference.FOLDER / repetition.FILE
    energies = (
        whole_files.read_json(repetition_path, "energies") if repetition_path.is_file() else {}
    )
    summary = repetition.summarise_repetition(energies)
    return {
        "key claims": " ".join(replications.describe_key_claims(verdicts, surnames)),
        "changes": list_changes(verdicts, surnames),
        "counts": " ".join(replications.describe_claims(verdicts)),
        "known": replications.describe_known_results(verdicts),
        "retired": replications.describe_retired(
            reference.table(reference.FOLDER / "retired.csv", columns.RETIRED)
        ),
        "sizes": replications.describe_sizes(size_comparison),
        "sizes table": list_sizes(size_comparison),
        "repetition": replications.describe_repetition(summary, verdicts, surnames),
        "energy": "\n".join(f"- {x}" for x in _describe_energy()),
        "energy table": tabulate_energy(),
    }


def replace_block(readme: str, name: str, text: str) -> str:
    """Return README with another text between the marks of a name.

    Raises:
        UserError: If the marks are not there exactly once.
    """
    begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
    if readme.count(begin) != 1 or readme.count(end) != 1:
        raise UserError(
            f"{README}: the marks '{begin.strip()}' and '{end}' must each occur exactly once, "
            "because a text is written between them. Add the missing mark or remove the surplus "
            "one"
        )
    head, _, remainder = readme.partition(begin)
    tail = remainder.partition(end)[2]
    return f"{head}{begin}{text.strip()}\n{end}{tail}"


def rewrite_rows(
    readme: str, verdicts: Table, claims: Mapping[str, Claim], larger_verdicts: Mapping[str, str]
) -> str:
    """Return README with new cells in all rows that name a claim; arguments as for `write_cells`.

    Raises:
        UserError: If there is no table of claims, or a row names an unknown claim.
    """
    if HEAD not in readme:
        raise UserError(f"{README}: there is no table with the head '{HEAD}'; expected one; add it")
    rows = {str(row["claim"]): row for row in labels.in_points(verdicts).to_dict("records")}

    def write_row(match: re.Match[str]) -> str:
        claim_id = match["claim"]
        if claim_id not in rows or claim_id not in claims:
            raise UserError(
                f"{README}: a row names '{claim_id}', which is not a claim in {reference.FOLDER}; "
                "expected the id of a claim. Correct it, or remove the row"
            )
        cells = write_cells(rows[claim_id], claims[claim_id], larger_verdicts)
        return f"| {match['what']} | {' | '.join(cells)} |"

    return ROW.sub(write_row, readme)


def write_cells(
    row: Mapping[Any, Any], claim: Claim, larger_verdicts: Mapping[str, str]
) -> list[str]:
    """Write the cells of a claim: published value, criterion, our value, and what they rest on.

    Args:
        row: The row of verdicts.csv.
        claim: The claim.
        larger_verdicts: Claim -> verdict of the published-size run.
    """
    unit, is_signed = str(row["unit"]), claim.test_type == "difference"
    published = html.value(row["published_value"], unit, signed=is_signed)
    if claim.source.standard_deviation is not None and not np.isnan(row["published_value"]):
        published += f" ± {html.bare(claim.source.standard_deviation, unit)} (standard deviation)"
    measured = html.inline(row["value"], row["ci_low"], row["ci_high"], unit, signed=is_signed)
    if unit == labels.POINTS:  # one decimal would hide on which side of a criterion an end lies
        value, *limits = (f"{100 * row[name]:.2f}" for name in ("value", "ci_low", "ci_high"))
        measured = f"{value} points [{', '.join(limits)}]".replace("-", html.MINUS)
    if row["interval_type"] == EVERY:
        measured += " (mean, lowest and highest network)"
    elif np.isnan(row["ci_low"]) and not np.isnan(row["value"]):
        measured += " (no interval)"
    criterion = html.band(row["criterion_low"], row["criterion_high"], unit).replace(" … ", " to ")
    criterion = f"every network: {criterion}" if claim.test_type == "every" else criterion
    cells = map(_strip_markup, (published, criterion, measured))
    networks, evidence = f"{row['n_seeds']:.0f}", write_evidence(row, claim, larger_verdicts)
    written = "before any result" if row["known_before"] == False else "after a result was known"  # noqa: E712
    return [*cells, networks, row["verdict"], evidence, written]


def write_evidence(row: Mapping[Any, Any], claim: Claim, larger_verdicts: Mapping[str, str]) -> str:
    """Write what a result is compared with, and what qualifies its verdict.

    Args:
        row: The row of verdicts.csv.
        claim: The claim.
        larger_verdicts: Claim -> verdict of the published-size run.
    """
    evidence = str(row["evidence"])
    phrases = [EVIDENCE_WORDS.get(evidence, evidence)]
    phrases += [x for x in str(row["qualification"]).split("; ") if "from memory" not in x]
    if (
        claim.test_type == "share"
    ):  # the number of networks of a kind, which is not one of successes
        phrases = [x for x in phrases if not re.fullmatch(r"\d+ of \d+ networks", x)]
    if row["data_source"] in rule.SURROGATE_DATA and "surrogate data" not in phrases:
        phrases.append("surrogate data")
    phrases.append(larger_verdicts.get(str(row["claim"]), ""))
    phrases.append("**changes if measured in another way**" * bool(row["verdict_changes_with"]))
    return "; ".join(filter(None, phrases))


def add_published_size(size_comparison: Table) -> dict[str, str]:
    """Return claim -> verdict of the published-size run, if it trained other networks."""
    has_verdict = size_comparison["has_criterion"] & (
        size_comparison["change"] != "identical networks"
    )
    return {
        row["claim"]: f"published-size run: {row['verdict_published']} ({row['n_seeds']:.0f} "
        "networks)"
        for row in size_comparison[has_verdict].to_dict("records")
    }


def _strip_markup(markup: str) -> str:
    """Return the markup of a page as text for a table of Markdown."""
    text = re.sub(r"<small>|</small>", " ", str(markup))
    return " ".join(re.sub(r"<[^>]+>", "", text).split()).replace("|", "/")


def list_changes(verdicts: Table, surnames: Mapping[str, str]) -> str:
    """Write a table of the key verdicts that change with the way of measuring."""
    lines = []
    for row in verdicts[verdicts["claim_role"] == "key"].to_dict("records"):
        for change in filter(None, str(row["verdict_changes_with"]).split("; ")):
            way_measured, _, result = change.partition(": ")
            value, _, verdict = result.rpartition(", ")
            lines.append(f"| {surnames[row['talk']]} | {way_measured} | {value} | {verdict} |\n")
    return CHANGES_HEAD + "".join(lines)


def list_sizes(size_comparison: Table) -> str:
    """Write a table of the claims that have another verdict at the published size."""
    lines = []
    for row in size_comparison.to_dict("records"):
        if row["change"] in ("stronger", "weaker"):
            value = _strip_markup(
                html.inline(row["value"], row["ci_low"], row["ci_high"], row["unit"])
            )
            note = "" if row["has_criterion"] else " by the criterion of the reduced run"
            result = f"{row['verdict_published']}{note}: {value}, {row['n_seeds']:.0f} networks"
            line = f"| `{row['claim']}` | {row['verdict']} | {result} |\n"
            lines.append((row["change"] != "weaker", line))
    return SIZES_HEAD + "".join(line for _, line in sorted(lines, key=lambda entry: entry[0]))


def _describe_energy() -> list[str]:
    comparisons = first_screen.recorded(reference.FOLDER)
    return (
        [
            f"{comparisons.title}.",
            *comparisons.sentences,
            *comparisons.family_sentences,
        ]
        if comparisons
        else []
    )


def tabulate_energy() -> str:
    """Write the table on when to use spikes."""
    head = f"| {' | '.join(when.HEADS)} |\n{'|---' * len(when.HEADS)}|\n"
    return head + when.markdown(first_screen.recorded(reference.FOLDER))


def at_published_size(folder: Path) -> Table:
    """Return the rows of verdicts.csv of all talks that have a published-size run.

    Args:
        folder: Of the reference results.
    """
    verdict_files = published_size.list_files(folder, reference.SCALE)
    talk_verdicts = (tables.read(path, columns.VERDICTS, other=True) for path in verdict_files)
    return pd.concat([columns.VERDICTS.table([]), *talk_verdicts], ignore_index=True)


def write() -> None:
    """Write the numbers of the reference results into README.md and docs/verdicts.md."""
    talks = [registry.load_talk(name) for name in registry.available()]
    claims = {c.id: c for talk in talks for c in load(talk.folder / "claims.yaml", talk)}
    verdicts = finished.find(reference.FOLDER).verdicts
    larger_runs = at_published_size(reference.FOLDER)
    text = README.read_text(encoding="utf-8")
    README.write_text(rewrite(text, verdicts, claims, larger_runs), encoding="utf-8")
    text = DETAILS.read_text(encoding="utf-8")
    DETAILS.write_text(rewrite_details(text, verdicts, larger_runs), encoding="utf-8")
