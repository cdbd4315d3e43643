"""The two toy codes whose answers are known: a latency code and a Poisson rate code."""

import numpy as np
import pytest

from whyspiking.contract import perturb
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Trials
from whyspiking.measures import robustness, scoring, timing

N_CLASSES, N_CHANNELS, DURATION, TAU = 4, 40, 100.0, 20.0
SIGMAS_MS = np.array([5.0, 10.0, 20.0, 40.0, 80.0, 160.0])
N_TRAIN, N_TEST = 400, 400


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


def fit(spikes: Spikes, labels: np.ndarray):
    """Choices of a linear readout of filtered trains, fitted once to unperturbed trials."""
    points = np.linspace(10.0, DURATION, 10)
    x = features(spikes, points)
    mean = x.mean(axis=0)
    x = np.c_[x - mean, np.ones(len(x))]
    gram = x.T @ x + 10.0 * np.eye(x.shape[1])
    weights = np.linalg.solve(gram, x.T @ np.eye(N_CLASSES)[labels])

    def choices(other: Spikes) -> np.ndarray:
        x = features(other, points) - mean
        return (np.c_[x, np.ones(len(x))] @ weights).argmax(axis=1)

    return choices


@pytest.fixture(scope="module", params=["latency", "rate"])
def code(request):
    """Name, trains and labels of a code, and the normalised score of other trains."""
    make = {"latency": latency_code, "rate": rate_code}[request.param]
    choices, (spikes, labels) = fit(*make(0, N_TRAIN)), make(1, N_TEST)
    clean = float((choices(spikes) == labels).mean())
    assert clean > 0.95

    def normalised(other: Spikes) -> float:
        outcome = Trials(labels, choices(other), np.zeros(labels.size), N_CLASSES)
        return scoring.normalised(scoring.score(outcome), clean, scoring.chance(outcome))

    return request.param, spikes, labels, normalised


def test_what_is_lost_without_times(code):
    """T1: all of a latency code and nothing of a rate code; T4 and T5: much, and nothing."""
    name, spikes, _, normalised = code
    rng, window = np.random.default_rng(2), (0.0, DURATION)
    redrawn = [normalised(perturb.shuffle(spikes, rng, window)) for _ in range(5)]
    assert np.mean(redrawn) == pytest.approx(0.0 if name == "latency" else 1.0, abs=0.05)
    for moved in (perturb.reverse(spikes, window), perturb.shift(spikes, 100.0, rng)):
        kept = normalised(moved)
        assert kept < 0.5 if name == "latency" else kept == pytest.approx(1, abs=0.05)


def test_t2_timing_information(code):
    name, spikes, labels, _ = code
    found = timing.timing_information(spikes, labels, N_CLASSES, TAU, np.random.default_rng(3))
    # In the latency code every channel fires once in every trial: counts tell nothing.
    assert found == pytest.approx(1.0, abs=0.08) if name == "latency" else found <= 0.02


def test_t3_timing_precision(code):
    name, spikes, _, normalised = code
    rng = np.random.default_rng(4)
    scores = [normalised(perturb.jitter(spikes, sigma, rng)) for sigma in SIGMAS_MS]
    found = robustness.half_dose(SIGMAS_MS, scores)
    # Half of the information is lost when the noise is about half the spread of latencies.
    assert 25 < found < 70 if name == "latency" else found == np.inf and min(scores) > 0.95
