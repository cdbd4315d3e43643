"""Print how fast the training code is on this machine, as ratios of CPU times.

Run `python maintain/benchmarks/run.py [--quick]` in the project's folder with the environment
active. All times are CPU seconds of one thread. The two times of a ratio are measured one after the
other, but they are still uncertain on a busy machine.
Other libraries (snnTorch, Norse) are included if they are installed in this environment or in that
of the Python interpreter that WHYSPIKING_PEERS names.
No test depends on these numbers.
"""

from __future__ import annotations

# Before numpy: it sets the number of threads.
from timing import Row

# isort: split
import argparse
import math
import os
import sys
from pathlib import Path

import kernels


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--quick",
        action="store_true",
        help="measure smaller sizes, which takes less than two minutes",
    )
    asked = parser.parse_args()
    if not Path("Snakefile").is_file():
        sys.exit(
            "error: this folder contains no Snakefile. Run this command in the project's folder"
        )
    print(f"{'what':78} {'CPU s':>9} {'ratio':>7} {'target':>7}  compared with")
    for row in kernels.rows(asked.quick):
        _show(row)
    print(f"load average of the machine: {os.getloadavg()[0]:.1f}")


def _show(row: Row) -> None:
    def number(value: float, digits: int) -> str:
        return "" if math.isnan(value) else f"{value:.{digits}f}"

    told = row.versus + (f" ({row.note})" if row.note else "")
    print(
        f"{row.what:78} {number(row.seconds, 4):>9} {number(row.ratio, 3):>7} "
        f"{number(row.target, 2):>7}  {told}",
        flush=True,
    )


if __name__ == "__main__":
    main()
