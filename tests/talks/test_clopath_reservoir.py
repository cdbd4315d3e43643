"""Shared tasks: the reservoir in C++, plain NumPy and Brian2; its readout by FORCE's rule."""

from dataclasses import replace

import numpy as np
import pytest
from made.project import params_of, silent
from oracles import clopath_force

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Network, Stimulus, Task
from whyspiking.talks.clopath.force import classification, reservoir

STREAMS = ("shared_span_recall", "shared_volley_recall", "shared_sound")
SHARED = ("shared_yinyang", "shared_randman", *STREAMS)


def small(**changed):
    """A network of ten neurons and a task of 95 ms."""
    sizes = {"n_input": 3, "n_hidden": 10, "n_output": 2, "window_ms": 65.0}
    strong = {"sparsity": 0.5, "input_gain": 1e5, "tau_d": 15.0}
    return params_of("clopath", "shared_randman", **sizes, **strong, **changed)


def inputs(n_trials=3, seed=0):
    """Ten spikes of each of three inputs in every trial; one of them twice in one step."""
    rng = np.random.default_rng(seed)
    times = rng.uniform(0, 95, (n_trials, 10, 3))
    times[0, 1, 0] = times[0, 0, 0] = 20.01
    trials, _, units = np.indices(times.shape)
    where = {"n_trials": n_trials, "n_units": 3, "duration_ms": 95.0}
    return Spikes.sorted(times.ravel(), units.ravel(), trials.ravel(), **where)


def drawn(params):
    arrays = reservoir.wire(params, Streams(1))
    arrays["phi"] = 5 * np.random.default_rng(2).standard_normal((params.n_hidden, params.n_output))
    return arrays


def plain(params, arrays, spikes, trial):
    """The oracle on one trial: r after every step (step, neuron), and all spike counts."""
    own = spikes.trials == trial
    steps = np.rint(spikes.times_ms[own] / params.dt_ms).astype(int)
    n_steps = round(spikes.duration_ms / params.dt_ms)
    heard = np.zeros((n_steps, len(arrays["w_in"])))
    heard[steps, spikes.units[own]] = 1  # two spikes of an input in one step are one
    arriving = (heard @ arrays["w_in"]).__getitem__
    given = params, arrays, arrays["phi"], n_steps, params.dt_ms
    fired, rates = clopath_force.run(*given, arriving=arriving)
    return rates, fired.sum(axis=0)


def test_compiled_network_equals_plain_numpy(vectors):
    reservoir._load_library.cache_clear()
    params, spikes = small(), inputs()
    arrays = drawn(params)
    rates, counts = reservoir.responses(params, arrays, spikes)
    for trial in range(spikes.n_trials):
        known, spoken = plain(params, arrays, spikes, trial)
        assert spoken.sum() > 30
        np.testing.assert_array_equal(counts[trial], spoken)
        np.testing.assert_allclose(rates[trial], known[reservoir.read_steps(params)], rtol=1e-6)
    reservoir._load_library.cache_clear()


def test_trials_are_independent_and_may_be_simulated_in_any_pieces():
    params, spikes = small(), inputs()
    arrays = drawn(params)
    _, counts = reservoir.responses(params, arrays, spikes)
    alone = reservoir.Trials(params, arrays, spikes.select_trials([2]))
    alone.advance(950)
    np.testing.assert_array_equal(alone.counts[0], counts[2])
    pieces = reservoir.Trials(params, arrays, spikes)
    for until in (1, 200, 201, 950):
        for trial in (1, 0, 2):
            pieces.advance(until, trial)
    np.testing.assert_array_equal(pieces.counts, counts)


@pytest.mark.parametrize("experiment", SHARED)
def test_readings_lie_in_the_answer_window(experiment):
    params = params_of("clopath", experiment)
    task = classification.make_task(params, "validation", Streams(0))
    start, end = reservoir.answer_ms(params)
    assert task.stimulus.spikes["input"].duration_ms == end
    assert classification.to_brian(params).trial_ms == end
    read = reservoir.read_steps(params) * params.dt_ms
    assert start == pytest.approx(read[0])
    assert read[-1] == pytest.approx(end - params.rls_ms)
    np.testing.assert_allclose(np.diff(read), params.rls_ms)
    if experiment not in STREAMS:
        assert task.stimulus.spikes["input"].times_ms.max() <= start


def test_learning_is_ridge_regression():
    """On all readings of all trials: the sum of squares, and phi ** 2 / p_start."""
    params = params_of("clopath", "shared_randman", n_presented=60)
    network = classification.train(params, "spiking", Streams(0), {}, silent)
    shown = classification.make_task(params, "train", Streams(0))
    spikes = shown.stimulus.spikes["input"].select_trials(np.arange(60))
    rates, _ = reservoir.responses(params, network.arrays, spikes)
    rows = rates.reshape(-1, params.n_hidden)
    wanted = np.repeat(np.eye(params.n_output)[shown.targets[:60]], rates.shape[1], axis=0)
    known = np.linalg.solve(
        rows.T @ rows + np.eye(params.n_hidden) / params.p_start, rows.T @ wanted
    )
    np.testing.assert_allclose(network.arrays["phi"], known, rtol=1e-6, atol=1e-9)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_brian2_gives_the_same_spikes_and_outputs(builds):
    from whyspiking.brian import Machine

    params, spikes = small(), inputs(20)
    machine = Machine(classification.to_brian(params), builds)
    where = Stimulus({"input": spikes})
    task = Task(where, np.zeros(20, int), 2)
    network = Network(drawn(params))
    recording = machine.run(where, classification.bind(params, network).values)
    rates, counts = reservoir.responses(params, network.arrays, spikes)
    np.testing.assert_array_equal(recording.spikes["hidden"].counts(), counts)
    first = round(reservoir.answer_ms(params)[0] / params.rls_ms)
    outputs = recording.traces["output"][:, first:]
    np.testing.assert_allclose(outputs, rates @ network.arrays["phi"], rtol=1e-5, atol=1e-7)
    # Decisions, with every class as likely.
    known = rates @ network.arrays["phi"]
    middle = known.mean(axis=(0, 1))
    shifted = replace(recording, traces={"output": recording.traces["output"] - middle})
    decoded = classification.decode(params, shifted, task).choices
    np.testing.assert_array_equal(decoded, (known - middle).mean(axis=1).argmax(axis=1))
    assert 0 < decoded.mean() < 1
    replay = machine.model.replay["hidden"]
    again = machine.run(
        replace(where, spikes={replay.input: recording.spikes["hidden"]}),
        {**classification.bind(params, network).values, **replay.silence},
    )
    assert len(again.spikes["hidden"]) == 0
    np.testing.assert_allclose(again.traces["output"][:, first:], outputs, rtol=1e-9, atol=1e-9)
