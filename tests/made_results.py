"""A made-up results folder: numbers invented for the tests of the report, measured by nobody."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from whyspiking import axes, claims, registry, store, tables

ROOT = Path(__file__).parents[1]
SEEDS = (0, 1, 2)


def config(scale: str) -> dict[str, Any]:
    """The project's own configuration at another scale."""
    text = (ROOT / "config" / "config.yaml").read_text(encoding="utf-8")
    return {**yaml.safe_load(text), "scale": scale}


def make_results(folder: Path, scale: str = "default") -> Path:
    """Write every table and exhibit that the report reads, for all talks of the project."""
    settings = config(scale)
    verdicts, metrics = [], []
    for name in registry.available():
        talk = registry.load_talk(name)
        registered = claims.load(talk.folder / "claims.yaml", talk)
        table = pd.DataFrame(_metrics(talk, registered, scale, settings))
        tables.write_metrics(table, folder / name / "metrics.csv")
        tables.write_csv(_history(talk), folder / name / "history.csv")
        judged = claims.judge_all(table, registered, talk, scale)
        tables.write_csv(judged, folder / name / "verdicts.csv")
        for experiment in talk.experiments.values():
            store.save_arrays(
                exhibits(experiment), folder / name / experiment.name / "exhibits.npz"
            )
        verdicts.append(judged)
        metrics.append(table)
    table = pd.concat(metrics, ignore_index=True)
    tables.write_metrics(table, folder / "metrics.csv")
    tables.write_csv(pd.concat(verdicts), folder / "verdicts.csv")
    tables.write_csv(axes.contrasts(table, settings), folder / "axes.csv")
    (folder / "manifest.json").write_text(json.dumps(_manifest(settings)), encoding="utf-8")
    return folder


