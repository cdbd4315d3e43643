"""The talk naud, `plasticity` and rates: the rule against closed forms, Brian2 and gradients."""

from dataclasses import replace

import numpy as np
import pytest
from made.agreement import slopes
from made.project import params_of

from whyspiking.brian import Machine
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Condition, Recording
from whyspiking.talks.naud.burst_code import learning, measures, pairing, plasticity
from whyspiking.talks.naud.rate_hierarchy import digits, model
from whyspiking.talks.naud.rate_hierarchy import learning as by_rates
from whyspiking.talks.naud.rate_hierarchy.learning import Layers


def one_train(times, duration=1000.0):
    times = np.asarray(times, float)
    nothing = np.zeros(times.size, int)
    return Spikes.sorted(times, nothing, nothing, n_trials=1, n_units=1, duration_ms=duration)


START = {"w": np.array([0.5]), "events": np.array([5.0]), "bursts": np.array([1.0])}


def test_one_pairing_by_hand():
    """Eqs. 33-37: a presynaptic event, then a postsynaptic burst."""
    p = params_of("naud", "plasticity")
    pre, post = one_train([100.0, 104.0]), one_train([110.0, 118.0, 126.0])
    found = learning.recursion(p, pre, post, START, 500.0)[:, 0]
    event = -0.2 * np.exp(-10 / p.tau_pre)
    burst = np.exp(-18 / p.tau_pre)
    # The second presynaptic spike and the third postsynaptic one are neither event nor burst.
    assert found[1] - 0.5 == pytest.approx(p.eta_pairing * (event + burst), rel=1e-9)


def test_brian2_equals_the_recursion(builds):
    """Both protocols, every synapse: equal to rounding on the same spikes."""
    p = params_of("naud", "plasticity", n_realisations=2)
    task = plasticity.make_task(p, "test", Streams(3))
    network = plasticity.train(p, "spiking", Streams(3), {}, lambda share, news: None)
    machine = Machine(plasticity.to_brian(p), builds)
    binding = plasticity.bind(p, network)
    recording = machine.run(task.stimulus, binding.values, trials=1)
    assert machine.merged == 0
    pre, post = plasticity.on_steps(p, task)
    theirs = learning.recursion(p, pre, post, network.arrays, p.sample_ms)
    ours = recording.traces["weight"][0]
    assert np.ptp(ours[-1]) > 0.1
    np.testing.assert_allclose(ours, theirs, atol=1e-11)
    outcome = plasticity.decode(p, recording, task)
    reference = plasticity.evaluate(p, "spiking", network, task)
    np.testing.assert_allclose(outcome.outputs, reference.outputs, atol=1e-11)
    (condition,) = plasticity.conditions(p)
    _, moved = plasticity.vary(p, condition, task, binding, np.random.default_rng(0))
    ratio = moved.values["plastic.bursts"] / moved.values["plastic.events"]
    np.testing.assert_allclose(ratio, p.p_start_moved)


def test_trains_are_what_they_are_called():
    rng = np.random.default_rng(1)
    options = {"dead_ms": 20.0, "delay_ms": 2.0, "spread_ms": 10.0, "rng": rng}
    train = pairing.burst_poisson(8.0, 0.3, 500_000.0, **options)
    intervals = np.diff(train)
    second = intervals < 12
    assert second.mean() == pytest.approx(0.3 / 1.3, rel=0.05)
    assert intervals[second].min() > 2
    assert intervals[~second].min() > 20, "an event waits for the end of the last spike's dead time"
    # A second spike, 7 ms after its event on average, puts the next event off by as much.
    assert (~second).sum() == pytest.approx(500_000 / (1000 / 8.0 + 0.3 * 7), rel=0.03)


@pytest.mark.parametrize("rate", [10.0, 25.0, 45.0])
def test_poisson_trains_have_the_published_share_of_bursts(rate):
    """Intervals of at most 16 ms: 1 - exp(-hazard 14 ms), on which the expected crossings rest."""
    times = pairing.renewal(rate, 400_000.0, 2.0, np.random.default_rng(4))
    assert times.size / 400 == pytest.approx(rate, rel=0.03)
    hazard = rate / (1000 - 2 * rate)
    share = (np.diff(times) <= 16).mean()
    assert share == pytest.approx(1 - np.exp(-14 * hazard), rel=0.05)


def test_mean_field_of_synapses():
    """Eq. 38 against many repetitions of the recursion, and its zero."""
    p = params_of("naud",
        "plasticity", scale="full", n_realisations=150, burst_probabilities=[0.0, 0.4],
        poisson_starts=[], pairing_ms=30_000.0, trial_ms=31_000.0,
    )  # fmt: skip
    task = plasticity.make_task(p, "test", Streams(1))
    network = plasticity.train(p, "spiking", Streams(1), {}, lambda share, news: None)
    found = plasticity.evaluate(p, "spiking", network, task).outputs[0, -1]
    predicted = learning.mean_field(p, np.array([30_000.0]))[0]
    # Dead times and fluctuations of the means take some 10 %.
    np.testing.assert_allclose(found, predicted, rtol=0.2)
    none = params_of("naud", "plasticity", burst_probabilities=[0.2])
    np.testing.assert_array_equal(learning.mean_field(none, np.array([1e5])), 0.0)


