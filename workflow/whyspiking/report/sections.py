"""Sections of the report, each made from the tables of a run: nothing here is typed by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from whyspiking.declared.claims_file import REPLICABLE, Claim
from whyspiking.declared.registry import Talk
from whyspiking.records import labels, tables
from whyspiking.records.columns import RULE_STUDY
from whyspiking.records.tables import Table
from whyspiking.report.html import VERDICT_LOOK, macros
from whyspiking.report.recorded import Recorded
from whyspiking.verdicts import rule
from whyspiking.verdicts.answers import CLAIMS, Answer

MEASURES = (
    ("T1", "timing index: score above chance lost when spike times are redrawn", "one"),
    ("T2", "timing information: gain of a fresh decoder of times over one of counts", "one"),
    ("T3", "jitter that costs half of the score above chance", "one"),
    ("T4", "score above chance lost when trials are turned round in time", "one"),
    ("T5", "score above chance lost when trains move as a whole, sd τ", "one"),
    ("L2", "time to 95 % of the final score above chance", "one"),
    ("L3", "speed-accuracy area; 1: all is known at once", "one"),
    (
        "L4",
        "speed-accuracy area minus that of the control, asked at every time on the input so far",
        "each",
    ),
    ("E1", "energy of the control over that of the spiking network, range over cost models", "E1"),
    ("s", "synaptic events per synapse and trial, beside the break-even densities s*", "s"),
    ("E2", "information about the target, bits per spike up to the decision", "one"),
    ("R1", "robustness area, from the most to the least harmful perturbation", "range"),
    ("R3", "robustness area minus that of the control, range over perturbations", "range"),
    ("G1", "parameters of the control over those of the spiking network at equal score", "each"),
    ("M3", "cosine of the rule's update with the gradient, less that with permuted labels", "each"),
    ("Q1", "score in Brian2 minus score in the engine of training", "one"),
)
"""Heading of a measure, meaning, and which macro writes the cell."""
OF_SEVERAL_VARIANTS = ("energy_ratio", "robustness_advantage", "size_ratio", "speed_area_gain")
"""Metrics that are computed when a talk's tables are collected, not when it is simulated."""


def counts(verdicts: Table) -> Markup:
    """How many claims of papers and talks replicated, and how many checks hold, in a paragraph."""
    judged = verdicts["verdict"] != rule.OUT_OF_SCOPE
    key, whose = verdicts["role"] == "key", verdicts["origin"]
    others = whose.isin(REPLICABLE)
    parts = [key, others & ~key, whose == "ours", whose == "check"]
    elsewhere = [
        (label, len(rows), int((rows["role"] == "key").sum()))
        for label, rows in verdicts[~judged].groupby("label")
    ]
    counted = [_counted(verdicts[part & judged]) for part in parts]
    return macros("sections").counts(counted, elsewhere)


def key_line(verdicts: Table, talks: Mapping[str, Talk], recorded: Recorded) -> Markup:
    """How many key claims replicated, and which do otherwise at the published sizes, in a line."""
    judged = verdicts[(verdicts["verdict"] != rule.OUT_OF_SCOPE) & (verdicts["role"] == "key")]
    larger = [recorded.otherwise(row) for row in judged.to_dict("records")]
    return macros("sections").key_line(_counted(judged), list(filter(None, larger)), talks)


def _counted(verdicts: Table) -> dict[str, int]:
    """Number of claims by verdict, in the order of the chips; those that do not occur left out."""
    found = verdicts["verdict"].value_counts().to_dict()
    return {word: found[word] for word in VERDICT_LOOK if word in found}


def key_claims(verdicts: Table, talks: Mapping[str, Talk], recorded: Recorded) -> Markup:
    """Every key claim in a sentence, to open on demand."""
    rows = verdicts[verdicts["role"] == "key"].to_dict("records")
    told = [(row, recorded.told(row), recorded.otherwise(row)) for row in rows]
    return macros("sections").key_claims(told, talks)


def claims_of_axis(answer: Answer, verdicts: Table) -> Markup:
    """The talks' own claims that count for an axis, each with its verdict."""
    ids = [f.experiment for f in answer.findings if f.measure == CLAIMS]
    rows = verdicts[verdicts["claim"].isin(ids)].to_dict("records")
    return macros("sections").claims_of_axis(rows) if rows else Markup()


