"""The text of the article: a template of Markdown, filled from the record.

Only references bring numbers, names and verdicts in: a test finds any digit of the template that
does not come through one. Sentences that depend on an outcome are conditional on it there.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

from whyspiking.declared.strict_yaml import read_yaml
from whyspiking.measures.accounting import MAIN
from whyspiking.records import labels, reference, whole_files
from whyspiking.report.first_screen import ASKS, listed
from whyspiking.report.frontier_figure import ACCOUNT
from whyspiking.verdicts import rule
from whyspiking.verdicts.advantage import WITHHELD
from whyspiking.verdicts.frontiers import TRAINED
from whyspiking.verdicts.recorded import AGAIN
from whyspiking_article.record import Record, said, spelled
from whyspiking_maintain import readme

ASSETS = Path(__file__).with_name("assets")
TEMPLATE = "article.md.j2"
SIDES = ("trained with spikes", "trained without")
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
    made.filters |= {"spelled": spelled, "listed": listed, "capitalised": _capitalised}
    return made


def filled(record: Record) -> str:
    """The article in pandoc's Markdown.

    Args:
        record: What its references resolve to.
    """
    page = record.answered
    counted = readme.counted(record.run.verdicts).removeprefix("**Counted** ")
    shown = {
        **{name: getattr(record, name) for name in ("ref", "tally", "made", "stated")},
        "record": record,
        "pending": reference.pending(record.folder),
        "said": said,
        "experiment": lambda talk, name: said(
            f"{record.talks[talk].surname}, {labels.experiment(talk, name)}", "talk.yaml: title"
        ),
        "rule": rule,
        "main": MAIN,
        "account": ACCOUNT,
        "page": page,
        "opponents": {name: ASKS.get(name, name).split(":")[0] for name in page.over},
        "counted": said(counted, "verdicts: rows by role, origin and verdict, as in README.md"),
        "keys": _keys(record),
        "tasks": _tasks(record),
        "silent": [r for r in page.rows(TRAINED, ACCOUNT).values() if r["word"] == WITHHELD],
        "looked": [row for row in record.rows("verdicts") if row["looks"] > 0],
        "rights": {
            task: [
                said(f"{x} %", f"frontiers: {task}, best {way}")
                for x, way in zip(own, SIDES, strict=True)
            ]
            for task, own in page.rights.items()
        },
        "again": _again(record),
        "recalled": [r["id"] for r in references() if not r["looked-up"]],
    }
    return re.sub(r"\n{3,}", "\n\n", environment().get_template(TEMPLATE).render(shown))


def references() -> list[dict[str, Any]]:
    """The bibliography, CSL entries with `looked-up`: whether the DOI was seen at a source."""
    return read_yaml(BIBLIOGRAPHY)["references"]


def _keys(record: Record) -> list[dict[str, Any]]:
    """The key claims of the talks, with who spoke, in the order of the report."""
    rows = {row["talk"]: row for row in record.rows("verdicts", role="key")}
    return [
        {
            **rows[name],
            "who": talk.surname,
            "numbered": np.isfinite(rows[name]["published"]),
            "reduced": "reduced scale" in rows[name]["label"],
        }
        for name, talk in record.talks.items()
    ]


def _tasks(record: Record) -> dict[str, str]:
    """Shared task -> its short name, of those that are compared."""
    compared = {row["task"] for row in record.rows("advantage", who="spikes", beside=TRAINED)}
    titles = record.answered.titles
    return {task: titles[task].split(":")[0].split()[0] for task in titles if task in compared}


def _again(record: Record) -> dict[str, str]:
    """What came out otherwise where a part of the record was made again; empty if none was."""
    if not (record.folder / AGAIN).is_file():
        return {}
    found = whole_files.read_json(record.folder / AGAIN, "energies")
    verdicts, energies = found["verdicts"], found["energies"]
    told = {
        "experiments": spelled(len(found["experiments"])),
        "since": spelled(sum(len(run["experiments"]) for run in found.get("since", ()))),
        "vectors": found["arithmetic"]["vectors"],
        "claims": spelled(verdicts["claims"]),
        "touched": spelled(verdicts["touched"]),
        "verdicts": spelled(len(verdicts["changed"])) if verdicts["changed"] else "none",
        "energies": spelled(len(energies["compared"])),
        "words": spelled(len(energies["changed"])) if energies["changed"] else "none",
        "turned": "; ".join(verdicts["changed"] + energies["changed"]),
    }
    return {key: said(value, f"{AGAIN}: {key}") for key, value in told.items()}


def _capitalised(words: str) -> str:
    """Words with a capital first letter; a span's bracket stays before it."""
    return Markup(re.sub(r"^(\[?)(\w)", lambda found: found[1] + found[2].upper(), words))
