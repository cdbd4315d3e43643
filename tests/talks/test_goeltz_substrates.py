"""Goeltz: training from scratch on substrates, more hidden layers, spikes up to the decision."""

import numpy as np
import pytest
from made.fulfilled import fulfilled
from made.goeltz_settings import params, silent

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Condition, Recording
from whyspiking.talks.goeltz import distortion, learning, measures_few, model, substrates
from whyspiking.training.first_spike import compiled

LIMITS = {"fixed_point": 2.1, "fixed_point_wide": 4.2}


def test_fixed_point_is_that_of_the_chip():
    """Six bits and a sign: whole thirtieths up to 63/30, whatever the ideal weights are."""
    rng = np.random.default_rng(0)
    weights = (rng.normal(0, 2, (5, 40)), rng.normal(0, 0.1, (41, 3)))
    held = distortion.distorted_weights(
        Condition("fixed_point", "weights", 7.0), weights, weights, LIMITS
    )
    for w, was in zip(held, weights, strict=True):
        np.testing.assert_allclose(w * 30, np.round(w * 30), atol=1e-9)
        np.testing.assert_allclose(w, np.clip(was, -2.1, 2.1), atol=1 / 60 + 1e-9)
    assert np.abs(held[0]).max() == pytest.approx(63 / 30)
    wide = Condition("fixed_point_wide", "weights", 4.0)
    (coarse, _) = distortion.distorted_weights(wide, weights, weights, LIMITS)
    np.testing.assert_allclose(coarse / 0.6, np.round(coarse / 0.6), atol=1e-9)


def test_slow_membranes_have_the_other_closed_form():
    own = params("substrates")
    times = np.random.default_rng(1).uniform(0.15, 2.0, (30, 5))
    weights = learning.initial_weights(own, Streams(0))
    taus = distortion.taus_of(own, Condition("tau_shift", "neurons", 2.0), Streams(0))
    exact = model.uneven_substrate(own, taus)(times, weights)
    numeric = compiled.forward_general(
        times, weights[0], taus["tau_m_hidden"], taus["tau_s_hidden"], np.array(1.0)
    )
    np.testing.assert_allclose(exact.hidden.times, numeric, atol=1e-5)
    ideal = model.ideal_substrate(own)(times, weights).hidden
    fired = np.isfinite(exact.hidden.times)
    # The rule for equal time constants: its slope at the measured time, another than at its own.
    assert (exact.hidden.slopes[fired] != ideal.slopes[fired]).any()


def test_every_variant_is_judged_on_the_same_substrates():
    own = params("substrates", epochs=1, n_train=300, sham_epochs=2)
    talk = fulfilled(own)
    ideal = talk.train(own, "ideal", Streams(0), {}, silent)
    adapted = talk.train(own, "adapted", Streams(0), {"substrates/ideal": ideal}, silent)
    others = {name: talk.train(own, name, Streams(0), {}, silent) for name in ("sham", "elsewhere")}
    planned = substrates.conditions(own)
    names = {distortion.name_of(condition) for condition in planned}
    forms = talk.bind(own, adapted).forms
    assert {name for name, form in forms.items() if "w_hidden" in form} == names
    for other in (adapted, *others.values()):
        for key, array in ideal.arrays.items():
            if "tau_" in key.rpartition("/")[2]:
                np.testing.assert_array_equal(array, other.arrays[key])
    assert others["sham"].info["epochs"] == 2 * others["elsewhere"].info["epochs"] == 2
    spread = next(c for c in planned if c.perturbation == "tau_spread")
    here, there = (
        distortion.taus_of(own, spread, Streams(0), chip)["tau_m_hidden"]
        for chip in ("", " elsewhere")
    )
    assert (here != there).all()
    # From scratch: no trace of the ideal network in what was learned on a substrate.
    start = learning.initial_weights(own, Streams(0))[0]
    for name in names:
        moved = np.abs(forms[name]["w_hidden"] - np.clip(start, -4.2, 4.2)).mean()
        assert 0 < moved < 1.0
    test = talk.make_task(own, "test", Streams(0))
    for condition in planned:
        _, bound = talk.vary(own, condition, test, talk.bind(own, ideal), np.random.default_rng(0))
        slow = bound.values["hidden.tau_m"] / bound.values["hidden.tau_s"]
        assert (slow == 2).all() == (condition.perturbation == "tau_shift")
    assert talk.make_task(own, "fresh", Streams(0)) is None


def test_gradient_through_two_hidden_layers_is_central_difference():
    own = params(
        n_hidden=[12, 9], hidden_mean=1.5, further_mean=0.8, further_sd=0.8, max_dw_norm=np.inf
    )
    weights = tuple(w.astype(float) for w in learning.initial_weights(own, Streams(2)))
    assert [w.shape for w in weights] == [(5, 12), (13, 9), (10, 3)]
    rng = np.random.default_rng(0)
    times = np.hstack([rng.uniform(0.15, 2.0, (20, 4)), np.full((20, 1), 0.9)])
    targets = rng.integers(0, 3, 20)
    forward = model.ideal_substrate(own)
    spikes = forward(times, weights)
    found = model.gradients(
        own, spikes, weights, learning.loss(spikes.output.times, targets, own)[1]
    )
    for layer in range(3):
        direction, sides = rng.normal(size=weights[layer].shape), []
        for step in (1e-7, -1e-7):
            moved = (*weights[:layer], weights[layer] + step * direction, *weights[layer + 1 :])
            sides.append(learning.loss(forward(times, moved).output.times, targets, own)[0])
        expected = (sides[0] - sides[1]) / 2e-7
        assert abs(expected) > 1e-3
        assert np.sum(found[layer] * direction) == pytest.approx(expected, rel=1e-3, abs=1e-5)
    with pytest.raises(ValueError, match="first hidden layer"):
        model.values(own, weights)


def test_batches_and_whole_epochs_learn_the_same_in_three_layers():
    own = params(
        n_hidden=[12, 9], further_mean=0.8, further_sd=0.8, epochs=2, n_train=300, batch=50
    )
    whole = learning.train(own, Streams(1), silent)
    parts = learning.train(own, Streams(1), silent, distortion=learning.Distortion())
    assert set(whole.arrays) == {"w_hidden", "w_hidden_2", "w_output"}
    for a, b in zip(model.weights_of(whole), model.weights_of(parts), strict=True):
        np.testing.assert_allclose(a, b, atol=5e-3)
    kept = learning.train(own, Streams(1), silent, frozen=1)
    np.testing.assert_array_equal(
        kept.arrays["w_hidden"], learning.initial_weights(own, Streams(1))[0]
    )
    assert (kept.arrays["w_hidden_2"] != whole.arrays["w_hidden_2"]).any()


def test_spikes_are_counted_up_to_the_first_output():
    own = params("few_spikes")
    first = {
        "hidden": [[1.0, 2.0], [1.0, np.inf], [1.0, 1.0]],
        "hidden_2": [[1.5, np.inf], [0.5, 3.0], [1.0, 1.0]],
        "output": [[2.0, 1.5], [np.inf, 0.7], [np.inf, np.inf]],
    }
    spikes = {n: Spikes.from_first_spikes(np.array(t), 4.0) for n, t in first.items()}
    found = measures_few.measures(own, Condition(), Recording(spikes), None)
    # 2 of 4 in the first trial, 1 of 4 in the second; the third decides nothing.
    assert found == {"hidden_before_decision": pytest.approx(3 / 8)}
    assert measures_few.measures(own, Condition("clip"), Recording(spikes), None) == {}
