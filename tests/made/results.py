"""A made-up results folder: numbers invented for the tests of the report, measured by nobody."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from made.exhibits import SEEDS, exhibits

from whyspiking.declared import registry
from whyspiking.records import array_files, columns, tables, whole_files
from whyspiking.records.glossary import GLOSSARY
from whyspiking.report.talk_page import TalkPage
from whyspiking.stages import collect, compare
from whyspiking.verdicts import judge

ROOT = Path(__file__).parents[2]


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
    for name in names:
        talk = registry.load_talk(name)
        registered = judge.load(talk.folder / "claims.yaml", talk)
        table = pd.DataFrame(_metrics(talk, registered, scale, settings))
        tables.write_metrics(table, folder / name / "metrics.csv")
        tables.write_csv(_history(talk), folder / name / "history.csv")
        judged = judge.judge_all(table, registered, talk, scale)
        tables.write_csv(judged, folder / name / "verdicts.csv")
        collect.summarise_talk(table, talk, folder / name)
        for experiment in talk.experiments.values():
            own = folder / name / experiment.name
            array_files.save_arrays(exhibits(experiment), own / "exhibits.npz")
            tables.write_metrics(
                tables.where(table, experiment=experiment.name), own / "metrics.csv"
            )
    compare.summarise(names, settings, folder)
    durations = [
        {"scale": scale, "rule": "simulate", "talk": name, "experiment": experiment, "variant": ""}
        | {"dataset": "", "seconds": 9.0, "cpu_seconds": 8.0, "jobs": 1, "unit": 1.0}
        for name in names
        for experiment in registry.load_talk(name).experiments
    ]
    tables.write_csv(columns.DURATIONS.table(durations), folder / "durations.csv")
    made = _manifest({**settings, "talks": list(names)})
    (folder / "manifest.json").write_text(json.dumps(made), encoding="utf-8")
    return folder


def make_talk_pages(folder: Path, scale: str = "default") -> None:
    """Write of every talk's page what the page of the run shows of it: its signature figures."""
    for path in sorted(folder.glob("*/verdicts.csv")):
        page = TalkPage.open(folder, path.parent.name, scale)
        whole_files.write(path.with_name("report.html"), page.head())


def _metrics(
    talk: registry.Talk, registered: list[judge.Claim], scale: str, settings: Mapping[str, Any]
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
            "unit": GLOSSARY[metric].unit,
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
                put(*here, "train_seconds", 9.0 if variant.role == "spiking" else 2.0)
                put(*here, "normalised_score", 1.0)
                if experiment.shared is not None:
                    put(*here, "accuracy", clean)
                    put(*here, "train_cpu_seconds", 3.0)
                    if variant.role in ("spiking", "ablation"):
                        put(*here, "spikes_hidden", 40.0 + rng.normal())
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
    claim: judge.Claim, put: Any, loci: Mapping[tuple, str], rng: np.random.Generator
) -> None:
    """Rows from which a claim can be judged: near the published value, the control far from it.

    Where the claim names no locus, that of an invented row at the same place is kept.
    """
    value = 1.0 if claim.published.value is None else claim.published.value
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
            if claim.metric in judge.PROPORTIONS:
                noisy = float(np.clip(noisy, 0, 1))
            put(place["experiment"], place["variant"], seed, claim.metric, noisy, **rest)


