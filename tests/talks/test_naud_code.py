"""The talk naud, `multiplexing`: neuron and synapses against plain NumPy, the code."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from made.project import params_of
from made.trains import spikes_of
from oracles import naud_neuron

from whyspiking.brian.assembling import assemble
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Condition, Recording
from whyspiking.talks.naud.burst_code import brian_network as networks
from whyspiking.talks.naud.burst_code import events as burst_code
from whyspiking.talks.naud.burst_code import measures, model, multiplexing, wiring


@pytest.fixture
def runtime():
    """Brian2 in its own Python mode, for a few neurons."""
    import brian2

    brian2.set_device("runtime")
    before = brian2.prefs["codegen.target"]
    brian2.prefs["codegen.target"] = "numpy"
    # Deprecations inside Brian2 and its parsers are no news to this project.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield brian2
    brian2.prefs["codegen.target"] = before


def assembled(p, group, trial_ms, start, traces=()):
    """A group of the circuit by itself, without its noise; its parts."""
    described = replace(
        networks.circuit(p),
        groups=[replace(group, regularly=())],
        synapses=[],
        trial_ms=trial_ms,
        reset=start,
        record_spikes=(group.name,),
        record_traces={key: (group.name, key, p.dt_ms) for key in traces},
    )
    network, parts = assemble(described)
    return network, parts["objects"][group.name], parts


@pytest.mark.parametrize("variant", ["spiking", "no_plateau", "static_synapses"])
def test_noiseless_neuron_and_its_synapses_are_those_of_plain_numpy(runtime, variant):
    """Eqs. 20-25, 27-28: potentials, spikes, what each transmits; intact and under both lesions."""
    p = params_of("naud", "multiplexing", n_pyramidal=2)
    without = {"i_plateau_s": 0.0, "i_plateau_d": 0.0} if variant == "no_plateau" else {}
    q = params_of("naud", "multiplexing", **without)
    currents = np.array([[300e-12, 0.0], [500e-12, 0.0], [500e-12, 300e-12], [700e-12, 500e-12]])
    traces = ("v_s", "v_d", "out_dep", "out_fac")
    start = {"pyramidal": networks.at_rest(p)}
    network, group, parts = assembled(p, networks.pyramidal(p, 4), 400.0, start, traces=traces)
    group.base_s, group.base_d = (column * runtime.amp for column in currents.T)
    given = wiring.fixed_values(p) | multiplexing.lesion(p, variant)
    for name in ("opens", "dynamic", "u0_dep", "u0_fac"):
        setattr(group, name, given[f"pyramidal.{name}"])
    network.run(400 * runtime.ms)
    found = {name: np.asarray(getattr(parts["trace_monitors"][name], name)) for name in traces}
    n_spikes, n_bursting = 0, 0
    for k, (i_s, i_d) in enumerate(currents):
        soma, dendrite, times = naud_neuron.trace(q, np.full(4000, i_s), np.full(4000, i_d))
        np.testing.assert_allclose(found["v_s"][k], soma, atol=1e-9)
        np.testing.assert_allclose(found["v_d"][k], dendrite, atol=1e-9)
        trains = parts["spike_monitors"]["pyramidal"].event_trains()
        np.testing.assert_allclose(trains[k] / runtime.ms, times, atol=1e-6)
        n_spikes += times.size
        n_bursting += bool((np.diff(times) <= p.burst_window_ms).any())
        for kind in model.KINDS:
            constants = (getattr(p, f"{name}_{kind}") for name in ("tau_rec", "tau_fac", "u0"))
            expected = naud_neuron.transmitted(times, *constants, p.f_stp)
            if variant == "static_synapses":
                expected = np.full(times.size, p.static_efficacy[kind][k // p.n_pyramidal])
            at = np.rint(times / p.dt_ms).astype(int)
            np.testing.assert_allclose(found[f"out_{kind}"][k, at], expected, rtol=1e-9)
    assert n_spikes > 10
    assert n_bursting < len(currents), "the currents should show both kinds of firing"
    assert bool(n_bursting) == (variant != "no_plateau")


def test_recursion_against_closed_forms():
    """The first two spikes by hand."""
    interval, tau_rec, tau_fac, u0, f = 7.0, 30.0, 80.0, 0.3, 0.1
    first, second = naud_neuron.transmitted(
        np.array([5.0, 5.0 + interval]), tau_rec, tau_fac, u0, f
    )
    x = 1 - u0 * np.exp(-interval / tau_rec)
    u = u0 + f * (1 - u0) * np.exp(-interval / tau_fac)
    assert first == pytest.approx(u0)
    assert second == pytest.approx(u * x)


def test_interneurons_start_to_fire_at_their_rheobase(runtime):
    """Eq. 26: V_T follows from the published rheobase; a slow ramp finds it again."""
    p = params_of("naud", "multiplexing", n_interneurons=1)
    group = networks.interneurons(p)
    ramped = group.equations.replace("i_const -", "i_const + ramp*t/second -") + "ramp : amp\n"
    network, group, parts = assembled(p, replace(group, equations=ramped), 1600.0, {})
    for key, column in wiring.interneuron_values(p).items():
        setattr(group, key, column * getattr(runtime, model.INTERNEURON_UNITS[key]))
    # From where even a neuron without adaptation is silent, slow against all time constants.
    rheobase, ramp = np.array([p.pv["rheobase"], p.som["rheobase"]]), np.array([40e-12, 4e-12])
    group.v, group.lastspike = p.e_leak * runtime.volt, -1e4 * runtime.second
    group.i_const, group.ramp = 0.8 * rheobase * runtime.amp, ramp * runtime.amp
    network.run(1.6 * runtime.second)
    trains = parts["spike_monitors"]["interneurons"].event_trains()
    first = np.array([float(trains[k][0] / runtime.second) for k in range(2)])
    np.testing.assert_allclose(0.8 * rheobase + ramp * first, rheobase, rtol=0.05)


def test_events_and_bursts_by_hand():
    """Eq. 31: a third spike within the window is neither; neurons and trials are kept apart."""
    times = [10.0, 18.0, 30.0, 60.0, 12.0, 14.0, 40.0]
    units, trials = [0, 0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 1, 1]
    spikes = Spikes.sorted(
        np.array(times), np.array(units), np.array(trials), n_trials=2, n_units=2, duration_ms=100.0
    )
    is_event, is_burst = burst_code.events(spikes, 16.0)
    found = {
        (t, u, k): (bool(a), bool(b))
        for t, u, k, a, b in zip(
            spikes.times_ms, spikes.units, spikes.trials, is_event, is_burst, strict=True
        )
    }
    assert found == {
        (10.0, 0, 0): (True, True),
        (18.0, 0, 0): (False, False),
        (30.0, 0, 0): (False, False),
        (60.0, 0, 0): (True, False),
        (12.0, 1, 0): (True, False),
        (14.0, 0, 1): (True, False),
        (40.0, 0, 1): (True, False),
    }
    options = {"start_ms": 0.0, "stop_ms": 100.0, "bin_ms": 50.0}
    rates = burst_code.binned(spikes, is_event, slice(0, 2), **options)
    np.testing.assert_allclose(rates, [[20.0, 10.0], [20.0, 0.0]])
    bursts = burst_code.binned(spikes, is_burst, slice(0, 2), **options)
    np.testing.assert_allclose(burst_code.share(bursts, rates), [[0.5, 0.0], [0.0, 0.0]])


def test_wiring_has_the_published_in_degree():
    p = params_of("naud", "multiplexing", n_pyramidal=300, n_interneurons=80, p_connect=0.2)
    wired = wiring.wire(p, np.random.default_rng(5))
    assert set(wired) == set(model.PROJECTIONS) == set(p.weights)
    for name, low, n_pre in (("relay", 300, 300), ("topdown", 0, 300), ("from_pv", 300, 80)):
        _, post = wired[name]
        degree = np.bincount(post - low, minlength=300)
        assert degree.size == 300
        assert degree.mean() == pytest.approx(0.2 * n_pre, rel=0.05)
    pre, post = wired["lateral"]
    assert not np.any(pre == post)
    assert not np.any((pre < 300) != (post < 300))
    for scale in ("paper", "full"):
        q = params_of("naud", "multiplexing", scale=scale)
        assert q.p_connect * q.n_pyramidal == pytest.approx(200)
        assert q.n_interneurons * 4 == q.n_pyramidal


def made_recording(p, events_1, probability_2, seed=0):
    """Spikes whose event rate (per ms) and burst probability follow given waves (time,)."""
    rng = np.random.default_rng(seed)
    n, steps, parts = p.n_pyramidal, int(p.trial_ms), []
    for trial in range(p.n_trials_max):
        for ensemble, (rate, probability) in enumerate(
            ((events_1, np.full(steps, 0.2)), (np.full(steps, 0.01), probability_2))
        ):
            # At most one event every 30 ms keeps events apart.
            for start in range(0, steps, 30):
                fires = rng.random(n) < 30 * rate[start]
                bursts = fires & (rng.random(n) < probability[start])
                for chosen, lag in ((fires, 1.0), (bursts, 9.0)):
                    parts.append((start + lag, np.flatnonzero(chosen) + ensemble * n, trial))
    shape = {"n_trials": p.n_trials_max, "n_units": 2 * n, "duration_ms": p.trial_ms}
    return Recording({"pyramidal": spikes_of(parts, **shape)})


def test_waves_begin_with_the_recording_and_are_read_at_the_ends_of_bins():
    p = params_of("naud", "multiplexing", scale="full")
    test = multiplexing.make_task(p, "test", Streams(0))
    waves = test.stimulus.arrays["waves"]
    assert not waves[:1000].any()
    assert waves[1000:].any(axis=0).all()
    ends = 1000.0 + 50.0 * np.arange(1, 61)
    for column, period in enumerate((500.0, 500.0 * np.sqrt(5))):
        expected = np.sin(2 * np.pi * ends / period)
        expected = (expected - expected.mean()) / expected.std()
        np.testing.assert_allclose(test.targets[0, :, column], expected, atol=1e-9)


@pytest.mark.parametrize(
    ("mixed", "burst", "cross", "separation"),
    [
        (False, (0.75, 1), (-1, 0.35), (0.4, 2)),
        (True, (-1, 0.5), (0.6, 1), (-2, 0)),
    ],
)
def test_measures_of_a_circuit_that_multiplexes_and_one_that_mixes(mixed, burst, cross, separation):
    p = params_of("naud", "multiplexing", scale="full", n_pyramidal=300, n_trials_max=2)
    test = multiplexing.make_task(p, "test", Streams(0))
    soma, dendrite = test.stimulus.arrays["waves"].T
    source = soma if mixed else dendrite
    recording = made_recording(p, 0.008 * (1 + 0.8 * soma), 0.4 + 0.35 * source)
    found = measures.measures(p, Condition(), recording, test)
    assert found["event_correlation"] > 0.75
    for name, (least, most) in (
        ("burst_correlation", burst),
        ("cross_correlation", cross),
        ("channel_separation", separation),
    ):
        assert least < found[name] < most, name
    outcome = multiplexing.decode(p, recording, test)
    assert outcome.outputs.shape == outcome.targets.shape == (2, 60, 2)


def bursting(seed=0, n_units=40, n_trials=2, n_events=30) -> Spikes:
    """Events at least 30 ms apart; a third are bursts, in the first half of the trial only."""
    rng = np.random.default_rng(seed)
    parts = []
    for trial, unit in np.ndindex(n_trials, n_units):
        at = np.cumsum(rng.uniform(30, 120, n_events))
        second = at[: n_events // 2][rng.random(n_events // 2) < 2 / 3] + rng.uniform(5, 15)
        parts.append((np.append(at, second), unit, trial))
    return spikes_of(parts, n_trials=n_trials, n_units=n_units, duration_ms=4000.0)


def test_other_bursts_keep_events_and_spike_counts_but_not_when_bursts_are():
    spikes = bursting()
    changed = burst_code.other_bursts(spikes, 16.0, np.random.default_rng(1))
    np.testing.assert_array_equal(changed.counts(), spikes.counts())
    (event, burst), (new_event, new_burst) = (
        burst_code.events(trains, 16.0) for trains in (spikes, changed)
    )
    assert burst.sum() == new_burst.sum()
    for trains, mask in ((spikes, event), (changed, new_event)):
        assert mask.sum() == 40 * 2 * 30, trains.duration_ms
    kept = [
        sorted(zip(x.trials[m], x.units[m], x.times_ms[m], strict=True))
        for x, m in ((spikes, event), (changed, new_event))
    ]
    assert kept[0] == kept[1]
    # Bursts came in the first half only, about 1100 ms; redrawn, they come at any time.
    late = [
        float((x.times_ms[m] > 1200).mean()) for x, m in ((spikes, burst), (changed, new_burst))
    ]
    assert late[0] < 0.2
    assert late[1] > 0.35
