"""A made-up results folder: numbers invented for the tests of the report, measured by nobody."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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


def make_results(folder: Path, scale: str = "default", talks: Sequence[str] = ()) -> Path:
    """Write every table and exhibit that the report reads.

    Args:
        folder: Of the run.
        scale: Its scale.
        talks: Names of the talks; all of the project where none is given.
    """
    settings, names = config(scale), talks or registry.available()
    verdicts, metrics = [], []
    for name in names:
        talk = registry.load_talk(name)
        registered = claims.load(talk.folder / "claims.yaml", talk)
        table = pd.DataFrame(_metrics(talk, registered, scale, settings))
        tables.write_metrics(table, folder / name / "metrics.csv")
        tables.write_csv(_history(talk), folder / name / "history.csv")
        judged = claims.judge_all(table, registered, talk, scale)
        tables.write_csv(judged, folder / name / "verdicts.csv")
        for experiment in talk.experiments.values():
            own = folder / name / experiment.name
            store.save_arrays(exhibits(experiment), own / "exhibits.npz")
            tables.write_metrics(
                tables.where(table, experiment=experiment.name), own / "metrics.csv"
            )
        verdicts.append(judged)
        metrics.append(table)
    table = pd.concat(metrics, ignore_index=True)
    tables.write_metrics(table, folder / "metrics.csv")
    tables.write_csv(pd.concat(verdicts), folder / "verdicts.csv")
    tables.write_csv(axes.contrasts(table, settings), folder / "axes.csv")
    durations = [
        {"rule": "simulate", "talk": name, "experiment": experiment, "variant": "", "seconds": 9.0}
        for name in names
        for experiment in registry.load_talk(name).experiments
    ]
    tables.write_csv(pd.DataFrame(durations), folder / "durations.csv")
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
                if experiment.sizes and variant.trained_as in experiment.sizes.of:
                    share = variant.smaller[1] if variant.smaller else 1.0
                    put(*here, "score", clean - 0.1 * (1 - share))
                    put(*here, "parameters", 8000 * share)
                    if variant.role == "spiking":
                        ratio = 1.4 + 0.1 * rng.normal()
                        put(*here, "size_ratio", ratio, locus=list(experiment.sizes.of)[1])
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
                        lag = -0.1 + 0.02 * rng.normal()
                        put(*here, "speed_area_gain", lag, locus="mlp")
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
    if talk.name == "scherr":
        for seed in SEEDS:
            for variant, kept in (("spiking", 1.2e5), ("bptt", 2.7e5)):
                put("evidence", variant, seed, "learning_memory", kept, engine="compiled")
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
    if talk.name == "masquelier":
        for seed in SEEDS:
            for variant, score, sparsity in (
                ("spiking", 0.8, 0.87), ("if_neuron", 0.6, 0.9), ("sparse", 0.77, 0.955),
            ):  # fmt: skip
                put("words", variant, seed, "accuracy", score + 0.01 * rng.normal())
                put("words", variant, seed, "activation_sparsity", sparsity + 0.004 * rng.normal())
            put("words", "conv", seed, "accuracy", 0.82 + 0.01 * rng.normal(), engine="jax")
    if talk.name == "neftci":
        for seed in SEEDS:
            for name, variant in (
                ("nmnist", "spiking"), ("budgets", "batched"), ("budgets", "spiking"),
                ("sparse", "spiking"),
            ):  # fmt: skip
                for layer in (1, 2, 3):
                    score = 0.93 + 0.01 * layer + 0.002 * rng.normal()
                    put(name, variant, seed, f"accuracy_layer{layer}", score)
                    put(name, variant, seed, f"activity_layer{layer}", 0.04 * layer)
            for level in (0.2, 0.4, 0.8):
                at = {"perturbation": "device", "locus": "neurons", "strength": level}
                for metric, lost in (
                    ("accuracy_designed", 0.0), ("accuracy_built", 0.3), ("accuracy_relearned", 0.1)
                ):  # fmt: skip
                    put("mismatch", "spiking", seed, metric, 0.95 - lost * level, **at)
                put("mismatch", "spiking", seed, "lost", 0.3 * level, **at)
                put("mismatch", "spiking", seed, "regained", 0.66, **at)
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
            ("validation_error", 0.03, 0.1),
            *((f"feedback_angle_{layer}", 20.0 + layer, 60.0) for layer in (1, 2, 3)),
            ("train_error", 0.06, 0.4),
            ("alignment_symmetric", 0.7, 0.1),
            ("alignment_random", 0.4, -0.3),
            ("alignment_permuted", 0.0, 0.1),
            ("nmse", 0.005, 0.9),
            ("samples", 20_000.0 * epoch, 0.0),
            ("updates", 800.0 * epoch, 0.0),
            ("memory_local", 2e6, 0.0),
            *((f"nmse_layer{k}", 1.0 / epoch, 0.0) for k in (1, 2, 3)),
            ("memory_end_to_end", 6e5 * epoch, 0.0),
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
    made |= _two_channels(rng) if experiment.name in ("neuron", "multiplexing") else {}
    made |= _pairing(rng) if experiment.name == "plasticity" else {}
    made |= _word(rng) if experiment.name == "words" else {}
    made |= _recording(rng) if experiment.name == "sparse" else {}
    if experiment.name == "regression":
        made["series.target"] = rng.normal(size=(500, 3))
        made["series.output"] = made["series.target"] + 0.2 * rng.normal(size=(500, 3))
        made["series.dt_ms"] = np.array(1.0)
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
    if experiment.talk == "scherr":
        made |= _scherr(rng, experiment.name)
    return made | (_sequence(rng) if experiment.name == "shot" else {})


def _scherr(rng: np.random.Generator, experiment: str) -> dict[str, np.ndarray]:
    time = np.arange(0, 1000.0)
    wave = np.sin(2 * np.pi * time / 1000)
    if experiment == "oneshot":
        path = np.stack([wave, wave[::-1] ** 2], axis=1)[None, ::10].repeat(4, axis=0)
        return {
            "movement.target": path,
            "movement.before": 0.2 * rng.normal(size=path.shape),
            "movement.after": path + 0.1 * rng.normal(size=path.shape),
        }
    if experiment == "pattern":
        made = {"pattern.time_ms": time, "pattern.target": wave}
        for variant, noise in (("untrained", 0.9), ("spiking", 0.05), ("random", 0.07)):
            made[f"pattern.output.{variant}"] = wave + noise * rng.normal(size=time.size)
        return made
    if experiment != "evidence":
        return {}
    return {
        "trial.time_ms": time,
        "trial.input_ms": np.sort(rng.uniform(0, 1000, 300)),
        "trial.input_channel": rng.integers(0, 40, 300),
        "trial.spike_ms": np.sort(rng.uniform(0, 1000, 800)),
        "trial.neuron": rng.integers(0, 100, 800),
        "trial.shown": np.array([60, 71, 88]),
        "trial.threshold": 0.6 + 0.001 * np.outer(time, [0.1, 0.2, 0.3]),
        "trial.eligibility": rng.normal(size=(1000, 3)),
        "trial.synapse_pre": np.array([3, 14, 33]),
        "trial.learning_signal": np.outer(time > 850, [0.3, -0.2, 0.1]),
        "trial.chance_right": 1 / (1 + np.exp(-(time - 900) / 30)),
        "trial.label": np.array(1),
        "trial.n_lif": np.array(50),
        "memory.steps": np.array([250, 1000, 4000]),
        "memory.eprop": np.array([123032] * 3),
        "memory.bptt": np.array([43000, 128000, 470000]),
    }


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


def _two_channels(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Those of naud's uncoupled neurons and of its two ensembles."""
    soma, dendrite = np.linspace(-2e-10, 4e-10, 7), np.linspace(-1e-10, 3.5e-10, 10)
    time = 50.0 * (np.arange(60) + 0.5)
    waves = np.stack([np.sin(time / 80), np.sin(time / 178)], axis=1)
    rate = 6 + 3 * waves[:, 0] + rng.normal(0, 0.5, (5, 60))
    share = 0.3 + 0.1 * waves[:, 1] + rng.normal(0, 0.02, (5, 60))
    signals = {"events": rate, "bursts": rate * share, "probability": share}
    steps = np.arange(4000)
    made = {
        "soma_levels": soma,
        "dendrite_levels": dendrite,
        "event_rate_hz": 6 + 1e10 * soma[:, None] + 0.1 * rng.normal(size=(7, 10)),
        "burst_probability": np.tile(1 / (1 + np.exp(-(dendrite - 1e-10) / 5e-11)), (7, 1)),
        "sigmoid": np.array([0.0, 1.0, 1e-10, 5e-11]),
        "trace.dt_ms": np.array(0.1),
        "trace.soma_current": np.array(5e-10),
        "trace.dendrite_current": np.array([0.0, 3e-10]),
        "time_ms": time,
        "waves": waves,
        "depressing": np.stack([rate, rate], axis=-1),
        "facilitating": np.stack([rate * share, rate * share], axis=-1),
        "raster.spike_ms": rng.uniform(0, 3000, 2000),
        "raster.row": rng.integers(0, 120, 2000),
        "raster.burst": rng.random(2000) < 0.4,
        "raster.neurons": np.array(60),
    }
    made |= {f"{name}_{k}": values for name, values in signals.items() for k in (1, 2)}
    for case in ("weak", "strong"):
        made[f"trace.{case}.soma"] = -0.06 + 0.01 * np.sin(steps / 90)
        made[f"trace.{case}.dendrite"] = -0.05 + 0.01 * np.sin(steps / 90)
        made[f"trace.{case}.spike_ms"] = np.array([40.0, 48, 160])
    return made


