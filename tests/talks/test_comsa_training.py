"""Comsa: digits as latencies, initial weights and pulses, the published loss and training."""

from dataclasses import replace

import numpy as np
import pytest
from made.comsa_networks import small
from made.digits import show
from made.fulfilled import fulfilled, task_of
from made.project import params_of, silent

from whyspiking.contract.randomness import Streams
from whyspiking.declared import registry
from whyspiking.errors import UserError
from whyspiking.talks.comsa import learning, model, published_regimes, task
from whyspiking.training.first_spike.inputs import Inputs
from whyspiking.training.first_spike.training import Training


@pytest.fixture
def digits(monkeypatch):
    """A stand-in for MNIST: each class lights its own 79 pixels of 784, with noise."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 600)
    images = rng.integers(0, 256, (600, 784)) * (rng.random((600, 784)) < 0.1)
    for image, label in zip(images, labels, strict=True):
        image[label * 78 : label * 78 + 79] = rng.integers(100, 256, 79)
    images = images.reshape(-1, 28, 28).astype(np.uint8)
    show(monkeypatch, lambda folder, file: (images, labels))
    return images, labels


# ---- task ----------------------------------------------------------------------------------


def test_digits_become_latencies(digits):
    images, labels = digits
    own = params_of("comsa", "mnist_slow", n_train=400, n_validation=100, n_test=7)
    test = task_of(own)
    first = test.stimulus.spikes["input"].first_ms()
    p = images[:7].reshape(7, -1).astype(float)
    np.testing.assert_allclose(first, np.where(p > 0, 1 - p / 256, np.inf), atol=1e-6)
    np.testing.assert_array_equal(test.targets, labels[:7])
    assert fulfilled(own).make_task(own, "fresh", Streams(0)) is None


# ---- training ------------------------------------------------------------------------------


def test_initial_weights_follow_the_published_moments():
    own = params_of("comsa", "mnist_slow", scale="paper")
    arrays = learning.initial_arrays(own, Streams(0))
    sigma = np.sqrt(2 / (784 + 340 + 10))
    assert arrays["w_hidden"].shape == (794, 340) and arrays["w_output"].shape == (350, 10)
    assert arrays["w_hidden"][:784].mean() == pytest.approx(-0.275419 * sigma, rel=0.05)
    assert arrays["w_hidden"][784:].mean() == pytest.approx(7.83912 * sigma, rel=0.05)
    assert arrays["w_hidden"][:784].std() == pytest.approx(sigma, rel=0.01)
    np.testing.assert_allclose(arrays["input_pulses"], np.arange(1, 11) / 11, atol=1e-6)
    np.testing.assert_allclose(arrays["hidden_pulses"][[0, -1]], [10, 50])


def test_training_is_the_published_one():
    """Loss in time units and pulses at the published rate, whatever the dimensionless scale."""
    own, arrays, times, targets = small()
    k = own.decay_rate
    training = Training(
        replace(learning.settings(own), batch=len(targets)),
        (arrays["w_hidden"], arrays["w_output"]),
        (arrays["input_pulses"] * k, arrays["hidden_pulses"] * k),
        dtype=np.float64,
    )
    output = model.first_spikes(own, arrays, times)[1]
    shares = np.exp(-output) / np.exp(-output).sum(axis=1, keepdims=True)
    expected = -np.log(shares[np.arange(len(targets)), targets] + 1e-8).mean()
    found = training.epoch(
        Inputs(times * k, np.float64), targets, np.arange(len(targets)), 1e-3, 0.05 * k
    )
    assert found.loss == pytest.approx(expected, rel=1e-9)
    assert found.accuracy == (output.argmin(axis=1) == targets).mean()
    # The first step of Adam is the rate itself, where the gradient is not tiny.
    moved = np.abs(training.pulses[0] / k - arrays["input_pulses"])
    assert moved.max() == pytest.approx(0.05, rel=0.05) and moved.max() <= 0.05


def test_it_learns_and_keeps_the_best_model(digits):
    own = params_of(
        "comsa", "mnist_slow", n_train=500, n_validation=100, n_test=100, n_hidden=30, epochs=15
    )
    network = fulfilled(own).train(own, "spiking", Streams(0), {}, silent)
    by_epoch = [r["value"] for r in network.history if r["metric"] == "validation_accuracy"]
    assert max(by_epoch) == network.info["validation_accuracy"] > 0.7
    assert by_epoch[network.info["best_epoch"] - 1] == max(by_epoch)
    features, targets = task.samples(own, "validation", Streams(0))
    again = learning.validate(own, network.arrays, task.input_times(features, own), targets)
    assert again["validation_accuracy"] == max(by_epoch)
    start = learning.initial_arrays(own, Streams(0))
    assert np.abs(network.arrays["input_pulses"] - start["input_pulses"]).max() > 0.01
    own = replace(own, experiment="regimes")
    fixed = fulfilled(own).train(own, "fixed_pulses", Streams(0), {}, silent)
    for name in model.PULSES:
        np.testing.assert_allclose(fixed.arrays[name], start[name], rtol=1e-6)


def test_training_ends_where_a_number_is_not_finite(digits, monkeypatch):
    own = params_of(
        "comsa", "mnist_slow", n_train=320, n_validation=50, n_hidden=20, epochs=5, batch=32
    )
    real, calls = Training.epoch, []

    def poisoned(training, *args, **kwargs):
        calls.append(1)
        if len(calls) == 3:
            training.weights[1][0, 0] = np.nan
        return real(training, *args, **kwargs)

    monkeypatch.setattr(Training, "epoch", poisoned)
    with pytest.raises(UserError, match=r"epoch 3: .* not finite after step 21 \(batch 0"):
        learning.train(own, "spiking", Streams(0), {}, silent)
    assert len(calls) == 3


def test_late_pulses_and_inhibition_make_the_slow_start():
    """Neither of the two alone delays the first output spike of an untrained network."""
    rng = np.random.default_rng(0)
    times = np.where(rng.random((40, 784)) < 0.19, rng.random((40, 784)), np.inf)
    found = {}
    for pulses in ([0.0909, 0.909], [10.0, 50.0]):
        for mean in (0.0, -0.1):
            own = params_of(
                "comsa", "mnist_slow", scale="paper", hidden_pulses=pulses, output_mean=mean
            )
            arrays = learning.initial_arrays(own, Streams(0))
            output = model.first_spikes(own, arrays, times.astype(np.float32))[1]
            found[pulses[0] > 1, mean < 0] = np.median(output.min(axis=1))
    assert found[True, True] > 10
    assert max(found[False, False], found[False, True], found[True, False]) < 5


def test_rates():
    own = params_of("comsa", "mnist_slow", scale="full", epochs=30)
    found = [
        learning.rates(own, 0)["w_hidden"],
        learning.rates(own, 15)["input_pulses"],
        learning.rates(own, 3, fixed_pulses=True)["hidden_pulses"],
        learning.rates(params_of("comsa", "mnist_slow", scale="paper"), 99)["w_output"],
    ]
    assert found == pytest.approx([1.0186e-3, 9.53751e-2 / 2, 0, 1.0186e-3])


# ---- early and late decisions --------------------------------------------------------------


@pytest.mark.parametrize(
    ("decision", "distance"),
    [(1.6, 1.4), (3.0, 0.0), (4.0, -1.0), (9.0, -1.0), (14.3, 4.3), (np.nan, -3.5)],
)
def test_a_decision_in_the_gap_has_a_negative_distance(decision, distance):
    assert model.measure_distance(decision) == pytest.approx(distance)


@pytest.mark.parametrize(
    ("decisions", "kept", "measured"),
    [
        # Late only in the first five epochs.
        ([20, 20, 20, 20, 20, 2, 1, 1], 8, [2, 0, 1, None]),
        # From late to early, with an early epoch before: the last passage counts.
        ([20, 20, 20, 20, 20, 15, 2, 14, 5, 1.5, 1], 8, [2, 1, 1, 10]),
        # Late to the end; the kept network is in the gap.
        ([20, 20, 20, 20, 20, 15, 9, 14], 7, [-1, 1, 0, None]),
        # The last epoch is in the gap, and no image was decided in the kept one.
        ([20, 20, 20, 20, 20, 12, np.nan, 8], 7, [-3.5, 1, 0, None]),
        ([2.5, 1], 1, [0.5, 0, 1, None]),
    ],
)
def test_regimes_are_followed_over_epochs(decisions, kept, measured):
    found = published_regimes.follow_regimes(decisions, kept)
    names = ["regime_distance", "late_after_five", "early_at_last", "passage_epoch"]
    assert [found.get(name) for name in names] == measured


def test_a_network_of_the_published_recipe_is_that_of_regimes_with_its_regimes(digits):
    sizes = {"n_train": 200, "n_validation": 50, "n_test": 20, "n_hidden": 12, "epochs": 3}
    own, others = (params_of("comsa", e, **sizes) for e in ("regimes_published", "regimes"))
    network = fulfilled(own).train(own, "spiking", Streams(900), {}, silent)
    other = fulfilled(others).train(others, "spiking", Streams(900), {}, silent)
    for name, values in other.arrays.items():
        np.testing.assert_array_equal(network.arrays[name], values)
    assert "measures" not in other.info
    decisions = [r["value"] for r in other.history if r["metric"] == "validation_decision_ms"]
    expected = published_regimes.follow_regimes(decisions, other.info["best_epoch"])
    assert network.info["measures"] == expected
    kept = {(r["epoch"], r["metric"]): r["value"] for r in network.history}
    assert len(kept) == 3 * len(published_regimes.CURVE)
    assert [kept[epoch, "validation_decision_ms"] for epoch in (1, 2, 3)] == decisions


def test_published_recipe_is_that_of_the_paper_at_every_scale():
    experiment = registry.load_talk("comsa").experiments["regimes_published"]
    for scale in ("full", "paper"):
        assert experiment.describe_reduction(scale) == ""
        own = params_of("comsa", "regimes_published", scale)
        assert (own.epochs, own.batch, own.schedule) == (1000, 5, "constant")
        assert (own.weight_rate, own.pulse_rate) == (2.01864e-4, 5.95375e-2)
        assert own.values == params_of("comsa", "regimes", "paper").values
    found = experiment.variants["readme_rates"].settings
    rates = {name: found[name]["value"] for name in found}
    assert rates == {"weight_rate": 1.01864e-3, "pulse_rate": 9.53753e-2, "batch": 32}
