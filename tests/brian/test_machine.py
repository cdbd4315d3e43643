"""The compiled simulator: against plain Brian2, closed forms, and its own promises.

A build takes 10 to 20 s, so the tests share one network that has a bit of everything.
"""

from typing import Any

import numpy as np
import pytest
from made.brian_networks import (
    DT,
    MAX_TRIALS,
    N_ECHO,
    N_EXACT,
    N_INPUT,
    TRIAL,
    first_spikes,
    make_model,
    random_spikes,
    random_values,
    same,
    select,
)
from scipy.optimize import brentq

from whyspiking.brian import Machine
from whyspiking.brian.run_files import to_events
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Stimulus


@pytest.fixture(scope="module")
def machine(builds):
    return Machine(make_model(), builds)


# ---- time ----------------------------------------------------------------------------------------


def make_spikes(times, units, trials, n_trials=2, n_units=3, duration=1.0):
    return Spikes.sorted(
        np.array(times, float),
        np.array(units),
        np.array(trials),
        n_trials=n_trials,
        n_units=n_units,
        duration_ms=duration,
    )


def test_plain_events_take_the_nearest_step_and_merge_repeats():
    spikes = make_spikes([0.0, 0.14, 0.16, 0.17, 0.96, 0.2], [2, 1, 0, 0, 1, 1], [0, 0, 0, 0, 0, 1])
    steps, channels, lags, merged = to_events(spikes, 0.1, 10, sub_step=False)
    # 0.96 ms would act at 1.0 ms, after the last step (9) of the trial.
    assert (steps.tolist(), channels.tolist(), merged) == ([0, 1, 2, 12], [2, 1, 0, 1], 1)
    assert not lags.any()


def test_exact_events_keep_their_time():
    spikes = make_spikes([0.0, 0.1, 0.23, 0.3, 0.21], [2, 2, 1, 0, 2], [0, 0, 0, 0, 1])
    steps, channels, lags, merged = to_events(spikes, 0.1, 10, sub_step=True)
    assert (steps.tolist(), channels.tolist(), merged) == ([0, 1, 3, 3, 13], [2, 2, 0, 1, 2], 0)
    np.testing.assert_allclose(lags, [0, 0, 0, 0.07, 0.09], atol=1e-15)


def test_events_of_recorded_spikes_return_to_their_step():
    dt = 0.1
    steps = np.arange(3000)
    spikes = make_spikes(steps * dt, steps % 3, np.zeros(3000, int), n_trials=1, duration=3000 * dt)
    for sub_step in (False, True):
        assert np.array_equal(to_events(spikes, dt, 3000, sub_step)[0], steps)


# ---- exact first spikes --------------------------------------------------------------------------


def closed_form_first(times, weights, end):
    """First crossing of 1 by V(t) = sum_i w_i (t - t_i) exp(-(t - t_i)); inf where there is none.

    Also returns whether the neuron is far from grazing the threshold (Goeltz et al. 2021, tau_m =
    tau_s: the maximum between two inputs differs from 1).
    """
    finite = np.isfinite(times)
    times, weights = times[finite], weights[finite]

    def potential(t):
        s = np.maximum(np.subtract.outer(t, times), 0)
        return (weights * s * np.exp(-s)).sum(-1)

    grid = np.union1d(np.linspace(0, end, 20001), times[times < end])
    v = potential(grid)
    clear = abs(v.max() - 1) > 1e-3
    above = np.flatnonzero(v >= 1)
    if above.size == 0:
        return np.inf, clear
    k = above[0]
    crossing: Any = brentq(lambda t: potential(np.array(t)) - 1, grid[k - 1], grid[k], xtol=1e-12)
    # The local maximum just after a barely steep crossing decides whether there is one at all.
    slope = (potential(np.array(crossing + 1e-6)) - potential(np.array(crossing - 1e-6))) / 2e-6
    return crossing, bool(clear and slope > 0.05)


