"""The talk naud, experiment `xor`: noise, wiring, protocol, alignment and controls."""

from types import SimpleNamespace

import numpy as np
import pytest
from made.agreement import slopes
from made.project import params_of

from whyspiking.contract.randomness import Streams
from whyspiking.declared import registry
from whyspiking.talks.naud import vector_functions
from whyspiking.talks.naud.xor import (
    controls,
    counters,
    lesions,
    model,
    rate_model,
    task,
    wiring,
)
from whyspiking.talks.naud.xor.model import OUTPUT, POPULATIONS, PROJECTIONS

KINDS = ("forward", "inhibition", "feedback_exc", "feedback_inh")
INPUTS = [(2.3, 2.3), (9.0, 2.3), (2.3, 9.0), (9.0, 9.0)]
"""Rates of both inputs in Hz, of the four patterns."""


# ---- noise, wiring, teaching ---------------------------------------------------------------------


def test_bernoulli_noise_has_mean_and_variance_of_poisson_noise():
    for rate, weight, dt in ((500.0, 0.35, 0.5), (150.0, 0.385, 0.1)):
        q, jump = model.bernoulli(rate, weight, dt)
        mean = rate * dt / 1e3
        assert q * jump == pytest.approx(mean * weight)
        assert q * (1 - q) * jump**2 == pytest.approx(mean * weight**2)


def test_one_uniform_number_serves_four_independent_trains():
    """The statements of NOISE, executed as they are."""
    rng = np.random.default_rng(4)
    n = 200_000
    names = SimpleNamespace(
        uniform=vector_functions.uniform,
        key=rng.random(n),
        timestep=lambda t, dt: round(t / dt),
        t=1.5,
        dt=0.5,
        int=lambda x: np.asarray(x).astype(int),
    ).__dict__
    start = {key: np.zeros(n) for key in ("g_e", "g_i", "g_ed", "g_id")}
    numbers = {"q_s": 0.07, "q_d": 0.2, "jump_e": 1.0, "jump_i": 1.0, "jump_d": 1.0}
    space = {**names, **start, **numbers}
    exec(model.NOISE, {"__builtins__": {}}, space)
    hits = np.array([space[key] for key in start])
    np.testing.assert_allclose(hits.mean(axis=1), [0.07, 0.07, 0.2, 0.2], atol=0.004)
    assert np.abs(np.corrcoef(hits) - np.eye(4)).max() < 0.01


