"""Training by gradient descent in JAX, the same loop for every network that has a loss.

Adam whose rate falls along a half cosine or by halves, gradients clipped by their global norm, the
model of the best epoch on validation data or of the last epoch. An epoch is one compiled call,
whose program depends on shapes, on the loss and on which arrays are learned, not on rates or
constants: trainings that differ in these share it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.random import Generator
from numpy.typing import NDArray

from whyspiking.contract.types import Progress
from whyspiking.errors import UserError
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.history import BROKEN, LOSS, History, batches, refuse_broken

type Arrays = dict[str, Any]
type Loss = Callable[[Arrays, Arrays], tuple[Any, dict[str, Any]]]
"""(arrays, batch) -> loss, and numbers to be averaged over the epoch; differentiable by JAX."""
type Data = Mapping[str, NDArray]

ENGINE = "jax"
ADAM: Any = optax.scale_by_adam()


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes:
        epochs: Passes over the training set.
        batch: Samples per step; an incomplete last batch is left out, and differs every epoch.
        learning_rate: Adam's rate at the start.
        clip_norm: Largest global norm of a gradient.
        criterion: Metric of `judge` that chooses the epoch; larger is better.
        rates: Array -> factor on the learning rate; 1 where it is not named, 0 for what is not
            learned.
        halved_every: Epochs after which the rate is halved, again and again; 0: it falls to zero
            along a half cosine.
        keep_last: Whether the last epoch is kept in place of the best one.
    """

    epochs: int
    batch: int
    learning_rate: float
    clip_norm: float
    criterion: str
    rates: Mapping[str, float]
    halved_every: int = 0
    keep_last: bool = False


@dataclass(frozen=True)
class Fitted:
    """A trained set of arrays and how it came about.

    Attributes:
        arrays: Those of the epoch that is kept.
        info: JSON-able facts for `Network.info`.
        history: Rows for `Network.history`.
    """

    arrays: dict[str, NDArray]
    info: dict[str, Any]
    history: list[dict[str, Any]]


def fit(
    arrays: Mapping[str, NDArray],
    loss: Loss,
    data: Data | Callable[[int], Data],
    settings: Settings,
    *,
    judge: Callable[[Arrays], Mapping[str, float]],
    shuffle: Generator,
    progress: Progress,
    constants: Mapping[str, float] | None = None,
    project: Callable[[Arrays], Arrays] | None = None,
) -> Fitted:
    """Minimise a loss.

    Args:
        arrays: Where to start.
        loss: What to minimise.
        data: Training data by name, each (sample, ...), or what gives those of an epoch, numbered
            from 1; the loss gets (batch, ...).
        settings: How.
        judge: Metrics of the validation set, called after every epoch.
        shuffle: Orders the samples anew in every epoch.
        progress: Called after every epoch.
        constants: Numbers that the loss gets beside every batch.
        project: Applied to the arrays after every step, to keep them where they make sense.

    Raises:
        UserError: If there is less than one batch, or if the loss or a gradient is not finite: the
            message names epoch, step and array.
    """
    loss_constants = {k: jnp.asarray(value, jnp.float32) for k, value in (constants or {}).items()}
    run_epoch = _compile_epoch(loss, settings, project)
    samples: Arrays = {} if callable(data) else jax.tree.map(jnp.asarray, dict(data))
    initial_arrays: Arrays = {name: jnp.asarray(values) for name, values in arrays.items()}
    training, history = (
        SimpleNamespace(arrays=initial_arrays, state=ADAM.init(initial_arrays)),
        History(),
    )
    best: dict[str, Any] = {}
    checkpoint = Checkpoint(training, best, shuffle, history)
    for epoch in checkpoint.rounds(range(1, settings.epochs + 1), progress):
        cpu_start = time.process_time()
        if callable(data):
            samples = jax.tree.map(jnp.asarray, dict(data(epoch)))
        schedule = _schedule_epoch(epoch, len(next(iter(samples.values()))), settings, shuffle)
        training.arrays, training.state, means, broken = run_epoch(
            training.arrays, training.state, samples, loss_constants, *schedule
        )
        refuse_broken(broken, epoch, float(schedule[1].max()))
        values = {name: float(value) for name, value in means.items()}
        seconds = time.process_time() - cpu_start
        values |= {name: float(value) for name, value in judge(training.arrays).items()}
        history.note(epoch, **values, epoch_seconds=seconds)
        criterion_value = values[settings.criterion]
        # With keep_last every epoch replaces the one before.
        if not best or settings.keep_last or criterion_value > best["reached"]:
            copies = {name: np.asarray(value) for name, value in training.arrays.items()}
            best.update(reached=criterion_value, epoch=epoch, arrays=copies)
        progress(
            epoch / settings.epochs, f"epoch {epoch}: {settings.criterion} {criterion_value:.4f}"
        )
    return _assemble_result(best, history, settings.criterion)


