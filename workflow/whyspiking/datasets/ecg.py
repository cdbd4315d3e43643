"""Electrocardiograms whose every sample is labelled, coded as events (Yin et al. 2020, ECG task).

`generate` makes them: the dynamical model of McSharry et al. 2003 (ECGSYN), whose phase gives the
labels exactly. On its limit cycle the phase obeys d theta/dt = 2 pi / RR, and the voltage follows

    dz/dt = - sum_i a_i (omega / 2 pi) d_i exp(-d_i^2 / (2 b_i^2)) - (z - z_0),   d_i = theta -
    theta_i

over the waves P, Q, R, S, T, which is linear in z and so one recursive filter. `read_original`
reads the QT Database as Yin, Corradi & Bohte coded it, from a folder of the user's.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from whyspiking.datasets import released
from whyspiking.errors import UserError

LABELS = ("P", "PQ", "QR", "RS", "ST", "TP")
"""Classes in the order in which a beat runs through them."""
N_LEADS, N_CHANNELS = 2, 4
UNLABELLED = -1
SAMPLING_HZ, INNER_HZ = 250, 500
"""Sampling of records, and of the model within."""

# Angle in degrees, amplitude and width of the waves P, Q, R, S, T at 60 beats per minute.
ANGLE = np.deg2rad([-70.0, -15.0, 0.0, 15.0, 100.0])
AMPLITUDE = np.array([1.2, -5.0, 30.0, -7.5, 0.75])
WIDTH = np.array([0.25, 0.1, 0.1, 0.1, 0.4])
# Exponent of sqrt(heart rate / 60) by which angles move.
ANGLE_SCALING = np.array([0.5, 1.0, 1.0, 1.0, 0.5])
# Where a segment begins or ends, in widths of its wave: P on, P off, QRS on, QRS off, T end.
EDGES = ((0, -1.6), (0, 1.6), (1, -1.9), (3, 1.5), (4, 1.9))
RANGE_MV = 1.6
"""Peak to peak of a lead of gain 1."""
LEAST_SAMPLES = 2
"""Every segment lasts at least this long."""
SPECTRUM_HZ = np.arange(1, 65) / 128.0
"""Frequencies of the variability of the heart rate."""

FILES = {
    "train": (
        released.File(
            "QTDB_train.mat",
            "72d1a10c96f1540880447e07256835d66da419c0b34f3dff495731a7928c5bc7",
        ),
        618,
    ),
    "test": (
        released.File(
            "QTDB_test.mat",
            "916f11e21679a5b61988305bbb7cd1e6df8b34f1ed4a157a7a4e295d400ef232",
        ),
        141,
    ),
}
"""Split -> file of byin-cwi/Efficient-spiking-networks, data/, and its number of records."""
ORIGINAL_STEPS = 1301


@dataclass(frozen=True)
class Records:
    """Labelled records, coded as events.

    Attributes:
        events: Whether a channel has an event, (record, time, channel), bool; channels are up and
            down of the first lead, then of the second.
        labels: Index into `LABELS`, or `UNLABELLED`; (record, time), int8.
        voltage_mv: What the events were made of, (record, time, lead); empty where unknown.
    """

    events: NDArray[np.bool_]
    labels: NDArray[np.int8]
    voltage_mv: NDArray[np.float32]


def generate(
    n_records: int, n_steps: int, rng: Generator, *, threshold_mv: float = 0.03
) -> Records:
    """Draw records of different hearts: no two share their morphology.

    Args:
        n_records: Number of records.
        n_steps: Samples of each, at 250 Hz.
        rng: Source of everything that differs between records.
        threshold_mv: Difference of successive samples that makes an event (code of Yin et al.).
    """
    from scipy.signal import lfilter

    ratio = INNER_HZ // SAMPLING_HZ
    heart_rate = rng.uniform(48, 88, n_records)
    rate_factor = np.sqrt(heart_rate / 60)[:, None]
    angle = ANGLE * rate_factor**ANGLE_SCALING * (1 + 0.075 * rng.standard_normal((n_records, 5)))
    width = WIDTH * rate_factor * np.maximum(1 + 0.15 * rng.standard_normal((n_records, 5)), 0.4)
    theta, omega = _draw_phase(heart_rate, ratio * (n_steps + 1), rng)
    labels = _label_samples(theta[:, ::ratio], omega[:, ::ratio], angle, width)[:, :n_steps]

    drive = np.zeros((N_LEADS, *theta.shape), np.float32)
    amplitude = AMPLITUDE * (1 + 0.3 * rng.standard_normal((N_LEADS, n_records, 5)))
    for wave in range(5):
        phase_distance = theta - angle[:, wave, None].astype(np.float32)
        phase_distance = np.where(
            phase_distance > np.pi,
            phase_distance - 2 * np.pi,
            np.where(phase_distance < -np.pi, phase_distance + 2 * np.pi, phase_distance),
        )
        bump = phase_distance * np.exp(
            -(phase_distance**2) / (2 * width[:, wave, None].astype(np.float32) ** 2)
        )
        drive -= amplitude[:, :, wave, None].astype(np.float32) * bump
    # The limit cycle is linear in the voltage, so that one recursive filter solves it.
    time_s = np.arange(theta.shape[1]) / INNER_HZ
    wander = 0.005 * np.sin(2 * np.pi * 0.25 * time_s + rng.uniform(0, 2 * np.pi, (n_records, 1)))
    decay = np.exp(-1 / INNER_HZ)
    driven = drive * (omega / (2 * np.pi)) + wander
    voltage_leads = np.asarray(lfilter([1 - decay], [1, -decay], driven, axis=2))[:, :, ::ratio][
        :, :, : n_steps + 1
    ]
    voltage_leads *= RANGE_MV / (voltage_leads.max(axis=2) - voltage_leads.min(axis=2))[:, :, None]
    gain = rng.uniform(0.4, 1.1, n_records) * np.where(rng.random(n_records) < 0.25, -1, 1)
    voltage_leads[1] *= gain[:, None]

    sample_s = np.arange(n_steps + 1) / SAMPLING_HZ
    for lead in range(N_LEADS):
        sway_mv = rng.uniform(0.0, 0.05, (n_records, 1))
        sway_hz = rng.uniform(0.15, 0.4, (n_records, 1))
        sway_phase = rng.uniform(0, 2 * np.pi, (n_records, 1))
        voltage_leads[lead] += sway_mv * np.sin(2 * np.pi * sway_hz * sample_s + sway_phase)
        noise = rng.uniform(0.003, 0.02, (n_records, 1))
        voltage_leads[lead] += noise * rng.standard_normal((n_records, n_steps + 1))
    voltage = np.moveaxis(voltage_leads, 0, 2)
    return Records(
        encode(voltage, threshold_mv)[:, :n_steps], labels, voltage[:, :n_steps].astype(np.float32)
    )


def encode(voltage_mv: NDArray, threshold_mv: float) -> NDArray[np.bool_]:
    """Events "up" and "down" of each lead: the smoothed voltage changes by the threshold or more.

    Args:
        voltage_mv: (record, time, lead).
        threshold_mv: Least difference of successive samples.

    Returns:
        (record, time, 2 x lead); the event at t tells the change from t to t + 1, none at the last.
    """
    from scipy.signal import savgol_filter

    smoothed = np.asarray(savgol_filter(voltage_mv, 5, 3, axis=1))
    change = np.diff(smoothed, axis=1, append=smoothed[:, -1:])
    pairs = np.stack([change >= threshold_mv, change <= -threshold_mv], axis=3)
    return pairs.reshape(*voltage_mv.shape[:2], -1)


def read_original(folder: Path, split: str) -> Records:
    """The QT Database as coded by Yin, Corradi & Bohte.

    Args:
        folder: Folder of the user's that holds `FILES`.
        split: "train" or "test".

    Returns:
        The records; steps that nobody labelled are `UNLABELLED`, where the published code counts
        them as the first class. The order of `LABELS` is that of its notebook (SRNN-ICONs2020).

    Raises:
        UserError: If the file is not the published one, or holds something else.
    """
    file, n_records = FILES[split]
    return parse_original(file.read(folder), file.name, n_records)


def parse_original(raw: bytes, name: str, n_records: int) -> Records:
    """Records from the content of a file.

    Args:
        raw: Content of the file, MATLAB format.
        name: Its name, for messages.
        n_records: How many records it must hold.

    Raises:
        UserError: If it cannot be read, or sizes do not fit.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        # Only these two: other variables could be objects of MATLAB.
        arrays = loadmat(io.BytesIO(raw), variable_names=("x", "y"))
    except (ValueError, NotImplementedError, TypeError, IndexError, MatReadError) as error:
        raise UserError(
            f"{name}: this file is not a readable MATLAB file ({error}). Download it again"
        ) from None
    stored = released.Stored(name, arrays)
    events, one_hot = (
        stored.take(key, n_records, ORIGINAL_STEPS, n_last_axis) != 0
        for key, n_last_axis in (("x", N_CHANNELS), ("y", len(LABELS)))
    )
    if one_hot.sum(axis=2).max() > 1:
        raise UserError(
            f"{name}: a time step has several labels; expected at most one. Download the file again"
        )
    labels = np.where(one_hot.any(axis=2), one_hot.argmax(axis=2), UNLABELLED).astype(np.int8)
    # A few events are -1 instead of 1.
    return Records(events, labels, np.zeros((n_records, 0, N_LEADS), np.float32))


