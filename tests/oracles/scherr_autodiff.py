"""The same network in JAX, its gradients by automatic differentiation: what `kernel` must equal.

Backpropagation through time differentiates everything, with the pseudo-derivative in place of that
of a spike. E-prop is the same with the gradient stopped at every spike that is transmitted to
another neuron or to the reset, but not at a neuron's own adaptation (Bellec et al. 2020, Methods).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.talks.scherr.kernel import RateCost
from whyspiking.talks.scherr.model import Cell, Weights
from whyspiking.talks.scherr.trials import Trials, to_raster


def gradient(
    cell: Cell,
    weights: Weights,
    trials: Trials,
    rate_cost: RateCost,
    *,
    rule: str,
    feedback: NDArray | None = None,
) -> tuple[float, NDArray, NDArray]:
    """Loss, and its derivative by w and w_out.

    Args:
        cell: Neurons and readout.
        weights: Weights; JAX computes in float64 only if it was told to.
        trials: Input and what is wanted.
        rate_cost: Cost of firing rates.
        rule: "bptt" or "eprop".
        feedback: B of e-prop, (neuron, output); None: the readout's own weights.
    """
    import jax
    import jax.numpy as jnp

    inputs = jnp.asarray(to_raster(trials, weights.w.dtype))
    beta = jnp.asarray(cell.beta)
    stop = jax.lax.stop_gradient if rule == "eprop" else lambda x: x

    @jax.custom_jvp
    def spike(above: Any, free: Any) -> Any:
        return free * (above > 0)

    @spike.defjvp
    def _(primals: Any, tangents: Any) -> Any:
        above, free = primals
        psi = cell.gamma / cell.v_th * jnp.maximum(0, 1 - jnp.abs(above) / cell.v_th)
        return spike(above, free), free * psi * tangents[0]

    def loss(w: Any, w_out: Any) -> Any:
        n_rec = beta.size
        shape = (trials.n_trials, n_rec)
        kind = w.dtype

        def step(carry: Any, x: Any) -> Any:
            v, a, z, wait, before, y, y_b = carry
            sources = jnp.concatenate([before, stop(z)], axis=1)
            v = cell.alpha * v + cell.gain * (sources @ w) - cell.v_th * stop(z)
            a = cell.rho * a + z
            free = jax.lax.stop_gradient((wait <= 1).astype(kind))
            z = spike(v - (cell.v_th + beta * a), free)
            fired = jax.lax.stop_gradient(z)
            wait = jnp.where(fired > 0, cell.refractory, jnp.maximum(0, wait - 1))
            y = cell.kappa * y + (1 - cell.kappa) * (z if back is None else fired) @ w_out
            # The error reaches the neurons through fixed weights that carry no signal forwards.
            if back is not None:
                y_b = cell.kappa * y_b + (1 - cell.kappa) * (z - fired) @ back
            return (v, a, z, wait, x, y, y_b), (z, y + y_b)

        zeros = jnp.zeros(shape, kind)
        out = jnp.zeros((trials.n_trials, w_out.shape[1]), kind)
        silent = jnp.zeros((trials.n_trials, trials.n_inputs), kind)
        start = (zeros, zeros, zeros, zeros, silent, out, out)
        _, (z, y) = jax.lax.scan(step, start, jnp.swapaxes(inputs, 0, 1))
        y = jnp.swapaxes(y, 0, 1)[:, trials.first_step :]
        rate = z.mean(axis=(0, 1))
        cost = 0.5 * rate_cost.cost * jnp.sum((rate - rate_cost.target) ** 2)
        if trials.labels is not None:
            chosen = jnp.asarray(trials.labels)[:, None, None]
            log = jax.nn.log_softmax(y)
            return cost - jnp.take_along_axis(log, chosen, axis=2).mean()
        wanted = jnp.asarray(trials.targets)[:, trials.first_step :]
        return cost + 0.5 * jnp.sum((y - wanted) ** 2)

    back = None if feedback is None else jnp.asarray(feedback)
    value, found = jax.value_and_grad(loss, argnums=(0, 1))(
        jnp.asarray(weights.w), jnp.asarray(weights.w_out)
    )
    return float(value), np.asarray(found[0]), np.asarray(found[1])
