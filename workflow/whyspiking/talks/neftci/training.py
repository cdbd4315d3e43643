"""Training by the local rule or end to end, with the same data and optimiser."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.datasets.recordings import Recordings
from whyspiking.errors import UserError
from whyspiking.talks.neftci import (
    alignment,
    decisions,
    initial_weights,
    learning,
    model,
    once_per_batch,
    task,
)
from whyspiking.talks.neftci.learning import Moving
from whyspiking.talks.neftci.model import Weights
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.history import BROKEN, History, batches, refuse_broken, stacked

RULES: dict[str, Callable[..., Moving]] = {
    "online": learning.learn_online,
    "batched": functools.partial(
        once_per_batch.learn_once, gradients=once_per_batch.batched_gradients
    ),
    "end_to_end": functools.partial(
        once_per_batch.learn_once, gradients=once_per_batch.end_to_end_gradients
    ),
}
EVALUATED_AT_ONCE = 250


@dataclass(frozen=True)
class Rounds:
    """Data of a training, round by round.

    Attributes:
        number: Of rounds, which are epochs.
        of: Round -> its samples, equally many in each.
        held_out: Samples by which training is watched.
        decays: Whether the learning rate falls to zero, as a cosine over all rounds.
        watch: What else is noted of the weights after every round.
    """

    number: int
    of: Callable[[int], Recordings]
    held_out: Recordings
    decays: bool = True
    watch: Callable[[Weights], dict[str, float]] = lambda _: {}


@dataclass(frozen=True)
class Recipe:
    """How a variant learns.

    Attributes:
        rule: One of `RULES`.
        rate: Learning rate at the start.
        batch: Samples per batch.
        decay: Of Adamax's norm.
    """

    rule: str
    rate: float
    batch: int
    decay: float

    @classmethod
    def from_params(cls, params: ct.Params, variant: str) -> Recipe:
        """The rule of the experiment, unless the variant is named after one.

        Raises:
            UserError: If there is no such rule.
        """
        name = {"bptt": "end_to_end"}.get(variant, variant)
        name = name if name in RULES else params.rule
        if name not in RULES:
            raise UserError(
                f"Parameter 'rule' of talk '{params.talk}' is '{name}'. It must be one of "
                f"{', '.join(RULES)}. Correct it in talk.yaml."
            )
        rate, batch, decay = (
            getattr(params, f"{parameter}_{name}") for parameter in ("rate", "batch", "norm")
        )
        return cls(name, float(rate), int(batch), float(decay))


def train(params: ct.Params, variant: str, streams: Streams, progress: ct.Progress) -> ct.Network:
    """Train one network on digits; see `fit`."""
    data, held_out = task.recordings_of(params, "train"), task.recordings_of(params, "validation")
    return fit(params, variant, streams, progress, Rounds(params.epochs, lambda _: data, held_out))


def fit(
    params: ct.Params, variant: str, streams: Streams, progress: ct.Progress, rounds: Rounds
) -> ct.Network:
    """Train one network; that of the last round is kept.

    A variant is named after a rule, or trained by the experiment's. Randomness: "init", "shuffle",
    the same for all rules; "alignment <batches>".

    Args:
        params: Network and rule.
        variant: Which one.
        streams: Randomness.
        progress: Called after every round.
        rounds: What is learned from.

    Raises:
        UserError: If there are too few samples, or a number is not finite.
    """
    recipe, samples = Recipe.from_params(params, variant), rounds.of(0)
    n_batches = len(samples.labels) // recipe.batch
    if n_batches < 1:
        raise UserError(
            f"talk '{params.talk}': {len(samples.labels)} training samples are fewer than one "
            f"batch of {recipe.batch}. Lower 'batch' in talk.yaml, or use more samples"
        )
    weights = initial_weights.initial(
        params, samples.unpacked(slice(0, params.n_init)), streams.rng("init")
    )
    history, shuffle = History(), streams.rng("shuffle")
    learner = _Learner(params, recipe, rounds, n_batches, weights.g, streams, history)
    trained = SimpleNamespace(moving=learning.start(weights))
    for epoch in Checkpoint(trained, shuffle, history).rounds(range(rounds.number), progress):
        trained.moving, seconds = learner.learn(trained.moving, epoch, shuffle)
        weights_now = Weights(trained.moving.w, trained.moving.b, weights.g)
        values = validate(params, weights_now, rounds.held_out)
        values["samples"] = (epoch + 1) * n_batches * recipe.batch
        values["updates"] = (epoch + 1) * n_batches * updates_per_batch(params, recipe.rule)
        history.note(epoch + 1, **values, **rounds.watch(weights_now), epoch_seconds=seconds)
        accuracy = values["validation_accuracy"]
        progress((epoch + 1) / rounds.number, f"epoch {epoch + 1}: validation {accuracy:.4f}")
    learned = trained.moving
    learner.align(learned, samples, learner.n_all)
    return ct.Network(
        model.arrays_of(Weights(learned.w, learned.b, weights.g)),
        {
            **history.info("jax"),
            "rule": recipe.rule,
            "validation_accuracy": history.values("validation_accuracy")[-1],
            "parameters": int(sum(x.size for x in (*learned.w, *learned.b))),
            "measures": alignment.over_training(history.rows),
        },
        history.rows,
    )


@dataclass(frozen=True)
class _Learner:
    """Learns batch by batch.

    Attributes:
        params, recipe, rounds, streams, history: As in `fit`.
        n_batches: Batches per round.
        g: Fixed readouts.
    """

    params: ct.Params
    recipe: Recipe
    rounds: Rounds
    n_batches: int
    g: list
    streams: Streams
    history: History

    @property
    def n_all(self) -> int:
        """Batches of all rounds."""
        return self.rounds.number * self.n_batches

    def learn(
        self, moving: Moving, epoch: int, shuffle: np.random.Generator
    ) -> tuple[Moving, float]:
        """One round: the weights after it, and the CPU seconds of learning."""
        data, recipe = self.rounds.of(epoch), self.recipe
        c, learn = model.constants(self.params), RULES[recipe.rule]
        # Made on the host: outside of a compiled function JAX takes longer for such small ones.
        one_hot = np.eye(self.params.n_classes, dtype=np.float32)
        start_s, is_broken = time.process_time(), []
        for index, batch_samples in enumerate(batches(len(data.labels), recipe.batch, shuffle)):
            n_batches_seen = epoch * self.n_batches + index
            start_s += self.align(moving, data, n_batches_seen)
            cosine_rate = recipe.rate * 0.5 * (1 + np.cos(np.pi * (n_batches_seen / self.n_all)))
            rate = np.float32(cosine_rate if self.rounds.decays else recipe.rate)
            target = one_hot[data.labels[batch_samples]]
            moving = learn(
                moving, self.g, data.unpacked(batch_samples), target, rate, c, recipe.decay
            )
            is_broken.append(find_broken(moving))
        refuse_broken(stacked(is_broken), epoch + 1, recipe.rate)
        return moving, time.process_time() - start_s

    def align(self, moving: Moving, data: Recordings, n_batches_seen: int) -> float:
        """Note M3 if it is due after so many batches; the CPU seconds that took.

        It draws from a stream of its own, so learning does not notice.
        """
        if n_batches_seen not in alignment.moments(self.params.align_points, self.n_all):
            return 0.0
        jax.block_until_ready(moving)
        start_s = time.process_time()
        cosines = alignment.measure(
            self.params, Weights(moving.w, moving.b, self.g), data, self.recipe.batch,
            self.streams.rng(f"alignment {n_batches_seen}"),
        )  # fmt: skip
        self.history.note(n_batches_seen / self.n_batches, **cosines)
        return time.process_time() - start_s


@jax.jit
def find_broken(moving: Moving) -> dict[str, jax.Array]:
    """For `refuse_broken`: which weights and biases are not finite after an update.

    Adamax divides by the size of the gradient, so that one which is not finite leaves weights
    behind that are not.
    """
    return {
        f"{BROKEN}{kind}{k}": ~jnp.isfinite(x).all()
        for kind, arrays in (("w", moving.w), ("b", moving.b))
        for k, x in enumerate(arrays, start=1)
    }


def updates_per_batch(params: ct.Params, rule: str) -> int:
    """Updates of the weights per batch: one per step that counts for the online rule, else one."""
    return params.n_frames - model.burn_in(params) if rule == "online" else 1


def validate(params: ct.Params, weights: Weights, data: Recordings) -> dict[str, float]:
    """Accuracy of every layer's readout, spikes per neuron and step of every layer."""
    c, n = model.constants(params), len(data.labels)
    hits, rates = np.zeros(len(weights.w)), np.zeros(len(weights.w))
    for first_trial in range(0, n, EVALUATED_AT_ONCE):
        trials = slice(first_trial, first_trial + EVALUATED_AT_ONCE)
        labels = data.labels[trials]
        spikes = model.responses(weights, data.unpacked(trials), c)
        for layer, (s, g) in enumerate(zip(spikes, weights.g, strict=True)):
            choices = decisions.decide(params, labels, put_trials_first(s @ g)).choices
            hits[layer] += (choices == labels).sum() / n
            rates[layer] += float(s.mean()) * labels.size / n
    values = {f"validation_accuracy_layer{k}": hit for k, hit in enumerate(hits, 1)}
    values |= {f"rate_layer{k}": rate for k, rate in enumerate(rates, 1)}
    return {**values, "validation_accuracy": hits[-1]}


