"""A long training that was stopped goes on where it was, to the same last bit.

    state = SimpleNamespace(weights=weights, best=-1.0)
    for epoch in Checkpoint(state, shuffle, history).rounds(range(n_epochs), progress):
        state.weights = ...

A loop names all that a round takes over from the one before: generators, arrays, lists, dicts and
objects, which are changed and restored in place. What its variables would be bound to anew, such as
numbers and arrays of JAX, it holds in a `SimpleNamespace`. Before a round a checkpoint is written,
at most once a minute, so that a short training writes nothing. Where the files lie says the job
(`kept_in`); outside of one nothing is kept.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from whyspiking import arithmetic
from whyspiking.contract.types import Progress
from whyspiking.errors import UserError
from whyspiking.records.array_files import load_arrays, save_arrays

EVERY_S = 60.0
"""Least time between two checkpoints of a loop, in seconds."""
VERSIONED_PACKAGES = ("jax", "jaxlib", "numpy", "optax", "scipy")
"""Packages whose version may change the last bits of a training."""
STRUCTURE = "structure"
"""Array of the file that holds, as JSON, everything but the arrays."""
RESTORABLE_TYPES = (Generator, np.ndarray, list, dict)
"""Types that are restored in place, as objects are."""


@dataclass
class _Job:
    """Where the loops of a job keep their state, and what the job had used when it was stopped."""

    folder: Path
    description: str
    every_s: float
    clock_start: tuple[float, float]
    earlier_seconds: tuple[float, float] = (0.0, 0.0)
    names: set[str] = field(default_factory=set)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all that decides the numbers; versions take too long to read for every job."""
        versions = [metadata.version(name) for name in VERSIONED_PACKAGES]
        machine = [platform.python_version(), arithmetic.target()]
        return _hash_bytes(json.dumps([self.description, versions, machine]).encode())

    def seconds(self) -> tuple[float, float]:
        wall, cpu = (
            reading - start for reading, start in zip(_read_clocks(), self.clock_start, strict=True)
        )
        return self.earlier_seconds[0] + wall, self.earlier_seconds[1] + cpu


_JOB: ContextVar[_Job | None] = ContextVar("job", default=None)
_FRACTION: ContextVar[float] = ContextVar("fraction", default=1.0)


@contextmanager
def kept_in(
    folder: Path, plan: Any, inputs: Iterable[str | Path], every_s: float = EVERY_S
) -> Iterator[None]:
    """Let the trainings inside keep checkpoints, which are removed when all went well.

    One is used only where plan, content of the inputs, packages and processor are the same.

    Args:
        folder: Where to; of this job alone.
        plan: Parameters of the job, JSON-able.
        inputs: Files on which the training depends, code included.
        every_s: Least time between two checkpoints of a loop, in seconds.
    """
    # At once: a file that is edited while the job runs is not what it has loaded.
    files = sorted((str(path), _hash_bytes(Path(path).read_bytes())) for path in inputs)
    description = json.dumps([plan, files], sort_keys=True)
    token = _JOB.set(_Job(folder, description, every_s, _read_clocks()))
    try:
        yield
    finally:
        _JOB.reset(token)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def first_part(fraction: float) -> Iterator[None]:
    """Let the trainings inside end early, after the first part of their rounds.

    Nothing else changes: a learning rate, for instance, decays as in the whole training. What such
    a training returns is not a trained network; its history is the beginning of that of the whole.

    Args:
        fraction: Of the rounds, above 0 and at most 1.
    """
    token = _FRACTION.set(fraction)
    try:
        yield
    finally:
        _FRACTION.reset(token)


def asked_fraction() -> float:
    """The fraction of a training that is asked for; 1 outside of `first_part`."""
    return _FRACTION.get()


def seconds_before() -> tuple[float, float]:
    """Wall and CPU seconds that had led to the checkpoint from which this job goes on, else 0."""
    job = _JOB.get()
    return job.earlier_seconds if job else (0.0, 0.0)


