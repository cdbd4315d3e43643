"""FORCE networks in NumPy, Brian2's runtime mode and the compiled program; own conditions."""

from dataclasses import replace

import numpy as np
import pytest
from made.project import params_of
from oracles.clopath_force import izhikevich, leaky, run, theta

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Condition, Network, Params, Traces
from whyspiking.measures import scoring
from whyspiking.talks.clopath.force import learning, model, rate_control, signals, task
from whyspiking.talks.clopath.hippocampus import task as septal_trials
from whyspiking.talks.clopath.hippocampus import theta_replay


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Brian2's parsers
@pytest.mark.parametrize(
    ("experiment", "slopes", "decoding", "changed"),
    [
        ("ode", izhikevich, 1.0, {"gain": 2000.0, "clock_components": 4}),
        ("sine_lif", leaky, 5.0, {"gain": 400.0}),
        ("sine_theta", theta, 1.0, {"gain": 40_000.0, "bias": 900.0}),
    ],
)
def test_runtime_network_equals_plain_numpy(experiment, slopes, decoding, changed, tmp_path):
    params = params_of("clopath", experiment, n_neurons=30, work_dir=tmp_path, **changed)
    dt, steps, channels = 0.1, 600, 2 if experiment == "ode" else 1
    wiring = model.wire(params, channels, Streams(1))
    clock = task.clock_signal(np.arange(0.0, 40.0), 4, 40.0, 1.0)
    clock = clock if experiment == "ode" else np.zeros((0, 2))
    decoders = decoding * np.random.default_rng(0).standard_normal((30, channels))
    if model.neuron_of(params).balanced:
        np.testing.assert_allclose(model.static_weights(wiring).sum(axis=0), 0.0, atol=1e-9)

    def driven(now):
        if not clock.size or not now:
            return 0.0
        component, value = clock[int((now - 1) * dt + 1e-9) % len(clock)]
        return value * wiring["clock_encoders"][:, int(component)]

    fired, _ = run(params, wiring, decoders, steps, dt, slopes=slopes, driven=driven)
    spikes = [(int(step), int(neuron)) for step, neuron in np.argwhere(fired)]
    assert len(spikes) > 40
    assert runtime_spikes(params, wiring, clock, decoders, dt, steps, tmp_path) == spikes


def runtime_spikes(params, wiring, clock, decoders, dt, steps, folder):
    """(step, neuron) of all spikes in Brian2's runtime mode."""
    learning.start_runtime(folder, dt, "numpy")
    import brian2

    plant = model.plant(params, wiring, clock, dt)
    plant.write_drive(decoders, 0)
    step = iter(range(1, steps + 1))
    operation = brian2.NetworkOperation(lambda: plant.write_drive(decoders, next(step)), when="end")
    monitor = brian2.SpikeMonitor(plant.objects[0])
    brian2.Network(*plant.objects, operation, monitor).run(steps * dt * brian2.ms, namespace={})
    found = sorted(zip(np.rint(monitor.t / brian2.ms / dt).astype(int), monitor.i, strict=True))
    return [(int(t), int(i)) for t, i in found]


def test_van_der_pol_obeys_its_equation():
    params = params_of("clopath", "van_der_pol")
    times = np.arange(0.0, 400.0, 0.1)
    x, y = task.target(params, Streams(0), times).T
    slope_x, slope_y = np.gradient(x, times / 1000.0), np.gradient(y, times / 1000.0)
    cubic = params.space_scale**2 * x**3 / 3
    inner = slice(1, -1)
    wanted = params.time_scale * params.mu * (x - cubic - y)
    np.testing.assert_allclose(slope_x[inner], wanted[inner], atol=2e-3 * np.abs(slope_x).max())
    wanted = params.time_scale * x / params.mu
    np.testing.assert_allclose(slope_y[inner], wanted[inner], atol=2e-3 * np.abs(slope_y).max())
    assert np.abs(x).max() == pytest.approx(0.2, abs=0.01)  # the limit cycle's 2 over its scale


def test_rate_control_learns_a_sine():
    params = params_of("clopath", "sine", n_neurons=300)
    schedule = learning.Schedule(1.0, 1.0, 200.0, 3000.0, 1000.0)
    arrays, outputs, targets = rate_control.train(params, Streams(0), schedule, lambda *_: None)
    after = Traces(outputs[None, -1000:], targets[None, -1000:], 1.0, free_phase=True)
    before = Traces(outputs[None, :200], targets[None, :200], 1.0, free_phase=True)
    assert scoring.correlation(after) > 0.95
    assert scoring.correlation(before) < 0.5
    values = {**params.values, "burn_in_ms": 200.0, "train_ms": 3000.0, "native_test_ms": 1000.0}
    tested = replace(params, values=values)
    np.testing.assert_allclose(rate_control.run_again(tested, arrays), outputs[-1000:])
    blurred = {**arrays, "phi": arrays["phi"] + np.abs(arrays["phi"]).max()}
    assert np.abs(rate_control.run_again(tested, blurred) - outputs[-1000:]).max() > 0.1
    counts = rate_control.count_operations(params, arrays)
    assert counts["macs_effective"] < counts["macs_dense"]
    steps = counts["neuron_updates"] / arrays["phi"].shape[0]
    assert steps * params.rate_dt_ms == signals.to_brian(params).trial_ms


