"""What is measured of a network in the engine of its training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from whyspiking.contract import network_files, places
from whyspiking.contract.types import Condition, ExperimentParameters
from whyspiking.measures import parts, scoring
from whyspiking.records import tables

if TYPE_CHECKING:
    from whyspiking.declared.registry import Talk


def rows(talk: Talk, folder: Path, scale: str) -> list[dict[str, Any]]:
    """Rows of the metrics table of one network in the engine of its training.

    Args:
        talk: Its talk.
        folder: With its network.json and outcome.npz.
        scale: Of the run.
    """
    network = network_files.load_network(folder)
    if "unavailable" in network.info:
        return []
    name, variant, seed = folder.parts[-3:]
    talk.experiments[name]
    params = ExperimentParameters(talk.name, name, scale, {}, int(seed.removeprefix("seed-")))
    shared = places.common(params, variant, params.seed, network.info["engine"])
    found: list[dict[str, Any]] = []
    for split, outcome in network_files.load_outcomes(folder / "outcome.npz").items():
        values = scoring.measures(outcome)
        if split == "fresh":
            values = {f"{k}_fresh": v for k, v in values.items() if k == "accuracy"}
        else:
            found += parts.rows(shared, outcome)
        found += tables.rows(shared, values, scoring.n_trials(outcome))
    stated = dict(network.info.get("measures", {}))
    costs = ("train_seconds", "train_cpu_seconds", "epochs", "epoch_seconds")
    stated |= {key: network.info[key] for key in costs if key in network.info}
    found += tables.rows(shared, stated, 1)
    for perturbation, strength, values, trials in network.info.get("measured_at", ()):
        there = places.at(shared, Condition(perturbation, strength=strength))
        found += tables.rows(there, values, trials)
    # As if read from a table, like the rows of simulations: what is computed from both is the same
    # whichever stage measured it.
    return [{**row, "value": float(tables.NUMBER % row["value"])} for row in found]
