"""FORCE as a classifier of points: what is shown, what is wanted, what is read, and its control."""

import numpy as np
import pytest
from made.project import params_of, silent

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Recording
from whyspiking.datasets import points as data
from whyspiking.measures import scoring
from whyspiking.talks.clopath.force import points


def test_classes_lie_on_either_side_of_a_sine():
    below, above = np.array([[0.25, 0.9], [0.1, 0.5]]), np.array([[0.05, 0.5], [0.75, 0.01]])
    assert data.classes(np.concatenate([below, above])).tolist() == [0, 0, 1, 1]
    drawn, classes = data.made(20_000, np.random.default_rng(0))
    assert 1 - classes.mean() == pytest.approx(1 / np.pi, abs=0.01)  # the area below the sine
    np.testing.assert_allclose(drawn.mean(axis=0), 0.5, atol=0.01)


def test_every_second_slot_shows_a_point_and_wants_half_a_sine():
    params = params_of("clopath", "points")
    times = np.arange(0.0, 1000.0)
    point, on = points.find_points(params, times)
    assert np.unique(point[on]).tolist() == [0, 1]
    assert np.flatnonzero(np.diff(on)).tolist() == [249, 499, 749]
    wanted = points.target(params, np.array([1, 0]), times)[:, 0]
    half = 0.5 * np.sin(np.pi * np.arange(250) / 250)
    np.testing.assert_allclose(wanted.reshape(4, 250), [0 * half, half, 0 * half, -half], atol=1e-9)


def test_trials_show_points_of_their_own_and_are_read_by_the_sign_of_the_output():
    params = params_of("clopath", "points", test_ms=1500.0, warmup_ms=500.0)
    task = points.make_task(params, "test", Streams(0))
    drawn, classes = points.draw_points(params, "test", Streams(0), 2 * 4)
    rows = task.stimulus.arrays["clock"]
    assert task.targets.tolist()[1] == [-1, -1, -1, classes[5], -1, classes[6], -1, classes[7]]
    assert (rows[1, 750:1000] == [5, 1]).all()  # the sixth point of all, in the second trial
    assert not rows[1, 500:750, 1].any()
    np.testing.assert_array_equal(task.features[1, 3], drawn[5])
    outputs = points.target(params, classes, np.arange(4000.0)).reshape(2, 2000, 1)
    for sign, accuracy in ((1, 1.0), (-1, 0.0)):
        recording = Recording(spikes=dict[str, Spikes](), traces={"output": sign * outputs})
        assert scoring.accuracy(points.decode(params, recording, task)) == accuracy


def test_points_are_currents_along_each_neurons_own_direction(tmp_path):
    params = params_of(
        "clopath", "points", n_neurons=12, burn_in_ms=0.0, train_ms=20.0, native_test_ms=20.0,
        work_dir=tmp_path,
    )  # fmt: skip
    network = points.train(params, "spiking", Streams(0), {}, silent)
    n_tested = params.n_trials * points.points_per_trial(params)
    shown, _ = points.draw_points(params, "test", Streams(0), n_tested)
    heard, residual, _, _ = np.linalg.lstsq(shown, network.arrays["clock_encoders"].T)
    np.testing.assert_allclose(np.linalg.norm(heard, axis=0), params.input_gain)
    np.testing.assert_allclose(residual, 0.0, atol=1e-9)


def test_best_line_has_the_fewest_errors():
    rng = np.random.default_rng(2)
    drawn = rng.random((60, 2))
    above = (drawn @ [0.6, 0.8] > 0.7).astype(int)
    w = points.best_line(drawn, above)
    assert ((drawn @ w[:2] + w[2] > 0) == above).mean() > 0.98  # directions come in degrees
    drawn, classes = data.made(60, np.random.default_rng(3))
    w = points.best_line(drawn, classes)
    errors = np.sum((drawn @ w[:2] + w[2] > 0) != classes)
    tried = rng.standard_normal((5000, 3))
    others = [((drawn @ v[:2] + v[2] > 0) != classes).sum() for v in tried]
    assert errors <= min(others)
