"""Controls: they learn what they can learn, and cannot what they cannot."""

import numpy as np
import pytest
from made.fulfilled import made_of

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Params, Stimulus, Task
from whyspiking.errors import UserError
from whyspiking.training import controls
from whyspiking.training.controls import forward, seen


def discs(n, seed):
    """Inside or outside of a circle: no linear classifier can tell."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n, 2))
    return x.astype(np.float32), (np.hypot(*x.T) < 0.8).astype(np.int64)


def train(sizes, seed=0, **changes):
    options = {
        "epochs": 30, "batch": 50, "learning_rate": 1e-2, "input_noise": 0.0,
        "streams": Streams(seed), "progress": lambda share, news: None, **changes,
    }  # fmt: skip
    return controls.train(sizes, discs(1000, 1), discs(500, 2), **options)


def evaluate(network, seed=3):
    features, targets = discs(1000, seed)
    return controls.evaluate(network, Task(Stimulus(), targets, 2, features=features))


def test_hidden_units_are_needed():
    mlp, linear = evaluate(train([2, 30, 2])), evaluate(train([2, 2]))
    assert (mlp.choices == mlp.targets).mean() > 0.95
    assert (linear.choices == linear.targets).mean() < 0.7
    assert (mlp.decision_ms == 0).all() and mlp.n_classes == 2


def test_history_and_facts():
    news = []
    network = train([2, 8, 2], epochs=4, progress=lambda share, text: news.append(share))
    assert network.info["engine"] == "jax" and network.info["parameters"] == 2 * 8 + 8 + 8 * 2 + 2
    rows = [row for row in network.history if row["metric"] == "train_loss"]
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    assert rows[-1]["value"] < rows[0]["value"]
    assert news == [0.25, 0.5, 0.75, 1.0]
    accuracy = [r["value"] for r in network.history if r["metric"] == "validation_accuracy"]
    features, targets = discs(500, 2)
    assert accuracy[-1] == (controls.choose(network.arrays, features) == targets).mean()


def test_a_mask_is_all_that_a_network_is_told():
    """Brightness that carries the class is lost; the battery's counterpart shows it the same."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, 400)
    shown = rng.random((400, 6)) < 0.5
    shown[:, 0] = True
    bright = (0.2 + 0.6 * targets)[:, None] * shown
    options = {
        "epochs": 20, "batch": 50, "learning_rate": 1e-2, "input_noise": 0.0,
        "progress": lambda share, news: None,
    }  # fmt: skip
    rows = []
    for sees in ("all", "mask"):
        data = (bright, targets)
        network = controls.train([6, 8, 2], data, data, streams=Streams(0), sees=sees, **options)
        task = Task(Stimulus(), targets, 2, features=bright)
        rows.append((controls.evaluate(network, task).choices == targets).mean())
        dimmed = Task(Stimulus(), targets, 2, features=bright / 3)
        same = (
            controls.evaluate(network, dimmed).choices == controls.evaluate(network, task).choices
        )
        assert same.all() == (sees == "mask")
        np.testing.assert_array_equal(seen(network, bright), bright if sees == "all" else shown)
    assert rows[0] > 0.9 > 0.7 > rows[1]


def test_nothing_need_be_held_out():
    network = controls.train(
        [2, 2], discs(200, 1), None, epochs=2, batch=50, learning_rate=1e-2, input_noise=0.0,
        streams=Streams(0), progress=lambda share, news: None,
    )  # fmt: skip
    assert {row["metric"] for row in network.history} == {"train_loss", "epoch_seconds"}
    assert "validation_accuracy" not in network.info


def test_equal_seeds_give_equal_networks_and_noise_others():
    first, again, *others = (
        train([2, 8, 2], seed=seed, epochs=2, input_noise=noise).arrays
        for seed, noise in ((0, 0.1), (0, 0.1), (1, 0.1), (0, 0.0))
    )
    np.testing.assert_equal(first, again)
    assert all((first["w0"] != other["w0"]).any() for other in others)


def test_features_that_are_deleted_teach_nothing():
    whole, half, none = (
        train([2, 2], epochs=2, input_deletion=share).arrays for share in (0.0, 0.5, 1.0)
    )
    at_start = controls.initial([2, 2], Streams(0).rng("control-init"))
    np.testing.assert_equal(none["w0"], at_start["w0"])
    assert (none["b0"] != 0).all()
    assert (whole["w0"] != half["w0"]).any() and (half["w0"] != at_start["w0"]).any()


