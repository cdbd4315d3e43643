"""The tasks of the ground: networks built by hand for each, and with how little each is done."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from whyspiking.declared import protocol_file
from whyspiking.declared.registry import PROTOCOL, Talk
from whyspiking.records import tables
from whyspiking.records.tables import Table
from whyspiking.report.html import macros
from whyspiking.verdicts import floors, points


def built(talk: Talk, metrics: Table) -> dict[str, Markup]:
    """Task -> a small table of the networks built for it, and what nobody has built.

    Args:
        talk: Where the protocol is.
        metrics: Its rows of the metrics table.
    """
    found = {}
    for task, said in protocol_file.load(talk.folder / PROTOCOL).tasks.items():
        experiment = talk.experiments[task]
        params = experiment.published
        steps = round(params["trial_ms"] / params["dt_ms"])
        here = tables.where(metrics, experiment=task, perturbation="none", locus="")
        networks = [
            (experiment.variants[name].says, network)
            for name, one in said.built.items()
            for network in points.built_by_hand(here, {name: one}, steps)
        ]
        found[task] = macros("tasks").built(task, experiment.title, networks, said.unknown)
    return found


def matrix(told: Table, titles: Mapping[str, str]) -> Markup:
    """Static readers and what they reach on every task; nothing where none was measured.

    Args:
        told: Rows of floors.csv.
        titles: Task -> its question in few words, in order.
    """
    rows: dict[str, dict[str, Mapping[str, object]]] = {}
    for row in told.to_dict("records"):
        rows.setdefault(row["floor"], {})[row["task"]] = row
    names = {task: title.partition(":")[0] for task, title in titles.items()}
    shown = {task: name for task, name in names.items() if task in set(told["task"])}
    return macros("tasks").floors(rows, shown) if rows else Markup()


def section(talk: Talk, metrics: Table) -> Markup:
    """Both, for the page of the talk where the protocol is."""
    titles = {name: experiment.title for name, experiment in talk.experiments.items()}
    tabled = Markup().join(built(talk, metrics).values())
    return tabled + matrix(floors.table(metrics), titles)
