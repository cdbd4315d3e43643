"""The section of the report about the last benchmark on this machine, if there was one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from whyspiking import markup, study
from whyspiking.errors import UserError
from whyspiking.markup import Cell, Html
from whyspiking.tables import Table

FOLDER = "benchmarks"
"""Beside the folders of the runs; `benchmarks/run.py` writes there."""
PARTS = {
    "kernels": "Training kernels, against other forms of themselves and what they cannot avoid",
    "simulation": "Simulation in Brian2, against plain programs and its runtime modes",
    "stages": "Start-up, and the stages of the last run",
    "scaling": "Growth of cost with size",
}
"""Table -> its caption."""
COLUMNS = ["what", "seconds", "versus", "reference_seconds", "ratio", "target", "note"]


def last_benchmark(results: str | Path) -> Html:
    """Tables of the last benchmark; nothing where none was run.

    Args:
        results: Folder of the run, `results/<scale>`.

    Raises:
        UserError: If a table is there that `benchmarks/run.py` has not written.
    """
    folder = study.find(results).parent / FOLDER
    machine = folder / "machine.json"
    if not machine.is_file():
        return Html("")
    told = json.loads(machine.read_text(encoding="utf-8"))
    sizes = "small sizes, " if told["quick"] else ""
    parts = [
        "<h2>Speed on this machine</h2>",
        f"<p>The last run of <code>python benchmarks/run.py</code>: {sizes}CPU seconds of one "
        f"thread on {markup.text(told['cpu']).markup}, {told['gflops_one_thread']} GFLOP/s in "
        f"products of matrices, load {told['load']}. A ratio is ours over the other: below 1 ours "
        "is faster. It is not part of the run above.</p>",
    ]
    for name, caption in PARTS.items():
        path = folder / f"{name}.csv"
        if path.is_file():
            parts.append(_table(_read(path), name, caption))
    return Html("\n".join(parts))


def _read(path: Path) -> Table:
    table = pd.read_csv(path, keep_default_na=False)
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise UserError(
            f"{path}: columns {missing} are missing; delete the folder, or run "
            "`python benchmarks/run.py` again"
        )
    for name in ("seconds", "reference_seconds", "ratio", "target"):
        table[name] = pd.to_numeric(table[name], errors="coerce")
    return table


def _table(table: Table, name: str, caption: str) -> str:
    # Of a series only the growth is told; its points are in the file.
    shown = table[table["versus"] != ""] if name == "scaling" else table
    rows = [
        [
            markup.text(row["what"]),
            _number(row["seconds"], 4),
            markup.text(row["versus"]),
            _number(row["ratio"], 3),
            _number(row["target"], 2),
            markup.text(row["note"]),
        ]
        for _, row in shown.iterrows()
    ]
    return markup.table(
        ["What", "Seconds", "Against", "Ratio", "Wanted", "Remarks"],
        rows,
        name=f"benchmark-{name}",
        caption=caption,
        numbers=("Seconds", "Ratio", "Wanted"),
    )


def _number(value: float, digits: int) -> Cell:
    return markup.number(f"{value:.{digits}f}" if np.isfinite(value) else "", value)
