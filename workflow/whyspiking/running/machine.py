"""How slow this machine is, as one number: 1 is that of the recorded run, 2 takes twice as long.

The unit is the geometric mean, over a mix of what jobs do, of CPU seconds here over CPU seconds
there. Each part is the least of all measurements here, since a busy or slow hour only adds to it.
One takes about two seconds; the build folder keeps what was least. A run measures where nothing is
kept, and once more before it writes its manifest.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import timeit
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path

from whyspiking import arithmetic
from whyspiking.compiler import toolchain
from whyspiking.errors import UserError
from whyspiking.records import whole_files
from whyspiking.running.jobs import cpu_seconds

# CPU seconds of each part on a machine of unit 1: what `maintain/benchmarks/machine.py` prints on
# one of unit U, divided by U. Who changes a part adds 1 to MIX.
REFERENCE_S = {"python": 0.117, "memory": 0.045, "matrices": 0.082, "compile": 0.271}
MIX = 1
FILE = "machine.json"
MADE_WITH = "made_with"
"""Key of `info` in network.json that holds `making` of the job that trained it."""
VERSIONS_OF = ("brian2", "jax", "numpy", "optax", "pandas", "scipy", "seaborn", "snakemake")
"""Packages that a manifest names."""
REPEATS = 3

# Headers that every program of Brian2 includes, and a little to optimise.
PROGRAM = """
#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>
#include <random>
#include <string>
#include <vector>
double relax(std::vector<double> v, const std::vector<double>& input) {
    for (const double current : input)
        for (double& one : v) one = one > 1 ? 0 : one + 0.1 * (current - std::tanh(one));
    std::sort(v.begin(), v.end());
    return v.front();
}
"""


def unit(folder: Path) -> float:
    """The unit of this machine, measured if it has not been yet.

    Args:
        folder: `build_folder` of the config.
    """
    cached_unit = cached(folder)
    return of_parts(measure(folder)) if cached_unit is None else cached_unit


def cached(folder: Path) -> float | None:
    """The unit that was measured here before; None if there is none of this machine."""
    seconds = _read_seconds(folder)
    return of_parts(seconds) if seconds else None


def _read_seconds(folder: Path) -> dict[str, float]:
    """Read the CPU seconds that were measured on this machine before; empty if there are none."""
    try:
        content = whole_files.read_json(folder / FILE, "machine", "seconds")
        seconds = {str(name): float(value) for name, value in content["seconds"].items()}
        is_usable = content["machine"] == _machine() and min(seconds.values(), default=0.0) > 0
        return seconds if is_usable else {}
    except (UserError, AttributeError, TypeError, ValueError):
        return {}


def of_parts(seconds: Mapping[str, float]) -> float:
    """The unit from CPU seconds of the parts; one that could not be measured is left out."""
    ratios = [
        seconds[name] / reference for name, reference in REFERENCE_S.items() if name in seconds
    ]
    return round(math.exp(math.fsum(map(math.log, ratios)) / len(ratios)), 3)


def measure(folder: Path) -> dict[str, float]:
    """CPU seconds of each part here, the least of now and before, which are kept in a folder.

    In a process of its own: threads and memory of this one would be measured too.

    Args:
        folder: `build_folder` of the config.
    """
    process = subprocess.run(
        [sys.executable, "-m", __name__],
        env={**os.environ, **arithmetic.settings()},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    earlier = _read_seconds(folder)
    seconds = {name: min(s, earlier.get(name, s)) for name, s in json.loads(process.stdout).items()}
    content = {"machine": _machine(), "seconds": seconds}
    whole_files.write(folder / FILE, json.dumps(content, indent=1) + "\n")
    return seconds


def processor() -> str:
    """The processor's name as the system gives it."""
    path = Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def compiler() -> str:
    """First line of what the C++ compiler says of itself; "none" where there is none."""
    try:
        command = [*toolchain.compiler(), "--version"]
    except UserError:
        return "none"
    process = subprocess.run(command, capture_output=True, text=True)
    return process.stdout.partition("\n")[0]


def making() -> dict[str, str]:
    """What else than code and recipe decides digits here: versions, vectors, caches, compiler."""
    versions = {name: metadata.version(name) for name in VERSIONS_OF}
    packages = {"python": platform.python_version(), **versions, **arithmetic.described()}
    return {**packages, "compiler": compiler()}


def stamp(network: Path) -> None:
    """Write into the network.json of a network with what it was trained, unless it says so.

    A network that is taken over from another experiment keeps what it was trained with.
    """
    content = whole_files.read_json(network, "info")
    content["info"].setdefault(MADE_WITH, making())
    whole_files.write(network, json.dumps(content, indent=1, sort_keys=True) + "\n")


def _machine() -> list[str]:
    """What the time of the mix depends on."""
    compiler: list[str] = []
    with contextlib.suppress(UserError):
        compiler = toolchain.compiler()
    return [processor(), platform.python_version(), " ".join(compiler), f"mix {MIX}"]


def parts() -> dict[str, float]:
    """CPU seconds of each part, the least of a few repeats."""
    import numpy as np

    rng = np.random.default_rng(0)
    large_arrays = rng.random((3, 4_000_000))
    small_arrays = rng.random((2, 96, 96), np.float32)

    def interpreted() -> None:
        counts: dict[str, float] = {}
        for i in range(1_000_000):
            key = f"neuron {i % 1000}"
            counts[key] = counts.get(key, 0.0) * 0.9 + len(key)

    def memory() -> None:
        for _ in range(10):
            np.add(large_arrays[0], large_arrays[1], out=large_arrays[2])
            large_arrays[0][::8] = large_arrays[2][::8]

    def matrices() -> None:
        state = small_arrays[0]
        for _ in range(8000):
            state = np.tanh(small_arrays[1] @ state)

    mix = {"python": interpreted, "memory": memory, "matrices": matrices}
    seconds = {name: _measure_least(function) for name, function in mix.items()}
    # Without a compiler this part is left out.
    with contextlib.suppress(UserError):
        toolchain.require()
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "mix.cpp")
            source.write_text(PROGRAM, encoding="utf-8")
            command = [*toolchain.compiler(), "-O2", "-std=c++17", "-c", str(source)]
            command += ["-o", str(source.with_suffix(".o"))]
            seconds["compile"] = _measure_least(lambda: subprocess.run(command, check=True))
    return seconds


def _measure_least(run: Callable[[], object]) -> float:
    return min(timeit.repeat(run, timer=cpu_seconds, number=1, repeat=REPEATS))


if __name__ == "__main__":
    print(json.dumps(parts()))
