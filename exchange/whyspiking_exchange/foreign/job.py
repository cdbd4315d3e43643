"""What `samples` and `measure` of `python -m whyspiking` do, from files to files."""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from whyspiking.contract.types import Progress, Split
from whyspiking.declared import community_file, scales
from whyspiking.declared.config import at_scale
from whyspiking.declared.strict_yaml import Block, parsed
from whyspiking.errors import UserError
from whyspiking.records import array_files, tables, whole_files
from whyspiking.tasks import task_data
from whyspiking_exchange.export.networks import EVENTS
from whyspiking_exchange.foreign import measuring, page, sources
from whyspiking_exchange.foreign.tasks import (
    MNIST,
    READOUTS,
    Foreign,
    params_of,
    trial_ms,
    whole_number,
)
from whyspiking_exchange.nir import arranging
from whyspiking_exchange.nir.layers import Layers
from whyspiking_exchange.nir.model import Steps


class Options(Block):
    """What the .json beside a network may say of how it is run: options of `measure`."""

    task: str
    seed: int = Field(ge=0)
    step_ms: float = Field(gt=0)
    graph_step_ms: float = Field(gt=0)
    trial_ms: float = Field(gt=0)
    bias_ms: list[float] = Field(max_length=1000)
    readout: str


LARGEST_BYTES = 100_000
"""Of such a .json."""
EVERY = 5
"""Seconds between two lines of progress."""


def samples(asked: argparse.Namespace) -> int:
    """Write the validation trials of a task as scripts of `brian` read them, and training trials.

    `trials`, `steps`, `channels`, `times_ms` (event,), one event a channel and step, sorted;
    `shape`, `targets` (trial,), `step_ms`; the same behind `train.`. Test trials are not written.
    """
    new_file(asked.to, asked.force)
    params = params_of(asked.task, config_at(asked.scale), seed=asked.seed)
    if asked.task == MNIST:
        raise UserError(
            "--task is 'mnist'; expected a shared task. Train on the original files of MNIST "
            "instead"
        )
    whole_ms, step_ms = trial_ms(params, None), asked.step_ms
    n_steps = whole_number(whole_ms, step_ms)
    arrays: dict[str, np.ndarray] = {"step_ms": np.asarray(step_ms)}
    splits: dict[Split, str] = {"validation": "", "train": "train."}
    for split, before in splits.items():
        task = task_data.latency_task(params, split, trial_ms=whole_ms)
        assert task is not None
        spikes, classes = task.stimulus.spikes["input"], task.targets
        events = np.stack([spikes.trials, spikes.steps(step_ms), spikes.units])
        events, kept = np.unique(events, axis=1, return_index=True)
        of_split = dict(zip(EVENTS, events, strict=True))
        shape = np.asarray((spikes.n_trials, n_steps, spikes.n_units))
        of_split |= {"times_ms": spikes.times_ms[kept], "shape": shape, "targets": classes}
        arrays |= {f"{before}{key}": values for key, values in of_split.items()}
    array_files.save_arrays(arrays, asked.to)
    print(asked.to)
    return 0


def new_file(path: Path, force: bool) -> None:
    """Refuse to replace what is there, unless the user says so; a folder never.

    Raises:
        UserError: If it is there.
    """
    if path.is_dir() or (path.exists() and not force):
        raise UserError(
            f"{path}: this file exists already; expected the name of a new file. Name another one "
            "with --to, or give --force to replace it"
        )


def wishes(asked: argparse.Namespace) -> tuple[Path, community_file.Said]:
    """The folder that `measure` makes and what it is told of a network, checked before any work.

    Raises:
        UserError: If the folder is there or cannot be made, a text fits no row, or there is no such
            readout.
    """
    to = asked.to or Path(f"{asked.file.stem}-{asked.task}")
    if to.exists():
        raise UserError(
            f"{to}: this folder exists already; expected the name of a new folder. Name another "
            "one with --to"
        )
    try:
        with tempfile.TemporaryDirectory(dir=next(p for p in to.absolute().parents if p.exists())):
            pass
    except OSError as error:
        raise UserError(
            f"--to is {to}: {error.strerror}; expected a place where a folder can be created. "
            "Name another one"
        ) from None
    if asked.readout is not None and asked.readout not in READOUTS:
        raise UserError(
            f"the readout is '{asked.readout}'; expected one of {', '.join(READOUTS)}; correct "
            "--readout, or READOUT in the file of the learning rule"
        )
    stem = asked.file.stem
    name = asked.name or (stem[:40] if len(stem) > 1 else asked.file.name)
    said = {"name": name, "says": asked.says or name, "by": asked.by or "nobody named"}
    try:
        return to, parsed(community_file.Said, {**said, "link": asked.link}, "the command line")
    except UserError as error:
        given = "there (for a learning rule, 'says' is the first line of its docstring)"
        raise UserError(str(error).replace("in that file", given)) from None


