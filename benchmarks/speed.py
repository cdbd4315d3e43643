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
from typing import Literal

import numpy as np
import pandas as pd
import yaml

from whyspiking import first_spike, registry
from whyspiking.first_spike.training import Inputs, Settings, Training
from whyspiking.randomness import Streams
from whyspiking.replications.goeltz import learning

AUTHORS_EPOCH_SECONDS = 3.2
"""CPU seconds per Yin-Yang epoch of the published PyTorch code, one thread of a 2-core machine."""
EPOCHS = 20
ASKED_COMSA_SECONDS, ASKED_GOELTZ_SECONDS = 1.8, 4.6
"""CPU seconds that an epoch on MNIST may take, compiled, on one core with AVX2."""
JAX_SAMPLES = 640
"""Samples from which the time of an epoch in JAX is extrapolated."""


def main() -> None:
    """Measure and print."""
    config = yaml.safe_load(Path("config/config.yaml").read_text())
    print(f"{'what':62} {'measured':>12} {'reference':>12} {'ratio':>7}")
    _yinyang(config)
    _kernel()
    _epochs()
    _idle()
    _run(Path("results") / "default")


def _line(what: str, measured: float, reference: float) -> None:
    ratio = reference / measured
    print(f"{what:62} {measured:10.4f} s {reference:10.4f} s {ratio:7.1f}")


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


def _epochs() -> None:
    """Whole epochs of two networks on made-up digits: every fifth pixel is ink."""
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 10, 54_000)
    prototypes = rng.random((10, 784)) < 0.2
    ink = prototypes[classes] ^ (rng.random((54_000, 784)) < 0.03)
    dark = np.where(ink, rng.integers(1, 257, ink.shape) / 256, 0).astype(np.float32)
    decay = 0.182  # per unit of the input window, as in Comsa et al.
    comsa = Settings(
        "comsa", batch=32, threshold=0.212, temperature=decay, min_slope=2e-3, silent_penalty=48.0
    )
    goeltz = Settings(
        "goeltz", batch=80, threshold=1.0, temperature=0.2, max_dw=0.2, push=0.005, noise_sd=0.3,
        bump_rule="faithful", bump=5e-4, tolerated=(0.15, 0.05),
    )  # fmt: skip
    pulses = np.linspace(0.1, 0.9, 10) * decay
    scale = np.sqrt(2 / (784 + 340 + 10))
    networks = {
        "784-340-10 comsa, batch 32, 54,000": (
            comsa,
            (
                _normal(rng, 784, 340, -0.28, 1, scale, 10),
                _normal(rng, 340, 10, -0.28, 1, 0.075, 10),
            ),
            (pulses, pulses),
            np.where(dark > 0, (1 - dark) * decay, np.inf),
            ASKED_COMSA_SECONDS,
        ),
        "784-350-10 goeltz, batch 80, noise, 50,000": (
            goeltz,
            (_normal(rng, 784, 350, 0.05, 0.8, 1, 0), _normal(rng, 350, 10, 0.15, 0.8, 1, 0)),
            ((), ()),
            0.15 + 1.85 * (1 - dark[:50_000]),
            ASKED_GOELTZ_SECONDS,
        ),
    }
    for name, (settings, weights, times_of_pulses, times, asked) in networks.items():
        seconds = {}
        plans: tuple[tuple[Literal["compiled", "jax"], int], ...] = (
            ("compiled", len(times)),
            ("jax", JAX_SAMPLES),
        )
        for engine, n in plans:
            training = Training(settings, weights, times_of_pulses, engine=engine)
            inputs = Inputs(times[:n])
            # The first epoch of either also compiles or sorts.
            training.epoch(inputs, classes[:n], np.arange(n), 1e-3, 1e-2)
            began = time.process_time()
            training.epoch(inputs, classes[:n], rng.permutation(n), 1e-3, 1e-2)
            seconds[engine] = (time.process_time() - began) / n * len(times)
        _line(f"{name}; reference: JAX", seconds["compiled"], seconds["jax"])
        _line(f"{name}; reference: asked", seconds["compiled"], asked)


def _normal(
    rng: np.random.Generator,
    n_in: int,
    n_out: int,
    mean: float,
    sd: float,
    scale: float,
    n_pulses: int,
) -> np.ndarray:
    """Weights of a layer; those of pulses are eight deviations up, so that all neurons fire."""
    weights = rng.normal(mean * scale, sd * scale, (n_in, n_out))
    return np.vstack([weights, rng.normal(8 * scale, scale, (n_pulses, n_out))])


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
