"""A long training that was stopped goes on where it was, to the same last bit.

    kept = Checkpoint(shuffle, history)
    epochs, (weights, best) = kept.resume(range(n_epochs), (weights, best), progress)
    for epoch in epochs:
        kept.keep(epoch, (weights, best))
        ...

A loop names all that a round takes over from the one before: what is changed in place where it
makes its `Checkpoint`, what its variables are bound to anew in `resume` and `keep`. `keep` comes
first in a round and writes at most once a minute, so that a short training writes nothing. Where
the files lie says the job (`kept_in`); outside of one nothing is kept.
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


def seconds_before() -> tuple[float, float]:
    """Wall and CPU seconds that had led to the checkpoint from which this job goes on, else 0."""
    job = _JOB.get()
    return job.before if job else (0.0, 0.0)


class Checkpoint:
    """What one loop of a training takes over from round to round.

    Random generators, arrays and objects are restored in place. Of an object all attributes are
    kept, or those that its class names in `CARRIED`.
    """

    def __init__(self, *changing: Any, name: str = "training") -> None:
        """Name what the loop changes in place.

        Args:
            changing: Generators, arrays, and objects such as `History`.
            name: Another one for every loop of a job.

        Raises:
            ValueError: If the job had a loop of this name.
        """
        self._changing, self._name, self._job = changing, name, _JOB.get()
        self._progress: Progress = lambda share, news: None
        self._rounds = range(0)
        self._last = time.monotonic()
        if self._job is not None:
            if name in self._job.names:
                raise ValueError(f"two trainings of a job are called '{name}'; name one of them")
            self._job.names.add(name)
            self._path = self._job.folder / f"{name}.npz"

    def resume[T](self, rounds: range, carried: T, progress: Progress) -> tuple[range, T]:
        """What is still to be done: all, or what was left when the training was stopped.

        Args:
            rounds: All rounds, e.g. epochs.
            carried: What the first of them starts from: numbers, texts, arrays of NumPy or JAX,
                and tuples, lists and dicts of these.
            progress: Told from where the training goes on.

        Returns:
            The rounds that are left, and what the first of them starts from.
        """
        self._rounds, self._progress = rounds, progress
        if self._job is None or not self._path.is_file():
            return rounds, carried
        try:
            arrays = load_arrays(self._path)
            found = json.loads(arrays[STRUCTURE].tobytes())
        except (UserError, KeyError, ValueError) as error:
            progress(0.0, f"starts anew, its checkpoint is damaged ({error})")
            return rounds, carried
        if found["fingerprint"] != self._job.fingerprint:
            progress(0.0, "starts anew, its checkpoint is of other code, data or parameters")
            return rounds, carried
        for old, kept in zip(self._changing, found["changing"], strict=True):
            new = _unpacked(kept, arrays, old)
            if isinstance(old, np.ndarray):
                old[...] = new
        self._job.before = max(self._job.before, tuple(found["seconds"]))
        left = rounds[rounds.index(found["round"]) :]
        done = len(rounds) - len(left)
        progress(done / len(rounds), f"goes on after {done} of {len(rounds)}")
        return left, _unpacked(found["carried"], arrays, carried)

    def keep(self, now: int, carried: Any) -> None:
        """Write a checkpoint, if the last is long ago; the disk may refuse it.

        Args:
            now: The round that begins.
            carried: What it starts from, as for `resume`.
        """
        job = self._job
        if job is None or time.monotonic() - self._last < job.every_s:
            return
        arrays: dict[str, NDArray] = {}
        found = {
            "fingerprint": job.fingerprint,
            "round": now,
            "seconds": job.seconds(),
            "carried": _packed(carried, arrays),
            "changing": [_packed(part, arrays) for part in self._changing],
        }
        arrays[STRUCTURE] = np.frombuffer(json.dumps(found).encode(), np.uint8)
        try:
            save_arrays(arrays, self._path)
        except OSError as error:
            done = self._rounds.index(now) / len(self._rounds)
            self._progress(done, f"no checkpoint could be written ({error})")
        self._last = time.monotonic()


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
            raise TypeError("a checkpoint keeps dicts whose keys are texts")
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
