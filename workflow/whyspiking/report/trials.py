"""One recorded trial of every talk's network, as a raster that plays up to the decision.

`assets/trials.yaml` says which arrays of a talk's exhibits are drawn. The record has no exhibits:
`keep_trials` keeps what is drawn as `<talk>/trial.json`, times in thousandths of what is shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from whyspiking.declared import registry
from whyspiking.records.array_files import load_arrays
from whyspiking.records.reference import FOLDER
from whyspiking.records.whole_files import read_json, replacing
from whyspiking.report.html import ASSETS, Html, macros, value
from whyspiking.report.rasters import Panel, raster
from whyspiking.report.touchable import NEURON

FILE = "trial.json"
LEARNED = "discussion/one_neuron/spiking"
"""Of a run: the networks of which the record keeps a neuron."""
MOST = 60
"""Rows of a panel; of more neurons so many are shown, evenly chosen."""
PARTS = 1000


@cache
def shown() -> dict[str, Any]:
    """What is drawn of every talk; see the file."""
    return yaml.safe_load((ASSETS / "trials.yaml").read_text(encoding="utf-8"))


def trial(talk: str, folder: Path) -> Html:
    """A trial of a talk as the run has it, or else the record; nothing where neither does.

    Args:
        talk: Its name.
        folder: Of the run, or the record.
    """
    found, kept = condensed(talk, folder), FOLDER / talk / FILE
    if found is None:
        if not kept.is_file() or talk not in shown():
            return Html("")
        found = read_json(kept, "data", "layers")
    spec, start, end = shown()[talk], found["from_ms"], found["end_ms"]
    panels = [
        Panel(
            f"{layer['name']}, {len(rows['rows'])} of {rows['firing']} that fire"
            if len(rows["rows"]) < rows["firing"]
            else layer["name"],
            [start + np.asarray(row) / PARTS * (end - start) for row in rows["rows"]],
        )
        for layer, rows in zip(spec["layers"], found["layers"], strict=True)
    ]
    at, answer = found.get("line_ms"), found.get("answer", -1)
    winner = (len(panels) - 1, answer) if spec.get("decided") not in (None, "end") else None
    word = spec["answers"][answer] if "answers" in spec else answer
    said = spec.get("line_says", "" if at is None else f"{word}, {value(at - start, 'ms')}")
    drawn = raster(panels, (start, end), at, winner, said)
    return Html(macros("touchable").trial(drawn, spec, word, found["data"]))


def condensed(talk: str, folder: Path) -> dict[str, Any] | None:
    """What is drawn of a run's trial, in few small numbers; None where the run has none.

    Returns:
        data, where they come from; from_ms and end_ms of what is shown; of every layer how many
        neurons fire there, and the spikes of some in thousandths of it; line_ms, when it was
        decided; answer, which class.
    """
    spec = shown().get(talk, {"experiments": ()})
    for experiment in spec["experiments"]:
        path = folder / talk / experiment / "exhibits.npz"
        arrays = load_arrays(path) if path.is_file() else {}
        if spec["layers"][0]["spikes"] in arrays:
            break
    else:
        return None
    spikes = [events(layer, arrays) for layer in spec["layers"]]
    around = float(arrays[spec["line"]]) if "line" in spec else 0.0
    latest = max((float(t.max()) for t, _ in spikes if t.size), default=1.0)
    start = around + spec.get("from_ms", 0)
    end = around + spec.get("end_ms", np.ceil(latest * 1.001))
    measured = registry.as_measured(registry.load_talk(talk), folder / talk)
    data = measured.experiments[experiment].provenance
    found: dict[str, Any] = {"data": data, "from_ms": start, "end_ms": end}
    line = spec.get("line", spec.get("decided"))
    if line is not None:
        found["line_ms"] = end if line == "end" else float(arrays[line].min())
    if "answer" in spec:
        found["answer"] = int(np.rint(arrays[spec["answer"]].ravel()[-1]))
    layers = []
    for layer, (t, unit) in zip(spec["layers"], spikes, strict=True):
        inside = (t >= start) & (t < end)
        parts, unit = np.rint((t[inside] - start) / (end - start) * PARTS), unit[inside]
        firing = np.unique(unit)
        if "order" in layer:
            firing = firing[np.argsort(arrays[layer["order"]][firing])]
        few = arrays[layer["spikes"]].size <= 10  # outputs keep their places
        rows = np.arange(arrays[layer["spikes"]].size) if few else some(firing)
        layers.append(
            {
                "firing": max(len(firing), len(rows)) if few else len(firing),
                "rows": [np.unique(parts[unit == row]).astype(int).tolist() for row in rows],
            }
        )
    return {**found, "layers": layers}


def some(neurons: NDArray) -> NDArray[np.int64]:
    """At most so many of them as are shown, evenly chosen."""
    places = np.linspace(0, len(neurons) - 1, min(len(neurons), MOST))
    return neurons[np.rint(places).astype(int)]


def events(layer: Mapping[str, str], arrays: Mapping[str, NDArray]) -> tuple[NDArray, NDArray]:
    """Times in ms and neurons of the spikes of a layer, (spike,) each."""
    values = arrays[layer["spikes"]]
    if "units" in layer:
        return values.astype(float), arrays[layer["units"]].astype(int)
    if "step" in layer:
        step, unit = np.nonzero(values)
        return step * float(arrays[layer["step"]]), unit
    spiked = np.flatnonzero(np.isfinite(values))
    return values[spiked].astype(float), spiked


def keep_trials(run: Path, record: Path = FOLDER) -> list[str]:
    """Keep a trial of every talk, and a neuron that learned, of a finished run in the record.

    Args:
        run: Folder of the run.
        record: The recorded tables.

    Returns:
        What was written; of what the run lacks the record keeps what it has.
    """
    kept = {f"{talk}/{FILE}": condensed(talk, run) for talk in shown()}
    network = next(iter(sorted(run.glob(f"{LEARNED}/seed-*/network.npz"))), None)
    if network is not None:
        arrays = load_arrays(network)
        values = {"w": arrays["w"], "tau_ms": np.exp(arrays["log_tau"]), "theta": arrays["theta"]}
        kept[NEURON] = {name: np.asarray(x, float).round(6).tolist() for name, x in values.items()}
    written = {place: content for place, content in kept.items() if content is not None}
    for place, content in written.items():
        with replacing(record / place) as partial:
            partial.write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")
    return list(written)
