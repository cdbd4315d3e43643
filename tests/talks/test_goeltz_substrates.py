"""Goeltz: imperfect substrates, more hidden layers, spikes up to the decision."""

from functools import partial

import numpy as np
import pytest
from made.fulfilled import fulfilled
from made.project import params_of, silent

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Condition, Recording
from whyspiking.talks.goeltz import (
    brian_network,
    imperfections,
    learning,
    measures,
    model,
    stepwise,
    substrates,
)
from whyspiking.training.first_spike import compiled


def test_fixed_point_is_that_of_the_chip():
    """Six bits and a sign: whole thirtieths up to 63/30, whatever the ideal weights are."""
    rng = np.random.default_rng(0)
    weights = (rng.normal(0, 2, (5, 40)), rng.normal(0, 0.1, (41, 3)))
    own = params_of("goeltz", "substrates")
    held = imperfections.held(own, Condition("fixed_point", "weights", 7.0), weights)
    for w, was in zip(held, weights, strict=True):
        np.testing.assert_allclose(w * 30, np.round(w * 30), atol=1e-9)
        np.testing.assert_allclose(w, np.clip(was, -2.1, 2.1), atol=1 / 60 + 1e-9)
    assert np.abs(held[0]).max() == pytest.approx(63 / 30)
    wide = Condition("fixed_point_wide", "weights", 4.0)
    (coarse, _) = imperfections.held(own, wide, weights)
    np.testing.assert_allclose(coarse / 0.6, np.round(coarse / 0.6), atol=1e-9)
    assert imperfections.held(own, Condition("jitter", "input", 0.1), weights) is weights


def test_jitter_reflects_and_keeps_silence():
    times = np.array([[0.01, np.inf]] * 2000)
    moved = imperfections.jittered(times, 0.2, np.random.default_rng(0))
    assert (moved[:, 0] >= 0).all() and np.isinf(moved[:, 1]).all()
    assert moved[:, 0].std() == pytest.approx(0.2 * np.sqrt(1 - 2 / np.pi), rel=0.1)


@pytest.mark.parametrize("ratio", [1, 2])
def test_uneven_neurons_without_spread_are_ideal(ratio):
    own = params_of("goeltz", "substrates", tau_ratio=ratio)
    times = np.random.default_rng(1).uniform(0.15, 2.0, (100, 5))
    weights = tuple(w.astype(float) for w in learning.initial_weights(own, Streams(0)))
    # A trace of a spread: without any, both take the same closed form.
    taus = imperfections.taus_of(own, Condition("tau_spread", "neurons", 1e-12), Streams(0))
    ideal = model.closed_form(own)(times, weights)
    uneven = imperfections.uneven_neurons(own, taus)(times, weights)
    for a, b in zip(ideal.layers, uneven.layers, strict=True):
        fired = np.isfinite(a.times)
        np.testing.assert_array_equal(fired, np.isfinite(b.times))
        np.testing.assert_allclose(b.times[fired], a.times[fired], atol=1e-9)
        np.testing.assert_allclose(b.slopes, a.slopes, atol=1e-6)


def test_slow_membranes_have_the_other_closed_form():
    own = params_of("goeltz", "substrates")
    times = np.random.default_rng(1).uniform(0.15, 2.0, (30, 5))
    weights = learning.initial_weights(own, Streams(0))
    taus = imperfections.taus_of(own, Condition("tau_shift", "neurons", 2.0), Streams(0))
    exact = imperfections.uneven_neurons(own, taus)(times, weights)
    numeric = compiled.forward_general(
        times, weights[0], taus["tau_m_hidden"], taus["tau_s_hidden"], np.array(1.0)
    )
    np.testing.assert_allclose(exact.hidden.times, numeric, atol=1e-5)


