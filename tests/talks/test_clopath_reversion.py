"""Reverse replay: its current in NumPy, what is fitted to a known rhythm, controls, prediction."""

from dataclasses import replace

import numpy as np
import pytest
from made.project import params_of
from oracles import clopath_leaky

from whyspiking.brian import Machine
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Condition, Network, Recording
from whyspiking.talks.clopath.hippocampus import exhibits, model, reversion
from whyspiking.talks.clopath.hippocampus import task as septal_trials


def network(params, seed=1):
    """Wiring as in training, with made-up weights; inhibitory neurons fire without learning."""
    rng = np.random.default_rng(seed)
    wired = replace(params, values={**params.values, "n_oscillators": 20})
    arrays = model.wire(wired, Streams(seed))
    arrays["phi"] = np.zeros((params.n_inhibitory, 20))
    arrays["phase"] = rng.uniform(-np.pi, np.pi, params.n_excitatory)
    arrays["amplitude"] = np.full(params.n_excitatory, params.reversion_gain / 2)
    arrays["phi_reversion"] = 2e-3 * rng.standard_normal((params.n_inhibitory, 2))
    arrays["reversion_start"] = rng.uniform(params.v_reset, params.v_th, params.n_inhibitory)
    return Network(arrays)


def test_interneurons_and_their_current_are_the_equations_in_numpy(builds):
    # Inhibitory neurons that have not learned fire so much that the published 30 mV would not do.
    params = params_of("clopath", "reversion", bias_reversion_released=90.0)
    made, dt = network(params), params.dt_ms
    task = septal_trials.make_task(params, np.random.default_rng(0))
    binding = reversion.bind(params, made)
    offset = 40.0
    _, binding = reversion.vary(
        params,
        Condition("reversion_phase", "weights", offset),
        task,
        binding,
        np.random.default_rng(0),
    )
    found = Machine(reversion.to_brian(params), builds).run(task.stimulus, binding.values)
    n_steps = round(septal_trials.trial_ms(params) / dt)
    sent = clopath_leaky.raster(found.spikes["inhibitory"], params, n_steps)
    off = task.stimulus.arrays["septum"][0, (np.arange(n_steps) * dt + 1e-9).astype(int), 1]
    jump = model.per_spike(params)

    bias = params.bias_reversion + params.bias_reversion_released * off
    reversing = clopath_leaky.spikes(
        params, made.arrays["reversion_start"], bias, jump * params.reversion_weight * sent
    )
    assert reversing[off == 0].sum() < reversing[off == 1].sum()
    # Eq. 41: -B sin(phase) sin(rhythm + offset), the rhythm as interneurons tell it.
    cosine, sine = made.arrays["phi_reversion"].T
    turned = np.sin(np.deg2rad(offset)) * cosine + np.cos(np.deg2rad(offset)) * sine
    mirror = -params.reversion_gain * np.outer(turned, np.sin(made.arrays["phase"]))
    arriving = sent @ reversion.sum_excitatory_weights(params, made.arrays) + reversing @ mirror
    bias = params.bias_excitatory + params.bias_released * off
    firing = clopath_leaky.spikes(
        params, made.arrays["v_start"][params.n_inhibitory :], bias, jump * arriving
    )
    for name, told in (("reversion", reversing), ("excitatory", firing)):
        assert told.any()
        simulated = clopath_leaky.raster(found.spikes[name], params, n_steps)
        np.testing.assert_array_equal(simulated, told, err_msg=name)


def test_filtered_spikes_are_the_sum_of_their_kernels():
    params = params_of("clopath", "reversion")
    rng = np.random.default_rng(3)
    times, units = np.sort(rng.uniform(0, 300, 60)), rng.integers(3, size=60)
    spikes = Spikes.sorted(
        times,
        units,
        np.zeros(60, int),
        n_trials=1,
        n_units=3,
        duration_ms=septal_trials.trial_ms(params),
    )
    since = np.arange(septal_trials.trial_ms(params))[:, None] - times
    tau_d, tau_r = params.tau_d, params.tau_r
    kernel = np.where(since >= 0, np.exp(-since / tau_d) - np.exp(-since / tau_r), 0.0)
    wanted = 1000.0 / (tau_d - tau_r) * kernel @ (units[:, None] == np.arange(3))
    np.testing.assert_allclose(reversion.filter_spikes(params, spikes, 0), wanted, atol=1e-9)
    assert wanted.sum() / 1000.0 == pytest.approx(60, rel=0.05)  # a spike's integral is 1