def test_connections_of_every_kind_are_drawn_on_their_own():
    p = params_of("naud", "xor", "full")
    arrays = wiring.wire(p, Streams(3))
    n = p.n_per_population
    degrees = {}
    for kind in KINDS:
        i, j = arrays[f"{kind}.i"], arrays[f"{kind}.j"]
        assert np.array_equal(np.lexsort((j, i)), np.arange(i.size))
        degrees[kind] = np.bincount(j, minlength=len(POPULATIONS) * n)[2 * n : 4 * n]
        pairs = {(int(a), int(b)) for a, b in zip(i // n, j // n, strict=True)}
        assert pairs == set(PROJECTIONS if kind in KINDS[:2] else model.FEEDBACK)
    for kind in KINDS[:2]:
        assert degrees[kind].mean() == pytest.approx(2 * n * p.p_connect, rel=0.03)
    assert abs(np.corrcoef(degrees["forward"], degrees["inhibition"])[0, 1]) < 0.25
    for column, kind in enumerate(KINDS[2:]):
        w = [p.w_feedback_exc, p.w_feedback_inh][column]
        to = arrays[f"{kind}.j"] // n
        np.testing.assert_array_equal(arrays[f"{kind}.w"], np.where(to == 2, w[0], w[1]))


def test_lesions_change_what_they_say_and_nothing_else():
    p = params_of("naud", "xor", "full")
    arrays = wiring.wire(p, Streams(0))
    arrays["forward.w"] = np.full(arrays["forward.i"].size, 0.2)
    intact = lesions.placed(p, "spiking", arrays)
    touched = {}
    for variant in ("no_feedback", "no_hidden_plasticity", "no_bursts", "no_floor"):
        cut = lesions.placed(p, variant, arrays)
        touched[variant] = {
            key for key in cut if key not in intact or not np.array_equal(cut[key], intact[key])
        }
    assert touched == {
        "no_feedback": {"feedback_exc.w", "feedback_inh.w"},
        "no_hidden_plasticity": {"neurons.eta"},
        "no_bursts": {"neurons.burst_blind"},
        "no_floor": {"neurons.lift"},
    }


def test_teaching_current_follows_its_cases():
    for e, up, down in (
        (1.0, 1.0, 0.0),
        (5.0, 1 / 3, -1 / 5),
        (8.5, 1 / 6.5, -1 / 1.5),
        (9.5, 0, -1),
    ):
        assert rate_model.teaching_signal(e, 1) == pytest.approx(up)
        assert rate_model.teaching_signal(e, 0) == pytest.approx(down)


# ---- protocol and measures -----------------------------------------------------------------------


def test_schedule_has_the_published_order_and_the_teaching_at_the_onset_of_learning():
    p = params_of("naud", "xor", "full", epochs=10)
    schedule = task.training(p)
    rows = schedule.array().reshape(-1, 5)
    assert [epoch for epoch, _ in schedule.tests] == [0, 6, 10] + [11] * 6
    assert [pattern for _, pattern, *_ in schedule.examples[:5]] == [0, 1, 2, 3, 0]
    _, pattern, first, predicting, learning = schedule.examples[1]
    assert (pattern, predicting, learning) == (1, 10, 10)
    # Both currents, the teacher, learning, and whether means go on: not while weights change.
    expected = np.tile([p.i_high, p.i_low, 0, 0, 1], (20, 1))
    expected[10:, 2:] = [model.HOLD, 1, 0]
    expected[10, 2] = 1.0
    np.testing.assert_array_equal(rows[first : first + 20], expected)
    assert rows.shape[0] * p.slot_ms % model.TRIAL_MS == 0
    assert not rows[-20:].any(), "an idle trial closes the counters"


def test_random_order_shows_every_pattern_once_per_epoch():
    p = params_of("naud", "xor", "full", epochs=40)
    schedule = task.training(p, np.random.default_rng(0))
    shown = np.array([pattern for _, pattern, *_ in schedule.examples]).reshape(40, 4)
    assert (np.sort(shown, axis=1) == np.arange(4)).all()
    assert len({tuple(row) for row in shown}) > 10


def test_published_recipe_divides_into_slots():
    published = params_of("naud", "xor", "paper", epochs=2)
    assert task.training(published).examples[0][3:] == (36, 4)
    assert published.n_per_population * published.p_connect == pytest.approx(100)


def test_published_recipe_is_followed_by_tests_that_cost_less_than_a_tenth_of_it():
    experiment = registry.load_talk("naud").experiments["xor_published"]
    for scale in ("full", "paper"):
        assert experiment.describe_reduction(scale) == ""
    published = params_of("naud", "xor_published", "full")
    schedule = task.training(published)
    examples = sum(predicting + learning for *_, predicting, learning in schedule.examples)
    assert examples * published.slot_ms == 2000 * 8000
    assert len(schedule.examples) == 2000
    assert published.dt_ms == 0.1
    tests = len(schedule.tests) * len(task.PATTERNS) * model.TRIAL_MS
    assert tests < 0.1 * examples * published.slot_ms
    assert [epoch for epoch, _ in schedule.tests[:3]] == [0, 10, 20]
    assert counters.judged(schedule).sum() == 21, "as claim naud.xor_published.ordering says"
    assert len(schedule.published_tests) == 2


def test_ordering_on_made_rates():
    rates = np.array(
        [
            [5.0, 8.0, 7.0, 5.5],  # ordered by 1.5 Hz
            [5.0, 8.0, 6.2, 5.7],  # ordered by 0.5 Hz
            [6.5, 8.0, 9.0, 5.0],  # ordered by 1.5 Hz
            [4.0, 8.0, 5.0, 7.0],  # not ordered
        ]
    )
    np.testing.assert_allclose(counters.margins(rates), [1.5, 0.5, 1.5, -2.0])
    expected = {"xor_ordering": 0.5, "xor_margin": 0.375}
    assert counters.order_measures(rates) == pytest.approx(expected)
    margins = [counters.side_measures(each)["xor_side_margin"] for each in rates]
    np.testing.assert_allclose(margins, [0.5, 0.2, -0.5, -1.0])


def test_judged_tests_are_those_of_the_last_fifth():
    schedule = task.training(params_of("naud", "xor", "full"))
    chosen = counters.judged(schedule)
    assert min(epoch for (epoch, _), late in zip(schedule.tests, chosen, strict=True) if late) == 98


def test_credit_needs_sign_and_size():
    change = np.zeros((5, 4))
    change[2:] = 0.1 * counters.DESIGNED
    assert counters.credit_measures(change)["credit_signs"] == 1.0
    change[2, 0] = -0.02
    found = counters.credit_measures(change)
    assert found["credit_signs"] == pytest.approx(11 / 12)
    assert found["credit_hidden"] == pytest.approx(0.02)
    assert counters.credit_measures(np.zeros((5, 4)))["credit_signs"] == 0.0


def test_counters_give_rates_and_burst_probabilities():
    p = params_of("naud", "xor", "full", epochs=1, n_per_population=100)
    schedule = task.training(p)
    n_slots = schedule.array().shape[0] * 20
    events = np.outer(np.arange(n_slots) * 100.0, [1, 2, 3, 4, 5])
    bursts = 0.25 * events
    counted = counters.Counters(p, events, bursts)
    np.testing.assert_allclose(counted.test_rates(schedule)[0, 2], [5, 10, 15, 20, 25])
    assert len(schedule.published_tests) == 2
    found = counted.published_test(schedule.published_tests[1])
    assert found.shape == (4, counters.BINS)
    np.testing.assert_allclose(found, 25)
    predicting, learning = counted.burst_probabilities(schedule, range(1, 2))
    np.testing.assert_allclose(predicting, 0.25)
    np.testing.assert_allclose(learning, 0.25)


# ---- alignment and controls ----------------------------------------------------------------------


def made_model():
    return rate_model.RateModel(
        np.array([2.0, 1.6, 1.2, 2.0]), np.array([0.5, 0.55, 0.3, 1.5]), 0.234, 0.0
    )


def settle(model, weights, inputs):
    """Rates of the model itself, (population,)."""
    rates = np.array([*inputs, 0.0, 0.0, 0.0])
    for post in (2, 3, OUTPUT):
        rates[post] = rate_model.predict_rates(
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
    given = 0.234 * rng.uniform(0.8, 1.3, len(PROJECTIONS))

    def weights():
        return dict(zip(PROJECTIONS, given, strict=True))

    def cost(pattern):
        y = (settle(model, weights(), INPUTS[pattern])[OUTPUT] - 2) / 8
        return -np.log(y if task.TARGETS[pattern] else 1 - y)

    rates = np.array([settle(model, weights(), x) for x in INPUTS])
    assert ((rates[:, OUTPUT] > 3) & (rates[:, OUTPUT] < 9)).all()
    expected = [-slopes(lambda pattern=pattern: cost(pattern), given) for pattern in range(4)]
    np.testing.assert_allclose(model.gradient(rates, weights()), expected, rtol=1e-4)


def test_teaching_signal_is_the_slope_of_the_cross_entropy():
    rates, step = np.linspace(3.2, 8.8, 9), 1e-4

    def cost(rates, target):
        y = (rates - 2) / 8
        return -np.log(y if target else 1 - y)

    for target in task.TARGETS:
        slopes = (cost(rates + step, target) - cost(rates - step, target)) / (2 * step)
        signals = [rate_model.teaching_signal(rate, int(target)) for rate in rates]
        np.testing.assert_allclose(signals, -slopes, rtol=1e-5)


def test_the_fit_finds_the_model_behind_made_rates():
    model = made_model()
    rng = np.random.default_rng(5)
    settings = 0.234 * rng.uniform(0.6, 1.5, (12, len(PROJECTIONS)))
    rates = np.array(
        [
            [settle(model, dict(zip(PROJECTIONS, w, strict=True)), x) for x in INPUTS]
            for w in settings
        ]
    )
    found = rate_model.fit(rates, settings, 0.234)
    assert found.error_hz < 1e-3
    np.testing.assert_allclose(found.hidden[:3], model.hidden[:3], rtol=0.05)


def test_backprop_control_follows_the_gradient():
    rng = np.random.default_rng(0)
    arrays = {
        "to_hidden": rng.normal(size=(2, 2)),
        "hidden_bias": rng.normal(size=2),
        "to_output": rng.normal(size=2),
        "output_bias": np.array(0.3),
    }
    x, target = np.array([1.0, 0.4]), 1.0

    def loss():
        return 0.5 * (target - controls.forward(arrays, x)[1]) ** 2

    hidden, output = controls.forward(arrays, x)
    to_hidden, to_output = controls.credit("backprop", arrays, hidden, float(output), target)
    for key, credit in (("hidden_bias", to_hidden), ("to_output", to_output * hidden)):
        np.testing.assert_allclose(credit, -slopes(loss, arrays[key]), rtol=1e-5)
