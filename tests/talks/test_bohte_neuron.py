"""Bohte: equations and gradient of the neuron, its compiled layer, readout and gated units."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from made.agreement import assert_close, slopes
from made.project import params_of

from whyspiking.talks.bohte import (
    compiled,
    control_units,
    learning,
    model,
    network,
    plain_neuron,
    training,
)
from whyspiking.training import surrogates


def test_the_gradient_of_two_steps_is_the_one_derived_by_hand():
    """One neuron, two steps, L = S_1 + S_2, with psi(x) = 0.4 max(0, 1 - |x|).

    u_1 = (1 - a) d_1, u_2 = a u_1 + (1 - a)(d_2 + R S_1) - th_2 S_1, th_2 = b0 + beta eta_2,
    eta_1 = rho b0, eta_2 = rho eta_1 + (1 - rho) S_1. With psi_t = psi(u_t - th_t),
    dL/dS_1 = 1 + psi_2 [(1 - a) R - th_2 - beta (1 - rho)(S_1 + 1)].
    """
    a, rho, b0, beta, r = 0.8, 0.9, 0.01, 1.8, 0.7
    drive = np.array([1.1, -0.4])

    def total(drive, w_rec, alpha, rho):
        neuron = model.Neuron(b0, surrogates.triangle())
        strength = jnp.asarray(beta)
        return learning.spikes(neuron, strength, drive[:, None, None], w_rec, alpha, rho).sum()

    with jax.enable_x64(True):
        one = jnp.ones(1)
        g_drive, g_rec, g_alpha, g_rho = jax.grad(total, argnums=(0, 1, 2, 3))(
            jnp.asarray(drive), r * jnp.ones((1, 1)), a * one, rho * one
        )
    u1, eta1 = (1 - a) * drive[0], rho * b0
    s1 = float(u1 > b0 + beta * eta1)
    assert s1 == 1
    eta2 = rho * eta1 + (1 - rho) * s1
    th2 = b0 + beta * eta2
    u2 = a * u1 + (1 - a) * (drive[1] + r * s1) - th2 * s1
    psi1, psi2 = (0.4 * max(0, 1 - abs(x)) for x in (u1 - b0 - beta * eta1, u2 - th2))
    by_s1 = 1 + psi2 * ((1 - a) * r - th2 - beta * (1 - rho) * (s1 + 1))
    by_u1 = by_s1 * psi1 + psi2 * a
    assert psi2 > 0
    np.testing.assert_allclose(g_drive, [by_u1 * (1 - a), psi2 * (1 - a)], rtol=1e-12)
    np.testing.assert_allclose(g_rec, [[psi2 * (1 - a) * s1]], rtol=1e-12)
    by_alpha = -by_u1 * drive[0] + psi2 * (u1 - drive[1] - r * s1)
    np.testing.assert_allclose(g_alpha, [by_alpha], rtol=1e-12)
    by_eta1 = -beta * psi1 * by_s1 - psi2 * beta * rho * (1 + s1)
    by_rho = by_eta1 * b0 - psi2 * beta * (1 + s1) * (eta1 - s1)
    np.testing.assert_allclose(g_rho, [by_rho], rtol=1e-12)


def test_neurons_that_begin_at_0_again_follow_their_equation_and_its_derivative():
    """Eq. 20 step by step, and the same with the surrogate inside the spike, left to JAX."""
    stand_in = surrogates.multi_gaussian()
    neuron, fire = model.Neuron(0.5, stand_in), surrogates.spike(stand_in)
    rng = np.random.default_rng(8)
    drive, w_rec = rng.normal(0.2, 0.6, (60, 3, 5)), rng.normal(0, 0.5, (5, 5))
    alpha, out = np.full(5, 0.618), rng.normal(size=(60, 3, 5))

    def automatic(drive, w_rec):
        def step(before, now):
            u, s = before
            u = alpha * u + now + s @ w_rec
            s = fire(u - neuron.threshold)
            return ((1 - s) * u, s), s

        rest = jnp.zeros_like(drive[0])
        return jax.lax.scan(step, (rest, rest), drive)[1]

    with jax.enable_x64(True):
        given = (jnp.asarray(drive), jnp.asarray(w_rec))
        found = np.asarray(plain_neuron.spikes(neuron, *given, jnp.asarray(alpha)))
        ours = jax.grad(
            lambda *a: (plain_neuron.spikes(neuron, *a, jnp.asarray(alpha)) * out).sum(), (0, 1)
        )(*given)
        theirs = jax.grad(lambda *a: (automatic(*a) * out).sum(), (0, 1))(*given)
        limited = jax.grad(
            lambda d: (
                plain_neuron.spikes(neuron._replace(limit=1e-3), d, given[1], alpha) * out
            ).sum()
        )(given[0])
        largest = float(jnp.abs(limited).max())
        scale = [float(jnp.abs(other).max()) for other in theirs]
    u, s = np.zeros((3, 5)), np.zeros((3, 5))
    for now, fired in zip(drive, found, strict=True):
        u = 0.618 * np.where(s > 0, 0, u) + now + s @ w_rec
        s = (u > 0.5).astype(float)
        np.testing.assert_array_equal(fired, s)
    assert 0.1 < found.mean() < 0.6
    assert min(scale) > 0.1
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
    assert largest == 1e-3


def test_traces_filter_every_channel_with_every_decay():
    """Eq. 21 by convolution, and equal variance of all filters for events that come alone."""
    rng = np.random.default_rng(9)
    events, kappa = (rng.random((4000, 1, 2)) < 0.1).astype(float), np.array([0.5, 0.9])
    with jax.enable_x64(True):
        found = np.asarray(control_units.traces(events, jax.numpy.asarray(kappa)))[:, 0]
    assert found.shape == (4000, 4)
    for channel in range(2):
        for k, decay in enumerate(kappa):
            kernel = np.sqrt(1 - decay**2) * decay ** np.arange(4000)
            expected = np.convolve(events[:, 0, channel], kernel)[:4000]
            np.testing.assert_allclose(found[:, 2 * channel + k], expected, atol=1e-10)
    np.testing.assert_allclose(found[200:].var(axis=0), 0.09, rtol=0.15)


SHAPES = [(60, 3, 5), (40, 16, 36), (20, 7, 150), (30, 9, 64)]


def scanned(run):
    """What a function gives where no layer is compiled: it depends on no width of vectors."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "usable", lambda *arrays: False)
        return run()


