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
    initial_state = model.at_rest(neuron, drive[0]) if start is None else start
    if compiled.usable(drive, w_rec, alpha, rho):
        return _compiled(neuron, beta, drive, w_rec, alpha, rho, initial_state)
    surrogate_spike = surrogates.spike(neuron.surrogate)
    beta, initial_state = jax.lax.stop_gradient((beta, initial_state))
    return model.course(
        neuron,
        beta,
        drive,
        w_rec,
        alpha,
        rho,
        initial_state,
        lambda u, theta: surrogate_spike(u - theta),
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
    arguments = (drive, w_rec, alpha, rho, constants, *start)
    fired, u, eta = compiled.call("layer_forward", [drive.shape] * 3, *arguments)
    return fired, (Course(u, eta, fired), start, constants, w_rec, alpha, rho)


def _backward(neuron: Neuron, residuals: Any, g_out: Array) -> Any:
    course, start, constants, w_rec, alpha, rho = residuals
    theta = neuron.threshold + constants[1] * course.eta
    slope = neuron.surrogate(course.u - theta)
    arguments = (
        g_out,
        slope,
        course.spikes,
        course.u,
        course.eta,
        w_rec,
        alpha,
        rho,
        constants,
        *start,
    )
    shapes = [g_out.shape, w_rec.shape, slope.shape[1:], slope.shape[1:]]
    g_drive, g_rec, g_alpha, g_rho = compiled.call("layer_backward", shapes, *arguments)
    no_gradients = jax.tree.map(jnp.zeros_like, (constants[1], start))
    return no_gradients[0], g_drive, g_rec, g_alpha.sum(axis=0), g_rho.sum(axis=0), no_gradients[1]


_compiled.defvjp(_forward, _backward)


def loss_of_labels(outputs: Array, labels: Array) -> tuple[Array, Array]:
    """Cross-entropy of every labelled step (README, Eq. 6), and the share that is right.

    Args:
        outputs: (time, trial, class).
        labels: (trial, time); negative ones do not count.
    """
    labels, is_counted = labels.T, labels.T >= 0
    log_probabilities = jnp.take_along_axis(
        jax.nn.log_softmax(outputs), jnp.maximum(labels, 0)[..., None].astype(int), axis=2
    )[..., 0]
    is_correct = (outputs.argmax(axis=2) == labels) & is_counted
    return -(
        log_probabilities * is_counted
    ).sum() / is_counted.sum(), is_correct.sum() / is_counted.sum()


def loss_of_class(summed: Array, labels: Array) -> tuple[Array, Array]:
    """Cross-entropy of the softmax summed over time (README, Eq. 16), and the share that is right.

    Args:
        summed: (trial, class).
        labels: (trial,).
    """
    log_probabilities = jnp.take_along_axis(jax.nn.log_softmax(summed), labels[:, None], axis=1)
    return -log_probabilities.mean(), (summed.argmax(axis=1) == labels).mean()


def price_of_spikes(penalty: Array, fired: list[Array]) -> tuple[Array, Array]:
    """Compute the spike penalty of the mean squared rate (README, Eq. 11), and the mean rate.

    Args:
        penalty: c.
        fired: Spikes of every layer, (time, trial, neuron).
    """
    rates = jnp.concatenate([spikes.mean(axis=(0, 1)) for spikes in fired])
    return penalty * (rates**2).mean(), rates.mean()
