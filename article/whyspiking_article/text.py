"""The text of the article: a template of Markdown, filled from the record.

Only references bring numbers, names and verdicts in: a test finds any digit of the template that
does not come through one. Sentences that depend on an outcome are conditional on it there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

from whyspiking.declared.claim_parts import RELEASED
from whyspiking.declared.strict_yaml import read_yaml
from whyspiking.measures.accounting import MAIN
from whyspiking.records import labels, whole_files
from whyspiking.report import replications
from whyspiking.report.first_screen import COMPETITORS
from whyspiking.report.frontier_figure import ACCOUNT
from whyspiking.report.when import count_verdicts
from whyspiking.verdicts import rule
from whyspiking.verdicts.advantage import NOT_ASSESSED
from whyspiking.verdicts.frontiers import BEST_TRAINED
from whyspiking.verdicts.repetition import FILE as AGAIN
from whyspiking.verdicts.repetition import summarise_repetition
from whyspiking_article.record import Record, said, spelled
from whyspiking_maintain import readme

ASSETS = Path(__file__).with_name("assets")
TEMPLATE = "article.md.j2"
SIDES = ("spiking", "non-spiking")
BIBLIOGRAPHY = ASSETS / "bibliography.yaml"


def environment() -> jinja2.Environment:
    """Where the template lies and how it is written."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ASSETS),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,  # what references bring is escaped by them, for Markdown
        comment_start_string="{##",  # {#name} names a section in Markdown
        comment_end_string="##}",
    )
    made.filters |= {"spelled": spelled, "listed": join_names, "capitalised": _capitalised}
    return made


def filled(record: Record) -> str:
    """The article in pandoc's Markdown.

    Args:
        record: What its references resolve to.
    """
    comparisons = record.comparisons
    verdicts = record.run.verdicts
    names = {name: talk.surname for name, talk in record.talks.items()}
    larger = readme.at_published_size(record.folder)
    compared = replications.compare_sizes(verdicts, larger)
    former = replications.find_former_key_claims(verdicts)
    again = record.folder / AGAIN
    repeated = whole_files.read_json(again, "energies") if again.is_file() else {}
    repeated = summarise_repetition(repeated)
    shown = {
        **{name: getattr(record, name) for name in ("ref", "tally", "made", "stated")},
        "record": record,
        "said": said,
        "experiment": lambda talk, name: said(
            f"{record.talks[talk].surname}, {labels.experiment(talk, name)}", "talk.yaml: title"
        ),
        "rule": rule,
        "RELEASED": RELEASED,
        "main": MAIN,
        "account": ACCOUNT,
        "title": said(comparisons.title, "report.html: title, of advantage.csv"),
        "sentences": [
            said(x, "report.html: first screen")
            for x in (*comparisons.sentences, *comparisons.family_sentences)
        ],
        "competitors": {name: COMPETITORS.get(name, name) for name in comparisons.competitors},
        "energy_verdicts": {
            (task, name): said(count_verdicts(rows), f"advantage: {task}, {name}: verdict")
            for name in comparisons.competitors
            for task, rows in comparisons.verdicts(name).items()
        },
        "key_sentences": [
            said(x, "verdicts: rows of key claims")
            for x in replications.describe_key_claims(verdicts, names)
        ],
        "counted": [
            said(x, "verdicts: rows by role, origin and verdict, as in README.md")
            for x in (
                *replications.describe_claims(verdicts),
                replications.describe_known_results(verdicts),
            )
        ],
        "former": former.to_dict("records"),
        "changing": [
            row for row in record.rows("verdicts", claim_role="key") if row["verdict_changes_with"]
        ],
        "sizes": said(replications.describe_sizes(compared), "paper/: verdicts"),
        "larger": compared[compared["change"].isin(["stronger", "weaker"])].to_dict("records"),
        "keys": _keys(record),
        "tasks": _tasks(record),
        "missing": [
            row
            for rows in comparisons.verdicts(BEST_TRAINED).values()
            for row in rows
            if row["verdict"] == NOT_ASSESSED
        ],
        "looked": [row for row in record.rows("verdicts") if row["n_earlier_evaluations"] > 0],
        "accuracies": {
            task: [
                said(f"{x} %", f"frontiers: {task}, best {side}")
                for x, side in zip(both, SIDES, strict=True)
            ]
            for task, both in comparisons.accuracies.items()
        },
        "repeated": said(
            replications.describe_repetition(repeated, verdicts, names), f"{AGAIN}: counts"
        ),
        "turned": said("; ".join(repeated.get("changed", ())), f"{AGAIN}: changed"),
        "recalled": [r["id"] for r in references() if not r["looked-up"]],
    }
    return re.sub(r"\n{3,}", "\n\n", environment().get_template(TEMPLATE).render(shown))


def references() -> list[dict[str, Any]]:
    """The bibliography, CSL entries with `looked-up`: whether the DOI was seen at a source."""
    return read_yaml(BIBLIOGRAPHY)["references"]


def _keys(record: Record) -> list[dict[str, Any]]:
    """The key claims of the talks, with who spoke, in the order of the report."""
    rows = {row["talk"]: row for row in record.rows("verdicts", claim_role="key")}
    return [
        {
            **rows[name],
            "speaker": talk.surname,
            "numbered": np.isfinite(rows[name]["published_value"]),
            "reduced": rule.REDUCED in rows[name]["qualification"],
        }
        for name, talk in record.talks.items()
    ]


def _tasks(record: Record) -> dict[str, str]:
    """Shared task -> its short name, of those that are compared."""
    compared = {
        row["task"]
        for row in record.rows("advantage", subject="spikes", compared_with=BEST_TRAINED)
    }
    titles = record.comparisons.titles
    return {task: titles[task].split(":")[0].split()[0] for task in titles if task in compared}


def join_names(names: Iterable[str]) -> str:
    """Names in a list with "and"."""
    *first, last = [*names] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _capitalised(words: str) -> str:
    """Words with a capital first letter; a span's bracket stays before it."""
    return Markup(re.sub(r"^(\[?)(\w)", lambda found: found[1] + found[2].upper(), words))