def test_measures_find_the_crossings_of_made_curves():
    p = params_of("naud", "plasticity", scale="full")
    n = len(pairing.pairings(p))
    final = np.zeros(n)
    for k, found in enumerate(pairing.pairings(p)):
        if found.protocol == "burst":
            final[k] = found.rate_hz**2 * (found.p_burst - 0.23)
        if found.protocol == "poisson":
            final[k] = found.rate_hz - (22 if found.p_start == 0.3 else 41)

    recording = Recording({}, {"weight": np.stack([np.zeros(n), final])[None]})
    found = measures.measures(p, Condition(), recording, None)
    expected = {
        "zero_crossing": 0.23,
        "zero_crossing_error": 0.03,
        "slope_ratio": 4.0,
        "poisson_crossing_low": 22.0,
        "poisson_crossing_high": 41.0,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert np.isnan(measures.first_crossing(np.arange(3.0), np.ones(3)))


# The rate hierarchy


SIZES = (5, 7, 6, 3)


def made_layers(variant="burstprop", seed=0, sizes=SIZES):
    own = digits.recipe(params_of("naud", "shared_yinyang"), variant)
    return Layers.draw(sizes, own, np.random.default_rng(seed)), own


def made_batch(n=4, seed=1):
    rng = np.random.default_rng(seed)
    return rng.random((n, SIZES[0])).astype(np.float32), np.eye(3, dtype=np.float32)[
        rng.integers(3, size=n)
    ]


def as_double(layers):
    """The same weights in double precision, for finite differences."""
    return Layers(
        *(
            [np.asarray(a, float) for a in kind]
            for kind in (layers.forward, layers.bias, layers.feedback)
        )
    )


def gradient_credit(layers, activity, targets):
    """Minus the derivative of the cross-entropy by every unit's input, lowest layer first."""
    return model.back_propagated(layers, activity, targets - activity[-1])


def test_gradient_credit_against_finite_differences(monkeypatch):
    for module in (model, by_rates):
        monkeypatch.setattr(module, "Float", np.float64)
    layers = as_double(made_layers()[0])
    features, targets = made_batch()

    def loss():
        y = model.rates(layers, features)[-1]
        return -float((targets * np.log(y) + (1 - targets) * np.log(1 - y)).sum())

    activity = model.rates(layers, features)
    credit = gradient_credit(layers, activity, targets)
    for k, weights in enumerate(layers.forward):
        analytic = -activity[k].T @ credit[k]
        np.testing.assert_allclose(slopes(loss, weights), analytic, rtol=1e-4, atol=1e-8)


def test_aligned_feedback_makes_the_burst_rule_backprop(monkeypatch):
    """Eqs. 40-43 with Y = W^T: the gradient times the output's burst probability at rest."""
    for module in (model, by_rates):
        monkeypatch.setattr(module, "Float", np.float64)
    layers, own = made_layers()
    layers = as_double(layers)
    layers.feedback = [weights.T.copy() for weights in layers.forward[1:]]
    own = replace(own, p_output=1e-4)
    features, targets = made_batch()
    activity = model.rates(layers, features)
    assert activity[-1].min() > own.p_output, "outputs must not be clipped here"
    ours = by_rates.burst_credit(layers, activity, targets, own)
    theirs = gradient_credit(layers, activity, targets)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a / own.p_output, b, rtol=1e-4, atol=1e-7)


def trained(variant, **changes):
    rng = np.random.default_rng(2)
    features = rng.random((256, SIZES[0])).astype(np.float32)
    classes = (features[:, :3] + 0.1 * rng.random((256, 3))).argmax(axis=1)
    changes = {"batch": 16, "eta_hidden": 12.0, "eta_output": 2.4, **changes}
    own = replace(digits.recipe(params_of("naud", "shared_yinyang"), variant), **changes)
    return by_rates.train(
        SIZES,
        (features, classes),
        (features, classes),
        own,
        init=np.random.default_rng(5),
        shuffle=np.random.default_rng(6),
        progress=lambda share, news: None,
    ), own


def test_learned_feedback_keeps_its_difference_up_to_decay():
    """Eq. 45: forward and feedback get the same change, so only decay brings them together."""
    before, _ = made_layers(seed=5)
    (still, _), (fading, own) = (trained("burstprop", epochs=2, decay=d) for d in (0.0, 0.03))
    steps, shrink = 2 * 256 // 16, {}
    for which, layers in (("still", still), ("fading", fading)):
        shrink[which] = [
            float(np.linalg.norm(y - w.T) / np.linalg.norm(y0 - w0.T))
            for w, y, w0, y0 in zip(
                layers.forward[1:],
                layers.feedback,
                before.forward[1:],
                before.feedback,
                strict=True,
            )
        ]
    np.testing.assert_allclose(shrink["still"], 1.0, rtol=1e-4)
    for k, found in enumerate(shrink["fading"]):
        eta = own.eta_output if k == len(SIZES) - 3 else own.eta_hidden
        done = np.arange(steps) / steps
        fade = own.decay * np.maximum(0, 1 - done / own.decay_share)
        expected = float(np.prod(1 - eta * own.eta_end**done * fade))
        assert found == pytest.approx(expected, rel=1e-3)
        assert expected < 0.95


def test_fixed_feedback_stays_as_drawn():
    start, _ = made_layers("fixed_feedback", seed=5)
    fixed, _ = trained("fixed_feedback", epochs=2)
    assert not np.array_equal(fixed.forward[0], start.forward[0])
    np.testing.assert_equal(fixed.feedback, start.feedback)
