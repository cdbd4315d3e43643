"""The tasks of the ground, one by one: what decides each, and with how little it is done."""

from __future__ import annotations

from markupsafe import Markup

from whyspiking.declared import protocol_file
from whyspiking.declared.registry import PROTOCOL, Talk
from whyspiking.records import tables
from whyspiking.records.tables import Table
from whyspiking.report.html import macros
from whyspiking.verdicts import floors, points


def section(talk: Talk, metrics: Table) -> Markup:
    """Question, what static readers tell, and networks built by hand, of every task.

    Args:
        talk: Where the protocol is.
        metrics: Its rows of the metrics table.
    """
    said, told, found = protocol_file.load(talk.folder / PROTOCOL), floors.table(metrics), []
    for task, described in said.tasks.items():
        own = tables.where(told, task=task)
        if own.empty:
            continue
        experiment = talk.experiments[task]
        params = experiment.published
        steps = round(params["trial_ms"] / params["dt_ms"])
        here = tables.where(metrics, experiment=task, perturbation="none", locus="")
        built = [
            (experiment.variants[name].says, network)
            for name, one in described.built.items()
            for network in points.built_by_hand(here, {name: one}, steps)
        ]
        sentence, rows = floors.sentence(own), own.to_dict("records")
        found.append((task, experiment.title, described, sentence, built, rows))
    return macros("tasks").tasks(found)
