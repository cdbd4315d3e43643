"""N-MNIST (Orchard et al. 2015): handwritten digits seen by an event camera in three saccades.

Where the original files are not at hand, the recordings are simulated from MNIST: the same sensor
size, saccades, duration and file format, with the pixels of `event_camera`. What networks are
trained on are 0/1 frames of the events; of the test digits the events themselves are kept too.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.datasets import event_camera
from whyspiking.datasets.event_camera import Camera, Events, Path2D
from whyspiking.errors import UserError

SIDE = 34
"""Pixels along one side of a recording."""
LEG_MS = 105
"""Duration of each of the three saccades."""
DURATION_MS = 3 * LEG_MS
CORNERS = ((-0.5, -0.5), (3.0, 6.5), (6.5, -0.5), (-0.5, -0.5))
"""Position (x, y) of the image before and after each saccade, in pixels."""
MOVING_SHARE = 0.85
"""Share of a saccade in which the image moves; it starts and ends gently."""
STEP_US = 1000.0
THRESHOLD = (0.5, 0.05)
"""Mean and standard deviation of the pixels' thresholds in log units."""
FLOOR = 0.1
REFRACTORY_US = 1000.0
NOISE_HZ = 0.1
SEED = 2015
"""The simulated set is one data set: it does not depend on the seed of a training."""
BYTES_PER_EVENT = 5
FOLDERS = {"train": "Train", "test": "Test"}
TIME_BITS = 23
"""Of a file: no event is later than 2^23 - 1 microseconds."""
BLOCK_RECORDINGS = 100
"""Recordings whose events are sorted at once: they fit the second cache."""

Part = Literal["train", "test"]


def saccades() -> Path2D:
    """Compute the position of the image at the border of every millisecond."""
    n_leg = round(LEG_MS * 1000 / STEP_US)
    progress = np.clip(np.arange(1, n_leg + 1) / (MOVING_SHARE * n_leg), 0, 1)
    share = progress * progress * (3 - 2 * progress)
    points = [np.array([CORNERS[0]])]
    for start, end in itertools.pairwise(CORNERS):
        points.append(np.array(start) + share[:, None] * (np.array(end) - np.array(start)))
    path = np.concatenate(points).astype(np.float32)
    return Path2D(np.ascontiguousarray(path[:, 0]), np.ascontiguousarray(path[:, 1]), STEP_US)


def camera() -> Camera:
    """The pixels of the simulated sensor: one device, so the same thresholds for all digits."""
    rng = Streams(SEED).rng("nmnist sensor")
    theta_on, theta_off = np.maximum(0.1, rng.normal(*THRESHOLD, (2, SIDE, SIDE))).astype(
        np.float32
    )
    return Camera(theta_on, theta_off, FLOOR, REFRACTORY_US, NOISE_HZ)


def simulate(images: NDArray[np.uint8], file: Part, numbers: Sequence[int]) -> Events:
    """Record digits; each depends on its number only, not on which others are recorded with it.

    Args:
        images: MNIST images, (image, 28, 28).
        file: Which MNIST file they are from.
        numbers: Their positions in that file, (image,).
    """
    streams = Streams(SEED)
    path, sensor = saccades(), camera()
    rngs = [streams.rng(f"nmnist {file} {number}") for number in numbers]
    chance = event_camera.draw(sensor, path, rngs)
    return event_camera.watch(sensor, path, images.astype(np.float32) / 255, chance)


