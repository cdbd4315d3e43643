"""Trainings of neftci and scherr end at a number that is not finite, and say where it is."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from made.neftci_networks import params, shown
from made.project import params_of, silent

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Recording
from whyspiking.errors import UserError
from whyspiking.talks.neftci import gru, regression, training
from whyspiking.talks.scherr import evidence, kernel, oneshot, pattern


@pytest.mark.parametrize("rule", sorted(training.RULES))
def test_digits_end_at_the_first_step_that_is_not_finite(rule, monkeypatch):
    """A rate that is not finite after the first of three epochs of five batches."""
    own = params(
        rule=rule, epochs=3, n_init=40, batch_online=20, batch_batched=20, batch_end_to_end=20
    )
    shown(monkeypatch, own, 100, 20)
    learn, calls = training.RULES[rule], []

    def breaking(now, g, frames, *rest):
        calls.append(None)
        if len(calls) == 8:
            now = now._replace(w=[now.w[0], now.w[1] * np.nan, now.w[2]])
        return learn(now, g, frames, *rest)

    monkeypatch.setitem(training.RULES, rule, breaking)
    with pytest.raises(UserError, match=r"w2.* not finite at epoch 2, step 3"):
        training.train(own, "spiking", Streams(0), silent)
    assert len(calls) == 10


def test_gru_ends_at_the_step_after_a_rate_without_bounds(monkeypatch):
    own = params(epochs=1, batch_gru=20, rate_gru=np.inf)
    shown(monkeypatch, own, 100, 20)
    with pytest.raises(UserError, match=r"gradient of bias, .* not finite at epoch 1, step 2"):
        gru.train(own, Streams(0), silent)


@pytest.mark.parametrize("of", ["w", "w_out", "loss"])
@pytest.mark.parametrize(
    ("train", "own", "variant", "unit"),
    [
        (evidence.train, params_of("scherr", "evidence", align_every=100), "lif_only", "iteration"),
        (pattern.train, params_of("scherr", "pattern"), "random", "trial"),
    ],
)
def test_kernels_end_at_the_first_batch_that_is_not_finite(
    train, own, variant, unit, of, monkeypatch
):
    by_rule, calls = kernel.by_rule, []

    def breaking(*given):
        found = by_rule(*given)
        calls.append(None)
        if len(calls) < 4:
            return found
        value = getattr(found, of)
        return replace(found, **{of: np.where(np.arange(np.size(value)) == 0, np.inf, 0.0)})

    monkeypatch.setattr(kernel, "by_rule", breaking)
    name = "loss" if of == "loss" else f"gradient of {of}"
    with pytest.raises(UserError, match=rf"not finite at {unit} 4: the {name} \(learning rate"):
        train(own, variant, Streams(0), {}, silent)


def test_what_jax_trains_ends_at_the_step_after_a_rate_without_bounds():
    own = params_of("scherr", "oneshot", outer_rate=np.inf)
    with pytest.raises(UserError, match=r"not finite at outer iteration 2: .*the gradient of w"):
        oneshot.train(own, "spiking", Streams(0), {}, silent)


def test_time_series_inside_brian_end_with_weights_that_are_not_finite(monkeypatch):
    found = params_of("neftci", "regression")

    def learned(machine, params, start, *_):
        wide = [params.n_in, *params.hidden]
        final = {f"s{k}.w": np.zeros(a * b) for k, (a, b) in enumerate(pairwise(wide), 1)}
        final |= {f"layer{k}.b": np.zeros(n) for k, n in enumerate(params.hidden, 1)}
        final["s3.w"][5] = np.inf
        return Recording({}, {}, {}, final)

    monkeypatch.setattr("whyspiking.brian.Machine", lambda *_: None)
    monkeypatch.setattr(regression, "_learn", learned)
    with pytest.raises(UserError, match=r"not finite after 12 trials: w3 "):
        regression.train(found, "spiking", Streams(0), {}, silent)
