"""Gradient descent in JAX on fresh batches, for the outer loop of `oneshot`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.history import History, require_finite


def descend(
    loss: Callable[..., Any],
    optimiser: Any,
    start: Mapping[str, NDArray],
    draw: Callable[[np.random.Generator], tuple[Any, ...]],
    data: np.random.Generator,
    iterations: int,
    record_iteration: Callable[[int, Any, Any], None],
    history: History,
    progress: ct.Progress,
    *,
    unit: str,
    rate: float,
) -> dict[str, NDArray]:
    """Train for a fixed number of iterations.

    Args:
        loss: (arrays, *batch) -> loss, error.
        optimiser: Of optax.
        start: Arrays to begin with.
        draw: A batch from randomness.
        data: That randomness.
        iterations: How many.
        record_iteration: Called after every iteration with its number, loss and error.
        history: What `record_iteration` writes, for the checkpoint.
        progress: Handed to the checkpoint.
        unit: What an iteration is called where it is not finite.
        rate: Learning rate, for the same message.

    Raises:
        UserError: Where a loss or gradient is not finite.
    """
    import jax
    import jax.numpy as jnp
    import optax

    @jax.jit
    def step(arrays: Any, state: Any, *batch: Any) -> Any:
        (loss_value, error), gradient = jax.value_and_grad(loss, has_aux=True)(arrays, *batch)
        updates, state = optimiser.update(gradient, state, arrays)
        return optax.apply_updates(arrays, updates), state, loss_value, error, gradient

    arrays: Any = {name: jnp.asarray(x) for name, x in start.items()}
    training = SimpleNamespace(arrays=arrays, state=optimiser.init(arrays))
    for iteration in Checkpoint(training, data, history).rounds(range(iterations), progress):
        training.arrays, training.state, loss_value, error, gradient_by_name = step(
            training.arrays, training.state, *draw(data)
        )
        gradients = {f"the gradient of {name}": slope for name, slope in gradient_by_name.items()}
        require_finite({"the loss": loss_value, **gradients}, f"at {unit} {iteration + 1}", rate)
        record_iteration(iteration, loss_value, error)
    return {name: np.asarray(x) for name, x in training.arrays.items()}
