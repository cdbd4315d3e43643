"""The talk naud, experiment `xor`: neuron, plasticity and network against plain numpy."""

from dataclasses import replace

import numpy as np
import pytest
from made.project import params_of
from oracles import naud_xor

from whyspiking.brian import Machine
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Recording, Stimulus
from whyspiking.errors import UserError
from whyspiking.talks.naud.xor import (
    brian_network,
    counters,
    experiment,
    lesions,
    model,
    task,
    wiring,
)
from whyspiking.talks.naud.xor.ensembles import Ensembles
from whyspiking.talks.naud.xor.model import OUTPUT, POPULATIONS

N = 3
KINDS = ("forward", "inhibition", "feedback_exc", "feedback_inh")
NOISY = ("q_s", "jump_e", "jump_i")


def small(**changes):
    """A network of a few neurons without chance: no noise, and a sharp edge of bursting."""
    still = {
        "n_per_population": N,
        "p_connect": 0.7,
        "gain": 6.0,
        "noise_dendrite_hz": 1e-12,
        "burst_spread_ms": 1e-9,
        "d_burst": 1e-7,
        "i_high": 900e-12,
        "tau_avg": 300.0,
        "predict_ms": 600.0,
        "learn_ms": 400.0,
        "eta_hidden": 0.05,
        "eta_output": 0.04,
        "tau_floor": 400.0,
        "epochs": 1,
    }
    return params_of("naud", "xor", "full", **{**still, **changes})


@pytest.fixture(scope="module")
def machine(builds):
    """One compiled network for all tests of this file."""
    return Machine(brian_network.xor_model(small(), max_trials=12), builds)


def make_values(p, seed=0):
    """Values of a run without noise in which every kind of event occurs."""
    rng = np.random.default_rng(seed)
    arrays = wiring.wire(p, Streams(seed))
    arrays["forward.w"] = rng.uniform(0.2, 0.5, arrays["forward.i"].size)
    values = lesions.placed(p, "spiking", arrays)
    n = len(POPULATIONS) * N
    values["neurons.q_s"] = np.zeros(n)
    # Uneven currents, so that neurons of an ensemble do not fire together.
    values["neurons.i_d"] = values["neurons.i_d"] + rng.uniform(-1, 1, n) * 150e-12
    values["neurons.jump_e"] = np.zeros(n)
    # Less of Eq. 11, so that weights do not all end at their upper limit.
    values["neurons.lift"] = 0.1 * values["neurons.lift"]
    return values


def matrices(values):
    n = len(POPULATIONS) * N
    found = {}
    for kind in KINDS:
        found[kind] = np.full((n, n), np.nan)
        found[kind][values[f"{kind}.i"], values[f"{kind}.j"]] = values[f"{kind}.w"]
    return found


def of_neurons(values):
    return {
        key.removeprefix("neurons."): np.asarray(value)
        for key, value in values.items()
        if key.startswith("neurons.")
    }


def in_brian2(machine, rows, values, seed=0):
    return machine.run(Stimulus(arrays={"schedule": rows}), brian_network.known(values), seed=seed)


def in_numpy(p, values, rows):
    """The oracle on what an engine was given."""
    given = of_neurons(values), matrices(values), rows.reshape(-1, rows.shape[2])
    return naud_xor.simulate(p, *given)