def _draw_phase(heart_rate: NDArray, n_samples: int, rng: Generator) -> tuple[NDArray, NDArray]:
    """Phase in (-pi, pi], R at 0, and its speed in 1/s; (record, sample).

    RR intervals vary as in McSharry et al.: a spectrum of two bumps, at 0.1 and 0.25 Hz.
    """
    n_records = heart_rate.size
    mean_s = 60 / heart_rate
    sd_s = 60 * rng.uniform(0.5, 4, n_records) / heart_rate**2
    ratio = rng.uniform(0.3, 2, n_records)
    power = ratio[:, None] * np.exp(-((SPECTRUM_HZ - 0.1) ** 2) / (2 * 0.01**2))
    power = power + np.exp(-((SPECTRUM_HZ - 0.25) ** 2) / (2 * 0.01**2))
    weight = np.sqrt(2 * power / power.sum(axis=1, keepdims=True))
    wave_phases = rng.uniform(0, 2 * np.pi, weight.shape)

    def compute_interval(at_s: NDArray) -> NDArray:
        waves = np.cos(2 * np.pi * SPECTRUM_HZ * at_s[:, None] + wave_phases)
        return np.maximum(mean_s + sd_s * (weight * waves).sum(axis=1), 0.3)

    start_s = -rng.random(n_records) * compute_interval(np.zeros(n_records))
    time_s = np.arange(n_samples) / INNER_HZ
    theta = np.zeros((n_records, n_samples), np.float32)
    omega = np.zeros((n_records, n_samples), np.float32)
    # The first beat begins before time 0, so that records start at any phase.
    while (start_s < time_s[-1]).any():
        length_s = compute_interval(start_s)
        elapsed_s = time_s - start_s[:, None]
        is_inside = (elapsed_s >= 0) & (elapsed_s < length_s[:, None])
        speed = 2 * np.pi / length_s[:, None]
        theta = np.where(is_inside, elapsed_s * speed - np.pi, theta)
        omega = np.where(is_inside, speed, omega)
        start_s = start_s + length_s
    return theta.astype(np.float32), omega.astype(np.float32)


