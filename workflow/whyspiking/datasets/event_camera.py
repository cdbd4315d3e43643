"""Events of a camera whose pixels answer to changes of log brightness, watching a moving image.

A pixel sends ON (OFF) when its log brightness has risen (fallen) by its threshold since its last
crossing; its reference then moves by that threshold. Times are interpolated within a step. A
crossing within the refractory time after an event is lost. Noise events come on top.
Not modelled: latency and bandwidth of the sensor, shared read-out, flicker of a display.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whyspiking.compiler import libraries
from whyspiking.compiler.libraries import Array

SOURCES = (Path(__file__).with_name("event_camera.cpp"),)
MIN_CAPACITY = 4096
"""Events per image for which memory is reserved at first; more where it does not suffice."""
BLOCK = 50
"""Images per call; the next call starts with the capacity that this one needed."""


@dataclass(frozen=True)
class Camera:
    """Pixels of a square sensor.

    Attributes:
        on: Threshold of each pixel for rising log brightness, (side, side), float32.
        off: The same for falling log brightness.
        floor: Brightness that is added before the logarithm; images lie in [0, 1].
        refractory_us: Time after an event in which a pixel sends none, in microseconds.
        noise_hz: Rate of noise events per pixel, in Hz; half of them ON.
    """

    on: NDArray[np.float32]
    off: NDArray[np.float32]
    floor: float
    refractory_us: float
    noise_hz: float

    @property
    def side(self) -> int:
        """Pixels along one side."""
        return self.on.shape[0]


@dataclass(frozen=True)
class Path2D:
    """Position of the image at the border of every step in pixels, x and y (step + 1,), float32."""

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    step_us: float


@dataclass(frozen=True)
class Events:
    """Events of several recordings, one after the other; within one sorted by time, then address.

    Attributes:
        t_us: Time since the start of the recording in microseconds, (event,), int32.
        x: Column, (event,), uint8.
        y: Row, (event,), uint8.
        on: Polarity: 1 for rising, 0 for falling brightness, (event,), uint8.
        start: Where each recording begins, (recording + 1,), int64.
    """

    t_us: NDArray[np.int32]
    x: NDArray[np.uint8]
    y: NDArray[np.uint8]
    on: NDArray[np.uint8]
    start: NDArray[np.int64]

    def __len__(self) -> int:
        return self.start.size - 1

    def counts(self) -> NDArray[np.int64]:
        """Events per recording."""
        return np.diff(self.start)


@dataclass(frozen=True)
class Chance:
    """All randomness of some recordings.

    Attributes:
        start: Reference of every pixel at the beginning less its log brightness, (image, pixel).
        noise_at: Delimits the noise of each image, (image + 1,).
        noise_us: Times of noise events in microseconds.
        noise_address: Their pixel and polarity: 2 * pixel + (1 for ON).
    """

    start: NDArray[np.float32]
    noise_at: NDArray[np.int64]
    noise_us: NDArray[np.int32]
    noise_address: NDArray[np.int32]


def draw(camera: Camera, path: Path2D, rngs: Sequence[np.random.Generator]) -> Chance:
    """Draw the randomness of each recording from a generator of its own.

    Args:
        camera: Thresholds and rate of noise.
        path: Gives the duration.
        rngs: One generator per image.
    """
    duration_us = path.step_us * (path.x.size - 1)
    n_pixels = camera.side**2
    expected = camera.noise_hz * n_pixels * duration_us * 1e-6
    threshold = 0.5 * (camera.on + camera.off).ravel()
    start = np.empty((len(rngs), n_pixels), np.float32)
    times, addresses = [], []
    for image, rng in enumerate(rngs):
        start[image] = (rng.random(n_pixels, dtype=np.float32) - 0.5) * threshold
        n_noise = int(rng.poisson(expected))
        times.append((rng.random(n_noise) * duration_us).astype(np.int32))
        addresses.append(rng.integers(2 * n_pixels, size=n_noise, dtype=np.int32))
    noise_at = np.concatenate([[0], np.cumsum([image_times.size for image_times in times])])
    return Chance(
        start, noise_at.astype(np.int64), np.concatenate(times), np.concatenate(addresses)
    )


def watch(camera: Camera, path: Path2D, images: NDArray, chance: Chance) -> Events:
    """Record the events of images that move along a path.

    Args:
        camera: The pixels.
        path: Where the upper left corner of the image is at the border of every step.
        images: Brightness in [0, 1], (image, size, size).
        chance: From `draw`, for as many images.

    Raises:
        UserError: If the kernel cannot be compiled.
        ValueError: If the path leads further than the sensor is wide, or shapes do not fit.
    """
    images = np.ascontiguousarray(images, np.float32)
    if max(np.abs(path.x).max(), np.abs(path.y).max()) > camera.side - 2:
        raise ValueError("the path moves the image beyond the edge of the sensor")
    if chance.start.shape != (len(images), camera.side**2):
        raise ValueError("`chance` was drawn for other images or another sensor")
    counts = np.empty(len(images), np.int64)
    times, address = [np.empty(0, np.int32)], [np.empty(0, np.uint16)]
    capacity, i_first = MIN_CAPACITY, 0
    while i_first < len(images):
        block = slice(i_first, i_first + BLOCK)
        block_times = np.empty((len(images[block]), capacity), np.int32)
        block_address = np.empty(block_times.shape, np.uint16)
        _library().watch(
            len(block_times), images.shape[1], images[block], camera.side, path.x.size - 1,
            path.x, path.y, camera.on, camera.off, camera.floor, path.step_us,
            camera.refractory_us, chance.start[block], chance.noise_at[i_first:], chance.noise_us,
            chance.noise_address, capacity, block_times, block_address, counts[block],
        )  # fmt: skip
        if counts[block].max() > capacity:
            capacity = int(counts[block].max())
            continue
        is_event = np.arange(capacity) < counts[block, None]
        times.append(block_times[is_event])
        address.append(block_address[is_event])
        i_first += BLOCK
    start = np.concatenate([[0], np.cumsum(counts)])
    return events_of(np.concatenate(times), np.concatenate(address), start, camera.side)


def events_of(times: NDArray, address: NDArray, start: NDArray, side: int) -> Events:
    """Events from times and addresses: 2 * pixel + (1 for ON)."""
    pixel = address >> 1
    return Events(
        times.astype(np.int32),
        (pixel % side).astype(np.uint8),
        (pixel // side).astype(np.uint8),
        (address & 1).astype(np.uint8),
        start.astype(np.int64),
    )


@functools.cache
def _library() -> ctypes.CDLL:
    kernel = libraries.load("event_camera", SOURCES)
    int64, double = ctypes.c_int64, ctypes.c_double
    kernel.watch.argtypes = [
        int64, int64, Array, int64, int64, *[Array] * 4, *[double] * 3, *[Array] * 4, int64,
        *[Array] * 3,
    ]  # fmt: skip
    kernel.watch.restype = None
    return kernel
