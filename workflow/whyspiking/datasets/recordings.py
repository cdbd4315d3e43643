"""Files of N-MNIST as networks are trained on it: 0/1 frames, made shard by shard.

A shard is an .npz with `labels` (recording,) and `frames` (recording, frame, byte), eight inputs
per byte; those of test digits also hold the events (`t_us`, `x`, `y`, `on`, `start`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.data_folders import find_nmnist
from whyspiking.datasets import mnist, nmnist
from whyspiking.datasets.event_camera import Events
from whyspiking.datasets.nmnist import Grid, Part
from whyspiking.errors import UserError
from whyspiking.records.array_files import load_arrays
from whyspiking.records.whole_files import read_json, replacing

SPLITS: dict[str, Part] = {"train": "train", "validation": "train", "test": "test"}
"""Split -> file of MNIST that it is from."""
HELD_OUT_FROM = 55000
"""Validation digits are the last ones of the training file, from here on."""
CITATION = (
    "Orchard, Jayawant, Cohen and Thakor, Converting static image datasets to spiking neuromorphic "
    "datasets using saccades, Frontiers in Neuroscience 9:437, 2015, doi 10.3389/fnins.2015.00437"
)
EVENT_FIELDS = ("t_us", "x", "y", "on", "start")


@dataclass(frozen=True)
class Recordings:
    """One split in memory.

    Attributes:
        labels: Digits, (recording,).
        frames: Packed 0/1 frames, (recording, frame, byte), uint8.
        n_channels: Inputs; the last byte of a frame may be padded.
        events: The events, where they were kept.
    """

    labels: NDArray[np.int64]
    frames: NDArray[np.uint8]
    n_channels: int
    events: Events | None

    def unpacked(self, selection: NDArray | slice = slice(None)) -> NDArray[np.float32]:
        """Frames of some recordings, time first: (frame, recording, channel), 0 or 1."""
        bits = np.unpackbits(self.frames[selection], axis=2, count=self.n_channels)
        return np.ascontiguousarray(bits.transpose(1, 0, 2), np.float32)


def grid_of(settings: Mapping[str, Any]) -> Grid:
    """Read the settings of the frames from the config."""
    dt_ms = float(settings["dt_ms"])
    return Grid(dt_ms, int(nmnist.DURATION_MS / dt_ms), int(settings["pool"]))


def shards(settings: Mapping[str, Any]) -> list[str]:
    """Names of the shards of a set, split by split.

    Args:
        settings: `data.nmnist` of the config.
    """
    return [
        f"{split}-{index}"
        for split in SPLITS
        for index in range(-(-settings[split] // settings["shard"]))
    ]


def numbers_of(settings: Mapping[str, Any], shard: str) -> range:
    """List the positions of the digits of one shard in their file of MNIST."""
    split, _, index = shard.partition("-")
    i_first = int(index) * settings["shard"]
    i_end = min(i_first + settings["shard"], settings[split])
    offset = HELD_OUT_FROM if split == "validation" else 0
    return range(offset + i_first, offset + i_end)


def record(data: Mapping[str, Any], shard: str, path: Path) -> None:
    """Make one shard, from the original files where they are there, else by simulation.

    Args:
        data: The `data` block of the config.
        shard: Its name, of `shards`.
        path: The .npz to write.

    Raises:
        UserError: If digits are asked for that do not exist, or an original file is damaged.
    """
    settings = data["nmnist"]
    split = shard.partition("-")[0]
    mnist_file, numbers = SPLITS[split], numbers_of(settings, shard)
    original = find_nmnist(data)
    if original is not None:
        events, labels = _read_original(original, mnist_file, numbers)
    else:
        images, labels = mnist.load(Path(data["folder"]) / "mnist", mnist_file)
        _check_range(numbers, len(images), split)
        digit_range = slice(numbers.start, numbers.stop)
        events, labels = (
            nmnist.simulate(images[digit_range], mnist_file, numbers),
            labels[digit_range],
        )
    arrays = {
        "labels": labels.astype(np.uint8),
        "frames": np.packbits(nmnist.frames(events, grid_of(settings)), axis=2),
    }
    if split == "test":
        arrays |= {name: getattr(events, name) for name in EVENT_FIELDS}
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def describe(data: Mapping[str, Any], files: Sequence[Path]) -> dict[str, Any]:
    """Describe a finished set for meta.json.

    Args:
        data: The `data` block of the config.
        files: Its shards.
    """
    settings = data["nmnist"]
    original = find_nmnist(data) is not None
    simulation = {
        "side": nmnist.SIDE,
        "leg_ms": nmnist.LEG_MS,
        "corners": nmnist.CORNERS,
        "moving_share": nmnist.MOVING_SHARE,
        "step_us": nmnist.STEP_US,
        "threshold_mean_sd": nmnist.THRESHOLD,
        "floor": nmnist.FLOOR,
        "refractory_us": nmnist.REFRACTORY_US,
        "noise_hz": nmnist.NOISE_HZ,
        "seed": nmnist.SEED,
    }
    test = _load_files([file for file in files if file.stem.startswith("test-")], 1).events
    if test is None:
        raise ValueError("every shard of test digits must contain events; found one without")
    return {
        "name": "N-MNIST" if original else "simulated N-MNIST",
        "provenance": "original" if original else "simulated",
        "sha256": {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files},
        "settings": dict(settings),
        "parameters": {} if original else simulation,
        "statistics_of_test_events": nmnist.statistics(test),
        "citation": CITATION,
        "licence": "CC BY-SA 4.0" if original else "that of MNIST: CC BY-SA 3.0",
    }


def load(folder: Path, split: str, grid: Grid) -> Recordings:
    """Read one split.

    Args:
        folder: Folder of the set, with meta.json.
        split: "train", "validation" or "test".
        grid: The frames that are expected.

    Raises:
        UserError: If the set is not there or was made with other frames.
    """
    if not (folder / "meta.json").is_file():
        raise UserError(
            f"{folder}: this folder contains no data set. Run the workflow once, which generates it"
        )
    settings = read_json(folder / "meta.json", "settings")["settings"]
    if grid_of(settings) != grid:
        raise UserError(
            f"{folder} has {grid_of(settings)}, but the talk expects {grid}; change 'data.nmnist' "
            "in the config or the talk's talk.yaml so that they agree"
        )
    names = [name for name in shards(settings) if name.startswith(f"{split}-")]
    return _load_files([folder / "shards" / f"{name}.npz" for name in names], grid.n_channels)


def _load_files(files: Sequence[Path], n_channels: int) -> Recordings:
    labels, frames, events = [], [], []
    for path in files:
        file = load_arrays(path)
        labels.append(file["labels"].astype(np.int64))
        frames.append(file["frames"])
        if "t_us" in file:
            events.append(Events(**{name: file[name] for name in EVENT_FIELDS}))
    return Recordings(
        np.concatenate(labels),
        np.concatenate(frames),
        n_channels,
        _join_events(events) if events else None,
    )


def _join_events(blocks: Sequence[Events]) -> Events:
    counts = np.concatenate([block.counts() for block in blocks])
    columns = {
        name: np.concatenate([getattr(block, name) for block in blocks])
        for name in EVENT_FIELDS[:-1]
    }
    return Events(**columns, start=np.concatenate([[0], np.cumsum(counts)]))


def _read_original(folder: Path, mnist_file: Part, numbers: range) -> tuple[Events, NDArray]:
    files = nmnist.original_files(folder, mnist_file)
    _check_range(numbers, len(files), mnist_file)
    selected = files[numbers.start : numbers.stop]
    events = nmnist.decode([path.read_bytes() for path, _ in selected], f"N-MNIST in {folder}")
    return events, np.array([digit for _, digit in selected])


def _check_range(numbers: range, available: int, split: str) -> None:
    if numbers.stop > available:
        raise UserError(
            f"N-MNIST: digit {numbers.stop} of split '{split}' is requested, but this split has "
            f"only {available} digits. Lower 'data.nmnist.{split}' in the config"
        )
