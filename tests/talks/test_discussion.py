"""The discussion's mathematics: rates in closed form, constructions, gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from made.project import config

from whyspiking.contract.types import Params
from whyspiking.datasets import distinctness
from whyspiking.datasets.distinctness import Settings
from whyspiking.declared import registry
from whyspiking.declared.config import check_config
from whyspiking.errors import UserError
from whyspiking.talks.discussion import (
    arms,
    constructed,
    exchange,
    leaky_neuron,
    learned_rates,
    linear_neuron,
    targets,
)
from whyspiking.training.first_spike import compiled

X = np.random.default_rng(0).uniform(size=(4000, 1))
BUILT = {"n_waiting": 1, "free_knots": True, "grid": 0.0, "steps": 4, "leak": 0.9}


def params(**values):
    return Params("discussion", "constructed", "full", {**BUILT, **values})


def rms(series, name, n, x=X, **values):
    ridges = targets.of(name, 0)
    answer, _ = constructed.SERIES[series](ridges, x, n, params(**values), np.random.default_rng(1))
    return np.sqrt(np.mean((answer - targets.values(ridges, x)) ** 2))


def test_the_discussion_alone_is_no_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = registry.available()
    assert set(names) - set(registry.counted(names)) == {"discussion", "ground"}
    with pytest.raises(UserError, match=r"\['discussion'\], and none of them is a replicated talk"):
        check_config({**config("smoke"), "talks": ["discussion"]})


def test_lines_reach_the_rate_of_theory():
    u = (np.arange(100_000) + 0.5) / 100_000
    bend = 0.4 * (2 * np.pi) ** 2 * np.abs(np.sin(2 * np.pi * u))
    constant = np.mean(bend**0.4) ** 2.5 / np.sqrt(120)
    assert rms("relu", "sine", 200, u[:, None]) == pytest.approx(constant / 200**2, rel=0.03)


def test_stairs_reach_the_rate_of_theory():
    # Uniform stairs of T in pieces of equal rise: each error is uniform within one step.
    u = (np.arange(40_000) + 0.5) / 40_000
    ramp = (targets.Ridge(np.asarray, lambda _: (targets.GRID, targets.GRID), np.ones(1)),)
    answer, _ = constructed.SERIES["clocked"](ramp, u[:, None], 8, params(leak=1.0), None)
    assert np.sqrt(np.mean((answer - u) ** 2)) == pytest.approx(1 / (8 * 4 * 12**0.5), rel=0.02)


def test_a_neuron_without_leak_counts_evenly():
    np.testing.assert_allclose(constructed.staircase(4, 1.0), [0.25, 0.5, 0.75, 1.0], atol=1e-9)


@pytest.mark.parametrize("name", targets.NAMES)
def test_first_spikes_are_the_relu_network_exactly(name):
    ridges = targets.of(name, 1)
    x = np.random.default_rng(2).uniform(size=(500, ridges[0].weights.size))
    lines, spikes = (
        constructed.SERIES[series](ridges, x, 16, params(), None)[0]
        for series in ("relu", "first_spike")
    )
    np.testing.assert_allclose(spikes, lines, atol=1e-9)


def test_hidden_and_output_neurons_fire_as_event_by_event():
    u, knots = X[:300, 0], np.array([0.0, 0.2, 0.7])
    hinges = linear_neuron.hinge(u, knots)
    pulse = np.full((300, 1), 0.7 + linear_neuron.DELAY)
    one = linear_neuron.spike_times(np.hstack([X[:300], pulse]), np.ones(2), linear_neuron.DELAY)
    np.testing.assert_allclose(one, hinges[:, 2], atol=1e-12)
    w = linear_neuron.readout(np.array([1.0, -3.0, 2.5]))
    wait = linear_neuron.waiting(hinges, w)
    end = 1 + linear_neuron.DELAY
    inputs = np.hstack([hinges, np.full((300, 1), end)])
    weights = np.append(w, 1 - w.sum())
    fired = linear_neuron.spike_times(inputs, weights, wait + 1e-9)
    np.testing.assert_allclose(fired, inputs @ weights + wait + 1e-9, atol=1e-9)


def test_a_grid_leaves_the_floor_of_rounding_input_and_output():
    slope = 0.4 * 2 * np.pi / np.sqrt(2)
    floor = 0.01 * np.sqrt((1 + slope**2) / 12)
    assert rms("first_spike", "sine", 256, grid=0.01) == pytest.approx(floor, rel=0.05)


@pytest.mark.parametrize("d", [2, 3, 4])
def test_a_linear_neuron_has_a_piece_for_every_set_of_inputs(d):
    rng = np.random.default_rng(d)
    x = rng.uniform(size=(100_000, d))
    assert exchange.pieces(rng.uniform(0.5, 1.5, d), d / 8, x) == 2**d - 1


def test_the_least_over_first_inputs_is_the_neuron():
    rng = np.random.default_rng(5)
    x, w = rng.uniform(size=(200, 5)), rng.uniform(0.5, 1.5, 5)
    arrays = {"log_w": np.log(w), "log_theta": np.log(1.2)}
    told = exchange.output_time(arrays, jnp.asarray(x))
    np.testing.assert_allclose(told, linear_neuron.spike_times(x, w, 1.2), rtol=1e-5)


def neuron(n=5, seed=0):
    return leaky_neuron.start(n, np.random.default_rng(seed), 4.0)


def test_the_greatest_potential_is_that_of_a_fine_simulation():
    arrays = neuron()
    times, _ = distinctness.draw(Settings(5), 40, np.random.default_rng(1))
    grid = np.arange(0, 40, 0.002)
    since = grid[:, None] - times[:, None, :]
    v = np.where(since >= 0, np.exp(-np.maximum(since, 0) / 4.0), 0.0) @ arrays["w"]
    np.testing.assert_allclose(leaky_neuron.potential(arrays, times), v.max(axis=1), atol=1e-3)


@pytest.mark.parametrize("name", ["w", "log_tau"])
def test_gradients_of_the_potential_are_finite_differences(name):
    arrays = {key: np.asarray(value, np.float32) for key, value in neuron().items()}
    times, _ = distinctness.draw(Settings(5), 100, np.random.default_rng(2))

    def total(arrays):
        return leaky_neuron.potential(arrays, times).mean()

    def moved(by):
        value = arrays[name].copy()
        value[(0,) * value.ndim] += by
        return float(total({**arrays, name: value}))

    slope = np.asarray(jax.grad(total)(arrays)[name])[(0,) * arrays[name].ndim]
    assert slope == pytest.approx((moved(1e-2) - moved(-1e-2)) / 2e-2, rel=0.02)


def test_the_surrogate_passes_errors_only():
    arrays = {**neuron(), "theta": np.float32(-1.0)}
    times = np.random.default_rng(3).uniform(0, 30, (10, 5))
    slopes = jax.grad(leaky_neuron.spike_loss)(
        {k: jnp.asarray(v) for k, v in arrays.items()}, times, np.ones(10)
    )
    assert all(float(jnp.abs(slope).max()) == 0 for slope in slopes.values())


def test_gradients_of_the_first_spike_network_are_finite_differences(monkeypatch):
    monkeypatch.setattr(learned_rates, "MIN_SLOPE", 1e-6)  # training bounds those of grazing spikes
    rng = np.random.default_rng(0)
    network = learned_rates.FirstSpike(2, 6, rng)
    x = rng.uniform(size=(50, 2))
    y = x.sum(axis=1)
    for learned, slopes in zip(network.learned, network.gradient(x, y), strict=True):
        for index in list(np.ndindex(learned.shape))[:: learned.size // 4 or 1]:
            ends = []
            for by in (1e-5, -2e-5):
                learned[index] += by
                ends.append(0.5 * learned_rates.missed(x, y, network.answer) ** 2)
            learned[index] += 1e-5
            slope = (ends[0] - ends[1]) / 2e-5
            assert slopes[index] == pytest.approx(slope, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("n_in", [1, 4])
def test_the_output_waits_for_the_last_inputs(n_in):
    rng = np.random.default_rng(7)
    network = learned_rates.FirstSpike(n_in, 32, rng)
    x = rng.uniform(size=(500, n_in))
    (_, _, hidden), (_, _, output) = network.forward(x)
    assert np.isfinite(output.times).all()
    assert (hidden.times < output.times).mean() > 0.9
    late = np.linspace(0.9, 1, 11)[:, None] * np.ones(n_in)
    assert np.abs(np.diff(network.answer(late))).min() > 1e-6


def test_hidden_spikes_that_come_with_the_balancing_pulse_move_no_output():
    network = learned_rates.FirstSpike(1, 5, np.random.default_rng(8))
    given = learned_rates.WINDOW * np.array([[*np.full(5, 0.5), *learned_rates.PULSES[1]]])

    def output():
        weights = network.mix[1] @ network.learned[1]
        return compiled.forward(given, weights, 1.0, 1).times.item()

    before = output()
    network.learned[1][:5] += np.arange(5)[:, None]
    assert output() == pytest.approx(before, abs=1e-12)
    given[0, :5] -= 0.1 * learned_rates.WINDOW
    assert abs(output() - before) > 1e-3


@pytest.mark.parametrize("n", [3, 6])
def test_a_tent_for_every_pair_tells_the_classes(n):
    test = distinctness.draw(Settings(n), 2000, np.random.default_rng(6))
    ((units, right, _),) = arms.pairs(params(), Settings(n), (test, test, test), None)
    assert (units, right) == (3 * n * (n - 1) // 2, 1.0)


def test_frames_tell_when_a_spike_came():
    times = np.array([[0.25, 7.5], [3.0, 1.75]])
    found = arms.frames(times, 8.0, 1.0)
    assert found.shape == (2, 8, 2)
    assert (found > 0).sum() == 4
    np.testing.assert_allclose(found.argmax(axis=1) + found.max(axis=1) - 1, times)


def test_every_arm_is_tried_at_as_many_rates():
    for experiment in registry.load_talk("discussion").experiments.values():
        tried = {k: len(v) for k, v in experiment.published.items() if k.endswith("rates")}
        assert len(set(tried.values())) <= 1, (experiment.name, tried)
