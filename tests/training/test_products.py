"""Products whose order of summation shapes alone decide."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from whyspiking.training.products import over_rows, product

EIGEN = re.compile(r"lhs_(contracting_dims=\{0\}|batch_dims=\{0\}, lhs_contracting_dims=\{1\})")
"""What is said of a product that sums over columns of its left factor, which YNNPACK refuses."""


def _drawn(*shape):
    return np.random.default_rng(len(shape)).standard_normal(shape)


def _slopes(multiply, x, w):
    """By x and w of what depends on each number of the product in its own way."""
    return jax.grad(lambda x, w: jnp.sin(multiply(x, w)).sum(), argnums=(0, 1))(x, w)


def _in_steps(multiply, x, w):
    """The same of a loop over the first axis, whose state is multiplied."""

    def loss(w):
        def step(h, now):
            h = jnp.tanh(now + multiply(h, w))
            return h, h

        return jax.lax.scan(step, x[0], x)[1].sum()

    return jax.grad(loss)(w)


def _transposed(multiply, x, w):
    """The same with weights that are held transposed."""
    return jax.grad(lambda w: jnp.sin(multiply(x, w.T)).sum())(w.T)


def _networks(multiply, x, w):
    """The same of several networks at once."""
    many = jnp.stack([x, 2 * x]), jnp.stack([w, 2 * w])
    return jax.vmap(lambda x, w: _slopes(multiply, x, w))(*many)


USES = {
    "rows of one axis": (_slopes, (400, 30), (30, 20)),
    "of two": (_slopes, (20, 30, 12), (12, 40)),
    "a loop": (_in_steps, (5, 400, 30), (30, 30)),
    "transposed weights": (_transposed, (400, 30), (30, 20)),
    "several networks": (_networks, (400, 30), (30, 40)),
}


@pytest.mark.parametrize(("use", "x", "w"), USES.values(), ids=USES.keys())
def test_products_and_their_gradients_are_those_of_the_operator(use, x, w):
    with jax.enable_x64(True):
        found, expected = (use(how, _drawn(*x), _drawn(*w)) for how in (product, jnp.matmul))
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9), found, expected)


@pytest.mark.parametrize(("use", "x", "w"), USES.values(), ids=USES.keys())
def test_xla_leaves_no_product_to_eigen_whose_sums_follow_the_caches(use, x, w):
    given = _drawn(*x).astype(np.float32), _drawn(*w).astype(np.float32)

    def program(multiply):
        return str(jax.jit(lambda x, w: use(multiply, x, w)).lower(*given).compile().as_text())

    assert EIGEN.search(program(jnp.matmul))
    assert not EIGEN.search(program(product))


@pytest.mark.parametrize("shape", [(300, 8, 20), (300, 20, 8), (300, 20, 20)])
def test_a_sum_over_rows_has_the_same_gradient_and_form_whichever_factor_is_wider(shape):
    rows, pre, post = shape
    with jax.enable_x64(True):
        a, b = _drawn(rows, pre), _drawn(rows, post)
        np.testing.assert_allclose(over_rows(a, b), a.T @ b, rtol=1e-9)
        found, expected = (
            jax.grad(lambda a, b, f=f: (f(a, b) ** 2).sum(), argnums=(0, 1))(a, b)
            for f in (over_rows, lambda a, b: a.T @ b)
        )
        jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-9), found, expected)
    squares = jax.jit(jax.grad(lambda a, b: (over_rows(a, b) ** 2).sum(), argnums=(0, 1)))
    program = str(squares.lower(np.float32(a), np.float32(b)).compile().as_text())
    assert not EIGEN.search(program)
