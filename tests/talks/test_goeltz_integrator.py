"""Goeltz: the authors' integrator, against its own recursion solved by hand and the closed form."""

import numpy as np
import pytest

from whyspiking.talks.goeltz import integrator
from whyspiking.training.first_spike import compiled

DT, END = 0.01, 3.5


@pytest.mark.parametrize("arrives", [0.0, 0.204, 1.0])
def test_one_input_follows_its_recursion(arrives):
    # After m steps V is m dt e^{-(m-1) dt} w.
    m = np.arange(1, 350)
    for w in (2.8, 4.0, 9.0):
        lag = m[m * DT * np.exp(-(m - 1) * DT) * w > 1][0]
        came, weight = np.array([[arrives]]), np.array([[w]])
        found = integrator.first_spikes(came, weight, 1.0, dt=DT, end=END)
        assert found[0, 0] == pytest.approx((int(arrives / DT) + lag) * DT)


def test_what_stays_just_below_threshold_fires_in_steps_only():
    w = np.array([[np.e * (1 - DT / 2), np.e * (1 - 2 * DT)]])
    assert np.isinf(compiled.forward(np.zeros((1, 1)), w, 1.0, 1).times).all()
    found = integrator.first_spikes(np.zeros((1, 1)), w, 1.0, dt=DT, end=END)
    assert list(np.isfinite(found[0])) == [True, False]


def test_what_comes_last_or_never_is_felt_by_nobody():
    times = np.array([[np.inf, END, 0.5]])
    w = np.array([[50.0], [50.0], [0.1]])
    assert np.isinf(integrator.first_spikes(times, w, 1.0, dt=DT, end=END)).all()


def test_half_the_step_halves_the_distance_from_the_closed_form():
    rng = np.random.default_rng(0)
    # Whole numbers of the longest step, so that both see the same inputs.
    times = np.round(rng.uniform(0.15, 2, (1500, 20)) / 0.02) * 0.02 + 1e-9
    w = rng.normal(0.2, 0.4, (20, 15))
    exact = compiled.forward(times, w, 1.0, 1).times
    medians, other = [], []
    for dt in (0.02, 0.01, 0.005):
        found = integrator.first_spikes(times, w, 1.0, dt=dt, end=END)
        both = np.isfinite(found) & (exact < END)
        other.append((np.isfinite(found) != (exact < END)).mean())
        medians.append(np.median(np.abs(found[both] - exact[both])))
    assert other[0] > other[1] > other[2]
    assert medians[0] / medians[1] == pytest.approx(2, rel=0.15)
    assert medians[1] / medians[2] == pytest.approx(2, rel=0.15)
