"""What a convolutional layer computes, in JAX."""

import jax
import jax.numpy as jnp


def maxima_in_jax(shape, padded, w, b):
    """Largest potential of each square, (image, pooled row, pooled column, output)."""
    u = jax.lax.conv_general_dilated(
        padded, w, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"), precision="highest"
    )
    squares = (1, shape.pool, shape.pool, 1)
    return jax.lax.reduce_window(u + b, -jnp.inf, jax.lax.max, squares, squares, "VALID")
