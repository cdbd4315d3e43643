"""FORCE and the septal network: rule, targets, wiring, measures, and agreement of engines."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from whyspiking import registry, scoring
from whyspiking.contract import Condition, Network, Params, Traces
from whyspiking.randomness import Streams
from whyspiking.replications import clopath
from whyspiking.replications.clopath import (
    frozen,
    learning,
    model,
    rate_control,
    sequence,
    shot,
    stages,
    task,
)
from whyspiking.spikes import Spikes

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())


def parameters(experiment: str, scale: str = "smoke", **changed) -> Params:
    described = registry.load_talk("clopath").experiments[experiment]
    params = registry.params(described, {**CONFIG, "scale": scale})
    return replace(params, values={**params.values, **changed})


# The learning rule


def test_recursive_least_squares_is_ridge_regression():
    rng = np.random.default_rng(0)
    n, k, steps, start = 7, 3, 40, 2.0
    rates, targets = rng.random((steps, n)), rng.standard_normal((steps, k))
    rls = learning.RecursiveLeastSquares(n, k, start)
    for r, x in zip(rates, targets, strict=True):
        rls.update(r, r @ rls.decoders - x)
    expected = np.linalg.solve(rates.T @ rates + np.eye(n) / start, rates.T @ targets)
    np.testing.assert_allclose(rls.decoders, expected, rtol=1e-9)


def test_schedule_learns_only_between_burn_in_and_test():
    schedule = learning.Schedule(0.1, 2.5, 10.0, 20.0, 5.0)
    steps = np.flatnonzero(schedule.rls_steps())
    assert steps.min() == 100
    assert steps.max() < 300
    assert set(np.diff(steps)) == {25}
    assert schedule.sampled_steps().sum() == 35


def test_error_history_names_the_phases():
    schedule = learning.Schedule(0.1, 1.0, 500.0, 1000.0, 500.0)
    targets = np.sin(np.arange(2000) / 20.0)[:, None]
    outputs = targets.copy()
    outputs[:500] = 0.0
    history = learning.error_history(outputs, targets, schedule)
    assert [row["metric"] for row in history] == [
        "error_before",
        "error_during",
        "error_during",
        "error_after",
    ]
    assert history[0]["value"] == pytest.approx(1.0, abs=0.02)
    assert history[-1]["value"] == 0.0


# Targets and clock


def test_ode_to_joy_has_fifteen_notes_in_order():
    times = np.arange(0.0, 4000.0, 1.0)
    score = task.ode_to_joy(times, 250.0)
    middles = 250.0 * np.arange(14) + 125.0
    notes = [task.NOTES[int(np.argmax(score[int(t)]))] for t in middles]
    assert "".join(notes) == "EEFGGFEDCCDEED"
    assert score.max() == pytest.approx(1.0)
    # The last D lasts two quarters.
    assert score[3750, task.NOTES.index("D")] == pytest.approx(1.0)
    np.testing.assert_allclose(task.ode_to_joy(times + 4000.0, 250.0), score)


def test_episode_is_periodic_low_passed_and_of_peak_one():
    params = parameters("episode", "default")
    episode = task.Episode(params, np.random.default_rng(1))
    trace = episode(np.arange(0.0, params.duration_ms))
    np.testing.assert_allclose(np.abs(trace).max(axis=0), 1.0)
    np.testing.assert_allclose(episode(np.array([4010.0])), episode(np.array([10.0])))
    power = np.abs(np.fft.rfft(trace, axis=0)) ** 2
    frequency = np.arange(power.shape[0]) / 4.0
    assert power[frequency > 5].sum() < 1e-3 * power.sum()


@pytest.mark.parametrize(
    ("speed", "components"), [(1.0, [0, 1, 2, 3]), (2.0, [0, 2, 0, 2]), (-1.0, [3, 2, 1, 0])]
)
def test_clock_names_one_component_at_a_time(speed, components):
    times = np.arange(5.0, 400.0, 10.0)
    clock = task.clock_signal(times, 4, 400.0, speed)
    seen = clock[:, 0].reshape(4, 10)
    assert [int(part[1]) for part in seen] == components
    # Half-way through a component at speed 1 its value is 1.
    middle = task.clock_signal(np.array([50.0 / abs(speed)]), 4, 400.0, speed)
    assert middle[0, 1] == pytest.approx(1.0)
    assert (clock[:, 1] >= 0).all()


def test_replay_at_another_speed_reads_clock_and_target_alike():
    params = parameters("episode")
    streams = Streams(0)
    played = stages.make_task(params, "test", streams)
    assert played is not None
    times = np.arange(played.targets.shape[1], dtype=float)
    for speed in (2.0, -1.0, 0.5):
        varied = stages.at_speed(params, played, speed)
        wanted = task.target(params, streams, speed * times)
        np.testing.assert_allclose(varied.targets[0], wanted, atol=0.01)
        pushed = round(params.push_ms)
        clock = task.clock_signal(times, params.clock_components, params.duration_ms, speed)
        np.testing.assert_array_equal(varied.stimulus.arrays["clock"][0, pushed:], clock[pushed:])


# Wiring


def test_static_weights_have_the_published_spread():
    params = parameters("sine", n_neurons=600)
    wiring = model.wire(params, 1, Streams(3))
    count = wiring["omega_w"].size
    assert count == pytest.approx(0.1 * 600**2, rel=0.02)
    assert wiring["omega_w"].std() == pytest.approx(5000 / (0.1 * np.sqrt(600)), rel=0.02)
    assert np.abs(wiring["encoders"]).max() <= 5000
    assert wiring["clock_encoders"].shape == (600, 0)


def test_septal_network_keeps_in_degree_and_sign():
    params = parameters("shot")
    wiring = shot.wire(params, Streams(0))
    n = params.n_inhibitory + params.n_excitatory
    assert wiring["sources"].shape == (n, params.in_degree)
    assert all(np.unique(row).size == params.in_degree for row in wiring["sources"])
    decoders = np.random.default_rng(0).standard_normal((params.n_inhibitory, params.n_oscillators))
    weights = shot.learned_weights(params, wiring, decoders)
    assert (weights <= 0).all()
    neuron, source = 7, 3
    learned = 15.0 * min(decoders[source, wiring["oscillator"][neuron]], 0.0)
    assert weights[source, neuron] == pytest.approx(learned)
    links = shot.static_links(params, wiring)
    assert (links.sum(axis=0) == params.in_degree).all()
    assert set(np.flatnonzero(links[:, neuron])) == set(wiring["sources"][neuron])
    assert shot.static_weight(params) == pytest.approx(-0.1 / np.sqrt(params.in_degree))


def test_reading_finds_the_rhythm_behind_the_oscillators():
    rng = np.random.default_rng(2)
    phases = rng.uniform(0, 2 * np.pi, 100)
    rates = rng.standard_normal((50, 100))
    # Rates from which all oscillators can be decoded exactly.
    params = parameters("shot")
    times = np.arange(0.0, 50.0)
    oscillators = shot.supervisor(params, phases, times)
    decoders = np.linalg.lstsq(rates, oscillators, rcond=None)[0]
    found = rates @ shot.reading(phases, decoders)
    angle = 2 * np.pi * 8.5 * times / 1000
    np.testing.assert_allclose(found, np.column_stack([np.cos(angle), np.sin(angle)]), atol=1e-9)


# Measures of the sequence, on spike trains made for the purpose


def made_sequence(
    beat: float, rhythm: float, phases_on, phases_off, on=(500.0, 8500.0), off_stop=11000.0
) -> Spikes:
    """Neurons that fire at their phases of a slow beat, then of a fast rhythm, with some jitter."""
    rng = np.random.default_rng(0)
    times, units = [], []
    for (start, stop), frequency, phases in (
        (on, beat, phases_on),
        ((on[1], off_stop), rhythm, phases_off),
    ):
        period = 1000.0 / frequency
        for unit, phase in enumerate(phases):
            centres = start + period * (
                np.arange(0, (stop - start) / period + 1) + phase / 2 / np.pi
            )
            fired = np.repeat(centres, 5) + 0.08 * period * rng.standard_normal(5 * centres.size)
            fired = fired[(fired >= start) & (fired < stop)]
            times.append(fired)
            units.append(np.full(fired.size, unit))
    return Spikes.sorted(
        np.concatenate(times),
        np.concatenate(units),
        np.zeros(sum(map(len, times)), int),
        n_trials=1,
        n_units=len(phases_on),
        duration_ms=off_stop,
    )


def oscillator(on_hz: float, off_hz: float, switch_ms: float, stop_ms: float):
    seconds = np.arange(0.0, stop_ms) / 1000
    frequency = np.where(seconds * 1000 < switch_ms, on_hz, off_hz)
    angle = 2 * np.pi * np.cumsum(frequency) / 1000
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)[None]


def measured(phases_on, phases_off, beat=0.55, rhythm=8.45):
    return sequence.septal_measures(
        made_sequence(beat, rhythm, phases_on, phases_off),
        oscillator(8.55, 8.45, 8500.0, 11000.0),
        1.0,
        (500.0, 8500.0),
        (8800.0, 11000.0),
        8.0,
        np.random.default_rng(1),
    )


PHASES = np.random.default_rng(5).uniform(0, 2 * np.pi, 80)


def test_replay_in_the_same_order_is_recognised():
    found = measured(PHASES, PHASES + 1.0)
    assert found["internal_frequency"] == pytest.approx(8.55, abs=0.01)
    assert found["internal_frequency_off"] == pytest.approx(8.45, abs=0.01)
    assert found["beat_frequency"] == pytest.approx(0.55, abs=0.02)
    assert found["beat_error"] == pytest.approx(0.0, abs=0.02)
    assert found["order_correlation"] > 0.95
    assert found["order_correlation_reversed"] < 0.3
    assert found["order_correlation_shuffled"] < 0.3
    assert found["compression"] == pytest.approx(8.45 / 0.55, rel=0.05)
    assert found["compression_prediction"] == pytest.approx(8.45 / 0.55, rel=0.05)
    assert abs(found["compression_deviation"]) < 0.1


def test_compression_is_measured_and_not_assumed():
    found = measured(PHASES, PHASES, beat=1.1)
    assert found["compression"] == pytest.approx(8.45 / 1.1, rel=0.05)
    assert found["compression_deviation"] == pytest.approx(-0.5, abs=0.05)
    assert found["beat_error"] == pytest.approx(0.55, abs=0.03)


def test_replay_in_reversed_order_is_recognised():
    found = measured(PHASES, 0.5 - PHASES)
    assert found["order_correlation"] < 0.3
    assert found["order_correlation_reversed"] > 0.95


def test_neurons_that_fire_together_have_no_order():
    rng = np.random.default_rng(3)
    first, second = 0.2 * rng.standard_normal((2, 300))
    assert sequence.order_correlation(first, second) < 0.2
    # A plain mean vector of the differences would call this order.
    assert np.abs(np.exp(1j * (first - second)).mean()) > 0.9


def test_order_correlation_does_not_depend_on_the_start_of_the_cycle():
    rng = np.random.default_rng(4)
    first = rng.uniform(0, 2 * np.pi, 100)
    second = first + 0.3 * rng.standard_normal(100)
    here = sequence.order_correlation(first, second)
    assert sequence.order_correlation(first + 2.0, second - 1.0) == pytest.approx(here)
    second[:5] = np.nan
    assert sequence.order_correlation(first, second) == pytest.approx(here, abs=0.05)


def test_silent_neurons_are_no_error():
    silent = Spikes.sorted(
        np.zeros(0), np.zeros(0), np.zeros(0), n_trials=1, n_units=10, duration_ms=11000.0
    )
    found = sequence.sequences(silent, 0, (500.0, 8500.0), (8800.0, 11000.0))
    assert np.isnan(float(found["beat"]))
    phases = np.asarray(found["phase_on"]), np.asarray(found["phase_off"])
    assert np.isnan(sequence.order_correlation(*phases))


# Engines


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Brian2's parsers
def test_runtime_network_equals_plain_numpy(tmp_path):
    params = parameters("ode", n_neurons=30, gain=2000.0, clock_components=4, work_dir=tmp_path)
    dt, steps = 0.1, 400
    wiring = model.wire(params, 2, Streams(1))
    clock = task.clock_signal(np.arange(0.0, 40.0), 4, 40.0, 1.0)
    decoders = np.random.default_rng(0).standard_normal((30, 2))

    learning.start_runtime(tmp_path, dt, "numpy")
    import brian2

    plant = model.plant(params, wiring, clock, dt)
    plant.write_drive(decoders, 0)
    step = iter(range(1, steps + 1))
    operation = brian2.NetworkOperation(lambda: plant.write_drive(decoders, next(step)), when="end")
    monitor = brian2.SpikeMonitor(plant.objects[0])
    brian2.Network(*plant.objects, operation, monitor).run(steps * dt * brian2.ms, namespace={})

    spikes = reference_izhikevich(params, wiring, clock, decoders, dt, steps)
    assert len(spikes) > 30
    found = sorted(zip(np.rint(monitor.t / brian2.ms / dt).astype(int), monitor.i, strict=True))
    assert [(int(t), int(i)) for t, i in found] == spikes


def reference_izhikevich(params, wiring, clock, decoders, dt, steps):
    """Eqs. 1-4 and 7 written out with plain arrays; (step, neuron) of all spikes."""
    n = params.n_neurons
    omega = np.zeros((n, n))
    omega[wiring["omega_pre"], wiring["omega_post"]] = wiring["omega_w"]
    v, u, current, h, r, h_r = wiring["v_start"].copy(), *np.zeros((5, n))
    jump = 1 / (params.tau_r * params.tau_d)
    spikes = []
    for step in range(steps):
        component, value = clock[int((step - 1) * dt + 1e-9) % len(clock)]
        drive = wiring["encoders"] @ (r @ decoders)
        drive = drive + (step > 0) * value * wiring["clock_encoders"][:, int(component)]
        dv = params.k * (v - params.v_r) * (v - params.v_t) - u + current + drive + params.bias
        du = params.a * (params.b * (v - params.v_r) - u)
        v, u = v + dt * dv / params.capacitance, u + dt * du
        current, h = current + dt * (h - current / params.tau_r), h - dt * h / params.tau_d
        r, h_r = r + dt * (h_r - r / params.tau_r), h_r - dt * h_r / params.tau_d
        fired = np.flatnonzero(v >= params.v_peak)
        h = h + jump * omega[fired].sum(axis=0)
        v[fired], u[fired], h_r[fired] = params.v_reset, u[fired] + params.d, h_r[fired] + jump
        spikes += [(step, int(neuron)) for neuron in fired]
    return spikes


def test_rate_control_learns_a_sine():
    params = parameters("sine", n_neurons=300)
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
    assert steps * params.rate_dt_ms == clopath.to_brian(params).trial_ms


def test_own_conditions_change_what_they_say():
    params = parameters("episode")
    network = made_network(params)
    binding = clopath.bind(params, network)
    played = stages.make_task(params, "test", Streams(0))
    assert played is not None
    rng = np.random.default_rng(0)
    lost = clopath.vary(params, Condition("delete", "neurons", 0.2), played, binding, rng)[1]
    assert lost.values["neurons.p_lost"] == 0.2
    assert binding.values["neurons.p_lost"] == 0.0
    silent, _ = clopath.vary(params, Condition("clock_off", "input", 1.0), played, binding, rng)
    assert silent.stimulus.arrays["clock"][0, round(params.push_ms) :, 1].max() == 0.0

    septal = parameters("shot")
    slow = stages.with_septum(septal, 7.5)
    trial = shot.make_task(slow, np.random.default_rng(0)).stimulus.arrays["septum"][0]
    on = trial[: round(septal.warmup_ms + septal.on_ms), 0]
    spectrum = np.abs(np.fft.rfft(on - on.mean(), 8000))
    assert np.argmax(spectrum) / 8.0 == pytest.approx(7.5, abs=0.3)
    assert set(trial[:, 1]) == {0.0, 1.0}
    assert (trial[trial[:, 1] == 1, 0] == 0).all()


def made_network(params: Params) -> Network:
    wiring = model.wire(params, task.n_channels(params), Streams(0))
    shape = (params.n_neurons, task.n_channels(params))
    phi = 0.05 * np.random.default_rng(1).standard_normal(shape)
    return Network({**wiring, "phi": phi, "push_seed": np.array(7)})


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_frozen_program_equals_the_training_engine(tmp_path):
    """The same spikes in Brian2's runtime mode and in the C++ program, before chaos sets in."""
    from whyspiking.brian import Machine

    params = parameters("episode", warmup_ms=20.0, test_ms=20.0, push_ms=0.0)
    network = made_network(params)
    machine = Machine(clopath.to_brian(params), tmp_path)
    played = stages.make_task(params, "test", Streams(0))
    assert played is not None
    recording = machine.run(played.stimulus, clopath.bind(params, network).values)
    frozen_first = recording.spikes["neurons"].first_ms()[0]

    learning.start_runtime(tmp_path, params.dt_ms, "numpy")
    import brian2

    period = task.clock_period_ms(params)
    clock = task.clock_signal(np.arange(0.0, period), params.clock_components, period, 1.0)
    plant = model.plant(params, network.arrays, clock, params.dt_ms)
    plant.write_drive(network.arrays["phi"], 0)
    step = iter(range(1, 401))
    operation = brian2.NetworkOperation(
        lambda: plant.write_drive(network.arrays["phi"], next(step)), when="end"
    )
    monitor = brian2.SpikeMonitor(plant.objects[0])
    brian2.Network(*plant.objects, operation, monitor).run(40 * brian2.ms, namespace={})
    # A recorded spike of the program has the time at which it acts; Brian2's own the step before.
    first = np.full(params.n_neurons, np.inf)
    np.minimum.at(first, np.asarray(monitor.i), np.asarray(monitor.t / brian2.ms))
    early = (first < 30) | (frozen_first < 30)
    assert early.sum() > 50
    np.testing.assert_allclose(frozen_first[early], first[early], atol=1e-6)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_lost_spikes_and_replay_act_on_the_readout(tmp_path):
    from whyspiking.brian import Machine

    params = parameters("episode", warmup_ms=20.0, test_ms=100.0)
    network = made_network(params)
    network.arrays["encoders"] = np.zeros_like(network.arrays["encoders"])
    machine = Machine(clopath.to_brian(params), tmp_path)
    binding = clopath.bind(params, network)
    played = stages.make_task(params, "test", Streams(0))
    assert played is not None
    clean = machine.run(played.stimulus, binding.values)
    output = clean.traces["output"]

    # Recorded spikes sent through the replay input give the same output.
    replay = machine.model.replay["neurons"]
    again = machine.run(
        replace(played.stimulus, spikes={replay.input: clean.spikes["neurons"]}),
        {**binding.values, **replay.silence},
    )
    assert len(again.spikes["neurons"]) == 0
    np.testing.assert_allclose(again.traces["output"], output, atol=1e-9)

    # With every spike lost after a neuron's first one, the output dies away.
    lost = machine.run(played.stimulus, {**binding.values, "neurons.p_lost": 1.0})
    late = np.abs(lost.traces["output"][:, -20:]).mean()
    assert late < 0.2 * np.abs(output[:, -20:]).mean()


def test_one_structure_serves_all_izhikevich_experiments():
    names = ("sine", "sawtooth", "product", "ode", "episode")
    for scale in ("smoke", "default"):
        models = [frozen.izhikevich_model(parameters(name, scale)) for name in names]
        assert len({str((m.definition, m.trial_ms, m.max_trials, m.dt_ms)) for m in models}) == 1
