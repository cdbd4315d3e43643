"""Products of JAX whose digits do not follow the processor's caches (docs/running.md).

On a CPU XLA makes x @ w and g @ w.T by YNNPACK, which sums in an order that shapes alone decide.
a.T @ b, the gradient of every weight, it leaves to Eigen, whose blocks follow the caches: with 64
KB in place of 48 sums over as few as 128 rows differ. XLA looks through transpositions, of factors
and of results; a barrier hides them, so that all are products of the first kind.
"""

from __future__ import annotations

from typing import Any

import jax
from jax.lax import optimization_barrier


@jax.custom_vjp
def product(x: Any, w: Any) -> Any:
    """The product x @ w, also where gradients are made of it.

    Args:
        x: (..., pre). All rows are one product: much faster.
        w: (pre, post).

    Returns:
        (..., post).
    """
    return (x.reshape(-1, x.shape[-1]) @ w).reshape(*x.shape[:-1], w.shape[1])


def over_rows(a: Any, b: Any) -> Any:
    """The product a.T @ b, a sum over rows.

    Args:
        a: (row, pre).
        b: (row, post).

    Returns:
        (pre, post).
    """
    if a.shape[1] > b.shape[1]:  # What is transposed is copied: rather the narrower one.
        return over_rows(b, a).T
    # Flat, since XLA makes one small program of it, and two long ones of a transposed array.
    a_transposed = optimization_barrier(a.T.ravel()).reshape(a.shape[1], -1)
    return optimization_barrier(product(a_transposed, b))


def _forward(x: Any, w: Any) -> Any:
    return product(x, w), (x, w)


def _backward(operands: Any, g: Any) -> Any:
    x, w = operands
    return product(g, w.T), over_rows(x.reshape(-1, x.shape[-1]), g.reshape(-1, g.shape[-1]))


product.defvjp(_forward, _backward)
