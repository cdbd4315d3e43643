"""A made-up results folder: numbers invented for the tests of the report, measured by nobody."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from made.exhibits import SEEDS, exhibits
from made.project import config

from whyspiking.declared import registry
from whyspiking.declared.shared_tasks import shared_tasks
from whyspiking.records import array_files, columns, tables
from whyspiking.records.glossary import GLOSSARY
from whyspiking.running import jobs
from whyspiking.stages import collect, compare
from whyspiking.talks.ground.protocol import protocol as floors_of_the_ground
from whyspiking.verdicts import judge


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
            array_files.save_arrays(exhibits(experiment), own / "figure_data.npz")
            tables.write_metrics(
                tables.where(table, experiment=experiment.name), own / "metrics.csv"
            )
    counted = registry.counted(names)
    compare.summarise(counted, settings, folder, registry.with_protocol(names))
    durations = [
        {"scale": scale, "rule": "simulate", "talk": name, "experiment": experiment, "variant": ""}
        | {"dataset": "", "seconds": 9.0, "cpu_seconds": 8.0, "n_jobs": 1, "speed_factor": 1.0}
        for name in names
        for experiment in registry.load_talk(name).experiments
    ]
    tables.write_csv(columns.DURATIONS.table(durations), folder / "durations.csv")
    made = _manifest({**settings, "talks": counted})
    (folder / "manifest.json").write_text(json.dumps(made), encoding="utf-8")
    return folder


def log_a_training(folder: Path) -> None:
    """Let one job of a run have said what it used."""
    log = folder / "logs" / "train" / "goeltz" / "yinyang" / "spiking" / "seed-0.log"
    log.parent.mkdir(parents=True)
    log.write_text(jobs.USED.format(total=11.0, start=0.5) + "\n")


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
            "location": "",
            "strength": 0.0,
            "metric": metric,
            "value": float(value),
            "unit": GLOSSARY[metric].unit,
            "n_trials": 500,
            **place,
        }
        rows[tuple(row[key] for key in list(row)[:10])] = row

    for experiment in talk.experiments.values():
        for variant in experiment.variants.values():
            for seed in SEEDS:
                clean = 0.95 - 0.25 * (variant.role == "negative_control") + 0.01 * rng.normal()
                for metric, value, place in (
                    *_clean(experiment, variant, clean, rng),
                    *_perturbed(experiment, variant, clean, settings["robustness_tests"], rng),
                ):
                    put(experiment.name, variant.name, seed, metric, value, **place)
    for name, kind, metric, value, place in _of_figures(talk):
        for seed in SEEDS:
            put(name, kind, seed, metric, value + 0.004 * rng.normal(), **place)
    for name, kind, metric, value, place in _references(talk):
        for seed in SEEDS:
            put(name, kind, seed, metric, value * (1 + 0.01 * rng.normal()), **place)
    locations = {
        (row["experiment"], row["variant"], row["perturbation"], row["strength"]): row["location"]
        for row in rows.values()
    }
    for claim in registered:
        _fulfil(claim, put, locations, rng)
    return list(rows.values())


COUNTS = {
    "spikes": 60.0, "syn_events": 900.0, "synapses": 500.0, "neuron_updates": 2000.0,
    "neuron_updates_event": 700.0,
}  # fmt: skip
"""Of a network with spikes."""
Measured = Iterator[tuple[str, float, dict[str, Any]]]
"""Metric, value, and where, if it is not the clean run of the whole network."""


def _clean(experiment: Any, variant: Any, clean: float, rng: np.random.Generator) -> Measured:
    spiking = variant.role in ("spiking", "ablation")
    found = {
        "score": clean,
        "chance": 1 / 3,
        "train_cpu_seconds": 9.0 if variant.role == "spiking" else 2.0,
        "normalised_score": 1.0,
    }
    if experiment.shared is not None or experiment.talk == "ground":
        found |= {"accuracy": clean}
        found |= {"spikes_hidden": 40.0 + rng.normal(), **COUNTS} if spiking else {}
        found |= {} if spiking else {"updates_clock_driven": 2000.0, "acs": 900.0}
    if variant.role == "spiking":
        found |= {"density": 0.6, "score_difference": 0.001 * rng.normal()}
        if experiment.kind == "classification":
            found |= {"t95": 1.1 + 0.03 * rng.normal(), "speed_area": 0.7}
            found["information_per_spike"] = 0.021
    yield from ((metric, value, {}) for metric, value in found.items())


def _references(talk: registry.Talk) -> Iterator[tuple[str, str, str, float, dict[str, Any]]]:
    """Trained networks on the tasks that all share: the larger, the better and the dearer."""
    families = {"lif": 1.0, "leaky_units": 0.8, "gru": 5.0, "relu": 0.1}
    for task in shared_tasks() if registry.with_protocol([talk.name]) else ():
        for (family, dear), units in itertools.product(families.items(), (2, 8, 32)):
            place = {
                "engine": "jax",
                "perturbation": "spike_penalty_0.001",
                "strength": float(units),
            }
            accuracy = 0.95 - 0.3 / units
            values = {"accuracy": accuracy, "validation_accuracy": accuracy}
            values |= dict.fromkeys(
                ("acs", "updates_event_driven", "n_parameters"), 900 * dear * units
            )
            values |= dict.fromkeys(
                ("updates_clock_driven", "n_messages", "binary_messages"), 950 * dear * units
            )
            for metric, value in values.items():
                yield f"{task}_trained", family, metric, value, place


def _perturbed(
    experiment: Any, variant: Any, clean: float, battery: Mapping, rng: np.random.Generator
) -> Measured:
    if variant.role not in ("spiking", "control"):
        return
    steep = 1.0 if variant.role == "spiking" else 0.6
    areas = {"robustness_area": 0.6}
    more = {"shuffle": {"timing_index": 0.9}, "jitter": {"sigma50": 0.21}}
    for name in experiment.perturbations():
        levels = battery.get(name, [1.0])
        for location in ("input", "hidden") if name in ("jitter", "delete") else ("weights",):
            at = {"perturbation": name, "location": location}
            for place, level in enumerate(levels):
                loss = steep * (place + 1) / len(levels) * (0.8 + 0.05 * rng.normal())
                score = clean - loss * (clean - 1 / 3)
                yield "score", score, {**at, "strength": float(level)}
            for metric, value in (areas | more.get(name, {})).items():
                yield metric, value + 0.02 * rng.normal(), at


def _fulfil(
    claim: judge.Claim, put: Any, locations: Mapping[tuple, str], rng: np.random.Generator
) -> None:
    """Rows from which a claim can be judged: near the published value, the control far from it.

    Where the claim names no location, that of an invented row at the same place is kept.
    """
    value = 1.0 if claim.source.value is None else claim.source.value
    places = [(claim.rows, value)]
    if claim.compared_with is not None:
        base = 0.9 if claim.test_type != "ratio" else 1.0
        other = base - value if claim.test_type != "ratio" else base / value
        places = [(claim.rows, base), ({**claim.rows, **claim.compared_with}, other)]
    if claim.negative_control is not None:
        places.append(({**claim.rows, **claim.negative_control}, 0.3 * value))
    for place, wanted in places:
        rest = {k: v for k, v in place.items() if k not in ("experiment", "variant")}
        if "perturbation" in rest and "location" not in rest:
            key = [rest["perturbation"], float(rest.get("strength", 0.0))]
            rest["location"] = locations.get((place["experiment"], place["variant"], *key), "")
        for seed in SEEDS:
            noisy = wanted + 0.004 * abs(wanted) * rng.normal()
            if claim.metric in judge.PROPORTIONS:
                noisy = float(np.clip(noisy, 0, 1))
            if claim.test_type == "share":
                noisy = float(wanted == value and seed % 2)
            put(place["experiment"], place["variant"], seed, claim.metric, noisy, **rest)


def _of_figures(talk: registry.Talk) -> list[tuple[str, str, str, float, dict[str, Any]]]:
    """What only the signature figures of one talk need: network, metric, value and where."""

    def at(perturbation: str, location: str, strength: float) -> dict[str, Any]:
        return {"perturbation": perturbation, "location": location, "strength": strength}

    def variants(experiment: str) -> list[str]:
        return list(talk.experiments[experiment].variants)

    jax = {"engine": "jax"}
    chips = [at("fixed_point", "weights", 4.0), at("tau_shift", "weights", 2.0),
             at("jitter", "weights", 0.1)]  # fmt: skip
    probes = [at("same_time", "input", 1.0), at("swap_pixels", "input", 1.0)]
    probes += [at("layer_jitter", where, x) for where in ("input", "hidden") for x in (0.02, 0.2)]
    budgets = (("nmnist", "spiking"), ("budgets", "batched"), ("budgets", "spiking"))
    layers = [
        (*network, f"{metric}_layer{k}", value, {})
        for network in budgets
        for k in (1, 2, 3)
        for metric, value in (("accuracy", 0.93 + 0.01 * k), ("activity", 0.04 * k))
    ]
    devices = [
        (
            "mismatch",
            "spiking",
            f"accuracy_{stage}",
            0.95 - lost * level,
            at("device", "neurons", level),
        )
        for level in (0.0, 0.4, 0.8)
        for stage, lost in (("designed", 0.0), ("built", 0.3), ("relearned", 0.1))
    ]
    judged = {
        (c.rows["experiment"], c.rows["variant"]) for c in judge.load(talk.folder / "claims.yaml")
    }
    words = {"spiking": (0.8, 0.87), "if_neuron": (0.6, 0.9), "sparse": (0.77, 0.955)}
    made = {
        "ground": lambda: [
            (task, "floors", "accuracy", 0.3, {"engine": "numpy", "perturbation": name})
            for task in floors_of_the_ground().tasks
            for name in floors_of_the_ground().baselines
        ]
        + [
            (task, variant, "accuracy", 0.9, {"engine": built.engine})
            for task, said in floors_of_the_ground().tasks.items()
            for variant, built in said.hand_designed.items()
            if (task, variant) not in judged
        ]
        # Whatever their accuracies are, networks that were built have costs, as trained ones have.
        + [
            (task, variant, metric, 9000.0, {"engine": built.engine})
            for task, said in floors_of_the_ground().tasks.items()
            for variant, built in said.hand_designed.items()
            for metric in (
                "acs", "updates_event_driven", "updates_clock_driven", "n_messages", "n_parameters",
            )
        ],
        "bohte": lambda: [
            *(("timescales", v, "accuracy", 0.8, {}) for v in variants("timescales")),
            *(("ecg", v, "accuracy", 0.85, jax) for v in ("gru", "rnn", "traces", "linear")),
        ],
        "comsa": lambda: [
            *(("mnist_slow", "spiking", "normalised_score", 0.99 - 0.5 * p["strength"] *
               (p["location"] == "hidden"), p) for p in probes),
            *(("regimes", v, "decision_time", 20.0, {}) for v in variants("regimes")),
            *(("regimes", "fixed_pulses", m, 0.0, {}) for m in ("slow_regime", "waits_for_hidden")),
            *(("mnist_slow", v, "accuracy", 0.97, {}) for v in ("mlp", "ink", "linear")),
        ],
        "goeltz": lambda: [
            *(("substrates", "adapted", "loss_recovered", 0.6, chip) for chip in chips),
            *(("substrates", v, "accuracy", 0.9 - 0.1 * k, chip) for chip in chips
              for k, v in enumerate(variants("substrates"))),
            ("released_chip", "neurons", "released_time_explainable", 0.8, {"engine": "compiled"}),
        ],
        "masquelier": lambda: [
            *(("words", v, "accuracy", score, {}) for v, (score, _) in words.items()),
            *(("words", v, "activation_sparsity", s, {}) for v, (_, s) in words.items()),
            ("words", "conv", "accuracy", 0.82, jax),
        ],
        "neftci": lambda: [
            *layers, *devices,
            *(("continual", v, "accuracy", 0.2 + 0.7 * (v[0] == "j"), {})
              for v in variants("continual")),
            *(("continual", v, "accuracy_told", 0.6, {}) for v in variants("continual")),
        ],
    }  # fmt: skip
    return made.get(talk.name, list)()


def _history(talk: registry.Talk) -> pd.DataFrame:
    epochs = np.unique(np.round(np.geomspace(1, 300, 40)))
    told = {f"told_lesson{k}": (0.9 - 0.02 * k, 0.05) for k in range(1, 6)}
    rows = [
        (experiment.name, variant.name, seed, int(epoch), metric, value + slope / epoch)
        for experiment in talk.experiments.values()
        for variant in experiment.variants.values()
        for seed in SEEDS
        for epoch in epochs
        for metric, (value, slope) in {"validation_accuracy": (0.96, -0.4), **told}.items()
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
        "machine": {"cpu": "a processor", "system": "Linux", "arch": "x86_64", "speed_factor": 1.5},
        "talks": {
            name: {"jobs": 9, "wall_seconds": 100.0, "cpu_seconds": 90.0, "max_rss_mb": 512.0}
            for name in registry.available()
        },
        "data": {"mnist": {"provenance": "original", "sha256": {"train": "a" * 64}}},
    }
