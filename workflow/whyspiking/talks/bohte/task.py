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
    """Return whose records are used: the authors', of `originals_dir`, or simulated ones.

    Raises:
        Unavailable: If they are to be the authors', and their files are not there.
        UserError: If one of the two files is there without the other.
    """
    if params.records == "simulated":
        return "simulated"
    folder, names = params.originals_dir, [file.name for file, _ in ecg.FILES.values()]
    existing = [name for name in names if folder is not None and (folder / name).is_file()]
    if not existing:
        missing = " and ".join(names)
        raise Unavailable(f"file not available: {missing} are not in data.originals_dir")
    if len(existing) < len(names):
        raise UserError(
            f"{folder}: only {existing[0]} exists in this folder; expected {' and '.join(names)}. "
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
        file_records = _join_records(
            _read_file(params, file_split, streams) for file_split in ("train", "test")
        )
        folds = np.array_split(np.arange(len(file_records.events)), params.n_folds)
        i_tested = folds.pop(streams.seed % params.n_folds)
        i_records = i_tested if split == "test" else np.concatenate(folds)
    else:
        file_records = _read_file(params, "test" if split == "test" else "train", streams)
        i_records = np.arange(len(file_records.events))
    if split in ("train", "validation"):
        order = i_records[streams.rng("split").permutation(i_records.size)]
        held_out = split == "validation"
        i_records = order[: params.n_validation] if held_out else order[params.n_validation :]
    return ecg.Records(
        file_records.events[i_records],
        file_records.labels[i_records],
        file_records.voltage_mv[i_records],
    )


def _read_file(params: ct.Params, file_split: str, streams: Streams) -> ecg.Records:
    """Read the records of the training or the test file, or simulate them."""
    n_records = params.n_test if file_split == "test" else params.n_records
    if provenance(params) == "original" and params.originals_dir is not None:
        file_records = _original(params.originals_dir, file_split)
    else:
        file_records = _generate_records(
            n_records, params.n_steps, params.event_mv, streams.seed, file_split
        )
    window = np.s_[:n_records, : params.n_steps]
    return ecg.Records(
        file_records.events[window], file_records.labels[window], file_records.voltage_mv[window]
    )


def _join_records(records: Iterable[ecg.Records]) -> ecg.Records:
    """Join all records, one set after the other."""
    columns = ((one_set.events, one_set.labels, one_set.voltage_mv) for one_set in records)
    return ecg.Records(*map(np.concatenate, zip(*columns, strict=True)))


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """The inputs and labels of one split; arguments as for `records`.

    With `n_parts`, successive records form that many parts, which stand for patients.
    """
    split_records = records(params, split, streams)
    if split_records is None:
        return None
    n, n_parts = len(split_records.events), params.values.get("n_parts")
    return ct.Task(
        stimulus=ct.Stimulus(
            spikes={"input": Spikes.from_raster(split_records.events, params.step_ms)}
        ),
        targets=split_records.labels,
        n_classes=params.n_output,
        features=split_records.events,
        units=None if n_parts is None else np.arange(n) * n_parts // n,
    )


def raster(params: ct.Params, task: ct.Task) -> NDArray[np.bool_]:
    """The input spikes of a task on whole steps, (trial, time, channel), as Brian2 reads them."""
    spikes = task.stimulus.spikes["input"]
    step = np.floor(spikes.times_ms / params.step_ms + 0.5).astype(np.int64)
    return spikes.raster(step, params.n_steps)


def scored(params: ct.Params, labels: NDArray, *, padded: bool = False) -> NDArray[np.int64]:
    """Set labels to -1 where a step does not count.

    Args:
        params: `n_unscored` first steps never count.
        labels: (trial, time), negative where nobody labelled.
        padded: Whether unlabelled steps count as the first class, as in the published code.
    """
    counted_labels = np.asarray(labels, np.int64).copy()
    if padded:
        counted_labels[counted_labels < 0] = 0
    counted_labels[:, : params.n_unscored] = ecg.UNLABELLED
    return counted_labels


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
def _generate_records(
    n_records: int, n_steps: int, event_mv: float, seed: int, file_split: str
) -> ecg.Records:
    rng = Streams(seed).rng(f"ecg-{file_split}")
    return ecg.generate(n_records, n_steps, rng, threshold_mv=event_mv)


_original = functools.lru_cache(maxsize=2)(ecg.read_original)