def contrasts_of_axis(axis: str, axes: Table, names: Mapping[str, str]) -> Markup:
    """Every contrast of an axis that has a null, to open on demand."""
    own = axes[(axes["axis"] == axis) & np.isfinite(axes["null"])]
    rows = []
    for row in own.to_dict("records"):
        folder = row["talk"]
        if row["metric"] not in OF_SEVERAL_VARIANTS:
            folder += f"/{row['experiment']}"
        where = (str(row[name]) for name in ("talk", "experiment", "perturbation", "locus"))
        rows.append((row, labels.contrast(*where), folder))
    return macros("sections").contrasts_of_axis(axis, rows, names) if rows else Markup()


def deviations(talks: Sequence[Talk], scale: str) -> Markup:
    """Published value against value used, with the reason, generated from talk.yaml."""
    rows = [
        (talk.name, experiment, name, change)
        for talk in talks
        for experiment in talk.experiments.values()
        for name, change in experiment.changes(scale).items()
        if change["value"] != experiment.published[name]
    ]
    if not rows:
        return macros("macros").note("At this scale every parameter has its published value.")
    return macros("sections").deviations(rows, scale, sortable=len(talks) > 1)


def measures_table(measures: Table) -> Markup:
    """T, L, E, R, G, M and Q of every experiment, or the reason why not."""
    rows, reasons = [], {}
    by_place: dict[tuple[str, str], dict[str, list[dict[str, Any]]]] = {}
    for row in measures.to_dict("records"):
        own = by_place.setdefault((row["talk"], row["experiment"]), {})
        own.setdefault(row["measure"], []).append(row)
    for place, points in by_place.items():
        rows.append((*place, points))
        for head, _, _ in MEASURES:
            why = points[head][0]["why"]
            if why:
                reasons.setdefault(why, chr(ord("a") + len(reasons)))
    return macros("measures").measures_table(MEASURES, rows, reasons)


def verdict_table(
    verdicts: Table,
    claims: Mapping[str, Claim],
    talks: Mapping[str, Talk],
    recorded: Recorded,
    *,
    many: bool,
) -> Markup:
    """All verdicts, none more prominent than another; checks in their own table.

    Of one talk: in one table, key claim first. Of several: the key claims, then the others folded
    by talk. What this scale does not judge comes last, with what was recorded of it.

    Args:
        verdicts: Rows of verdicts.csv.
        claims: Claim by id, for the source of each.
        talks: Talk by name, for the papers.
        recorded: The recorded run.
        many: Whether there are several talks: then the tables can be filtered.
    """
    order = sorted(
        verdicts.to_dict("records"),
        key=lambda row: (row["verdict"] == rule.OUT_OF_SCOPE, row["role"] != "key"),
    )
    rows = []
    for row in order:
        claim, papers = claims[row["claim"]], talks[row["talk"]].papers
        paper = claim.source["paper"]
        source = _short_citation(papers[paper]["cite"] if paper in papers else paper)
        control = claim.negative_control or {}
        named = [control.get(key) for key in ("experiment", "variant", "perturbation")]
        name = ", ".join(str(part) for part in named if part not in (None, "none"))
        beside = recorded.told(row), recorded.otherwise(row)
        rows.append((row, claim, source, name, *beside))
    checks = [row for row in rows if row[1].origin == "check"]
    claimed = [row for row in rows if row[1].origin != "check"]
    judged = sum(row[0]["verdict"] != rule.OUT_OF_SCOPE for row in checks)
    if not many:
        return macros("verdicts").verdict_tables(claimed, checks, judged, recorded.commit)
    key = [row for row in claimed if row[1].role == "key"]
    folded = []
    for name, talk in talks.items():
        own = [row for row in claimed if row[0]["talk"] == name and row[1].role != "key"]
        whole = verdicts[verdicts["claim"].isin([row[0]["claim"] for row in own])]
        folded.append((talk, _counted(whole), own))
    return macros("verdicts").folded_tables(key, folded, checks, judged, recorded.commit)


def how_to_read() -> Markup:
    """What the verdicts mean, and how often the rule errs."""
    study = tables.read(rule.STUDY, RULE_STUDY)
    return macros("verdicts").how_to_read(rule.VERDICTS, study.to_dict("records"))


def _short_citation(cite: str) -> str:
    """First author and year."""
    year = re.search(r"\b(?:19|20)\d\d\b", cite)
    author = re.split(r"[,.;(*]| and | et al", cite)[0].strip()
    return f"{author} {year.group(0)}" if year else author