def _metrics(
    talk: registry.Talk, registered: list[claims.Claim], scale: str, settings: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Rows by their place, so that claims overwrite what was invented before."""
    rng = np.random.default_rng(7)
    rows: dict[tuple, dict[str, Any]] = {}

    def put(
        experiment: str, variant: str, seed: int, metric: str, value: float, **place: Any
    ) -> None:
        row = {
            "scale": scale,
            "talk": talk.name,
            "experiment": experiment,
            "variant": variant,
            "seed": seed,
            "engine": "brian2",
            "perturbation": "none",
            "locus": "",
            "strength": 0.0,
            "metric": metric,
            "value": float(value),
            "unit": tables.GLOSSARY[metric].unit,
            "trials": 500,
            **place,
        }
        rows[tuple(row[key] for key in list(row)[:10])] = row

    for experiment in talk.experiments.values():
        for variant in experiment.variants.values():
            for seed in SEEDS:
                clean = 0.95 - 0.25 * (variant.role == "negative_control") + 0.01 * rng.normal()
                here = (experiment.name, variant.name, seed)
                put(*here, "score", clean)
                put(*here, "chance", 1 / 3)
                put(*here, "normalised_score", 1.0)
                if variant.role not in ("spiking", "control"):
                    continue
                steep = 1.0 if variant.role == "spiking" else 0.6
                for name in experiment.battery:
                    levels = settings["battery"].get(name, [1.0])
                    for locus in (
                        ("input", "hidden") if name in ("jitter", "delete") else ("weights",)
                    ):
                        for place, level in enumerate(levels):
                            loss = steep * (place + 1) / len(levels) * (0.8 + 0.05 * rng.normal())
                            at = {"perturbation": name, "locus": locus, "strength": float(level)}
                            put(*here, "score", clean - loss * (clean - 1 / 3), **at)
                        at = {"perturbation": name, "locus": locus}
                        put(*here, "robustness_area", 0.6 + 0.02 * rng.normal(), **at)
                        if name == "shuffle":
                            put(*here, "timing_index", 0.9 + 0.02 * rng.normal(), **at)
                        if name == "jitter":
                            put(*here, "sigma50", 0.21 + 0.01 * rng.normal(), **at)
                        if variant.role == "spiking":
                            lead = -0.1 + 0.02 * rng.normal()
                            at["locus"] += "/mlp"
                            put(*here, "robustness_advantage", lead, **at)
                if variant.role == "spiking":
                    put(*here, "density", 0.6)
                    put(*here, "score_difference", 0.001 * rng.normal())
                    if experiment.kind == "classification":
                        put(*here, "t95", 1.1 + 0.03 * rng.normal())
                        put(*here, "speed_area", 0.7)
                        put(*here, "information_per_spike", 0.021)
                    for place, model in enumerate(settings["energy"]["models"]):
                        ratio = 0.2 * 2.0**place * np.exp(0.1 * rng.normal())
                        at = {"perturbation": model["id"], "locus": "mlp"}
                        put(*here, "energy_ratio", ratio, **at)
                        put(*here, "density_break_even", 0.25 * 2.0**place, **at)
                    for factor in ("weight memory", "control"):
                        for setting, value in (("low", 0.4), ("high", 3.0)):
                            at = {"perturbation": f"{factor}={setting}", "locus": "mlp"}
                            put(*here, "energy_ratio_variation", value, **at)
    _special(talk, put, rng)
    loci = {
        (row["experiment"], row["variant"], row["perturbation"], row["strength"]): row["locus"]
        for row in rows.values()
    }
    for claim in registered:
        _fulfil(claim, put, loci, rng)
    return list(rows.values())


def _fulfil(
    claim: claims.Claim, put: Any, loci: Mapping[tuple, str], rng: np.random.Generator
) -> None:
    """Rows from which a claim can be judged: near the published value, the control far from it.

    Where the claim names no locus, that of an invented row at the same place is kept.
    """
    value = claim.published if claim.published is not None else 1.0
    places = [(claim.where, value)]
    if claim.versus is not None:
        base = 0.9 if claim.test != "ratio" else 1.0
        other = base - value if claim.test != "ratio" else base / value
        places = [(claim.where, base), ({**claim.where, **claim.versus}, other)]
    if claim.negative_control is not None:
        places.append(({**claim.where, **claim.negative_control}, 0.3 * value))
    for place, wanted in places:
        rest = {k: v for k, v in place.items() if k not in ("experiment", "variant")}
        if "perturbation" in rest and "locus" not in rest:
            key = [rest["perturbation"], float(rest.get("strength", 0.0))]
            rest["locus"] = loci.get((place["experiment"], place["variant"], *key), "")
        for seed in SEEDS:
            noisy = wanted + 0.004 * abs(wanted) * rng.normal()
            if claim.metric in claims.PROPORTIONS:
                noisy = float(np.clip(noisy, 0, 1))
            put(place["experiment"], place["variant"], seed, claim.metric, noisy, **rest)


def _special(talk: registry.Talk, put: Any, rng: np.random.Generator) -> None:
    """What only the signature figures of one talk need."""
    if talk.name == "goeltz":
        variants = talk.experiments["distortion"].variants
        for seed in SEEDS:
            for place, variant in enumerate(variants):
                put("distortion", variant, seed, "accuracy", 0.955)
                for kind, locus, levels in (
                    ("quantise", "weights", (6, 5, 4, 3)),
                    ("clip", "weights", (0.6, 0.4, 0.2)),
                    ("tau_spread", "neurons", (0.05, 0.1, 0.3)),
                    ("jitter", "input", (0.01, 0.05, 0.2)),
                ):
                    for step, level in enumerate(levels):
                        value = 0.95 - (0.06 if place else 0.12) * step + 0.01 * rng.normal()
                        at = {"perturbation": kind, "locus": locus, "strength": float(level)}
                        put("distortion", variant, seed, "accuracy", value, **at)
    if talk.name == "comsa":
        for seed in SEEDS:
            for experiment in ("mnist_slow", "mnist_fast"):
                for probe, locus, strength in (
                    ("same_time", "input", 1.0),
                    ("swap_pixels", "input", 1.0),
                    *(
                        ("layer_jitter", where, x)
                        for where in ("input", "hidden")
                        for x in (0.02, 0.2)
                    ),
                ):
                    at = {"perturbation": probe, "locus": locus, "strength": strength}
                    kept = 0.99 - strength * (0.5 * (locus == "hidden")) + 0.002 * rng.normal()
                    put(experiment, "spiking", seed, "normalised_score", kept, **at)
            for variant in ("mlp", "ink", "linear"):
                put("mnist_slow", variant, seed, "accuracy", 0.97 + 0.002 * rng.normal())
    if talk.name == "bohte":
        for seed in SEEDS:
            for name in ("timescales", "published_rate"):
                for variant in talk.experiments[name].variants:
                    put(name, variant, seed, "accuracy", 0.8 + 0.01 * rng.normal())
            for place, variant in enumerate(talk.experiments["sparse"].variants):
                put("sparse", variant, seed, "accuracy", 0.85 - 0.01 * place)
                put("sparse", variant, seed, "activation_sparsity", 0.8 + 0.05 * place)
            for variant in ("gru", "rnn", "linear"):
                put("ecg", variant, seed, "accuracy", 0.85 + 0.01 * rng.normal(), engine="jax")
    if talk.name == "clopath":
        for seed in SEEDS:
            for experiment in ("ode", "episode"):
                for speed in (0.5, 1, 2, 4, 8, -1, -2):
                    value = 0.97 / abs(speed) ** 0.3 - 0.3 * (speed < 0) + 0.02 * rng.normal()
                    at = {"perturbation": "clock", "locus": "input", "strength": float(speed)}
                    put(experiment, "spiking", seed, "correlation", value, **at)
            for septum in (7.5, 8.0, 8.25):
                predicted = 8.5 / (8.5 + 0.03 * rng.normal() - septum)
                at = {"perturbation": "septum", "locus": "input", "strength": septum}
                put("shot", "spiking", seed, "compression_prediction", predicted, **at)
                measured = predicted * np.exp(0.05 * rng.normal())
                put("shot", "spiking", seed, "compression", measured, **at)


def _history(talk: registry.Talk) -> pd.DataFrame:
    epochs = np.unique(np.round(np.geomspace(1, 300, 40)))
    rows = [
        (experiment.name, variant.name, seed, int(epoch), metric, value + slope / epoch)
        for experiment in talk.experiments.values()
        for variant in experiment.variants.values()
        for seed in SEEDS
        for epoch in epochs
        for metric, value, slope in (
            ("validation_accuracy", 0.96, -0.4),
            ("decision_tick", 90.0, 60.0),
            ("validation_decision_ms", 20.0, 8.0),
        )
    ]
    return pd.DataFrame(rows, columns=pd.Index(tables.HISTORY_COLUMNS))


def exhibits(experiment: registry.Experiment) -> dict[str, np.ndarray]:
    """Arrays behind the signature figures of one experiment."""
    rng = np.random.default_rng(3)
    made: dict[str, np.ndarray] = {}
    if experiment.kind == "classification":
        time = np.linspace(0, 4, 101)
        made["anytime.time_ms"] = time
        for seed in SEEDS:
            steep = 1 / (1 + np.exp(-8 * (time - 1 - 0.03 * seed)))
            made[f"anytime.spiking.{seed}"] = 1 / 3 + 0.62 * steep
    made |= _yinyang(rng) if experiment.name == "yinyang" else {}
    made |= _labelled(rng) if experiment.name == "ecg" else {}
    made |= _digit(rng) if experiment.name == "mnist_strict" else {}
    made |= _bursts(rng) if experiment.name == "xor" else {}
    made |= _latencies(rng) if experiment.name in ("mnist_slow", "mnist_fast") else {}
    if experiment.name == "boolean":
        made["boolean.accuracy"] = 1 - 0.02 * rng.random((3, 16))
    if experiment.name in ("sine", "sawtooth", "product"):
        time = np.arange(0, 12000.0)
        target = np.sin(2 * np.pi * 5 * time / 1000)
        output = np.where(time < 5000, 0.3 * rng.normal(size=time.size), target)
        made |= {"training.time_ms": time, "training.output": output, "training.target": target}
        made["training.rls_ms"] = np.array([5000.0, 10000.0])
        made |= {"replay.time_ms": time[:5000], "replay.output": target[:5000, None]}
        made["replay.target"] = target[:5000, None]
        made["raster.spike_ms"] = rng.uniform(0, 1000, 2000)
        made["raster.neuron"] = rng.integers(0, 60, 2000)
    if experiment.name in ("ode", "episode"):
        time = np.arange(0, 4000.0)
        target = np.stack(
            [np.clip(np.sin(2 * np.pi * (time / 2000 - k / 5)), 0, 1) for k in range(5)], axis=1
        )
        noisy = target + 0.05 * rng.normal(size=target.shape)
        made |= {"replay.time_ms": time, "replay.output": noisy, "replay.target": target}
    return made | (_sequence(rng) if experiment.name == "shot" else {})


def _yinyang(rng: np.random.Generator) -> dict[str, np.ndarray]:
    axis = np.linspace(0, 1, 41)
    x, y = np.meshgrid(axis, axis)
    wave = 0.18 * np.sin(2 * np.pi * (x - 0.5))
    dots = np.minimum(np.hypot(x - 0.25, y - 0.5), np.hypot(x - 0.75, y - 0.5))
    first = np.stack([1 + y - wave, 2 - y + wave, 0.9 + 6 * dots], axis=2)
    first[first > 2.2] = np.inf
    time = np.arange(0, 4, 0.01)
    ramp = np.outer(time * np.exp(-time) * 2.7, [1.05, 0.6, -0.4])
    hidden = np.where(rng.random(120) < 0.7, rng.uniform(0.3, 2.2, 120), np.inf)
    return {
        "map.axis": axis,
        "map.first_ms": first,
        "trace.time_ms": time,
        "trace.v_output": ramp,
        "trace.v_hidden": np.outer(time * np.exp(-time) * 2.7, rng.uniform(-0.5, 1.1, 6)),
        "trace.input_ms": np.array([0.3, 1.2, 1.6, 0.7, 0.9]),
        "trace.hidden_ms": hidden,
        "trace.output_ms": np.array([1.1, np.inf, np.inf]),
        "trace.target": np.array(0),
    }


def _labelled(rng: np.random.Generator) -> dict[str, np.ndarray]:
    labels = np.repeat(np.tile(np.arange(6), 10), 24)[:1301]
    units, rates = np.array([8, 36, 200, 2000]), np.array([0.3, 0.01])
    made = {
        "record.step_ms": np.array(4.0),
        "record.voltage_mv": rng.normal(0, 0.3, (1301, 2)),
        "record.events": rng.random((1301, 4)) < 0.07,
        "record.labels": labels,
        "record.choices": np.where(rng.random(1301) < 0.1, 0, labels),
        "record.accuracy": np.array(0.9),
        "record.spikes": rng.random((1301, 36)) < 0.2,
        "record.eta": rng.random((1301, 3)) * [0.2, 0.3, 0.4],
        "record.eta_tau_ms": np.array([40.0, 300.0, 2000.0]),
        "formula.units": units,
        "formula.rates": rates,
        "formula.ratio": np.outer([0.4, 2.0], units),
        "formula.measured": np.array([36, 0.2, 60.0]),
    }
    for kind, count in (("mem", 108), ("adapt", 108), ("out", 18)):
        made[f"tau.start.{kind}_ms"] = np.full(count, 80.0)
        made[f"tau.end.{kind}_ms"] = np.exp(rng.normal(5, 1, count))
    return made


def _digit(rng: np.random.Generator) -> dict[str, np.ndarray]:
    edges, ticks = np.arange(0, 265, 8), np.arange(0, 256, 2)
    made = {
        "digit.image": rng.uniform(0, 1, (28, 28)),
        "digit.target": np.array(3),
        "digit.input": rng.integers(0, 257, 784),
        "digit.hidden": rng.integers(2, 257, 400),
        "digit.output": np.array([256, 120, 99, 70, 256, 81, 256, 200, 256, 130]),
        "filters.weights": rng.normal(0, 10, (16, 28, 28)),
        "decided.tick": edges,
        "forced.tick": ticks,
    }
    for seed in SEEDS:
        made[f"decided.share.{seed}"] = np.full(33, 1 / 33)
        made[f"forced.accuracy.{seed}"] = 0.97 - 0.87 * np.exp(-ticks / (30.0 + seed))
        made[f"ties.share.{seed}"] = np.array(0.01)
        made[f"parity.times.{seed}"] = np.array(1.0)
    return made


def _bursts(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Those of naud's XOR network."""
    time, epoch = np.arange(0, 1200.0, 2), np.array([0, 30, 60, 90, 100, 110, 120, 121])
    wave = np.sin(time / 40)
    sign = np.array([-1, 1, 1, -1])
    made = {
        "trace.time_ms": time,
        "trace.soma_mv": -60 + 8 * wave,
        "trace.dendrite_mv": -58 + 6 * wave,
        "trace.threshold_mv": np.full(time.size, -49.0),
        "trace.event_ms": np.arange(50, 1200, 90.0),
        "trace.burst_ms": np.array([240.0, 510, 600]),
        "trace.step_ms": np.array([400.0, 800.0]),
        "trace.step_pa": np.array(1000.0),
        "output.bin_ms": np.array(200.0),
        "output.before": rng.uniform(6, 10, 80),
        "output.after": np.repeat(6 + 2.5 * sign, 20) + rng.normal(0, 0.4, 80),
        "weights.edges": np.linspace(0, 0.6, 61),
        "weights.counts": rng.integers(0, 500, (6, 60)),
        "weights.mean": np.linspace(0.15, 0.32, 6),
        "weights.start": np.array(0.234),
    }
    for when in ("start", "trained"):
        gradient = rng.normal(size=(4, 6))
        made[f"alignment.{when}.gradient"] = gradient
        made[f"alignment.{when}.rule"] = gradient + 0.5 * rng.normal(size=(4, 6))
    for variant in ("spiking", "no_feedback", "homeostasis_flipped"):
        for seed in SEEDS:
            learned = (variant == "spiking") * np.clip(epoch / 90, 0, 1)
            output = 6 + 2 * learned[:, None] * sign + rng.normal(0, 0.2, (epoch.size, 4))
            place = f"{variant}.{seed}"
            made |= {
                f"tests.epoch.{place}": epoch,
                f"tests.rates.{place}": np.repeat(output[:, :, None], 5, axis=2),
                f"credit.{place}": np.outer([0, 0, 0.1, -0.1, 0.3], sign),
                f"updates.{place}": rng.normal(-0.01, 0.02, (480, 5, 2)),
                f"predicted.{place}": rng.uniform(1, 4, (480, 5)),
            }
    return made


def _latencies(rng: np.random.Generator) -> dict[str, np.ndarray]:
    time = np.linspace(0, 40, 400)
    centre = np.arange(-40, 40)
    share = np.exp(-0.5 * ((centre + 15) / 4.0) ** 2)
    late = np.outer(time - 20, np.linspace(0.02, 0.1, 10))
    return {
        "digit.target": np.array(9),
        "digit.input_ms": np.where(rng.random(784) < 0.2, rng.random(784), np.inf),
        "digit.hidden_ms": rng.exponential(3, 340),
        "digit.output_ms": np.linspace(40, 22, 10),
        "digit.input_pulses_ms": np.linspace(0.1, 15, 10),
        "digit.hidden_pulses_ms": np.linspace(5, 50, 10),
        "digit.time_ms": time,
        "digit.v_output": late + 0.2,
        "digit.v_without": late - 0.5,
        "relative.edges_ms": np.arange(-40, 41.0),
        "relative.share": share / share.sum(),
        "relative.decision_ms": rng.normal(20, 2, 200),
        "start.means": np.linspace(0.3, -0.3, 7),
        "start.pulses_ms": np.array([[0.1, 0.9], [10.0, 50.0]]),
        "start.first_ms": np.array([[0.6] * 7, [1.5, 1.6, 1.7, 2.0, 15.0, 20.0, np.inf]]),
    }


def _sequence(rng: np.random.Generator) -> dict[str, np.ndarray]:
    n, beat, rhythm, off = 200, 0.55, 8.5, 6000.0
    phase = rng.uniform(-np.pi, np.pi, n)
    spikes, units = [], []
    for neuron in range(n):
        for start, stop, hz, count in ((0, off, beat, 7), (off, 8000, rhythm, 2)):
            cycle = 1000 / hz
            centres = np.arange(start, stop, cycle) + (phase[neuron] / (2 * np.pi) % 1) * cycle
            times = (
                centres[:, None] + 0.06 * cycle * rng.normal(size=(centres.size, count))
            ).ravel()
            spikes.append(times[(times > start) & (times < stop)])
            units.append(np.full(spikes[-1].size, neuron))
    return {
        "sequence.spike_ms": np.concatenate(spikes),
        "sequence.neuron": np.concatenate(units),
        "sequence.phase": phase,
        "sequence.off_ms": np.array(off),
        "sequence.beat_hz": np.array(beat),
        "sequence.rhythm_hz": np.array(rhythm),
    }


def _manifest(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "commit": "0" * 40,
        "uncommitted_changes": True,
        "scale": settings["scale"],
        "command": "snakemake",
        "config": settings,
        "config_sha256": "f" * 64,
        "python": "3.13.0",
        "versions": {"brian2": "2.10", "numpy": "2.3"},
        "machine": {"cpu": "a processor", "system": "Linux", "arch": "x86_64"},
        "talks": {
            name: {"jobs": 9, "wall_seconds": 100.0, "cpu_seconds": 90.0, "max_rss_mb": 512.0}
            for name in registry.available()
        },
        "data": {"mnist": {"provenance": "original", "sha256": {"train": "a" * 64}}},
    }
