"""DECOLLE in Brian2's own NumPy: steps, learning, a device with deviations, the regression."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from made.neftci_networks import (
    as_network,
    digits,
    network_of,
    params,
    run_in_numpy,
    seen,
    task_of,
)
from made.project import params_of
from oracles import neftci_local_rule

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Condition, Recording
from whyspiking.talks.neftci import (
    brian_network,
    device,
    learning,
    measures_device,
    model,
    regression,
    task,
)


def case(n, experiment="nmnist"):
    """A small network with its parameters and constants, some digits, and their frames."""
    own = params(experiment, hidden=[6, 5], n_frames=10)
    given = task_of(own, n)
    frames = jnp.asarray(task.frames_of(own, given.stimulus.spikes["events"]))
    return own, *network_of(own), given, frames


def test_brian_without_compiler_steps_as_jax_does():
    """The strings of both Brian2 models, run by Brian2's own NumPy, in float64."""
    own, weights, c, _, frames = case(3)
    with jax.enable_x64(True):
        double = jax.tree.map(lambda a: jnp.asarray(np.asarray(a), jnp.float64), weights)
        jax_counts = [np.asarray(s) for s in model.responses(double, jnp.asarray(frames, float), c)]
    assert 0.05 < jax_counts[0].mean() < 0.95
    for kind in (brian_network, device):
        values = kind.bind(own, as_network(weights)).values
        for trial in range(3):
            found = run_in_numpy(kind.to_brian(own), values, frames[:, trial])
            for name, expected in zip(model.names(own), jax_counts, strict=True):
                np.testing.assert_array_equal(found[name], expected[:, trial], err_msg=name)


def test_brian_learns_by_the_local_gradient():
    """One update, in the last step: what the equations of both engines say must be the same."""
    own, weights, c, given, frames = case(1)
    target = jax.nn.one_hot(given.targets, own.n_classes)
    *_, last = seen(weights, c, frames)
    slopes = learning.local_gradients(c, weights, *last, target)
    control = np.zeros((own.n_frames, 2))
    control[-1, device.RATE] = 0.1
    arrays = {device.CONTROL: control, device.TARGET: np.asarray(target)}
    values = device.bind(own, as_network(weights)).values
    after = {}
    run_in_numpy(device.to_brian(own), values, frames[:, 0], arrays, after)
    for index, (w, b) in enumerate(zip(weights.w, weights.b, strict=True)):
        changed = after[f"s{index + 1}.w"].reshape(w.shape)
        np.testing.assert_allclose(changed - w, -0.1 * slopes[0][index], atol=1e-6)
        moved = after[f"layer{index + 1}.b"] - brian_network.thresholds(b) - b
        np.testing.assert_allclose(moved, -0.1 * slopes[1][index], atol=1e-6)
        assert np.abs(slopes[0][index]).max() > 1e-5


