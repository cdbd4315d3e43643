"""Back-propagation through time with a surrogate for the derivative of a spike (README, section 3).

On a CPU, in single precision, the backward pass is written out in C++ (`layer.cpp`, Eqs. 17 to 19);
anywhere else JAX derives it from `model.course`. Both are the same to rounding (tested).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from whyspiking.talks.bohte import compiled, model
from whyspiking.talks.bohte.model import Array, Course, Neuron
from whyspiking.training import surrogates


def spikes(
    neuron: Neuron,
    beta: Array,
    drive: Array,
    w_rec: Array,
    alpha: Array,
    rho: Array,
    start: Course | None = None,
) -> Array:
    """Compute the spikes of a layer; arguments as for `model.course`.

    The spikes are differentiable by drive, weights and decays, but not by the state `start`.
    """
    first = model.at_rest(neuron, drive[0]) if start is None else start
    if compiled.usable(drive, w_rec, alpha, rho):
        return _compiled(neuron, beta, drive, w_rec, alpha, rho, first)
    own = surrogates.spike(neuron.surrogate)
    beta, first = jax.lax.stop_gradient((beta, first))
    return model.course(
        neuron, beta, drive, w_rec, alpha, rho, first, lambda u, theta: own(u - theta)
    ).spikes


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _compiled(
    neuron: Neuron, beta: Array, drive: Array, w_rec: Array, alpha: Array, rho: Array, start: Course
) -> Array:
    return _forward(neuron, beta, drive, w_rec, alpha, rho, start)[0]


def _forward(
    neuron: Neuron, beta: Array, drive: Array, w_rec: Array, alpha: Array, rho: Array, start: Course
) -> Any:
    constants = jnp.stack([jnp.asarray(neuron.threshold, beta.dtype), beta])
    given = (drive, w_rec, alpha, rho, constants, *start)
    fired, u, eta = compiled.call("layer_forward", [drive.shape] * 3, *given)
    return fired, (Course(u, eta, fired), start, constants, w_rec, alpha, rho)


def _backward(neuron: Neuron, residuals: Any, g_out: Array) -> Any:
    found, start, constants, w_rec, alpha, rho = residuals
    theta = neuron.threshold + constants[1] * found.eta
    slope = neuron.surrogate(found.u - theta)
    given = (g_out, slope, found.spikes, found.u, found.eta, w_rec, alpha, rho, constants, *start)
    shapes = [g_out.shape, w_rec.shape, slope.shape[1:], slope.shape[1:]]
    g_drive, g_rec, g_alpha, g_rho = compiled.call("layer_backward", shapes, *given)
    none = jax.tree.map(jnp.zeros_like, (constants[1], start))
    return none[0], g_drive, g_rec, g_alpha.sum(axis=0), g_rho.sum(axis=0), none[1]


_compiled.defvjp(_forward, _backward)


def loss_of_labels(outputs: Array, labels: Array) -> tuple[Array, Array]:
    """Cross-entropy of every labelled step (README, Eq. 6), and the share that is right.

    Args:
        outputs: (time, trial, class).
        labels: (trial, time); negative ones do not count.
    """
    labels, counted = labels.T, labels.T >= 0
    chosen = jnp.take_along_axis(
        jax.nn.log_softmax(outputs), jnp.maximum(labels, 0)[..., None].astype(int), axis=2
    )[..., 0]
    right = (outputs.argmax(axis=2) == labels) & counted
    return -(chosen * counted).sum() / counted.sum(), right.sum() / counted.sum()


def loss_of_class(summed: Array, labels: Array) -> tuple[Array, Array]:
    """Cross-entropy of the softmax summed over time (README, Eq. 16), and the share that is right.

    Args:
        summed: (trial, class).
        labels: (trial,).
    """
    chosen = jnp.take_along_axis(jax.nn.log_softmax(summed), labels[:, None], axis=1)
    return -chosen.mean(), (summed.argmax(axis=1) == labels).mean()


def price_of_spikes(price: Array, fired: list[Array]) -> tuple[Array, Array]:
    """Price times the mean squared rate of the neurons (README, Eq. 11), and their mean rate.

    Args:
        price: c.
        fired: Spikes of every layer, (time, trial, neuron).
    """
    rates = jnp.concatenate([spikes.mean(axis=(0, 1)) for spikes in fired])
    return price * (rates**2).mean(), rates.mean()