def facts(file: Path) -> dict[str, Any]:
    """What the .json of a network's name says; empty where there is none, or somebody else's."""
    try:
        with file.with_suffix(".json").open("rb") as text:
            content = json.loads(text.read(LARGEST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def beside(file: Path, task: str) -> dict[str, Any]:
    """Options that stand, under `measure`, in the .json of a network's name; none for other tasks.

    Raises:
        UserError: If one is not what `measure` takes.
    """
    path, content = file.with_suffix(".json"), facts(file).get("measure", {})
    if not content or (chosen := parsed(Options, content, f"{path}, measure")).task != task:
        return {}
    print(
        f"time steps, times and readout are taken from {path}, except options that you give",
        flush=True,
    )
    return chosen.model_dump()


def measure(asked: argparse.Namespace) -> int:
    """Run a network under the battery; all that is written appears at once, in a new folder."""
    to, said = wishes(asked)
    config = config_at(asked.scale)
    params = params_of(asked.task, config, seed=asked.seed)
    layers = arranging.read(asked.file)
    setting = measuring.setting_of(
        layers,
        params,
        steps=steps_of(asked, layers),
        readout=asked.readout,
        asked_ms=asked.trial_ms,
        bias_ms=asked.bias_ms,
    )
    foreign = Foreign(layers, setting)
    foreign.check(params, str(asked.file))
    expected = None if asked.expect is None else sources.expected(asked.expect, foreign, params)
    warn(sources.implausible_numbers(layers, setting))
    found = measuring.measure(asked.file, said, foreign, params, config, _progress(), expected)
    warn([*sources.silent_layers(found.metrics), *sources.low_agreement(found.agreed)])
    to.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{to.name}.", dir=to.parent))
    try:
        tables.write_metrics(found.metrics, partial / "metrics.csv")
        row = found.row.model_dump_json(indent=1, exclude_none=True)
        whole_files.write(partial / "row.json", row + "\n")
        whole_files.write(partial / "report.html", page.page(found))
        partial.chmod(0o755)
        os.rename(partial, to)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    share = f"{100 * found.row.accuracy:.1f} % of {found.row.trials} trials"
    if found.agreed is not None:
        words = f"{100 * found.agreed:.1f} % of {params.n_validation} validation trials"
        print(f"decisions that are equal to those in {asked.expect}: {words}")
    print(f"accuracy: {share}; report: {to}/report.html")
    for reached, label in page.ranking(found):
        print(f"{100 * reached:7.1f} %  {label}")
    return 0


def warn(remarks: list[str]) -> None:
    """Say what may not be meant."""
    for remark in remarks:
        print(f"warning: {remark}", file=sys.stderr, flush=True)


def steps_of(asked: argparse.Namespace, layers: Layers) -> Steps:
    """What the file leaves open: as asked, else as the framework has it; checked.

    Raises:
        UserError: If a number is none that can be used.
    """
    known = sources.left_open(asked.source, layers, asked.step_ms)
    given = {key: getattr(asked, key) for key in known}
    known.update({key: value for key, value in given.items() if value is not None})
    graph_ms = known["graph_step_ms"]
    positive = {"step-ms": asked.step_ms, "graph-step-ms": graph_ms, "trial-ms": asked.trial_ms}
    for key, value in positive.items():
        if value is not None and not 1e-6 <= value <= 1e6:
            raise UserError(f"--{key} is {value}; expected a time of 1e-6 to 1e6 ms; correct it")
    if not abs(asked.input_scale) <= 1e6:
        raise UserError(
            f"--input-scale is {asked.input_scale}; expected a number within 1e6 of 0; correct it"
        )
    return Steps(asked.step_ms, solver=asked.solver, input_scale=asked.input_scale, **known)


def config_at(scale: str) -> dict[str, Any]:
    """The configuration of a scale, from the files in `config/`.

    Raises:
        UserError: If there is no such scale, or no such files.
    """
    if scale not in scales.SCALES:
        raise UserError(
            f"--scale is '{scale}'; expected one of {', '.join(scales.SCALES)}. Correct it"
        )
    config = at_scale(scale)
    if config.get("scale") != scale:
        raise UserError(
            f"config/{scale}.yaml: this file does not exist here; expected the project's folder "
            "as the working directory. Change into it"
        )
    return config


def _progress() -> Progress:
    """Tells where it is, at most every few seconds."""
    last = [-math.inf]

    def told(share: float, news: str = "") -> None:
        now = time.monotonic()
        if now - last[0] >= EVERY:
            print(f"{100 * share:3.0f} %  {news}", flush=True)
            last[0] = now

    return told