@functools.cache
def layer_of(shape, beta):
    """What a layer is given, from rest or another state; gradients and spikes; the scan's."""
    rng = np.random.default_rng(5)
    n, neuron = shape[2], model.Neuron(0.01, surrogates.triangle())
    drawn = (
        rng.normal(size=shape),
        rng.normal(0.05, 0.5, shape),
        rng.normal(0, 0.8 / np.sqrt(n), (n, n)),
        rng.uniform(0.7, 0.98, n),
        rng.uniform(0.8, 0.99, n),
        *rng.uniform(0, 0.3, (2, *shape[1:])),
        rng.random(shape[1:]) < 0.3,
    )
    out, *given, u, eta, s = (jnp.asarray(values, jnp.float32) for values in drawn)
    start = model.Course(u, eta, s) if beta else model.at_rest(neuron, u)

    def run():
        def weighed(*arguments):
            fired = learning.spikes(neuron, jnp.float32(beta), *arguments, start)
            return (fired * out).sum(), fired

        return jax.jit(jax.grad(weighed, argnums=(0, 1, 2, 3), has_aux=True))(*given)

    return given, run, scanned(run)


@pytest.mark.parametrize(("shape", "beta"), [*((s, 1.8) for s in SHAPES), (SHAPES[1], 0.0)])
def test_the_compiled_layer_is_the_scan(shape, beta, vectors):
    """Sizes that fill vectors or do not."""
    given, run, (theirs, expected) = layer_of(shape, beta)
    assert compiled.usable(*given)
    ours, fired = run()
    assert 0.02 < float(fired.mean()) < 0.6
    np.testing.assert_array_equal(fired, expected)
    assert_close(ours, theirs, 3e-6)
    assert all(float(jnp.abs(other).max()) > 0.01 for other in theirs[: 4 if beta else 3])


