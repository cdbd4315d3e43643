"""Training of the network by the local rule or end to end, with the same data and optimiser."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Params, Progress
from whyspiking.datasets.recordings import Recordings
from whyspiking.errors import UserError
from whyspiking.talks.neftci import alignment, maps, model, network, rules, task
from whyspiking.talks.neftci.network import Constants, Weights
from whyspiking.talks.neftci.rules import Moving, Optimiser, Rule
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.history import History, batches, refuse_broken, stacked

LEARN: dict[str, Callable[..., Moving]] = {
    "online": rules.learn_online,
    "batched": rules.learn_batched,
    "end_to_end": rules.learn_backwards,
}
EVALUATED_AT_ONCE = 250


@dataclass(frozen=True)
class Layers:
    """What a kind of layers can do.

    Attributes:
        initial: Parameters, some frames (time, trial, input), constants, randomness -> weights.
        learn: Name of a rule -> one batch of learning by it.
        responses: Weights, frames, constants -> spikes that readouts see, (time, trial, neuron).
    """

    initial: Callable[[Params, NDArray, Constants, np.random.Generator], Weights]
    learn: Mapping[str, Callable[..., Moving]]
    responses: Callable[[Weights, NDArray, Constants], list[Any]]


def layers_of(params: Params) -> Layers:
    """Dense layers, or convolutional ones where an experiment has `maps`."""
    if "maps" in params.values:
        sizes = maps.maps_of(params)
        return Layers(
            lambda params, *given: maps.initial(params, sizes, *given),
            {"online": functools.partial(maps.learn_online, maps=sizes)},
            functools.partial(maps.responses, maps=sizes),
        )
    return Layers(dense, LEARN, network.responses)


def dense(params: Params, frames: NDArray, c: Constants, rng: np.random.Generator) -> Weights:
    """Dense layers before learning; see `network.initial`."""
    return network.initial(
        model.sizes(params), params.n_classes, params.amplitude, params.mean_u, frames, c, rng
    )


@dataclass(frozen=True)
class Rounds:
    """What a training learns from.

    Attributes:
        number: Of rounds: epochs, or parts of trials that are each shown once.
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


def constants(params: Params) -> Constants:
    """Decays, burn-in and surrogate of an experiment."""
    return Constants(*model.decays(params), model.burn_in(params), float(params.surrogate_slope))


def rule_of(params: Params, variant: str) -> str:
    """Which rule trains a variant: the experiment's, unless the variant is named after one."""
    name = {"bptt": "end_to_end"}.get(variant, variant)
    name = name if name in LEARN else params.rule
    if name not in LEARN:
        raise UserError(
            f"talk '{params.talk}': parameter 'rule' is '{name}'; expected one of "
            f"{', '.join(LEARN)} (talk.yaml)"
        )
    return name


def train(params: Params, variant: str, streams: Streams, progress: Progress) -> Network:
    """Train one network on digits; see `fit`."""
    data, held_out = task.recordings_of(params, "train"), task.recordings_of(params, "validation")
    return fit(params, variant, streams, progress, Rounds(params.epochs, lambda _: data, held_out))


