"""Collect what the jobs measured: per talk, then over talks; and say how it all was made."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from whyspiking import (
    axes,
    claims,
    contrasts,
    curves,
    datapackage,
    jobs,
    registry,
    scoring,
    sizes,
    store,
    tables,
    whole_files,
)
from whyspiking.contract import Params
from whyspiking.datasets.folders import used_folders
from whyspiking.registry import Talk

VERSIONS_OF = ("brian2", "jax", "numpy", "optax", "pandas", "scipy", "seaborn", "snakemake")


def collect_talk(
    talk: str,
    metrics: Sequence[str | Path],
    facts: Sequence[str | Path],
    config: Mapping[str, Any],
    folder: Path,
) -> None:
    """Stack the tables of one talk, add contrasts between variants, judge its claims.

    Args:
        talk: Name of the talk.
        metrics: Metrics tables of its simulations.
        facts: The network.json files of its networks; what each answered lies beside them.
        config: The run configuration.
        folder: Where metrics.csv, history.csv and verdicts.csv go.
    """
    described = registry.as_measured(registry.load_talk(talk), folder)
    table = tables.read_metrics(metrics)
    scale = config["scale"]
    trained = [row for path in facts for row in _trained_rows(described, Path(path).parent, scale)]
    if trained:
        table = pd.concat([pd.DataFrame(trained), table], ignore_index=True)
    crossed = contrasts.cross_rows(table, described, config)
    if crossed:
        table = pd.concat([table, pd.DataFrame(crossed)], ignore_index=True)
    table = table.sort_values(list(tables.METRICS_COLUMNS[:10]), kind="stable")
    tables.write_metrics(table, folder / "metrics.csv")

    history: list[dict[str, Any]] = []
    unavailable: dict[tuple[str, str], str] = {}
    for path in map(Path, facts):
        network = store.load_network(path.parent)
        experiment, variant, seed = path.parts[-4:-1]
        own = {
            "experiment": experiment,
            "variant": variant,
            "seed": int(seed.removeprefix("seed-")),
        }
        history += [{**own, **entry} for entry in network.history]
        if "unavailable" in network.info:
            unavailable[experiment, variant] = network.info["unavailable"]
    tables.write_csv(
        pd.DataFrame(history, columns=list(tables.HISTORY_COLUMNS)), folder / "history.csv"
    )

    registered = claims.load(described.folder / "claims.yaml", described)
    verdicts = claims.judge_all(
        table, registered, described, config["scale"], unavailable=unavailable
    )
    tables.write_csv(verdicts, folder / "verdicts.csv")


def _trained_rows(talk: Talk, folder: Path, scale: str) -> list[dict[str, Any]]:
    """What is measured of one network in the engine of its training."""
    network = store.load_network(folder)
    if "unavailable" in network.info:
        return []
    name, variant, seed = folder.parts[-3:]
    experiment = talk.experiments[name]
    params = Params(talk.name, name, scale, {}, int(seed.removeprefix("seed-")))
    shared = curves.common(params, variant, params.seed, network.info["engine"])
    rows: list[dict[str, Any]] = []
    for split, outcome in store.load_outcomes(folder / "outcome.npz").items():
        values = scoring.measures(outcome)
        if split == "fresh":
            values = {f"{k}_fresh": v for k, v in values.items() if k == "accuracy"}
        rows += tables.rows(shared, values, scoring.n_trials(outcome))
    stated = dict(network.info.get("measures", {}))
    sizes_of = experiment.sizes.of if experiment.sizes is not None else ()
    if experiment.variants[variant].trained_as in sizes_of:
        stated["parameters"] = sizes.parameters(network)
    costs = ("train_seconds", "epochs", "epoch_seconds")
    stated |= {key: network.info[key] for key in costs if key in network.info}
    rows += tables.rows(shared, stated, 1)
    # As if read from a table, like the rows of simulations: what is computed from both is the same
    # whichever stage measured it.
    return [{**row, "value": float(tables.NUMBER % row["value"])} for row in rows]


def compare_talks(
    metrics: Sequence[str | Path],
    verdicts: Sequence[str | Path],
    config: Mapping[str, Any],
    folder: Path,
) -> None:
    """Put all talks side by side: metrics, verdicts, axes, durations, manifest and data package."""
    table = tables.read_metrics(metrics)
    tables.write_metrics(table, folder / "metrics.csv")
    tables.write_csv(
        pd.concat([tables.read_csv(Path(path), keep_default_na=False) for path in verdicts]),
        folder / "verdicts.csv",
    )
    tables.write_csv(axes.contrasts(table, config), folder / "axes.csv")
    timed = _benchmarks(folder)
    tables.write_csv(_durations(timed), folder / "durations.csv")
    text = json.dumps(_manifest(config, timed), indent=1, sort_keys=True) + "\n"
    whole_files.write(folder / "manifest.json", text)
    datapackage.write(folder)


def _benchmarks(folder: Path) -> pd.DataFrame:
    """Wall seconds, CPU seconds and peak memory (MB) of every job that Snakemake timed.

    CPU seconds are those that the job's log states, programs that it ran included.
    """
    rows = []
    for path in sorted(folder.glob("*/*/**/benchmark.tsv")):
        parts = path.relative_to(folder).parts
        trained = len(parts) == 5
        rule = "train" if trained else "simulate"
        try:
            measured = pd.read_csv(path, sep="\t", na_values=["-"]).iloc[0]
            costs = {"seconds": float(measured["s"]), "max_rss_mb": float(measured["max_rss"])}
        except (ValueError, KeyError, IndexError):
            # Durations decide no result: a damaged one is left out, not worth a rerun.
            continue
        cpu_seconds, startup_seconds = jobs.used(
            (folder / "logs" / rule / Path(*parts[:-1])).with_suffix(".log")
        )
        rows.append(
            {
                "rule": rule,
                "talk": parts[0],
                "experiment": parts[1],
                "variant": parts[2] if trained else "",
                **costs,
                "cpu_seconds": cpu_seconds,
                "startup_seconds": startup_seconds,
            }
        )
    columns = ["rule", "talk", "experiment", "variant", "seconds", "cpu_seconds"]
    return pd.DataFrame(rows, columns=[*columns, "startup_seconds", "max_rss_mb"])


def _durations(timed: pd.DataFrame) -> pd.DataFrame:
    """Mean duration of each kind of job, what the progress display estimates from, and CPU time."""
    kinds = timed.groupby(["rule", "talk", "experiment", "variant"])
    means = kinds[["seconds", "cpu_seconds"]].mean().round(1)
    return means.assign(jobs=kinds.size()).reset_index()


def _manifest(config: Mapping[str, Any], timed: pd.DataFrame) -> dict[str, Any]:
    per_talk = {
        str(talk): {
            "jobs": len(part),
            "wall_seconds": round(float(part["seconds"].sum()), 1),
            "cpu_seconds": round(float(part["cpu_seconds"].sum()), 1),
            "startup_cpu_seconds": round(float(part["startup_seconds"].sum()), 1),
            "max_rss_mb": round(float(part["max_rss_mb"].max()), 1),
        }
        for talk, part in timed.groupby("talk")
    }
    described = json.dumps(config, sort_keys=True, default=str)
    data = {}
    used = used_folders(config["data"])
    for path in sorted(Path(config["data"]["folder"]).glob("*/meta.json")):
        if path.parent.name not in used:
            continue
        meta = whole_files.read_json(path, "provenance", "sha256")
        data[path.parent.name] = {"provenance": meta["provenance"], "sha256": meta["sha256"]}
    return {
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted_changes": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "scale": config["scale"],
        "command": f"snakemake --configfile config/{config['scale']}.yaml"
        if config["scale"] != "default"
        else "snakemake",
        "config": json.loads(described),
        "config_sha256": hashlib.sha256(described.encode()).hexdigest(),
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in VERSIONS_OF},
        "machine": {"cpu": _cpu(), "system": platform.system(), "arch": platform.machine()},
        "talks": per_talk,
        "data": data,
    }


def _git(*words: str) -> str | None:
    """Output of a git command; None outside a checkout or without git."""
    try:
        done = subprocess.run(["git", *words], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _cpu() -> str:
    """The processor's name as the system gives it."""
    path = Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
