"""Estimate what a run costs: `python maintain/benchmarks/core_hours.py config/paper.yaml`.

A second name, docs/cluster.md, is a page into which the answer is written, between its marks.

From the mean CPU time of every kind of job, brought to a machine of unit 1
(`results/reference/durations.csv`): as it was measured at the scale in question, whatever number of
networks a simulation had; else at scale full, times how much more work a job has: passes over the
data, samples, steps of time, synapses; for simulations trials, draws and seeds. A product of such
ratios is a rough guess: it ignores caches, parallel batches and early ends.
"""

from __future__ import annotations

import itertools
import json
import math
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from whyspiking.contract.types import Params
from whyspiking.declared import registry
from whyspiking.declared.config import at_scale, read
from whyspiking.records import tables
from whyspiking.records.columns import DURATIONS
from whyspiking.records.tables import Table

REFERENCE = Path("results/reference/durations.csv")
KIND = ["rule", "talk", "experiment", "variant"]
TRAIN_OVERHEAD, SIMULATE_OVERHEAD = 3.0, 20.0
"""Seconds of a job that do not grow: imports; imports and the build of the program."""
POPULATIONS = (
    "n_neurons",
    "n_per_population",
    "n_inhibitory",
    "n_excitatory",
    "n_cells",
    "n_interneurons",
)
"""Parameters that say how many neurons a network without layers has."""
MARKS = ("<!-- core-hours: begin -->", "<!-- core-hours: end -->")
LASTING = ("trial_ms", "predict_ms", "learn_ms")
"""Parameters that together say how long a trial lasts; where none does, `test_ms` does."""


def main(overlay: Path | None = None, page: Path | None = None) -> None:
    """Print the estimate, and write it into a page."""
    printed = "".join(f"{line}\n" for line in estimate(overlay))
    print(printed, end="")
    if page is not None:
        block = f"{MARKS[0]}\n```\n{printed}```\n{MARKS[1]}"
        text = re.sub("(?s){}.*{}".format(*MARKS), block, page.read_text(encoding="utf-8"))
        page.write_text(text, encoding="utf-8")


def estimate(overlay: Path | None) -> list[str]:
    """Lines: jobs, core-hours and the longest job of every talk, what is not in these, measured."""
    base, config = at_scale("full"), read(*[overlay] if overlay else [])
    recorded = tables.read(REFERENCE, DURATIONS)
    rows, own = (tables.where(recorded, scale=at["scale"]) for at in (base, config))
    jobs = [
        job
        for talk in config["talks"]
        for experiment in registry.load_talk(talk).experiments.values()
        for job in _jobs(experiment, config, base, _seconds(rows), _seconds(own))
    ]
    table: Table = pd.DataFrame(jobs, columns=["talk", "rule", "what", "jobs", "seconds"])
    missing, table = table[table["seconds"].isna()], table.dropna()
    table["total"] = table["jobs"] * table["seconds"]
    lines = [f"{'talk':12} {'jobs':>5} {'core-hours':>11} {'longest job, h':>15}"]
    for talk, part in table.groupby("talk", sort=False):
        longest = part.loc[part["seconds"].idxmax()]
        lines.append(
            f"{talk:12} {part['jobs'].sum():5d} {part['total'].sum() / 3600:11.1f} "
            f"{longest['seconds'] / 3600:15.2f}  {longest['rule']} {longest['what']}"
        )
    lines.append(f"{'all':12} {table['jobs'].sum():5d} {table['total'].sum() / 3600:11.1f}")
    for talk, part in missing.groupby("talk", sort=False):
        named = ", ".join(part["rule"] + " " + part["what"])
        lines.append(f"not in it, since not measured at scale {base['scale']}: {talk}: {named}")
    return [*lines, _measured(rows)]


def _seconds(rows: Table) -> dict[Any, float]:
    kinds = rows.set_index(KIND)
    return (kinds["cpu_seconds"] / kinds["unit"]).to_dict()