def _compile_epoch(
    loss: Loss,
    settings: Settings,
    project: Callable[[Arrays], Arrays] | None,
) -> Callable[..., Any]:
    """Compile an epoch: arrays, Adam's state, means of metrics, which steps were not finite."""

    def step(samples: Arrays, constants: Arrays, carry: Any, step_schedule: Any) -> Any:
        arrays, state = carry
        sample_indices, rate = step_schedule
        batch = {name: values[sample_indices] for name, values in samples.items()} | constants
        (value, metrics), gradient = jax.value_and_grad(loss, has_aux=True)(arrays, batch)
        factors = {name: float(settings.rates.get(name, 1.0)) for name in arrays}
        # What is not learned must not count in the norm either.
        gradient = {k: g if factors[k] else jnp.zeros_like(g) for k, g in gradient.items()}
        norm = optax.tree.norm(gradient)
        broken = {f"{BROKEN}{k}": ~jnp.isfinite(g).all() for k, g in gradient.items()}
        clip_factor = jnp.minimum(1.0, settings.clip_norm / jnp.maximum(norm, 1e-12))
        gradient = {k: g * clip_factor for k, g in gradient.items()}
        updates: Arrays
        updates, state = ADAM.update(gradient, state, arrays)
        arrays = {k: value - rate * factors[k] * updates[k] for k, value in arrays.items()}
        if project is not None:
            arrays = project(arrays)
        broken[f"{BROKEN}{LOSS}"] = ~jnp.isfinite(value)
        metrics = {"train_loss": value, "gradient_norm": norm, **metrics, **broken}
        return (arrays, state), metrics

    @jax.jit
    def run_epoch(arrays: Any, state: Any, samples: Any, constants: Any, *schedule: Any) -> Any:
        take_step = partial(step, samples, constants)
        (arrays, state), metrics = jax.lax.scan(take_step, (arrays, state), schedule)
        broken = {name: values for name, values in metrics.items() if name.startswith(BROKEN)}
        means = {name: values.mean() for name, values in metrics.items() if name not in broken}
        return arrays, state, means, broken

    return run_epoch


def _schedule_epoch(
    epoch: int, n_samples: int, settings: Settings, shuffle: Generator
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Choose samples (step, batch) and learning rate for every step of an epoch."""
    if n_samples < settings.batch:
        raise UserError(
            f"{n_samples} training samples are fewer than one batch of {settings.batch}. Lower "
            "'batch', or use more samples"
        )
    order = batches(n_samples, settings.batch, shuffle)
    if settings.halved_every:
        halvings = (epoch - 1) // settings.halved_every
        rate = np.full(len(order), settings.learning_rate * 0.5**halvings)
    else:
        share_done = (epoch - 1 + np.arange(len(order)) / len(order)) / settings.epochs
        rate = settings.learning_rate * 0.5 * (1 + np.cos(np.pi * share_done))
    return order, rate.astype(np.float32)


def _assemble_result(best: Mapping[str, Any], history: History, criterion: str) -> Fitted:
    seconds = history.values("epoch_seconds")
    info = {
        "engine": ENGINE,
        "epochs": len(seconds),
        # The first epoch includes compilation.
        "epoch_seconds": float(np.median(seconds)),
        "best_epoch": best["epoch"],
        criterion: best["reached"],
        "parameters": int(sum(np.size(value) for value in best["arrays"].values())),
    }
    return Fitted(best["arrays"], info, history.rows)