def test_deviations_act_only_on_the_device_as_built():
    own = params("mismatch", n_relearn=4)
    data = digits(own, 20)
    binding = device.bind(own, as_network(network_of(own)[0]))
    condition = Condition(device.PERTURBATION, "neurons", 0.2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(task, "recordings_of", lambda *_: data)
        patch.setattr(device, "make_task", lambda *_: task_of(own, 3))
        whole, bound = device.vary(
            own, condition, task_of(own, 3), binding, np.random.default_rng(0)
        )
    control = whole.stimulus.arrays[device.CONTROL]
    assert control.shape == (3 + 3 + 4 + 3, own.n_frames, 2)
    stages = device.periods(whole)
    assert [len(stages[k]) for k in ("designed", "built", "lesson", "relearned")] == [3, 3, 4, 3]
    for stage, channel, value in (
        ("designed", device.BUILT, 0), ("built", device.BUILT, 1),
        ("built", device.RATE, 0), ("relearned", device.RATE, 0),
    ):  # fmt: skip
        assert (control[stages[stage], :, channel] == value).all(), (stage, channel)
    assert not control[stages["lesson"], : model.burn_in(own), device.RATE].any()
    for name in ("designed", "built", "relearned"):
        np.testing.assert_array_equal(whole.targets[stages[name]], task_of(own, 3).targets)
    drawn = np.concatenate([bound.values[f"layer{k}.d_tau_m"] for k in (1, 2, 3)])
    assert 0.1 < drawn.std() < 0.3
    assert not np.any(binding.values["layer1.d_tau_m"])


def test_deviating_neurons_have_their_own_threshold_and_time_constants():
    """A device as built in Brian2 against Eqs. 1 to 4 with one value per neuron."""
    own, weights, _, _, frames = case(1, "mismatch")
    values = dict(device.bind(own, as_network(weights)).values)
    rng = np.random.default_rng(3)
    spikes = np.asarray(frames[:, 0], float)
    expected = {}
    for k, (name, w, b) in enumerate(zip(model.names(own), weights.w, weights.b, strict=True), 1):
        off = {key: rng.uniform(-0.4, 0.4, b.size) for key in device.DEVIATING}
        values |= {f"{name}.d_{key}": off[key] for key in device.DEVIATING}
        w, b, v_th = np.asarray(w, float), np.asarray(b, float), brian_network.thresholds(b)
        alpha, beta, gamma = (
            np.exp(-own.dt_ms / (tau * (1 + off[key]))) for key, tau in model.taus(own).items()
        )
        v = i_syn = r = np.zeros(b.size)
        fired = []
        for now in spikes:
            v, i_syn = alpha * v + (1 - alpha) * i_syn, beta * i_syn
            s = (v + b + v_th + r > v_th * (1 + off["v_th"])).astype(float)
            r = gamma * r - (1 - gamma) * s
            i_syn = i_syn + (1 - beta) * (now @ w)
            fired.append(s)
        expected[name] = spikes = np.stack(fired)
        assert values[f"s{k}.w"].shape == w.shape
    control = np.zeros((own.n_frames, 2))
    control[:, device.BUILT] = 1
    arrays = {device.CONTROL: control}
    found = run_in_numpy(device.to_brian(own), values, frames[:, 0], arrays)
    plain = run_in_numpy(device.to_brian(own), values, frames[:, 0])
    for name, spikes in expected.items():
        np.testing.assert_array_equal(found[name], spikes, err_msg=name)
    assert any((plain[name] != found[name]).any() for name in expected)


def test_what_relearning_brings_counts_every_device():
    own = params("mismatch")
    given = task_of(own, 40)
    control = np.zeros((40, own.n_frames, 2))
    control[10:, :, device.BUILT] = 1
    control[20:30, -1, device.RATE] = 0.1
    stimulus = replace(given.stimulus, arrays={device.CONTROL: control})
    given = replace(given, targets=np.arange(40) % 4, stimulus=stimulus)

    name = f"readout{len(own.hidden)}"
    for n_wrong_built, n_wrong_relearned, lost, gained, above_half_way in (
        (4, 1, 0.4, 0.3, 0.9 - (1.0 + 0.6) / 2),
        (0, 3, 0.0, -0.3, -0.3),  # nothing was lost, and learning harms
        (4, 2, 0.4, 0.2, 0.0),
    ):
        choices = given.targets.copy()
        choices[10 : 10 + n_wrong_built] += 1
        choices[30 : 30 + n_wrong_relearned] += 1
        readout = np.eye(5)[choices][:, None, :].repeat(own.n_frames, axis=1)
        recording = Recording({}, {name: readout}, {name: own.dt_ms})
        found = measures_device.measures(own, Condition(), recording, given)
        expected = {"lost": lost, "gained": gained, "above_half_way": above_half_way}
        assert {key: found[key] for key in expected} == pytest.approx(expected)


def test_regression_learns_in_brian_as_the_equations_say():
    own = params("regression", n_in=8, hidden=[6, 5, 4], trial_ms=100.0)
    given = regression.trial(own, Streams(1))
    raster = regression.raster_of(own, given)
    start = regression.initial(own, raster, Streams(1))
    eta = 1e-5
    values = regression.learning_with(own, start, eta).values
    after = {}
    run_in_numpy(
        regression.to_brian(own), values, raster,
        {regression.TARGET: regression.series(own)}, after,
    )  # fmt: skip
    expected = neftci_local_rule.weights_after(own, start, raster, regression.series(own), eta)
    for k, w in enumerate(model.weights_of(start)[0]):
        found = after[f"s{k + 1}.w"].reshape(w.shape) - w
        np.testing.assert_allclose(found / eta, (expected[k] - w) / eta, rtol=1e-3, atol=1e-3)
        assert np.abs(found / eta).max() > 0.01


def test_regression_asks_for_the_authors_series_and_scores_each_layer_against_theirs():
    own = params_of("neftci", "regression", "full")
    given, series = regression.trial(own, Streams(1)), regression.series(own)
    # target.npy of nmi-lab/dcll, steps 0 to 2 and 499 of layers 1 to 3.
    stored = [
        [0, 0.5, 0], [0.00200401, 0.49898306, 0.01594469],
        [0.00400802, 0.49593642, 0.03187315], [1, 0.45754564, -0.10302228],
    ]  # fmt: skip
    np.testing.assert_allclose(series[[0, 1, 2, -1]], stored, atol=3e-5)
    for missed in ([0.0, 0.0, 0.0], [0.1, 0.2, 0.3]):
        traces = {f"readout{k}": (series + missed)[None, :, k - 1, None] for k in (1, 2, 3)}
        found = regression.measures(own, Condition(), Recording({}, traces, {}), given)
        # A constant comes through the filter, and the start is not scored.
        expected = np.square(missed) / given.targets[0][50:].var(axis=0)
        assert [found[f"nmse_layer{k}"] for k in (1, 2, 3)] == pytest.approx(expected, rel=1e-3)
        over = expected[2] / 0.042997  # 2.1, of the ramp 0.6
        assert found["error_over_released"] == pytest.approx(over, rel=1e-3)
