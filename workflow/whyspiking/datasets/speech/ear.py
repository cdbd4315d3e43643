"""The ear of the Spiking Heidelberg Digits: sound to spikes of bushy cells.

A hydrodynamic model of the basilar membrane (Sieroka, Dosch and Rupp 2006), hair cells with
transmitter pools (Meddis 1986, 1988), and bushy cells on which 40 auditory nerve fibres converge
(Cramer, Stradmann, Schemmel and Zenke 2020). Parameters are those of the published tool, lauscher.

With position x along the membrane (cm), angular frequency w, and centimetre-gram-second units:

    S(x) = C0 exp(-alpha x) - a             R(x) = delta sqrt(C0 m) exp(-alpha x / 2)
    xi = S - m w^2 - i w R                  g = w sqrt(rho / (h xi))       A = sqrt(a + m w^2)
    B(x) = -alpha sqrt(xi) + i alpha (2 a + 2 m w^2 + i w R) / (2 A)
    G(x) = 2 g(0) / alpha - 2 sqrt(2) i w ln(B(0) / (exp(alpha x / 2) B(x)))
                            / (alpha sqrt(2 h (m w^2 + a)))
    p(x) = sqrt(G / g) H0(G)                                                                    (1)
    kappa = (2 w / alpha) sqrt(2 / (h C0))
    Z = sqrt(2 C0 / h) (i J0(kappa) + Y0(kappa)) / (J1(kappa) - i Y1(kappa))
    V(w, x) = (2 w / xi) Z p(x) / p(0)                                                          (2)

The velocity of the membrane at x is the real part of the inverse transform of V(w, x) X(w) over the
non-negative frequencies, which lie on a grid from 1 Hz to half the sampling rate. Hair cell:

    k = g max(v + A, 0) / (v + A + B)
    dq/dt = y max(M - q, 0) - k q + x w     dc/dt = k q - (l + r) c     dw/dt = r c - x w       (3)

A fibre fires with probability h c dt per step unless it fired within 1 ms. The bushy cell leaks
with 1 ms, its current decays with 0.5 ms, its threshold is 1, and it rests 1 ms after a spike.  (4)
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whyspiking.compiler import libraries
from whyspiking.compiler.libraries import Array
from whyspiking.errors import UserError
from whyspiking.records import array_files, whole_files

LEVEL = 0.3
"""Root mean square to which every clip is scaled."""
LENGTH_CM = 3.5
N_POSITIONS = 700
N_FIBRES = 40
TAU_MEM_S, TAU_SYN_S, REFRACTORY_S = 1e-3, 5e-4, 1e-3
BLOCK = 20
"""Channels whose velocity is computed at a time: few enough for the processor's cache."""
WEIGHT_PER_S = {48: 13.0e3, 24: 12.2e3}
"""Sampling rate in kHz -> weight of all fibres together. 13e3 is published, for 48 kHz; the larger
Euler step at 24 kHz gives a third more spikes, which the smaller weight takes back."""

C0, STIFFNESS_END, ALPHA, RHO, DELTA, HEIGHT, MASS = 1e9, 3500.0, 3.0, 1.0, 0.15, 0.1, 0.05
HAIR = {
    "y": 5.05, "g": 2000.0, "l": 2500.0, "r": 6580.0, "x": 66.3, "a": 5.0, "b": 300.0,
    "h": 50000.0, "m": 1.0,
}  # fmt: skip
"""Rates per second, in the order in which the compiled loop takes them; M is 1."""


class _HairCell(ctypes.Structure):
    _fields_ = [(name, ctypes.c_double) for name in HAIR]


class _BushyCell(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_double) for name in ("tau_mem", "tau_syn", "weight")),
        *((name, ctypes.c_int) for name in ("fibres", "refractory")),
    ]