class Checkpoint:
    """The state that one loop of a training carries from round to round."""

    def __init__(self, *changing: Any, name: str = "training") -> None:
        """Name what the loop changes in place.

        Args:
            changing: Generators, arrays of NumPy, lists, dicts and objects: of these all
                attributes, or those that their class names in `CARRIED`. Within them may be
                numbers, texts, arrays of NumPy or JAX, and tuples, lists and dicts of these.
            name: Another one for every loop of a job.

        Raises:
            TypeError: If something cannot be restored in place.
            ValueError: If the job had a loop of this name.
        """
        for carried in changing:
            is_plain = _is_array(carried) or not hasattr(carried, "__dict__")
            if is_plain and not isinstance(carried, RESTORABLE_TYPES):
                raise TypeError(
                    f"{type(carried).__name__} cannot be restored in place. Store it in a "
                    "SimpleNamespace"
                )
        self._changing, self._job, self._last = changing, _JOB.get(), time.monotonic()
        if self._job is not None:
            if name in self._job.names:
                raise ValueError(
                    f"two trainings of a job have the name '{name}'. Rename one of them"
                )
            self._job.names.add(name)
            self._path = self._job.folder / f"{name}.npz"

    def rounds(self, rounds: range, progress: Progress) -> Iterator[int]:
        """Iterate over the rounds that remain: all, or those after the last checkpoint.

        Args:
            rounds: All rounds, e.g. epochs.
            progress: Told from where the training goes on, and if the disk refuses a checkpoint.
        """
        rounds = rounds[: max(1, round(asked_fraction() * len(rounds)))]
        n_done = self._resume(rounds, progress) if self._job else 0
        for number in range(n_done, len(rounds)):
            if self._job and time.monotonic() - self._last >= self._job.every_s:
                try:
                    self._write(number, self._job)
                except OSError as error:
                    share = number / len(rounds)
                    progress(share, f"the checkpoint could not be written ({error})")
                self._last = time.monotonic()
            yield rounds[number]

    def _resume(self, rounds: range, progress: Progress) -> int:
        """Restore the checkpoint; return how many rounds were done by then."""
        assert self._job is not None
        if not self._path.is_file():
            return 0
        try:
            arrays = load_arrays(self._path)
            record = json.loads(arrays[STRUCTURE].tobytes())
        except (UserError, KeyError, ValueError) as error:
            progress(
                0.0,
                f"training starts from the beginning, because its checkpoint is damaged ({error})",
            )
            return 0
        if record["fingerprint"] != self._job.fingerprint:
            progress(
                0.0,
                "training starts from the beginning, because its checkpoint was made with other "
                "code, data or parameters",
            )
            return 0
        # In place, because the loop goes on using the same arrays, lists and dicts.
        for carried, packed in zip(self._changing, record["changing"], strict=True):
            restored = _unpack_value(packed, arrays, carried)
            if isinstance(carried, np.ndarray):
                carried[...] = restored
            elif isinstance(carried, list):
                carried[:] = restored
            elif isinstance(carried, dict):
                carried.update(restored)
        self._job.earlier_seconds = max(self._job.earlier_seconds, tuple(record["seconds"]))
        n_done = record["done"]
        progress(n_done / len(rounds), f"training continues after {n_done} of {len(rounds)} rounds")
        return n_done

    def _write(self, n_done: int, job: _Job) -> None:
        """Write the state that the next round starts from."""
        arrays: dict[str, NDArray] = {}
        record = {
            "fingerprint": job.fingerprint,
            "done": n_done,
            "seconds": job.seconds(),
            "changing": [_pack_value(carried, arrays) for carried in self._changing],
        }
        # Some generators have arrays in their state.
        text = json.dumps(record, default=np.ndarray.tolist)
        arrays[STRUCTURE] = np.frombuffer(text.encode(), np.uint8)
        save_arrays(arrays, self._path)


def _pack_value(value: Any, arrays: dict[str, NDArray]) -> Any:
    """Convert a value to JSON: lists of kind and content, arrays by their number in `arrays`."""
    if value is None or (isinstance(value, bool | int | float | str) and not _is_array(value)):
        return value
    if isinstance(value, Generator):
        return ["generator", value.bit_generator.state]
    if _is_array(value):
        name = str(len(arrays))
        arrays[name] = np.asarray(value)
        kind = type(value).__module__.partition(".")[0]
        return ["scalar" if isinstance(value, np.generic) else kind, name]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("a checkpoint stores only dicts whose keys are strings")
        return ["dict", {key: _pack_value(element, arrays) for key, element in value.items()}]
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return [kind, [_pack_value(element, arrays) for element in value]]
    return [
        "object",
        {name: _pack_value(getattr(value, name), arrays) for name in _list_attributes(value)},
    ]


def _unpack_value(packed: Any, arrays: dict[str, NDArray], template: Any) -> Any:
    """Restore the value that was packed.

    Args:
        packed: From `_pack_value`.
        arrays: Filled by it.
        template: What the value was when the training began: generators and objects are restored in
            it, and it gives named tuples their type.
    """
    if not isinstance(packed, list):
        return packed
    kind, content = packed
    # Generators and objects keep their identity, since the loop holds references to them.
    if kind == "generator":
        template.bit_generator.state = content
        return template
    if kind == "numpy":
        return arrays[content]
    if kind == "scalar":
        return arrays[content][()]
    if kind == "dict":
        originals = template if isinstance(template, dict) else {}
        return {
            key: _unpack_value(element, arrays, originals.get(key))
            for key, element in content.items()
        }
    if kind in ("list", "tuple"):
        originals = (
            template
            if isinstance(template, list | tuple) and len(template) == len(content)
            else None
        )
        element_pairs = zip(content, originals or [None] * len(content), strict=True)
        elements = [_unpack_value(element, arrays, original) for element, original in element_pairs]
        if kind == "list":
            return elements
        return type(template)(*elements) if hasattr(template, "_fields") else tuple(elements)
    if kind == "object":
        for name, element in content.items():
            setattr(template, name, _unpack_value(element, arrays, getattr(template, name)))
        return template
    import jax.numpy as jnp

    return jnp.asarray(arrays[content])


def _is_array(value: Any) -> bool:
    """Whether it is an array or number of NumPy or JAX."""
    return hasattr(value, "dtype") and hasattr(value, "shape")


def _list_attributes(value: Any) -> Iterable[str]:
    """List the attributes of an object that a checkpoint keeps."""
    return getattr(type(value), "CARRIED", None) or vars(value)


def _read_clocks() -> tuple[float, float]:
    """Read the wall clock and the CPU clock, in seconds."""
    return time.perf_counter(), time.process_time()


def _hash_bytes(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
