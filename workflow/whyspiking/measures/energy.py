"""What spikes and multiply-accumulates cost under several cost models (E1).

A cost model is a set of constants from the config; none is written here. `counting` says what is
counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal


@dataclass(frozen=True)
class CostModel:
    """What one operation costs, and what is counted.

    Attributes:
        id: Name, as in the `perturbation` column of energy rows.
        says: One line for the report.
        mult: Key of the multiplication in `operations_pj`.
        add: Key of the addition.
        weight_memory: Key of the memory that holds the weights in `memory_pj_64bit`; None: free.
        weight_bits: Word length of a weight.
        membrane_memory: Memory of membranes, accumulators and activations; None: free.
        membrane_bits: Word length of a membrane variable.
        accumulator_bits: Word length of an output of the control.
        kappa: 1 if the membrane is read and written in memory at each event, 0 if it stays in
            registers.
        reuse: B, how often a weight of the control is used once fetched (batch).
        updates: How neuron updates are counted: at every step, at events, or not at all.
        route_pj: Energy in pJ to send one spike.
        control: Whether the control skips its zeros.
    """

    id: str
    says: str
    mult: str
    add: str
    weight_memory: str | None
    weight_bits: int
    membrane_memory: str | None
    membrane_bits: int
    accumulator_bits: int
    kappa: float
    reuse: float
    updates: Literal["clock", "event", "none"]
    route_pj: float
    control: Literal["sparse", "dense"]


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


@dataclass(frozen=True)
class SpikingCounts:
    """Mean operations per trial of a spiking network.

    `macs` are those of analogue inputs; `state_updates` those of all state variables beyond the
    membrane (adaptation, synaptic current, dendrite), at every step and at events.
    """

    spikes: float
    syn_events: float
    neuron_updates: float
    neuron_updates_event: float
    macs: float = 0.0
    state_updates: float = 0.0
    state_updates_event: float = 0.0


@dataclass(frozen=True)
class ControlCounts:
    """Mean operations per trial of a control; `outputs` are neuron outputs."""

    macs_effective: float
    macs_dense: float
    outputs: float


def cost_models(config: Mapping[str, Any]) -> list[CostModel]:
    """The cost models of the config's `energy` block, which is checked before any job."""
    return [CostModel(**entry) for entry in config["models"]]


def prices(model: CostModel, config: Mapping[str, Any]) -> Prices:
    """Energy of each operation under a cost model, in pJ.

    Args:
        model: The cost model.
        config: The config's `energy` block: `operations_pj`, `memory_pj_64bit`.
    """
    operations, memory = config["operations_pj"], config["memory_pj_64bit"]

    def access(level: str | None, bits: int) -> float:
        return 0.0 if level is None else float(memory[level]) * bits / 64

    mult, add = float(operations[model.mult]), float(operations[model.add])
    membrane = model.kappa * 2 * access(model.membrane_memory, model.membrane_bits)
    return Prices(
        mac=mult + add,
        accumulate=add,
        weight=access(model.weight_memory, model.weight_bits),
        membrane=membrane,
        accumulator=access(model.membrane_memory, model.accumulator_bits),
        update=mult + add + membrane,
        route=float(model.route_pj),
    )


def spiking_energy(counts: SpikingCounts, model: CostModel, price: Prices) -> float:
    """Energy of one trial of a spiking network in pJ.

    E = syn_events (E_AC + E_mem(w) + kappa 2 E_mem(v)) + updates E_upd + spikes E_route, plus the
    multiply-accumulates of analogue inputs at the control's price without weight reuse. Every
    state variable beyond the membrane is updated with its neuron, at the same price.
    """
    updates = {
        "clock": counts.neuron_updates + counts.state_updates,
        "event": counts.neuron_updates_event + counts.state_updates_event,
        "none": 0.0,
    }[model.updates]
    return (
        counts.syn_events * (price.accumulate + price.weight + price.membrane)
        + counts.macs * (price.mac + price.weight)
        + updates * price.update
        + counts.spikes * price.route
    )


def control_energy(counts: ControlCounts, model: CostModel, price: Prices) -> float:
    """Energy of one trial of a control in pJ: macs (E_MAC + E_mem(w)/B) + outputs E_mem(acc)."""
    mac = price.mac + price.weight / model.reuse
    return _macs(counts, model) * mac + counts.outputs * price.accumulator


def _macs(counts: ControlCounts, model: CostModel) -> float:
    return counts.macs_effective if model.control == "sparse" else counts.macs_dense


def ratio(
    spiking: SpikingCounts, control: ControlCounts, model: CostModel, config: Mapping[str, Any]
) -> float:
    """R = E_ctrl / E_spike; above 1 the spiking network needs less."""
    price = prices(model, config)
    return control_energy(control, model, price) / spiking_energy(spiking, model, price)


def sensitivity(
    spiking: SpikingCounts, control: ControlCounts, config: Mapping[str, Any]
) -> list[tuple[str, str, float]]:
    """Tornado: R with one assumption of the base model changed at a time.

    Args:
        spiking: Counts of the spiking network.
        control: Counts of the control.
        config: The `energy` block; `sensitivity` names the base model and the changes.

    Returns:
        (factor, setting, R) in the order of the config.
    """
    models = {model.id: model for model in cost_models(config)}
    base = models[config["sensitivity"]["base"]]
    return [
        (
            change["factor"],
            setting["label"],
            ratio(spiking, control, replace(base, **setting["set"]), config),
        )
        for change in config["sensitivity"]["changes"]
        for setting in change["settings"]
    ]
