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
    networks, run_part = {}, _compile_part(alike(recipe), shape)
    for i_seed, seed in enumerate(seeds):
        shuffle, rng = (Streams(seed).rng(f"reference-{stream}") for stream in ("order", "init"))
        initial_arrays = {
            key: jnp.asarray(x) for key, x in units.initial(recipe, shape, rng).items()
        }
        constant = {
            name: initial_arrays.pop(name) for name in recipe.fixed if name in initial_arrays
        }
        carries = [
            (initial_arrays, CLIPPED.init(initial_arrays), jnp.zeros((), int)) for _ in prices
        ]
        state = SimpleNamespace(carries=carries, constant=constant)
        histories = [History() for _ in prices]
        checkpoint_name = f"{name}{seed}-{zlib.crc32(repr(recipe).encode()):x}"
        checkpoint = Checkpoint(state, shuffle, *histories, name=checkpoint_name)
        for i_part in checkpoint.rounds(range(n_parts), progress):
            network_input, classes = _convert_trials(recipe, *draw(seed, i_part))
            if recipe.kind == "static" and i_part == 0:
                moments = (jnp.asarray(network_input.mean()), jnp.asarray(network_input.std()))
                state.constant = dict(zip(units.CONSTANT, moments, strict=True))
            order = batches(len(classes), recipe.batch, shuffle)
            schedule = (
                order,
                *_schedule_rates((i_part + np.arange(len(order)) / len(order)) / n_parts, recipe),
            )
            training_data = (
                state.constant,
                jnp.asarray(network_input),
                jnp.asarray(classes, jnp.int32),
                schedule,
            )
            for i_price, (price, history) in enumerate(zip(prices, histories, strict=True)):
                if (
                    i_price and not schedule[2].any()
                ):  # No price is at work: so far all are one network.
                    state.carries[i_price] = state.carries[0]
                    history.rows += histories[0].rows[-2:]
                    continue
                cpu_start = time.process_time()
                state.carries[i_price], mean_loss = run_part(
                    state.carries[i_price], np.float32(price), *training_data
                )
                history.note(i_part + 1, train_loss=float(mean_loss))  # waits for it
                history.note(i_part + 1, epoch_seconds=time.process_time() - cpu_start)
            share = (i_seed + (i_part + 1) / n_parts) / len(seeds)
            progress(share, f"seed {seed}: part {i_part + 1} of {n_parts}")
        for price, history, (learned, _, skipped) in zip(
            prices, histories, state.carries, strict=True
        ):
            arrays = {name: np.asarray(x) for name, x in {**learned, **state.constant}.items()}
            info = {**history.info(ENGINE), "skipped": int(skipped), "price": price}
            networks[price, seed] = Network(arrays, info, history.rows)
    return networks


def _convert_trials(recipe: Recipe, raster: NDArray, classes: NDArray) -> tuple[NDArray, NDArray]:
    """Convert drawn trials to the input of the networks; refuse less than a batch."""
    if len(classes) < recipe.batch:
        raise UserError(
            f"baseline networks: a part of the training data has {len(classes)} trials, fewer "
            f"than one batch of {recipe.batch}. Lower 'batch', or draw more trials"
        )
    network_input = (
        units.first_steps(raster) if recipe.kind == "static" else raster.astype(np.uint8)
    )
    return network_input, classes


def alike(recipe: Recipe) -> Recipe:
    """Remove from a recipe what its compiled program does not depend on."""
    tau_ms = (1.0, 1.0) if recipe.tau_ms[0] == recipe.tau_ms[1] else (1.0, 2.0)
    return replace(recipe, rate=0.0, gain=0.0, tau_ms=tau_ms)


def _schedule_rates(
    share_done: NDArray, recipe: Recipe
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Compute the rate and the factor of the price for the share of training done, (step,)."""
    rate = recipe.rate * 0.5 * (1 + np.cos(np.pi * share_done))
    ramp = np.clip((share_done - RAMP[0]) / (RAMP[1] - RAMP[0]), 0, 1)
    return rate.astype(np.float32), ramp.astype(np.float32)


def loss(
    recipe: Recipe,
    shape: Shape,
    arrays: dict[str, Any],
    price: Any,
    ramp: Any,
    network_input: Any,
    classes: Any,
) -> Any:
    """Compute the mean loss of trials.

    Args:
        recipe: What the network is.
        shape: What the task fixes.
        arrays: Of the network.
        price: Of a message, once it is at work.
        ramp: From 0 to 1: how far it is, and how far the readout is reset.
        network_input: As for `units.run`.
        classes: (trial,).
    """
    logits, messages = units.run(recipe, shape, arrays, network_input, early_share=1 - ramp)
    cross_entropy = optax.softmax_cross_entropy_with_integer_labels(logits, classes).mean()
    return cross_entropy + ramp * price * units.to_pay(recipe, messages)


@functools.cache
def _compile_part(recipe: Recipe, shape: Shape) -> Callable[..., Any]:
    """Compile a part: (arrays, state of Adam, updates skipped) after it, and the mean loss."""
    differentiate_loss = jax.value_and_grad(
        lambda learned, constant, *loss_args: loss(
            recipe, shape, {**learned, **constant}, *loss_args
        )
    )

    @jax.jit
    def run_part(
        carry: Any, price: Any, constant: Any, trials: Any, classes: Any, steps: Any
    ) -> Any:
        def take_step(carry: Any, step: Any) -> Any:
            learned, adam_state, skipped = carry
            batch, rate, ramp = step
            network_input = trials[batch]
            if recipe.kind != "static":
                network_input = network_input.swapaxes(0, 1).astype(jnp.float32)
            step_loss, gradient = differentiate_loss(
                learned, constant, price, ramp, network_input, classes[batch]
            )
            is_finite = jnp.isfinite(optax.tree.norm(gradient))
            # A step whose gradient is not finite is skipped and counted.
            updates, new_state = CLIPPED.update(gradient, adam_state)
            new_arrays = {name: x - rate * updates[name] for name, x in learned.items()}
            if recipe.leaky:
                new_arrays["bias"] = jnp.minimum(new_arrays["bias"], units.HIGHEST_BIAS)
            if "log_tau" in new_arrays:
                new_arrays["log_tau"] = jnp.clip(new_arrays["log_tau"], *units.log_bounds(shape))
            updated = jax.tree.map(
                lambda new, old: jnp.where(is_finite, new, old),
                (new_arrays, new_state),
                (learned, adam_state),
            )
            return (*updated, skipped + ~is_finite), step_loss

        carry, losses = jax.lax.scan(take_step, carry, steps)
        return carry, losses.mean()

    return run_part
