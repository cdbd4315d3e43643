"""Measure and print the speed factor of this machine: `python maintain/benchmarks/machine.py`.

README and the tables give times for the reference machine, which has the speed factor 1. Multiply
these times by the speed factor of your machine. The workflow measures the speed factor, too, and
both keep the shortest measured times in `build_folder`.
"""

from __future__ import annotations

from pathlib import Path

from whyspiking.declared.config import read
from whyspiking.running import machine


def main() -> None:
    """Measure the speed factor, keep and print it."""
    config = read()
    seconds = machine.measure(Path(config["build_folder"]))
    print(f"{'part':10} {'CPU s':>7} {'ref. s':>7} {'ratio':>6}")
    for workload, measured_s in seconds.items():
        reference_s = machine.REFERENCE_S[workload]
        print(f"{workload:10} {measured_s:7.3f} {reference_s:7.3f} {measured_s / reference_s:6.2f}")
    print(f"{machine.processor()}: speed factor {machine.of_parts(seconds):.2f}")


if __name__ == "__main__":
    main()
