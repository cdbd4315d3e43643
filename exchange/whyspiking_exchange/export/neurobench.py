"""What this project measures, under the names of NeuroBench.

NeuroBench (Yik et al. 2025, Nature Communications 16:1545) defines metrics of solutions. Where a
definition is ours too, only the name is another one; `NAMES` says which, and `DIFFERENCES` where
the definitions or the package (neurobench 2.3) differ. `exchange/tests/export/test_neurobench.py`
compares the numbers on one network.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from whyspiking.records import finished, tables

NAMES = {
    "accuracy": "ClassificationAccuracy",
    "footprint": "Footprint",
    "connection_sparsity": "ConnectionSparsity",
    "activation_sparsity": "ActivationSparsity",
    "syn_events": "SynapticOperations.Effective_ACs",
    "macs_effective": "SynapticOperations.Effective_MACs",
    "macs_dense": "SynapticOperations.Dense",
}
"""Our metric -> that of NeuroBench."""
DIFFERENCES = {
    "Footprint": "Ours counts weights and what a neuron has of its own at 32 bits; the package "
    "counts whatever parameters and buffers a model of torch happens to have.",
    "ActivationSparsity": "Ours counts the hidden populations; the package also the outputs, if "
    "they are an activation layer.",
    "ConnectionSparsity": "The package rounds to four decimals and counts biases of recurrent "
    "layers as connections.",
    "SynapticOperations.Effective_ACs": "Equal for spikes. The package decides for a whole tensor: "
    "one analogue value in a batch and step makes all its operations MACs; and -1 is binary too.",
    "SynapticOperations.Effective_MACs": "See Effective_ACs.",
    "SynapticOperations.Dense": "Ours is measured of controls; of a spiking network it would be "
    "the number of weights times the number of steps.",
}


def results(folder: Path) -> dict[str, Any]:
    """Clean runs of all networks of a run, mean over seeds.

    Args:
        folder: `results/<scale>`, or the folder of a talk in it.

    Raises:
        UserError: If it holds no finished metrics.

    Returns:
        "talk.experiment.variant" -> name of NeuroBench -> value; and `differences`.
    """
    table = finished.find(folder).metrics
    chosen = tables.where(table, perturbation="none", metric=list(NAMES))
    by_network: dict[str, dict[str, float]] = {}
    # Decisions of spiking networks are measured in two engines: Brian2's count.
    chosen = chosen.assign(last=chosen["engine"].eq("brian2")).sort_values("last", kind="stable")
    keys = ["talk", "experiment", "variant", "engine", "metric"]
    for (talk, experiment, variant, _, metric), part in chosen.groupby(keys, sort=False):
        place = by_network.setdefault(f"{talk}.{experiment}.{variant}", {})
        place[NAMES[str(metric)]] = float(part["value"].mean())
    return {"differences": DIFFERENCES, "networks": by_network}


def write(folder: Path) -> Path:
    """Write `<folder>/neurobench.json`; returns its path."""
    path = folder / "neurobench.json"
    text = json.dumps(results(folder), indent=1, sort_keys=True) + "\n"
    path.write_text(text, encoding="utf-8")
    return path
