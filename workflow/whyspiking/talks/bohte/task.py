"""Event-coded electrocardiograms, every time step labelled (README, section 1)."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.datasets import ecg
from whyspiking.datasets.released import Unavailable
from whyspiking.errors import UserError


def provenance(params: ct.Params) -> Literal["original", "simulated"]:
    """Whose records: the authors', of `originals_dir`, or simulated ones.

    Raises:
        Unavailable: If they are to be the authors', and their files are not there.
        UserError: If one of the two files is there without the other.
    """
    if params.records == "simulated":
        return "simulated"
    folder, names = params.originals_dir, [file.name for file, _ in ecg.FILES.values()]
    there = [name for name in names if folder is not None and (folder / name).is_file()]
    if not there:
        lacking = " and ".join(names)
        raise Unavailable(f"file not available: {lacking} are not in data.originals_dir")
    if len(there) < len(names):
        raise UserError(
            f"{folder}: only {there[0]} exists in this folder; expected {' and '.join(names)}. "
            "Add the missing file"
        )
    return "original"


def records(
    params: ct.Params, split: ct.Split | Literal["all_train"], streams: Streams
) -> ecg.Records | None:
    """Labelled records of one split.

    Validation records are drawn from the training records; the generator makes other records for
    every seed, the authors' files are split anew for every seed and have the same test records.
    With `n_folds`, the seed chooses the fold whose records are tested, from the training and the
    test file together. A fold is a run of successive records, because neighbours in a file resemble
    each other as records of one patient do.

    Args:
        params: Sizes, and where the authors' files may be.
        split: "fresh" does not exist; "all_train" are the training and the validation records.
        streams: Randomness: "ecg-train", "ecg-test", "split".

    Raises:
        UserError: If the files of the authors' names are not theirs.
    """
    if split == "fresh":
        return None
    if "n_folds" in params.values:
        found = _join(_read(params, part, streams) for part in ("train", "test"))
        folds = np.array_split(np.arange(len(found.events)), params.n_folds)
        tested = folds.pop(streams.seed % params.n_folds)
        chosen = tested if split == "test" else np.concatenate(folds)
    else:
        found = _read(params, "test" if split == "test" else "train", streams)
        chosen = np.arange(len(found.events))
    if split in ("train", "validation"):
        order = chosen[streams.rng("split").permutation(chosen.size)]
        held_out = split == "validation"
        chosen = order[: params.n_validation] if held_out else order[params.n_validation :]
    return ecg.Records(found.events[chosen], found.labels[chosen], found.voltage_mv[chosen])


def _read(params: ct.Params, part: str, streams: Streams) -> ecg.Records:
    """The records of the training file or of the test file, or simulated ones."""
    count = params.n_test if part == "test" else params.n_records
    if provenance(params) == "original" and params.originals_dir is not None:
        found = _original(params.originals_dir, part)
    else:
        found = _generated(count, params.n_steps, params.event_mv, streams.seed, part)
    kept = np.s_[:count, : params.n_steps]
    return ecg.Records(found.events[kept], found.labels[kept], found.voltage_mv[kept])


def _join(records: Iterable[ecg.Records]) -> ecg.Records:
    """All records, one set after the other."""
    columns = ((one.events, one.labels, one.voltage_mv) for one in records)
    return ecg.Records(*map(np.concatenate, zip(*columns, strict=True)))


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """The inputs and labels of one split; arguments as for `records`.

    With `n_parts`, successive records form that many parts, which stand for patients.
    """
    found = records(params, split, streams)
    if found is None:
        return None
    n, n_parts = len(found.events), params.values.get("n_parts")
    return ct.Task(
        stimulus=ct.Stimulus(spikes={"input": Spikes.from_raster(found.events, params.step_ms)}),
        targets=found.labels,
        n_classes=params.n_output,
        features=found.events,
        units=None if n_parts is None else np.arange(n) * n_parts // n,
    )


def raster(params: ct.Params, task: ct.Task) -> NDArray[np.bool_]:
    """The input spikes of a task on whole steps, (trial, time, channel), as Brian2 reads them."""
    spikes = task.stimulus.spikes["input"]
    step = np.floor(spikes.times_ms / params.step_ms + 0.5).astype(np.int64)
    return spikes.raster(step, params.n_steps)


def scored(params: ct.Params, labels: NDArray, *, padded: bool = False) -> NDArray[np.int64]:
    """Labels with -1 where a step does not count.

    Args:
        params: `n_unscored` first steps never count.
        labels: (trial, time), negative where nobody labelled.
        padded: Whether unlabelled steps count as the first class, as in the published code.
    """
    found = np.asarray(labels, np.int64).copy()
    if padded:
        found[found < 0] = 0
    found[:, : params.n_unscored] = ecg.UNLABELLED
    return found


def outcome(
    params: ct.Params, outputs: NDArray, task: ct.Task, *, padded: bool = False
) -> ct.Labels:
    """Every step is given the class of the largest of `outputs` (trial, time, class).

    `padded` is as for `scored`.
    """
    return ct.Labels(
        targets=scored(params, task.targets, padded=padded),
        choices=outputs.argmax(axis=2),
        dt_ms=float(params.step_ms),
        n_classes=task.n_classes,
        units=task.units,
    )


@functools.lru_cache(maxsize=4)
def _generated(n_records: int, n_steps: int, event_mv: float, seed: int, part: str) -> ecg.Records:
    rng = Streams(seed).rng(f"ecg-{part}")
    return ecg.generate(n_records, n_steps, rng, threshold_mv=event_mv)


_original = functools.lru_cache(maxsize=2)(ecg.read_original)
