"""The compiled simulator: against plain Brian2, closed forms, and its own promises.

A build takes 10 to 20 s, so all tests but the slow ones share one network that has a bit of
everything: exact first-spike neurons, recurrent neurons with delays and exchangeable wiring, a
replayed population, an analogue input and random numbers.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

import whyspiking
from whyspiking.brian import Machine
from whyspiking.brian.building import digest
from whyspiking.brian.exchange import Exchange, to_events
from whyspiking.contract import BrianModel, Replay, Stimulus
from whyspiking.errors import UserError
from whyspiking.spikes import Spikes

DT, TRIAL, MAX_TRIALS = 0.01, 5.0, 6
N_INPUT, N_EXACT, N_ECHO = 5, 20, 30


LIF = "dv/dt = (x - v) / tau : 1\ndx/dt = -x / tau : 1\n"


def construct(inputs):
    """The test network; time constants are 1 ms, so that times are in units of tau."""
    return [*construct_exact(inputs), *construct_plain(inputs)]


def constants():
    import brian2 as b

    return {"tau": 1 * b.ms, "dt_ms": DT}


def construct_exact(inputs):
    """Neurons that fire once, with times exact within a step."""
    import brian2 as b

    def group(n, name):
        neurons = b.NeuronGroup(
            n,
            LIF + "v_before : 1\nfired : 1\nlag : 1\nv_th : 1",
            threshold="v >= v_th and fired == 0",
            reset="fired = 1; lag = dt_ms * (v - v_th) / (v - v_before)",
            method="exact",
            namespace=constants(),
            name=name,
        )
        neurons.v_th = 1
        neurons.run_regularly("v_before = v", dt=DT * b.ms, when="start", name=f"{name}_before")
        return neurons

    def synapses(pre, post, name):
        made = b.Synapses(
            pre,
            post,
            "w : 1",
            on_pre="v_post += w * lag_pre * exp(-lag_pre); x_post += w * exp(-lag_pre)",
            name=name,
        )
        made.connect()
        return made

    hidden, output = group(N_EXACT, "hidden"), group(3, "output")
    return [
        hidden,
        output,
        synapses(inputs["input"], hidden, "input_hidden"),
        synapses(hidden, output, "hidden_output"),
        synapses(inputs["hidden_replay"], output, "replay_output"),
    ]


def construct_plain(inputs):
    """Neurons that fire on the grid, recurrent with delays, and an analogue input."""
    import brian2 as b

    echo = b.NeuronGroup(
        N_ECHO,
        LIF + "v_th : 1 (shared)",
        threshold="v > v_th",
        reset="v = 0",
        events={"half": "v > 0.5 * v_th"},
        method="exact",
        namespace=constants(),
        name="echo",
    )
    echo.v_th = 1
    readout = b.NeuronGroup(2, LIF, method="exact", namespace=constants(), name="readout")
    drive = b.TimedArray(
        np.zeros((round(TRIAL / 0.1) * MAX_TRIALS, 2)), dt=0.1 * b.ms, name="drive"
    )
    leaky = b.NeuronGroup(
        2,
        "dy/dt = (drive(t, i) - y) / tau : 1",
        method="euler",
        namespace={**constants(), "drive": drive},
        name="leaky",
    )

    def synapses(pre, post, name, statement="x_post += w", **options):
        equations = "w : 1\nheard : 1\np_drop : 1 (shared)"
        made = b.Synapses(pre, post, equations, on_pre=f"{statement}; heard += 1", name=name)
        made.connect(**options)
        return made

    drop = "x_post += w * int(rand() >= p_drop)"
    recurrent = synapses(echo, echo, "recurrent", i=0, j=0)
    recurrent.delay = 0.3 * b.ms
    return [
        echo,
        readout,
        leaky,
        recurrent,
        synapses(inputs["input"], echo, "input_echo"),
        synapses(echo, readout, "echo_readout", drop),
        synapses(inputs["echo_replay"], readout, "replay_readout", drop),
    ]


def make_model(**changes):
    model = BrianModel(
        name="everything",
        definition={"test": "network with a bit of everything", "tau_ms": 1},
        construct=construct,
        inputs={"input": N_INPUT, "hidden_replay": N_EXACT, "echo_replay": N_ECHO},
        dt_ms=DT,
        trial_ms=TRIAL,
        max_trials=MAX_TRIALS,
        reset={
            "hidden": "v = 0; x = 0; fired = 0",
            "output": "v = 0; x = 0; fired = 0",
            "echo": "v = 0; x = 0",
            "readout": "v = 0; x = 0",
            "leaky": "y = 0",
        },
        record_spikes=["hidden", "output", "echo", "echo.half"],
        record_final=["input_echo.heard", "recurrent.heard", "readout.v"],
        record_traces={"readout_v": ("readout", "v", 0.05), "leaky_y": ("leaky", "y", 0.1)},
        replay={
            "hidden": Replay("hidden_replay", {"hidden.v_th": 1e9}),
            "echo": Replay("echo_replay", {"echo.v_th": 1e9}),
        },
        sub_step=True,
        lag_variable={"hidden": "lag", "output": "lag"},
        schedule=["start", "groups", "thresholds", "resets", "synapses", "end"],
    )
    return replace(model, **changes)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("builds")


@pytest.fixture(scope="session")
def machine(folder):
    return Machine(make_model(), folder)


def random_spikes(seed, n_trials=MAX_TRIALS, per_trial=25, n_units=N_INPUT, latest=TRIAL):
    rng = np.random.default_rng(seed)
    n = n_trials * per_trial
    return Spikes.sorted(
        rng.uniform(0, latest, n),
        rng.integers(0, n_units, n),
        rng.integers(0, n_trials, n),
        n_trials=n_trials,
        n_units=n_units,
        duration_ms=TRIAL,
    )


def first_spikes(seed, n_trials=MAX_TRIALS):
    times = np.random.default_rng(seed).uniform(0, 2, (n_trials, N_INPUT))
    return Spikes.from_first_spikes(times, TRIAL)


def random_values(seed):
    rng = np.random.default_rng(seed)
    pre, post = np.nonzero(rng.random((N_ECHO, N_ECHO)) < 0.2)
    return {
        "input_hidden.w": rng.normal(1.0, 1.0, (N_INPUT, N_EXACT)),
        "hidden_output.w": rng.normal(0.5, 0.8, (N_EXACT, 3)),
        "input_echo.w": rng.normal(3.0, 2.0, (N_INPUT, N_ECHO)).ravel(),
        "recurrent.i": pre,
        "recurrent.j": post,
        "recurrent.w": rng.normal(0.0, 3.0, pre.size),
        "recurrent.delay": rng.uniform(0, 5e-4, pre.size),
        "echo_readout.w": rng.normal(0.0, 1.0, (N_ECHO, 2)),
    }


def same(a, b):
    """Whether two recordings are equal bit for bit."""
    spikes = all(
        np.array_equal(getattr(a.spikes[name], part), getattr(b.spikes[name], part))
        for name in a.spikes
        for part in ("times_ms", "units", "trials", "n_trials")
    )
    return spikes and all(np.array_equal(a.traces[name], b.traces[name]) for name in a.traces)


def select(recording, chosen):
    return replace(
        recording,
        spikes={name: spikes.select_trials(chosen) for name, spikes in recording.spikes.items()},
        traces={name: trace[chosen] for name, trace in recording.traces.items()},
    )


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
    assert steps.tolist() == [0, 1, 2, 12]
    assert channels.tolist() == [2, 1, 0, 1]
    assert merged == 1
    assert not lags.any()


def test_exact_events_keep_their_time():
    spikes = make_spikes([0.0, 0.1, 0.23, 0.3, 0.21], [2, 2, 1, 0, 2], [0, 0, 0, 0, 1])
    steps, channels, lags, merged = to_events(spikes, 0.1, 10, sub_step=True)
    assert steps.tolist() == [0, 1, 3, 3, 13]
    assert channels.tolist() == [2, 2, 0, 1, 2]
    np.testing.assert_allclose(lags, [0, 0, 0, 0.07, 0.09], atol=1e-15)
    assert merged == 0


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
    assert max(errors["hidden"]) < 1e-3
    assert max(errors["output"]) < 1e-3
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
    for name, trace in with_spikes.traces.items():
        np.testing.assert_array_equal(without.traces[name], trace)


def test_final_values_must_exist(folder):
    with pytest.raises(UserError, match=r"record_final names 'echo\.nothing'"):
        Machine(make_model(record_final=["echo.nothing"]), folder)


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


def test_replay_is_bit_identical(machine):
    spikes, values = random_spikes(5), random_values(5)
    recording = machine.run(Stimulus({"input": spikes}), values)
    assert len(recording.spikes["echo"]) > 100
    values |= {"replay_readout.w": values["echo_readout.w"]}
    values |= dict(machine.model.replay["echo"].silence)
    replayed = machine.run(
        Stimulus({"input": spikes, "echo_replay": recording.spikes["echo"]}), values
    )
    assert len(replayed.spikes["echo"]) == 0
    assert recording.traces["readout_v"].any()
    assert np.array_equal(recording.traces["readout_v"], replayed.traces["readout_v"])


def test_replay_of_exact_spikes_keeps_their_times(machine):
    spikes, values = first_spikes(6), random_values(6)
    recording = machine.run(Stimulus({"input": spikes}), values)
    values |= {"replay_output.w": values["hidden_output.w"]}
    values |= dict(machine.model.replay["hidden"].silence)
    replayed = machine.run(
        Stimulus({"input": spikes, "hidden_replay": recording.spikes["hidden"]}), values
    )
    assert len(replayed.spikes["hidden"]) == 0
    assert len(recording.spikes["output"]) > 5
    np.testing.assert_allclose(
        recording.spikes["output"].first_ms(), replayed.spikes["output"].first_ms(), atol=1e-9
    )


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


# ---- wrong use -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input_hidden.w": np.ones(3)}, r"'input_hidden.w' has shape \(3,\)"),
        ({"input_hidden.w": np.ones((N_EXACT, N_INPUT))}, "expected"),
        ({"hidden.v_th": np.ones(N_EXACT + 1)}, "hidden.v_th"),
        ({"recurrent.w": np.ones(2)}, "recurrent.w"),
        ({"hidden.tau_n": 1.0}, "no variable 'hidden.tau_n'"),
        ({"recurrent.j": np.zeros(3, int)}, "two equally long"),
        ({"recurrent.i": np.array([N_ECHO]), "recurrent.j": np.array([0])}, "must lie in"),
    ],
)
def test_wrong_values_are_refused(machine, change, message):
    with pytest.raises(UserError, match=message):
        machine.run(Stimulus({"input": first_spikes(0)}), random_values(0) | change)


def test_forgotten_wiring_is_refused(machine):
    values = {k: v for k, v in random_values(0).items() if not k.startswith("recurrent")}
    with pytest.raises(UserError, match="wiring of 'recurrent'"):
        machine.run(Stimulus({"input": first_spikes(0)}), values)


def test_wrong_stimuli_are_refused(machine):
    values = random_values(0)
    with pytest.raises(UserError, match="no input is named"):
        machine.run(Stimulus({"inptu": first_spikes(0)}), values)
    with pytest.raises(UserError, match="5 channels"):
        machine.run(Stimulus({"input": random_spikes(0, n_units=4)}), values)
    with pytest.raises(UserError, match="numbers of trials differ"):
        machine.run(Stimulus({"input": first_spikes(0)}), values, trials=3)
    with pytest.raises(UserError, match="lengthen trial_ms"):
        machine.run(Stimulus({"input": replace(first_spikes(0), duration_ms=9.0)}), values)
    with pytest.raises(UserError, match="array 'drive' has shape"):
        machine.run(Stimulus({}, {"drive": np.zeros((2, 7, 2))}), values)


def test_what_the_program_complains_about_is_an_error(machine, monkeypatch):
    monkeypatch.setattr(Exchange, "numbers", lambda *_: ["hidden.v_th=/no/such/file"])
    with pytest.raises(RuntimeError, match="no/such/file"):
        machine.run(Stimulus({}), random_values(0))
    monkeypatch.setattr(Exchange, "spikes", lambda *_: [])
    with pytest.raises(RuntimeError, match="events:input"):
        machine.run(Stimulus({}), random_values(0))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trial_ms": 5.003}, "trial_ms is 5.003"),
        ({"max_trials": 10**8}, "max_trials"),
        ({"lag_variable": {"readout": "lag"}}, "lag_variable"),
        ({"replay": {"hidden": Replay("nothing", {})}}, "'nothing'"),
        ({"definition": {"rule": object()}}, "definition"),
    ],
)
def test_inconsistent_models_are_refused_before_a_build(folder, changes, message):
    with pytest.raises(UserError, match=message):
        Machine(make_model(**changes), folder)


# ---- builds --------------------------------------------------------------------------------------


def in_new_process(script):
    """Start a Python that has this module as `t`."""
    start = f"import sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})\n"
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            start + "from pathlib import Path\nimport test_brian as t\n" + script,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(whyspiking.__file__).parents[1])},
    )


def test_finished_build_is_reused_without_brian2(machine, folder):
    process = in_new_process(
        f"m = t.Machine(t.make_model(), Path({str(folder)!r}))\n"
        "r = m.run(t.Stimulus({'input': t.random_spikes(3)}), t.random_values(3))\n"
        "print(m.built, 'brian2' in sys.modules, len(r.spikes['echo']))\n"
    )
    out, errors = process.communicate()
    assert process.returncode == 0, errors
    here = machine.run(Stimulus({"input": random_spikes(3)}), random_values(3))
    assert out.split() == ["False", "False", str(len(here.spikes["echo"]))]


def test_runs_at_the_same_time_do_not_meet(machine):
    stimuli = [Stimulus({"input": random_spikes(seed)}) for seed in range(4)]
    alone = [machine.run(stimulus, random_values(0)) for stimulus in stimuli]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda s: machine.run(s, random_values(0)), stimuli))
    assert all(same(a, b) for a, b in zip(alone, together, strict=True))
    assert not same(alone[0], alone[1])


def test_any_change_of_the_model_changes_the_build(folder):
    digests = {
        digest(make_model(**changes))
        for changes in (
            {},
            {"definition": {"tau_ms": 2}},
            {"dt_ms": 0.02},
            {"trial_ms": 6.0},
            {"max_trials": 7},
            {"inputs": {"input": 6}},
            {"reset": {}},
            {"record_spikes": ["hidden"]},
            {"record_traces": {}},
            {"sub_step": False},
            {"lag_variable": {}},
            {"schedule": ["start", "groups", "thresholds", "synapses", "resets", "end"]},
        )
    }
    assert len(digests) == 12


def test_missing_compiler_is_explained(tmp_path, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(UserError, match=r"no-such-compiler.*environment\.yml"):
        Machine(make_model(), tmp_path)
    assert not list(tmp_path.glob("*/manifest.json"))


def test_broken_compiler_is_explained(tmp_path, monkeypatch):
    monkeypatch.setenv("CXX", "false")
    with pytest.raises(UserError, match="cannot compile the C\\+\\+ standard headers"):
        Machine(make_model(), tmp_path)
    assert not list(tmp_path.glob("*/manifest.json"))


SECONDS, LONG_TRIALS = 5, 30


def construct_clock(inputs):
    """A neuron that counts the time since the start of its trial, and reads a table by it."""
    import brian2 as b

    table = b.TimedArray(np.zeros(SECONDS), dt=1 * b.second, name="table")
    return [
        b.NeuronGroup(
            1,
            "dy/dt = 1 / second : 1\nbegan : second\nz = y + table(t - began) : 1",
            method="euler",
            namespace={"table": table},
            name="counter",
        )
    ]


def make_clock_model(**changes):
    model = BrianModel(
        name="clock",
        definition={"test": "clock", "seconds": SECONDS},
        construct=construct_clock,
        inputs={"input": 1},
        dt_ms=0.1,
        trial_ms=1000.0 * SECONDS,
        max_trials=LONG_TRIALS,
        reset={"counter": "y = 0; began = t"},
        record_traces={"z": ("counter", "z", 1.0)},
    )
    return replace(model, **changes)


@pytest.mark.slow
def test_trials_and_samples_stay_in_step_through_long_runs(tmp_path):
    # Debris of a killed build: a folder without manifest.
    debris = tmp_path / f"clock-{digest(make_clock_model())}"
    debris.mkdir()
    (debris / "main").write_text("not a program")
    # Two processes want the same build: one makes it, the other waits and uses it.
    script = f"print(t.Machine(t.make_clock_model(), Path({str(tmp_path)!r})).built)"
    processes = [in_new_process(script) for _ in range(2)]
    outcomes = [process.communicate() for process in processes]
    assert sorted(out.strip() for out, _ in outcomes) == ["False", "True"], outcomes

    machine = Machine(make_clock_model(), tmp_path)
    assert not machine.built
    table = np.array([0.0, 10.0, 20.0, 30.0, 40.0])
    recording = machine.run(Stimulus({}, {"table": table[:, None]}), {}, trials=LONG_TRIALS)
    trace = recording.traces["z"][:, :, 0]
    assert trace.shape == (LONG_TRIALS, 1000 * SECONDS)
    # Step n starts at n * dt and ends with y = (n + 1) * dt.
    steps = 10 * np.arange(trace.shape[1])
    expected = 1e-4 * (steps + 1) + table[steps // 10000]
    np.testing.assert_allclose(trace, np.tile(expected, (LONG_TRIALS, 1)), atol=1e-8)


@pytest.mark.slow
def test_rejected_models_leave_no_build(tmp_path):
    def reject(inputs):
        import brian2 as b

        return [b.NeuronGroup(1, "dv/dt = nonsense / second : 1", method="euler", name="counter")]

    model = make_clock_model(construct=reject, reset={}, record_traces={})
    with pytest.raises(UserError, match=r"(?s)Brian2 rejects it .*nonsense"):
        Machine(model, tmp_path)
    with pytest.raises(UserError, match="reset names 'soma'"):
        Machine(make_clock_model(reset={"soma": "y = 0"}), tmp_path)
    assert not list(tmp_path.glob("*/manifest.json"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Brian2's parsers
def test_event_files_equal_a_plain_rebuild(tmp_path):
    """Same spikes, weights and wiring, once exchanged and once compiled in: equal bit for bit."""
    import brian2 as b

    spikes, values = random_spikes(10, latest=1.0), random_values(10)
    values["recurrent.w"] = 0.1 * values["recurrent.w"] - 0.2
    values["input_echo.w"] = 0.5 * values["input_echo.w"]
    model = make_model(sub_step=False, lag_variable={}, record_spikes=["echo"])
    model = replace(
        model,
        construct=construct_plain,
        reset={name: model.reset[name] for name in ("echo", "readout", "leaky")},
        inputs={"input": N_INPUT, "echo_replay": N_ECHO},
        replay={},
    )
    kept = ("input_echo", "recurrent", "echo_readout")
    values = {k: v for k, v in values.items() if k.split(".")[0] in kept}
    recording = Machine(model, tmp_path).run(Stimulus({"input": spikes}), values)
    # Plain Brian2 lets delayed spikes leak into the next trial; here none is under way.
    assert recording.spikes["echo"].times_ms.max() < TRIAL - 0.6
    assert len(recording.spikes["echo"]) > 300

    steps, channels, _, _ = to_events(spikes, DT, round(TRIAL / DT), False)
    b.set_device("cpp_standalone", build_on_run=False)
    b.device.reinit()
    b.device.activate(build_on_run=False)
    try:
        b.defaultclock.dt = DT * b.ms
        source = b.SpikeGeneratorGroup(N_INPUT, channels, steps * DT * b.ms, name="input")
        echo = b.NeuronGroup(
            N_ECHO,
            LIF,
            threshold="v > 1",
            reset="v = 0",
            method="exact",
            namespace=constants(),
            name="echo",
        )
        readout = b.NeuronGroup(2, LIF, method="exact", namespace=constants(), name="readout")
        objects = [source, echo, readout]
        for name, pre, post in (
            ("input_echo", source, echo),
            ("recurrent", echo, echo),
            ("echo_readout", echo, readout),
        ):
            synapses = b.Synapses(pre, post, "w : 1", on_pre="x_post += w", name=name)
            if name == "recurrent":
                synapses.connect(i=values["recurrent.i"], j=values["recurrent.j"])
                synapses.delay = values["recurrent.delay"] * b.second
            else:
                synapses.connect()
            synapses.w = np.ravel(values[f"{name}.w"])
            objects.append(synapses)
        for group in (echo, readout):
            group.run_regularly("v = 0; x = 0", dt=TRIAL * b.ms, when="start", order=-1)
        recorded = b.SpikeMonitor(echo, name="recorded")
        trace = b.StateMonitor(readout, "v", record=True, dt=0.05 * b.ms, when="end", name="trace")
        network = b.Network(*objects, recorded, trace)
        network.schedule = list(model.schedule)
        network.run(MAX_TRIALS * TRIAL * b.ms, namespace={})
        b.device.build(directory=str(tmp_path / "rebuilt"), run=True, with_output=False)
        expected_steps = np.rint(np.asarray(recorded.t / b.ms) / DT).astype(int)
        expected_units, expected_v = np.asarray(recorded.i), np.asarray(trace.v)
    finally:
        b.device.reinit()
        b.set_device("runtime")
    echo_spikes = recording.spikes["echo"]
    got = np.rint(echo_spikes.times_ms / DT).astype(int) + echo_spikes.trials * round(TRIAL / DT)
    assert np.array_equal(got, expected_steps)
    assert np.array_equal(echo_spikes.units, expected_units)
    assert np.array_equal(recording.traces["readout_v"].reshape(-1, 2), expected_v.T)
