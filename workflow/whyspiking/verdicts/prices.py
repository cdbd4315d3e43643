"""What every method costs on the shared tasks, beside networks without spikes of equal accuracy.

A method is held against every network without spikes that is told no more, matched controls of all
sizes and graded twins, and whose mean accuracy is within delta of its own, either way, if that is
half-way from guessing to the best on the task. Nothing here is a test: energies are compared under
every cost model with whichever of them needs least, and only where all models agree one side is
called cheaper.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from whyspiking.declared import learning_rules, registry
from whyspiking.declared.registry import Talk
from whyspiking.declared.shared_tasks import shared_tasks
from whyspiking.measures import energy, statistics
from whyspiking.measures.energy import CostModel
from whyspiking.records import columns, tables
from whyspiking.records.tables import Table
from whyspiking.verdicts import common_ground, contrasts
from whyspiking.verdicts.common_ground import (
    BETTER,
    EQUAL,
    METHOD,
    ONE_NETWORK,
    TWIN,
    WORSE,
    YES,
    Entry,
)
from whyspiking.verdicts.overview import NO_CONTROL, UNDEFINED
from whyspiking.verdicts.tolerance import in_task_time

ENDS = ("least", "median", "largest")
WORDS = ("control", "control_is", "energy", *(f"energy_{end}_model" for end in ENDS))
"""Columns that are empty where there is no control."""
CHEAPER, DEARER, DEPENDS = "cheaper", "dearer", "depends"
NO_SPIKES, NO_ENERGY = "no spikes", "no energy"
NOT_EQUAL = "no network without spikes of equal accuracy"
COMPARED = ("accuracy", "parameters", "decision_ms", "state", "train_cpu_seconds")
"""What is told of the control as well."""
STANDS = {"jitter_ms": ("jitter", "sigma50"), "deletion": ("delete", "half_dose")}
"""Column -> perturbation of the input, and the metric that says how much of it a network stands."""


def prices(metrics: Table, talks: Mapping[str, Talk], config: Mapping[str, Any]) -> Table:
    """The costs of every method and twin on every shared task, beside what is equally accurate.

    Args:
        metrics: Rows of the metrics table, all talks.
        talks: Talk by name.
        config: The run configuration: its scale, `energy` and `shared.delta`.

    Returns:
        A table with the columns of `columns.PRICES`.
    """
    metrics, rows = in_task_time(metrics, talks), []
    for task in shared_tasks():
        trained = common_ground.entries(metrics, talks, task)
        for entry in (entry for entry in trained if entry.kind in (METHOD, TWIN)):
            place = {"task": task, "at": entry.at, "kind": entry.kind, **entry.place}
            row = _row(entry, trained, config)
            counted = _counted(entry, row) if entry.kind == METHOD else ""
            rows.append({**place, **row, "counted": counted})
    return columns.PRICES.table(rows)


def _counted(entry: Entry, row: Mapping[str, Any]) -> str:
    """Whether sentences count the energy of a method: yes, or why not."""
    reasons = {
        NO_SPIKES: not _spikes(entry),
        ONE_NETWORK: len(entry.scores) < 2,
        NOT_EQUAL: row["control_is"] != EQUAL,
        NO_ENERGY: not row["energy"],
    }
    return next((why for why, holds in reasons.items() if holds), YES)


def told_no_more(entry: Entry, trained: Sequence[Entry]) -> list[Entry]:
    """The networks without spikes, of every size, that are told no more than a method."""
    control = common_ground.matched(entry, trained)
    steps = entry.task.matched
    least = np.inf if control is None else steps[control.variant.name]
    return [
        other
        for other in trained
        if str(other.at) == str(entry.at)
        and other is not entry
        and (
            other.experiment.input_step_ms >= entry.experiment.input_step_ms
            if other.kind == TWIN
            else steps.get(other.variant.trained_as, -1.0) >= least
        )
    ]


def _row(entry: Entry, trained: Sequence[Entry], config: Mapping[str, Any]) -> dict[str, Any]:
    """What one method costs, what its control costs, and why something is not known."""
    row: dict[str, Any] = {**_costs(entry, trained, config), **dict.fromkeys(WORDS, "")}
    missing = {"energy": NO_CONTROL}
    delta = config["shared"]["delta"]
    equal = [
        other
        for other in told_no_more(entry, trained)
        if abs(common_ground.difference(entry, other).mean) <= delta
        and common_ground.half_way(other, trained)
    ]
    equal.sort(key=lambda other: _parameters(other, _values(other, config)))
    control = next(iter(equal), common_ground.matched(entry, trained))
    if control is not None:
        theirs = _costs(control, trained, config)
        lead = -common_ground.difference(entry, control).mean
        row["control"] = control.variant.name
        row["control_is"] = EQUAL if equal else BETTER if lead > 0 else WORSE
        row |= {f"control_{name}": theirs[name] for name in COMPARED}
        energies = [_energies(e, trained, config["energy"]) for e in equal or [control]]
        row |= _ends(_energies(entry, trained, config["energy"]), energies)
        missing = {} if row["energy"] else {"energy": "not all operations were counted"}
    if not np.isfinite(row["bits"]):
        missing["bits"] = "messages were not counted"
    for name in STANDS:
        row[name], why = _stands(entry, *STANDS[name])
        missing |= {STANDS[name][0]: why} if why else {}
    return {**row, "why": "; ".join(f"{name}: {why}" for name, why in missing.items())}


# ---- what a network costs ------------------------------------------------------------------------


def _costs(entry: Entry, trained: Sequence[Entry], config: Mapping[str, Any]) -> dict[str, float]:
    values = _values(entry, config)
    n, n_out, spikes = values["n_hidden"], values["n_output"], entry.mean("spikes_hidden")
    if _spikes(entry) or entry.kind == TWIN:
        state = (n + n_out) * (1 + _states(entry, trained)[0])
    else:
        layers = entry.variant.layers or {}
        gated = layers.get("is") == "gru"
        state = np.sum([values.get(x, x) for x in layers["hidden"]]) if gated else np.nan
    decision_ms = entry.mean("decision_time") * entry.talk.task_ms(entry.experiment)
    if np.isnan(state):
        # What knows no time is told everything at once, so that it waits for the last input.
        state = values["n_input"]
        numbers = {name: x for name, x in values.items() if isinstance(x, int | float)}
        decision_ms = learning_rules.evaluate(entry.task.lasts_ms, numbers)
    return {
        "accuracy": entry.accuracy,
        "parameters": _parameters(entry, values),
        "decision_ms": decision_ms,
        "state": float(state),
        "spikes_hidden": spikes,
        "bits": spikes * np.log2(n) if _spikes(entry) else entry.mean("message_bits"),
        "train_cpu_seconds": entry.mean("train_cpu_seconds"),
    }


def _values(entry: Entry, config: Mapping[str, Any]) -> Mapping[str, Any]:
    return registry.params(entry.experiment, config, 0, entry.variant.name).values


def _spikes(entry: Entry) -> bool:
    return entry.kind == METHOD and entry.variant.role != "rate" and entry.experiment.simulated


def _parameters(entry: Entry, values: Mapping[str, Any]) -> float:
    """Numbers that training sets; where they were not recorded all weights, zeros included."""
    layered = values["n_hidden"] * (values["n_input"] + values["n_output"])
    weights = entry.mean("synapses") / (1 - np.nan_to_num(entry.mean("connection_sparsity")))
    known = (entry.mean("parameters"), weights, layered)
    return float(round(next(x for x in known if np.isfinite(x))))


def _states(entry: Entry, trained: Sequence[Entry]) -> tuple[float, float]:
    """State variables beyond the membrane per update of a neuron, at every step and at events.

    Where they were not counted (twins and ablations), those of the spiking network of the same
    experiment, which has the same neurons.
    """
    same = [e for e in trained if e.experiment is entry.experiment and e.variant.role == "spiking"]
    ends = ("", "_event")
    for e in (entry, *same):
        clocked, events = (e.mean(f"state_updates{x}") / e.mean(f"neuron_updates{x}") for x in ends)
        if np.isfinite([clocked, events]).all():
            return clocked, events
    return 0.0, 0.0


def _stands(entry: Entry, perturbation: str, metric: str) -> tuple[float, str]:
    """How much of a perturbation of its input a network stands: median over seeds, or why not."""
    rows = tables.where(entry.rows, metric=metric, perturbation=perturbation, locus="input")
    known = rows["value"].dropna()
    if not known.empty:
        return float(np.median(known)), ""
    return np.nan, "not perturbed" if rows.empty else UNDEFINED.why


# ---- energy --------------------------------------------------------------------------------------


def _energies(
    entry: Entry, trained: Sequence[Entry], config: Mapping[str, Any]
) -> dict[str, dict[int, float]]:
    """Cost model -> seed -> energy of a trial in pJ; of no seed where not all of it was counted."""
    clean = tables.where(entry.rows, perturbation="none", locus="")
    energy_of: dict[int, Any] = {}
    if _spikes(entry):
        simulated = tables.where(clean, engine=contrasts.SPIKING_ENGINE)
        missing = np.isnan(entry.mean("state_updates"))
        clocked, events = _states(entry, trained) if missing else (0.0, 0.0)
        for seed, (own, _) in contrasts.counted(simulated, contrasts.spiking_counts).items():
            states = own.state_updates + clocked * own.neuron_updates
            at_events = own.state_updates_event + events * own.neuron_updates_event
            whole = replace(own, state_updates=states, state_updates_event=at_events)
            energy_of[seed] = partial(energy.spiking_energy, whole)
    else:
        for seed, (own, _) in contrasts.counted(clean, contrasts.control_counts).items():
            energy_of[seed] = partial(energy.control_energy, own)

    def under(model: CostModel) -> dict[int, float]:
        return {s: of(model, energy.prices(model, config)) for s, of in energy_of.items()}

    return {model.id: under(model) for model in energy.cost_models(config)}


def _ends(
    ours: Mapping[str, Mapping[int, float]], theirs: Sequence[Mapping[str, Mapping[int, float]]]
) -> dict[str, Any]:
    """Energy of the others over ours, geometric mean over seeds: word, ends and their models.

    Of the others counts, under each model, the one that needs least. The median of an even number
    of cost models is the lower one; nothing where no seed was counted.
    """
    paired = {
        name: [statistics.compared(other[name], ours[name], ratio=True) for other in theirs]
        for name in ours
    }
    least = {
        name: [statistics.log_interval(x).mean for x in several if x.size]
        for name, several in paired.items()
    }
    ratios = sorted((min(several), name) for name, several in least.items() if several)
    if not ratios:
        return {}
    chosen = dict(zip(ENDS, (ratios[0], ratios[(len(ratios) - 1) // 2], ratios[-1]), strict=True))
    word = CHEAPER if ratios[0][0] > 1 else DEARER if ratios[-1][0] < 1 else DEPENDS
    values = {f"energy_{end}": ratio for end, (ratio, _) in chosen.items()}
    return {"energy": word, **values, **{f"energy_{e}_model": m for e, (_, m) in chosen.items()}}
