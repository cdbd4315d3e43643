"""Accuracy against energy of every network of a task, as data for `energy.js`.

A point is one architecture with one spike penalty, as its mean over data sets. A line is what a
family reaches with at most some energy: the mean over data sets of its frontiers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from whyspiking.declared import registry
from whyspiking.measures.accounting import MAIN
from whyspiking.records import columns, reference, tables
from whyspiking.records.tables import Table
from whyspiking.report import html
from whyspiking.report.first_screen import Comparisons, round_ratio
from whyspiking.report.frontier_figure import ACCOUNT
from whyspiking.verdicts.advantage import NOT_ASSESSED
from whyspiking.verdicts.frontiers import (
    BEST_TRAINED,
    BUILT,
    GRU,
    LEAKY_UNITS,
    LIF,
    RULE,
    TRAINED,
    Frontier,
)

FAMILIES = {LIF: "spiking (LIF)", LEAKY_UNITS: "leaky units", GRU: "GRU", "relu": "ReLU"}
"""Family of trained networks -> its label; the families that have a line."""
HAND_DESIGNED = {
    LIF: "hand-designed, spiking (LIF)",
    "leaky": "hand-designed, non-spiking leaky units",
    "relu": "hand-designed, ReLU",
}
"""Family of hand-designed networks -> its label."""
N_PLACES = 32
"""Energies at which a line is computed."""
COLUMNS = ["test_accuracy", *MAIN]


def explore(comparisons: Comparisons, folder: Path, base: str) -> Markup:
    """The figure for the page: data of all tasks, and controls that `energy.js` fills.

    Args:
        comparisons: All comparisons.
        folder: Of the reference results, whose index names the networks that are shipped.
        base: Where this folder lies, seen from the page.
    """
    index = folder / "networks.csv"
    shipped = reference.table(index, columns.NETWORKS) if index.is_file() else None
    tasks = [
        describe_task(comparisons, row["task"], shipped)
        for row in comparisons.rows(BEST_TRAINED, ACCOUNT).values()
    ]
    data = {"costs": MAIN, "main": ACCOUNT, "tasks": tasks}
    return html.macros("energy").explorer(json.dumps(data, separators=(",", ":")), tasks, base)


def describe_task(comparisons: Comparisons, task: str, shipped: Table | None) -> dict[str, Any]:
    """Points, lines, chance level and compared accuracies of one task, in percent and nJ.

    Args:
        comparisons: All comparisons.
        task: Identifier of the task.
        shipped: Rows of networks.csv, if there are any.
    """
    networks = tables.where(comparisons.networks, task=task)
    name, question = comparisons.titles[task].split(": ", 1)
    best = {cost: comparisons.by_place.get((BEST_TRAINED, cost, task), {}) for cost in MAIN}
    return {
        "name": name,
        "asks": question,
        "chance": round(100 * float(networks["chance"].iloc[0]), 1),
        "points": list(list_points(networks, task, shipped)),
        "lines": list(list_lines(networks)),
        "compared": {cost: describe_comparison(row) for cost, row in best.items() if row},
    }


def describe_comparison(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Accuracy and both energies of the comparison with the best network; None without verdict."""
    if row["verdict"] in (NOT_ASSESSED, "") or not np.isfinite(row["ratio"]):
        return None
    return {
        "accuracy": round(100 * row["accuracy"], 1),
        "spiking": _round(row["cost_spiking"] / 1e3),
        "other": _round(row["cost_other"] / 1e3),
        "ratio": round_ratio(row["ratio"]),
    }


def list_points(networks: Table, task: str, shipped: Table | None) -> Iterator[dict[str, Any]]:
    """One point per architecture and spike penalty; energies are None where there is no estimate.

    Args:
        networks: Rows of frontiers.csv of one task.
        task: Identifier of the task.
        shipped: Rows of networks.csv, if there are any.
    """
    group_columns = ["network_type", "family", "n_hidden", "spike_penalty"]
    for (kind, family, n_hidden, penalty), rows in networks.groupby(
        group_columns, sort=False, dropna=False
    ):
        means = rows[COLUMNS].mean()
        labels = {TRAINED: FAMILIES, BUILT: HAND_DESIGNED, RULE: {}}[kind]
        point = {
            "kind": kind,
            "family": family,
            "label": labels.get(family, family),
            "units": int(n_hidden),
            "n": int(rows["seed"].nunique()),
            "accuracy": round(100 * means["test_accuracy"], 1),
            "energy": [_round(means[cost] / 1e3) for cost in MAIN],
        }
        if penalty:
            point["penalty"] = penalty
        if shipped is not None and (file := find_file(shipped, task, kind, family)):
            point["file"] = file
        yield point


def find_file(shipped: Table, task: str, kind: str, family: str) -> str:
    """The network file of a talk's learning rule or of a hand-designed network; empty if none."""
    if kind == RULE:
        talks = [
            name for name in registry.available() if family == registry.load_talk(name).surname
        ]
        shipped_rows = tables.where(shipped, talk=talks, experiment=f"shared_{task}")
    elif kind == BUILT and family == LIF:
        shipped_rows = tables.where(shipped, experiment=task)
    else:
        return ""
    return str(shipped_rows["file"].iloc[0]) if len(shipped_rows) else ""


def list_lines(networks: Table) -> Iterator[dict[str, Any]]:
    """For each family and cost model: what it reaches with at most some energy.

    Args:
        networks: Rows of frontiers.csv of one task.

    Yields:
        `family`, `cost`, `ends` (nJ), and accuracies in percent at `N_PLACES` energies between the
        ends, equally spaced on a log scale: `mean`, and `low` and `high` over data sets.
    """
    trained = tables.where(networks, network_type=TRAINED)
    for family in FAMILIES:
        family_networks = tables.where(trained, family=family)
        for cost in MAIN if len(family_networks) else ():
            fronts = [
                Frontier.of(seed_networks, cost)
                for _, seed_networks in family_networks.groupby("seed")
            ]
            fronts = [front for front in fronts if len(front.cost) > 1]
            if not fronts:
                continue
            # The line begins where the smallest networks of the data sets lie on average.
            lowest_energy = np.exp(np.mean([np.log(front.cost[1]) for front in fronts]))
            highest_energy = 1.3 * max(front.cost[-1] for front in fronts)
            energies = np.geomspace(lowest_energy, highest_energy, N_PLACES)
            accuracies = 100 * np.array([front.at(energies) for front in fronts])
            yield {
                "family": family,
                "cost": cost,
                "ends": [_round(lowest_energy / 1e3), _round(highest_energy / 1e3)],
                "mean": accuracies.mean(0).round(1).tolist(),
                "low": accuracies.min(0).round(1).tolist(),
                "high": accuracies.max(0).round(1).tolist(),
            }


def _round(energy: float) -> float | None:
    """An energy with four digits; None where there is no estimate."""
    return float(f"{energy:.4g}") if np.isfinite(energy) else None