def test_phases_and_weights_of_a_known_rhythm_are_found():
    params = params_of("clopath", "reversion", on_ms=4000.0, off_ms=2000.0, static_gain=0.0)
    made, rng = network(params), np.random.default_rng(5)
    n, duration = params.n_inhibitory, septal_trials.trial_ms(params)
    angle = 2 * np.pi * 8.5 * np.arange(duration) / 1000.0
    own = 2 * np.pi * np.arange(n) / n
    # Each oscillator inhibits through neurons of its own phase.
    made.arrays["phi"] = -1e-3 * (1 + np.cos(own[:, None] - made.arrays["phases"]))
    heard = made.arrays["oscillator"][n:]
    spikes = {}
    for name, lag in (("inhibitory", 0.0), ("reversion", 0.7)):
        # Rates that follow the rhythm at the neuron's own phase; the septum off moves reversion's.
        late = np.where(np.arange(duration) < params.warmup_ms + params.on_ms, 0.0, lag)
        rate = 60.0 * (1 + np.cos(angle[:, None] - late[:, None] - own))
        time, unit = np.nonzero(rng.random(rate.shape) < rate / 1000.0)
        spikes[name] = Spikes.sorted(
            time.astype(float),
            unit,
            np.zeros(time.size, int),
            n_trials=1,
            n_units=n,
            duration_ms=duration,
        )
    rhythm = np.column_stack([np.cos(angle), np.sin(angle)])[None]
    found = reversion.fit_reversion(params, made.arrays, Recording(spikes, {"oscillator": rhythm}))
    # The filter of Eq. 3 lags; inhibition is least half a cycle after it is most.
    pole = (1 + 2j * np.pi * 8.5 * np.array([params.tau_d, params.tau_r]) / 1000.0).prod()
    lag = found["phase"] - made.arrays["phases"][heard] - np.angle(pole) - np.pi
    lag = np.angle(np.exp(1j * lag))
    assert abs(lag.mean()) < 0.05
    assert np.abs(lag).max() < 0.3  # spikes are random
    most = params.feedback_weight * 1e-3 * n * 60.0 / 2 / abs(pole)
    np.testing.assert_allclose(found["amplitude"], most, rtol=0.25)
    _, off = reversion.find_periods(params)
    told = reversion.filter_spikes(params, spikes["reversion"], 0)[off] @ found["phi_reversion"]
    turned = np.mean((told @ [1, 1j]) * np.exp(-1j * angle[off]))
    assert abs(np.angle(turned)) < 1e-6  # without Eq. 43 it would lag by 0.7
    assert abs(turned) == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("name", ["reversion_targets", "reversion_sources"])
def test_shuffled_weights_stay_the_same_set(name):
    params = params_of("clopath", "reversion")
    task = reversion.make_task(params, "test", Streams(0))
    binding = reversion.bind(params, network(params))
    condition = next(c for c in reversion.conditions(params) if c.perturbation == name)
    _, varied = reversion.vary(params, condition, task, binding, np.random.default_rng(0))
    before, after = (np.asarray(b.values["from_reversion.w"]) for b in (binding, varied))
    axis = 1 if name == "reversion_targets" else 0
    assert (before != after).any()
    np.testing.assert_array_equal(
        before.take(np.lexsort(before if axis else before.T), axis),
        after.take(np.lexsort(after if axis else after.T), axis),
    )


def test_only_some_phases_of_the_current_reverse():
    params = params_of("clopath", "reversion")
    made = network(params)
    made.arrays["phase"] = np.linspace(-np.pi, np.pi, params.n_excitatory, endpoint=False)
    forward, reverse = exhibits.predict_orders(params, made).T
    at = {int(d): k for k, d in enumerate(exhibits.OFFSETS_DEG)}
    assert reverse[at[0]] == pytest.approx(1.0)
    assert forward[at[0]] < 0.1
    # B = 2 A: cos delta > 1/2 reverses (Eq. 44).
    assert (reverse > forward)[[at[55], at[65]]].tolist() == [True, False]
    assert forward[at[180]] > 0.8
