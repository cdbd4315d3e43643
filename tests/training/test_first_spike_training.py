"""Compiled epochs of first-spike networks: against whole arrays, and against differences."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies
from made.agreement import slopes
from oracles import first_spike_epoch

from whyspiking.training.first_spike import (
    compiled,
    compiled_epoch,
    layer,
)
from whyspiking.training.first_spike.epoch_state import Diverged, Settings
from whyspiking.training.first_spike.inputs import Inputs
from whyspiking.training.first_spike.training import Training

GOELTZ = Settings(
    "goeltz", batch=8, threshold=1.0, temperature=0.2, push=0.005, push_scale=0.7, min_slope=1e-3,
    max_dw=0.2, bump_rule="faithful", bump=5e-3, tolerated=(0.3, 0.2), epsilon=1e-2,
)  # fmt: skip
COMSA = Settings(
    "comsa", batch=8, threshold=0.4, temperature=0.5, min_slope=1e-2, silent_penalty=2.0,
    epsilon=1e-2, epsilon_root=1e-6,
)  # fmt: skip
# Adam's usual epsilon of 1e-8 turns gradients that are rounding errors into whole steps; with one
# that is not small, weights can be compared closely. `test_epsilon` has the usual one.


def made(
    own, n_in=12, n_hidden=43, n_out=3, n_pulses=(2, 1), n_samples=20, seed=0, dtype=np.float64,
    mean=0.3, silent=0.3, ties=False,
):  # fmt: skip
    """A network with random weights, and samples to learn: (training, inputs, targets).

    `n_hidden` of several numbers are as many hidden layers, none of the further ones with pulses.
    """
    rng = np.random.default_rng(seed)
    n_hidden, *further = np.atleast_1d(n_hidden).tolist()
    times = rng.uniform(0, 2, (n_samples, n_in))
    times = np.round(times, 1) if ties else times
    times[rng.random(times.shape) < silent] = np.inf
    times[0] = np.inf  # a sample without any spike
    weights = [rng.normal(mean, 0.8, (n_in + n_pulses[0], n_hidden))]
    for n in further:
        weights.append(rng.normal(mean, 1.2 / np.sqrt(n_hidden / 10), (n_hidden, n)))
        n_hidden = n
    weights.append(
        rng.normal(mean / 2, 0.8 / np.sqrt(n_hidden / 10), (n_hidden + n_pulses[1], n_out))
    )
    pulses = [rng.uniform(0, 2, n) for n in n_pulses]
    if ties and n_pulses[0]:
        pulses[0] = np.round(pulses[0], 1)
    pulses[1:1] = [np.zeros(0)] * len(further)
    first, last = own.tolerated
    own = replace(own, tolerated=(first, *[first] * len(further), last))
    training = Training(own, weights, pulses, dtype=dtype)
    return training, Inputs(times, dtype), rng.integers(0, n_out, n_samples)


def both(own, epochs=2, rate=0.02, pulse_rate=0.05, **sizes):
    """The same training by the compiled epoch and by whole arrays, with their statistics."""
    results = []
    for form in (compiled_epoch, first_spike_epoch):
        training, inputs, targets = made(own, **sizes)
        rng = np.random.default_rng(5)
        found = []
        for epoch in range(epochs):
            order = rng.permutation(len(targets)).astype(np.int64)
            found.append(
                form.run(
                    training,
                    inputs,
                    targets.astype(np.int32),
                    order,
                    rate / (1 + epoch),
                    pulse_rate,
                )
            )
        results.append((training, found))
    return results


def arrays(training):
    """Everything an epoch changes, as one list of arrays."""
    pairs = (
        training.weights, training.pulses, *training.weight_moments, *training.pulse_moments
    )  # fmt: skip
    return [array for pair in pairs for array in pair]


def assert_equal(results, tolerance):
    (ours, our_statistics), (theirs, their_statistics) = results
    for a, b in zip(arrays(ours), arrays(theirs), strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * np.abs(b).max(initial=1))
    for a, b in zip(our_statistics, their_statistics, strict=True):
        np.testing.assert_allclose(
            np.hstack(list(vars(a).values())), np.hstack(list(vars(b).values())),
            rtol=max(tolerance, 1e-12),
        )  # fmt: skip
    assert (ours.steps, ours.bump_layer) == (theirs.steps, theirs.bump_layer)
    assert ours.bump_amount == pytest.approx(theirs.bump_amount)


CASES = {
    "goeltz": (GOELTZ, {}),
    "goeltz without limits": (replace(GOELTZ, max_dw=np.inf, bump_rule="none"), {}),
    "goeltz, few spikes": (GOELTZ, {"mean": -0.1}),
    "goeltz, soft": (replace(GOELTZ, bump_rule="soft"), {"mean": -0.1}),
    "goeltz, 2 tau": (replace(GOELTZ, tau_ratio=2, threshold=0.5), {}),
    "goeltz, ties": (GOELTZ, {"ties": True}),
    "comsa": (COMSA, {}),
    "comsa, few spikes": (COMSA, {"mean": -0.3}),
    "comsa, 2 tau": (replace(COMSA, tau_ratio=2, threshold=0.2), {"mean": -0.1}),
    "comsa, wrong only": (replace(COMSA, wrong_only=True, batch=2), {}),
    "comsa, ties": (COMSA, {"ties": True}),
    "one neuron, no pulses": (COMSA, {"n_hidden": 1, "n_out": 2, "n_pulses": (0, 0)}),
    "three layers": (GOELTZ, {"n_hidden": (43, 21)}),
    "three layers, 2 tau": (replace(COMSA, tau_ratio=2, threshold=0.2), {"n_hidden": (20, 35)}),
    "three layers, wrong only": (replace(COMSA, wrong_only=True, batch=2), {"n_hidden": (9, 18)}),
    "three layers, the first frozen": (replace(GOELTZ, frozen=1), {"n_hidden": (43, 21)}),
    "four layers, few spikes": (GOELTZ, {"n_hidden": (24, 17, 30), "mean": -0.1}),
    "four layers, soft": (replace(GOELTZ, bump_rule="soft"), {"n_hidden": (24, 17, 30)}),
    "many neurons": (COMSA, {"n_in": 90, "n_hidden": 101, "n_out": 50, "n_samples": 9}),
}


@pytest.mark.parametrize("case", CASES)
def test_compiled_epoch_is_that_of_whole_arrays(case):
    own, sizes = CASES[case]
    results = both(own, **sizes)
    assert_equal(results, 1e-9)
    start, _, _ = made(own, **sizes)
    moved = results[0][0].weights[own.frozen] - start.weights[own.frozen]
    assert np.abs(moved).max() > 1e-3
    for kept, before in zip(results[0][0].weights[: own.frozen], start.weights, strict=False):
        np.testing.assert_array_equal(kept, before)


@pytest.mark.parametrize("case", CASES)
def test_compiled_epoch_in_single_precision(case):
    own, sizes = CASES[case]
    assert_equal(both(own, dtype=np.float32, epochs=1, **sizes), 2e-5)


@pytest.mark.parametrize("n", [(20, 3), (22, 7), (28, 12), (32, 14), (35, 20)])
@pytest.mark.parametrize(("dtype", "close"), [(np.float64, 1e-9), (np.float32, 2e-5)])
def test_any_number_of_neurons_at_any_width_of_vectors(n, dtype, close, vectors):
    """One to five vectors left, in tiles of five, of hidden neurons and of outputs."""
    n_hidden, n_out = n
    assert_equal(both(COMSA, epochs=1, dtype=dtype, n_hidden=n_hidden, n_out=n_out), close)


def test_cases_contain_what_they_are_meant_for():
    """Silent neurons, bumps with and without steps, dead and moving pulses, skipped batches."""
    silent = both(*CASES["goeltz, few spikes"][:1], mean=-0.1)[0]
    assert silent[1][0].silent_hidden > 0.3 and silent[1][0].bumped == 1 and silent[0].steps == 0
    soft = both(CASES["goeltz, soft"][0], mean=-0.1)[0]
    assert soft[1][0].bumped > 0.3 and soft[0].steps == 6
    assert (both(COMSA)[0][0].pulses[0] != made(COMSA)[0].pulses[0]).all()
    kept = both(COMSA, pulse_rate=0.0)[0][0]
    np.testing.assert_array_equal(kept.pulses[0], made(COMSA)[0].pulses[0])
    assert 0 < both(CASES["comsa, wrong only"][0])[0][0].steps < 20
    unlimited = both(CASES["goeltz without limits"][0])[0][0]
    limited = both(replace(GOELTZ, bump_rule="none"))[0][0]
    assert np.abs(unlimited.weights[0] - limited.weights[0]).max() > 1e-3


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    n_in=strategies.integers(1, 25), n_hidden=strategies.integers(1, 90),
    n_out=strategies.integers(2, 20), n_pulses=strategies.tuples(*[strategies.integers(0, 3)] * 2),
    batch=strategies.integers(1, 25), ties=strategies.booleans(), ratio=strategies.integers(1, 2),
    own=strategies.sampled_from((GOELTZ, COMSA)), seed=strategies.integers(0, 1000),
)  # fmt: skip
def test_any_size_and_batch(n_in, n_hidden, n_out, n_pulses, batch, ties, ratio, own, seed):
    own = replace(own, batch=batch, tau_ratio=ratio, threshold=own.threshold / ratio)
    results = both(
        own, epochs=1, n_in=n_in, n_hidden=n_hidden, n_out=n_out, n_pulses=n_pulses, ties=ties,
        seed=seed,
    )  # fmt: skip
    # Where a neuron grazes its threshold, rounding in one step decides about the next.
    assert_equal(results, 1e-7)


def test_epsilon():
    """The usual one, in its two places: steps of Adam from moments that are known."""
    for own in (
        replace(COMSA, epsilon=1e-8, epsilon_root=0.0),
        replace(COMSA, epsilon=0.0, epsilon_root=1e-8),
    ):
        training, inputs, targets = made(own, n_samples=8)
        before = training.weights[0].copy()
        training.epoch(inputs, targets, np.arange(8), 0.01)
        m, v = (pair[0] for pair in training.weight_moments)
        scale = np.sqrt(v / (1 - 0.999) + own.epsilon_root) + own.epsilon
        np.testing.assert_allclose(before - training.weights[0], 0.01 * m / 0.1 / scale, atol=1e-12)


# ---- gradients -----------------------------------------------------------------------------


def gradients(own, training, inputs, targets):
    """Of one batch with all samples: without memory, Adam's first moment is the gradient."""
    tolerated = training.settings.tolerated
    own = replace(own, batch=len(targets), betas=(0.0, 0.999), tolerated=tolerated)
    copy = Training(own, training.weights, training.pulses, dtype=np.float64)
    statistics = copy.epoch(inputs, targets, np.arange(len(targets)), 0.0, 1e-300)
    return [*copy.weight_moments[0], *copy.pulse_moments[0]], statistics.loss


