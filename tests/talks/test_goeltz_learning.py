"""Goeltz: latencies, the loss and its gradient, the bump rule, and how training goes."""

from functools import partial

import numpy as np
import pytest
from made.agreement import slopes
from made.digits import show
from made.fulfilled import fulfilled, task_of
from made.project import params_of, silent

from whyspiking.contract.randomness import Streams
from whyspiking.datasets import yinyang
from whyspiking.errors import UserError
from whyspiking.talks.goeltz import learning, model, stepwise, task
from whyspiking.training import first_spike

# ---- task ----------------------------------------------------------------------------------


def test_values_become_latencies():
    own = params_of("goeltz", "yinyang")
    found = task_of(own)
    features, classes = yinyang.generate(40, 1000)
    first = found.stimulus.spikes["input"].first_ms()
    np.testing.assert_allclose(first[:, :4], 0.15 + 1.85 * features)
    np.testing.assert_array_equal(first[:, 4], 0.9)
    np.testing.assert_array_equal(found.targets, classes)
    fresh = fulfilled(own).make_task(own, "fresh", Streams(1))
    assert len(fresh.targets) == own.n_fresh


def test_digits_become_latencies(monkeypatch):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (30, 28, 28), np.uint8)
    monkeypatch.setattr(task, "MNIST_VALIDATION", 10)
    show(monkeypatch, lambda folder, split: (images, np.arange(30) % 10))
    own = params_of("goeltz", "released_mnist", n_train=20, n_validation=10, n_test=4)
    assert len(task.samples(own, "train")[0]) == 20
    np.testing.assert_array_equal(task.samples(own, "validation")[1], np.arange(20, 30) % 10)
    assert task_of(own, "fresh") is None
    first = task_of(own).stimulus.spikes["input"].first_ms()
    dark = 1 - images[:4].reshape(4, -1) / 256
    np.testing.assert_allclose(first, 0.15 + 1.85 * dark, atol=1e-6)


# ---- loss, bump rule and training ----------------------------------------------------------


def test_loss_gradient_is_its_derivative():
    # The published time scale of the push is 1, with which its powers cannot be told apart.
    own = params_of("goeltz", "yinyang", beta=0.7)
    rng = np.random.default_rng(0)
    times = rng.uniform(0.5, 3, (6, 3))
    times[1, 2] = np.inf
    targets = rng.integers(0, 2, 6)
    times[2, targets[2]] = np.inf
    _value, gradient = learning.loss(times, targets, own)
    assert (gradient[2] == 0).all() and gradient[1, 2] == 0
    expected = slopes(lambda: learning.loss(times, targets, own)[0], times)
    np.testing.assert_allclose(gradient, expected, atol=1e-6)
    # One sample by hand.
    t, n = times[0], targets[0]
    alone, _ = learning.loss(times[:1], targets[:1], own)
    expected = np.log(np.exp(-t / 0.2).sum()) + t[n] / 0.2 + 0.005 * np.exp(t[n] / 0.7)
    assert alone == pytest.approx(expected)
    assert learning.loss(times[2:3], targets[2:3], own)[0] == 100
    # Where every output is silent the loss is still a number.
    assert learning.loss(np.full((2, 3), np.inf), targets[:2], own)[0] == 100


def spikes_with(hidden, output):
    layers = [
        first_spike.LayerOutput(np.asarray(t, float), np.ones(np.shape(t)))
        for t in (hidden, output)
    ]
    return model.Pass((np.zeros((2, 1)), layers[0].times), tuple(layers))


def test_bump_rule():
    """First offending layer, doubling while it offends, back to the start when another does."""
    inf = np.inf
    good = spikes_with([[1, 1], [1, 1]], [[1, 1], [1, 1]])
    hidden = spikes_with([[inf, 1], [inf, 1]], [[inf, 1], [1, 1]])
    output = spikes_with([[inf, 1], [1, 1]], [[inf, 1], [1, 1]])
    weights = (np.zeros((3, 2)), np.zeros((2, 2)))
    bump = learning.Bump(0.1, (0.3, 0.0))
    assert bump.offending(good) is None
    assert bump.offending(hidden) == 0
    np.testing.assert_allclose(bump.apply(weights, hidden, 0)[0], [[0.1, 0]] * 3)
    for spikes, layer, amount in ((hidden, 0, 0.2), (hidden, 0, 0.4), (output, 1, 0.1)):
        assert bump.offending(spikes) == layer and bump.amount == pytest.approx(amount)
    np.testing.assert_allclose(bump.apply(weights, output, 1)[1], [[0.1, 0]] * 2)
    assert bump.offending(good) is None
    assert bump.offending(output) == 1 and bump.amount == pytest.approx(0.1)


def around_ideal(own):
    """Learning batch by batch on ideal neurons."""
    return partial(stepwise.Stepwise, substrate=stepwise.Substrate(model.closed_form(own)))


def test_faithful_rule_skips_the_gradient_step():
    """With all neurons silent nothing but the bump changes the weights."""
    own = params_of("goeltz", "yinyang",
        n_train=100, batch=100, epochs=1, bump_rule="faithful", schedule="step",
        hidden_mean=-1, hidden_sd=0, output_mean=-1, output_sd=0,
    )  # fmt: skip
    for learner in (learning.Compiled, around_ideal(own)):
        found = learning.train(own, Streams(0), silent, learner=learner)
        np.testing.assert_allclose(found.arrays["w_hidden"], -1 + own.bump, atol=1e-6)
        np.testing.assert_allclose(found.arrays["w_output"], -1, atol=1e-6)


@pytest.mark.parametrize("whole_epochs", [True, False])
def test_training_that_diverges_ends_at_its_step_and_names_the_arrays(monkeypatch, whole_epochs):
    own = params_of(
        "goeltz", "yinyang", n_hidden=20, n_train=300, n_validation=100, epochs=5, batch=100
    )
    monkeypatch.setattr(
        learning, "learning_rate", lambda params, epoch, n: np.nan if epoch == 2 else 5e-3
    )
    # Three batches per epoch.
    said = r"epoch 3 of 5: .*hidden weights and output weights are not finite after step 7"
    with pytest.raises(UserError, match=said):
        learning.train(own, Streams(0), silent, learner=None if whole_epochs else around_ideal(own))


@pytest.mark.parametrize("whole_epochs", [True, False])
def test_a_loss_that_is_not_finite_ends_the_training(whole_epochs):
    """Its push overflows; the derivatives of weights are dropped as too large and stay finite."""
    own = params_of(
        "goeltz",
        "yinyang",
        n_hidden=20,
        n_train=300,
        n_validation=100,
        epochs=2,
        batch=100,
        beta=1e-3,
    )
    told = pytest.raises(UserError, match=r"epoch 1 of 2: .*not finite")
    with np.errstate(over="ignore", invalid="ignore"), told:
        learning.train(own, Streams(0), silent, learner=None if whole_epochs else around_ideal(own))


def test_learning_rates():
    for scale, epoch, n_epochs, rate in (
        ("paper", 19, 300, 0.005),
        ("paper", 40, 300, 0.005 * 0.95**2),
        ("smoke", 0, 40, 0.005),
        ("smoke", 20, 40, 0.0025),  # a cosine
    ):
        own = params_of("goeltz", "yinyang", scale=scale)
        assert learning.learning_rate(own, epoch, n_epochs) == pytest.approx(rate)
