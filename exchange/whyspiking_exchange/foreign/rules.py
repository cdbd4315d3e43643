"""A learning rule of one's own on a shared task: `python -m whyspiking rule`.

A rule is a Python file with

    learn(lesson, rng) -> Graph
        A network that was trained on a `Lesson`, as a graph of NIR; `rng` is a generator of NumPy.
    READOUT
        How the answer is read, if not as `measure` does: "count", "first"; "max", "sum", "last".

The first line of its docstring is what is told of it. `docs/three_factor.py` is one.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.types import Params, Split
from whyspiking.errors import UserError
from whyspiking.tasks import task_data
from whyspiking_exchange.foreign import job
from whyspiking_exchange.foreign.tasks import MNIST, params_of, trial_ms
from whyspiking_exchange.nir.graph import Graph, write

STEP_MS = 1.0
SPLITS: tuple[Split, Split] = ("train", "validation")


@dataclass(frozen=True)
class Lesson:
    """What a rule may learn from; the sizes are those of all methods that are compared.

    Attributes:
        train: Input spikes, 0 or 1, (trial, step, input), and classes, (trial,).
        validation: The same, for choices of settings.
        n_hidden: Neurons of the hidden layer.
        n_classes: Number of classes.
        epochs: Presentations of the training data.
        step_ms: Length of a step.
    """

    train: tuple[NDArray[np.uint8], NDArray[np.int64]]
    validation: tuple[NDArray[np.uint8], NDArray[np.int64]]
    n_hidden: int
    n_classes: int
    epochs: int
    step_ms: float = STEP_MS


def rule(asked: argparse.Namespace, parse: Callable[[list[str]], argparse.Namespace]) -> int:
    """Have a rule learn, and measure its network, which is kept beside what was measured.

    Args:
        asked: The command line.
        parse: Reads that of `measure`.

    Raises:
        UserError: If the file is no rule, the task none for it, or the folder to make is there.
    """
    params = params_of(asked.task, job.config_at(asked.scale), seed=asked.seed)
    if params.experiment == MNIST:
        raise UserError(
            f"--task is '{asked.task}'; expected a shared task whose inputs fire once. For "
            "another task, train the network yourself and use `measure`"
        )
    module = _loaded(asked.rule)
    said = (module.__doc__ or asked.rule.stem).strip().splitlines()[0]
    to = asked.to or Path(f"{asked.rule.stem}-{asked.task}")
    given = {"task": asked.task, "seed": asked.seed, "scale": asked.scale, "to": to, "says": said}
    if hasattr(module, "READOUT"):
        given["readout"] = module.READOUT
    with tempfile.TemporaryDirectory(prefix="whyspiking-") as folder:
        file = Path(folder) / f"{asked.rule.stem}.nir"
        measured = parse(["measure", str(file), *(f"--{k}={v}" for k, v in given.items())])
        job.wishes(measured)  # before minutes of learning
        train, validation = (_spikes(params, split) for split in SPLITS)
        lesson = Lesson(train, validation, params.n_hidden, params.n_output, params.epochs)
        graph = module.learn(lesson, np.random.default_rng(asked.seed))
        if not isinstance(graph, Graph):
            raise UserError(
                f"{asked.rule}: learn returned {type(graph).__name__}; expected a graph of "
                "whyspiking_exchange.nir; docs/three_factor.py makes one"
            )
        write(graph, file)
        try:
            job.measure(measured)
        except UserError as error:
            raise UserError(str(error).replace(str(file), f"network of {asked.rule}")) from None
        shutil.copy(file, to / "network.nir")
    return 0


def _spikes(params: Params, split: Split) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Trials of a split on steps, as the network will be given those of the test."""
    task = task_data.task_on_steps(params, split, step_ms=STEP_MS, trial_ms=trial_ms(params, None))
    assert task is not None
    spikes = task.stimulus.spikes["input"]
    n_steps = round(spikes.duration_ms / STEP_MS)
    raster = spikes.raster(spikes.steps(STEP_MS), n_steps).astype(np.uint8)
    return raster, np.asarray(task.targets)


def _loaded(file: Path) -> ModuleType:
    """A rule as a module."""
    spec = importlib.util.spec_from_file_location("rule", file)
    if not file.is_file() or spec is None or spec.loader is None:
        raise UserError(f"{file}: no such Python file; expected a rule, *.py; correct the path")
    module = importlib.util.module_from_spec(spec)
    # As when Python runs the file: it finds files beside it, dataclasses find its names.
    sys.modules[spec.name] = module
    sys.path.append(str(file.parent.resolve()))
    spec.loader.exec_module(module)
    if not callable(getattr(module, "learn", None)):
        raise UserError(
            f"{file}: it has no function 'learn'; expected one that returns a graph; "
            "docs/three_factor.py is an example"
        )
    return module
