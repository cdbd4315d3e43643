"""S4NN: the kernel against the statement of the README."""

import numpy as np
import pytest
from made.bars import NEURONS, T_MAX, random_case
from oracles import masquelier_reference as reference

from whyspiking.errors import UserError
from whyspiking.talks.masquelier import compiled, model
from whyspiking.talks.masquelier.network import Averaged, Rule, order_spikes

SIZES = ([30, 21, 5], [30, 64, 32], [30, 17, 2], [30, 4, 33], [30, 1, 8])


@pytest.mark.parametrize("sizes", SIZES)
def test_kernel_is_the_reference(vectors, sizes):
    """Tick for tick; learning, averaging, decay and a frozen hidden layer to rounding."""
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
        rule = Rule(5, 0.2, 1e-3, whole=seed % 2 > 0, frozen=int(seed % 3 == 2))
        order, results = np.tile(np.arange(12), 5), []
        for engine in (compiled, reference):
            learned, means = (tuple(w.copy() for w in weights) for _ in range(2))
            told = learned, Averaged(means, 0.3, 4), NEURONS, rule
            results.append((learned, means, engine.train_epoch(events, targets, order, *told)))
        for ours, theirs in zip(*(r[0] + r[1] for r in results), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)
        np.testing.assert_equal(results[0][2], results[1][2])
        moved = [(a != b).any() for a, b in zip(results[0][0], weights, strict=True)]
        assert moved == [rule.frozen == 0, True]


def test_layers_must_fit_each_other():
    ticks, targets, weights = random_case(0)
    events = order_spikes(ticks, T_MAX)
    for bad in ((weights[0], weights[0]), (weights[0][:-1], weights[1])):
        with pytest.raises(UserError, match="30 pixels, but the weights have the shapes"):
            compiled.forward(events, bad, NEURONS)
    with pytest.raises(ValueError, match="float64"):
        mixed = (weights[0], weights[1].astype(np.float32))
        compiled.train_epoch(events, targets, np.arange(12), mixed, None, NEURONS, Rule(5, 0.1, 0))