def forward(own, training, inputs):
    """Output times of all samples, layer by layer, (sample, output)."""
    times = inputs.times
    for weights, pulses in zip(training.weights, training.pulses, strict=True):
        times = np.hstack([times, np.broadcast_to(pulses, (len(times), len(pulses)))])
        times = compiled.forward(times, weights, own.threshold, own.tau_ratio).times
    return times


@pytest.mark.parametrize("tau_ratio", (1, 2))
@pytest.mark.parametrize("loss", ("goeltz", "comsa"))
@pytest.mark.parametrize("n_hidden", (9, (9, 8)), ids=("two layers", "three layers"))
def test_gradients_are_central_differences(loss, tau_ratio, n_hidden):
    """All weights and pulses; inhibition cancels spikes that single inputs would have caused."""
    base = GOELTZ if loss == "goeltz" else COMSA
    own = replace(
        base, tau_ratio=tau_ratio, threshold=base.threshold / tau_ratio, min_slope=1e-9,
        max_dw=np.inf, bump_rule="none", silent_penalty=0.0,
    )  # fmt: skip
    training, inputs, targets = made(
        own, n_in=6, n_hidden=n_hidden, n_out=4, n_samples=16, seed=4, mean=0.6
    )
    c, ratio = own.threshold, tau_ratio
    # The first hidden neuron grazes: its only input, a pulse, lifts it just over the threshold.
    peak = layer.kernel(1.0 if ratio == 1 else 2 * np.log(2), ratio)
    training.weights[0][:, 0] = 0
    training.weights[0][-1, 0] = c / peak * (1 + 1e-3)
    training.pulses[0][-1] = 0.02
    # Outputs late enough to hear it; more layers need stronger weights for enough spikes.
    training.weights[1][:] *= 0.75 if n_hidden == 9 else 2.5
    assert (training.weights[0] < 0).any()
    # Of a silent true neuron the published gradients are not those of its (constant) loss.
    outputs = forward(own, training, inputs)
    kept = np.isfinite(outputs).sum(axis=1) > 1
    inputs = Inputs(inputs.times[kept], np.float64)
    targets = np.where(np.isfinite(outputs), outputs, -1).argmax(axis=1)[kept]
    assert len(targets) > 5
    found, _ = gradients(own, training, inputs, targets)
    parts = [*training.weights, *training.pulses]
    assert all(np.abs(array).max() > 1e-3 for array in found if array.size)
    # The grazing neuron takes part; through two layers no output need have heard it.
    assert np.abs(found[0][-1, 0]) > 0 or n_hidden != 9
    for array, gradient in zip(parts, found, strict=True):
        expected = slopes(lambda: gradients(own, training, inputs, targets)[1], array, 1e-7)
        np.testing.assert_allclose(gradient, expected, rtol=2e-4, atol=3e-7)