def test_own_conditions_change_what_they_say():
    params = params_of("clopath", "episode")
    network = made_network(params)
    binding = signals.bind(params, network)
    played = signals.make_task(params, "test", Streams(0))
    rng = np.random.default_rng(0)
    lost = signals.vary(params, Condition("delete", "neurons", 0.2), played, binding, rng)[1]
    assert lost.values["neurons.p_lost"] == 0.2
    assert binding.values["neurons.p_lost"] == 0.0
    silent, _ = signals.vary(params, Condition("clock_off", "input", 1.0), played, binding, rng)
    assert silent.stimulus.arrays["clock"][0, round(params.push_ms) :, 1].max() == 0.0

    shown = params_of("clopath", "shot")
    played = septal_trials.make_task(shown, np.random.default_rng(0))
    slow, constant = (
        theta_replay.vary(shown, Condition(*which), played, binding, np.random.default_rng(0))[0]
        for which in (("septum", "input", 7.5), ("septum_constant", "input", 1.0))
    )
    trial, held = (one.stimulus.arrays["septum"][0] for one in (slow, constant))
    on = trial[: round(shown.warmup_ms + shown.on_ms), 0]
    spectrum = np.abs(np.fft.rfft(on - on.mean(), 8000))
    assert np.argmax(spectrum) / 8.0 == pytest.approx(7.5, abs=0.3)
    off = trial[:, 1] == 1
    assert set(trial[:, 1]) == {0.0, 1.0} and not trial[off, 0].any()
    np.testing.assert_array_equal(held[:, 1], trial[:, 1])
    assert set(held[~off, 0]) == {septal_trials.SEPTAL_MEAN} and not held[off, 0].any()
    whole = septal_trials.septum(8.0, np.arange(0.0, 1000.0))
    assert whole.mean() == pytest.approx(septal_trials.SEPTAL_MEAN, abs=1e-3)


def made_network(params: Params) -> Network:
    wiring = model.wire(params, task.n_channels(params), Streams(0))
    shape = (params.n_neurons, task.n_channels(params))
    phi = 0.05 * np.random.default_rng(1).standard_normal(shape)
    return Network({**wiring, "phi": phi, "push_seed": np.array(7)})


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_frozen_program_equals_the_training_engine(tmp_path, builds):
    """The same spikes in Brian2's runtime mode and in the C++ program, before chaos sets in."""
    from whyspiking.brian import Machine

    params = params_of("clopath", "episode", warmup_ms=20.0, test_ms=20.0, push_ms=0.0)
    network = made_network(params)
    machine = Machine(signals.to_brian(params), builds)
    played = signals.make_task(params, "test", Streams(0))
    recording = machine.run(played.stimulus, signals.bind(params, network).values)
    frozen_first = recording.spikes["neurons"].first_ms()[0]

    period = task.clock_period_ms(params)
    clock = task.clock_signal(np.arange(0.0, period), params.clock_components, period, 1.0)
    given = params, network.arrays, clock, network.arrays["phi"], params.dt_ms
    # A recorded spike of the program has the time at which it acts; Brian2's own the step before.
    first = np.full(params.n_neurons, np.inf)
    for step, neuron in reversed(runtime_spikes(*given, 400, tmp_path)):
        first[neuron] = step * params.dt_ms
    early = (first < 30) | (frozen_first < 30)
    assert early.sum() > 50
    np.testing.assert_allclose(frozen_first[early], first[early], atol=1e-6)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_lost_spikes_act_on_the_readout(builds):
    from whyspiking.brian import Machine

    params = params_of("clopath", "episode", warmup_ms=20.0, test_ms=100.0)
    network = made_network(params)
    network.arrays["encoders"] = np.zeros_like(network.arrays["encoders"])
    machine = Machine(signals.to_brian(params), builds)
    binding = signals.bind(params, network)
    played = signals.make_task(params, "test", Streams(0))
    output = machine.run(played.stimulus, binding.values).traces["output"]
    # With every spike lost after a neuron's first one, the output dies away.
    lost = machine.run(played.stimulus, {**binding.values, "neurons.p_lost": 1.0})
    late = np.abs(lost.traces["output"][:, -20:]).mean()
    assert late < 0.2 * np.abs(output[:, -20:]).mean()