def test_first_spikes_agree_with_the_closed_form(machine):
    spikes, values = first_spikes(1), random_values(1)
    recording = machine.run(Stimulus({"input": spikes}), values)
    errors = {"hidden": [], "output": []}
    fired = 0
    for trial in range(MAX_TRIALS):
        before = spikes.first_ms()[trial]
        for population, key in (("hidden", "input_hidden.w"), ("output", "hidden_output.w")):
            measured = recording.spikes[population].first_ms()[trial]
            expected = [closed_form_first(before, w, TRIAL - 2 * DT) for w in values[key].T]
            for got, (want, clear) in zip(measured, expected, strict=True):
                if clear and want < TRIAL - 0.1:
                    errors[population].append(abs(got - want))
                    fired += 1
                elif clear and want == np.inf:
                    assert got == np.inf or got > TRIAL - 0.1
            before = measured
    assert fired > 50
    assert len(errors["output"]) >= 5
    assert max(errors["hidden"] + errors["output"]) < 1e-3
    assert np.median(errors["hidden"]) < 1e-4


def test_each_exact_neuron_fires_once(machine):
    recording = machine.run(Stimulus({"input": random_spikes(2)}), random_values(2))
    assert recording.spikes["hidden"].counts().max() == 1
    assert recording.spikes["echo"].counts().max() > 1


# ---- what a run leaves behind --------------------------------------------------------------------


def test_final_values_go_on_over_trials_and_follow_the_wiring(machine):
    spikes, values = random_spikes(21), random_values(21)
    recording = machine.run(Stimulus({"input": spikes}), values)
    _, channels, _, _ = to_events(spikes, DT, round(TRIAL / DT), sub_step=True)
    heard = np.bincount(channels, minlength=N_INPUT)
    final = recording.final["input_echo.heard"].reshape(N_INPUT, N_ECHO)
    np.testing.assert_array_equal(final, np.repeat(heard[:, None], N_ECHO, axis=1))
    assert recording.final["recurrent.heard"].size == values["recurrent.i"].size
    # The last sample is taken 5 steps before the end, the final value at the end.
    np.testing.assert_allclose(
        recording.final["readout.v"], recording.traces["readout_v"][-1, -1], rtol=0.1, atol=1
    )


def test_other_events_of_a_group_are_recorded_as_a_population(machine):
    recording = machine.run(Stimulus({"input": random_spikes(22)}), random_values(22))
    half, spikes = recording.spikes["echo.half"], recording.spikes["echo"]
    assert len(half) > len(spikes) > 0

    def places(trains):
        step = np.rint(trains.times_ms / DT).astype(int)
        return set(zip(trains.trials.tolist(), step.tolist(), trains.units.tolist(), strict=True))

    # Who is above the threshold is above half of it, in the same step.
    assert places(spikes) <= places(half)


def test_a_run_may_go_without_recording_spikes(machine):
    stimulus, values = Stimulus({"input": random_spikes(23)}), random_values(23)
    with_spikes = machine.run(stimulus, values)
    without = machine.run(stimulus, values, spikes=False)
    assert without.spikes == {}
    np.testing.assert_equal(without.traces, with_spikes.traces)


# ---- trials --------------------------------------------------------------------------------------


def test_trials_do_not_influence_each_other(machine):
    # Delayed recurrent spikes are under way at the end of every trial.
    spikes, values = random_spikes(3), random_values(3)
    recording = machine.run(Stimulus({"input": spikes}), values)
    assert (recording.spikes["echo"].times_ms > TRIAL - 0.3).any()
    order = np.array([3, 0, 5, 1, 4, 2])
    permuted = machine.run(Stimulus({"input": spikes.select_trials(order)}), values)
    assert same(permuted, select(recording, order))


