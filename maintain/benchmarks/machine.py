"""Print the unit of this machine, measured anew: `python maintain/benchmarks/machine.py`.

Times that README and the tables tell are those "on a machine of unit 1": multiply them by the unit
of yours. The workflow measures it by itself and keeps the least in `build_folder`; so does this.
"""

from __future__ import annotations

from pathlib import Path

from whyspiking.declared.config import read
from whyspiking.running import machine


def main() -> None:
    """Measure, keep, print."""
    config = read()
    seconds = machine.measure(Path(config["build_folder"]))
    print(f"{'part':10} {'CPU s':>7} {'ref. s':>7} {'ratio':>6}")
    for part, there in machine.REFERENCE_S.items():
        if part in seconds:
            here = seconds[part]
            print(f"{part:10} {here:7.3f} {there:7.3f} {here / there:6.2f}")
        else:
            print(f"{part:10} not measured, because no working C++ compiler was found")
    print(f"{machine.processor()}: speed factor {machine.of_parts(seconds):.2f}")


if __name__ == "__main__":
    main()
