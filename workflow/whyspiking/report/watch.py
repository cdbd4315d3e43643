"""One trial of Span recall, step by step, in three networks side by side.

The activity was written when the reference results were made; `watch.js` plays it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from whyspiking.records.reference import FOLDER
from whyspiking.records.whole_files import read_json
from whyspiking.report.html import Html, macros

FILE = "ground/watched.json"
"""Of the reference results: trials, and what the networks did in them."""
LABELS = {"lif": "spiking units (LIF)", "leaky_units": "leaky units without spikes", "gru": "GRUs"}
"""Family -> its name above the picture."""
UNIT_PX, STEP_PX = 6, 4
"""Height of a row of a unit or an input, and width of a step, in the picture."""


def draw_trial(record: Path = FOLDER) -> Html:
    """The widget with the end of the first trial; nothing if the file is not there."""
    path = record / FILE
    if not path.is_file():
        return Html("")
    recorded = read_json(path, "trials", "networks")
    trials = [
        {"right": trial["class"], "rows": _lay_out_spikes(trial["spikes"], recorded["n_lines"])}
        for trial in recorded["trials"]
    ]
    networks = [
        {
            "label": LABELS.get(network["family"], network["family"]),
            "units": network["units"],
            "accuracy": network["accuracy"],
            "shown": [
                {"rows": _lay_out_levels(trial["levels"]), "end": trial}
                for trial in network["trials"]
            ],
        }
        for network in recorded["networks"]
    ]
    max_energy = max(network["trials"][0]["energy"][-1] for network in recorded["networks"])
    # The page draws the activity, so that the script needs only the numbers.
    data = recorded | {
        "trials": [{"class": trial["class"]} for trial in recorded["trials"]],
        "networks": [
            {
                "trials": [
                    {name: trial[name] for name in ("outputs", "energy", "choice")}
                    for trial in network["trials"]
                ]
            }
            for network in recorded["networks"]
        ],
    }
    text = json.dumps(data, separators=(",", ":"))
    return Html(
        macros("watch").trial(text, recorded, trials, networks, max_energy, UNIT_PX, STEP_PX)
    )


def _lay_out_spikes(spikes: Sequence[int], n_lines: int) -> dict[str, Any]:
    """Rows of inputs: places (step, row) of spikes, all of the darkest level."""
    return {"n": n_lines, "levels": {9: [divmod(spike, n_lines) for spike in spikes]}}


def _lay_out_levels(levels: Sequence[str]) -> dict[str, Any]:
    """Rows of hidden units: level -> places (step, row) that have it."""
    cells: dict[int, list[tuple[int, int]]] = {}
    for unit, row in enumerate(levels):
        for step, level in enumerate(row):
            if level != "0":
                cells.setdefault(int(level), []).append((step, unit))
    return {"n": len(levels), "levels": cells}
