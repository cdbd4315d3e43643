"""M3 of neftci: gradients against automatic differentiation, known cosines, no side effects."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from made import neftci_networks
from made.neftci_networks import LOCAL, STEP, digits, params, shown

from whyspiking.contract.randomness import Streams
from whyspiking.talks.neftci import alignment, model, once_per_batch, training
from whyspiking.talks.neftci.alignment import Gradient
from whyspiking.talks.neftci.model import Weights


def network_of(own, **constants):
    """Weights in float64, so that no spike depends on rounding."""
    found, c = neftci_networks.network_of(own)
    double = Weights(*([np.asarray(x, float) for x in kind] for kind in found))
    return double, c._replace(**constants)


def batch_of(own, n=6):
    data = digits(own, n, seed=1)
    return data.unpacked().astype(float), np.eye(own.n_classes)[data.labels]


def gradients(own, **constants):
    """The local gradient and that of back-propagation through time, layer by layer."""
    weights, c = network_of(own, **constants)
    frames, target = batch_of(own)
    courses = alignment.forward(c, weights, frames)
    given = c, weights, courses, target
    return alignment.local(*given), alignment.end_to_end(*given)


def test_both_gradients_are_those_of_jax():
    """End to end: automatic differentiation. Local: Eq. 7 step by step, itself tested elsewhere."""
    own = params()
    weights, c = network_of(own)
    assert 0.001 < c.gamma < 0.1
    # As at the published step of 1 ms, where the refractory trace reaches over several steps.
    c = c._replace(gamma=0.65)
    frames, target = batch_of(own)
    courses = alignment.forward(c, weights, frames)
    whole = alignment.end_to_end(c, weights, courses, target)
    ours = alignment.local(c, weights, courses, target)
    with jax.enable_x64(True):
        given = Weights(*([jnp.asarray(x) for x in kind] for kind in weights))
        all_steps = jax.jit(once_per_batch.end_to_end_gradients, static_argnums=0)
        w, b = all_steps(c, given, jnp.asarray(frames), jnp.asarray(target))
        expected = [Gradient(np.zeros_like(x), np.zeros_like(y)) for x, y in zip(w, b, strict=True)]
        state = model.silent(given, len(target))
        for index, spikes in enumerate(frames):
            state, *seen = STEP(c, given, state, jnp.asarray(spikes))
            if index >= c.burn_in:
                slopes = LOCAL(c, given, *seen, jnp.asarray(target))
                expected = [
                    Gradient(total.w + x, total.b + y)
                    for total, x, y in zip(expected, *slopes, strict=True)
                ]
    for layer in range(3):
        assert 0.05 < courses[layer].spikes.mean() < 0.95
        for found, wanted in (
            (whole[layer].w, w[layer]), (whole[layer].b, b[layer]),
            (ours[layer].w, expected[layer].w), (ours[layer].b, expected[layer].b),
        ):  # fmt: skip
            np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-14)
            assert np.abs(found).max() > 1e-5


def test_of_one_layer_that_is_never_refractory_both_gradients_are_the_same():
    """Nothing of the past then depends on the weights, so the local gradient is the gradient."""
    one, two = params(hidden=[12]), params(hidden=[12, 10])
    ours, whole = gradients(one, gamma=1.0)
    np.testing.assert_allclose(ours[0].w, whole[0].w, rtol=1e-12)
    found = alignment.cosines(ours, whole)
    assert found == pytest.approx({"layer1": 1.0, "network": 1.0}, abs=1e-12)
    # With a refractory trace they part, and so they do below a layer that only the gradient sees.
    assert alignment.cosines(*gradients(one, gamma=0.5))["layer1"] < 0.9999
    found = alignment.cosines(*gradients(two, gamma=1.0))
    assert found["layer2"] == pytest.approx(1.0, abs=1e-12)
    assert abs(found["layer1"]) < 0.9


def test_cosines_of_known_vectors():
    a = [
        Gradient(np.array([[3.0, 0.0]]), np.array([0.0, 4.0])),
        Gradient(np.zeros((1, 1)), np.zeros(1)),
    ]
    b = [
        Gradient(np.array([[0.0, 1.0]]), np.array([0.0, 1.0])),
        Gradient(np.ones((1, 1)), np.ones(1)),
    ]
    # 4 / (5 sqrt 2); a zero has no direction; 4 / (5 sqrt 4) of all.
    expected = {"layer1": 4 / (5 * np.sqrt(2)), "layer2": 0.0, "network": 0.4}
    assert alignment.cosines(a, b) == pytest.approx(expected)
    opposite = [Gradient(-x.w, -x.b) for x in b]
    assert alignment.cosines(b, opposite)["network"] == pytest.approx(-1.0)


def test_moments_reach_from_start_to_end():
    expected = {(0, 20): set(), (5, 20): {0, 5, 10, 15, 20}, (5, 3): {0, 1, 2, 3}}
    assert {asked: alignment.moments(*asked) for asked in expected} == expected


def test_learning_does_not_notice_and_history_and_metrics_hold_the_same_cosines(monkeypatch):
    """Two networks from the same digits and seed, the second compared at five moments."""
    small = {"hidden": [24, 16], "epochs": 2, "n_init": 40, "batch_online": 20, "align_batches": 3}
    plain, found = (params(**small, align_points=points) for points in (0, 5))
    shown(monkeypatch, plain, 200, 40)
    plain, found = (
        training.train(own, "spiking", Streams(0), lambda *_: None) for own in (plain, found)
    )
    np.testing.assert_equal(found.arrays, plain.arrays)

    def told(found):
        return [
            (row["epoch"], row["metric"], row["value"])
            for row in found.history
            if not row["metric"].startswith(alignment.PREFIX) and row["metric"] != "epoch_seconds"
        ]

    assert told(plain) == told(found)
    assert plain.info["measures"] == {}
    epochs = {row["epoch"] for row in found.history if row["metric"] == "alignment_network"}
    assert epochs == {0.0, 0.5, 1.0, 1.5, 2.0}
    measures = found.info["measures"]
    places = ("layer1", "layer2", "network")
    assert set(measures) == {
        f"alignment_{place}{ending}" for place in places for ending in ("", "_permuted")
    }
    for metric, value in measures.items():
        rows = [row["value"] for row in found.history if row["metric"] == metric]
        assert len(rows) == 5
        assert value == pytest.approx(np.mean(rows))
        assert -1 <= value <= 1
    # The last layer differs by its refractory trace only, and labels do matter.
    assert measures["alignment_layer2"] > 0.9
    assert measures["alignment_layer2"] - measures["alignment_layer2_permuted"] > 0.1