def test_silent_neurons_pull_all_their_weights():
    """The penalty on every incoming weight, from silent inputs too, and nothing further down."""
    own = replace(COMSA, wrong_only=False)
    training, inputs, targets = made(own, mean=-3.0)
    found, _ = gradients(own, training, inputs, targets)
    assert training.epoch(inputs, targets, np.arange(20), 0.0).silent_hidden == 1
    np.testing.assert_allclose(found[0], -own.silent_penalty)
    np.testing.assert_allclose(found[2], 0)


# ---- what goes wrong -----------------------------------------------------------------------


def test_divergence_names_the_step_and_keeps_the_network():
    training, inputs, targets = made(COMSA, dtype=np.float32)
    training.epoch(inputs, targets, np.arange(20), 0.01)
    kept = [array.copy() for array in arrays(training)]
    with pytest.raises(Diverged, match=r"step 4 \(batch 0") as caught:
        training.epoch(inputs, targets, np.arange(20), np.inf)
    assert caught.value.step == 4 and training.steps == 3
    assert set(caught.value.arrays) == {"hidden weights", "output weights"}
    np.testing.assert_equal(arrays(training), kept)


def test_weight_that_is_no_number_stops_the_epoch():
    training, inputs, targets = made(COMSA)
    training.weights[1][3, 1] = np.nan
    with pytest.raises(Diverged, match="output weights are not finite after step 1"):
        training.epoch(inputs, targets, np.arange(20), 0.01)