def test_every_variant_is_judged_on_the_same_substrates():
    own = params_of("goeltz", "substrates", epochs=1, n_train=300, sham_epochs=2)
    talk = fulfilled(own)
    ideal = talk.train(own, "ideal", Streams(0), {}, silent)
    adapted = talk.train(own, "adapted", Streams(0), {"substrates/ideal": ideal}, silent)
    others = {name: talk.train(own, name, Streams(0), {}, silent) for name in ("sham", "elsewhere")}
    planned = substrates.conditions(own)
    names = {imperfections.name_of(condition) for condition in planned}
    forms = talk.bind(own, adapted).forms
    assert {name for name, form in forms.items() if "w_hidden" in form} == names
    for other in (adapted, *others.values()):
        for key, array in ideal.arrays.items():
            if "tau_" in key.rpartition("/")[2]:
                np.testing.assert_array_equal(array, other.arrays[key])
    assert others["sham"].info["epochs"] == 2 * others["elsewhere"].info["epochs"] == 2
    spread = next(c for c in planned if c.perturbation == "tau_spread")
    here, there = (
        imperfections.taus_of(own, spread, Streams(0), chip)["tau_m_hidden"]
        for chip in ("", " elsewhere")
    )
    assert (here != there).all()
    test, plain = talk.make_task(own, "test", Streams(0)), talk.bind(own, ideal)
    for condition in planned:
        kind = condition.perturbation
        changed, bound = talk.vary(own, condition, test, plain, np.random.default_rng(0))
        slow = bound.values["hidden.tau_m"] / bound.values["hidden.tau_s"]
        assert (slow == 2).all() == (kind == "tau_shift")
        assert (np.ptp(slow) > 0) == (kind == "tau_spread")
        same = np.array_equal(bound.values["s_hidden.w"], plain.values["s_hidden.w"])
        assert same == (kind in ("tau_spread", "tau_shift", "jitter"))
        first, was = (t.stimulus.spikes["input"].first_ms() for t in (changed, test))
        assert (first[:, :4] != was[:, :4]).all() == (kind == "jitter")
        np.testing.assert_array_equal(first[:, 4], was[:, 4])
    with pytest.raises(TypeError, match="binding"):
        talk.vary(own, planned[0], test, brian_network.bind(own, ideal), np.random.default_rng(0))
    assert talk.make_task(own, "fresh", Streams(0)) is None


def test_batches_and_whole_epochs_learn_the_same():
    own = params_of("goeltz", "yinyang", n_hidden=12, epochs=2, n_train=300, batch=50)
    whole = learning.train(own, Streams(1), silent)
    ideal = stepwise.Substrate(model.closed_form(own))
    around = partial(stepwise.Stepwise, substrate=ideal)
    parts = learning.train(own, Streams(1), silent, learner=around)
    assert set(whole.arrays) == {"w_hidden", "w_output"}
    for a, b in zip(model.weights_of(whole), model.weights_of(parts), strict=True):
        np.testing.assert_allclose(a, b, atol=5e-3)
    frozen = partial(learning.Compiled, frozen=1)
    kept = learning.train(own, Streams(1), silent, learner=frozen)
    np.testing.assert_array_equal(
        kept.arrays["w_hidden"], learning.initial_weights(own, Streams(1))[0]
    )
    assert (kept.arrays["w_output"] != whole.arrays["w_output"]).any()


def test_spikes_are_counted_up_to_the_first_output():
    own = params_of("goeltz", "few_spikes")
    first = {
        "hidden": [[1.0, 2.0, 1.5], [1.0, np.inf, 0.5], [1.0, 1.0, 1.0]],
        "output": [[2.0, 1.5], [np.inf, 0.7], [np.inf, np.inf]],
    }
    spikes = {n: Spikes.from_first_spikes(np.array(t), 4.0) for n, t in first.items()}
    found = measures.measures(own, Condition(), Recording(spikes), None)
    # 2 of 3 in the first trial, 1 of 3 in the second; the third decides nothing.
    assert found == {"hidden_before_decision": pytest.approx(1 / 2)}
    assert measures.measures(own, Condition("jitter"), Recording(spikes), None) == {}
    assert (
        measures.measures(params_of("goeltz", "yinyang"), Condition(), Recording(spikes), None)
        == {}
    )


def test_learning_with_coarse_weights_helps_there():
    """Three bits up to 4.2, on validation data, in closed form."""
    own = params_of(
        "goeltz",
        "substrates",
        epochs=10,
        n_train=2000,
        bits=[3],
        tau_spreads=[],
        tau_shifts=[],
        jitters=[],
    )
    talk, coarse = fulfilled(own), Condition("fixed_point_wide", "weights", 3.0)
    ideal = talk.train(own, "ideal", Streams(0), {}, silent)
    adapted = talk.train(own, "adapted", Streams(0), {"substrates/ideal": ideal}, silent)
    form = talk.bind(own, adapted).forms[imperfections.name_of(coarse)]
    held_out = talk.make_task(own, "validation", Streams(0))
    before, after = (
        model.accuracy(own, weights, held_out, model.closed_form(own))
        for weights in (
            imperfections.held(own, coarse, model.weights_of(ideal)),
            (form["w_hidden"], form["w_output"]),
        )
    )
    assert after > before + 0.05
