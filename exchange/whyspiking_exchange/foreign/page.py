"""The page of a network from elsewhere: what it is, what it reached, and the recorded networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from whyspiking.declared import registry
from whyspiking.records import reference, tables
from whyspiking.records.columns import SHARED
from whyspiking.records.glossary import GLOSSARY
from whyspiking.report.html import ASSETS, macros, templates
from whyspiking.report.same_task_rows import SharedTasks
from whyspiking_exchange.foreign import sources
from whyspiking_exchange.foreign.measuring import Measured
from whyspiking_exchange.foreign.tasks import READOUTS

SHOWN = (
    "accuracy",
    "undecided",
    "t95",
    "spikes_hidden",
    "spikes_input",
    "syn_events",
    "neuron_updates_event",
    "rate",
    "activation_sparsity",
    "synapses",
    "footprint",
)
"""Metrics of the clean run that the page lists, in order."""
SUMMED = ("timing_index", "sigma50", "half_dose", "bits95", "robustness_area")
"""What a curve comes to."""


def page(found: Measured) -> str:
    """The page, whole: no file beside it is needed."""
    ground = beside(found)
    body = macros("network").page(
        found.row,
        [
            *sources.implausible_numbers(found.layers, found.setting),
            *sources.silent_layers(found.metrics),
            *sources.low_agreement(found.agreed),
        ],
        found.agreed,
        _layers(found),
        READOUTS[found.setting.readout],
        _clean(found),
        _curves(found),
        _methods(found, ground),
    )
    return (
        templates()
        .get_template("page.html.j2")
        .render(
            title=f"{found.row.name} on {found.setting.task}",
            description="",
            sections=[],
            home="",
            notebook="",
            style=(ASSETS / "style.css").read_text(encoding="utf-8"),
            script=(ASSETS / "page.js").read_text(encoding="utf-8"),
            body=body,
        )
    )


def beside(found: Measured) -> SharedTasks | None:
    """The recorded methods on the same task, and this network; None where none are recorded."""
    path = reference.FOLDER / "shared.csv"
    if not path.is_file():
        return None
    shared = tables.where(reference.table(path, SHARED), task=found.setting.task)
    talks = {name: registry.load_talk(name) for name in reference.recorded()}
    ground = SharedTasks(shared, talks, guests=[found.row.model_dump()])
    return ground if ground.cells else None


def ranking(found: Measured) -> list[tuple[float, str]]:
    """Accuracy and name of the recorded methods and of this network, the best first."""
    told = [(float(row["accuracy"]), name) for name, row in _methods(found, beside(found))]
    return sorted([*told, (found.row.accuracy, f"{found.row.name} (this)")], reverse=True)


def _methods(found: Measured, ground: SharedTasks | None) -> list[tuple[str, Mapping[str, Any]]]:
    """Recorded methods with their rows, the best first."""
    if ground is None:
        return []
    cell = ground.cells[0]
    names = [(ground.label(m), row) for m, row in cell.methods.items()]
    return sorted(names, key=lambda told: -told[1]["accuracy"])


def _layers(found: Measured) -> list[tuple[str, int, str]]:
    kinds = [(x.name, x.size, ", ".join(s.kind for s in x.states)) for x in found.layers.layers]
    return [("input", found.layers.n_in, "spikes"), *kinds]


def _clean(found: Measured) -> list[tuple[str, float, str, str]]:
    values = sources.clean(found.metrics)
    return [
        (name, values[name], GLOSSARY[name].unit, GLOSSARY[name].definition)
        for name in SHOWN
        if name in values
    ]


def _curves(found: Measured) -> list[tuple[str, str, Sequence[tuple[str, float, str]]]]:
    """Perturbation, location, and what its curve comes to."""
    told: dict[tuple[str, str], list[tuple[str, float, str]]] = {}
    for metric in SUMMED:
        for row in tables.where(found.metrics, metric=metric).to_dict("records"):
            place = (str(row["perturbation"]), str(row["location"]))
            told.setdefault(place, []).append((metric, float(row["value"]), str(row["unit"])))
    return [(*place, values) for place, values in told.items()]
