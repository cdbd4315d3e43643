"""What the recorded run left open, and what would decide it: docs/open-questions.md.

`python -m whyspiking.report.readme` writes it from the recorded tables.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from whyspiking.declared import after_file
from whyspiking.declared.claims_file import Claim
from whyspiking.declared.registry import Talk
from whyspiking.declared.shared_tasks import shared_tasks
from whyspiking.records import labels, tables
from whyspiking.records.tables import Table
from whyspiking.report import html
from whyspiking.report.abstracts import line
from whyspiking.report.same_task_rows import Ground
from whyspiking.report.sentences import surname
from whyspiking.verdicts.common_ground import ABSENT, NO_CONTROL
from whyspiking.verdicts.programme import EQUAL
from whyspiking.verdicts.rule import INCONCLUSIVE, NOT_MEASURED

DOCUMENT = Path("docs/open-questions.md")
HEAD = """# Open questions

What the run recorded in `results/reference` (scale full) leaves undecided, and what would decide
it, for whoever looks for something to do. Made by `python -m whyspiking.report.readme` from
`programme.csv`, `shared.csv` and `verdicts.csv` there: run what is missing, record it, and a line
goes.
"""
UNDECIDED = """## Comparisons on the shared tasks

Undecided between a method and the network that is told as much, cheapest first. Seeds needed: those
with which a test decides with probability 0.8 that the two differ, or that they are equal within
delta, if mean and spread are as seen so far; with few seeds both are rough: a plan and no promise.
"""
UNMEASURED = """## Claims that were not measured

Each line is an experiment to run, where its data are at hand:
`snakemake results/full/<talk>/<experiment>/metrics.csv --configfile config/full.yaml`.
"""
AFTER = """## What came after the talks

Two lines a talk, in our words, from the abstracts of their sources (`talks/<talk>/after.yaml`):
what a replication of today would build on. Nothing of it is replicated here.
"""


def document(
    talks: Mapping[str, Talk], claims: Mapping[str, Claim], joint: Mapping[str, Table]
) -> str:
    """The text of docs/open-questions.md.

    Args:
        talks: Talk by name, in the order of the report.
        claims: Claim by id, of all talks.
        joint: The recorded tables `programme`, `shared` and `verdicts`.
    """
    ground = Ground(joint["shared"], talks)
    parts = [
        HEAD,
        UNDECIDED,
        *_programme(ground, joint["programme"]),
        "## Methods that no network without spikes is matched to\n",
        *_table(("task", "method"), _unmatched(ground)),
        "## Methods without a result on a shared task\n",
        *_table(("task", "who", "why"), _absent(ground)),
        "## Claims that stayed inconclusive\n",
        *_table(("claim", "states", "found", "seeds"), _inconclusive(joint["verdicts"])),
        UNMEASURED,
        *_table(("talk", "experiment", "claims"), _unmeasured(talks, claims, joint["verdicts"])),
        AFTER,
        *_table(("talk", "what came", "source"), _after(talks)),
    ]
    return "\n".join(parts)


def _programme(ground: Ground, programme: Table) -> list[str]:
    cells = {(cell.name, str(cell.at)): cell.title for cell in ground.cells}
    rows = []
    for row in programme.to_dict("records"):
        planned = math.isfinite(row["needed"])
        timed = planned and math.isfinite(row["cpu_minutes"])
        rows.append(
            (
                ground.label((row["talk"], row["variant"])),
                cells[row["task"], str(row["at"])],
                labels.variant(row["control"]),
                html.value(row["difference"], "fraction", signed=True),
                row["seeds"],
                "that they are equal" if row["asks"] == EQUAL else "that they differ",
                f"{row['needed']:.0f}" if planned else "over 1000",
                html.macros("first_screen").minutes(row["cpu_minutes"]) if timed else "–",
            )
        )
    head = ("method", "task", "held against", "difference so far", "seeds so far")
    return _table((*head, "would show", "seeds needed", "trainings missing"), iter(rows))


def _unmatched(ground: Ground) -> Iterator[tuple[Any, ...]]:
    for cell in ground.cells:
        for method, row in cell.methods.items():
            if row["verdict"] == NO_CONTROL:
                yield cell.title, ground.label(method)


def _absent(ground: Ground) -> Iterator[tuple[Any, ...]]:
    for name, task in shared_tasks().items():
        rows = tables.where(ground.shared, task=name, kind=ABSENT).to_dict("records")
        reasons = {row["why"]: None for row in rows}
        for why in reasons:
            who = [surname(ground.talks[row["talk"]]) for row in rows if row["why"] == why]
            yield task.title, ", ".join(dict.fromkeys(who)), why


def _inconclusive(verdicts: Table) -> Iterator[tuple[Any, ...]]:
    for row in tables.where(verdicts, verdict=INCONCLUSIVE).to_dict("records"):
        found = html.inline(row["value"], row["low"], row["high"], row["unit"])
        noted = f"; {row['note']}" if row["note"] else ""
        yield f"`{row['claim']}`", row["says"], f"{found}{noted}", row["seeds"]


def _unmeasured(
    talks: Mapping[str, Talk], claims: Mapping[str, Claim], verdicts: Table
) -> Iterator[tuple[Any, ...]]:
    rows = tables.where(verdicts, verdict=NOT_MEASURED).to_dict("records")

    def place(row: Mapping[Any, Any]) -> tuple[str, str]:
        return row["talk"], claims[row["claim"]].where["experiment"]

    for (talk, experiment), own in itertools.groupby(sorted(rows, key=place), key=place):
        title = talks[talk].experiments[experiment].title
        named = ", ".join(f"`{row['claim']}`" for row in own)
        yield surname(talks[talk]), f"{title} (`{experiment}`)", named


def _after(talks: Mapping[str, Talk]) -> Iterator[tuple[Any, ...]]:
    for talk in talks.values():
        for later in after_file.load(talk).came:
            source = f"{later['cite']} [doi:{later['doi']}](https://doi.org/{later['doi']})"
            yield surname(talk), later["says"], source


def _table(head: tuple[str, ...], rows: Iterator[tuple[Any, ...]]) -> list[str]:
    """A table, or the word none."""
    told = [line(map(str, row)) for row in rows]
    return ["\n".join([line(head), line(["---"] * len(head)), *told]) + "\n" if told else "None.\n"]
