"""Training of reference networks: one recipe, any number of seeds and prices.

Softmax cross-entropy plus a price on messages, by Adam on gradients that are clipped at norm 1. The
rate falls to zero, and the last numbers are kept on all sides: no epoch is chosen, since before the
price is at work messages are free.

All networks of a structure are trained by one compiled program, one after the other: side by side
(`vmap`, 5 or 15 of 4 to 32 units on span recall) each took 1.3 to 2.7 times as long, as their
states leave the cache, and its digits depended on how many they were. So a network has the same
digits alone as with others.
"""

from __future__ import annotations

import functools
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Progress
from whyspiking.errors import UserError
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.gradient import ENGINE
from whyspiking.training.history import History, batches
from whyspiking.training.reference import units
from whyspiking.training.reference.units import Recipe, Shape

type Draw = Callable[[int, int], tuple[NDArray, NDArray]]
"""(seed, part) -> raster (trial, step, line) of 0 and 1, and classes (trial,)."""

RAMP = (0.3, 0.6)
"""Parts of the training between which the price rises from nothing to what it is."""
CLIPPED: Any = optax.chain(optax.clip_by_global_norm(1.0), optax.scale_by_adam())


def train(
    recipe: Recipe,
    shape: Shape,
    draw: Draw,
    n_parts: int,
    seeds: Sequence[int],
    prices: Sequence[float] = (0.0,),
    progress: Progress = lambda share, news: None,
    name: str = "",
) -> dict[tuple[float, int], Network]:
    """Train a network for every price and seed.

    Args:
        recipe: What it is, and how it learns.
        shape: What the task fixes.
        draw: Gives the training trials of a seed in parts of equal sizes, fresh or the same.
        n_parts: How many parts; each is shown once, in random order.
        seeds: Of data, initial numbers and order, which all prices share.
        prices: Of a message, in units of the loss.
        progress: Called after every part of a seed.
        name: Of the checkpoints; another one for each training of a job with the same recipe.

    Returns:
        (price, seed) -> network; `skipped` of its info: updates whose gradient was not finite.

    Raises:
        UserError: If a part has less than one batch.
    """
    found, run = {}, _program(alike(recipe), shape)
    for index, seed in enumerate(seeds):
        shuffle, rng = (Streams(seed).rng(f"reference-{what}") for what in ("order", "init"))
        begin = {k: jnp.asarray(x) for k, x in units.initial(recipe, shape, rng).items()}
        constant = {name: begin.pop(name) for name in recipe.fixed if name in begin}
        carries = [(begin, CLIPPED.init(begin), jnp.zeros((), int)) for _ in prices]
        now = SimpleNamespace(carries=carries, constant=constant)
        histories = [History() for _ in prices]
        called = f"{name}{seed}-{zlib.crc32(repr(recipe).encode()):x}"
        kept = Checkpoint(now, shuffle, *histories, name=called)
        for part in kept.rounds(range(n_parts), progress):
            told, classes = _told(recipe, *draw(seed, part))
            if recipe.kind == "static" and part == 0:
                moments = (jnp.asarray(told.mean()), jnp.asarray(told.std()))
                now.constant = dict(zip(units.CONSTANT, moments, strict=True))
            order = batches(len(classes), recipe.batch, shuffle)
            steps = order, *_course((part + np.arange(len(order)) / len(order)) / n_parts, recipe)
            given = now.constant, jnp.asarray(told), jnp.asarray(classes, jnp.int32), steps
            for k, (price, history) in enumerate(zip(prices, histories, strict=True)):
                if k and not steps[2].any():  # No price is at work: so far all are one network.
                    now.carries[k] = now.carries[0]
                    history.rows += histories[0].rows[-2:]
                    continue
                began = time.process_time()
                now.carries[k], value = run(now.carries[k], np.float32(price), *given)
                history.note(part + 1, train_loss=float(value))  # waits for it
                history.note(part + 1, epoch_seconds=time.process_time() - began)
            share = (index + (part + 1) / n_parts) / len(seeds)
            progress(share, f"seed {seed}: part {part + 1} of {n_parts}")
        for price, history, (learned, _, skipped) in zip(
            prices, histories, now.carries, strict=True
        ):
            arrays = {name: np.asarray(x) for name, x in {**learned, **now.constant}.items()}
            info = {**history.info(ENGINE), "skipped": int(skipped), "price": price}
            found[price, seed] = Network(arrays, info, history.rows)
    return found


