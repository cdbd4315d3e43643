"""Event-coded electrocardiograms, every time step labelled (README, section 1)."""

from __future__ import annotations

import functools
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

    Args:
        params: Sizes, and where the authors' files may be.
        split: "fresh" does not exist; "all_train" are the training and the validation records.
        streams: Randomness: "ecg-train", "ecg-test", "split".

    Raises:
        UserError: If the files of the authors' names are not theirs.
    """
    if split == "fresh":
        return None
    part, count = ("test", params.n_test) if split == "test" else ("train", params.n_records)
    if provenance(params) == "original" and params.originals_dir is not None:
        found = _original(params.originals_dir, part)
    else:
        found = _generated(count, params.n_steps, params.event_mv, streams.seed, part)
    chosen = np.arange(min(count, len(found.events)))
    if split in ("train", "validation"):
        order = streams.rng("split").permutation(chosen.size)
        held_out = split == "validation"
        chosen = order[: params.n_validation] if held_out else order[params.n_validation :]
    return ecg.Records(
        found.events[chosen, : params.n_steps],
        found.labels[chosen, : params.n_steps],
        found.voltage_mv[chosen, : params.n_steps],
    )


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """The inputs and labels of one split; arguments as for `records`."""
    found = records(params, split, streams)
    if found is None:
        return None
    return ct.Task(
        stimulus=ct.Stimulus(spikes={"input": Spikes.from_raster(found.events, params.step_ms)}),
        targets=found.labels,
        n_classes=params.n_output,
        features=found.events,
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
    )


@functools.lru_cache(maxsize=4)
def _generated(n_records: int, n_steps: int, event_mv: float, seed: int, part: str) -> ecg.Records:
    rng = Streams(seed).rng(f"ecg-{part}")
    return ecg.generate(n_records, n_steps, rng, threshold_mv=event_mv)


_original = functools.lru_cache(maxsize=2)(ecg.read_original)
