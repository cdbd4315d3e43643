"""The shared tasks: networks that were designed by hand for each, and baselines without memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from markupsafe import Markup

from whyspiking.declared import protocol_file
from whyspiking.declared.registry import PROTOCOL, Talk
from whyspiking.records import tables
from whyspiking.records.tables import Table
from whyspiking.report.html import macros
from whyspiking.tasks import generators
from whyspiking.verdicts import floors, points

TRIAL_TASK, TRIALS = "span_recall", 40
"""The task whose built network can be changed, and on how many trials."""

COUNTING = "counts_relu"
"""The baseline that receives how often each input fired."""
NO_COUNTING = (
    "Spike counts do not solve this task: 64 ReLU units that receive only the counts have an "
    "accuracy of {accuracy} % (chance level: {chance} %)."
)
SOME_COUNTING = (
    "Spike counts help on this task: 64 ReLU units that receive only the counts have an accuracy "
    "of {accuracy} % (chance level: {chance} %)."
)


def built(talk: Talk, metrics: Table) -> dict[str, Markup]:
    """Task -> a small table of its hand-designed networks, and which are not known.

    Args:
        talk: Where the protocol is.
        metrics: Its rows of the metrics table.
    """
    tables_by_task = {}
    for task, protocol in protocol_file.load(talk.folder / PROTOCOL).tasks.items():
        experiment = talk.experiments[task]
        params = experiment.published
        n_steps = round(params["trial_ms"] / params["dt_ms"])
        task_metrics = tables.where(metrics, experiment=task, perturbation="none", location="")
        networks = [
            (experiment.variants[name].description, network)
            for name, hand_designed in protocol.hand_designed.items()
            for network in points.built_by_hand(task_metrics, {name: hand_designed}, n_steps)
        ]
        tables_by_task[task] = macros("tasks").built(
            task, experiment.title, networks, protocol.no_network_known
        )
    return tables_by_task


def trial(talk: Talk) -> Markup:
    """The network of spikes built for span recall, to be changed, and trials that it answers.

    Args:
        talk: Where the protocol is.
    """
    params = talk.experiments[TRIAL_TASK].published
    generator = generators.load_module(TRIAL_TASK, "generator")
    rasters, classes = generator.draw_on_steps(np.random.default_rng(0), TRIALS, params["dt_ms"])
    # Eq. 1 of `tasks.gated_networks`, which touchable.js computes.
    network = generators.load_module(TRIAL_TASK, "hand_designed").spiking(None, None).arrays
    data: dict[str, Any] = {name: np.asarray(array).tolist() for name, array in network.items()}
    data |= {name: params[name] for name in ("dt_ms", "trial_ms", "last_ms")}
    settings = {name: getattr(generator.SETTINGS, name) for name in ("per_group", "marker")}
    # A spike is its step and its input in one number.
    spikes = [np.flatnonzero(is_spike).tolist() for is_spike in rasters]
    data |= {"spikes": spikes, "classes": classes.tolist(), **settings}
    return macros("tasks").trial(json.dumps(data), TRIALS, data["theta_gate"], len(network["gate"]))


def describe_counting(baselines: Table) -> dict[str, str]:
    """Task -> a sentence on how well a network does that receives only spike counts.

    Args:
        baselines: Rows of baselines.csv.
    """
    rows = tables.where(baselines, baseline=COUNTING).to_dict("records")
    return {
        row["task"]: (NO_COUNTING if row["outcome"] == "at chance" else SOME_COUNTING).format(
            accuracy=f"{100 * row['accuracy']:.0f}", chance=f"{100 * row['chance']:.0f}"
        )
        for row in rows
    }


def matrix(baselines: Table, titles: Mapping[str, str]) -> Markup:
    """Static readers and what they reach on every task; nothing where none was measured.

    Args:
        baselines: Rows of baselines.csv.
        titles: Task -> its question in few words, in order.
    """
    rows: dict[str, dict[str, Any]] = {}
    for row in baselines.to_dict("records"):
        rows.setdefault(row["baseline"], {})[row["task"]] = row
    names = {task: title.partition(":")[0] for task, title in titles.items()}
    measured_names = {task: name for task, name in names.items() if task in set(baselines["task"])}
    return macros("tasks").floors(rows, measured_names) if rows else Markup()


def section(talk: Talk, metrics: Table) -> Markup:
    """Show hand-designed networks and baselines, for the page that has the protocol."""
    titles = {name: experiment.title for name, experiment in talk.experiments.items()}
    tabled = Markup().join(built(talk, metrics).values())
    return tabled + matrix(floors.table(metrics), titles)
