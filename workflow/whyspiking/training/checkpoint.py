"""A long training that was stopped goes on where it was, to the same last bit.

    now = SimpleNamespace(weights=weights, best=-1.0)
    for epoch in Checkpoint(now, shuffle, history).rounds(range(n_epochs), progress):
        now.weights = ...

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
DECIDE = ("jax", "jaxlib", "numpy", "optax", "scipy")
"""Packages whose version may change the last bits of a training."""
STRUCTURE = "structure"
"""Array of the file that holds, as JSON, everything but the arrays."""
IN_PLACE = (Generator, np.ndarray, list, dict)
"""What is restored in place, beside objects."""


@dataclass
class _Job:
    """Where the loops of a job keep their state, and what the job had used when it was stopped."""

    folder: Path
    told: str
    every_s: float
    began: tuple[float, float]
    before: tuple[float, float] = (0.0, 0.0)
    names: set[str] = field(default_factory=set)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all that decides the numbers; versions take too long to read for every job."""
        versions = [metadata.version(name) for name in DECIDE]
        machine = [platform.python_version(), arithmetic.target()]
        return _hash(json.dumps([self.told, versions, machine]).encode())

    def seconds(self) -> tuple[float, float]:
        wall, cpu = (now - then for now, then in zip(_clocks(), self.began, strict=True))
        return self.before[0] + wall, self.before[1] + cpu


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
        plan: What the job is told, JSON-able.
        inputs: Files on which the training depends, code included.
        every_s: Least time between two checkpoints of a loop, in seconds.
    """
    # At once: a file that is edited while the job runs is not what it has loaded.
    files = sorted((str(path), _hash(Path(path).read_bytes())) for path in inputs)
    told = json.dumps([plan, files], sort_keys=True)
    token = _JOB.set(_Job(folder, told, every_s, _clocks()))
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
    return job.before if job else (0.0, 0.0)


class Checkpoint:
    """What one loop of a training takes over from round to round."""

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
        for part in changing:
            bound = _is_array(part) or not hasattr(part, "__dict__")
            if bound and not isinstance(part, IN_PLACE):
                raise TypeError(
                    f"{type(part).__name__} cannot be restored in place. Store it in a "
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
        """What is still to be done: all, or what was left when the training was stopped.

        Args:
            rounds: All rounds, e.g. epochs.
            progress: Told from where the training goes on, and if the disk refuses a checkpoint.
        """
        rounds = rounds[: max(1, round(asked_fraction() * len(rounds)))]
        done = self._resume(rounds, progress) if self._job else 0
        for number in range(done, len(rounds)):
            if self._job and time.monotonic() - self._last >= self._job.every_s:
                try:
                    self._write(number, self._job)
                except OSError as error:
                    share = number / len(rounds)
                    progress(share, f"the checkpoint could not be written ({error})")
                self._last = time.monotonic()
            yield rounds[number]

    def _resume(self, rounds: range, progress: Progress) -> int:
        """Restore what was kept; how many rounds were done by then."""
        assert self._job is not None
        if not self._path.is_file():
            return 0
        try:
            arrays = load_arrays(self._path)
            found = json.loads(arrays[STRUCTURE].tobytes())
        except (UserError, KeyError, ValueError) as error:
            progress(
                0.0,
                f"training starts from the beginning, because its checkpoint is damaged ({error})",
            )
            return 0
        if found["fingerprint"] != self._job.fingerprint:
            progress(
                0.0,
                "training starts from the beginning, because its checkpoint was made with other "
                "code, data or parameters",
            )
            return 0
        for old, kept in zip(self._changing, found["changing"], strict=True):
            new = _unpacked(kept, arrays, old)
            if isinstance(old, np.ndarray):
                old[...] = new
            elif isinstance(old, list):
                old[:] = new
            elif isinstance(old, dict):
                old.update(new)
        self._job.before = max(self._job.before, tuple(found["seconds"]))
        done = found["done"]
        progress(done / len(rounds), f"training continues after {done} of {len(rounds)} rounds")
        return done

    def _write(self, done: int, job: _Job) -> None:
        """Keep what the next round starts from."""
        arrays: dict[str, NDArray] = {}
        found = {
            "fingerprint": job.fingerprint,
            "done": done,
            "seconds": job.seconds(),
            "changing": [_packed(part, arrays) for part in self._changing],
        }
        # Some generators have arrays in their state.
        text = json.dumps(found, default=np.ndarray.tolist)
        arrays[STRUCTURE] = np.frombuffer(text.encode(), np.uint8)
        save_arrays(arrays, self._path)


def _packed(value: Any, arrays: dict[str, NDArray]) -> Any:
    """A value as JSON: lists of kind and content, arrays by their number in `arrays`."""
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
        return ["dict", {key: _packed(part, arrays) for key, part in value.items()}]
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return [kind, [_packed(part, arrays) for part in value]]
    return ["object", {name: _packed(getattr(value, name), arrays) for name in _names(value)}]


def _unpacked(packed: Any, arrays: dict[str, NDArray], like: Any) -> Any:
    """The value that was packed.

    Args:
        packed: From `_packed`.
        arrays: Filled by it.
        like: What the value was when the training began: generators and objects are restored in
            it, and it gives named tuples their type.
    """
    if not isinstance(packed, list):
        return packed
    kind, content = packed
    if kind == "generator":
        like.bit_generator.state = content
        return like
    if kind == "numpy":
        return arrays[content]
    if kind == "scalar":
        return arrays[content][()]
    if kind == "dict":
        start = like if isinstance(like, dict) else {}
        return {key: _unpacked(part, arrays, start.get(key)) for key, part in content.items()}
    if kind in ("list", "tuple"):
        start = like if isinstance(like, list | tuple) and len(like) == len(content) else None
        pairs = zip(content, start or [None] * len(content), strict=True)
        parts = [_unpacked(part, arrays, old) for part, old in pairs]
        if kind == "list":
            return parts
        return type(like)(*parts) if hasattr(like, "_fields") else tuple(parts)
    if kind == "object":
        for name, part in content.items():
            setattr(like, name, _unpacked(part, arrays, getattr(like, name)))
        return like
    import jax.numpy as jnp

    return jnp.asarray(arrays[content])


def _is_array(value: Any) -> bool:
    """Whether it is an array or number of NumPy or JAX."""
    return hasattr(value, "dtype") and hasattr(value, "shape")


def _names(value: Any) -> Iterable[str]:
    """Attributes of an object that a checkpoint keeps."""
    return getattr(type(value), "CARRIED", None) or vars(value)


def _clocks() -> tuple[float, float]:
    """Wall and CPU seconds."""
    return time.perf_counter(), time.process_time()


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
