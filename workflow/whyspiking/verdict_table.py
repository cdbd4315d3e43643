"""The verdict table: every registered claim, what was published, what came out here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from whyspiking import markup
from whyspiking.claims_file import Claim
from whyspiking.markup import Cell
from whyspiking.registry import Talk
from whyspiking.tables import Table

SIGNED_TESTS = ("difference",)
FILTERS = {"role": "Claims", "talk": "Talk", "verdict": "Verdict", "data": "Data"}
"""What rows can be filtered by, and the label of the choice."""


def verdict_table(
    verdicts: Table, claims: Mapping[str, Claim], talks: Mapping[str, Talk], *, many: bool
) -> str:
    """All verdicts, key claims first, none more prominent than another.

    Args:
        verdicts: Rows of verdicts.csv.
        claims: Claim by id, for the source of each.
        talks: Talk by name, for the papers.
        many: Whether there are several talks: then the table can be filtered.
    """
    heads = [
        "Verdict",
        "Claim",
        "Published",
        "Ours",
        "Accepted",
        "Seeds",
        "Data",
        "Negative control",
    ]
    rows, data = [], []
    order = verdicts.sort_values("role", kind="stable", key=lambda role: role != "key")
    for record in order.to_dict("records"):
        row = {str(key): value for key, value in record.items()}
        folder = f"{row['talk']}/" if many else ""
        rows.append(_verdict_row(row, claims[row["claim"]], talks[row["talk"]], folder))
        data.append(
            {
                "talk": row["talk"],
                "verdict": row["label"],
                "data": markup.DATA_WORDS.get(row["data"], str(row["data"])),
                "role": row["role"],
            }
        )
    controls = ""
    if many:
        controls = _controls("verdicts", data)
    caption = (
        "Every registered claim. The accepted band was fixed before the run; in brackets 95 % t "
        "intervals over seeds; the negative control must miss the band."
    )
    return controls + markup.table(
        heads,
        rows,
        name="verdicts",
        caption=caption,
        numbers=("Published", "Ours", "Accepted", "Seeds", "Negative control"),
        sortable=True,
        data=data,
        tall=many,
    )


def _verdict_row(row: Mapping[str, Any], claim: Claim, talk: Talk, folder: str) -> list[Cell]:
    unit = str(row["unit"])
    signed = claim.test in SIGNED_TESTS
    published = markup.value(row["published"], unit, signed=signed)
    if np.isnan(row["published"]):
        published = "<small>no number</small>"
    elif claim.published.spread is not None:
        published += f"<small>± {markup.bare(claim.published.spread, unit)} sd</small>"
    ours = markup.interval(row["value"], row["low"], row["high"], unit, signed=signed)
    if np.isfinite(row["value"]):
        # The number leads to the measurements that it was computed from.
        shown, small, rest = ours.partition("<small>")
        ours = f'<a href="{folder}metrics.csv">{shown}</a>{small}{rest}'
    accepted = markup.band(row["band_low"], row["band_high"], unit)
    if _words(row["why"]):
        accepted += f'<small class="wrap">{escape(_words(row["why"]))}</small>'
    return [
        _verdict(row),
        Cell(_claim(claim, talk, folder), claim.id, "claim"),
        Cell(published, markup.sort_key(row["published"]), "number"),
        Cell(ours, markup.sort_key(row["value"]), "number"),
        Cell(accepted, markup.sort_key(row["band_low"]), "number band"),
        markup.number(str(int(row["seeds"])), float(row["seeds"])),
        Cell(markup.data_word(str(row["data"])), str(row["data"])),
        _negative_control(row, claim, unit, signed),
    ]


def _verdict(row: Mapping[str, Any]) -> Cell:
    remarks = []
    if _words(row["exceeds"]) == "True":
        remarks.append("exceeds the published value: look for an easier setting")
    if _words(row["note"]):
        remarks.append(_words(row["note"]))
    chip = markup.chip(str(row["verdict"]), str(row["label"]))
    said = f"<small>{escape('; '.join(remarks))}</small>" if remarks else ""
    return Cell(chip.markup + said, chip.sort, "verdict")


def _claim(claim: Claim, talk: Talk, folder: str) -> str:
    paper = claim.source["paper"]
    source = talk.papers[paper]["cite"] if paper in talk.papers else paper
    role = "key claim · " if claim.role == "key" else ""
    name = f"<code>{escape(claim.id)}</code>"
    if folder:
        name = f'<a href="{folder}report.html">{name}</a>'
    return (
        f"{escape(claim.says)}<small>{role}{name} · "
        f"{escape(claim.metric.replace('_', ' '))} · {escape(_short_citation(source))}, "
        f"{escape(claim.source['where'])}</small>"
    )


def _negative_control(row: Mapping[str, Any], claim: Claim, unit: str, signed: bool) -> Cell:
    control = row["control_value"]
    if claim.negative_control is None:
        return Cell("<small>none</small>", "", "number")
    if np.isnan(control):
        return Cell("<small>not measured</small>", "", "number")
    outcome = "passes too" if _words(row["control_passes"]) == "True" else "misses, as it must"
    named = [claim.negative_control.get(key) for key in ("experiment", "variant", "perturbation")]
    name = ", ".join(str(part).replace("_", " ") for part in named if part not in (None, "none"))
    shown = markup.value(control, unit, signed=signed)
    return Cell(f'{shown}<small class="wrap">{escape(name)}: {outcome}</small>', control, "number")


def _words(value: Any) -> str:
    """Text of a cell; missing is empty."""
    shown = str(value)
    return "" if shown == "nan" else shown


def _short_citation(cite: str) -> str:
    """First author and year."""
    year = re.search(r"\b(?:19|20)\d\d\b", cite)
    author = re.split(r"[,.;(*]| and | et al", cite)[0].strip()
    return f"{author} {year.group(0)}" if year else author


def _controls(table: str, data: Sequence[Mapping[str, str]]) -> str:
    parts = [f'<div class="controls" data-table="table-{table}" hidden>']
    parts.append('<label>Contains <input type="search" size="16"></label>')
    for name in FILTERS:
        options = "".join(
            f'<option value="{escape(v, quote=True)}">{escape(v)}</option>'
            for v in dict.fromkeys(row[name] for row in data)
        )
        parts.append(
            f'<label>{FILTERS[name]} <select name="{name}"><option value="">all</option>'
            f"{options}</select></label>"
        )
    parts.append('<span role="status" class="soft"></span></div>')
    return "".join(parts)
