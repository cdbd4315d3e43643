"""FORCE and the septal network: learning rule, targets and clock, wiring."""

import numpy as np
import pytest
from made.project import params_of

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Traces
from whyspiking.errors import UserError
from whyspiking.measures import scoring
from whyspiking.talks.clopath.force import (
    learning,
    measures,
    model,
    signals,
    song,
    task,
)
from whyspiking.talks.clopath.hippocampus import model as septal
from whyspiking.talks.clopath.hippocampus import task as septal_trials

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
    assert np.flatnonzero(schedule.rls_steps()).tolist() == list(range(100, 300, 25))
    assert schedule.sampled_steps().sum() == 35


# Targets and clock


def test_ode_to_joy_has_fifteen_notes_in_order():
    times = np.arange(0.0, 4000.0, 1.0)
    score = task.ode_to_joy(times, 250.0)
    middles = 250.0 * np.arange(14) + 125.0
    notes = [task.NOTES[int(np.argmax(score[int(t)]))] for t in middles]
    assert "".join(notes) == "EEFGGFEDCCDEED"
    # The last D lasts two quarters.
    assert score[3750, task.NOTES.index("D")] == pytest.approx(1.0)
    np.testing.assert_allclose(task.ode_to_joy(times + 4000.0, 250.0), score)


def test_episode_is_periodic_low_passed_and_of_peak_one():
    params = params_of("clopath", "episode", "default")
    episode = task.Episode(params, np.random.default_rng(1))
    trace = episode(np.arange(0.0, params.duration_ms))
    np.testing.assert_allclose(np.abs(trace).max(axis=0), 1.0)
    np.testing.assert_allclose(episode(np.array([4010.0])), episode(np.array([10.0])))
    power = np.abs(np.fft.rfft(trace, axis=0)) ** 2
    assert power[(np.arange(power.shape[0]) / 4.0) > 5].sum() < 1e-3 * power.sum()


def test_song_is_syllables_between_pauses_and_of_peak_one():
    made = song.Song(5000.0, 32, np.random.default_rng(1))
    times, hertz = np.arange(5000.0), song.frequencies_hz(32)
    sung = made(times)
    assert sung.min() >= 0.0 and sung.max() == pytest.approx(1.0)
    np.testing.assert_allclose(made(times[:50] + 5000.0), sung[:50])
    for onset, length, ends, _ in made.syllables:
        # Half-way the loudest channel is next to the loudest partial.
        middle = made(np.array([onset + length / 2]))[0]
        assert abs(hertz[middle.argmax()] - ends.mean(axis=0)[0]) < 300
    starts = np.array([onset for onset, *_ in made.syllables])
    stops = starts + [length for _, length, *_ in made.syllables]
    pauses = starts[1:] - stops[:-1]
    assert ((pauses >= 20) & (pauses <= 60)).all()
    assert made(stops[:-1] + pauses / 2).max() == 0.0


def test_clock_alone_is_the_least_squares_readout_of_its_filtered_components():
    params = params_of("clopath", "episode")
    alone = signals.train(params, "clock_alone", Streams(0), {}, lambda *_: None)
    times = np.arange(params.duration_ms)
    component, value = task.clock_row(params).T
    clock = np.zeros((times.size, params.clock_components))
    clock[np.arange(times.size), component.astype(int)] = value
    # Of what is periodic, both filters multiply the spectrum.
    turn = np.exp(-2j * np.pi * np.arange(times.size) / times.size)
    keeps = [np.exp(-1 / tau) for tau in (params.tau_r, params.tau_d)]
    gain = np.prod([(1 - keep) / (1 - keep * turn) for keep in keeps], axis=0)
    heard = np.fft.ifft(np.fft.fft(clock, axis=0) * gain[:, None], axis=0).real
    wanted = task.target(params, Streams(0), times)
    phi = np.linalg.lstsq(heard, wanted)[0]
    after = signals.evaluate(params, "clock_alone", alone, None)
    np.testing.assert_allclose(after.outputs[0], heard @ phi, atol=1e-6)
    np.testing.assert_allclose(after.targets[0], wanted, atol=1e-6)


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


def test_replay_at_another_speed_reads_clock_and_target_alike():
    params = params_of("clopath", "episode")
    streams = Streams(0)
    played = signals.make_task(params, "test", streams)
    times = np.arange(played.targets.shape[1], dtype=float)
    for speed in (2.0, -1.0, 0.5):
        varied = signals.at_speed(params, played, speed)
        wanted = task.target(params, streams, speed * times)
        np.testing.assert_allclose(varied.targets[0], wanted, atol=0.01)
        pushed = round(params.push_ms)
        clock = task.clock_signal(times, params.clock_components, params.duration_ms, speed)
        np.testing.assert_array_equal(varied.stimulus.arrays["clock"][0, pushed:], clock[pushed:])