def _told(recipe: Recipe, raster: NDArray, classes: NDArray) -> tuple[NDArray, NDArray]:
    """What networks are told of drawn trials, and classes; refuses less than a batch."""
    if len(classes) < recipe.batch:
        raise UserError(
            f"baseline networks: a part of the training data has {len(classes)} trials, fewer "
            f"than one batch of {recipe.batch}. Lower 'batch', or draw more trials"
        )
    told = units.first_steps(raster) if recipe.kind == "static" else raster.astype(np.uint8)
    return told, classes


def alike(recipe: Recipe) -> Recipe:
    """The recipe without what is no part of its program, which others share."""
    tau_ms = (1.0, 1.0) if recipe.tau_ms[0] == recipe.tau_ms[1] else (1.0, 2.0)
    return replace(recipe, rate=0.0, gain=0.0, tau_ms=tau_ms)


def _course(done: NDArray, recipe: Recipe) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Rate and factor of the price by the part of the training that is done, each (step,)."""
    rate = recipe.rate * 0.5 * (1 + np.cos(np.pi * done))
    ramp = np.clip((done - RAMP[0]) / (RAMP[1] - RAMP[0]), 0, 1)
    return rate.astype(np.float32), ramp.astype(np.float32)


def loss(
    recipe: Recipe,
    shape: Shape,
    arrays: dict[str, Any],
    price: Any,
    ramp: Any,
    told: Any,
    classes: Any,
) -> Any:
    """Mean over trials.

    Args:
        recipe: What the network is.
        shape: What the task fixes.
        arrays: Of the network.
        price: Of a message, once it is at work.
        ramp: From 0 to 1: how far it is, and how far the readout is reset.
        told: As for `units.run`.
        classes: (trial,).
    """
    logits, sent = units.run(recipe, shape, arrays, told, before=1 - ramp)
    wrong = optax.softmax_cross_entropy_with_integer_labels(logits, classes).mean()
    return wrong + ramp * price * units.to_pay(recipe, sent)


@functools.cache
def _program(recipe: Recipe, shape: Shape) -> Callable[..., Any]:
    """Compile a part: (arrays, state of Adam, updates skipped) after it, and the mean loss."""
    loss_of = jax.value_and_grad(
        lambda learned, constant, *given: loss(recipe, shape, {**learned, **constant}, *given)
    )

    @jax.jit
    def run(carry: Any, price: Any, constant: Any, seen: Any, classes: Any, steps: Any) -> Any:
        def one(carry: Any, now: Any) -> Any:
            learned, state, skipped = carry
            chosen, rate, ramp = now
            told = seen[chosen]
            if recipe.kind != "static":
                told = told.swapaxes(0, 1).astype(jnp.float32)
            value, slopes = loss_of(learned, constant, price, ramp, told, classes[chosen])
            sound = jnp.isfinite(optax.tree.norm(slopes))
            updates, after = CLIPPED.update(slopes, state)
            moved = {name: x - rate * updates[name] for name, x in learned.items()}
            if recipe.leaky:
                moved["bias"] = jnp.minimum(moved["bias"], units.HIGHEST_BIAS)
            if "log_tau" in moved:
                moved["log_tau"] = jnp.clip(moved["log_tau"], *units.log_bounds(shape))
            kept = jax.tree.map(
                lambda new, old: jnp.where(sound, new, old), (moved, after), (learned, state)
            )
            return (*kept, skipped + ~sound), value

        carry, values = jax.lax.scan(one, carry, steps)
        return carry, values.mean()

    return run
