"""The talk naud, `neuron` and `multiplexing`: neuron and synapses against plain NumPy, the code."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Condition, Network, Recording
from whyspiking.declared import registry
from whyspiking.talks.naud import burst_code, circuit, circuit_reference, multiplexing, single_cell

ROOT = Path(__file__).parents[2]
CONFIG = {**yaml.safe_load((ROOT / "config" / "config.yaml").read_text()), "scale": "smoke"}


def params(experiment="multiplexing", scale="smoke", **changes):
    described = registry.load_talk("naud").experiments[experiment]
    found = registry.params(described, {**CONFIG, "scale": scale})
    return replace(found, values={**found.values, **changes})


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


def alone(brian2, p, i_soma, i_dendrite):
    """Neurons under constant currents, without noise."""
    group = circuit.neurons(p, len(i_soma), "i_s : amp\ni_d : amp\n", {}, "pyramidal")
    group.v_s = group.v_d = p.e_leak * brian2.volt
    group.theta = p.th_rest * brian2.volt
    group.spiked = -100 * brian2.second
    for kind in circuit.KINDS:
        setattr(group, f"x_{kind}", 1)
        setattr(group, f"u_{kind}", getattr(p, f"u0_{kind}"))
    group.i_s, group.i_d = i_soma * brian2.amp, i_dendrite * brian2.amp
    return group


def test_noiseless_neuron_is_that_of_plain_numpy(runtime):
    """Eqs. 20-25: potentials and spikes, with and without bursts."""
    p = params()
    currents = np.array([[300e-12, 0.0], [500e-12, 0.0], [500e-12, 300e-12], [700e-12, 500e-12]])
    group = alone(runtime, p, *currents.T)
    potentials = runtime.StateMonitor(group, ["v_s", "v_d"], record=True, when="end")
    spikes = runtime.SpikeMonitor(group)
    network = runtime.Network(group, potentials, spikes)
    runtime.defaultclock.dt = p.dt_ms * runtime.ms
    network.run(300 * runtime.ms)
    n_bursting = 0
    for k, (i_s, i_d) in enumerate(currents):
        soma, dendrite, times = circuit_reference.trace(p, np.full(3000, i_s), np.full(3000, i_d))
        np.testing.assert_allclose(potentials.v_s[k] / runtime.volt, soma, atol=1e-9)
        np.testing.assert_allclose(potentials.v_d[k] / runtime.volt, dendrite, atol=1e-9)
        np.testing.assert_allclose(spikes.spike_trains()[k] / runtime.ms, times, atol=1e-6)
        n_bursting += bool((np.diff(times) <= p.burst_window_ms).any())
    assert len(spikes.t) > 20
    assert 0 < n_bursting < len(currents), "the currents should show both kinds of firing"


def test_short_term_plasticity_is_the_recursion(runtime):
    """Eqs. 27-28: what every spike transmits, for both kinds of synapse."""
    p = params()
    group = alone(runtime, p, np.array([500e-12, 800e-12]), np.array([0.0, 400e-12]))
    transmitted = runtime.SpikeMonitor(group, variables=["out_dep", "out_fac"], when="end")
    network = runtime.Network(group, transmitted)
    network.schedule = ["start", "groups", "thresholds", "resets", "synapses", "end"]
    runtime.defaultclock.dt = p.dt_ms * runtime.ms
    network.run(400 * runtime.ms)
    for k in range(2):
        mine = transmitted.i == k
        times = np.asarray(transmitted.t / runtime.ms)[mine]
        assert times.size >= (3, 6)[k]
        for kind in circuit.KINDS:
            expected = circuit_reference.transmitted(
                times,
                getattr(p, f"tau_rec_{kind}"),
                getattr(p, f"tau_fac_{kind}"),
                getattr(p, f"u0_{kind}"),
                p.f_stp,
            )
            found = np.asarray(getattr(transmitted, f"out_{kind}"))[mine]
            np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_recursion_against_closed_forms():
    """The first two spikes by hand; a burst facilitates one kind and depresses the other."""
    interval, tau_rec, tau_fac, u0, f = 7.0, 30.0, 80.0, 0.3, 0.1
    first, second = circuit_reference.transmitted(
        np.array([5.0, 5.0 + interval]), tau_rec, tau_fac, u0, f
    )
    x = 1 - u0 * np.exp(-interval / tau_rec)
    u = u0 + f * (1 - u0) * np.exp(-interval / tau_fac)
    assert first == pytest.approx(u0)
    assert second == pytest.approx(u * x)
    p = params()
    pair = np.array([0.0, 8.0])
    depressing = circuit_reference.transmitted(
        pair, p.tau_rec_dep, p.tau_fac_dep, p.u0_dep, p.f_stp
    )
    facilitating = circuit_reference.transmitted(
        pair, p.tau_rec_fac, p.tau_fac_fac, p.u0_fac, p.f_stp
    )
    assert depressing[1] < 0.5 * depressing[0]
    assert facilitating[1] > 4 * facilitating[0]


def test_interneurons_start_to_fire_at_their_rheobase(runtime):
    """Eq. 26: V_T follows from the published rheobase; a slow ramp finds it again."""
    p = params(n_interneurons=2)
    values = circuit.interneuron_values(p)
    units = "".join(f"{key} : {unit}\n" for key, unit in circuit.INTERNEURON_UNITS.items())
    ramp = "i_ramp = 1*amp/second*t*ramp : amp\nramp : 1\n"
    group = runtime.NeuronGroup(
        4,
        circuit.INTERNEURON.replace("i_const", "(i_const + i_ramp)") + units + ramp,
        threshold="v > 0*volt",
        reset=circuit.INTERNEURON_RESET,
        refractory="t_ref",
        method="euler",
        namespace=circuit.constants(p),
    )
    for key, column in values.items():
        setattr(group, key, column * getattr(runtime, circuit.INTERNEURON_UNITS[key]))
    group.v = p.e_leak * runtime.volt
    group.i_const = 0 * runtime.amp
    # From where even a neuron without adaptation is silent, slow against all time constants.
    rheobase = np.repeat([p.pv["rheobase"], p.som["rheobase"]], 2)
    group.ramp = np.array([40e-12, 40e-12, 4e-12, 4e-12])
    group.i_const = (0.8 * rheobase) * runtime.amp
    spikes = runtime.SpikeMonitor(group)
    runtime.defaultclock.dt = 0.1 * runtime.ms
    runtime.Network(group, spikes).run(1.6 * runtime.second)
    for k in (0, 2):
        first = float(spikes.spike_trains()[k][0] / runtime.second)
        found = 0.8 * rheobase[k] + float(group.ramp[k]) * first
        assert found == pytest.approx(rheobase[k], rel=0.05)


def test_noise_keeps_mean_and_variance_of_poisson_trains():
    p = params()
    mean, q, w = circuit.mean_hits(p), circuit.hit_probability(p), p.noise_soma
    jump = circuit.fixed_values(p)["pyramidal.noise_s"]
    assert mean == pytest.approx(p.noise_hz * p.dt_ms / 1000)
    assert q * jump == pytest.approx(mean * w)
    assert q * (1 - q) * jump**2 == pytest.approx(mean * w**2)


def test_one_uniform_number_serves_independent_trains(runtime):
    """Eq. 30: rates and pairwise coincidences of four trains from one draw per step."""
    p = params()
    hits = "".join(f"{name} : 1\n" for name in "abcd")
    group = runtime.NeuronGroup(2000, hits + "key : 1\n", namespace=circuit.constants(p))
    group.key = np.random.default_rng(3).random(2000)
    group.run_regularly(
        "a = 0; b = 0; c = 0; d = 0\n" + circuit.noise_statements([(name, "1") for name in "abcd"]),
        when="start",
    )
    seen = runtime.StateMonitor(group, list("abcd"), record=True, when="end")
    runtime.defaultclock.dt = p.dt_ms * runtime.ms
    runtime.Network(group, seen).run(20 * runtime.ms)
    trains = np.stack([getattr(seen, name).ravel() for name in "abcd"])
    q, n = circuit.hit_probability(p), trains.shape[1]
    assert np.abs(trains.mean(axis=1) - q).max() < 5 * np.sqrt(q / n)
    for i in range(4):
        for j in range(i):
            both = float((trains[i] * trains[j]).mean())
            assert abs(both - q * q) < 5 * np.sqrt(q * q / n)


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
    assert found[10.0, 0, 0] == (True, True)
    assert found[18.0, 0, 0] == (False, False)
    assert found[30.0, 0, 0] == (False, False)
    assert found[60.0, 0, 0] == (True, False)
    assert found[12.0, 1, 0] == (True, False)
    assert found[14.0, 0, 1] == (True, False)
    assert found[40.0, 0, 1] == (True, False)
    options = {"start_ms": 0.0, "stop_ms": 100.0, "bin_ms": 50.0}
    rates = burst_code.binned(spikes, is_event, slice(0, 2), **options)
    np.testing.assert_allclose(rates, [[20.0, 10.0], [20.0, 0.0]])
    bursts = burst_code.binned(spikes, is_burst, slice(0, 2), **options)
    np.testing.assert_allclose(burst_code.share(bursts, rates), [[0.5, 0.0], [0.0, 0.0]])


def test_wiring_has_the_published_in_degree():
    p = params(n_pyramidal=300, n_interneurons=80, p_connect=0.2)
    wiring = circuit.wire(p, np.random.default_rng(5))
    assert set(wiring) == set(circuit.PROJECTIONS) == set(p.weights)
    for name, low, n_pre in (("relay", 300, 300), ("topdown", 0, 300), ("from_pv", 300, 80)):
        _, post = wiring[name]
        degree = np.bincount(post - low, minlength=300)
        assert degree.size == 300
        assert degree.mean() == pytest.approx(0.2 * n_pre, rel=0.05)
    pre, post = wiring["lateral"]
    assert not np.any(pre == post)
    assert not np.any((pre < 300) != (post < 300))
    for scale in ("paper", "full"):
        q = params(scale=scale)
        assert q.p_connect * q.n_pyramidal == pytest.approx(200)
        assert q.n_interneurons * 4 == q.n_pyramidal


def made_recording(p, events_1, probability_2, seed=0):
    """Spikes whose event rate (per ms) and burst probability follow given waves (time,)."""
    rng = np.random.default_rng(seed)
    times, units, trials = [], [], []
    n, steps = p.n_pyramidal, int(p.trial_ms)
    for trial in range(p.n_trials_max):
        for ensemble, (rate, probability) in enumerate(
            ((events_1, np.full(steps, 0.2)), (np.full(steps, 0.01), probability_2))
        ):
            # At most one event every 30 ms keeps events apart.
            for start in range(0, steps, 30):
                fires = rng.random(n) < 30 * rate[start]
                bursts = fires & (rng.random(n) < probability[start])
                for chosen, lag in ((fires, 1.0), (bursts, 9.0)):
                    who = np.flatnonzero(chosen)
                    times.append(np.full(who.size, start + lag))
                    units.append(who + ensemble * n)
                    trials.append(np.full(who.size, trial))
    spikes = Spikes.sorted(
        np.concatenate(times),
        np.concatenate(units),
        np.concatenate(trials),
        n_trials=p.n_trials_max,
        n_units=2 * n,
        duration_ms=p.trial_ms,
    )
    heard = np.zeros((p.n_trials_max, steps, 2))
    heard[..., 1] = np.arange(steps)
    return Recording({"pyramidal": spikes}, {"depressing": heard, "facilitating": heard})


def test_waves_begin_with_the_recording_and_are_read_at_the_ends_of_bins():
    p = params(scale="full")
    task = multiplexing.make_task(p, "test", Streams(0))
    waves = task.stimulus.arrays["waves"]
    assert not waves[:1000].any()
    assert waves[1000:].any(axis=0).all()
    ends = 1000.0 + 50.0 * np.arange(1, 61)
    for column, period in enumerate((500.0, 500.0 * np.sqrt(5))):
        expected = np.sin(2 * np.pi * ends / period)
        expected = (expected - expected.mean()) / expected.std()
        np.testing.assert_allclose(task.targets[0, :, column], expected, atol=1e-9)


@pytest.mark.parametrize("mixed", [False, True])
def test_measures_of_a_circuit_that_multiplexes_and_one_that_mixes(mixed):
    p = params(scale="full", n_pyramidal=300, n_trials_max=2)
    task = multiplexing.make_task(p, "test", Streams(0))
    soma, dendrite = task.stimulus.arrays["waves"].T
    source = soma if mixed else dendrite
    recording = made_recording(p, 0.008 * (1 + 0.8 * soma), 0.4 + 0.35 * source)
    found = multiplexing.measures(p, Condition(), recording, task)
    assert found["event_correlation"] > 0.75
    if mixed:
        assert found["cross_correlation"] > 0.6
        assert found["burst_correlation"] < 0.5
        assert found["channel_separation"] < 0
    else:
        assert found["burst_correlation"] > 0.75
        assert found["cross_correlation"] < 0.35
        assert found["channel_separation"] > 0.4
    outcome = multiplexing.decode(p, recording, task)
    assert outcome.outputs.shape == outcome.targets.shape == (2, 60, 2)


def test_a_network_is_bound_to_wiring_and_currents():
    p = params()
    network = multiplexing.train(p, "spiking", Streams(1), {}, lambda share, news: None)
    binding = multiplexing.bind(p, network)
    again = multiplexing.bind(p, network)
    np.testing.assert_array_equal(binding.values["relay.j"], again.values["relay.j"])
    swing = binding.values["pyramidal.swing_s"]
    assert swing[0] == 200e-12
    assert swing[-1] == 0.0
    for key, layer in binding.layers.items():
        assert np.count_nonzero(layer.weights) == binding.values[key.replace(".w", ".i")].size
    assert multiplexing.evaluate(p, "spiking", network, None) is None


def test_neurons_are_spread_over_the_grid_and_sigmoids_are_found():
    p = params("neuron")
    network = single_cell.train(p, "spiking", Streams(0), {}, lambda share, news: None)
    counts = np.bincount(network.arrays["point"])
    assert counts.size == len(p.soma_levels) * len(p.dendrite_levels)
    assert counts.min() >= 1
    x = np.asarray(p.dendrite_levels)
    curve = 0.1 + 0.8 / (1 + np.exp(-(x - 120e-12) / 40e-12))
    found, explained = single_cell.sigmoid(x, curve)
    np.testing.assert_allclose(found, [0.1, 0.9, 120e-12, 40e-12], rtol=1e-3)
    assert explained == pytest.approx(1.0)
    zigzag = np.where(np.arange(x.size) % 2, 0.1, 0.8)
    assert not single_cell.sigmoid(x, zigzag)[1] > 0.5


def test_measures_of_neurons_tell_the_two_currents_apart():
    p = params("neuron", n_pyramidal=700)
    n_points = len(p.soma_levels) * len(p.dendrite_levels)
    soma, dendrite = (np.unique(level, return_inverse=True)[1] for level in single_cell.grid(p))
    times, units = [], []
    for unit in range(2 * p.n_pyramidal):
        point = unit % n_points
        events = p.relax_ms + 40.0 * np.arange(1 + soma[point])
        bursting = np.random.default_rng(unit).random(events.size) < dendrite[point] / 10
        for t in (events, events[bursting] + 8):
            times.append(t)
            units.append(np.full(t.size, unit))
    t, u = np.concatenate(times), np.concatenate(units)
    spikes = Spikes.sorted(
        t, u, np.zeros(t.size, int), n_trials=1, n_units=2 * p.n_pyramidal, duration_ms=p.trial_ms
    )
    recording = Recording({"pyramidal": spikes})
    task = single_cell.make_task(p, "test", Streams(0))
    found = single_cell.measures(p, Condition(), recording, task)
    assert found["event_rate_leak"] == pytest.approx(0.0, abs=1e-12)
    assert found["burst_probability_leak"] < 0.3
    outcome = single_cell.decode(p, recording, task)
    assert np.corrcoef(outcome.outputs[0, :, 0], outcome.targets[0, :, 0])[0, 1] > 0.99
    assert isinstance(single_cell.train(p, "spiking", Streams(0), {}, print), Network)


def bursting(seed=0, n_units=40, n_trials=2, n_events=30) -> Spikes:
    """Events at least 30 ms apart; a third are bursts, in the first half of the trial only."""
    rng = np.random.default_rng(seed)
    times, units, trials = [], [], []
    for trial in range(n_trials):
        for unit in range(n_units):
            at = np.cumsum(rng.uniform(30, 120, n_events))
            second = at[: n_events // 2][rng.random(n_events // 2) < 2 / 3] + rng.uniform(5, 15)
            times += [*at, *second]
            units += [unit] * (at.size + second.size)
            trials += [trial] * (at.size + second.size)
    return Spikes.sorted(
        np.array(times),
        np.array(units),
        np.array(trials),
        n_trials=n_trials,
        n_units=n_units,
        duration_ms=4000.0,
    )


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


def test_other_bursts_of_trains_without_bursts_are_the_same():
    spikes = bursting()
    alone = burst_code.events(spikes, 16.0)[0]
    single = Spikes.sorted(
        spikes.times_ms[alone],
        spikes.units[alone],
        spikes.trials[alone],
        n_trials=2,
        n_units=40,
        duration_ms=4000.0,
    )
    changed = burst_code.other_bursts(single, 16.0, np.random.default_rng(1))
    np.testing.assert_array_equal(changed.times_ms, single.times_ms)
