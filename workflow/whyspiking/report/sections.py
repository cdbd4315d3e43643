"""Sections of the report, each made from the tables of a run: nothing here is typed by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from whyspiking.declared.claims_file import Claim
from whyspiking.declared.registry import Talk
from whyspiking.records import labels, tables
from whyspiking.records.tables import Table
from whyspiking.records.verdict_columns import RULE_STUDY
from whyspiking.report.html import macros
from whyspiking.verdicts import differing_inputs, rule
from whyspiking.verdicts.comparison import NEW, SAME, ReferenceResults
from whyspiking.verdicts.overview import MEASURES


def not_as_recorded(
    talks: Sequence[Talk], verdicts: Table, recorded: ReferenceResults
) -> tuple[Markup, Markup]:
    """What differs from the record: a warning if it is the recipe, else a sentence on the numbers.

    Args:
        talks: Those of the page.
        verdicts: Their rows of verdicts.csv.
        recorded: The record.

    Returns:
        The warning and the sentence, of which one is empty; both where all is as it was.
    """
    names = [talk.name for talk in talks]
    networks = recorded.networks[recorded.networks["talk"].isin(names)]
    rows = verdicts.to_dict("records")
    criteria = [
        (row, criterion) for row in rows if (criterion := recorded.find_other_criterion(row))
    ]
    changes = [("config", change) for change in recorded.changes.get("", ())]
    for talk in talks:
        source = f"talk.yaml of {talk.speaker}"
        changes += [(source, change) for change in recorded.changes.get(talk.name, ())]
    differing = networks[networks["n_different"] > 0]
    numbers = networks[["n_equal", "n_rounding", "n_different"]].sum().to_dict()
    numbers["n_new"] = (networks["outcome"] == NEW).sum()
    surnames = {talk.name: talk.surname for talk in talks}
    differing_experiments = dict.fromkeys(
        zip(differing["talk"], differing["experiment"], strict=True)
    )
    experiment_labels = [
        (surnames[talk], labels.experiment(talk, name)) for talk, name in differing_experiments
    ]
    templates = macros("pages")
    # A changed recipe is reported as a warning, in place of the sentence on numbers.
    if changes or criteria:
        keys = [entry for entry in changes if entry[1].is_parameter]
        files = list(dict.fromkeys(c.key for _, c in changes if not c.is_parameter))
        warning = templates.recipe_changed(
            keys, files, criteria, numbers, experiment_labels, recorded.commit
        )
        return warning, Markup()
    if networks["outcome"].isin(SAME).all():
        return Markup(), Markup()
    recorded_verdicts = {claim: row["verdict"] for claim, row in recorded.verdicts.items()}
    n_changed = sum(
        recorded_verdicts.get(row["claim"], row["verdict"]) != row["verdict"] for row in rows
    )
    manifests = [recorded.manifests[name] for name in names if name in recorded.manifests]
    stamps = [
        stamp for name in names for stamp in differing_inputs.read_stamps(recorded.run / name)
    ]
    versions = differing_inputs.find_other_versions(manifests, stamps)
    sentence = templates.numbers_differ(
        numbers, experiment_labels, n_changed, versions, recorded.commit
    )
    return Markup(), sentence


def deviations(talk: Talk, scale: str, recorded: ReferenceResults) -> Markup:
    """Published value against value used, with the reason; experiments that agree share a row.

    If a value was changed since the record, the recorded value stands for the published one.
    """
    rows: dict[str, tuple[Any, ...]] = {}
    for experiment in talk.experiments.values():
        used, published = experiment.changes(scale), experiment.published
        recorded_values = {
            change.key: change.before
            for change in recorded.changes.get(talk.name, ())
            if experiment.name in change.places
            or (not change.places and published.get(change.key) == change.now)
        }
        for name in (n for n in published if n in used or n in recorded_values):
            source = recorded_values.get(name, published[name])
            value = used[name]["value"] if name in used else published[name]
            reasons = [used[name]["reason"]] if name in used else []
            reasons += ["changed since the record"] if name in recorded_values else []
            if value != source:
                row = name, experiment.parameters[name], source, value, "; ".join(reasons)
                rows.setdefault(str(row), (*row, []))[-1].append(experiment.title)
    return macros("sections").deviations(list(rows.values()), scale)


def measures_table(measures: Table) -> Markup:
    """Use of spike times, time of decisions and robustness of every network that was measured.

    Args:
        measures: Rows of measures.csv.
    """
    network_columns = ["talk", "experiment", "variant"]
    rows = [
        (
            *network,
            {
                metric: metric_rows.to_dict("records")
                for metric, metric_rows in network_measures.groupby("metric")
            },
        )
        for network, network_measures in measures.groupby(network_columns, sort=False)
    ]
    return macros("measures").measures_table(MEASURES, rows)


def short_table(
    verdicts: Table,
    talks: Mapping[str, Talk],
    recorded: ReferenceResults,
    claims: Mapping[str, Claim],
) -> Markup:
    """Verdict, claim, published and found value of some claims, to be filtered."""
    rows = [
        (
            row,
            claims[row["claim"]],
            talks[row["talk"]],
            recorded.compare_claim(row, claims[row["claim"]]),
            recorded.find_published_size(row),
        )
        for row in sorted(verdicts.to_dict("records"), key=lambda row: row["claim_role"] != "key")
        if row["verdict"] != rule.NOT_JUDGED
    ]
    return macros("verdicts").short_table(rows)


def verdict_table(
    verdicts: Table, claims: Mapping[str, Claim], talk: Talk, recorded: ReferenceResults
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
        key=lambda row: (row["verdict"] == rule.NOT_JUDGED, row["claim_role"] != "key"),
    )
    rows = [
        (
            row,
            claims[row["claim"]],
            *_name_source_and_control(claims[row["claim"]], talk),
            recorded.compare_claim(row, claims[row["claim"]]),
            recorded.find_published_size(row),
            recorded.find_other_criterion(row),
        )
        for row in order
    ]
    checks = [row for row in rows if row[1].origin == "check"]
    claimed = [row for row in rows if row[1].origin != "check"]
    n_judged = sum(row[0]["verdict"] != rule.NOT_JUDGED for row in checks)
    return macros("verdicts").verdict_tables(claimed, checks, n_judged, recorded.commit)


def _name_source_and_control(claim: Claim, talk: Talk) -> tuple[str, str]:
    """Name the paper and the negative control of a claim."""
    paper, control = claim.source.publication, claim.negative_control or {}
    source = _short_citation(
        talk.publications[paper]["citation"] if paper in talk.publications else paper
    )
    control_names = (control.get(key) for key in ("experiment", "variant", "perturbation"))
    return source, ", ".join(str(name) for name in control_names if name not in (None, "none"))


def how_to_read() -> Markup:
    """What the verdicts mean, and how often the rule errs."""
    study = tables.read(rule.STUDY, RULE_STUDY)
    return macros("verdicts").how_to_read(rule.VERDICTS, rule.CONDITIONS, study.to_dict("records"))


def _short_citation(citation: str) -> str:
    """First author and year."""
    year = re.search(r"\b(?:19|20)\d\d\b", citation)
    author = re.split(r"[,.;(*]| and | et al", citation)[0].strip()
    return f"{author} {year.group(0)}" if year else author
