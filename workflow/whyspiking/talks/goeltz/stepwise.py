"""Learning batch by batch around any substrate: the steps of `learning.Compiled` in Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
import optax
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.talks.goeltz import model, task
from whyspiking.talks.goeltz.learning import Bump, loss, tolerated
from whyspiking.talks.goeltz.model import Weights
from whyspiking.training.first_spike.epoch_state import Diverged, broken

ADAM = optax.scale_by_adam()


@dataclass
class Substrate:
    """What a network runs on while it learns.

    Attributes:
        forward: Forward pass, see `model.Forward`.
        weights: Weights as the substrate holds them, from those that are learned; gradients pass
            straight through.
        limit: Brings the learned weights back into the range of the substrate after every step.
        input_times: Input times as they arrive, from the intended ones.
        noise: Generator of the other callables, for checkpoints.
    """

    forward: model.Forward
    weights: Callable[[Weights], Weights] = lambda weights: weights
    limit: Callable[[Weights], Weights] = lambda weights: weights
    input_times: Callable[[NDArray], NDArray] = lambda times: times
    noise: np.random.Generator | None = None


@jax.jit
def _apply_adam(gradients, state, weights, rate):
    steps: Any
    steps, state = ADAM.update(gradients, state, weights)
    return tuple(w - rate * step for w, step in zip(weights, steps, strict=True)), state


class Stepwise:
    """Batch by batch, around any substrate."""

    CARRIED = ("weights", "state", "steps", "bump")

    def __init__(
        self,
        params: ct.Params,
        inputs: NDArray,
        targets: NDArray,
        weights: Weights,
        *,
        substrate: Substrate,
    ) -> None:
        """Start; arguments as in `learning.train`, and what the network runs on."""
        self.params, self.inputs, self.targets, self.weights = params, inputs, targets, weights
        self.substrate, self.forward = substrate, substrate.forward
        self.noise = (substrate.noise,) if substrate.noise else ()
        self.state: Any = ADAM.init(weights)
        self.steps = 0
        self.bump = Bump(params.bump, tolerated(params))

    @property
    def held(self) -> Weights:
        """Present weights as the substrate holds them."""
        return self.substrate.weights(self.weights)

    def epoch(self, order: NDArray, rate: float) -> dict[str, float]:
        """Train on all samples in this order; means over its samples."""
        sums: dict[str, float] = {}
        for start in range(0, len(order), self.params.batch):
            i_batch = order[start : start + self.params.batch]
            for metric, value in self._batch(i_batch, rate).items():
                sums[metric] = sums.get(metric, 0.0) + value * len(i_batch)
            self.steps += 1
            if broken_arrays := broken(self.weights):
                raise Diverged(self.steps, start // self.params.batch, broken_arrays)
        return {metric: value / len(order) for metric, value in sums.items()}

    def _batch(self, i_samples: NDArray, rate: float) -> dict[str, float]:
        params, substrate, weights, held_weights = (
            self.params,
            self.substrate,
            self.weights,
            self.held,
        )
        batch = task.with_bias(substrate.input_times(self.inputs[i_samples]), params)
        spikes = substrate.forward(batch, held_weights)
        mean_loss, by_time = loss(spikes.output.times, self.targets[i_samples], params)
        layer = self.bump.offending(spikes)
        if layer is None or params.bump_rule == "soft":
            gradients = model.gradients(params, spikes, held_weights, by_time)
            weights, self.state = _apply_adam(gradients, self.state, weights, np.float32(rate))
            weights = tuple(np.asarray(w) for w in weights)
        if layer is not None:
            weights = self.bump.apply(weights, spikes, layer)
        self.weights = substrate.limit(weights)
        is_correct = spikes.output.times.argmin(axis=1) == self.targets[i_samples]
        return {
            "train_loss": mean_loss,
            "train_accuracy": float(is_correct.mean()),
            "silent_hidden": float(np.isinf(spikes.hidden.times).mean()),
            "bumped_batches": float(layer is not None),
        }
