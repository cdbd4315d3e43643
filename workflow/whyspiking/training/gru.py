"""Gated recurrent units (Cho et al. 2014) that read rasters step by step, trained by BPTT.

A talk may train one on data of its own by `Learner`. One that its talk.yaml declares (`is: gru`)
learns from fresh spike trains, each shown once, and answers at the end of the trial.
"""

from __future__ import annotations

import functools
import time
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.talk import Replication
from whyspiking.contract.types import Network, Params, Progress, Task, Trials
from whyspiking.errors import UserError
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.history import BROKEN, History, refuse_broken
from whyspiking.training.products import product

ENGINE = "jax"
GRU = "gru"
"""What `info["is"]` says of networks that talk.yaml declares (`controls`)."""
WEIGHTS = ("input", "state", "out")
"""Arrays whose entries are synapses."""
ANSWER_STEPS = 10
"""In the last of all steps counts what a declared network says: in the shared tasks all input that
tells the class has come by then."""
VALIDATED_EVERY = 4
"""Parts of the training trials."""
EVALUATED_AT_ONCE = 250


def initial(n_in: int, n: int, n_classes: int, streams: Streams) -> dict[str, NDArray[np.float32]]:
    """Uniform weights (Glorot & Bengio 2010); gates z, r and the candidate side by side.

    Args:
        n_in: Inputs.
        n: Units.
        n_classes: Channels of the readout.
        streams: Randomness: "control-init".
    """
    rng = streams.rng("control-init")

    def uniform(rows: int, columns: int, copies: int = 1) -> NDArray[np.float32]:
        limit = np.sqrt(6 / (rows + columns))
        return rng.uniform(-limit, limit, (rows, copies * columns)).astype(np.float32)

    return {
        "input": uniform(n_in, n, 3),
        "state": uniform(n, n, 3),
        "bias": np.zeros(3 * n, np.float32),
        "out": uniform(n, n_classes),
        "out_bias": np.zeros(n_classes, np.float32),
    }


def readout(arrays: Any, frames: Any) -> Any:
    """Logits in every step (Cho et al. 2014, with the reset before the product of the candidate).

    Args:
        arrays: From `initial`.
        frames: (time, trial, input).

    Returns:
        (time, trial, class).
    """
    n = arrays["out"].shape[0]
    drive = product(frames, arrays["input"]) + arrays["bias"]

    def step(h: Any, now: Any) -> Any:
        gates = jax.nn.sigmoid(now[:, : 2 * n] + product(h, arrays["state"][:, : 2 * n]))
        keep, reset = gates[:, :n], gates[:, n:]
        new = jnp.tanh(now[:, 2 * n :] + product(reset * h, arrays["state"][:, 2 * n :]))
        h = keep * h + (1 - keep) * new
        return h, h

    states = jax.lax.scan(step, jnp.zeros((frames.shape[1], n)), drive)[1]
    return product(states, arrays["out"]) + arrays["out_bias"]


class Learner:
    """Adam with a cosine decay on the cross-entropy in every step that counts.

    Attributes:
        start: Arrays -> state of Adam before the first update.
    """

    def __init__(self, rate: float, n_updates: int, first: int) -> None:
        """Say how it learns.

        Args:
            rate: Of Adam at the start; it falls to zero along a half cosine.
            n_updates: In all.
            first: First step that counts; negative: from the end.
        """
        self._adam = optax.adam(optax.cosine_decay_schedule(rate, n_updates))
        self._first = first
        self.start = self._adam.init

    def loss(self, arrays: Any, frames: Any, labels: Any) -> Any:
        """Mean over trials and steps that count; `frames` (time, trial, input)."""
        logits = readout(arrays, frames)[self._first :]
        return optax.softmax_cross_entropy_with_integer_labels(
            logits, jnp.broadcast_to(labels, logits.shape[:2])
        ).mean()

    def update(self, arrays: Any, state: Any, frames: Any, labels: Any) -> Any:
        """Arrays and state after a batch, and for `refuse_broken` what was not finite."""
        slopes = jax.grad(self.loss)(arrays, frames, labels)
        updates, state = self._adam.update(slopes, state, arrays)
        broken = {f"{BROKEN}{name}": ~jnp.isfinite(g).all() for name, g in slopes.items()}
        return optax.apply_updates(arrays, updates), state, broken

    @functools.partial(jax.jit, static_argnums=0)
    def run(self, carry: Any, frames: Any, labels: Any) -> Any:
        """`update` on (batch, time, trial, input), batch after batch; `carry`: arrays and state."""

        def one(carry: Any, of_batch: Any) -> Any:
            arrays, state, broken = self.update(*carry, *of_batch)
            return (arrays, state), broken

        return jax.lax.scan(one, carry, (frames, labels))


def read(arrays: Any, frames: NDArray) -> NDArray:
    """Logits of any number of trials, a few hundred at a time, (trial, time, class)."""
    run = jax.jit(readout)
    found = [
        np.asarray(run(arrays, frames[:, k : k + EVALUATED_AT_ONCE]))
        for k in range(0, frames.shape[1], EVALUATED_AT_ONCE)
    ]
    return np.concatenate(found, axis=1).transpose(1, 0, 2)


