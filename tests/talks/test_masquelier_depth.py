"""S4NN with several hidden layers: the kernel, the statement of the README, and Brian2."""

import numpy as np
import pytest
from made.bars import NEURONS, T_MAX, made_digits, random_case
from made.project import params_of, silent
from oracles import masquelier_reference as reference

from whyspiking.contract.randomness import Streams
from whyspiking.errors import UserError
from whyspiking.talks.masquelier import compiled, learning, model
from whyspiking.talks.masquelier.network import Averaged, Rule, of_layers, order_spikes

SIZES = ([30, 21, 5], [30, 64, 32], [30, 17, 21, 5], [30, 9, 40, 3, 6], [30, 4, 33, 16, 8, 2])


@pytest.mark.parametrize("sizes", SIZES)
def test_kernel_is_the_reference(vectors, sizes):
    """Tick for tick; learning, averaging, decay and frozen layers to rounding."""
    for seed in range(6):
        ticks, targets, weights = random_case(seed, sizes)
        events = order_spikes(ticks, T_MAX)
        ours, theirs = (e.forward(events, weights, NEURONS) for e in (compiled, reference))
        np.testing.assert_array_equal(ours.hidden, theirs.hidden)
        np.testing.assert_array_equal(ours.output, theirs.output)
        np.testing.assert_allclose(ours.potential, theirs.potential, atol=1e-12)
        early = compiled.forward(events, weights, NEURONS, whole=False)
        np.testing.assert_array_equal(
            model.strict(early.output, early.potential), model.strict(ours.output, ours.potential)
        )
        rule = Rule(5, 0.2, 1e-3, whole=seed % 2 > 0, frozen=seed % min(3, len(weights)))
        order, results = np.tile(np.arange(12), 5), []
        for engine in (compiled, reference):
            learned, means = (tuple(w.copy() for w in weights) for _ in range(2))
            told = learned, Averaged(means, 0.3, 4), NEURONS, rule
            results.append((learned, means, engine.train_epoch(events, targets, order, *told)))
        for ours, theirs in zip(*(r[0] + r[1] for r in results), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)
        np.testing.assert_equal(results[0][2], results[1][2])
        moved = [(a != b).any() for a, b in zip(results[0][0], weights, strict=True)]
        assert moved == [k >= rule.frozen for k in range(len(weights))]


def test_it_trains_and_revives_neurons_of_every_layer(monkeypatch):
    own = params_of(
        "masquelier",
        "mnist_strict",
        **{
            **made_digits(monkeypatch),
            "more_hidden": [15],
            "epochs": 2,
            "further_limits": [-2.0, 30.0],
            "reset_output": False,
        },
    )
    found = learning.train(own, "spiking", Streams(0), {}, silent)
    assert [w.shape for w in found.arrays.values()] == [(64, 20), (20, 15), (15, 4)]
    weights = learning.initial_weights(own, Streams(0).rng("init"))
    for name, start in model.as_arrays(weights).items():
        assert np.abs(found.arrays[name] - start).max() > 0.1, "every layer must have learned"
    assert weights[1].min() < 0 < weights[0].min() and 20 < weights[1].max() < 30
    before = tuple(w.copy() for w in weights)
    mask = np.zeros(35, bool)
    mask[[3, 20, 34]] = True
    learning.reset(own, weights, mask, np.random.default_rng(0))
    of_first, of_second = of_layers(mask, weights)
    np.testing.assert_array_equal((weights[0] != before[0]).any(axis=0), of_first)
    np.testing.assert_array_equal((weights[1] != before[1]).any(axis=0), of_second)
    np.testing.assert_array_equal(weights[2], before[2])


def test_layers_must_fit_each_other():
    ticks, _, weights = random_case(0, SIZES[0])
    events = order_spikes(ticks, T_MAX)
    for bad in ((weights[0], weights[0]), (weights[0],), (weights[0][:-1], *weights[1:])):
        with pytest.raises(UserError, match="30 pixels meet weights of sizes"):
            compiled.forward(events, bad, NEURONS)
