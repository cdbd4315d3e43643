"""Reference networks: their data, and the settings that protocol.yaml has tried for each family.

    python -m whyspiking.recording tune ground [TASK[/FAMILY] ...]

Every setting of every grid is trained with all tuning seeds at one size and scored on validation
data. A row a network is appended to tuning/TASK.csv, and what stands there is not trained again; so
a run that was stopped goes on, and two processes may tune different tasks. Test data are not used.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.declared import registry
from whyspiking.errors import UserError
from whyspiking.records import tables
from whyspiking.records.frontier_columns import REFERENCE_TUNING
from whyspiking.records.tables import Table
from whyspiking.talks.ground import tasks
from whyspiking.talks.ground.protocol import protocol
from whyspiking.tasks import generators
from whyspiking.training.reference import answering, learning
from whyspiking.training.reference.units import Recipe, Shape

FOLDER = Path(__file__).with_name("tuning")


# ---- data ----------------------------------------------------------------------------------------


def shape(params: ct.Params) -> Shape:
    """Return the sizes that a task fixes for its networks."""
    n_steps, answer_steps = (
        round(ms / params.dt_ms)
        for ms in (params.trial_ms, protocol().training[params.experiment].answer_ms)
    )
    return Shape(params.n_input, n_steps, answer_steps, params.n_output, params.dt_ms)


def trials(params: ct.Params) -> learning.Draw:
    """Return a function that draws training trials part by part, each from its own stream.

    They are drawn once and kept as bits: 128,000 of span recall take 70 MB. A smaller `share` of
    them has smaller parts.
    """
    training = protocol().training[params.experiment]
    n = round(training.chunk_size * params.values.get("share", 1.0))
    packed_trials: dict[tuple[int, int], tuple[NDArray[np.uint8], NDArray]] = {}

    def draw(seed: int, i_part: int) -> tuple[NDArray, NDArray]:
        i_part %= training.n_distinct // training.chunk_size
        if (seed, i_part) not in packed_trials:
            part_params = replace(params, values={**params.values, "n_train": n}, seed=seed)
            streams = Streams(Streams(seed).integer(f"reference-part-{i_part}"))
            raster, classes = told(part_params, "train", streams)
            packed_trials[seed, i_part] = np.packbits(raster.astype(bool), axis=2), classes
        bits, classes = packed_trials[seed, i_part]
        return np.unpackbits(bits, axis=2, count=params.n_input), classes

    return draw


def told(params: ct.Params, split: ct.Split, streams: Streams) -> tuple[NDArray, NDArray]:
    """Raster (trial, step, input) and classes (trial,) of a split."""
    if generators.is_stream(params.experiment):  # the same trials, without sorting spikes
        n_trials = getattr(params, f"n_{split}")
        generator = generators.load_streams(params.experiment)
        return generator.draw_on_steps(streams.rng(f"data-{split}"), n_trials, params.dt_ms)
    task = tasks.make_task(params, split, streams)
    assert task is not None
    return tasks.raster(params, task), np.asarray(task.targets)


# ---- settings ------------------------------------------------------------------------------------


def recipe(task: str, family: str, n: int, setting: Mapping[str, Any]) -> Recipe:
    """Build the recipe of a family's networks on a task.

    Args:
        task: Of the protocol.
        family: Of the protocol.
        n: Number of units.
        setting: From a grid, or `chosen`.
    """
    benchmark = protocol()
    family_protocol = benchmark.families[family][task]
    times = {"tau_ms": tuple(setting["tau_ms"])} if "tau_ms" in setting else {}  # of JSON a list
    options = {
        "batch": benchmark.training[task].batch,
        "gain": family_protocol.gain,
        **setting,
        **times,
    }
    return Recipe(family_protocol.unit_model, n, **options)


def tried(task: str, folder: Path = FOLDER) -> Table:
    """Read the rows of the settings that were tried on a task; none if none were."""
    path = folder / f"{task}.csv"
    if not path.is_file():
        return REFERENCE_TUNING.table([])
    return tables.check(pd.read_csv(path), REFERENCE_TUNING, str(path))


def chosen(
    task: str, family: str, folder: Path = FOLDER, only: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Choose the setting of a grid with the highest lower quartile; of equals the first.

    Args:
        task: Of the protocol.
        family: Of the protocol.
        folder: Of the tables.
        only: Which settings of the first grid are chosen from; None: all of the last.

    Raises:
        UserError: If a setting lacks a network.
    """
    rows, benchmark = tables.where(tried(task, folder), family=family), protocol()
    best: tuple[float, dict[str, Any]] | None = None
    for setting in benchmark.families[family][task].settings(-1 if only is None else 0, only):
        setting_rows = tables.where(rows, setting=_json(setting), seed=list(benchmark.tuning_seeds))
        if len(setting_rows) != len(benchmark.tuning_seeds):
            raise UserError(
                f"talks/ground/tuning/{task}.csv: {family} has {len(setting_rows)} networks with "
                f"{_json(setting)}; expected {len(benchmark.tuning_seeds)}. Run `python -m "
                f"whyspiking.recording tune ground {task}/{family}`"
            )
        score = float(setting_rows["accuracy"].quantile(0.25))
        if best is None or score > best[0]:
            best = score, setting
    assert best is not None
    return best[1]


