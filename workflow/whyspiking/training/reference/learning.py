"""Training of many reference networks in one program.

All seeds and prices of one recipe learn side by side, each seed from its own trials, in its own
order and from its own initial numbers. Softmax cross-entropy plus a price on messages, by Adam on
gradients that are clipped at norm 1. The rate falls to zero, and the last numbers are kept on all
sides: no epoch is chosen, since before the price is at work messages are free.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Progress
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.history import BROKEN, batches, refuse_broken
from whyspiking.training.reference.units import (
    CONSTANT,
    HIGHEST_BIAS,
    TAU_STEPS,
    Recipe,
    Shape,
    first_steps,
    initial,
    run,
    to_pay,
)

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
    *,
    rates: Sequence[float] = (),
    progress: Progress = lambda share, news: None,
) -> dict[tuple[float, int], dict[str, NDArray]]:
    """Train a network for every price and seed.

    Args:
        recipe: What it is, and how it learns.
        shape: What the task fixes.
        draw: Gives the training trials of a seed, part after part: fresh ones, or the same in
            every part. Equal parts have equal sizes.
        n_parts: How many parts; each is shown once, in random order.
        seeds: Of data, initial numbers and order.
        prices: Of a message, in units of the loss.
        rates: One for each of the prices in place of the recipe's.
        progress: Called after every part.

    Returns:
        (price, seed) -> arrays; with `rates`, (rate, seed).

    Raises:
        NotFiniteError: If a gradient is not finite.
    """
    streams = [Streams(seed) for seed in seeds]
    shuffles = [one.rng("reference-order") for one in streams]
    begun = [initial(recipe, shape, one.rng("reference-init")) for one in streams]
    now, program, shown = SimpleNamespace(learned=None, state=None, fixed=None), None, None
    given = np.asarray([rates or [recipe.rate] * len(prices), prices], np.float32)
    for part in Checkpoint(now, *shuffles).rounds(range(n_parts), progress):
        shown = _seen(recipe, [draw(seed, part) for seed in seeds])
        if now.learned is None:
            every = _begun(recipe, begun, shown[0], len(prices))
            now.fixed = {k: every.pop(k) for k in recipe.fixed if k in every}
            now.learned = every
            now.state = jax.vmap(jax.vmap(CLIPPED.init))(every)
        program = program or _program(recipe, shape)
        order = [batches(len(shown[1][0]), recipe.batch, one) for one in shuffles]
        done = (part + np.arange(len(order[0])) / len(order[0])) / n_parts
        now.learned, now.state, broken = program(
            now.learned, now.state, now.fixed, given, *shown, np.stack(order, 1), _course(done)
        )
        refuse_broken({f"{BROKEN}a network": broken}, part + 1, float(given[0].max()))
        progress((part + 1) / n_parts, f"part {part + 1} of {n_parts}")
    arrays = {name: np.asarray(x) for name, x in {**now.learned, **now.fixed}.items()}
    return {
        (key, seed): {name: x[k, s] for name, x in arrays.items()}
        for k, key in enumerate(rates or prices)
        for s, seed in enumerate(seeds)
    }


def _seen(recipe: Recipe, drawn: list[tuple[NDArray, NDArray]]) -> tuple[NDArray, NDArray]:
    """What networks are told, (seed, trial, ...), and classes (seed, trial)."""
    told = [first_steps(x) if recipe.kind == "static" else x.astype(np.uint8) for x, _ in drawn]
    return np.stack(told), np.stack([classes for _, classes in drawn]).astype(np.int32)


def _begun(
    recipe: Recipe, begun: list[dict[str, NDArray]], told: NDArray, n_prices: int
) -> dict[str, Any]:
    """Arrays of all networks before training, (price, seed, ...)."""
    every = {name: np.stack([arrays[name] for arrays in begun]) for name in begun[0]}
    if recipe.kind == "static":
        of_seed = told.reshape(len(told), -1)
        every |= dict(zip(CONSTANT, (of_seed.mean(axis=1), of_seed.std(axis=1)), strict=True))
    return {name: jnp.asarray(np.stack([x] * n_prices)) for name, x in every.items()}


def _course(done: NDArray) -> NDArray[np.float32]:
    """Factors of rate and price by the part of the training that is done, (step, 2)."""
    ramp = np.clip((done - RAMP[0]) / (RAMP[1] - RAMP[0]), 0, 1)
    return np.stack([0.5 * (1 + np.cos(np.pi * done)), ramp], axis=1).astype(np.float32)


def loss(
    recipe: Recipe, shape: Shape, arrays: dict[str, Any], price: Any, told: Any, classes: Any
) -> Any:
    """Mean over trials; arguments as for `units.run`, `classes` (trial,)."""
    logits, sent = run(recipe, shape, arrays, told)
    wrong = optax.softmax_cross_entropy_with_integer_labels(logits, classes).mean()
    return wrong + price * to_pay(recipe, sent)


def _program(recipe: Recipe, shape: Shape) -> Callable[..., Any]:
    """Compile a part: arrays and state of Adam after it, and whether a step was broken (step,)."""
    least, most = np.log(np.asarray(TAU_STEPS) * shape.step_ms)

    def update(learned: Any, state: Any, fixed: Any, rate: Any, price: Any, told: Any, of: Any):
        slopes = jax.grad(
            lambda arrays: loss(recipe, shape, {**arrays, **fixed}, price, told, of)
        )(learned)
        updates, state = CLIPPED.update(slopes, state)
        learned = {name: x - rate * updates[name] for name, x in learned.items()}
        if recipe.leaky:
            learned["bias"] = jnp.minimum(learned["bias"], HIGHEST_BIAS)
        if "log_tau" in learned:
            learned["log_tau"] = jnp.clip(learned["log_tau"], least, most)
        return learned, state, ~jnp.isfinite(optax.tree.norm(slopes))

    of_seeds = jax.vmap(update, (0, 0, 0, None, None, 0, 0))
    of_prices = jax.vmap(of_seeds, (0, 0, 0, 0, 0, None, None))

    @jax.jit
    def part(learned, state, fixed, given, seen, classes, order, course):
        def one(carry: Any, now: Any) -> Any:
            chosen, (falling, rising) = now
            told = jax.vmap(lambda x, k: x[k])(seen, chosen)
            if recipe.kind != "static":
                told = told.swapaxes(1, 2).astype(jnp.float32)
            of = jax.vmap(lambda x, k: x[k])(classes, chosen)
            *carry, broken = of_prices(
                *carry, fixed, falling * given[0], rising * given[1], told, of
            )
            return tuple(carry), broken.any()

        (learned, state), broken = jax.lax.scan(one, (learned, state), (order, course))
        return learned, state, broken

    return part