def fit(
    params: Params, variant: str, streams: Streams, progress: Progress, rounds: Rounds
) -> Network:
    """Train one network; that of the last round is kept.

    A variant is named after a rule, or trained by the experiment's. Randomness: "init", "shuffle",
    the same for all rules; "alignment <batches>".

    Args:
        params: Network and rule.
        variant: Which one.
        streams: Randomness.
        progress: Called after every round.
        rounds: What is learned from.
    """
    c = constants(params)
    name = rule_of(params, variant)
    rate = float(getattr(params, f"rate_{name}"))
    batch = int(getattr(params, f"batch_{name}"))
    rule = Rule(float(params.target_rate), float(params.pressure), float(params.renewal))
    if rule.pressure and name != "online":
        raise UserError(
            f"talk '{params.talk}': rule '{name}' has no target rate; set 'pressure' to 0 or "
            "'rule' to online (talk.yaml)"
        )
    how = Optimiser(*getattr(params, f"optimiser_{name}"))
    data, held_out = rounds.of(0), rounds.held_out
    n = len(data.labels)
    n_batches = n // batch
    if n_batches < 1:
        raise UserError(
            f"talk '{params.talk}': {n} training samples are fewer than a batch of {batch}"
        )
    kind = layers_of(params)
    weights = kind.initial(params, data.unpacked(slice(0, params.n_init)), c, streams.rng("init"))
    now = rules.start(weights, how, rule)
    shuffle = streams.rng("shuffle")
    n_all = rounds.number * n_batches
    one_hot = np.eye(params.n_classes, dtype=np.float32)
    moments = alignment.moments(params.align_points, n_all)

    def aligned(seen: int) -> None:
        """M3 after so many batches; draws from a stream of its own, so learning does not notice."""
        found = alignment.measure(
            params, c, Weights(now.w, now.b, weights.g), data, batch,
            streams.rng(f"alignment {seen}"),
        )  # fmt: skip
        history.note(seen / n_batches, **found)

    history = History()
    layers: list[float] = []
    kept = Checkpoint(shuffle, history)
    epochs, now = kept.resume(range(rounds.number), now, progress)
    for epoch in epochs:
        kept.keep(epoch, now)
        data = rounds.of(epoch)
        began, broken = time.process_time(), []
        for index, chosen in enumerate(batches(n, batch, shuffle)):
            seen = epoch * n_batches + index
            if seen in moments:
                jax.block_until_ready(now)
                paused = time.process_time()
                aligned(seen)
                began += time.process_time() - paused
            done = seen / n_all
            # Made on the host: outside of a compiled function JAX takes longer for such small ones.
            target = one_hot[data.labels[chosen]]
            falling = rate * 0.5 * (1 + np.cos(np.pi * done))
            current = np.float32(falling if rounds.decays else rate)
            now = kind.learn[name](
                now, weights.g, data.unpacked(chosen), target, current, c, rule, how
            )
            broken.append(rules.broken(now))
        refuse_broken(stacked(broken), epoch + 1, rate)
        seconds = time.process_time() - began
        reached = Weights(now.w, now.b, weights.g)
        layers, rates = validate(params, reached, held_out)
        found = {f"validation_accuracy_layer{k}": a for k, a in enumerate(layers, 1)}
        found |= {f"rate_layer{k}": r for k, r in enumerate(rates, 1)}
        found["validation_accuracy"] = layers[-1]
        found["samples"] = (epoch + 1) * n_batches * batch
        found["updates"] = (epoch + 1) * n_batches * updates_per_batch(params, name)
        history.note(epoch + 1, **found, **rounds.watch(reached), epoch_seconds=seconds)
        progress((epoch + 1) / rounds.number, f"epoch {epoch + 1}: validation {layers[-1]:.4f}")
    if n_all in moments:
        aligned(n_all)
    return Network(
        model.arrays_of(now.w, now.b, weights.g),
        {
            **history.info("jax"),
            "rule": name,
            "validation_accuracy": float(layers[-1]),
            "parameters": int(sum(w.size for w in now.w) + sum(b.size for b in now.b)),
            "measures": alignment.over_training(history.rows),
        },
        history.rows,
    )


def updates_per_batch(params: Params, name: str) -> int:
    """Updates of the weights per batch: one per step that counts for the online rule, else one."""
    return params.n_frames - model.burn_in(params) if name == "online" else 1


def validate(params: Params, weights: Weights, data: Any) -> tuple[list[float], list[float]]:
    """Accuracy of every layer's readout and spikes per neuron and step of every layer."""
    c, n = constants(params), len(data.labels)
    hits, rates = np.zeros(len(weights.w)), np.zeros(len(weights.w))
    for first in range(0, n, EVALUATED_AT_ONCE):
        part = slice(first, first + EVALUATED_AT_ONCE)
        labels = data.labels[part]
        found = layers_of(params).responses(weights, data.unpacked(part), c)
        for layer, (s, g) in enumerate(zip(found, weights.g, strict=True)):
            choices = model.decide(params, labels, trial_first(s @ g)).choices
            hits[layer] += (choices == labels).sum() / n
            rates[layer] += float(s.mean()) * labels.size / n
    return list(hits), list(rates)


def read(params: Params, trained: Network, frames: NDArray) -> list[NDArray]:
    """Readouts of all layers on frames (time, trial, input): (trial, time, class) each."""
    return readouts(params, weights_of(trained), frames)


def readouts(params: Params, weights: Weights, frames: NDArray) -> list[NDArray]:
    """`read` of weights that are still being learned."""
    return _in_parts(
        params, weights, frames, lambda layer, spikes: trial_first(spikes @ weights.g[layer])
    )


def counts_of(params: Params, trained: Network, frames: NDArray) -> dict[str, NDArray]:
    """Layer -> spikes of every neuron in a trial, (trial, neuron)."""
    weights = weights_of(trained)
    found = _in_parts(params, weights, frames, lambda _, spikes: np.asarray(spikes.sum(axis=0)))
    return dict(zip(model.names(params), found, strict=True))


def _in_parts(
    params: Params, weights: Weights, frames: NDArray, of: Callable[[int, Any], NDArray]
) -> list[NDArray]:
    """What is made of the spikes of each layer, trials first, a few hundred trials at a time."""
    parts = []
    for first in range(0, frames.shape[1], EVALUATED_AT_ONCE):
        given = frames[:, first : first + EVALUATED_AT_ONCE]
        found = layers_of(params).responses(weights, given, constants(params))
        parts.append([of(layer, spikes) for layer, spikes in enumerate(found)])
    return [np.concatenate(pieces) for pieces in zip(*parts, strict=True)]


def weights_of(trained: Network) -> Weights:
    """A trained network as JAX arrays."""
    w, b, g = ([jnp.asarray(a) for a in kind] for kind in model.weights_of(trained))
    return Weights(w, b, g)


def trial_first(read: Any) -> NDArray:
    """(time, trial, class) -> (trial, time, class)."""
    return np.asarray(read).transpose(1, 0, 2)