def _json(setting: Mapping[str, Any]) -> str:
    return json.dumps(setting, sort_keys=True)


# ---- trying them ---------------------------------------------------------------------------------


def tune(config: Mapping[str, Any], names: Sequence[str], folder: Path = FOLDER) -> None:
    """Train the networks that the protocol lists and the tables lack.

    Args:
        config: Whose scale full is used.
        names: `task` or `task/family`; empty: all.
        folder: Of the tables.
    """
    benchmark = protocol()
    tasks_and_families = [
        (task, family)
        for task, (family, family_tasks) in itertools.product(
            benchmark.training, benchmark.families.items()
        )
        if task in family_tasks
    ]
    known_names = {
        name for task, family in tasks_and_families for name in (task, f"{task}/{family}")
    }
    if unknown := sorted(set(names) - known_names):
        raise UserError(
            f"tune: talk ground has no {', '.join(unknown)}; expected some of "
            f"{', '.join(sorted(known_names))}. Correct the names."
        )
    requested = [p for p in tasks_and_families if not names or {p[0], "/".join(p)} & set(names)]
    missing = _find_missing(requested, folder)
    started, experiments = time.monotonic(), registry.load_talk("ground").experiments
    for (task, seed), group in itertools.groupby(enumerate(missing, 1), lambda entry: entry[1][:2]):
        params = registry.params(experiments[task], {**config, "scale": "full"}, seed)
        draw, held_out = trials(params), told(params, "validation", Streams(seed))
        for i_part in range(benchmark.training[task].parts):
            draw(seed, i_part)  # so that no network is charged for it
        for n, (_, _, family, grid, setting) in group:
            units = benchmark.families[family][task].n_hidden_tuning
            cpu_seconds = time.process_time()
            _, (accuracy,) = answering.lower_quartile(
                recipe(task, family, units, setting),
                shape(params),
                draw,
                benchmark.training[task].parts,
                [seed],
                lambda _, validation=held_out: validation,
            )
            cpu_seconds = time.process_time() - cpu_seconds
            values = (task, family, grid, _json(setting), seed, units, accuracy, cpu_seconds)
            table = REFERENCE_TUNING.table([dict(zip(REFERENCE_TUNING.names, values, strict=True))])
            folder.mkdir(exist_ok=True)
            tables.append(table, folder / f"{task}.csv")
            minutes = (time.monotonic() - started) / n * (len(missing) - n) / 60
            print(
                f"{n} of {len(missing)}, {minutes:.0f} min left: {task}/{family} {_json(setting)}, "
                f"seed {seed}: accuracy {accuracy:.4f}, {cpu_seconds:.1f} CPU s",
                flush=True,
            )
    for task, family in requested:
        print(
            f"{task}/{family}: the chosen setting is {_json(chosen(task, family, folder))}",
            flush=True,
        )


def _find_missing(
    requested: Sequence[tuple[str, str]], folder: Path
) -> list[tuple[str, int, str, int, dict[str, Any]]]:
    """List task, seed, family, grid (from 1) and setting of each network that no table has.

    Families of a task and seed follow each other: they share its data.
    """
    benchmark, missing = protocol(), []
    for task in dict.fromkeys(task for task, _ in requested):
        trained = set(tried(task, folder)[["family", "setting", "seed"]].itertuples(index=False))
        families = [family for requested_task, family in requested if requested_task == task]
        for seed, family in itertools.product(benchmark.tuning_seeds, families):
            family_protocol = benchmark.families[family][task]
            for grid in range(len(family_protocol.grids)):
                for setting in family_protocol.settings(grid):
                    if (family, _json(setting), seed) not in trained:
                        trained.add((family, _json(setting), seed))
                        missing.append((task, seed, family, grid + 1, setting))
    return missing
