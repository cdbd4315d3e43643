"""Goeltz: trained networks of both ratios of time constants, in closed form and in Brian2."""

from dataclasses import replace

import numpy as np
import pytest
from made.fulfilled import fulfilled
from made.goeltz_settings import params, silent

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Condition, Network, Stimulus
from whyspiking.talks.goeltz import distortion, exhibits, learning, model
from whyspiking.training.first_spike import encoding


@pytest.fixture(scope="module", params=[1, 2])
def trained(request):
    """A small network for each ratio of time constants."""
    own = params(
        "yinyang" if request.param == 1 else "yinyang_2tau", epochs=12, n_train=3000, batch=100
    )
    return own, learning.train(own, Streams(0), silent)


# ---- learning ------------------------------------------------------------------------------


def test_network_gradient_is_central_difference(trained):
    own, network = trained
    test = fulfilled(own).make_task(own, "test", Streams(0))
    times = test.stimulus.spikes["input"].first_ms()[:20]
    targets = test.targets[:20]
    weights = tuple(network.arrays[name].astype(float) for name in model.names_of(2))
    forward = model.ideal_substrate(own)
    free = replace(own, values={**own.values, "max_dw_norm": np.inf})
    spikes = forward(times, weights)
    _value, by_time = learning.loss(spikes.output.times, targets, own)
    found = model.gradients(free, spikes, weights, by_time)
    rng = np.random.default_rng(0)
    for layer in (0, 1):
        direction = rng.normal(size=weights[layer].shape)
        sides = []
        for step in (1e-6, -1e-6):
            moved = [w.copy() for w in weights]
            moved[layer] += step * direction
            sides.append(learning.loss(forward(times, tuple(moved)).output.times, targets, own)[0])
        expected = (sides[0] - sides[1]) / 2e-6
        assert np.sum(found[layer] * direction) == pytest.approx(expected, rel=1e-3, abs=1e-5)


def test_it_learns(trained):
    own, network = trained
    losses = [row["value"] for row in network.history if row["metric"] == "train_loss"]
    assert losses[-1] < 0.5 * losses[0]
    outcome = fulfilled(own).evaluate(
        own, "spiking", network, fulfilled(own).make_task(own, "test", Streams(0))
    )
    # A linear classifier reaches 0.66.
    assert (outcome.choices == outcome.targets).mean() > 0.75
    assert network.info["engine"] == "compiled" and network.info["epochs"] == 12
    assert {"validation_accuracy", "silent_hidden", "bumped_batches", "train_accuracy"} <= {
        row["metric"] for row in network.history
    }


def test_decisions():
    own = params()
    found = fulfilled(own).make_task(own, "test", Streams(0))
    some = replace(found, targets=found.targets[:3])
    times = np.array([[2, 1, 1], [np.inf] * 3, [np.inf, 5, 3]])
    trials = encoding.decide(times, some, own.tau_s_ms)
    np.testing.assert_array_equal(trials.choices, [1, -1, 2])
    np.testing.assert_array_equal(trials.decision_ms, [1, np.inf, 3])


# ---- shared tasks --------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "least"), [("shared_yinyang", 0.75), ("shared_randman", 0.4)])
def test_shared_tasks_are_learned(name, least):
    """A line has 0.66 and, of so few samples, 0.4; counts have 0.1."""
    own = params(name, n_train=3000, n_validation=300, epochs=12, learning_rate=0.005)
    network = fulfilled(own).train(own, "spiking", Streams(0), {}, silent)
    held_out = fulfilled(own).make_task(own, "validation", Streams(0))
    trials = fulfilled(own).evaluate(own, "spiking", network, held_out)
    assert (trials.choices == trials.targets).mean() > least


def test_a_control_knows_the_inputs_that_have_fired():
    for name in ("yinyang", "shared_yinyang", "shared_randman"):
        own = params(name)
        test = fulfilled(own).make_task(own, "test", Streams(0))
        half = own.t_early + (own.t_late - own.t_early) / 2
        found = fulfilled(own).features_until(own, test, half * own.tau_s_ms)
        fired = test.features <= 0.5
        np.testing.assert_array_equal(found[fired], test.features[fired])
        # Of Yin-Yang half of the window has everything: x or 1 - x has fired.
        late = np.ones_like(test.features) if name == "shared_randman" else test.features
        np.testing.assert_allclose(found[~fired], late[~fired])


def test_the_wide_control_has_the_parameters_of_a_recurrent_network():
    own = params("shared_yinyang")
    n_in, n, n_out = own.n_input, own.n_hidden, own.n_output
    recurrent = n_in * n + n * n + n * n_out + n + n_out
    per_unit = n_in + 1 + n_out
    assert 0 <= own.n_wide * per_unit + n_out - recurrent < per_unit


# ---- distortions ---------------------------------------------------------------------------


def test_uneven_substrate_without_spread_is_ideal(trained):
    own, network = trained
    weights = tuple(network.arrays[name].astype(float) for name in model.names_of(2))
    taus = distortion.taus_of(own, Condition("tau_spread", "neurons", 0.0), Streams(0))
    times = (
        fulfilled(own).make_task(own, "test", Streams(0)).stimulus.spikes["input"].first_ms()[:100]
    )
    ideal, found = (
        f(times, weights) for f in (model.ideal_substrate(own), model.uneven_substrate(own, taus))
    )
    for name in ("hidden", "output"):
        a, b = getattr(ideal, name), getattr(found, name)
        fired = np.isfinite(a.times)
        np.testing.assert_array_equal(fired, np.isfinite(b.times))
        np.testing.assert_allclose(b.times[fired], a.times[fired], atol=1e-9)
        np.testing.assert_allclose(b.slopes, a.slopes, atol=1e-6)


