"""The two toy codes whose answers are known: a latency code and a Poisson rate code."""

from dataclasses import dataclass

import numpy as np
import pytest

from whyspiking.contract import perturb
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Trials
from whyspiking.measures import scoring, timing

N_CLASSES, N_CHANNELS, DURATION, TAU = 4, 40, 100.0, 20.0
SIGMAS_MS = np.array([5.0, 10.0, 20.0, 40.0, 80.0, 160.0])
N_TRAIN, N_TEST = 400, 400


@dataclass
class Decoder:
    """A linear readout of filtered trains, fitted once to unperturbed trials."""

    mean: np.ndarray
    weights: np.ndarray
    points: np.ndarray

    def choices(self, spikes: Spikes) -> np.ndarray:
        x = features(spikes, self.points) - self.mean
        return (np.c_[x, np.ones(len(x))] @ self.weights).argmax(axis=1)


def features(spikes: Spikes, points: np.ndarray) -> np.ndarray:
    """Filtered trains at fixed times, summed up the slow way: an independent reference."""
    out = np.zeros((spikes.n_trials, spikes.n_units, points.size))
    for index, point in enumerate(points):
        early = spikes.times_ms <= point
        np.add.at(
            out[:, :, index],
            (spikes.trials[early], spikes.units[early]),
            np.exp(-(point - spikes.times_ms[early]) / TAU),
        )
    return out.reshape(spikes.n_trials, -1)


def fit(spikes: Spikes, labels: np.ndarray) -> Decoder:
    points = np.linspace(10.0, DURATION, 10)
    x = features(spikes, points)
    mean = x.mean(axis=0)
    x = np.c_[x - mean, np.ones(len(x))]
    gram = x.T @ x + 10.0 * np.eye(x.shape[1])
    return Decoder(mean, np.linalg.solve(gram, x.T @ np.eye(N_CLASSES)[labels]), points)


def latency_code(seed: int, n_trials: int) -> tuple[Spikes, np.ndarray]:
    """One spike per channel; the class decides when, spread over 75 ms."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(N_CLASSES, size=n_trials)
    template = np.random.default_rng(99).uniform(10, 85, (N_CLASSES, N_CHANNELS))
    times = template[labels] + 3 * rng.standard_normal((n_trials, N_CHANNELS))
    return Spikes.from_first_spikes(np.clip(times, 0, DURATION), DURATION), labels


def rate_code(seed: int, n_trials: int) -> tuple[Spikes, np.ndarray]:
    """Poisson trains; the class decides how many spikes each channel fires."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(N_CLASSES, size=n_trials)
    template = np.random.default_rng(99).uniform(1, 8, (N_CLASSES, N_CHANNELS))
    counts = rng.poisson(template[labels])
    trials, units = (np.repeat(i.ravel(), counts.ravel()) for i in np.indices(counts.shape))
    spikes = Spikes.sorted(
        rng.uniform(0, DURATION, trials.size),
        units,
        trials,
        n_trials=n_trials,
        n_units=N_CHANNELS,
        duration_ms=DURATION,
    )
    return spikes, labels


def normalised(decoder: Decoder, spikes: Spikes, clean: float, labels: np.ndarray) -> float:
    outcome = Trials(labels, decoder.choices(spikes), np.zeros(labels.size), N_CLASSES)
    return scoring.normalised(scoring.score(outcome), clean, scoring.chance(outcome))


@pytest.fixture(scope="module", params=["latency", "rate"])
def code(request):
    make = {"latency": latency_code, "rate": rate_code}[request.param]
    decoder = fit(*make(0, N_TRAIN))
    spikes, labels = make(1, N_TEST)
    clean = float((decoder.choices(spikes) == labels).mean())
    assert clean > 0.95
    return request.param, decoder, spikes, labels, clean


def test_t1_timing_index(code):
    name, decoder, spikes, labels, clean = code
    rng = np.random.default_rng(2)
    scores = [
        normalised(decoder, perturb.shuffle(spikes, rng, (0.0, DURATION)), clean, labels)
        for _ in range(5)
    ]
    index = timing.share_lost(float(np.mean(scores)))
    assert index == pytest.approx(1.0 if name == "latency" else 0.0, abs=0.05)


def test_t4_and_t5_are_nothing_for_counts(code):
    name, decoder, spikes, labels, clean = code
    rng = np.random.default_rng(5)
    turned = perturb.reverse(spikes, (0.0, DURATION))
    moved = perturb.shift(spikes, 100.0, rng)
    lost = [
        timing.share_lost(normalised(decoder, changed, clean, labels))
        for changed in (turned, moved)
    ]
    if name == "latency":
        assert min(lost) > 0.5
    else:
        assert lost == pytest.approx([0, 0], abs=0.05)


def test_t2_timing_information(code):
    name, _, spikes, labels, _ = code
    found = timing.timing_information(spikes, labels, N_CLASSES, TAU, np.random.default_rng(3))
    if name == "latency":
        # Every channel fires once in every trial: counts tell nothing.
        assert found == pytest.approx(1.0, abs=0.08)
    else:
        assert found <= 0.02


def test_t3_timing_precision(code):
    name, decoder, spikes, labels, clean = code
    rng = np.random.default_rng(4)
    scores = [
        normalised(decoder, perturb.jitter(spikes, sigma, rng), clean, labels)
        for sigma in SIGMAS_MS
    ]
    found = timing.sigma50(SIGMAS_MS, scores)
    if name == "latency":
        # Half of the information is lost when the noise is about half the spread of latencies.
        assert 25 < found < 70
    else:
        assert found == np.inf
        assert min(scores) > 0.95


def test_filtered_traces_equal_the_direct_sum():
    spikes, _ = rate_code(5, 20)
    start, stop = perturb.firing_window(spikes)
    points = start + (stop - start) * np.arange(1, 11) / 10
    assert np.allclose(timing.filtered_traces(spikes, TAU), features(spikes, points))


def test_the_decoder_finds_nothing_in_noise():
    rng = np.random.default_rng(6)
    score = timing.decoder_score(rng.standard_normal((600, 50)), rng.integers(4, size=600), 4, rng)
    assert score == pytest.approx(0.25, abs=0.06)


def test_the_decoder_finds_a_linear_rule_among_many_features():
    rng = np.random.default_rng(7)
    labels = rng.integers(3, size=300)
    x = 0.1 * rng.standard_normal((300, 500))
    x[:, :3] += np.eye(3)[labels]
    assert timing.decoder_score(x, labels, 3, rng) > 0.97


def test_silent_trains_are_undefined():
    silent = Spikes.from_first_spikes(np.full((40, 5), np.inf), DURATION)
    labels = np.arange(40) % 4
    assert np.isnan(timing.timing_information(silent, labels, 4, TAU, np.random.default_rng(0)))
