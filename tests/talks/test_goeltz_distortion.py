"""Goeltz: distorted weights, spikes and time constants, and networks retrained on them."""

from dataclasses import replace

import numpy as np
import pytest
from made.fulfilled import fulfilled
from made.goeltz_settings import params, silent

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Condition
from whyspiking.talks.goeltz import distortion, learning, model


def test_distorted_weights_have_few_values_in_range():
    rng = np.random.default_rng(0)
    ideal = (rng.normal(size=(5, 8)), rng.normal(size=(9, 3)))
    wider = tuple(3 * w for w in ideal)
    for bits in (2, 3, 6):
        held = distortion.distorted_weights(Condition("quantise", "weights", bits), wider, ideal)
        for w, i in zip(held, ideal, strict=True):
            assert np.abs(w).max() == pytest.approx(np.abs(i).max())
            step = np.abs(i).max() / (2 ** (bits - 1) - 1)
            np.testing.assert_allclose(w / step, np.round(w / step), atol=1e-9)
    held = distortion.distorted_weights(Condition("clip", "weights", 0.4), wider, ideal)
    for w, i in zip(held, ideal, strict=True):
        assert np.abs(w).max() == pytest.approx(0.4 * np.abs(i).max())
    jitter = Condition("jitter", "input", 0.1)
    assert distortion.distorted_weights(jitter, wider, ideal) is wider


def test_jitter_reflects_and_keeps_silence():
    times = np.array([[0.01, np.inf]] * 2000)
    moved = distortion.jittered(times, 0.2, np.random.default_rng(0))
    assert (moved[:, 0] >= 0).all() and np.isinf(moved[:, 1]).all()
    assert moved[:, 0].std() == pytest.approx(0.2 * np.sqrt(1 - 2 / np.pi), rel=0.1)


@pytest.fixture(scope="module")
def retrained():
    """A network retrained on every kind of distortion, and the one it came from."""
    own = params("distortion", epochs=2, n_train=1000)
    base = params(epochs=12, n_train=3000, batch=100)
    parent = learning.train(base, Streams(0), silent)
    parents = {"yinyang/spiking": parent}
    news = []
    found = fulfilled(own).train(
        own, "retrained", Streams(0), parents, lambda s, text: news.append(s)
    )
    assert news == sorted(news) and news[-1] == 1.0
    plain = fulfilled(own).train(own, "unadapted", Streams(0), parents, silent)
    return own, parent, plain, found


def test_retraining_keeps_a_form_per_distortion(retrained):
    own, parent, plain, found = retrained
    names = {distortion.name_of(c) for c in fulfilled(own).conditions(own)}
    assert len(names) == 5
    forms = fulfilled(own).bind(own, found).forms
    assert set(forms) == names
    for name in names:
        assert (forms[name]["w_hidden"] != parent.arrays["w_hidden"]).any()
    assert set(fulfilled(own).bind(own, plain).forms) == {"tau_spread.neurons.0.2"}
    # Both variants sit on the same uneven substrate.
    for key, array in plain.arrays.items():
        if "tau_m" in key or "tau_s" in key:
            np.testing.assert_array_equal(array, found.arrays[key])
            assert 0.1 < (array / array.mean()).std() < 0.3 or array.size == own.n_output
    assert found.info["epochs"] == own.epochs * 5


def test_the_sham_control_learns_as_long_on_the_ideal_substrate(retrained):
    own, parent, plain, _ = retrained
    parents = {"yinyang/spiking": parent}
    found = fulfilled(own).train(own, "sham", Streams(0), parents, silent)
    assert found.info["epochs"] == own.epochs
    assert (found.arrays["w_hidden"] != parent.arrays["w_hidden"]).any()
    # It sits on the same uneven substrate, and has no weights of its own for any distortion.
    assert set(found.arrays) == set(plain.arrays)
    for key in set(plain.arrays) - {"w_hidden", "w_output"}:
        np.testing.assert_array_equal(found.arrays[key], plain.arrays[key])


def test_conditions_act_where_they_should(retrained):
    own, _parent, plain, found = retrained
    test = fulfilled(own).make_task(own, "test", Streams(0))
    for network in (plain, found):
        binding = fulfilled(own).bind(own, network)
        for condition in fulfilled(own).conditions(own):
            rng = np.random.default_rng(0)
            changed, bound = fulfilled(own).vary(own, condition, test, binding, rng)
            spikes = changed.stimulus.spikes
            same_weights = np.array_equal(bound.values["s_hidden.w"], binding.values["s_hidden.w"])
            assert same_weights == (
                network is plain and condition.perturbation in ("jitter", "tau_spread")
            )
            uneven = not np.array_equal(
                bound.values["hidden.tau_m"], binding.values["hidden.tau_m"]
            )
            assert uneven == (condition.perturbation == "tau_spread")
            moved = spikes["input"].first_ms() != test.stimulus.spikes["input"].first_ms()
            assert moved[:, 4].sum() == 0
            assert moved[:, :4].all() == (
                (condition.perturbation, condition.locus) == ("jitter", "input")
            )
            replayed = "hidden_replay" in spikes
            assert replayed == ((condition.perturbation, condition.locus) == ("jitter", "hidden"))
            assert (
                (bound.values["hidden.v_th"] == 1e9)
                if replayed
                else np.all(bound.values["hidden.v_th"] == 1.0)
            )
    with pytest.raises(TypeError, match="binding"):
        plain_binding = model.bind(own, plain)
        fulfilled(own).vary(
            own, fulfilled(own).conditions(own)[0], test, plain_binding, np.random.default_rng(0)
        )


def test_learning_on_a_substrate_helps_there(retrained):
    """Weights of two bits, on validation data, in closed form."""
    own, parent, plain, _ = retrained
    only = {"bits": [2], "tau_spreads": [], "ranges": [], "jitters": []}
    longer = replace(own, values={**own.values, "epochs": 6, **only})
    found = distortion.retrain(longer, Streams(0), parent, silent)
    held_out = fulfilled(own).make_task(own, "validation", Streams(0))
    condition = Condition("quantise", "weights", 2.0)
    scores = []
    for network in (plain, found):
        binding = fulfilled(own).bind(own, network)
        form = binding.forms.get(distortion.name_of(condition))
        weights = (
            (form["w_hidden"], form["w_output"])
            if form
            else distortion.distorted_weights(condition, binding.weights, binding.weights)
        )
        scores.append(model.accuracy(own, weights, held_out, model.ideal_substrate(own)))
    assert scores[1] > scores[0] + 0.05
