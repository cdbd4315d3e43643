"""The talk naud, experiment `xor`: neuron, plasticity and network against plain numpy; protocol."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from whyspiking import counterpart, registry
from whyspiking.brian import Machine
from whyspiking.contract import Condition, Stimulus
from whyspiking.randomness import Streams
from whyspiking.replications import naud
from whyspiking.replications.naud import (
    reference,
    xor,
    xor_alignment,
    xor_controls,
    xor_network,
    xor_protocol,
)
from whyspiking.replications.naud.xor_network import OUTPUT, POPULATIONS, PROJECTIONS

ROOT = Path(__file__).parents[2]
CONFIG = {**yaml.safe_load((ROOT / "config" / "config.yaml").read_text()), "scale": "default"}
N = 3
KINDS = ("forward", "inhibition", "feedback_exc", "feedback_inh")


def params(scale="default", **changes):
    described = registry.load_talk("naud").experiments["xor"]
    found = registry.params(described, {**CONFIG, "scale": scale})
    return replace(found, values={**found.values, **changes})


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
        "lift_hidden": 0.5,
        "epochs": 1,
    }
    return params(**{**still, **changes})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("builds")


@pytest.fixture(scope="module")
def machine(folder):
    """One compiled network for all tests of this file."""
    return Machine(xor_network.xor_model(small(), max_trials=12), folder)


def make_values(p, seed=0):
    """Values of a run without noise in which every kind of event occurs."""
    rng = np.random.default_rng(seed)
    arrays = xor_network.wire(p, Streams(seed))
    arrays["forward.w"] = rng.uniform(0.2, 0.5, arrays["forward.i"].size)
    values = xor.placed(p, "spiking", arrays)
    n = len(POPULATIONS) * N
    values["neurons.q_s"] = np.zeros(n)
    # Uneven currents, so that neurons of an ensemble do not fire together.
    values["neurons.i_d"] = values["neurons.i_d"] + rng.uniform(-1, 1, n) * 150e-12
    values["neurons.jump_e"] = np.zeros(n)
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


def run_both(p, machine, values, rows):
    ours = machine.run(
        Stimulus(arrays={"schedule": rows}), {**values, "neurons.carry": 1.0}, seed=1
    )
    flat = rows.reshape(-1, rows.shape[2])
    rng = np.random.default_rng(0)
    theirs = reference.simulate(p, of_neurons(values), matrices(values), flat, rng)
    return ours, theirs


def places(spikes, p):
    step = np.rint((spikes.trials * xor_network.TRIAL_MS + spikes.times_ms) / p.dt_ms).astype(int)
    return sorted(zip(step.tolist(), spikes.units.tolist(), strict=True))


# ---- the network against plain numpy -------------------------------------------------------------


def test_events_bursts_and_weights_equal_those_of_the_numpy_network(machine):
    p = small()
    values = make_values(p)
    schedule = xor_protocol.Schedule(p)
    for epoch in (1, 2):
        for pattern in (1, 3, 2, 0):
            schedule.add_example(epoch, pattern, 1.0)
    rows = schedule.array()
    ours, theirs = run_both(p, machine, values, rows)
    assert places(ours.spikes["neurons"], p) == [tuple(x) for x in theirs.events.tolist()]
    assert places(ours.spikes["neurons.burst"], p) == [tuple(x) for x in theirs.bursts.tolist()]
    populations = np.unique(theirs.events[:, 1] // N)
    assert populations.tolist() == [0, 1, 2, 3, 4], "every ensemble takes part"
    assert len(theirs.bursts) > 10
    i, j = values["forward.i"], values["forward.j"]
    changed = np.abs(theirs.weights[i, j] - values["forward.w"])
    assert (changed > 1e-4).mean() > 0.5, "most synapses learned"
    np.testing.assert_allclose(ours.final["forward.w"], theirs.weights[i, j], atol=1e-9)
    counters = xor_protocol.read_counters(p, ours)
    for name, found in (("events", theirs.events), ("bursts", theirs.bursts)):
        total = np.bincount(found[:, 1] // N, minlength=len(POPULATIONS))
        np.testing.assert_array_equal(getattr(counters, name)[-1], total)


def test_weights_rest_while_plasticity_is_off(machine):
    p = small()
    values = make_values(p)
    schedule = xor_protocol.Schedule(p)
    schedule.add_test(0)
    ours, _ = run_both(p, machine, values, schedule.array()[:2])
    np.testing.assert_array_equal(ours.final["forward.w"], values["forward.w"])


def test_a_trial_that_does_not_carry_on_starts_afresh(machine):
    p = small()
    values = {**make_values(p), "neurons.carry": 0.0}
    rows = xor_protocol.presentations(p, [3, 0, 3])
    spikes = machine.run(Stimulus(arrays={"schedule": rows}), values).spikes["neurons"]
    first, last = spikes.select_trials([0]), spikes.select_trials([2])
    np.testing.assert_array_equal(first.times_ms, last.times_ms)
    np.testing.assert_array_equal(first.units, last.units)
    assert len(first) > len(spikes.select_trials([1]))


@pytest.mark.parametrize(("which", "silent"), [("p_lost_event", 1.0), ("p_lost_burst", 1.0)])
def test_lost_spikes_reach_no_synapse(machine, which, silent):
    p = small()
    n = len(POPULATIONS) * N
    values = make_values(p)
    rows = xor_protocol.presentations(p, [3])
    stimulus = Stimulus(arrays={"schedule": rows})
    lost = {**values, f"neurons.{which}": np.full(n, silent), "neurons.event_heard": np.zeros(n)}
    without = dict(values)
    kinds = ("forward", "inhibition") if which == "p_lost_event" else KINDS[2:]
    for kind in kinds:
        without[f"{kind}.w"] = np.zeros_like(values[f"{kind}.w"])
    if which == "p_lost_burst":
        lost["neurons.event_heard"] = np.ones(n)
        lost["neurons.burst_heard"] = np.zeros(n)
    recorded = [machine.run(stimulus, x).spikes for x in (lost, without)]
    for name in ("neurons", "neurons.burst"):
        assert places(recorded[0][name], p) == places(recorded[1][name], p)


def test_the_step_of_one_neuron_follows_the_equations():
    """Eqs. 1 to 4 for a single step, by hand."""
    p = small(n_per_population=1)
    n = len(POPULATIONS)
    nothing = {kind: np.full((n, n), np.nan) for kind in KINDS}
    neurons = of_neurons(xor_network.neuron_values(p)) | {"q_s": np.zeros(n)}
    rows = np.zeros((1, 5))
    rows[0, 0] = 800e-12
    run = reference.simulate(
        p, neurons, nothing, rows, np.random.default_rng(0), traced=("v_s", "v_d", "th")
    )
    dt = p.dt_ms * 1e-3
    v1 = p.e_leak + dt * 800e-12 / p.c_s
    v2 = v1 + dt * ((p.e_leak - v1) / 16e-3 + 800e-12 / p.c_s)
    np.testing.assert_allclose(run.traces["v_s"][:2, 0], [v1, v2])
    d1 = p.e_leak + dt * 400e-12 / p.c_d
    d2 = d1 + dt * ((p.e_leak - d1) / 7e-3 + 400e-12 / p.c_d)
    np.testing.assert_allclose(run.traces["v_d"][:2, OUTPUT], [d1, d2])
    step, neuron = run.events[0]
    assert neuron == 0
    assert run.traces["v_s"][step, 0] == p.e_leak
    assert run.traces["th"][step, 0] == pytest.approx(-0.05 + 0.002)
    assert np.diff(run.events[run.events[:, 1] == 0, 0]).min() * p.dt_ms > p.refractory_ms


def test_a_short_window_of_plasticity_by_hand():
    """One synapse, a presynaptic event, then a postsynaptic event and its burst (Eqs. 7 to 9)."""
    p = small(n_per_population=1, gain=0.0, burst_delay_ms=5.0)
    n = len(POPULATIONS)
    found = {kind: np.full((n, n), np.nan) for kind in KINDS}
    found["forward"][0, 2] = 0.3
    neurons = of_neurons(xor_network.neuron_values(p))
    neurons |= {"q_s": np.zeros(n), "burst_blind": np.ones(n), "lift": np.zeros(n)}
    neurons["is_input"] = np.array([1, 1, 1, 0, 0])
    neurons["input_of"] = np.array([0, 1, 1, 0, 0])
    rows = np.zeros((1, 5))
    rows[0] = [900e-12, 700e-12, 0, 1, 1]
    run = reference.simulate(p, neurons, found, rows, np.random.default_rng(0))
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


@pytest.mark.slow
def test_rates_before_learning_are_those_of_an_independent_program(folder):
    """Mean of five seeds of a prototype with other code, N = 100; 15 % or 0.5 Hz are allowed."""
    expected = {0: [2.3, 9.0, 2.3, 9.0], 2: [4.0, 6.1, 6.1, 7.3], OUTPUT: [7.1, 9.3, 9.4, 10.2]}
    expected[3] = expected[2]
    p = params()
    machine = Machine(xor_network.xor_model(p, max_trials=8), folder)
    arrays = xor_network.wire(p, Streams(5))
    arrays["forward.w"] = np.full(arrays["forward.i"].size, p.w_exc)
    values = {**xor.placed(p, "spiking", arrays), "neurons.carry": 0.0}
    rows = xor_protocol.presentations(p, [0, 1, 2, 3] * 2)
    recording = machine.run(Stimulus(arrays={"schedule": rows}), values, seed=5)
    rates = xor.counted_rates(p, recording).reshape(2, 4, 5).mean(axis=0)
    for population, wanted in expected.items():
        allowed = np.maximum(0.15 * np.array(wanted), 0.5)
        assert (np.abs(rates[:, population] - wanted) <= allowed).all(), POPULATIONS[population]


# ---- noise, wiring, teaching ---------------------------------------------------------------------


def test_bernoulli_noise_has_mean_and_variance_of_poisson_noise():
    for rate, weight, dt in ((500.0, 0.35, 0.5), (150.0, 0.385, 0.1)):
        q, jump = xor_network.bernoulli(rate, weight, dt)
        mean = rate * dt / 1e3
        assert q * jump == pytest.approx(mean * weight)
        assert q * (1 - q) * jump**2 == pytest.approx(mean * weight**2)


def test_one_uniform_number_serves_four_independent_trains():
    """The statements of NOISE, executed as they are."""
    rng = np.random.default_rng(4)
    n = 200_000
    names = SimpleNamespace(
        rand=lambda: rng.random(n), int=lambda x: np.asarray(x).astype(int)
    ).__dict__
    start = {key: np.zeros(n) for key in ("g_e", "g_i", "g_ed", "g_id")}
    numbers = {"q_s": 0.07, "q_d": 0.2, "jump_e": 1.0, "jump_i": 1.0, "jump_d": 1.0}
    space = {**names, **start, **numbers}
    exec(xor_network.NOISE, {"__builtins__": {}}, space)
    hits = np.array([space[key] for key in start])
    np.testing.assert_allclose(hits.mean(axis=1), [0.07, 0.07, 0.2, 0.2], atol=0.004)
    correlation = np.corrcoef(hits) - np.eye(4)
    assert np.abs(correlation).max() < 0.01


def test_connections_of_every_kind_are_drawn_on_their_own():
    p = params()
    arrays = xor_network.wire(p, Streams(3))
    n = p.n_per_population
    total = len(POPULATIONS) * n
    dense = {}
    for kind in KINDS:
        i, j = arrays[f"{kind}.i"], arrays[f"{kind}.j"]
        assert np.array_equal(np.lexsort((j, i)), np.arange(i.size))
        dense[kind] = np.zeros((total, total), bool)
        dense[kind][i, j] = True
        pairs = {(int(a), int(b)) for a, b in zip(i // n, j // n, strict=True)}
        expected = PROJECTIONS if kind in KINDS[:2] else xor_network.FEEDBACK
        assert pairs == set(expected)
    degrees = {kind: dense[kind].sum(axis=0) for kind in KINDS}
    hidden = slice(2 * n, 4 * n)
    for kind in KINDS[:2]:
        assert degrees[kind][hidden].mean() == pytest.approx(2 * n * p.p_connect, rel=0.03)
        assert degrees[kind][hidden].std() == pytest.approx(np.sqrt(2 * n / 4), rel=0.2)
    r = np.corrcoef(degrees["forward"][hidden], degrees["inhibition"][hidden])[0, 1]
    assert abs(r) < 0.25
    block = (slice(0, n), slice(2 * n, 3 * n))
    shared = (dense["forward"][block] & dense["inhibition"][block]).mean()
    assert shared == pytest.approx(p.p_connect**2, abs=0.03)
    for column, kind in enumerate(KINDS[2:]):
        w = [p.w_feedback_exc, p.w_feedback_inh][column]
        to = arrays[f"{kind}.j"] // n
        np.testing.assert_array_equal(arrays[f"{kind}.w"], np.where(to == 2, w[0], w[1]))


def test_lesions_change_what_they_say_and_nothing_else():
    p = params()
    arrays = xor_network.wire(p, Streams(0))
    arrays["forward.w"] = np.full(arrays["forward.i"].size, 0.2)
    intact = xor.placed(p, "spiking", arrays)
    touched = {}
    for variant in ("no_feedback", "no_hidden_plasticity", "no_bursts", "homeostasis_flipped"):
        cut = xor.placed(p, variant, arrays)
        touched[variant] = {
            key for key in cut if key not in intact or not np.array_equal(cut[key], intact[key])
        }
    assert touched == {
        "no_feedback": {"feedback_exc.w", "feedback_inh.w"},
        "no_hidden_plasticity": {"neurons.eta"},
        "no_bursts": {"neurons.burst_blind"},
        "homeostasis_flipped": {"neurons.lift"},
    }
    eta = xor.placed(p, "no_hidden_plasticity", arrays)["neurons.eta"].reshape(5, -1)[:, 0]
    np.testing.assert_allclose(eta, [0, 0, 0, 0, p.eta_output])


def test_teaching_current_follows_its_cases():
    for e, up, down in (
        (1.0, 1.0, 0.0),
        (5.0, 1 / 3, -1 / 5),
        (8.5, 1 / 6.5, -1 / 1.5),
        (9.5, 0, -1),
    ):
        assert reference._teaching(1, np.array(e), 1.0, np.zeros(1)) == pytest.approx(up)
        assert reference._teaching(-1, np.array(e), 1.0, np.zeros(1)) == pytest.approx(down)
        # It is minus the derivative of the cross-entropy, which the gradient uses.
        assert xor_alignment.teaching_signal(e, 1) == pytest.approx(up)
        assert xor_alignment.teaching_signal(e, 0) == pytest.approx(down)


# ---- protocol and measures -----------------------------------------------------------------------


def test_schedule_has_the_published_order_and_the_teaching_at_the_onset_of_learning():
    p = params(epochs=10)
    schedule = xor_protocol.training(p)
    rows = schedule.array().reshape(-1, 5)
    assert [epoch for epoch, _ in schedule.tests] == [0, 6, 10] + [11] * 6
    assert [pattern for _, pattern, *_ in schedule.examples[:5]] == [0, 1, 2, 3, 0]
    _, pattern, first, predicting, learning = schedule.examples[1]
    assert (pattern, predicting, learning) == (1, 10, 10)
    learn = rows[first + predicting : first + predicting + learning]
    predict = rows[first : first + predicting]
    assert (rows[first : first + 20, 0] == p.i_high).all()
    assert (rows[first : first + 20, 1] == p.i_low).all()
    assert learn[:, 2].tolist() == [1.0] + [xor_network.HOLD] * 9
    assert not predict[:, 2:4].any()
    assert predict[:, 4].all()
    assert not learn[:, 4].any(), "the means are held while weights change"
    assert (learn[:, 3] == 1).all()
    assert rows.shape[0] * p.slot_ms % xor_network.TRIAL_MS == 0
    assert not rows[-20:].any(), "an idle trial closes the counters"


def test_learning_rates_fall_late():
    p = params()
    factor = [xor_protocol.learning_rate_factor(p, x) for x in (0.0, 0.6, 0.8, 1.0)]
    np.testing.assert_allclose(factor, [1, 1, 0.5**0.5, 0.5])


def test_published_recipe_divides_into_slots():
    described = registry.load_talk("naud").experiments["xor"]
    published = registry.params(described, {**CONFIG, "scale": "paper"})
    short = replace(published, values={**published.values, "epochs": 2})
    schedule = xor_protocol.training(short)
    assert schedule.examples[0][3:] == (36, 4)
    assert schedule.array().reshape(-1, 5)[schedule.examples[0][2] + 36, 4] == 1.0
    assert published.n_per_population * published.p_connect == pytest.approx(100)


def test_ordering_on_made_rates():
    rates = np.array(
        [
            [5.0, 8.0, 7.0, 5.5],  # ordered by 1.5 Hz, on both sides of 6 Hz
            [5.0, 8.0, 6.2, 5.7],  # ordered by 0.5 Hz, on both sides
            [6.5, 8.0, 9.0, 5.0],  # ordered by 1.5 Hz, one false output above 6 Hz
            [4.0, 8.0, 5.0, 7.0],  # not ordered
        ]
    )
    np.testing.assert_allclose(xor_protocol.margins(rates), [1.5, 0.5, 1.5, -2.0])
    found = xor_protocol.order_measures(rates)
    assert found["xor_ordering"] == 0.5
    assert found["xor_ordered"] == 0.75
    assert found["xor_sides"] == 0.5
    assert found["xor_margin"] == pytest.approx(0.375)


def test_judged_tests_are_those_of_the_last_fifth():
    p = params()
    schedule = xor_protocol.training(p)
    chosen = xor_protocol.judged(schedule)
    epochs = np.array([epoch for epoch, _ in schedule.tests])[chosen]
    assert epochs.min() == 98
    assert chosen.sum() == 18


def test_credit_needs_sign_and_size():
    change = np.zeros((5, 4))
    change[2:] = 0.1 * xor_protocol.DESIGNED
    assert xor_protocol.credit_measures(change)["credit_signs"] == 1.0
    change[2, 0] = -0.02
    found = xor_protocol.credit_measures(change)
    assert found["credit_signs"] == pytest.approx(11 / 12)
    assert found["credit_hidden"] == pytest.approx(0.02)
    assert xor_protocol.credit_measures(np.zeros((5, 4)))["credit_signs"] == 0.0


def test_counters_give_rates_and_burst_probabilities():
    p = params(epochs=1, n_per_population=100)
    schedule = xor_protocol.training(p)
    n_slots = schedule.array().shape[0] * 20
    events = np.outer(np.arange(n_slots) * 100.0, [1, 2, 3, 4, 5])
    bursts = 0.25 * events
    counters = xor_protocol.Counters(p, events, bursts, events, events)
    rates = counters.test_rates(schedule)
    np.testing.assert_allclose(rates[0, 2], [5, 10, 15, 20, 25])
    predicting, learning = counters.burst_probabilities(schedule, range(1, 2))
    np.testing.assert_allclose(predicting, 0.25)
    np.testing.assert_allclose(learning, 0.25)


# ---- alignment and controls ----------------------------------------------------------------------


def made_model():
    return xor_alignment.RateModel(
        np.array([2.0, 1.6, 1.2, 2.0]), np.array([0.5, 0.55, 0.3, 1.5]), 0.234, 0.0
    )


def settle(model, weights, inputs):
    """Rates of the model itself, (population,)."""
    rates = np.array([*inputs, 0.0, 0.0, 0.0])
    for post in (2, 3, OUTPUT):
        rates[post] = xor_alignment.predicted(
            model.numbers(post),
            post,
            rates[None, None],
            np.array([[weights[pair] for pair in PROJECTIONS]]),
            model.w_start,
        )[0, 0]
    return rates


def test_gradient_of_the_rate_model_agrees_with_finite_differences():
    model = made_model()
    rng = np.random.default_rng(2)
    weights = {pair: 0.234 * rng.uniform(0.8, 1.3) for pair in PROJECTIONS}
    inputs = [(2.3, 2.3), (9.0, 2.3), (2.3, 9.0), (9.0, 9.0)]
    rates = np.array([settle(model, weights, x) for x in inputs])
    assert ((rates[:, OUTPUT] > 3) & (rates[:, OUTPUT] < 9)).all()

    def cost(changed, pattern):
        y = (settle(model, changed, inputs[pattern])[OUTPUT] - 2) / 8
        return -np.log(y if xor_protocol.TARGETS[pattern] else 1 - y)

    gradient = model.gradient(rates, weights)
    for pattern in range(4):
        for k, pair in enumerate(PROJECTIONS):
            up, down = (cost({**weights, pair: weights[pair] + h}, pattern) for h in (1e-6, -1e-6))
            assert gradient[pattern, k] == pytest.approx(-(up - down) / 2e-6, rel=1e-4)


def test_the_fit_finds_the_model_behind_made_rates():
    model = made_model()
    rng = np.random.default_rng(5)
    settings = 0.234 * rng.uniform(0.6, 1.5, (12, len(PROJECTIONS)))
    inputs = [(2.3, 2.3), (9.0, 2.3), (2.3, 9.0), (9.0, 9.0)]
    rates = np.array(
        [
            [settle(model, dict(zip(PROJECTIONS, w, strict=True)), x) for x in inputs]
            for w in settings
        ]
    )
    found = xor_alignment.fit(rates, settings, 0.234)
    assert found.error_hz < 1e-3
    np.testing.assert_allclose(found.hidden[:3], model.hidden[:3], rtol=0.05)


def test_cosine_and_its_null():
    a = np.array([[1.0, 0.0], [0.0, 2.0], [-1.0, 0.0]])
    assert xor_alignment.cosine(a, 3 * a) == pytest.approx(1)
    assert xor_alignment.cosine(a, -a) == pytest.approx(-1)
    assert xor_alignment.permuted(a, a) < 0.5


def test_backprop_control_follows_the_gradient():
    rng = np.random.default_rng(0)
    arrays = {
        "to_hidden": rng.normal(size=(2, 2)),
        "hidden_bias": rng.normal(size=2),
        "to_output": rng.normal(size=2),
        "output_bias": np.array(0.3),
    }
    x, target = np.array([1.0, 0.4]), 1.0

    def loss(changed):
        return 0.5 * (target - xor_controls.forward(changed, x)[1]) ** 2

    hidden, output = xor_controls.forward(arrays, x)
    to_hidden, to_output = xor_controls.credit("backprop", arrays, hidden, float(output), target)
    for key, slope in (("hidden_bias", to_hidden), ("to_output", to_output * hidden)):
        for k in range(2):
            step = np.eye(2)[k] * 1e-6
            up, down = (loss({**arrays, key: arrays[key] + s * step}) for s in (1, -1))
            assert slope[k] == pytest.approx(-(up - down) / 2e-6, rel=1e-5)


def test_burst_control_pushes_the_output_like_backprop():
    arrays = {"to_output": np.array([1.0, -1.0])}
    for output, target in ((0.3, 1.0), (0.7, 0.0)):
        hidden = np.array([0.4, 0.6])
        ours = xor_controls.credit("burstprop", arrays, hidden, output, target)
        exact = xor_controls.credit("backprop", arrays, hidden, output, target)
        assert np.sign(ours[1]) == np.sign(exact[1])
        np.testing.assert_array_equal(np.sign(ours[0]), np.sign(exact[0]))


# ---- contract ------------------------------------------------------------------------------------


def test_own_conditions_lose_events_or_bursts():
    p = params()
    task = xor.make_task(p, "test", Streams(0))
    assert task is not None
    binding = SimpleNamespace(values={}, layers={})
    names = {c.perturbation for c in xor.conditions(p)}
    assert names == {"delete_bursts", "delete_events"}
    from whyspiking.contract import Binding

    _, changed = xor.vary(
        p,
        Condition("delete_bursts", "neurons", 0.5),
        task,
        Binding(binding.values, binding.layers),
        np.random.default_rng(0),
    )
    np.testing.assert_array_equal(changed.values["neurons.p_lost_burst"], np.full(500, 0.5))


def test_decisions_come_from_the_counted_part_of_a_presentation():
    from whyspiking.contract import Recording
    from whyspiking.spikes import Spikes

    p = params(n_per_population=2)
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
    task = xor.make_task(p, "test", Streams(0))
    recording = Recording({"neurons": spikes})
    decided = xor.decode(p, recording, replace(task, targets=np.array([1, 0])))
    assert decided.choices.tolist() == [1, 0]
    np.testing.assert_allclose(xor.counted_rates(p, recording)[:, OUTPUT], [40 / 6, 0])


def test_rate_controls_get_the_counterpart_of_coarse_weights():
    """Eight bits keep what a control has learned; weights that are thrice themselves do not."""
    own = params()
    network = xor_controls.train(own, "backprop", Streams(0))
    test = xor.make_task(own, "test", Streams(0))
    assert test is not None
    clean = xor_controls.evaluate(network, test)
    assert (clean.choices == clean.targets).all()
    levels = {"trials": 100, "records": 10, "draws": 20, "quantise": [8, 2], "mismatch": [3.0]}
    described = registry.load_talk("naud").experiments["xor"]
    described = replace(described, battery=(*described.battery, "mismatch"))
    rows = counterpart.probe_control(
        naud, own, described, "backprop", network, levels, lambda *_: None
    )
    scores = {
        (r["perturbation"], r["strength"]): r["value"] for r in rows if r["metric"] == "accuracy"
    }
    assert set(scores) == {("quantise", 8.0), ("quantise", 2.0), ("mismatch", 3.0)}
    assert scores["quantise", 8.0] == 1.0
    assert scores["mismatch", 3.0] < 0.95
    areas = {r["perturbation"]: r["value"] for r in rows if r["metric"] == "robustness_area"}
    assert areas["mismatch"] == pytest.approx(2 * scores["mismatch", 3.0] - 1)