@pytest.mark.parametrize("variant", ["spiking", "rate"])
def test_the_published_ode_has_no_clock(variant, tmp_path):
    assert not task.clock_row(params_of("clopath", "ode", "paper")).size
    own = {"n_neurons": 20, "clock_components": 0, "work_dir": tmp_path, "push_ms": 1.0}
    times = {"burn_in_ms": 4.0, "train_ms": 8.0, "native_test_ms": 4.0}
    params = params_of("clopath", "ode", **own, **times)
    trained = signals.train(params, variant, Streams(0), {}, lambda *_: None)
    assert trained.arrays["clock_encoders"].shape == (20, 0)
    assert {x.perturbation for x in signals.conditions(params)} <= {"delete"}
    played = signals.make_task(params, "test", Streams(0))
    assert not played.stimulus.arrays["clock"][:, 1:, 1].any()


# Wiring


def test_static_weights_have_the_published_spread():
    params = params_of("clopath", "sine", n_neurons=600)
    wiring = model.wire(params, 1, Streams(3))
    assert wiring["omega_w"].size == pytest.approx(0.1 * 600**2, rel=0.02)
    assert wiring["omega_w"].std() == pytest.approx(5000 / (0.1 * np.sqrt(600)), rel=0.02)
    assert np.abs(wiring["encoders"]).max() <= 5000
    assert wiring["clock_encoders"].shape == (600, 0)


def test_septal_network_keeps_in_degree_and_sign():
    params = params_of("clopath", "shot")
    wiring = septal.wire(params, Streams(0))
    n = params.n_inhibitory + params.n_excitatory
    assert wiring["sources"].shape == (n, params.in_degree)
    assert all(np.unique(row).size == params.in_degree for row in wiring["sources"])
    decoders = np.random.default_rng(0).standard_normal((params.n_inhibitory, params.n_oscillators))
    weights = septal.learned_weights(params, wiring, decoders)
    assert (weights <= 0).all()
    neuron, source = 7, 3
    learned = 15.0 * min(decoders[source, wiring["oscillator"][neuron]], 0.0)
    assert weights[source, neuron] == pytest.approx(learned)
    links = septal.static_links(params, wiring)
    assert (links.sum(axis=0) == params.in_degree).all()
    assert set(np.flatnonzero(links[:, neuron])) == set(wiring["sources"][neuron])
    assert septal.static_weight(params) == pytest.approx(-0.1 / np.sqrt(params.in_degree))


def test_reading_finds_the_rhythm_behind_the_oscillators():
    rng = np.random.default_rng(2)
    phases = rng.uniform(0, 2 * np.pi, 100)
    rates = rng.standard_normal((50, 100))
    # Rates from which all oscillators can be decoded exactly.
    params = params_of("clopath", "shot")
    times = np.arange(0.0, 50.0)
    oscillators = septal_trials.supervisor(params, phases, times)
    decoders = np.linalg.lstsq(rates, oscillators, rcond=None)[0]
    found = rates @ septal.reading(phases, decoders)
    angle = 2 * np.pi * 8.5 * times / 1000
    np.testing.assert_allclose(found, np.column_stack([np.cos(angle), np.sin(angle)]), atol=1e-9)


def test_a_rhythm_one_per_cent_off_escapes_the_correlation_but_not_the_frequency():
    seconds = np.arange(0.0, 5.0, 1e-3)
    output, target = (np.sin(2 * np.pi * f * seconds)[None, :, None] for f in (5.05, 5.0))
    traces = Traces(outputs=output, targets=target, dt_ms=1.0, free_phase=True)
    assert scoring.correlation(traces) > 0.985
    assert measures.frequency_hz(output[0, :, 0], 1.0) > 5.04


@pytest.mark.parametrize("broken", ["filtered rates r", "output", "decoders phi"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_force_ends_at_the_first_number_that_is_not_finite(broken, value):
    rates, output, decoders = np.ones(5), np.ones(2), np.ones((5, 2))
    learning.refuse_broken(rates, output, decoders, 3.0)
    chosen = {"filtered rates r": rates, "output": output, "decoders phi": decoders}[broken]
    chosen.flat[-1] = value
    with pytest.raises(UserError, match=f"the {broken} are not finite after the update at 12 ms"):
        learning.refuse_broken(rates, output, decoders, 12.0)