def _measured(rows: Table) -> str:
    """What the recorded run needed most, by which the limits of jobs are to be judged."""
    longest = rows.loc[rows["seconds"].idxmax()]
    what = " ".join(filter(None, longest[KIND]))
    talks = json.loads(REFERENCE.with_name("manifest.json").read_text(encoding="utf-8"))["talks"]
    largest = max(talks, key=lambda talk: talks[talk]["max_rss_mb"])
    return (
        f"measured at scale {longest['scale']}: longest, as a mean over jobs alike, "
        f"{longest['seconds'] / 60:.1f} min ({what}; CPU "
        f"{longest['cpu_seconds'] / 60:.1f} min); largest "
        f"{talks[largest]['max_rss_mb']:.0f} MB ({largest})"
    )


def _jobs(
    experiment: registry.Experiment,
    config: Mapping[str, Any],
    base: Mapping[str, Any],
    known: Mapping[Any, float],
    own: Mapping[Any, float],
) -> Iterator[tuple[str, str, str, int, float]]:
    """Rule, networks, number and seconds of the jobs of an experiment; nan where not measured."""
    talk, name = experiment.talk, experiment.name
    for variant, described in experiment.variants.items():
        n = len(registry.seeds(experiment, config, variant))
        if not n:
            continue
        kind = ("train", talk, name, variant)
        measured = known.get(kind, math.nan)
        ours, theirs = (registry.params(experiment, at, variant=variant) for at in (config, base))
        ratio = 1.0 if described.starts_from else _work(ours, variant) / _work(theirs, variant)
        grown = TRAIN_OVERHEAD + np.maximum(0.0, measured - TRAIN_OVERHEAD) * ratio
        yield talk, "train", f"{name}/{variant}", n, own.get(kind, grown)
    if registry.seeds(experiment, config):
        kind = ("simulate", talk, name, "")
        measured = known.get(kind, math.nan)
        ours, theirs = (registry.params(experiment, at) for at in (config, base))
        ratio = _simulated(experiment, ours, config) / _simulated(experiment, theirs, base)
        grown = SIMULATE_OVERHEAD + np.maximum(0.0, measured - SIMULATE_OVERHEAD) * ratio
        grown = np.maximum(measured if ratio >= 1 else 0.0, grown)
        yield talk, "simulate", name, 1, own.get(kind, grown)


def _work(params: Params, variant: str) -> float:
    """Passes x samples x steps x synapses of a training, as far as they are parameters."""
    values = params.values
    passes = values.get("iterations", values.get("outer_iterations", values.get("epochs", 1)))
    if isinstance(passes, Mapping):
        passes = passes.get(variant, 1)
    samples = values.get("n_train", values.get("n_records", 1))
    return float(passes) * float(samples) * _steps(params) * _synapses(params)


def _steps(params: Params) -> float:
    values = params.values
    for name in ("n_steps", "n_frames"):
        if name in values:
            return float(values[name])
    lasting = sum(float(values[name]) for name in LASTING if name in values)
    lasting = lasting or float(values.get("test_ms", 0))
    return lasting / float(values["dt_ms"]) if lasting and "dt_ms" in values else 1.0


def _synapses(params: Params) -> float:
    """Synapses between layers; of networks told by their populations, neurons, which cost more."""
    values = params.values
    if populations := [float(values[name]) for name in POPULATIONS if name in values]:
        return sum(populations)
    hidden = values.get("n_hidden", values.get("hidden", values.get("n_rec", 1)))
    sizes = [values.get("n_input", values.get("n_in", 1))]
    sizes += list(hidden) if isinstance(hidden, list) else [hidden]
    sizes.append(values.get("n_output", values.get("n_classes", 1)))
    return float(sum(a * b for a, b in itertools.pairwise(sizes)))


def _simulated(experiment: registry.Experiment, params: Params, config: Mapping[str, Any]) -> float:
    """Networks x trials x steps x synapses of a simulation: the clean run and the battery."""
    battery = config["battery"]
    n_test = float(params.values.get("n_test", 1))
    levels = sum(len(battery.get(name, [])) or 1 for name in experiment.battery)
    trials = n_test + levels * battery["draws"] * min(n_test, battery["trials"])
    networks = sum(
        len(registry.seeds(experiment, config, name))
        for name, variant in experiment.variants.items()
        if variant.role in ("spiking", "ablation")
    )
    return max(1, networks) * trials * _steps(params) * _synapses(params)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
