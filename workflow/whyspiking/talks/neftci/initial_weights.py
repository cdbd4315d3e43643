"""Weights before learning (LSUV), and Eqs. 1 to 3 in NumPy, on which they are scaled."""

from __future__ import annotations

import itertools

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.talks.neftci import model
from whyspiking.talks.neftci.model import Constants, Weights


def initial(params: ct.Params, frames: NDArray, rng: np.random.Generator) -> Weights:
    """`draw` for the network of an experiment, scaled on the first `n_init` samples of `frames`."""
    return draw(
        model.sizes(params), params.n_classes, params.amplitude, params.mean_u, frames,
        model.constants(params), rng,
    )  # fmt: skip


def draw(
    sizes: list[int],
    n_classes: int,
    amplitude: float,
    mean_u: float,
    frames: NDArray,
    c: Constants,
    rng: np.random.Generator,
) -> Weights:
    """Orthogonal weights, scaled until U has variance 1 and the wanted mean on some input.

    Scale and bias are one for all neurons of a layer, so that different neurons keep different
    activity.

    Args:
        sizes: Neurons per layer, inputs first.
        n_classes: Channels of every readout.
        amplitude: Readouts are uniform within this over the root of the number of neurons.
        mean_u: Wanted mean of U; 0 makes half of the neurons fire in every step.
        frames: Some input, (time, trial, input).
        c: Decays, burn-in.
        rng: Source of weights and readouts.
    """
    layers = Weights([], [], [])
    source = np.asarray(frames, np.float64)
    for n_in, n_out in itertools.pairwise(sizes):
        random = rng.standard_normal((max(n_in, n_out), min(n_in, n_out)))
        w = np.linalg.qr(random)[0]
        w = w if n_in >= n_out else w.T
        drive = traces_of(source, c) @ w
        scale, bias = 1.0, 0.0
        for _ in range(8):
            u, source = spikes_of(scale * drive + bias, c)
            u = u[c.burn_in :]
            scale /= u.std()
            bias = (bias - u.mean()) / u.std() + mean_u
        layers.w.append(jnp.asarray(scale * w, jnp.float32))
        layers.b.append(jnp.full(n_out, bias, jnp.float32))
        g = rng.uniform(-1, 1, (n_out, n_classes)) * amplitude / np.sqrt(n_out)
        layers.g.append(jnp.asarray(g, jnp.float32))
    return layers


def traces_of(spikes: NDArray, c: Constants) -> NDArray:
    """P of given spikes (Eq. 1), the same shape (time, ...) and precision."""
    q, p = np.zeros_like(spikes[0]), np.zeros_like(spikes[0])
    traces = np.empty_like(spikes)
    for step, spikes_now in enumerate(spikes):
        p = c.alpha * p + (1 - c.alpha) * q
        q = c.beta * q + (1 - c.beta) * spikes_now
        traces[step] = p
    return traces


def spikes_of(drive: NDArray, c: Constants) -> tuple[NDArray, NDArray]:
    """U and S of all steps (Eqs. 2 and 3).

    Args:
        drive: U without the refractory trace, (time, ...).
        c: Decay of that trace.
    """
    r = np.zeros_like(drive[0])
    potentials, fired = np.empty_like(drive), np.empty_like(drive)
    for step, drive_now in enumerate(drive):
        potentials[step] = drive_now + r
        fired[step] = potentials[step] > 0
        r = c.gamma * r - (1 - c.gamma) * fired[step]
    return potentials, fired
