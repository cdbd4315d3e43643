"""What is special to this talk: pulses, its loss, its regimes, released files, Boolean networks."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import whyspiking.replications.comsa as comsa
from whyspiking import claims, registry
from whyspiking.contract import Condition, Network, Params, Stimulus, Task
from whyspiking.datasets import mnist
from whyspiking.errors import UserError
from whyspiking.first_spike.training import Inputs, Training
from whyspiking.randomness import Streams
from whyspiking.replications.comsa import (
    boolean,
    examples,
    learning,
    model,
    probes,
    released,
    task,
)
from whyspiking.spikes import Spikes

SIZES = {"n_input": 12, "n_hidden": 9, "n_output": 3, "n_pulses": 4, "trial_ms": 66.0}


def params(experiment="mnist_slow", scale="smoke", **changes):
    entry = registry.load_talk("comsa").experiments[experiment]
    values = dict(entry.published)
    values.update({k: v["value"] for k, v in entry.scaled.get(scale, {}).items()})
    return Params("comsa", experiment, scale, {**values, **changes})


def silent(share, news):
    """Progress that nobody reads."""


def small(seed=0, **changes):
    """A small network in float64 and random pixel times, some of them silent."""
    own = params(**{**SIZES, "hidden_pulses": [1.0, 8.0], **changes})
    arrays = {
        name: values.astype(float)
        for name, values in learning.initial_arrays(own, Streams(seed)).items()
    }
    rng = np.random.default_rng(seed)
    times = np.where(rng.random((20, 12)) < 0.7, rng.random((20, 12)), np.inf)
    return own, arrays, times, rng.integers(0, 3, 20)


def as_task(times, targets, own):
    spikes = Spikes.from_first_spikes(times * own.unit_ms, own.trial_ms)
    return Task(Stimulus(spikes={"input": spikes}), targets, own.n_output)


@pytest.fixture
def digits(monkeypatch):
    """A stand-in for MNIST: each class lights its own 79 pixels of 784, with noise."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 600)
    images = rng.integers(0, 256, (600, 784)) * (rng.random((600, 784)) < 0.1)
    for image, label in zip(images, labels, strict=True):
        image[label * 78 : label * 78 + 79] = rng.integers(100, 256, 79)
    images = images.reshape(-1, 28, 28).astype(np.uint8)
    monkeypatch.setattr(mnist, "load", lambda folder, file: (images, labels))
    mnist._flat.cache_clear()
    yield images, labels
    mnist._flat.cache_clear()


# ---- task ----------------------------------------------------------------------------------


def test_digits_become_latencies(digits):
    images, labels = digits
    own = params(n_train=400, n_validation=100, n_test=7)
    test = comsa.make_task(own, "test", Streams(0))
    first = test.stimulus.spikes["input"].first_ms()
    p = images[:7].reshape(7, -1).astype(float)
    np.testing.assert_allclose(first, np.where(p > 0, 1 - p / 256, np.inf), atol=1e-6)
    np.testing.assert_array_equal(test.targets, labels[:7])
    assert comsa.make_task(own, "fresh", Streams(0)) is None