def assert_learned_alike(p, ours, theirs, values):
    """Weights that mostly moved, and mostly not to their limit; the same number of events."""
    i, j = values["forward.i"], values["forward.j"]
    assert (np.abs(theirs.weights[i, j] - values["forward.w"]) > 1e-4).mean() > 0.5
    assert (theirs.weights[i, j] < 1).mean() > 0.5
    np.testing.assert_allclose(ours.final["forward.w"], theirs.weights[i, j], atol=1e-9)
    counted = counters.read_counters(p, ours)
    for name, found in (("events", theirs.events), ("bursts", theirs.bursts)):
        assert len(found) > 10
        total = np.bincount(found[:, 1] // N, minlength=len(POPULATIONS))
        np.testing.assert_array_equal(getattr(counted, name)[-1], total)


def places(spikes, p):
    step = np.rint((spikes.trials * model.TRIAL_MS + spikes.times_ms) / p.dt_ms).astype(int)
    return sorted(zip(step.tolist(), spikes.units.tolist(), strict=True))


# ---- the network against plain numpy -------------------------------------------------------------


def test_brian2_has_the_events_and_bursts_of_the_numpy_network(machine):
    p = small()
    values = make_values(p)
    rows = task.presentations(p, [3])
    ours = in_brian2(machine, rows, values)
    theirs = in_numpy(p, values, rows)
    assert places(ours.spikes["neurons"], p) == [tuple(x) for x in theirs.events.tolist()]
    assert places(ours.spikes["neurons.burst"], p) == [tuple(x) for x in theirs.bursts.tolist()]
    assert set(theirs.events[:, 1] // N) == {0, 1, 2, 3, 4}, "every ensemble takes part"


@pytest.mark.parametrize("change", [{}, {"hold_means": True}, {"drive": "dendrite"}])
def test_the_compiled_network_has_the_spikes_and_weights_of_the_numpy_one(change):
    p = small(predict_ms=400.0, learn_ms=400.0, **change)
    values = make_values(p)
    schedule = task.Schedule(p)
    for pattern in (1, 3, 1):
        schedule.add_example(1, pattern, 1.0)
    rows = schedule.array()[:1, :15]
    stimulus = Stimulus(arrays={"schedule": rows})
    ours = Ensembles(p, np.float64).run(stimulus, values, seed=1, spikes=True)
    theirs = in_numpy(p, values, rows)
    step, neuron, second = ours.final["spikes"].T
    for found, wanted in ((second == 0, theirs.events), (second == 1, theirs.bursts)):
        pairs = sorted(zip(step[found].tolist(), neuron[found].tolist(), strict=True))
        assert pairs == [tuple(x) for x in wanted.tolist()]
    assert_learned_alike(p, ours, theirs, values)


def test_the_compiled_network_has_the_rates_of_brian2_under_noise(machine):
    """Their noise comes from different numbers: counts of many events agree."""
    p = small()
    noise = {k: v for k, v in wiring.neuron_values(p).items() if k[8:] in NOISY}
    values = {**make_values(p), **noise}
    rows = task.presentations(p, [0, 1, 3] * 4)
    spikes = in_brian2(machine, rows, values, seed=5).spikes["neurons"]
    theirs = np.bincount(spikes.units // N, minlength=len(POPULATIONS))
    ours = Ensembles(p).run(Stimulus(arrays={"schedule": rows}), values, seed=5)
    assert theirs.min() > 300
    np.testing.assert_allclose(counters.read_counters(p, ours).events[-1], theirs, rtol=0.12)


def test_the_compiled_network_refuses_a_lesion_that_it_does_not_know():
    p = small()
    stimulus = Stimulus(arrays={"schedule": task.presentations(p, [0])})
    with pytest.raises(UserError, match=r"does not support \['neurons.p_lost_burst'\]"):
        Ensembles(p).run(stimulus, {**make_values(p), "neurons.p_lost_burst": 1.0})


def test_every_trial_starts_afresh(machine):
    p = small()
    rows = task.presentations(p, [3, 0, 3])
    spikes = in_brian2(machine, rows, make_values(p)).spikes["neurons"]
    first, last = spikes.select_trials([0]), spikes.select_trials([2])
    np.testing.assert_array_equal(first.times_ms, last.times_ms)
    np.testing.assert_array_equal(first.units, last.units)
    assert len(first) > len(spikes.select_trials([1]))


@pytest.mark.parametrize(("which", "silent"), [("p_lost_event", 1.0), ("p_lost_burst", 1.0)])
def test_lost_spikes_reach_no_synapse(machine, which, silent):
    p = small()
    n = len(POPULATIONS) * N
    values = make_values(p)
    rows = task.presentations(p, [3])
    lost = {**values, f"neurons.{which}": np.full(n, silent), "neurons.event_heard": np.zeros(n)}
    without = dict(values)
    kinds = ("forward", "inhibition") if which == "p_lost_event" else KINDS[2:]
    for kind in kinds:
        without[f"{kind}.w"] = np.zeros_like(values[f"{kind}.w"])
    if which == "p_lost_burst":
        lost["neurons.event_heard"] = np.ones(n)
        lost["neurons.burst_heard"] = np.zeros(n)
    recorded = [in_brian2(machine, rows, x).spikes for x in (lost, without)]
    for name in ("neurons", "neurons.burst"):
        assert places(recorded[0][name], p) == places(recorded[1][name], p)


def one_synapse(p, rows, **changes):
    """A run in NumPy of one neuron an ensemble, of which a synapse of 0.3 joins two."""
    n = len(POPULATIONS)
    found = {kind: np.full((n, n), np.nan) for kind in KINDS}
    found["forward"][0, 2] = 0.3
    neurons = of_neurons(wiring.neuron_values(p))
    neurons |= {"q_s": np.zeros(n), "burst_blind": np.ones(n), **changes}
    neurons |= {"is_input": np.array([1, 1, 1, 0, 0]), "input_of": np.array([0, 1, 1, 0, 0])}
    return naud_xor.simulate(p, neurons, found, np.array(rows, float), traced=("r", "e"))


def test_a_short_window_of_plasticity_by_hand():
    """One synapse, a presynaptic event, then a postsynaptic event and its burst (Eqs. 7 to 9)."""
    p = small(n_per_population=1, gain=0.0, burst_delay_ms=5.0)
    run = one_synapse(p, [[900e-12, 700e-12, 0, 1, 1]], lift=np.zeros(len(POPULATIONS)))
    dt = p.dt_ms * 1e-3
    times = {
        (kind, k): spikes[spikes[:, 1] == k, 0]
        for kind, spikes in (("event", run.events), ("burst", run.bursts))
        for k in (0, 2)
    }
    kept, x, e, b, w = 1 - dt / 0.1, 0.0, 0.0, 0.0, 0.3
    averaged = 1 - dt / 0.3
    for step in range(round(p.slot_ms / p.dt_ms)):
        x, e, b = x * kept, e * averaged, b * averaged
        mean = min(1, b / e) if e else 0.0
        over = -(e - 10) / e if e > 10 else 0.0
        if step in times["event", 2]:
            w = np.clip(w + p.eta_hidden * x * (-mean + over), 0, 1)
        if step in times["burst", 2]:
            w = np.clip(w + p.eta_hidden * x * (1 + over), 0, 1)
        x += step in times["event", 0]
        e += (step in times["event", 2]) / 0.3
        b += (step in times["burst", 2]) / 0.3
    assert len(times["burst", 2]) >= 2
    assert run.weights[0, 2] == pytest.approx(w, abs=1e-12)
    assert abs(w - 0.3) > 1e-3


def test_the_e_min_term_by_hand():
    """One synapse: Eq. 11 with the closed form of its mean, in which every spike counts."""
    p = small(n_per_population=1, gain=0.0, tau_pre=0.5, tau_floor=1500.0, eta_hidden=0.003)
    # The means of Eq. 7 are held: that of Eq. 11 goes on. Rates of learning are on, then off.
    run = one_synapse(p, [[900e-12, 700e-12, 0, 1, 0], [900e-12, 700e-12, 0, 0, 0]])
    assert not run.traces["e"][:, 2].any()
    kept = 1 - p.dt_ms / 1500
    post = np.sort([step for step, k in [*run.events, *run.bursts] if k == 2])
    assert len(post) >= 4
    assert (run.bursts[:, 1] == 2).sum() >= 2

    def mean(step):
        """Rate of all spikes before a step, in Hz."""
        before = post[post < step]
        return 0.1 * kept ** (step + 1) + (kept ** (step - before)).sum() / 1.5

    w, lifts = 0.3, 0
    learning = round(p.slot_ms / p.dt_ms)
    for step in run.events[run.events[:, 1] == 0, 0]:
        lift = 0.003 * max(2 - mean(step), 0) * (step < learning)
        w, lifts = w + lift, lifts + (lift > 0)
    assert 0 < lifts < (run.events[:, 1] == 0).sum(), "on below e_min and while learning only"
    assert mean(learning - 1) > 2, "it ends once the neuron fires enough"
    assert run.weights[0, 2] == pytest.approx(w, abs=1e-12)
    last = run.traces["r"].shape[0] - 1
    spikes_of_last_step = (post == last).sum()
    assert run.traces["r"][last, 2] == pytest.approx(mean(last) + spikes_of_last_step / 1.5)


# ---- contract ------------------------------------------------------------------------------------


def test_decisions_come_from_the_counted_part_of_a_presentation():
    p = params_of("naud", "xor", "full", n_per_population=2)
    # Two output neurons (8 and 9); 6 Hz over 3 s are 36 events of both.
    times = np.concatenate([np.linspace(1000, 3999, 40), np.linspace(0, 999, 50)])
    spikes = Spikes.sorted(
        times,
        np.full(times.size, 8),
        np.repeat([0, 1], [40, 50]),
        n_trials=2,
        n_units=10,
        duration_ms=4000.0,
    )
    test = task.make_task(p, "test", Streams(0))
    recording = Recording({"neurons": spikes})
    decided = experiment.decode(p, recording, replace(test, targets=np.array([1, 0])))
    assert decided.choices.tolist() == [1, 0]
    np.testing.assert_allclose(experiment.counted_rates(p, recording)[:, OUTPUT], [40 / 6, 0])
