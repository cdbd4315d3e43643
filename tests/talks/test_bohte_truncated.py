"""Bohte: back-propagation through time cut into segments."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from made.agreement import assert_close, slopes
from made.project import params_of

from whyspiking.talks.bohte import (
    network,
    training,
    truncated,
)
from whyspiking.training import gradient

SHAPE = {"n_steps": 24, "truncation": 8, "batch": 3, "n_input": 5, "n_output": 4, "n_unscored": 2}


def drawn(cell, dtype: Any = np.float64, **changes):
    """Parameters, a network and a batch, the same for all cells."""
    params = params_of("bohte", "smnist", **SHAPE, n_hidden=[7, 6], **changes)
    rng = np.random.default_rng(3)
    start = network.initial(params, cell, rng)
    # So that both layers fire.
    start |= {name: 0.3 + values for name, values in start.items() if name.startswith("bias")}
    batch = {
        "x": rng.random((3, 24, 5)) < 0.4,
        "labels": rng.integers(0, 4, 3),
        "adaptation": dtype(1.8),
        "penalty": dtype(0.0),
    }
    return params, {k: jnp.asarray(v, dtype) for k, v in start.items()}, batch


def by_segment(params, cell, arrays, batch):
    """Loss and what it told of every segment, one after another."""
    one = jax.jit(truncated.loss(params, cell))
    state, found = truncated.start(params, cell), []
    for k in range(truncated.segments(params)):
        state = jax.tree.map(lambda values: jnp.asarray(values, arrays["w_out"].dtype), state)
        found.append(one(arrays, batch | {"segment": k, "state": state}))
        state = found[-1][1]["state"]
    return found


@pytest.mark.parametrize("cell", ["alif", "traces"])
def test_segments_one_after_another_are_the_whole_trial(cell):
    """The last segment's loss is that of uncut back-propagation; spikes and sums go on."""
    params, arrays, batch = drawn(cell, np.float32)
    last, told = by_segment(params, cell, arrays, batch)[-1]
    whole, also = training.class_loss(params, cell)(arrays, batch)
    np.testing.assert_allclose(last, whole, rtol=1e-5)
    assert told["train_accuracy"] == also["train_accuracy"]
    if cell in network.SPIKING:
        assert also["train_rate"] > 0.02


@pytest.mark.parametrize("cell", ["alif", "gru"])
def test_the_gradient_of_a_segment_takes_its_state_as_given(cell):
    """Finite differences by what the loss is smooth in, the state of the network held fixed."""
    with jax.enable_x64(True):
        params, arrays, batch = drawn(cell)
        state = by_segment(params, cell, arrays, batch)[1][1]["state"]
        given = batch | {"segment": 2, "state": state}

        @jax.jit
        def loss(own):
            return truncated.loss(params, cell)(own, given)[0]

        gradient = jax.jit(jax.grad(loss))(arrays)
        own = {name: np.array(values) for name, values in arrays.items()}
        smooth = ["w_out", "b_out", "log_tau_out"]
        smooth += ["w_rec_0", "w_in_1", "bias_rec_1"] if cell == "gru" else []
        for name in smooth:
            at = np.unravel_index(np.abs(gradient[name]).argmax(), gradient[name].shape)
            expected = slopes(lambda: loss(own), own[name], 1e-5, [at])[at]
            assert abs(expected) > 1e-7, name
            assert float(gradient[name][at]) == pytest.approx(expected, rel=1e-4), name


def test_a_cut_gradient_is_the_whole_one_of_a_trial_that_begins_there():
    """From rest, the first segment is a trial of its own: gradients agree."""
    params, arrays, batch = drawn("alif", np.float32)
    short = batch | {"x": batch["x"][:, :8]}
    first = batch | {"segment": 0, "state": truncated.start(params, "alif")}
    cut = jax.jit(jax.grad(truncated.loss(params, "alif"), has_aux=True))(arrays, first)[0]
    whole = jax.jit(jax.grad(training.class_loss(params, "alif"), has_aux=True))(arrays, short)[0]
    assert_close(cut.values(), whole.values(), 1e-5)
    assert float(abs(whole["w_rec_0"]).max()) > 1e-5


def test_every_segment_makes_a_step_and_hands_on_its_state():
    """The loop of training against the same steps written down."""
    x = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)

    def loss(arrays, batch):
        k, before = batch["segment"], batch["state"]
        shown = jax.lax.dynamic_slice_in_dim(batch["x"], 3 * k, 3, axis=1).sum(axis=1)
        level = jax.lax.stop_gradient(before) + arrays["w"] * shown
        return ((level - 1) ** 2).mean(), {"state": jax.lax.stop_gradient(level)}

    settings = gradient.Settings(2, 2, 0.1, 10.0, "good", {}, segments=2)
    epochs = []

    def judge(arrays):
        epochs.append(float(arrays["w"]))
        return {"good": len(epochs)}

    fitted = gradient.fit(
        {"w": np.full((), 0.3, np.float32)}, loss, {"x": x}, settings, judge=judge,
        shuffle=np.random.default_rng(1), progress=lambda *news: None,
        start_state=jnp.zeros(2),
    )  # fmt: skip
    adam: Any = optax.scale_by_adam()
    shuffle = np.random.default_rng(1)
    w = {"w": jnp.float32(0.3)}
    moments, done = adam.init(w), 0
    for _ in range(2):
        for chosen in shuffle.permutation(4).reshape(2, 2):
            state = jnp.zeros(2)
            for k in range(2):
                batch = {"x": x[chosen], "segment": k, "state": state}
                slope, told = jax.grad(loss, has_aux=True)(w, batch)
                state = told["state"]
                update, moments = adam.update(slope, moments, w)
                rate = 0.1 * 0.5 * (1 + np.cos(np.pi * done / 8))
                w, done = {"w": w["w"] - rate * update["w"]}, done + 1
    assert float(fitted.arrays["w"]) == pytest.approx(float(w["w"]), rel=1e-5)