def _pairing(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Those of naud's synapse."""
    p, rates = 0.05 * np.arange(10), np.array([5.0, 10.0])
    mean = 0.07 * rates[:, None] ** 2 * (p - 0.2)
    hertz = 5.0 * np.arange(1, 11)
    poisson = 0.1 * (hertz - np.array([[25.0], [45.0]]))
    return {
        "event_rates_hz": rates,
        "burst_probabilities": p,
        "predicted": mean,
        "burst": mean[..., None] + 0.2 * rng.normal(size=(2, 10, 20)),
        "poisson_rates_hz": hertz,
        "poisson_starts": np.array([0.3, 0.5]),
        "poisson": poisson[..., None] + 0.3 * rng.normal(size=(2, 10, 20)),
        "periodic_rates_hz": 10.0 * np.arange(1, 11),
        "periodic": np.where(np.arange(10) < 6, -0.3, 0.1),
        "p_start": np.array(0.2),
    }


def _recording(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Events of one digit and spikes of three layers, as neftci keeps them."""
    made: dict[str, np.ndarray] = {
        "digit.input_t_ms": np.sort(rng.uniform(0, 315, 400)),
        "digit.input_x": rng.integers(0, 34, 400),
        "digit.input_y": rng.integers(0, 34, 400),
        "digit.input_on": rng.integers(0, 2, 400),
        "digit.target": np.array(2),
        "digit.dt_ms": np.array(15.0),
        "digit.readout3": rng.normal(size=(21, 10)) + np.eye(10)[np.full(21, 2)],
    }
    for layer in (1, 2, 3):
        made[f"digit.layer{layer}_t_ms"] = rng.uniform(0, 315, 40)
        made[f"digit.layer{layer}_unit"] = rng.integers(0, 150, 40)
    return made


def _word(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """A spectrum, spikes of three layers and leaks, as the spoken words keep them."""
    mel = rng.normal(size=(101, 40))
    mel[30:70, 10:20] += 3
    made: dict[str, np.ndarray] = {"word.mel": mel, "word.target": np.asarray(3)}
    for k in range(3):
        made[f"word.layer_{k}"] = rng.random((101, 64)) < 0.1
        for seed in SEEDS:
            for variant in ("spiking", "sparse"):
                made.setdefault(f"leak.{variant}.{seed}", 0.5 + 0.4 * rng.random(3))
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