class Ear:
    """The ear model for clips up to a fixed length, at one sampling rate.

    Attributes:
        positions: Which of the 700 published positions the channels have, (channel,).
        step_s: Step of the hair cells and of the spike times, twice the sampling step.
    """

    def __init__(self, n_channels: int, rate_khz: int, longest_s: float) -> None:
        """Compute what the membrane does at every frequency, which all clips share.

        Args:
            n_channels: 700, or a divisor of it: every fifth position for 140.
            rate_khz: Sampling rate of the sound, 48 as published or 24.
            longest_s: Longest clip; it decides how fine the grid of frequencies is.

        Raises:
            UserError: If a number is not possible, or there is no C++ compiler.
        """
        from scipy import fft

        if rate_khz not in WEIGHT_PER_S:
            raise UserError(f"ear model: rate is {rate_khz} kHz; it must be one of 24, 48")
        self.positions = positions(n_channels)
        self.rate_hz = 1000 * rate_khz
        self.step_s = 2 / self.rate_hz
        self._weight = WEIGHT_PER_S[rate_khz]
        n_bins = int(np.asarray(fft.next_fast_len(int(np.ceil(longest_s * self.rate_hz / 2)) + 1)))
        self._n_samples = 2 * (n_bins - 1)
        whole = _stored_response(n_channels, self._n_samples, self.rate_hz) / np.float32(2)
        last = n_bins // 2 + 1
        self._response = np.ascontiguousarray(whole[:, :last])
        # The conjugate of the bins 0, n - 1, n - 2, ..., beside the bins 0, 1, 2, ...
        self._mirrored = np.ascontiguousarray(np.conj(whole[:, -np.arange(last)]))
        self._spikes = libraries.load("ear", [Path(__file__).with_name("ear.cpp")]).ear_spikes
        self._spikes.argtypes = [
            Array, ctypes.c_int, ctypes.c_int, ctypes.c_double, ctypes.POINTER(_HairCell),
            ctypes.POINTER(_BushyCell), ctypes.c_uint64, Array, Array,
        ]  # fmt: skip
        self._spikes.restype = None

    def hear(self, wave: NDArray, seed: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Spikes of all channels in response to one clip.

        Args:
            wave: Sound at the ear's sampling rate, any level, (sample,).
            seed: Of the fibres' random numbers.

        Returns:
            Times in s, non-decreasing, and channels, both (spike,).

        Raises:
            ValueError: If the clip is longer than the ear was made for.
        """
        spikes = self._respond(self.velocity(wave), seed, None)
        channels, steps = np.divmod(np.flatnonzero(spikes.view(bool)), spikes.shape[1])
        order = np.argsort(steps, kind="stable")
        return steps[order] * self.step_s, channels[order]

    def respond(
        self, velocity: NDArray, seed: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """What hair cells and bushy cells make of a moving membrane.

        Args:
            velocity: Of the membrane, (channel, step).
            seed: Of the fibres' random numbers.

        Returns:
            Spikes (0 or 1) and the fibres' firing probability per step, both (channel, step).
        """
        firing = np.empty(velocity.shape)
        return self._respond(velocity, seed, firing), firing

    def _respond(self, velocity: NDArray, seed: int, firing: NDArray | None) -> NDArray[np.uint8]:
        v = np.ascontiguousarray(velocity, np.float64)
        n_channels, n_steps = v.shape
        spikes = np.empty((n_channels, n_steps), np.uint8)
        cell = _BushyCell(
            TAU_MEM_S, TAU_SYN_S, self._weight / N_FIBRES, N_FIBRES,
            round(REFRACTORY_S / self.step_s),
        )  # fmt: skip
        self._spikes(
            v, n_channels, n_steps, self.step_s, ctypes.byref(_HairCell(**HAIR)),
            ctypes.byref(cell), seed, firing, spikes,
        )  # fmt: skip
        return spikes

    def velocity(self, wave: NDArray) -> NDArray[np.float64]:
        """Velocity of the membrane, (channel, step), for the length of the clip."""
        from scipy import fft

        if wave.size > self._n_samples:
            raise ValueError(
                f"the clip has {wave.size} samples; this ear takes up to {self._n_samples}"
            )
        loud = wave * (LEVEL / np.sqrt(np.mean(np.square(wave))))
        padded = np.zeros(self._n_samples, np.float32)
        padded[: wave.size] = loud * np.hanning(wave.size)
        spectrum = np.asarray(fft.rfft(padded))
        n = spectrum.size
        # The real part of an inverse transform is that of the spectrum's Hermitian half, whose own
        # transform is real: half the work.
        first, mirrored = spectrum[: n // 2 + 1], np.conj(spectrum[-np.arange(n // 2 + 1)])
        velocity = np.empty((self.positions.size, wave.size // 2))
        for start in range(0, self.positions.size, BLOCK):
            rows = slice(start, start + BLOCK)
            half = self._response[rows] * first
            half += self._mirrored[rows] * mirrored
            moved = np.asarray(fft.irfft(half, n, axis=1, overwrite_x=True))
            velocity[rows] = moved[:, : wave.size // 2]
        return velocity


def positions(n_channels: int) -> NDArray[np.int64]:
    """Which of the 700 published positions the channels have: the middle of each group.

    Args:
        n_channels: A divisor of 700.

    Raises:
        UserError: If it is not.
    """
    if not 1 <= n_channels <= N_POSITIONS or N_POSITIONS % n_channels:
        raise UserError(
            f"ear model: channels is {n_channels}; it must divide {N_POSITIONS}, for example 140"
        )
    group = N_POSITIONS // n_channels
    return group * np.arange(n_channels) + group // 2


def angular_frequencies(n_samples: int, rate_hz: float) -> NDArray[np.float64]:
    """The grid of angular frequencies, 1 Hz to half the sampling rate, (bin,) in rad/s."""
    return 2 * np.pi * np.linspace(1.0, rate_hz / 2, n_samples // 2 + 1)


def _stored_response(n_channels: int, n_samples: int, rate_hz: int) -> NDArray[np.complex64]:
    """`response` of all channels, (channel, bin), computed once for all clips of about a length.

    It takes as long as hearing sixty clips, and there are a handful of lengths (in tenths of a
    second), so it is kept in the folder of the compiled libraries, under a hash of what decides it.

    Args:
        n_channels: Of the ear.
        n_samples: Length of the sound, which decides the grid of frequencies.
        rate_hz: Its sampling rate.
    """
    import scipy

    parts = (n_channels, n_samples, rate_hz, np.__version__, scipy.__version__)
    key = hashlib.sha256(Path(__file__).read_bytes() + repr(parts).encode()).hexdigest()
    path = libraries.folder() / f"ear-{key[:20]}.npz"
    with contextlib.suppress(UserError):
        return array_files.load_arrays(path)["response"]
    place_cm = LENGTH_CM * positions(n_channels) / (N_POSITIONS - 1)
    grid = angular_frequencies(n_samples, rate_hz)
    found = response(grid, place_cm).astype(np.complex64)
    with whole_files.replacing(path) as partial:
        np.savez(partial, allow_pickle=False, response=found)
    return found


def response(omega: NDArray, x: NDArray) -> NDArray[np.complex128]:
    """Velocity of the membrane per sound, Eq. 2.

    Args:
        omega: Angular frequencies in rad/s, (bin,).
        x: Distances from the base in cm, (channel,).

    Returns:
        (channel, bin).
    """
    from scipy.special import j0, j1, y0, y1

    kappa = 2 * omega / ALPHA * np.sqrt(2 / (HEIGHT * C0))
    z = np.sqrt(2 * C0 / HEIGHT) * (1j * j0(kappa) + y0(kappa)) / (j1(kappa) - 1j * y1(kappa))
    common = 2 * omega * z / pressure(omega, 0.0)
    return np.stack([common / _xi(omega, place) * pressure(omega, place) for place in x])


def pressure(omega: NDArray, x: float) -> NDArray[np.complex128]:
    """Pressure at one place up to a factor, Eq. 1; (bin,)."""
    from scipy.special import hankel1

    def bracket(place: float) -> NDArray:
        inner = 2 * STIFFNESS_END + 2 * MASS * omega**2 + 1j * omega * _damping(place)
        slope = np.sqrt(STIFFNESS_END + MASS * omega**2)
        return -ALPHA * np.sqrt(_xi(omega, place)) + 0.5j * ALPHA * inner / slope

    ratio = bracket(0.0) / (np.exp(ALPHA * x / 2) * bracket(x))
    root = ALPHA * np.sqrt(2 * HEIGHT * (MASS * omega**2 + STIFFNESS_END))
    phase = 2 * _wave(omega, 0.0) / ALPHA - 2j * np.sqrt(2) * omega * np.log(ratio) / root
    return np.sqrt(phase / _wave(omega, x)) * hankel1(0, phase)


def _xi(omega: NDArray, x: float) -> NDArray[np.complex128]:
    stiffness = C0 * np.exp(-ALPHA * x) - STIFFNESS_END
    return stiffness - MASS * omega**2 - 1j * omega * _damping(x)


def _damping(x: float) -> float:
    return DELTA * float(np.sqrt(C0 * MASS) * np.exp(-ALPHA * x / 2))


def _wave(omega: NDArray, x: float) -> NDArray[np.complex128]:
    return omega * np.sqrt(RHO / (HEIGHT * _xi(omega, x)))