def test_initial_weights_keep_the_variance():
    arrays = controls.initial([400, 300, 2], np.random.default_rng(0))
    assert arrays["w0"].std() == pytest.approx(np.sqrt(2 / 400), rel=0.02)
    x = np.random.default_rng(1).standard_normal((500, 400))
    assert (forward(arrays, x)[1] ** 2).mean() == pytest.approx(1, rel=0.05)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="do not fit"):
        train([3, 2])
    with pytest.raises(ValueError, match="fewer than one batch"):
        train([2, 2], batch=2000)
    network = train([2, 2], epochs=1)
    with pytest.raises(ValueError, match="features"):
        controls.evaluate(network, Task(Stimulus(), np.zeros(3, int), 2))


def test_a_declared_control_has_the_layers_that_parameters_say():
    features, targets = discs(200, 1)

    def make_task(params, split, streams):
        return Task(Stimulus(), targets, 2, features=features) if split == "train" else None

    values = {
        "sizes": [5, 4], "control_epochs": 1, "control_batch": 50, "control_learning_rate": 1e-2,
    }  # fmt: skip
    params = Params("toy", "one", "smoke", values)
    given = made_of(make_task=make_task), params, Streams(0), lambda share, news: None
    declared = {"is": "relu", "hidden": ["sizes", 3], "sees": "all", "noise": None}
    network = controls.train_declared(declared, *given)
    shapes = [network.arrays[f"w{k}"].shape for k in range(4)]
    assert shapes == [(2, 5), (5, 4), (4, 3), (3, 2)]
    assert "validation_accuracy" not in network.info
    featureless = made_of(make_task=lambda *_: Task(Stimulus(), targets, 2))
    with pytest.raises(UserError, match=r"'toy'.*no features"):
        controls.train_declared(declared, featureless, *given[1:])


# ---- floors of the shared tasks ----


def test_ranks_are_the_order_and_nothing_else():
    features = np.random.default_rng(0).random((50, 7))
    found = controls.ranks(features)
    np.testing.assert_allclose(controls.ranks(np.array([[0.3, 0.1, 0.9]])), [[0.5, 0.0, 1.0]])
    np.testing.assert_allclose(np.sort(found, axis=1), np.tile(np.arange(7) / 6, (50, 1)))
    # Whatever keeps the order keeps the ranks; who exchanges two inputs exchanges theirs.
    np.testing.assert_array_equal(controls.ranks(features**3), found)
    np.testing.assert_array_equal(controls.ranks(features[:, ::-1]), found[:, ::-1])
    assert found.dtype == np.float32


def readout(n_hidden, gain=2.0, bias=0.5, seed=0, told=None):
    """A random hidden layer on the two discs, with features in 0..1, and its training set."""
    features, targets = told or discs(1500, 1)
    task = Task(Stimulus(), targets, 2, features=(features + 1) / 2 if told is None else features)
    values = {"n_hidden": n_hidden, "random_gain": gain, "random_bias": bias}
    declared = {"hidden": ["n_hidden"], "sees": "all", "noise": None, "is": "random"}
    made = made_of(make_task=lambda params, split, streams: task if split == "train" else None)
    given = made, Params("toy", "one", "smoke", values), Streams(seed), lambda share, news: None
    return controls.train_declared(declared, *given), task


def test_only_the_readout_is_fitted_and_by_least_squares():
    network, task = readout(20)
    assert network.info["is"] == controls.RANDOM and network.info["parameters"] == 21 * 2
    hidden, output = forward(network.arrays, task.features)[1:]
    # Normal equations: what is left is orthogonal to every unit and to the constant.
    left = output - np.eye(2)[task.targets]
    told = np.column_stack([hidden, np.ones(len(hidden))])
    np.testing.assert_allclose(told.T @ left / len(left), 0, atol=1e-5)
    # The hidden layer never hears of the classes.
    other, _ = readout(20, told=(task.features, 1 - task.targets))
    for name in ("w0", "b0"):
        np.testing.assert_array_equal(other.arrays[name], network.arrays[name])
    assert (other.arrays["w1"] != network.arrays["w1"]).any()


def test_gain_and_bias_of_a_random_layer():
    arrays = readout(1500, gain=3.0, bias=0.7)[0].arrays
    corners, middle = np.array([[0.0, 1.0], [1.0, 1.0]]), np.full((1, 2), 0.5)
    at_rest = middle @ arrays["w0"] + arrays["b0"]
    assert at_rest.std() == pytest.approx(0.7, rel=0.05)
    driven = corners @ arrays["w0"] + arrays["b0"] - at_rest
    np.testing.assert_allclose(driven.std(axis=1), 3.0, rtol=0.05)
