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
    """What a task fixes of its networks."""
    n_steps, answer_steps = (
        round(ms / params.dt_ms)
        for ms in (params.trial_ms, protocol().training[params.experiment].answer_ms)
    )
    return Shape(params.n_input, n_steps, answer_steps, params.n_output, params.dt_ms)


def trials(params: ct.Params) -> learning.Draw:
    """Training trials of a task, part by part, each from a stream of its own.

    They are drawn once and kept as bits: 128,000 of span recall take 70 MB. A smaller `share` of
    them has smaller parts.
    """
    said = protocol().training[params.experiment]
    n = round(said.chunk_size * params.values.get("share", 1.0))
    kept: dict[tuple[int, int], tuple[NDArray[np.uint8], NDArray]] = {}

    def draw(seed: int, part: int) -> tuple[NDArray, NDArray]:
        part %= said.n_distinct // said.chunk_size
        if (seed, part) not in kept:
            own = replace(params, values={**params.values, "n_train": n}, seed=seed)
            streams = Streams(Streams(seed).integer(f"reference-part-{part}"))
            raster, classes = told(own, "train", streams)
            kept[seed, part] = np.packbits(raster.astype(bool), axis=2), classes
        bits, classes = kept[seed, part]
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
    """What networks of a family are on a task.

    Args:
        task: Of the protocol.
        family: Of the protocol.
        n: Units.
        setting: From a grid, or `chosen`.
    """
    said = protocol()
    tuned = said.families[family][task]
    times = {"tau_ms": tuple(setting["tau_ms"])} if "tau_ms" in setting else {}  # of JSON a list
    given = {"batch": said.training[task].batch, "gain": tuned.gain, **setting, **times}
    return Recipe(tuned.unit_model, n, **given)


def tried(task: str, folder: Path = FOLDER) -> Table:
    """Rows of the settings that were tried on a task; none if none were."""
    path = folder / f"{task}.csv"
    if not path.is_file():
        return REFERENCE_TUNING.table([])
    return tables.check(pd.read_csv(path), REFERENCE_TUNING, str(path))


def chosen(
    task: str, family: str, folder: Path = FOLDER, only: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The setting of a grid with the highest lower quartile; of equals the first.

    Args:
        task: Of the protocol.
        family: Of the protocol.
        folder: Of the tables.
        only: Which settings of the first grid are chosen from; None: all of the last.

    Raises:
        UserError: If a setting lacks a network.
    """
    rows, said = tables.where(tried(task, folder), family=family), protocol()
    best: tuple[float, dict[str, Any]] | None = None
    for setting in said.families[family][task].settings(-1 if only is None else 0, only):
        own = tables.where(rows, setting=_json(setting), seed=list(said.tuning_seeds))
        if len(own) != len(said.tuning_seeds):
            raise UserError(
                f"talks/ground/tuning/{task}.csv: {family} has {len(own)} networks with "
                f"{_json(setting)}; expected {len(said.tuning_seeds)}. Run `python -m "
                f"whyspiking.recording tune ground {task}/{family}`"
            )
        score = float(own["accuracy"].quantile(0.25))
        if best is None or score > best[0]:
            best = score, setting
    assert best is not None
    return best[1]


def _json(setting: Mapping[str, Any]) -> str:
    return json.dumps(setting, sort_keys=True)


# ---- trying them ---------------------------------------------------------------------------------


def tune(config: Mapping[str, Any], wanted: Sequence[str], folder: Path = FOLDER) -> None:
    """Train what the protocol asks for and no row is there of.

    Args:
        config: Whose scale full is used.
        wanted: `task` or `task/family`; empty: all.
        folder: Of the tables.
    """
    said = protocol()
    places = [
        (task, family)
        for task, (family, own) in itertools.product(said.training, said.families.items())
        if task in own
    ]
    known = {name for task, family in places for name in (task, f"{task}/{family}")}
    if unknown := sorted(set(wanted) - known):
        raise UserError(
            f"tune: talk ground has no {', '.join(unknown)}; expected some of "
            f"{', '.join(sorted(known))}. Correct the names."
        )
    asked = [p for p in places if not wanted or {p[0], "/".join(p)} & set(wanted)]
    left = _lacking(asked, folder)
    began, experiments = time.monotonic(), registry.load_talk("ground").experiments
    for (task, seed), group in itertools.groupby(enumerate(left, 1), lambda entry: entry[1][:2]):
        params = ct.Params.of(registry.params(experiments[task], {**config, "scale": "full"}, seed))
        draw, held_out = trials(params), told(params, "validation", Streams(seed))
        for part in range(said.training[task].parts):
            draw(seed, part)  # so that no network is charged for it
        for n, (_, _, family, grid, setting) in group:
            units, used = said.families[family][task].n_hidden_tuning, time.process_time()
            _, (accuracy,) = answering.lower_quartile(
                recipe(task, family, units, setting),
                shape(params),
                draw,
                said.training[task].parts,
                [seed],
                lambda _, own=held_out: own,
            )
            used = time.process_time() - used
            values = (task, family, grid, _json(setting), seed, units, accuracy, used)
            table = REFERENCE_TUNING.table([dict(zip(REFERENCE_TUNING.names, values, strict=True))])
            folder.mkdir(exist_ok=True)
            tables.append(table, folder / f"{task}.csv")
            minutes = (time.monotonic() - began) / n * (len(left) - n) / 60
            print(
                f"{n} of {len(left)}, {minutes:.0f} min left: {task}/{family} {_json(setting)}, "
                f"seed {seed}: accuracy {accuracy:.4f}, {used:.1f} CPU s",
                flush=True,
            )
    for task, family in asked:
        print(
            f"{task}/{family}: the chosen setting is {_json(chosen(task, family, folder))}",
            flush=True,
        )


def _lacking(
    asked: Sequence[tuple[str, str]], folder: Path
) -> list[tuple[str, int, str, int, dict[str, Any]]]:
    """Task, seed, family, grid from 1 and setting of every network that is not in a table.

    Families of a task and seed follow each other: they share its data.
    """
    said, found = protocol(), []
    for task in dict.fromkeys(task for task, _ in asked):
        done = set(tried(task, folder)[["family", "setting", "seed"]].itertuples(index=False))
        families = [family for other, family in asked if other == task]
        for seed, family in itertools.product(said.tuning_seeds, families):
            tuned = said.families[family][task]
            for grid in range(len(tuned.grids)):
                for setting in tuned.settings(grid):
                    if (family, _json(setting), seed) not in done:
                        done.add((family, _json(setting), seed))
                        found.append((task, seed, family, grid + 1, setting))
    return found