def _label_samples(
    theta: NDArray, omega: NDArray, angle: NDArray, width: NDArray
) -> NDArray[np.int8]:
    """Class of every sample from its phase."""
    p_on, p_off, qrs_on, qrs_off, t_end = (
        (angle[:, wave] + widths * width[:, wave])[:, None] for wave, widths in EDGES
    )
    r_peak = np.zeros_like(p_on)
    # Segments of a beat must not cross, and each has a few samples.
    min_phase = LEAST_SAMPLES * omega.max(axis=1, keepdims=True) / SAMPLING_HZ
    qrs_on = np.minimum(qrs_on, r_peak - min_phase)
    p_off = np.minimum(p_off, qrs_on - min_phase)
    p_on = np.clip(p_on, min_phase - np.pi, p_off - min_phase)
    p_off = np.maximum(p_off, p_on + min_phase)
    qrs_off = np.maximum(qrs_off, r_peak + min_phase)
    t_end = np.clip(t_end, qrs_off + min_phase, np.pi - min_phase)
    edges = (p_on, p_off, qrs_on, r_peak, qrs_off, t_end)
    n_passed = np.sum([theta >= edge for edge in edges], axis=0, dtype=np.int8)
    # Before the P wave of a beat and after its T wave lies the same segment.
    return np.where(n_passed == 0, len(LABELS) - 1, n_passed - 1).astype(np.int8)
