"""Sections of the report, each made from the tables of a run: nothing here is typed by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from whyspiking.declared.claims_file import Claim
from whyspiking.declared.registry import Talk
from whyspiking.records import tables
from whyspiking.records.columns import RULE_STUDY
from whyspiking.records.tables import Table
from whyspiking.report.html import macros
from whyspiking.verdicts import recipe, rule
from whyspiking.verdicts.overview import MEASURES
from whyspiking.verdicts.recorded import Recorded
from whyspiking.verdicts.reproduction import CLOSE, IDENTICAL, NEW


def not_as_recorded(
    talks: Sequence[Talk], verdicts: Table, recorded: Recorded, scale: str
) -> tuple[Markup, Markup]:
    """What differs from the record: a warning if it is the recipe, else a sentence on the numbers.

    Args:
        talks: Those of the page.
        verdicts: Their rows of verdicts.csv.
        recorded: The record.
        scale: Of the run.

    Returns:
        The warning and the sentence, of which one is empty; both where all is as it was.
    """
    names = [talk.name for talk in talks]
    here = recorded.here[recorded.here["talk"].isin(names)]
    rows = verdicts.to_dict("records")
    stated = [(row, was) for row in rows if (was := recorded.with_other_band(row))]
    edits = [("config", change, {}) for change in recorded.changes.get("", ())]
    for talk in talks:
        run = set(here.loc[here["talk"] == talk.name, "experiment"])
        for change in recorded.changes.get(talk.name, ()):
            idle = recipe.without_effect(talk, change, scale, run) if change.edited else {}
            edits.append((f"talk.yaml of {talk.speaker}", change, idle))
    other = here[here["different"] > 0]
    numbers = {name: int(here[name].sum()) for name in ("compared", "different")}
    numbers["new"] = int((here["state"] == NEW).sum())
    where = list(dict.fromkeys(zip(other["talk"], other["experiment"], strict=True)))
    if edits or stated:
        keys = [edit for edit in edits if edit[1].edited]
        files = list(dict.fromkeys(change.key for _, change, _ in edits if not change.edited))
        told = macros("pages").recipe_changed(keys, files, stated, numbers, where, recorded.commit)
        return told, Markup()
    if here["state"].isin((IDENTICAL, CLOSE)).all():
        return Markup(), Markup()
    judged = [(row["verdict"], was["verdict"]) for row in rows if (was := recorded.before(row))]
    changed = {
        "others": sum(now != was for now, was in judged),
        "pass": sum(now in rule.PASSES and was in rule.FAILED for now, was in judged),
        "fail": sum(now in rule.FAILED and was in rule.PASSES for now, was in judged),
    }
    elsewhere = recorded.made_otherwise(names)
    told = macros("pages").numbers_differ(numbers, where, changed, elsewhere, recorded.commit)
    return Markup(), told


def deviations(talk: Talk, scale: str, recorded: Recorded) -> Markup:
    """Published value against value used, with the reason; experiments that agree share a row.

    A value that was changed since the record is none of its source: what was recorded is.
    """
    rows: dict[str, tuple[Any, ...]] = {}
    for experiment in talk.experiments.values():
        used, published = experiment.changes(scale), experiment.published
        before = {
            change.key: change.before
            for change in recorded.changes.get(talk.name, ())
            if experiment.name in change.places
            or (not change.places and published.get(change.key) == change.now)
        }
        for name in (n for n in published if n in used or n in before):
            source = before.get(name, published[name])
            value = used[name]["value"] if name in used else published[name]
            why = [used[name]["why"]] if name in used else []
            why += ["changed since the record"] if name in before else []
            if value != source:
                row = name, experiment.parameters[name], source, value, "; ".join(why)
                rows.setdefault(str(row), (*row, []))[-1].append(experiment.title)
    return macros("sections").deviations(list(rows.values()), scale)


def measures_table(measures: Table) -> Markup:
    """Use of spike times, time of decisions and robustness of every network that was measured.

    Args:
        measures: Rows of measures.csv.
    """
    place = ["talk", "experiment", "variant"]
    rows = [
        (*network, {metric: part.to_dict("records") for metric, part in own.groupby("metric")})
        for network, own in measures.groupby(place, sort=False)
    ]
    return macros("measures").measures_table(MEASURES, rows)


def short_table(
    verdicts: Table, talks: Mapping[str, Talk], recorded: Recorded, claims: Mapping[str, Claim]
) -> Markup:
    """Verdict, claim, published and found value of some claims, to be filtered."""
    rows = [
        (
            row,
            claims[row["claim"]],
            talks[row["talk"]],
            recorded.reproduced(row, claims[row["claim"]]),
            recorded.at_paper(row),
        )
        for row in sorted(verdicts.to_dict("records"), key=lambda row: row["role"] != "key")
        if row["verdict"] != rule.OUT_OF_SCOPE
    ]
    return macros("verdicts").short_table(rows)


def verdict_table(
    verdicts: Table, claims: Mapping[str, Claim], talk: Talk, recorded: Recorded
) -> Markup:
    """All verdicts on a talk, the key claim first; checks in their own table.

    What this scale does not judge comes last.

    Args:
        verdicts: Rows of verdicts.csv.
        claims: Claim by id, for the source of each.
        talk: For its papers.
        recorded: The record.
    """
    order = sorted(
        verdicts.to_dict("records"),
        key=lambda row: (row["verdict"] == rule.OUT_OF_SCOPE, row["role"] != "key"),
    )
    rows = [
        (
            row,
            claims[row["claim"]],
            *_source_and_control(claims[row["claim"]], talk),
            recorded.reproduced(row, claims[row["claim"]]),
            recorded.at_paper(row),
            recorded.with_other_band(row),
        )
        for row in order
    ]
    checks = [row for row in rows if row[1].origin == "check"]
    claimed = [row for row in rows if row[1].origin != "check"]
    judged = sum(row[0]["verdict"] != rule.OUT_OF_SCOPE for row in checks)
    return macros("verdicts").verdict_tables(claimed, checks, judged, recorded.commit)


def _source_and_control(claim: Claim, talk: Talk) -> tuple[str, str]:
    """Paper and negative control of a claim, in words."""
    paper, control = claim.source.paper, claim.negative_control or {}
    source = _short_citation(talk.papers[paper]["cite"] if paper in talk.papers else paper)
    named = (control.get(key) for key in ("experiment", "variant", "perturbation"))
    return source, ", ".join(str(part) for part in named if part not in (None, "none"))


def how_to_read() -> Markup:
    """What the verdicts mean, and how often the rule errs."""
    study = tables.read(rule.STUDY, RULE_STUDY)
    return macros("verdicts").how_to_read(rule.VERDICTS, rule.CONDITIONS, study.to_dict("records"))


def _short_citation(cite: str) -> str:
    """First author and year."""
    year = re.search(r"\b(?:19|20)\d\d\b", cite)
    author = re.split(r"[,.;(*]| and | et al", cite)[0].strip()
    return f"{author} {year.group(0)}" if year else author