def readouts(params: ct.Params, weights: Weights, frames: NDArray) -> list[NDArray]:
    """Readouts of all layers on frames (time, trial, input): (trial, time, class) each."""
    return _map_layers(params, weights, frames, lambda k, s: put_trials_first(s @ weights.g[k]))


def read(params: ct.Params, trained: ct.Network, frames: NDArray) -> list[NDArray]:
    """`readouts` of a trained network."""
    return readouts(params, _on_device(trained), frames)


def counts_of(params: ct.Params, trained: ct.Network, frames: NDArray) -> dict[str, NDArray]:
    """Layer -> spikes of every neuron in a trial, (trial, neuron)."""
    counts = _map_layers(
        params, _on_device(trained), frames, lambda _, spikes: np.asarray(spikes.sum(axis=0))
    )
    return dict(zip(model.names(params), counts, strict=True))


def _on_device(trained: ct.Network) -> Weights:
    return jax.tree.map(jnp.asarray, model.weights_of(trained))


def _map_layers(
    params: ct.Params,
    weights: Weights,
    frames: NDArray,
    reduce_spikes: Callable[[int, Any], NDArray],
) -> list[NDArray]:
    """Apply a function to the spikes of each layer, a few hundred trials at a time."""
    chunks = []
    for first_trial in range(0, frames.shape[1], EVALUATED_AT_ONCE):
        chunk_frames = frames[:, first_trial : first_trial + EVALUATED_AT_ONCE]
        spikes = model.responses(weights, chunk_frames, model.constants(params))
        chunks.append([reduce_spikes(layer, s) for layer, s in enumerate(spikes)])
    return [np.concatenate(layer_chunks) for layer_chunks in zip(*chunks, strict=True)]


def put_trials_first(read: Any) -> NDArray:
    """(time, trial, class) -> (trial, time, class)."""
    return np.asarray(read).transpose(1, 0, 2)
