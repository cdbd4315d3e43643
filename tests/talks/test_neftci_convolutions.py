"""Convolutional layers in C++ against JAX and finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from made.convolutions import maxima_in_jax

from whyspiking import arithmetic
from whyspiking.talks.neftci.mnist_poisson import convolutions
from whyspiking.talks.neftci.mnist_poisson.convolutions import Response, Shape, Traces

SHAPES = (
    Shape(9, 1, 8, 2),  # 7 x 7 potentials, of which 6 x 6 count
    Shape(6, 8, 24, 1),
    Shape(8, 3, 40, 2, size=3, padding=1),
    Shape(7, 16, 16, 3, size=5, padding=0),
)


@pytest.fixture
def fresh_kernel():
    convolutions._load_library.cache_clear()
    yield
    convolutions._load_library.cache_clear()


def case(shape, kind, n=3, seed=0):
    """A padded input, weights, biases, and the response."""
    rng = np.random.default_rng(seed)
    padded = convolutions.empty_input(shape, n, kind)
    values = rng.standard_normal((n, shape.side, shape.side, shape.channels))
    convolutions.fill_input(shape, padded, values)
    w = rng.standard_normal(shape.weights).astype(kind)
    b = rng.standard_normal(shape.outputs).astype(kind)
    response = Response.empty(shape, n, kind)
    convolutions.respond(shape, padded, w, b, response)
    return padded, w, b, response


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_kernel_equals_convolutions_of_jax(vectors, fresh_kernel, kind):
    """Maxima, and gradients of weights and inputs, at every SIMD level."""
    close = {"rtol": 2e-4, "atol": 2e-4} if kind is np.float32 else {"rtol": 1e-10, "atol": 1e-10}
    with jax.enable_x64(kind is np.float64):
        for shape in SHAPES:
            padded, w, b, response = case(shape, kind)
            maxima, back = jax.vjp(lambda *x: maxima_in_jax(shape, *x), padded, w, b)  # noqa: B023
            np.testing.assert_allclose(response.maxima, maxima, **close)
            delta = np.random.default_rng(1).standard_normal(maxima.shape).astype(kind)
            delta[0, 0] = 0  # nothing is sent back from here
            of_inputs, of_w, _ = back(jnp.asarray(delta))
            edge = slice(shape.padding, shape.padding + shape.side)
            found = convolutions.sum_gradient(shape, padded, delta, response.places)
            np.testing.assert_allclose(found, of_w, **close)
            found = convolutions.send_back(shape, delta, response.places, w)
            np.testing.assert_allclose(found, of_inputs[:, edge, edge], **close)


def test_gradients_equal_finite_differences():
    for shape in SHAPES:
        padded, w, b, response = case(shape, np.float64)
        delta = np.random.default_rng(1).standard_normal(response.maxima.shape)

        def loss(w, padded, shape=shape, b=b, delta=delta):
            found = Response.empty(shape, len(padded), np.float64)
            convolutions.respond(shape, padded, w, b, found)
            return (found.maxima * delta).sum()

        gradient = convolutions.sum_gradient(shape, padded, delta, response.places)
        of_inputs = convolutions.send_back(shape, delta, response.places, w)
        rng = np.random.default_rng(2)
        for _ in range(5):
            place = tuple(rng.integers(0, n) for n in w.shape)
            step = np.zeros_like(w)
            step[place] = 1e-7
            slope = (loss(w + step, padded) - loss(w - step, padded)) / 2e-7
            assert slope == pytest.approx(gradient[place], rel=1e-5, abs=1e-5)
            place = tuple(rng.integers(0, n) for n in of_inputs.shape)
            moved = []
            for sign in (1, -1):
                changed = convolutions.empty_input(shape, len(padded), np.float64)
                changed[...] = padded
                edge = shape.padding
                changed[place[0], place[1] + edge, place[2] + edge, place[3]] += sign * 1e-7
                moved.append(loss(w, changed))
            slope = (moved[0] - moved[1]) / 2e-7
            assert slope == pytest.approx(of_inputs[place], rel=1e-5, abs=1e-5)


@pytest.mark.skipif("avx2" not in arithmetic.able(), reason="the processor has no AVX2")
def test_wider_vectors_change_no_digit(monkeypatch, fresh_kernel):
    found = []
    for level in ("avx2", "native"):
        monkeypatch.setenv(arithmetic.VARIABLE, level)
        convolutions._load_library.cache_clear()
        padded, w, _, response = case(SHAPES[1], np.float32)
        gradient = convolutions.sum_gradient(SHAPES[1], padded, response.maxima, response.places)
        back = convolutions.send_back(SHAPES[1], response.maxima, response.places, w)
        found.append((response.maxima, gradient, back))
    for ours, wider in zip(*found, strict=True):
        np.testing.assert_array_equal(ours, wider)


def test_traces_and_activity_follow_their_equations(vectors, fresh_kernel):
    shape, rng = SHAPES[2], np.random.default_rng(0)
    tau_m, tau_s = rng.uniform(5, 35, 3), rng.uniform(5, 10, 3)
    traces = Traces.at_rest(shape, 2, tau_m, tau_s)
    response = Response.empty(shape, 2, np.float64)
    w, b = rng.standard_normal(shape.weights) * 1e-4, rng.standard_normal(shape.outputs)
    q = p = np.zeros((2, 8, 8, 3))
    for _ in range(30):
        spikes = rng.uniform(-1, 1, q.shape)
        convolutions.respond(shape, traces, w, b, response, spikes)
        q = (1 - 1 / tau_s) * q + tau_s * (spikes > 0)
        p = (1 - 1 / tau_m) * p + tau_m * q
    padded = np.pad(p, ((0, 0), (1, 1), (1, 1), (0, 0)))
    np.testing.assert_allclose(traces.p, padded, rtol=1e-10)
    with jax.enable_x64(True):
        maxima = np.asarray(maxima_in_jax(shape, jnp.asarray(padded), w, b))
    np.testing.assert_allclose(response.maxima, maxima, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(response.activity, 1 / (1 + np.exp(-maxima)), rtol=1e-9)
    with pytest.raises(ValueError, match="outputs is 12; expected a multiple of 8"):
        Shape(9, 1, 12, 2)
