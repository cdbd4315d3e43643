"""Sections of the report, each made from the tables of a run: nothing here is typed by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from whyspiking.declared.registry import Experiment, Talk
from whyspiking.records.tables import GLOSSARY, Table
from whyspiking.report.html import macros
from whyspiking.verdicts.answers import CLAIMS, Answer

PASSES = ("replicated", "replicated, within noise")
OF_SEVERAL_VARIANTS = ("energy_ratio", "robustness_advantage", "size_ratio", "speed_area_gain")
"""Metrics that are computed when a talk's tables are collected, not when it is simulated."""


def counts(verdicts: Table) -> Markup:
    """How many claims replicated, in a paragraph."""
    key = verdicts["role"] == "key"
    return macros("sections").counts(_counted(verdicts[key]), _counted(verdicts[~key]))


def _counted(verdicts: Table) -> dict[str, int]:
    """Number of claims, and of those with each verdict."""
    found = verdicts["verdict"].value_counts().to_dict()
    passed = sum(found.get(name, 0) for name in PASSES)
    failed, open_ = found.get("not replicated", 0), found.get("inconclusive", 0)
    rest = len(verdicts) - passed - failed - open_
    return {"all": len(verdicts), "passed": passed, "failed": failed, "open": open_, "rest": rest}


def key_claims(verdicts: Table, talks: Mapping[str, Talk]) -> Markup:
    """Every key claim in a sentence, to open on demand."""
    rows = verdicts[verdicts["role"] == "key"].to_dict("records")
    return macros("sections").key_claims(rows, talks)


def claims_of_axis(answer: Answer, verdicts: Table) -> Markup:
    """The talks' own claims that count for an axis, each with its verdict."""
    ids = [f.experiment for f in answer.findings if f.measure == CLAIMS]
    rows = verdicts[verdicts["claim"].isin(ids)].to_dict("records")
    return macros("sections").claims_of_axis(rows) if rows else Markup()


def contrasts_of_axis(axis: str, axes: Table, names: Mapping[str, str]) -> Markup:
    """Every contrast of an axis that has a null, to open on demand.

    Args:
        axis: Name of the axis.
        axes: Rows of axes.csv.
        names: Talk -> how the table calls it.
    """
    own = axes[(axes["axis"] == axis) & np.isfinite(axes["null"])]
    rows = []
    for row in own.to_dict("records"):
        folder = row["talk"]
        if row["metric"] not in OF_SEVERAL_VARIANTS:
            folder += f"/{row['experiment']}"
        rows.append((row, place(row, "experiment", "perturbation", "locus"), folder))
    return macros("sections").contrasts_of_axis(axis, rows, names) if rows else Markup()


def place(row: Mapping[str, Any], *names: str) -> str:
    """Some columns of a row in words, without those that say nothing."""
    parts = [str(row[name]).replace("_", " ") for name in names]
    return " · ".join(part for part in parts if part not in ("", "none"))


def deviations(talks: Sequence[Talk], scale: str) -> Markup:
    """Published value against value used, with the reason, generated from talk.yaml."""
    rows = [
        (talk.name, experiment, name, change)
        for talk in talks
        for experiment in talk.experiments.values()
        for name, change in experiment.scaled.get(scale, {}).items()
        if change["value"] != experiment.published[name]
    ]
    if not rows:
        return macros("macros").note("At this scale every parameter has its published value.")
    return macros("sections").deviations(rows, scale, sortable=len(talks) > 1)


def data_table(talks: Sequence[Talk]) -> Markup:
    """Which data each experiment runs on, and whether they stand in for others."""
    return macros("sections").data_table(talks)


def variants_table(experiments: Sequence[Experiment]) -> Markup:
    """What was trained."""
    return macros("sections").variants_table(experiments)


def glossary() -> Markup:
    """The closed list of metrics."""
    return macros("sections").glossary(GLOSSARY)


def provenance(manifest: Mapping[str, Any]) -> Markup:
    """How this run was made: code, configuration, machine, seconds, seeds, data."""
    return macros("sections").provenance(manifest)