def test_long_stimuli_run_in_pieces_and_short_ones_stop_early(machine):
    spikes, values = random_spikes(4), random_values(4)
    recording = machine.run(Stimulus({"input": spikes}), values)
    chosen = [0, 1, 2, 3, 4, 5, 1, 0, 2]
    drive = np.random.default_rng(0).normal(size=(len(chosen), round(TRIAL / 0.1), 2))
    longer = machine.run(
        Stimulus({"input": spikes.select_trials(chosen)}, {"drive": drive}), values
    )
    assert longer.traces["readout_v"].shape == (9, round(TRIAL / 0.05), 2)
    expected = select(recording, chosen)
    single = machine.run(
        Stimulus({"input": spikes.select_trials([1])}, {"drive": drive[6:7]}), values
    )
    expected.traces["leaky_y"][6] = single.traces["leaky_y"][0]
    assert not np.array_equal(longer.traces["leaky_y"][0], longer.traces["leaky_y"][6])
    expected.traces["leaky_y"][:] = np.where(
        np.arange(9)[:, None, None] == 6, expected.traces["leaky_y"], longer.traces["leaky_y"]
    )
    assert same(longer, expected)


@pytest.mark.parametrize(("name", "reader"), [("echo", "readout"), ("hidden", "output")])
def test_replay_is_bit_identical_and_keeps_the_times_of_exact_spikes(machine, name, reader):
    exact = name == "hidden"
    spikes, values = first_spikes(6) if exact else random_spikes(5), random_values(6 - (not exact))
    recording = machine.run(Stimulus({"input": spikes}), values)
    values |= {f"replay_{reader}.w": values[f"{name}_{reader}.w"]}
    values |= dict(machine.model.replay[name].silence)
    stimulus = Stimulus({"input": spikes, f"{name}_replay": recording.spikes[name]})
    replayed = machine.run(stimulus, values)
    assert len(replayed.spikes[name]) == 0
    ours, theirs = (
        run.spikes["output"].first_ms() if exact else run.traces["readout_v"]
        for run in (recording, replayed)
    )
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9 if exact else 0)
    assert len(recording.spikes["output"]) > 5 if exact else ours.any()


# ---- analogue input, traces, random numbers ------------------------------------------------------


def test_analogue_input_drives_and_traces_sample_the_stated_times(machine):
    drive = np.random.default_rng(7).normal(size=(2, round(TRIAL / 0.1), 2))
    trace = machine.run(Stimulus({}, {"drive": drive}), random_values(7)).traces["leaky_y"]
    assert trace.shape == (2, round(TRIAL / 0.1), 2)
    y = np.zeros((2, 2))
    expected = np.empty_like(trace)
    for step in range(round(TRIAL / DT)):
        y += DT * (drive[:, step // 10] - y)
        if step % 10 == 0:
            expected[:, step // 10] = y
    np.testing.assert_allclose(trace, expected, rtol=1e-10, atol=1e-13)


def test_seed_determines_the_models_own_random_numbers(machine):
    stimulus, values = Stimulus({"input": random_spikes(8)}), random_values(8)
    values |= {"echo_readout.p_drop": 0.5}
    first = machine.run(stimulus, values, seed=1)
    assert same(first, machine.run(stimulus, values, seed=1))
    other = machine.run(stimulus, values, seed=2)
    assert not np.array_equal(first.traces["readout_v"], other.traces["readout_v"])


def test_neuron_parameters_can_be_exchanged_one_by_one(machine):
    stimulus, values = Stimulus({"input": first_spikes(9)}), random_values(9)
    plain = machine.run(stimulus, values).spikes["hidden"].first_ms()
    thresholds = np.ones(N_EXACT)
    thresholds[::2] = 1e9
    varied = machine.run(stimulus, values | {"hidden.v_th": thresholds}).spikes["hidden"].first_ms()
    assert np.isfinite(plain[:, ::2]).any()
    assert not np.isfinite(varied[:, ::2]).any()
    assert np.array_equal(plain[:, 1::2], varied[:, 1::2])