# ---- Brian2 --------------------------------------------------------------------------------


def test_structure_is_shared_by_experiments_of_equal_size():
    models = [
        fulfilled(params(name, scale="full")).to_brian(params(name, scale="full"))
        for name in ("yinyang", "yinyang_2tau", "distortion")
    ]
    for other in models[1:]:
        assert other.definition == models[0].definition and other.reset == models[0].reset
        assert (other.name, other.max_trials) == (models[0].name, models[0].max_trials)
        assert (other.dt_ms, other.trial_ms) == (models[0].dt_ms, models[0].trial_ms)


def test_binding_places_the_bias(trained):
    own, network = trained
    binding = fulfilled(own).bind(own, network)
    w_output = network.arrays["w_output"]
    np.testing.assert_allclose(binding.values["s_output.w"], w_output[:-1])
    np.testing.assert_allclose(binding.values["s_direct.w"][4], w_output[-1])
    assert (binding.values["s_direct.w"][:4] == 0).all()
    assert set(binding.layers) <= set(binding.values)
    assert all(
        layer.weights.shape == np.shape(binding.values[k]) for k, layer in binding.layers.items()
    )
    assert np.all(binding.values["hidden.v_th"] == 1 / own.tau_ratio)


@pytest.mark.slow
def test_brian_is_the_closed_form(trained, builds):
    from whyspiking.brian import Machine

    own, network = trained
    machine = Machine(fulfilled(own).to_brian(own), builds)
    test = fulfilled(own).make_task(own, "test", Streams(0))

    def simulate(network, task):
        return machine.run(task.stimulus, fulfilled(own).bind(own, network).values)

    recording = simulate(network, test)
    ours, theirs = (
        fulfilled(own).decode(own, recording, test),
        fulfilled(own).evaluate(own, "spiking", network, test),
    )
    assert (ours.choices == theirs.choices).mean() >= 0.995
    for name, first in fulfilled(own).reference_first_ms(own, "spiking", network, test).items():
        found = recording.spikes[name].first_ms()
        assert (np.isfinite(found) == np.isfinite(first)).mean() > 0.999
        both = np.isfinite(found) & np.isfinite(first)
        errors = np.abs(found[both] - first[both])
        assert np.median(errors) < 2e-4 and np.quantile(errors, 0.9) < 2e-3

    # Neurons with time constants of their own, against the numerical event-driven solution.
    taus = distortion.taus_of(own, Condition("tau_spread", "neurons", 0.3), Streams(3))
    changes = {
        f"{layer}.{tau}": taus[f"{tau}_{layer}"] * 1e-3
        for layer in ("hidden", "output")
        for tau in ("tau_m", "tau_s")
    }
    weights = tuple(network.arrays[name] for name in model.names_of(2))
    times = test.stimulus.spikes["input"].first_ms()[:300]
    shown = Stimulus({"input": Spikes.from_first_spikes(times, own.trial_ms)})
    chip = machine.run(shown, {**model.values(own, weights), **changes})
    numeric = model.uneven_substrate(own, taus)(times, weights)
    for name in ("hidden", "output"):
        a, b = chip.spikes[name].first_ms(), getattr(numeric, name).times
        b = np.where(b <= own.trial_ms, b, np.inf)
        assert (np.isfinite(a) == np.isfinite(b)).mean() > 0.995
        both = np.isfinite(a) & np.isfinite(b)
        assert np.median(np.abs(a[both] - b[both])) < 2e-4
    assert (numeric.hidden.times != model.ideal_substrate(own)(times, weights).hidden.times).any()

    # Hidden spikes replayed in place of the silenced layer decide the same.
    replayed = replace(
        test,
        stimulus=replace(
            test.stimulus,
            spikes={**test.stimulus.spikes, "hidden_replay": recording.spikes["hidden"]},
        ),
    )
    values = {**fulfilled(own).bind(own, network).values, "hidden.v_th": 1e9}
    again = fulfilled(own).decode(own, machine.run(replayed.stimulus, values), test)
    np.testing.assert_array_equal(again.choices, ours.choices)
    # A spike that an arrival within the step has caused may be replayed one step earlier, which an
    # output that just grazes its threshold turns into a later spike.
    moved = np.abs(again.decision_ms - ours.decision_ms)[np.isfinite(ours.decision_ms)]
    assert (moved < 1e-9).mean() > 0.97 and (moved < 0.01).mean() > 0.99

    # Figures: the drawn potentials reach one where the neurons fired.
    arrays = exhibits.exhibits(own, {("spiking", 0): network}, simulate, Streams(0))
    assert arrays["map.first_ms"].shape == (exhibits.MAP_SIDE, exhibits.MAP_SIDE, 3)
    time, v = arrays["trace.time_ms"], arrays["trace.v_output"]
    for n, moment in enumerate(arrays["trace.output_ms"]):
        before = v[time < moment - 0.02, n]
        assert before.max(initial=-1) < 1.01
        if np.isfinite(moment):
            assert np.interp(moment, time, v[:, n]) == pytest.approx(1, abs=0.02)


def test_no_exhibits_without_a_spiking_network():
    assert exhibits.exhibits(params(), {("mlp", 0): Network({})}, silent, Streams(0)) == {}