@dataclass(frozen=True)
class Grid:
    """How events become 0/1 frames.

    Attributes:
        dt_ms: Duration of a frame; an event at t belongs to the frame nearest to t, as in Brian2.
        n_frames: Number of frames; later events are dropped.
        pool: Side of the squares of pixels that are taken together, each polarity for itself.
    """

    dt_ms: float
    n_frames: int
    pool: int

    @property
    def side(self) -> int:
        """Squares along one side."""
        return -(-SIDE // self.pool)

    @property
    def n_channels(self) -> int:
        """Squares times polarities."""
        return 2 * self.side**2

    def channel(self, events: Events) -> NDArray[np.int64]:
        """Input of each event: OFF before ON, then row by row."""
        row, column = events.y.astype(np.int64) // self.pool, events.x.astype(np.int64) // self.pool
        return (events.on * self.side + row) * self.side + column

    def frame(self, events: Events) -> NDArray[np.int64]:
        """Frame of each event; those that are dropped get `n_frames` or more."""
        return np.floor(events.t_us / (1000 * self.dt_ms) + 0.5).astype(np.int64)

    def _cells(self, events: Events) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Find the events that are kept, and the index (recording, frame, channel) of each."""
        frame = self.frame(events)
        i_kept = np.flatnonzero(frame < self.n_frames)
        recording = np.repeat(np.arange(len(events)), events.counts())
        cell = (recording * self.n_frames + frame) * self.n_channels + self.channel(events)
        return i_kept, cell[i_kept]


def frames(events: Events, grid: Grid) -> NDArray[np.bool_]:
    """Whether an input has any event in a frame, (recording, frame, channel)."""
    raster = np.zeros((len(events), grid.n_frames, grid.n_channels), bool)
    for begin, block in _split_blocks(events):
        raster[begin : begin + len(block)].reshape(-1)[grid._cells(block)[1]] = True
    return raster


def first_events(events: Events, grid: Grid) -> tuple[NDArray, NDArray, NDArray]:
    """Find the first event of every input in every frame: recording, channel, time in ms.

    They are sorted by recording, then by time, then by channel.
    """
    trials, channels, times_ms = [], [], []
    for begin, block in _split_blocks(events):
        i_kept, cell = grid._cells(block)
        i_first_event = np.full(len(block) * grid.n_frames * grid.n_channels, -1)
        # Events are sorted by time within a recording: backwards, the first is written last.
        i_first_event[cell[::-1]] = i_kept[::-1]
        cell = np.flatnonzero(i_first_event >= 0)
        recording, channel = cell // (grid.n_frames * grid.n_channels), cell % grid.n_channels
        trial_time = recording << TIME_BITS | block.t_us[i_first_event[cell]]
        sort_key = np.sort(trial_time * grid.n_channels + channel)
        trial_time, channel = np.divmod(sort_key, grid.n_channels)
        trials.append((begin + (trial_time >> TIME_BITS)).astype(np.int32))
        channels.append(channel.astype(np.int32))
        times_ms.append((trial_time & (1 << TIME_BITS) - 1) / 1000.0)
    return np.concatenate(trials), np.concatenate(channels), np.concatenate(times_ms)


def _split_blocks(events: Events) -> Iterator[tuple[int, Events]]:
    """Iterate over blocks of recordings, each with the number of its first."""
    for begin in range(0, len(events), BLOCK_RECORDINGS):
        yield begin, recordings(events, begin, min(begin + BLOCK_RECORDINGS, len(events)))


def recordings(events: Events, begin: int, end: int) -> Events:
    """Select the recordings from number `begin` to before number `end`."""
    event_range = slice(int(events.start[begin]), int(events.start[end]))
    start = events.start[begin : end + 1] - event_range.start
    return Events(
        events.t_us[event_range],
        events.x[event_range],
        events.y[event_range],
        events.on[event_range],
        start,
    )


def decode(contents: Sequence[bytes], source: str) -> Events:
    """Recordings from the contents of N-MNIST files: 5 bytes per event.

    x, y, then polarity (1 bit, 1 for ON) and time in microseconds (23 bits), big-endian.

    Args:
        contents: One per recording.
        source: Name of the source, for errors.

    Raises:
        UserError: If the length is no multiple of 5 bytes or an event lies outside the sensor.
    """
    event_bytes = []
    for raw in contents:
        if len(raw) % BYTES_PER_EVENT:
            raise UserError(
                f"{source}: {len(raw)} bytes are not a whole number of 5-byte events, so the file "
                "is incomplete. Unpack the archive again"
            )
        event_bytes.append(
            np.frombuffer(raw, np.uint8).reshape(-1, BYTES_PER_EVENT).astype(np.uint32)
        )
    start = np.concatenate(
        [[0], np.cumsum([len(recording_bytes) for recording_bytes in event_bytes])]
    ).astype(np.int64)
    x, y, *low_bytes = np.concatenate(event_bytes).T
    packed = low_bytes[0] << 16 | low_bytes[1] << 8 | low_bytes[2]
    if x.size and max(x.max(), y.max()) >= SIDE:
        raise UserError(
            f"{source}: the file has events outside of {SIDE} x {SIDE} pixels; expected a file of "
            "N-MNIST. Unpack the archive again"
        )
    return Events(
        (packed & 0x7FFFFF).astype(np.int32),
        x.astype(np.uint8),
        y.astype(np.uint8),
        (packed >> 23).astype(np.uint8),
        start,
    )


def original_files(folder: Path, file: Part) -> list[tuple[Path, int]]:
    """Files of the unpacked original with their class, sorted by number; empty if none are there.

    Args:
        folder: Has the folders Train and Test of the archives, each with folders 0 to 9.
        file: Which of them.
    """
    paths = [
        (path, digit)
        for digit in range(10)
        for path in (folder / FOLDERS[file] / str(digit)).glob("*.bin")
    ]
    return sorted(paths, key=lambda pair: (pair[0].name, pair[1]))


def statistics(events: Events) -> dict[str, Any]:
    """Events per recording, share of ON, mean position and end, as plain numbers."""
    counts = events.counts()
    return {
        "events_mean": float(counts.mean()),
        "events_sd": float(counts.std()),
        "on_share": float(events.on.mean()),
        "x_mean": float(events.x.mean()),
        "y_mean": float(events.y.mean()),
        "last_ms": float(events.t_us.max()) / 1000,
    }
