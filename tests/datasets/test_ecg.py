"""Simulated electrocardiograms: labels, events, statistics; the authors' files."""

import io

import numpy as np
import pytest
from scipy.io import savemat

from whyspiking.datasets import ecg
from whyspiking.errors import UserError


@pytest.fixture(scope="module")
def records():
    return ecg.generate(200, 1301, np.random.default_rng(5))


def test_equal_seeds_give_equal_records():
    first, again = (ecg.generate(4, 300, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_equal(vars(first), vars(again))
    assert (first.events != ecg.generate(4, 300, np.random.default_rng(2)).events).any()


def test_labels_run_through_the_beat_in_order(records):
    """P, PQ, QR, RS, ST, TP, P, ...: a label is followed by itself or by the next one."""
    steps = np.diff(records.labels.astype(int), axis=1) % len(ecg.LABELS)
    assert set(np.unique(steps)) == {0, 1}
    assert records.labels.min() == 0


def test_every_segment_has_two_samples_or_more(records):
    for row in records.labels:
        assert np.diff(np.flatnonzero(np.diff(row)) + 1).min() >= ecg.LEAST_SAMPLES


def test_statistics_are_like_the_published_data(records):
    """Ranges around what was measured in the authors' files: shares, densities, durations."""
    share = np.bincount(records.labels.ravel(), minlength=6) / records.labels.size
    np.testing.assert_allclose(share, [0.136, 0.067, 0.063, 0.048, 0.329, 0.356], atol=0.05)
    density = records.events.mean(axis=(0, 1))
    assert ((density > 0.04) & (density < 0.11)).all()
    assert 0.18 < records.events.any(axis=2).mean() < 0.33
    beats = (np.diff(records.labels.astype(int), axis=1) == -5).sum(axis=1)
    assert 4.5 < beats.mean() < 6.5
    lengths = [
        np.diff(np.flatnonzero(np.diff(row)))[row[np.flatnonzero(np.diff(row))[1:]] == 2]
        for row in records.labels
    ]
    assert 40 <= 4 * np.median(np.concatenate(lengths)) <= 84  # QR, ms


def test_the_r_wave_ends_qr(records):
    """In a lead of positive gain the voltage peaks where QR turns into RS, noise apart."""
    late = []
    for row, voltage in zip(records.labels, records.voltage_mv[:, :, 0], strict=True):
        for at in np.flatnonzero((row[:-1] == 2) & (row[1:] == 3)):
            if 12 < at < row.size - 12:
                late.append(int(np.argmax(voltage[at - 10 : at + 11])) - 10)
    assert abs(np.median(late)) <= 2
    assert np.mean(np.abs(late) <= 4) > 0.9


def test_events_are_differences_beyond_the_threshold():
    """A cubic passes the smoothing filter unchanged, so its differences are known."""
    time = np.arange(30.0)
    voltage = 1e-4 * (time - 15) ** 3
    stacked = np.stack([voltage, -voltage], axis=1)[None]
    events = ecg.encode(stacked, 0.03)
    expected = np.diff(voltage, append=voltage[-1]) >= 0.03
    inner = slice(2, 27)
    np.testing.assert_array_equal(events[0, inner, 0], expected[inner])
    np.testing.assert_array_equal(events[0, inner, 3], expected[inner])
    assert not events[0, inner, 1].any()


def made_file(n_records=3, n_steps=ecg.ORIGINAL_STEPS, channels=4, twice=False):
    rng = np.random.default_rng(0)
    x = rng.integers(-1, 2, (n_records, n_steps, channels)).astype(np.int16)
    y = np.zeros((n_records, n_steps, 6), np.int16)
    y[:, :1000, 2] = 1
    if twice:
        y[0, 5, 3] = 1
    file = io.BytesIO()
    savemat(file, {"x": x, "y": y})
    return file.getvalue(), x


def test_a_published_file_is_read():
    raw, x = made_file()
    found = ecg.parse_original(raw, "made.mat", 3)
    np.testing.assert_array_equal(found.events, x != 0)
    assert (found.labels[:, :1000] == 2).all()
    assert (found.labels[:, 1000:] == ecg.UNLABELLED).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n_records": 2}, "expected numbers of shape \\(3, 1301, 4\\)"),
        ({"n_steps": 1300}, "'x' is .* of shape \\(3, 1300, 4\\)"),
        ({"channels": 5}, "'x' is .* of shape \\(3, 1301, 5\\)"),
        ({"twice": True}, "several labels"),
    ],
)
def test_files_of_other_shapes_are_refused(given, message):
    raw, _ = made_file(**given)
    with pytest.raises(UserError, match=message):
        ecg.parse_original(raw, "made.mat", 3)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(UserError, match="not a readable MATLAB file"):
        ecg.parse_original(b"no MATLAB file at all", "made.mat", 3)
    (tmp_path / "QTDB_test.mat").write_bytes(made_file()[0])
    with pytest.raises(UserError, match=r"SHA-256 is .*; expected 916f11e2"):
        ecg.read_original(tmp_path, "test")
