"""Print how fast the parts are on this machine, as ratios. No test depends on these numbers.

Run `python benchmarks/speed.py` in the project's folder with the environment active; what needs a
finished default run is left out where there is none.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from whyspiking import first_spike, registry
from whyspiking.randomness import Streams
from whyspiking.replications.goeltz import learning

AUTHORS_EPOCH_SECONDS = 3.2
"""CPU seconds per Yin-Yang epoch of the published PyTorch code, one thread of a 2-core machine."""
EPOCHS = 20


def main() -> None:
    """Measure and print."""
    config = yaml.safe_load(Path("config/config.yaml").read_text())
    print(f"{'what':58} {'measured':>12} {'reference':>12} {'ratio':>7}")
    _yinyang(config)
    _kernel()
    _idle()
    _run(Path("results") / "default")


def _line(what: str, measured: float, reference: float) -> None:
    ratio = reference / measured
    print(f"{what:58} {measured:10.4f} s {reference:10.4f} s {ratio:7.1f}")


def _yinyang(config: dict) -> None:
    experiment = registry.load_talk("goeltz").experiments["yinyang"]
    params = registry.params(experiment, config)
    network = learning.train(params, Streams(0), lambda *_: None, epochs=EPOCHS)
    mine = network.info["epoch_seconds"]
    _line("Yin-Yang, CPU per epoch; reference: authors' PyTorch", mine, AUTHORS_EPOCH_SECONDS)


def _kernel() -> None:
    rng = np.random.default_rng(0)
    times = rng.uniform(0.15, 2.0, (80, 784)).astype(np.float32)
    weights = rng.normal(0.05, 0.8, (784, 350)).astype(np.float32)
    seconds = {}
    for name in ("compiled", "jax"):
        engine = first_spike.engine(name)
        engine.forward(times, weights, 1.0, 1)
        began = time.process_time()
        for _ in range(3):
            engine.forward(times, weights, 1.0, 1)
        seconds[name] = (time.process_time() - began) / 3
    _line(
        "784-350 layer, 80 samples forward; reference: JAX form",
        seconds["compiled"],
        seconds["jax"],
    )


def _idle() -> None:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "snakemake", "-n"], capture_output=True, check=False)
    _line("start of snakemake, nothing run; reference: target", time.perf_counter() - began, 4.0)


def _run(folder: Path) -> None:
    if not (folder / "manifest.json").is_file():
        print(f"no finished run in {folder}: stages are left out")
        return
    manifest = json.loads((folder / "manifest.json").read_text())
    total = sum(talk["cpu_seconds"] for talk in manifest["talks"].values())
    for name, talk in manifest["talks"].items():
        print(
            f"{name}: {talk['jobs']} jobs, {talk['cpu_seconds']:.0f} CPU s "
            f"({talk['cpu_seconds'] / total:.0%}), at most {talk['max_rss_mb']:.0f} MB"
        )
    stages = pd.read_csv(folder / "durations.csv").groupby("rule")["seconds"].sum()
    print("seconds by stage (one job of each kind):", stages.round(0).to_dict())
    builds = [path.parent.name for path in Path("resources/build").glob("*/manifest.json")]
    print(f"Brian2 builds kept: {len(builds)} ({', '.join(sorted(builds))})")


if __name__ == "__main__":
    main()