def _special(talk: registry.Talk, put: Any, rng: np.random.Generator) -> None:
    """What only the signature figures of one talk need."""
    if talk.name == "goeltz":
        for seed in SEEDS:
            for kind, level in (("fixed_point", 4.0), ("tau_shift", 2.0), ("jitter", 0.1)):
                at = {"perturbation": kind, "locus": "weights", "strength": level}
                put("substrates", "adapted", seed, "loss_recovered", 0.6 + 0.1 * rng.random(), **at)
                for place, variant in enumerate(talk.experiments["substrates"].variants):
                    value = 0.9 - 0.1 * place + 0.01 * rng.normal()
                    put("substrates", variant, seed, "accuracy", value, **at)
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
            for name in ("timescales",):
                for variant in talk.experiments[name].variants:
                    put(name, variant, seed, "accuracy", 0.8 + 0.01 * rng.normal())
            for place, variant in enumerate(talk.experiments["sparse"].variants):
                put("sparse", variant, seed, "accuracy", 0.85 - 0.01 * place)
                put("sparse", variant, seed, "activation_sparsity", 0.8 + 0.05 * place)
            for variant in ("gru", "rnn", "traces", "linear"):
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
            ):  # fmt: skip
                for layer in (1, 2, 3):
                    score = 0.93 + 0.01 * layer + 0.002 * rng.normal()
                    put(name, variant, seed, f"accuracy_layer{layer}", score)
                    put(name, variant, seed, f"activity_layer{layer}", 0.04 * layer)
            for variant in talk.experiments["continual"].variants:
                put("continual", variant, seed, "accuracy", 0.2 + 0.7 * (variant[0] == "j"))
                put("continual", variant, seed, "accuracy_told", 0.6 + 0.01 * rng.normal())
            for level in (0.0, 0.4, 0.8):
                at = {"perturbation": "device", "locus": "neurons", "strength": level}
                for metric, lost in (
                    ("accuracy_designed", 0.0), ("accuracy_built", 0.3), ("accuracy_relearned", 0.1)
                ):  # fmt: skip
                    put("mismatch", "spiking", seed, metric, 0.95 - lost * level, **at)
                put("mismatch", "spiking", seed, "lost", 0.3 * level, **at)
                put("mismatch", "spiking", seed, "gained", 0.2 * level, **at)
                put("mismatch", "spiking", seed, "above_half_way", 0.05 * level, **at)
    if talk.name == "clopath":
        for seed in SEEDS:
            for experiment in ("ode", "episode"):
                for speed in (0.5, 1, 2, 4, 8, -1, -2):
                    value = 0.97 / abs(speed) ** 0.3 - 0.3 * (speed < 0) + 0.02 * rng.normal()
                    at = {"perturbation": "clock", "locus": "input", "strength": float(speed)}
                    put(experiment, "spiking", seed, "correlation", value, **at)
            for kind, septum, order in (
                ("septum", 7.5, 0.98), ("septum", 8.25, 0.97), ("septum", 8.5, 0.5),
                ("septum_constant", 1.0, 0.1), ("not_released", 1.0, None), ("none", None, 0.99),
            ):  # fmt: skip
                at = {"perturbation": kind, "locus": "input", "strength": septum}
                at = {} if kind == "none" else at
                rate = 0.0 if kind == "not_released" else 20.0
                put("shot", "spiking", seed, "replay_rate", rate, **at)
                if order is not None:
                    own = 8.5 + 0.03 * rng.normal()
                    put("shot", "spiking", seed, "order_correlation", order, **at)
                    slow = abs(own - (septum or 8.0))
                    put("shot", "spiking", seed, "compression", own / slow, **at)


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
            *((f"alignment_layer{k}", 0.3 * k, 0.1) for k in (1, 2, 3)),
            *((f"alignment_layer{k}_permuted", 0.1 * k, 0.1) for k in (1, 2, 3)),
            ("nmse", 0.005, 0.9),
            ("samples", 20_000.0 * epoch, 0.0),
            ("updates", 800.0 * epoch, 0.0),
            *((f"told_lesson{k}", 0.9 - 0.02 * k, 0.05) for k in (1, 2, 3, 4, 5)),
            ("memory_local", 2e6, 0.0),
            *((f"nmse_layer{k}", 1.0 / epoch, 0.0) for k in (1, 2, 3)),
            ("memory_end_to_end", 6e5 * epoch, 0.0),
        )
    ]
    return pd.DataFrame(rows, columns=pd.Index(columns.HISTORY.names))


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
        "machine": {"cpu": "a processor", "system": "Linux", "arch": "x86_64", "unit": 1.5},
        "talks": {
            name: {"jobs": 9, "wall_seconds": 100.0, "cpu_seconds": 90.0, "max_rss_mb": 512.0}
            for name in registry.available()
        },
        "data": {"mnist": {"provenance": "original", "sha256": {"train": "a" * 64}}},
    }
