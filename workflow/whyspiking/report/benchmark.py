"""The section of the report about the last benchmark on this machine, if there was one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from whyspiking.errors import UserError
from whyspiking.records.tables import Table
from whyspiking.report import html, run_page
from whyspiking.report.html import Html

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
    folder = run_page.find(results).parent / FOLDER
    if not (folder / "machine.json").is_file():
        return Html("")
    machine = json.loads((folder / "machine.json").read_text(encoding="utf-8"))
    parts = [
        (name, caption, _rows(folder / f"{name}.csv"))
        for name, caption in PARTS.items()
        if (folder / f"{name}.csv").is_file()
    ]
    return Html(html.macros("costs").benchmark(machine, parts))


def _rows(path: Path) -> list[dict[str, Any]]:
    table: Table = pd.read_csv(path, keep_default_na=False)
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise UserError(
            f"{path}: columns {missing} are missing; delete the folder, or run "
            "`python benchmarks/run.py` again"
        )
    numbers = ["seconds", "reference_seconds", "ratio", "target"]
    table[numbers] = table[numbers].apply(pd.to_numeric, errors="coerce")
    if path.stem == "scaling":
        # The page shows the growth of a series alone; its points are in the file.
        table = table[table["versus"] != ""]
    return table.to_dict("records")
