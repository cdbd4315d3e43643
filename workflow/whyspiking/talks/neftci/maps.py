"""Convolutional layers in JAX, the published network in small (README, section 13)."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from whyspiking.contract.types import Params
from whyspiking.talks.neftci import network, rules
from whyspiking.talks.neftci.network import Constants, Weights
from whyspiking.talks.neftci.rules import Moving, Optimiser, Rule


class Maps(NamedTuple):
    """Sizes of a stack of convolutional layers; maps keep their side up to the pooling.

    Attributes:
        side: Rows and columns of the input.
        channels: Maps per layer, those of the input first.
        kernel: Side of the kernels; odd.
        pools: Per layer the side of the squares of which one spike is enough; 1 for no pooling.
    """

    side: int
    channels: tuple[int, ...]
    kernel: int
    pools: tuple[int, ...]

    @property
    def sides(self) -> list[int]:
        """Rows and columns of the neurons of each layer."""
        found = [self.side]
        for pool in self.pools[:-1]:
            found.append(found[-1] // pool)
        return found

    @property
    def read(self) -> list[int]:
        """What the readout of each layer sees: squares times maps."""
        return [
            (side // pool) ** 2 * n
            for side, pool, n in zip(self.sides, self.pools, self.channels[1:], strict=True)
        ]

    @property
    def fan_in(self) -> list[int]:
        """Weights per map of each layer."""
        return [self.kernel**2 * n for n in self.channels[:-1]]


def maps_of(params: Params) -> Maps:
    """The layers of an experiment; the two polarities are the maps of the input."""
    side = -(-params.sensor_side // params.pool)
    return Maps(side, (2, *params.maps), params.kernel, tuple(params.pools))


def as_maps(frames: Any, maps: Maps) -> Any:
    """Input (time, trial, input) as (time, trial, row, column, polarity)."""
    n = maps.channels[0]
    return frames.reshape(*frames.shape[:2], n, maps.side, maps.side).transpose(0, 1, 3, 4, 2)


def patches(x: Any, kernel: int) -> Any:
    """What neurons see: (trial, row, column, map) to (..., kernel * kernel * map), 0 outside."""
    r, (rows, columns) = kernel // 2, x.shape[1:3]
    of = np if isinstance(x, np.ndarray) else jnp
    padded = of.pad(x, ((0, 0), (r, r), (r, r), (0, 0)))
    shifted = [
        padded[:, i : i + rows, j : j + columns] for i in range(kernel) for j in range(kernel)
    ]
    return of.concatenate(shifted, axis=3)


def squares(x: Any, pool: int) -> Any:
    """(trial, row, column, map) to (trial, row, within, column, within, map), less a rest."""
    n, side = x.shape[0], x.shape[1] // pool
    cut = x[:, : side * pool, : side * pool]
    return cut.reshape(n, side, pool, side, pool, x.shape[3])


def silent(maps: Maps, n_trials: int) -> list:
    """State before a trial: Q and P of what a layer sees, R of its neurons."""
    return [
        (
            jnp.zeros((n_trials, side, side, n_in)),
            jnp.zeros((n_trials, side, side, n_in)),
            jnp.zeros((n_trials, side, side, n_out)),
        )
        for side, n_in, n_out in zip(maps.sides, maps.channels, maps.channels[1:], strict=False)
    ]


def step(c: Constants, maps: Maps, weights: Weights, state: Sequence, spikes: Array) -> Any:
    """One step of all layers (Eqs. 1 to 3 with a convolution in place of the sum over j).

    Args:
        c: Decays.
        maps: Sizes.
        weights: Per layer kernels (kernel * kernel * map, map), a bias per map, readouts.
        state: As from `silent`.
        spikes: Input spikes of this step, (trial, row, column, polarity).

    Returns:
        The new state, and per layer spikes S, potentials U (trial, row, column, map), and traces P
        as `patches`.
    """
    new, fired, potentials, seen = [], [], [], []
    for w, b, pool, (q, p, r) in zip(weights.w, weights.b, maps.pools, state, strict=True):
        q, p = network.trace(c, q, p, spikes)
        x = patches(p, maps.kernel)
        u = x @ w + b + r
        s, r = network.emit(c, u, r)
        new.append((q, p, r))
        fired.append(s)
        potentials.append(u)
        seen.append(x)
        spikes = squares(s, pool).max(axis=(2, 4))
    return new, fired, potentials, seen


def local_gradients(
    c: Constants, maps: Maps, weights: Weights, potentials: Sequence, seen: Sequence, target: Array
) -> tuple[list[Array], list[Array]]:
    """Gradients of all local losses of one step (Eq. 7), mean over trials.

    The readout sees squares, and of a square the neuron with the highest potential learns, as where
    the maximum of the potentials is differentiated (code: pooling comes before the threshold).

    Args:
        c: Slope of the surrogate.
        maps: Sizes.
        weights: Of all layers.
        potentials: U per layer, (trial, row, column, map).
        seen: P per layer, as `patches`.
        target: Wanted readout, (trial, class).
    """
    of_w, of_b = [], []
    for w, g, u, x, pool in zip(weights.w, weights.g, potentials, seen, maps.pools, strict=True):
        parts = squares(u, pool)
        top = parts.max(axis=(2, 4), keepdims=True)
        flat = top.reshape(u.shape[0], -1)
        delta = rules.learning_signal(c, g, (flat > 0).astype(u.dtype), flat, target) / u.shape[0]
        spread = jnp.where(parts == top, delta.reshape(top.shape), 0)
        side = parts.shape[1] * pool
        spread = spread.reshape(u.shape[0], side, side, u.shape[3])
        seen_by = x[:, :side, :side].reshape(-1, w.shape[0])
        spread = spread.reshape(-1, w.shape[1])
        of_w.append(seen_by.T @ spread)
        of_b.append(spread.sum(axis=0))
    return of_w, of_b


@functools.partial(jax.jit, static_argnames=("maps", "c", "rule", "how"))
def learn_online(
    now: Moving, g: list[Array], frames: Array, target: Array, rate: Array,
    c: Constants, rule: Rule, how: Optimiser, maps: Maps,
) -> Moving:  # fmt: skip
    """`rules.learn_online` for convolutional layers, without a target rate."""
    given = as_maps(frames, maps)

    def warm_up(state: Any, spikes: Array) -> Any:
        return step(c, maps, Weights(now.w, now.b, g), state, spikes)[0], None

    def one(carry: Any, spikes: Array) -> Any:
        now, state = carry
        weights = Weights(now.w, now.b, g)
        state, _, potentials, seen = step(c, maps, weights, state, spikes)
        slopes = local_gradients(c, maps, weights, potentials, seen, target)
        return (rules.update(now, slopes, rate, how), state), None

    state, _ = jax.lax.scan(warm_up, silent(maps, frames.shape[1]), given[: c.burn_in])
    (now, _), _ = jax.lax.scan(one, (now, state), given[c.burn_in :])
    return now


@functools.partial(jax.jit, static_argnames=("c", "maps"))
def responses(weights: Weights, frames: Array, c: Constants, maps: Maps) -> list[Array]:
    """What readouts of all layers see: spikes of squares, (time, trial, square and map) each."""

    def one(state: Any, spikes: Array) -> Any:
        state, fired, _, _ = step(c, maps, weights, state, spikes)
        pooled = [squares(s, k).max(axis=(2, 4)) for s, k in zip(fired, maps.pools, strict=True)]
        return state, [s.reshape(s.shape[0], -1) for s in pooled]

    return jax.lax.scan(one, silent(maps, frames.shape[1]), as_maps(frames, maps))[1]


def initial(
    params: Params, maps: Maps, frames: NDArray, c: Constants, rng: np.random.Generator
) -> Weights:
    """As `network.initial`: orthogonal kernels, scaled layer by layer until U has variance 1.

    Args:
        params: `n_classes`, `amplitude`, `mean_u`.
        maps: Sizes.
        frames: Some input, (time, trial, input).
        c: Decays.
        rng: Source of kernels and readouts.
    """
    layers = Weights([], [], [])
    source = np.asarray(as_maps(frames, maps), np.float64)
    for n_in, n_out, pool, n_read in zip(
        maps.fan_in, maps.channels[1:], maps.pools, maps.read, strict=True
    ):
        w = network.orthogonal(n_in, n_out, rng)
        traces = network.traces_of(source, c)
        drive = np.stack([patches(p, maps.kernel) @ w for p in traces])
        scale, bias, fired = network.scaled(drive, params.mean_u, c)
        source = np.stack([squares(s, pool).max(axis=(2, 4)) for s in fired])
        layers.w.append(jnp.asarray(scale * w, jnp.float32))
        layers.b.append(jnp.full(n_out, bias, jnp.float32))
        g = rng.uniform(-1, 1, (n_read, params.n_classes)) * params.amplitude / np.sqrt(n_read)
        layers.g.append(jnp.asarray(g, jnp.float32))
    return layers