def test_splits_are_dealt_anew_for_every_seed(digits):
    own = params(n_train=400, n_validation=200)
    pairs = [
        [task.samples(own, split, Streams(seed))[0] for split in ("train", "validation")]
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(pairs[0][1], pairs[1][1])
    assert not np.array_equal(pairs[0][1], pairs[2][1])
    rows = [{row.tobytes() for row in part} for part in pairs[0]]
    assert not rows[0] & rows[1]
    with pytest.raises(UserError, match=r"500 images of split .train., which has 400"):
        task.samples(params(n_train=500, n_validation=200), "train", Streams(0))


def test_images_of_another_size_are_refused(digits):
    with pytest.raises(UserError, match=r"784 pixels.*'comsa' has 100"):
        task.samples(params(n_input=100, n_train=10), "train", Streams(0))


# ---- training ------------------------------------------------------------------------------


def test_initial_weights_follow_the_published_moments():
    own = params(scale="paper")
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


@pytest.fixture
def trained(digits):
    own = params(n_train=500, n_validation=100, n_test=100, n_hidden=30, epochs=15)
    return own, comsa.train(own, "spiking", Streams(0), {}, silent)


def test_it_learns_and_keeps_the_best_model(trained):
    own, network = trained
    by_epoch = [r["value"] for r in network.history if r["metric"] == "validation_accuracy"]
    assert max(by_epoch) == network.info["validation_accuracy"] > 0.7
    assert by_epoch[network.info["best_epoch"] - 1] == max(by_epoch)
    features, targets = task.samples(own, "validation", Streams(0))
    again = learning.validate(own, network.arrays, task.pixel_times(features, own), targets)
    assert again["validation_accuracy"] == max(by_epoch)
    start = learning.initial_arrays(own, Streams(0))
    assert np.abs(network.arrays["input_pulses"] - start["input_pulses"]).max() > 0.01
    fixed = comsa.train(own, "fixed_pulses", Streams(0), {}, silent)
    for name in model.PULSES:
        np.testing.assert_allclose(fixed.arrays[name], start[name], rtol=1e-6)


def test_training_that_diverges_keeps_the_last_good_model(digits, monkeypatch, caplog):
    own = params(n_train=320, n_validation=50, n_hidden=20, epochs=5, batch=32)
    real, calls = Training.epoch, []

    def poisoned(training, *args, **kwargs):
        calls.append(1)
        if len(calls) == 3:
            training.weights[1][0, 0] = np.nan
        return real(training, *args, **kwargs)

    monkeypatch.setattr(Training, "epoch", poisoned)
    network = learning.train(own, "spiking", Streams(0), silent)
    assert network.info["stopped"] == "epoch 3, step 21"
    assert network.info["epochs"] == 2 and len(calls) == 3
    assert all(np.isfinite(values).all() for values in network.arrays.values())
    assert "step 21" in caplog.text
    calls[:] = [1] * 2
    with pytest.raises(UserError, match="step 1, before"):
        learning.train(own, "spiking", Streams(0), silent)


def test_late_pulses_and_inhibition_make_the_slow_start():
    """Neither of the two alone delays the first output spike of an untrained network."""
    rng = np.random.default_rng(0)
    times = np.where(rng.random((40, 784)) < 0.19, rng.random((40, 784)), np.inf)
    found = {}
    for pulses in ([0.0909, 0.909], [10.0, 50.0]):
        for mean in (0.0, -0.1):
            own = params(scale="paper", hidden_pulses=pulses, output_mean=mean)
            arrays = learning.initial_arrays(own, Streams(0))
            output = model.first_spikes(own, arrays, times.astype(np.float32))[1]
            found[pulses[0] > 1, mean < 0] = np.median(output.min(axis=1))
    assert found[True, True] > 10
    assert max(found[False, False], found[False, True], found[True, False]) < 5


def test_rates():
    own = params(scale="default", epochs=30)
    assert learning.rates(own, 0)["w_hidden"] == pytest.approx(1.0186e-3)
    assert learning.rates(own, 15)["input_pulses"] == pytest.approx(9.53751e-2 / 2)
    assert learning.rates(own, 3, fixed_pulses=True)["hidden_pulses"] == 0
    assert learning.rates(params(scale="paper"), 99)["w_output"] == pytest.approx(1.0186e-3)


def test_ink_sees_only_which_pixels_fire(digits):
    own = params(n_train=500, n_validation=100, n_test=50, control_epochs=3)
    network = comsa.train(own, "ink", Streams(0), {}, silent)
    test = comsa.make_task(own, "test", Streams(0))
    dimmed = replace(test, features=test.features / 2)
    first, second = (comsa.evaluate(own, "ink", network, part) for part in (test, dimmed))
    np.testing.assert_array_equal(first.choices, second.choices)
    assert (first.choices == first.targets).mean() > 0.5


# ---- decisions and probes ------------------------------------------------------------------


def test_decisions_and_hidden_spikes_before_them():
    own = params(**SIZES)
    found = as_task(np.zeros((3, 12)), np.array([1, 0, 2]), own)
    times = np.array([[2, 1, 1], [np.inf] * 3, [np.inf, 5, 3]])
    trials = model.decide(times, found, own)
    np.testing.assert_array_equal(trials.choices, [1, -1, 2])
    np.testing.assert_array_equal(trials.decision_ms, [1, np.inf, 3])
    hidden = np.array([[0.5, 2, np.inf, 1], [0, 0, 0, 0], [1, 2, 3, 9]])
    assert model.hidden_before_decision(hidden, trials.decision_ms) == pytest.approx(5 / 8)
    assert np.isnan(model.hidden_before_decision(hidden, np.full(3, np.inf)))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_swapping_keeps_pixels_and_times(seed):
    rng = np.random.default_rng(seed)
    times = np.where(rng.random((4, 30)) < 0.5, rng.random((4, 30)), np.inf)
    moved = probes.swapped(times, rng)
    np.testing.assert_array_equal(np.isfinite(moved), np.isfinite(times))
    np.testing.assert_array_equal(np.sort(moved, axis=1), np.sort(times, axis=1))


def test_probes_act_on_one_layer():
    own, arrays, times, targets = small()
    given_task = as_task(times, targets, own)
    binding = comsa.bind(own, Network(arrays))
    hidden = model.first_spikes(own, arrays, times)[0]
    for condition in comsa.conditions(own):
        rng = np.random.default_rng(0)
        moved, bound = comsa.vary(own, condition, given_task, binding, rng)
        spikes = moved.stimulus.spikes
        first = spikes["input"].first_ms()
        np.testing.assert_array_equal(np.isfinite(first), np.isfinite(times))
        at_hidden = condition.locus == "hidden"
        assert ("hidden_replay" in spikes) == at_hidden
        assert np.all(np.asarray(bound.values["hidden.v_th"]) > 1e8) == at_hidden
        np.testing.assert_array_equal(
            bound.values["hidden_pulses.at"], binding.values["hidden_pulses.at"]
        )
        if at_hidden:
            replayed = spikes["hidden_replay"].first_ms()
            np.testing.assert_array_equal(np.isfinite(replayed), np.isfinite(hidden))
            assert (replayed != hidden)[np.isfinite(hidden)].all()
        elif condition.perturbation == "same_time":
            assert (first[np.isfinite(first)] == 0).all()
        else:
            assert (first != times * own.unit_ms)[np.isfinite(first)].mean() > 0.5
    assert comsa.conditions(params("released")) == ()


# ---- released networks ---------------------------------------------------------------------


def written(own, arrays):
    """The text of a released file for a small network."""
    n = own.n_pulses
    head = ["pulses_per_layer", own.theta, 3, own.n_input, own.n_hidden, own.n_output, n]
    pulses = [*arrays["input_pulses"], *arrays["hidden_pulses"], *np.arange(n)]
    weights = [*arrays["w_hidden"].T.ravel(), *arrays["w_output"].T.ravel()]
    return " ".join(str(word) for word in [*head, *pulses, *weights])


def test_released_files_are_read_in_order():
    _, arrays, _, _ = small()
    own = params("released", **SIZES)
    found = released.parse(written(own, arrays), own, "file")
    for name in model.NAMES:
        np.testing.assert_allclose(found[name], arrays[name])


def test_released_files_that_do_not_fit_are_refused(tmp_path):
    _, arrays, _, _ = small()
    own = params("released", **SIZES)
    text = written(own, arrays)
    words = text.split()
    for changed, said in (
        (text.replace(" 12 9 3 ", " 9 12 3 "), r"begins with .* 9 12 3 .*expected .* 12 9 3 "),
        (text.replace("pulses_per_layer", "no_pulses"), "begins with 'no_pulses"),
        (" ".join(words[:-1]), r"\d+ numbers after the sizes; expected \d+"),
        (" ".join([*words[:9], "word", *words[10:]]), "not a number"),
        (" ".join([*words[:7], "-1", *words[8:]]), "a pulse comes at -1"),
    ):
        with pytest.raises(UserError, match=said):
            released.parse(changed, own, "file")
    name, digest = released.FILES["slow"]
    (tmp_path / name).write_text(text)
    there = replace(own, originals_dir=tmp_path)
    with pytest.raises(UserError, match=hashlib.sha256(text.encode()).hexdigest()) as refused:
        comsa.train(there, "slow", Streams(0), {}, silent)
    assert digest in str(refused.value)


@pytest.mark.parametrize("folder", [None, Path("nowhere")])
def test_missing_files_are_not_measured(tmp_path, folder):
    """The jobs run to their end, and the claim says what was missing."""
    from whyspiking import compare, replicate

    own = replace(params("released"), originals_dir=folder and tmp_path / folder)
    place = tmp_path / "smoke" / "comsa" / "released"
    for variant in ("slow", "fast"):
        replicate.train(own, variant, [], place / variant / "seed-0", silent)
    networks = [place / variant / "seed-0" for variant in ("slow", "fast")]
    replicate.simulate(own, networks, {}, place, silent)
    config = {"scale": "default", "energy": _energy()}
    compare.collect_talk(
        "comsa", [place / "metrics.csv", *(n / "metrics.csv" for n in networks)],
        [n / "network.json" for n in networks], config, tmp_path,
    )  # fmt: skip
    import pandas as pd

    verdicts = pd.read_csv(tmp_path / "verdicts.csv").set_index("claim")
    for name in ("comsa.released_slow.accuracy", "comsa.released_fast.parity"):
        assert verdicts.loc[name, "verdict"] == claims.NOT_MEASURED
        assert str(verdicts.loc[name, "note"]).startswith("file not available: comsa_")
    assert "file not available" not in str(verdicts.loc["comsa.mnist_slow.accuracy", "note"])


def _energy():
    import yaml

    path = Path(__file__).parents[2] / "config" / "config.yaml"
    return yaml.safe_load(path.read_text())["energy"]


# ---- Boolean -------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(boolean.GATES), st.integers(0, 1000))
def test_gates_are_noisy_and_balanced(gate, seed):
    values = boolean.examples(gate, 2000, np.random.default_rng(seed))
    true = values > 0.5
    assert ((values < 0.45) | (values >= 0.55)).all() and values.max() < 1
    expected = {
        "xor": true[:, 0] ^ true[:, 1],
        "and": true[:, 0] & true[:, 1],
        "or": true[:, 0] | true[:, 1],
    }
    classes = boolean.truth(gate, values)
    np.testing.assert_array_equal(classes, expected[gate])
    assert abs(classes.mean() - 0.5) < 0.06
    one, two = (true.sum(axis=1) == n for n in (1, 2))
    # AND and OR flip one or two inputs, equally often.
    shares = {"xor": (0.5, 0.25), "and": (0.25, 0.5), "or": (0.25, 0.25)}
    assert one.mean() == pytest.approx(shares[gate][0], abs=0.06)
    assert two.mean() == pytest.approx(shares[gate][1], abs=0.06)


@pytest.fixture(scope="module")
def small_gates():
    own = params("boolean", scale="default", n_networks=6, epochs=40, n_test=300)
    return own, boolean.train(own, Streams(0), silent)


def test_xor_is_learned(small_gates):
    """A linear classifier reaches 0.75 at best."""
    own, network = small_gates
    values = boolean.samples(own, "test", Streams(0))
    times = boolean.first_output_times(own, network.arrays, values)
    found = boolean.accuracies(own, times, values)
    assert found[0].max() > 0.95 and np.median(found[1]) > 0.95 and np.median(found[2]) > 0.95
    assert (np.diff(network.arrays["validation"], axis=1) <= 0).all(), "best network first"
    # The closed form in float64 and JAX's float32 decide alike.
    again = boolean.samples(own, "validation", Streams(0))
    closed = boolean.accuracies(own, boolean.first_output_times(own, network.arrays, again), again)
    np.testing.assert_allclose(closed, network.arrays["validation"], atol=0.011)


def test_boolean_blocks_do_not_touch(small_gates):
    """The joined network, in closed form, fires exactly as its blocks do."""
    own, network = small_gates
    binding = comsa.bind(own, network)
    test = comsa.make_task(own, "test", Streams(0))
    values = np.asarray(test.features)
    joined = model.first_spikes(own, binding.arrays, values)[1]
    alone = boolean.first_output_times(own, network.arrays, values)
    np.testing.assert_allclose(joined.reshape(alone.shape), alone, rtol=1e-9)
    trials = boolean.decide(own, alone, test)
    middle = alone[:, own.n_networks // 2]
    choice = np.where(np.isfinite(middle.min(axis=1)), middle.argmin(axis=1), -1)
    np.testing.assert_array_equal(trials.choices, choice)
    assert np.count_nonzero(binding.values["s_hidden.w"]) == 3 * 6 * 2 * 4


# ---- Brian2 --------------------------------------------------------------------------------


def test_structure_is_shared_by_experiments_of_equal_size():
    slow, other = (comsa.to_brian(params(n, scale="default")) for n in ("mnist_slow", "released"))
    assert slow.definition == other.definition and slow.reset == other.reset
    assert (slow.trial_ms, slow.max_trials) == (other.trial_ms, other.max_trials)


def test_binding_separates_pulses_from_inputs():
    own, arrays, _, _ = small()
    binding = comsa.bind(own, Network(arrays))
    np.testing.assert_allclose(binding.values["s_hidden.w"], arrays["w_hidden"][:12])
    np.testing.assert_allclose(binding.values["s_input_pulses.w"], arrays["w_hidden"][12:])
    np.testing.assert_allclose(binding.values["s_hidden_pulses.w"], arrays["w_output"][9:])
    np.testing.assert_allclose(binding.values["hidden_pulses.at"], arrays["hidden_pulses"] * 1e-3)
    assert set(binding.layers) == {
        "s_hidden.w", "s_output.w", "s_input_pulses.w", "s_hidden_pulses.w",
    }  # fmt: skip


@pytest.mark.slow
def test_brian_is_the_closed_form(tmp_path_factory):
    """Decisions and spikes of a small network with pulses, and of its probes."""
    from whyspiking.brian import Machine

    own, arrays, _, _ = small()
    rng = np.random.default_rng(3)
    times = np.where(rng.random((400, 12)) < 0.7, rng.random((400, 12)), np.inf)
    given_task = as_task(times, rng.integers(0, 3, 400), own)
    network = Network(arrays)
    machine = Machine(comsa.to_brian(own), tmp_path_factory.getbasetemp() / "build")

    def simulate(network, some):
        values = comsa.bind(own, network).values
        return machine.run(some.stimulus, values, trials=len(some.targets))

    recording = simulate(network, given_task)
    ours = comsa.decode(own, recording, given_task)
    theirs = comsa.evaluate(own, "spiking", network, given_task)
    assert (ours.choices == theirs.choices).mean() >= 0.995
    for name, first in comsa.reference_first_ms(own, "spiking", network, given_task).items():
        found = recording.spikes[name].first_ms()
        assert (np.isfinite(found) == np.isfinite(first)).mean() > 0.998
        both = np.isfinite(found) & np.isfinite(first)
        assert np.median(np.abs(found[both] - first[both])) < 1e-3 * 5.5
    for name in model.PULSES:
        expected = np.tile(arrays[name], (400, 1))
        np.testing.assert_allclose(recording.spikes[name].first_ms(), expected, atol=1e-6)

    # Hidden spikes replayed without jitter decide the same.
    still = Condition("layer_jitter", "hidden", 1e-9)
    moved, bound = comsa.vary(own, still, given_task, comsa.bind(own, network), rng)
    again = comsa.decode(own, machine.run(moved.stimulus, bound.values, trials=400), given_task)
    assert (again.choices == ours.choices).mean() >= 0.995


def test_no_exhibits_without_a_spiking_network():
    assert examples.collect(params(), {("mlp", 0): Network({})}, silent, Streams(0)) == {}
