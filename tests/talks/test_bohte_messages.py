"""Rounding in training, and values that are sent when they change."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from made.fulfilled import fulfilled, task_of
from made.project import params_of, silent

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.declared import registry
from whyspiking.measures import counting
from whyspiking.talks.bohte import graded, learning, model, network, shared_tasks, training
from whyspiking.talks.bohte.task import raster
from whyspiking.training import checkpoint
from whyspiking.training.surrogates import triangle

PARAMS = params_of("bohte", "shared_randman", n_hidden=6, n_test=30)
LIMITS: dict[str, Any] = {"most_0": np.float32(0.4), "bits_0": np.float32(2)}


def twin(**arrays):
    """A network that was not trained, its values rounded."""
    first: dict[str, Any] = network.initial(PARAMS, "graded", np.random.default_rng(1))
    return ct.Network(first | LIMITS | arrays, {"cell": "graded", "engine": "jax"})


def test_the_gradient_passes_straight_through_rounding():
    """Two steps of one neuron: rounded values going forward, derivative 1 going back."""
    with jax.enable_x64(True):
        a, w, rest, drives = 0.6, 0.8, 0.1, jnp.array([1.5, 0.9])
        neuron, send = model.Neuron(rest, triangle()), graded.fire("graded", (1.5, 2.0))

        def last(drives, w):
            alpha, rho = jnp.array([a]), jnp.array([0.9])
            drive, w_rec = drives[:, None, None], jnp.reshape(w, (1, 1))
            found = model.course(neuron, 0.0, drive, w_rec, alpha, rho, None, send)
            return found.spikes[-1, 0, 0]

        value, (by_drive, by_w) = jax.value_and_grad(last, (0, 1))(drives, jnp.array(w))
    # Levels are 0, 0.5, 1 and 1.5; 0.6 - 0.1 = 0.5 is sent, then 0.86 - 0.05 - 0.1 = 0.72 as 0.5.
    assert value == pytest.approx(0.5)
    assert by_w == pytest.approx((1 - a) * 0.5)
    assert by_drive[1] == pytest.approx(1 - a)
    assert by_drive[0] == pytest.approx((a + (1 - a) * w - rest) * (1 - a))


def test_what_is_cut_has_no_gradient_and_what_rounds_to_0_has():
    slope = jax.vmap(jax.grad(lambda x: graded.rounded(x, 1.5, 2.0)))
    np.testing.assert_array_equal(slope(jnp.array([0.1, 0.7, 1.4, 1.6])), [1, 1, 1, 0])


def test_the_price_is_of_the_mean_change():
    sent = np.zeros((4, 2, 3))
    sent[1:3, 0, 1] = 0.5, 0.2  # up 0.5, down 0.3, down 0.2
    price, mean = learning.price_of_changes(3.0, [jnp.asarray(sent)])
    assert mean == pytest.approx(1.0 / 24) and price == pytest.approx(3.0 / 24)


def test_messages_of_changes_are_those_counted_by_hand(monkeypatch):
    """0 1 1 2 2 0 0 1 has four changes; a neuron that is on from the start, one."""
    values = np.zeros((2, 8, 6))
    values[0, :, 2] = 0, 1, 1, 2, 2, 0, 0, 1
    values[1, :, 3] = 2
    monkeypatch.setattr(network, "sent", lambda *_: [values])
    task = task_of(PARAMS)
    found = shared_tasks.control_counts(PARAMS, "graded_delta", twin(), task)
    assert (found["messages"], found["message_payload"]) == (2.5, 5.0)
    assert found["message_bits"] == pytest.approx(2.5 * (2 + np.log2(6)))
    assert "messages_changes" not in found
    every = shared_tasks.control_counts(PARAMS, "graded_2_bits", twin(), task)
    assert every["messages"] == (5 + 8) / 2 and every["messages_changes"] == 2.5
    assert every["message_bits_changes"] == found["message_bits"]
    saved = (every["messages"] - 2.5) * (PARAMS.n_hidden + PARAMS.n_output)
    assert every["macs_effective"] - found["macs_effective"] == pytest.approx(saved)


def test_receivers_that_hold_the_last_value_make_the_same_network():
    """Eqs. 1 to 5 in NumPy; synapses and readout know a value only by messages of its changes."""
    rng, net = np.random.default_rng(5), twin()
    net.arrays["bias_0"] = rng.normal(1.0, 1.0, 6)
    x = raster(PARAMS, task_of(PARAMS))[:5].astype(float)
    w = {name: np.asarray(values, float) for name, values in net.arrays.items()}
    alpha, rho = (np.exp(-np.exp(-w[f"log_tau_{k}_0"])) for k in ("mem", "adapt"))
    kappa, level = np.exp(-np.exp(-w["log_tau_out"])), w["most_0"] / 3
    rest, beta = float(PARAMS.threshold), float(PARAMS.adaptation)
    outputs, messages = np.zeros((*x.shape[:2], PARAMS.n_output)), 0
    for trial in range(len(x)):
        u, eta, own, held, o = np.zeros(6), np.full(6, rest), np.zeros(6), np.zeros(6), 0.0
        for t, now in enumerate(x[trial]):
            eta = rho * eta + (1 - rho) * own
            theta = rest + beta * eta
            drive = now @ w["w_in_0"] + w["bias_0"] + held @ w["w_rec_0"]
            u = alpha * u + (1 - alpha) * drive - theta * own
            own = level * np.round(np.clip(u - theta, 0, w["most_0"]) / level)
            for k in range(6):
                if own[k] != held[k]:
                    held[k], messages = own[k], messages + 1
            o = kappa * o + (1 - kappa) * (held @ w["w_out"] + w["b_out"])
            outputs[trial, t] = o
    with jax.enable_x64(True):
        (sent,) = network.sent(PARAMS, "graded", net.arrays, x, np.float64)
        found = network.outputs(PARAMS, "graded", net.arrays, x, np.float64)
    np.testing.assert_allclose(found, outputs, atol=1e-9)
    assert messages > 30
    counted = counting.traffic(np.diff(sent, axis=1, prepend=0), 2)
    assert counted["messages"] == messages / len(x)


def test_rounded_twins_are_trained_further_and_never_worse_than_before(tmp_path):
    """Two rates in one job, each with its checkpoint; what is sent keeps its levels."""
    train = fulfilled(PARAMS).train
    parent = ct.Network(
        network.initial(PARAMS, "graded", np.random.default_rng(1)), {"cell": "graded"}
    )
    easier = {"dimension": 2, "epochs": 50}
    own = params_of("bohte", "shared_randman", n_hidden=6, message_bits=2, **easier)
    with checkpoint.kept_in(tmp_path, {}, []):
        found = train(own, "graded_2_bits", Streams(0), {"twin": parent}, silent)
    assert found.arrays["bits_0"] == 2 and found.info["cell"] == "graded"
    x, wanted = raster(own, task_of(own, "validation")), task_of(own, "validation").targets
    (sent,) = network.sent(own, "graded", parent.arrays, x)

    def right(arrays):
        task = task_of(own, "validation")
        net = ct.Network(arrays, {"cell": "graded"})
        return (shared_tasks.evaluate(own, "", net, task).choices == wanted).mean()

    before = graded.coarser(parent, sent, 2, right)
    assert found.arrays["most_0"] == before.arrays["most_0"]
    assert right(found.arrays) > right(before.arrays)
    assert not np.array_equal(found.arrays["w_rec_0"], before.arrays["w_rec_0"])


def test_settings_share_the_further_training_and_the_best_is_taken(monkeypatch):
    """Of changes with a price: fewest among those that lose little; else the most accurate."""
    tried = []
    results = iter([(0.90, 9), (0.893, 4), (0.85, 1), (0.92, 9), (0.91, 2)])

    def trained(params, variant, *_, start):
        tried.append((params.epochs, params.rate_graded, params.penalty))
        share, changes = next(results)
        return twin(share=share, changes=changes)

    monkeypatch.setattr(training, "train_classes", trained)
    monkeypatch.setattr(network, "outputs", lambda p, cell, arrays, x: arrays["share"])
    right = lambda p, share: np.where(np.arange(1000) < 1000 * share, 0, 1)  # noqa: E731
    monkeypatch.setattr(shared_tasks.one_class, "chosen", right)
    sent = lambda p, cell, arrays, x: [np.arange(1, arrays["changes"] + 1)[None, :, None]]  # noqa: E731
    monkeypatch.setattr(network, "sent", sent)
    start = twin(share=0.90, changes=20)
    told = dict(epochs=60, rate_graded=0.01, message_share=0.2, message_loss=0.01)

    def further(variant, **values):
        own = params_of("bohte", "shared_randman", **told, **values)
        labelled = lambda split: (np.zeros(0), np.zeros(1000, int))  # noqa: E731
        return shared_tasks._further(own, variant, Streams(0), start, silent, labelled)

    found = further("graded_delta", message_rates=[1.0], message_prices=[0.1, 0.3, 1.0])
    assert found.arrays["changes"] == 4
    assert tried == [(4, 0.01, 0.1), (4, 0.01, 0.3), (4, 0.01, 1.0)]
    best = further("graded_2_bits", message_rates=[1.0, 0.5], message_prices=[0.0])
    assert best.arrays["share"] == 0.92
    assert tried[3:] == [(6, 0.01, 0.0), (6, 0.005, 0.0)]


def test_all_numbers_of_bits_get_equally_much():
    experiment = registry.load_talk("bohte").experiments["shared_randman"]
    rounded = [
        v for v in experiment.variants.values() if v.starts_from == ("shared_randman/graded",)
    ]
    assert len(rounded) == 5
    assert all(v.settings.keys() == {"message_bits"} for v in rounded)