def count_operations(arrays: Any, frames: NDArray) -> dict[str, float]:
    """Operations per trial, by name of `glossary.GLOSSARY`; zeros of the input are skipped.

    Args:
        arrays: From `initial`.
        frames: Some inputs, (time, trial, input).
    """
    n_steps = len(frames)
    n_in, wide = arrays["input"].shape
    n = arrays["out"].shape[0]
    active = np.count_nonzero(frames) / frames.shape[1]
    # Three products per unit and step combine gates and candidate.
    states = n_steps * (n * wide + 3 * n + arrays["out"].size)
    return {
        "macs_effective": float(active * wide + states),
        "macs_dense": float(n_steps * n_in * wide + states),
        "neuron_updates": float(n_steps * n),
        "synapses": float(sum(arrays[name].size for name in WEIGHTS)),
        "footprint": 4.0 * sum(x.size for x in arrays.values()),
    }


def train_declared(
    n: int, replication: Replication, params: Params, streams: Streams, progress: Progress
) -> Network:
    """Train a control that talk.yaml declares on the trials that the experiment gives.

    Args:
        n: Units.
        replication: The experiment; learned from are its `control_trials`.
        params: `n_train`, `control_epochs`, `control_batch`, `control_learning_rate`;
            `control_step_ms`, the step of the network; `control_tau_ms`, how long units hold their
            state before they learn.
        streams: Randomness: "control-init".
        progress: Called after every part of the trials.

    Raises:
        UserError: If there is no such task, or a batch does not divide what is drawn at once.
    """
    held_out = replication.control_task(params, "validation", streams)
    assert held_out is not None
    batch, rate = int(params.control_batch), float(params.control_learning_rate)
    at_once = len(next(replication.control_trials(params))[1])
    if at_once % batch or params.n_train % batch:
        raise UserError(
            f"talk '{params.talk}': 'control_batch' is {batch}; expected a divisor of the "
            f"{at_once} trials that are drawn at once, and of 'n_train', {params.n_train}"
        )
    step_ms, begun = float(params.control_step_ms), _begun(n, held_out, params, streams)
    shown = params.n_train * params.control_epochs
    learner = Learner(rate, shown // batch, -ANSWER_STEPS)
    arrays: Any = {name: jnp.asarray(x) for name, x in begun.items()}
    history, accuracy, trained = History(), float("nan"), begun
    now, drawn = SimpleNamespace(carry=(arrays, learner.start(arrays))), None
    n_rounds = -(-params.n_train // at_once) * params.control_epochs
    for index in Checkpoint(now, history).rounds(range(n_rounds), progress):
        drawn = drawn or replication.control_trials(params, index)
        spikes, classes = next(drawn)
        began = time.process_time()
        frames, labels = in_batches(frames_of(spikes, step_ms), classes, batch)
        now.carry, broken = learner.run(now.carry, frames, labels)
        refuse_broken(broken, index + 1, rate)
        history.note(index + 1, epoch_seconds=time.process_time() - began)
        if (index + 1) % VALIDATED_EVERY == 0 or index + 1 == n_rounds:
            trained = {name: np.asarray(x) for name, x in now.carry[0].items()}
            accuracy = float((_choices(trained, held_out, step_ms) == held_out.targets).mean())
            history.note(index + 1, validation_accuracy=accuracy)
            progress((index + 1) / n_rounds, f"part {index + 1}: validation {accuracy:.4f}")
    info = {
        **history.info(ENGINE),
        "is": GRU,
        "rule": "bptt",
        "step_ms": step_ms,
        "validation_accuracy": accuracy,
        "parameters": int(sum(x.size for x in trained.values())),
        "weights": list(WEIGHTS),
        "counts": count_operations(trained, frames_of(_spikes(held_out), step_ms)),
    }
    return Network(trained, info, history.rows)


def _begun(n: int, task: Task, params: Params, streams: Streams) -> dict[str, NDArray[np.float32]]:
    """Arrays before training, with gates that keep the state for `control_tau_ms`.

    Raises:
        UserError: If that is not longer than a step.
    """
    steps_held = params.control_tau_ms / params.control_step_ms
    if steps_held <= 1:
        raise UserError(
            f"talk '{params.talk}': 'control_tau_ms' is {params.control_tau_ms}; expected more "
            f"than a step, {params.control_step_ms:g} ms"
        )
    arrays = initial(_spikes(task).n_units, n, task.n_classes, streams)
    # The gate keeps 1 - 1 / steps_held of the state in a step.
    arrays["bias"][:n] = np.log(steps_held - 1)
    return arrays


def evaluate(network: Network, task: Task) -> Trials:
    """Class with the largest logit, mean over the steps that count; decided at the end of a trial.

    Args:
        network: From `train_declared`.
        task: Its spikes are read, so that what happened to them is seen.
    """
    choices = _choices(network.arrays, task, network.info["step_ms"])
    return Trials.of(task, choices, _spikes(task).duration_ms)


def frames_of(spikes: Spikes, step_ms: float) -> NDArray[np.float32]:
    """1 where an input fires in a step, (time, trial, input)."""
    n_steps = round(spikes.duration_ms / step_ms)
    raster = spikes.raster(spikes.steps(step_ms), n_steps)
    return raster.transpose(1, 0, 2).astype(np.float32, order="C")


def in_batches(frames: NDArray, labels: NDArray, batch: int) -> tuple[NDArray, NDArray]:
    """(time, trial, input) and (trial,), as (batch, time, trial, input) and (batch, trial)."""
    shape = len(frames), -1, batch, frames.shape[2]
    return frames.reshape(shape).transpose(1, 0, 2, 3), labels.reshape(-1, batch)


def _choices(arrays: Any, task: Task, step_ms: float) -> NDArray[np.int64]:
    frames = frames_of(_spikes(task), step_ms)
    return read(arrays, frames)[:, -ANSWER_STEPS:].mean(axis=1).argmax(axis=1)


def _spikes(task: Task) -> Spikes:
    (spikes,) = task.stimulus.spikes.values()
    return spikes
