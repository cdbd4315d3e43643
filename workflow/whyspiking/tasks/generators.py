"""The modules of a task's folder, found by the name of the task.

`generator` draws trials. It has the functions of `LatencyGenerator` if every input fires once, or
those of `StreamGenerator` if a trial is a stream of spikes. Two other modules are optional:
networks that nobody trained (hand_designed.py), and a picture of the task (picture.py).
"""

from __future__ import annotations

import functools
import importlib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import ExperimentParameters, Split

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Latencies:
    """Samples in which every input fires once.

    Attributes:
        times_ms: Time of every input within the window of the task, (sample, input).
        features: The same in 0..1, (sample, input).
        classes: (sample,).
    """

    times_ms: NDArray[np.float64]
    features: NDArray[np.float64]
    classes: NDArray[np.int64]


class LatencyGenerator(Protocol):
    """Generator of a task whose inputs fire once each."""

    @staticmethod
    def draw_latencies(params: ExperimentParameters, split: Split) -> Latencies:
        """Draw the samples of one split ("train", "validation" or "test").

        Args:
            params: Parameters of task.yaml, and the seed.
            split: Which samples.
        """
        ...


class StreamGenerator(Protocol):
    """Generator of a task whose trials are streams of spikes."""

    @staticmethod
    def draw_spikes(rng: np.random.Generator, n_trials: int) -> tuple[Spikes, NDArray[np.int64]]:
        """Draw trials: spikes at their exact times, and classes, (trial,)."""
        ...

    @staticmethod
    def draw_on_steps(
        rng: np.random.Generator, n_trials: int, step_ms: float
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Draw the same trials on time steps: who fires, (trial, step, input), and classes.

        Args:
            rng: In the state in which `draw_spikes` gets it.
            n_trials: How many.
            step_ms: Length of a step.
        """
        ...


@functools.cache
def has_module(task: str, module: str) -> bool:
    """Whether the folder of a task has a module."""
    return (FOLDER / task / f"{module}.py").is_file()


def load_module(task: str, module: str) -> ModuleType:
    """Import a module of the folder of a task."""
    return importlib.import_module(f"{__package__}.{task}.{module}")


def is_stream(task: str) -> bool:
    """Whether the trials of a task are streams of spikes, and not one spike per input."""
    return hasattr(load_module(task, "generator"), "draw_on_steps")


def load_latencies(task: str) -> LatencyGenerator:
    """Import the generator of a task whose inputs fire once each."""
    return cast("Any", load_module(task, "generator"))


def load_streams(task: str) -> StreamGenerator:
    """Import the generator of a task whose trials are streams of spikes."""
    return cast("Any", load_module(task, "generator"))