def test_what_does_not_fit_is_refused():
    training, inputs, targets = made(COMSA)
    order = np.arange(20)
    for wrong, message in (
        ({"inputs": Inputs(inputs.times)}, "float32"),
        ({"inputs": Inputs(inputs.times[:, 1:], np.float64)}, "11 inputs"),
        ({"targets": targets[1:]}, "20 classes"),
        ({"targets": targets + 1}, "0 to 2"),
        ({"order": order + 1}, "0 to 19"),
        ({"order": order[:0]}, "order"),
    ):
        arguments = {"inputs": inputs, "targets": targets, "order": order, "rate": 0.1, **wrong}
        with pytest.raises(ValueError, match=message):
            training.epoch(**arguments)
    for times in ([[-0.1]], [[np.nan]], [0.1]):
        with pytest.raises(ValueError, match="input times"):
            Inputs(times)
    deep = replace(COMSA, tolerated=(0.0, 0.0, 0.0))
    for own, shapes, pulses, message in (
        (COMSA, [(3, 4), (5, 2)], None, "one row for each"),
        (COMSA, [(3, 4), (4, 2)], (np.ones(3), ()), "pulses"),
        (COMSA, [(3, 4), (4, 5), (5, 2)], None, "3 weights, 3 sets of pulses and 2 tolerated"),
        (deep, [(3, 4), (6, 5), (5, 2)], None, "hidden 2 weights"),
    ):
        weights = tuple(np.ones(shape) for shape in shapes)
        with pytest.raises(ValueError, match=message):
            Training(own, weights, *([pulses] if pulses else []))
    for change, message in (
        ({"batch": 0}, "batch"), ({"tau_ratio": 3}, "tau_m"), ({"loss": "mse"}, "must be one of"),
        ({"bump_rule": "hard"}, "bump_rule"), ({"min_slope": 0.0}, "min_slope"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            replace(COMSA, **change)
