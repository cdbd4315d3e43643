"""Print how fast the parts are on this machine, as ratios.

Run `python maintain/benchmarks/run.py [--quick]` in the project's folder with the environment
active. Everything is timed in CPU seconds of one thread, both sides of a ratio one after the other;
a busy machine still makes them uncertain.
The tables go to `results/benchmarks/`, where the next report finds them. Other libraries
(snnTorch, Norse) are compared with where they are installed, or in the interpreter that
WHYSPIKING_PEERS names.
No test depends on these numbers.
"""

from __future__ import annotations

# Before numpy: it sets the number of threads.
from timing import Row, flops

# isort: split
import argparse
import importlib
import json
import math
import os
import platform
import sys
from pathlib import Path

import pandas as pd

from whyspiking.running import machine

PARTS = ("kernels", "simulation", "stages")
COLUMNS = ("part", "what", "seconds", "versus", "reference_seconds", "ratio", "target", "note")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--quick", action="store_true", help="smaller sizes, within two minutes")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="some parts")
    parser.add_argument("--run", type=Path, default=Path("results/default"), help="for stages")
    parser.add_argument("--to", type=Path, default=Path("results/benchmarks"), help="for tables")
    asked = parser.parse_args()
    if not Path("Snakefile").is_file():
        sys.exit("error: folder: no Snakefile here; run this in the project's folder")
    asked.to.mkdir(parents=True, exist_ok=True)
    print(f"{'what':78} {'CPU s':>9} {'ratio':>7} {'target':>7}  against")
    for part in asked.only:
        module = importlib.import_module(part)
        more = {"folder": asked.run} if part == "stages" else {}
        found = []
        for row in module.rows(asked.quick, **more):
            _show(row)
            found.append(row)
        _write(found, asked.to / f"{part}.csv")
    here = {
        "cpu": machine.processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "gflops_one_thread": round(flops() / 1e9, 1),
        "python": platform.python_version(),
        "quick": asked.quick,
    }
    (asked.to / "machine.json").write_text(json.dumps(here, indent=1, sort_keys=True) + "\n")
    print(f"tables: {asked.to}; load of the machine while measuring: {here['load']}")


def _show(row: Row) -> None:
    def number(value: float, digits: int) -> str:
        return "" if math.isnan(value) else f"{value:.{digits}f}"

    told = row.versus + (f" ({row.note})" if row.note else "")
    print(
        f"{row.what:78} {number(row.seconds, 4):>9} {number(row.ratio, 3):>7} "
        f"{number(row.target, 2):>7}  {told}",
        flush=True,
    )


def _write(rows: list[Row], path: Path) -> None:
    values = [
        (r.part, r.what, r.seconds, r.versus, r.reference, r.ratio, r.target, r.note) for r in rows
    ]
    table = pd.DataFrame(values, columns=list(COLUMNS))
    table.to_csv(path, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
