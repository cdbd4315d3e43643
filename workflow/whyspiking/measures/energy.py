"""What spikes and multiply-accumulates cost under several cost models (E1).

A cost model is an entry of the config's `energy.models`, which is checked before any job and says
what its keys mean (`declared/config_file.py`); no constant is written here. Counts are means per
trial by the names of their metrics (`counting` says what is counted): a number each, or a column
each; energies are then columns as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

type Model = Mapping[str, Any]


@dataclass(frozen=True)
class Prices:
    """Energies of one cost model in pJ, worked out from the constants."""

    mac: float
    accumulate: float
    weight: float
    membrane: float
    accumulator: float
    update: float
    route: float


def prices(model: Model, config: Mapping[str, Any]) -> Prices:
    """Energy of each operation under a cost model, in pJ.

    Args:
        model: The cost model.
        config: The config's `energy` block: `operations_pj`, `memory_pj_64bit`.
    """
    operations, memory = config["operations_pj"], config["memory_pj_64bit"]

    def access(level: str | None, bits: int) -> float:
        return 0.0 if level is None else float(memory[level]) * bits / 64

    mult, add = float(operations[model["mult"]]), float(operations[model["add"]])
    membrane = model["kappa"] * 2 * access(model["membrane_memory"], model["membrane_bits"])
    return Prices(
        mac=mult + add,
        accumulate=add,
        weight=access(model["weight_memory"], model["weight_bits"]),
        membrane=membrane,
        accumulator=access(model["membrane_memory"], model["accumulator_bits"]),
        update=mult + add + membrane,
        route=float(model["route_pj"]),
    )


def spiking_energy(counts: Any, model: Model, price: Prices) -> Any:
    """Energy of one trial of a spiking network in pJ.

    E = syn_events (E_AC + E_mem(w) + kappa 2 E_mem(v)) + updates E_upd + spikes E_route, plus the
    multiply-accumulates of analogue inputs at the control's price without weight reuse. Every
    state variable beyond the membrane is updated with its neuron, at the same price.
    """
    updates = {
        "clock": counts["neuron_updates"] + counts["state_updates"],
        "event": counts["neuron_updates_event"] + counts["state_updates_event"],
        "none": 0.0,
    }[model["updates"]]
    return (
        counts["syn_events"] * (price.accumulate + price.weight + price.membrane)
        + counts["macs_effective"] * (price.mac + price.weight)
        + updates * price.update
        + counts["spikes"] * price.route
    )


def control_energy(counts: Any, model: Model, price: Prices) -> Any:
    """Energy of one trial of a control in pJ: macs (E_MAC + E_mem(w)/B) + outputs E_mem(acc).

    Outputs are those of neurons, `neuron_updates`.
    """
    macs = counts["macs_effective" if model["control"] == "sparse" else "macs_dense"]
    mac = price.mac + price.weight / model["reuse"]
    return macs * mac + counts["neuron_updates"] * price.accumulator


def ratio(spiking: Any, control: Any, model: Model, config: Mapping[str, Any]) -> Any:
    """R = E_ctrl / E_spike; above 1 the spiking network needs less."""
    price = prices(model, config)
    return control_energy(control, model, price) / spiking_energy(spiking, model, price)


def sensitivity(
    spiking: Any, control: Any, config: Mapping[str, Any]
) -> Iterator[tuple[str, str, Any]]:
    """Tornado: R with one assumption of the base model changed at a time.

    Args:
        spiking: Counts of the spiking network.
        control: Counts of the control.
        config: The `energy` block; `sensitivity` names the base model and the changes.

    Yields:
        (factor, setting, R) in the order of the config.
    """
    models = {model["id"]: model for model in config["models"]}
    base = models[config["sensitivity"]["base"]]
    for change in config["sensitivity"]["changes"]:
        for setting in change["settings"]:
            changed = {**base, **setting["set"]}
            yield change["factor"], setting["label"], ratio(spiking, control, changed, config)
