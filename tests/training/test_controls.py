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
    task = Task(Stimulus(), targets, 2, features=features)
    return controls.evaluate(network, task)


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


def test_equal_seeds_give_equal_networks():
    first, again, other = (train([2, 8, 2], seed=s, epochs=2, input_noise=0.1) for s in (0, 0, 1))
    for name, array in first.arrays.items():
        np.testing.assert_array_equal(array, again.arrays[name])
    assert any((first.arrays[name] != other.arrays[name]).any() for name in first.arrays)


def test_noise_reaches_the_training():
    clean, noisy = (train([2, 8, 2], epochs=1, input_noise=noise) for noise in (0.0, 0.5))
    assert (clean.arrays["w0"] != noisy.arrays["w0"]).any()


def test_initial_weights_keep_the_variance():
    arrays = controls.initial([400, 300, 2], np.random.default_rng(0))
    assert arrays["w0"].std() == pytest.approx(np.sqrt(2 / 400), rel=0.02)
    x = np.random.default_rng(1).standard_normal((500, 400))
    hidden = forward(arrays, x)[1]
    assert (hidden**2).mean() == pytest.approx(1, rel=0.05)


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
    declared = {"hidden": ["sizes", 3], "sees": "all", "noise": None}
    network = controls.train_declared(declared, *given)
    shapes = [network.arrays[f"w{k}"].shape for k in range(4)]
    assert shapes == [(2, 5), (5, 4), (4, 3), (3, 2)]
    assert "validation_accuracy" not in network.info
    featureless = made_of(make_task=lambda *_: Task(Stimulus(), targets, 2))
    with pytest.raises(UserError, match=r"'toy'.*no features"):
        controls.train_declared(declared, featureless, *given[1:])