def test_the_readout_gradient_agrees_with_finite_differences():
    """Spikes do not depend on the readout, so here the loss is smooth."""
    params = params_of("bohte", "ecg")
    rng = np.random.default_rng(0)
    start = network.initial(params, "alif", rng)
    batch = {
        "x": rng.random((3, 60, 4)) < 0.1,
        "labels": rng.integers(-1, 6, (3, 60)),
        "penalty": np.float64(2.0),
        "adaptation": np.float64(1.8),
    }
    loss = training.label_loss(params, "alif")
    with jax.enable_x64(True):
        arrays = {k: np.asarray(v, float) for k, v in start.items()}
        gradient = jax.grad(lambda a: loss(a, batch)[0])(arrays)
        for name, index in (("w_out", (2, 1)), ("b_out", (4,)), ("log_tau_out", (3,))):
            found = slopes(lambda: loss(arrays, batch)[0], arrays[name], 1e-5, [index])
            assert gradient[name][index] == pytest.approx(found[index], rel=1e-4, abs=1e-9)


def test_gated_units_follow_their_equation():
    rng = np.random.default_rng(1)
    drive, w, bias = rng.normal(size=(20, 9)), rng.normal(size=(3, 9)), rng.normal(size=9)
    with jax.enable_x64(True):
        found = np.asarray(control_units.gated(drive[:, None], w, bias))[:, 0]
    h = np.zeros(3)
    for now, ours in zip(drive, found, strict=True):
        parts = h @ w + bias
        r, z = (1 / (1 + np.exp(-(now[k : k + 3] + parts[k : k + 3]))) for k in (0, 3))
        h = z * h + (1 - z) * np.tanh(now[6:] + r * parts[6:])
        np.testing.assert_allclose(ours, h, rtol=1e-10)


@functools.cache
def units_of(shape, blocks):
    """What gated (three blocks) or tanh units are given; activity and gradients; the scan's."""
    rng = np.random.default_rng(6)
    n_steps, n_trials, n = shape
    drawn = [
        rng.normal(size=shape),
        rng.normal(0, 1.5, (n_steps, n_trials, blocks * n)),
        rng.normal(0, 1 / np.sqrt(n), (n, blocks * n)),
        rng.normal(0, 0.5, blocks * n),
    ]
    drawn[1][0, 0, 0] = 200
    out, *given = (jnp.asarray(values, jnp.float32) for values in drawn)
    given = given[: 3 if blocks == 3 else 2]

    def run():
        def weighed(*own):
            layer = control_units.gated if blocks == 3 else control_units.tanh_units
            h = layer(*own)
            return (h * out).sum(), h

        every = tuple(range(len(given)))
        gradients, h = jax.jit(jax.grad(weighed, argnums=every, has_aux=True))(*given)
        return h, *gradients

    return given, run, scanned(run)


@pytest.mark.parametrize(
    ("shape", "blocks"), [*((s, 3) for s in (*SHAPES, (1, 1, 1))), (SHAPES[1], 1), (SHAPES[2], 1)]
)
def test_compiled_gated_and_tanh_units_are_the_scan(shape, blocks, vectors):
    """To rounding, some units saturated."""
    given, run, theirs = units_of(shape, blocks)
    assert compiled.usable(*given)
    assert_close(run(), theirs, 1e-5, 1e-7)


def test_fixed_time_constants_have_no_rate():
    fixed = network.rates(params_of("bohte", "timescales"), "alif_fixed")
    assert fixed == dict.fromkeys(("log_tau_mem_0", "log_tau_adapt_0", "log_tau_out"), 0.0)
