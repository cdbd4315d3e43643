"""The burst rule in a hierarchy of rate units (Eqs. 40-45), and its training. No spikes.

Equation numbers are those of this talk's README.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whyspiking.talks.naud.rate_hierarchy.model import (
    Float,
    Hierarchy,
    choose,
    rates,
    sigmoid,
)
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.history import batches


@dataclass(frozen=True)
class Recipe:
    """How one variant is trained.

    Attributes:
        rule: "learned" or "fixed" feedback.
        eta_hidden: Rate of learning of hidden layers at the start.
        eta_output: The same for the output layer.
        gain: Standard deviation of forward weights at the start, times the root of the fan-in.
        feedback_gain: The same for feedback weights.
        decay: Shared decay of forward and feedback weights at the start, per unit of rate.
        decay_share: Share of training after which it has fallen to 0.
        momentum: Share of the last change that goes into the next.
        eta_end: Rates at the end over those at the start; exponential between.
        epochs: Passes over the training set.
        batch: Samples per change of weight.
        p_output: Burst probability of output units at rest.
        beta: Slope of the burst probability of hidden units.
        output_rate: Event rate of all outputs at the start.
    """

    rule: str
    eta_hidden: float
    eta_output: float
    gain: float
    feedback_gain: float
    decay: float
    decay_share: float
    momentum: float
    eta_end: float
    epochs: int
    batch: int
    p_output: float
    beta: float
    output_rate: float


@dataclass
class Layers(Hierarchy):
    """Weights of a hierarchy.

    Attributes:
        feedback: Weights (above, below) from every layer but the first to the one below.
    """

    feedback: list[NDArray]

    @classmethod
    def draw(cls, sizes: Sequence[int], recipe: Recipe, rng: np.random.Generator) -> Layers:
        """Gaussian weights; outputs start at one rate, whatever the input."""
        forward, feedback = [], []
        pairs = list(itertools.pairwise(sizes))
        for n_below, n_above in pairs:
            scale = 1.0 / np.sqrt(n_below)
            forward.append(Float(recipe.gain * scale) * _draw_normal(rng, (n_below, n_above)))
        for n_below, n_above in pairs[1:]:
            scale = 1.0 / np.sqrt(n_below)
            feedback.append(
                Float(recipe.feedback_gain * scale) * _draw_normal(rng, (n_above, n_below))
            )
        forward[-1] *= Float(OUTPUT_SHRINK)
        bias = [np.zeros(n_above, Float) for _, n_above in pairs]
        odds = recipe.output_rate / (1.0 - recipe.output_rate)
        bias[-1][:] = np.log(odds)
        return cls(forward, bias, feedback)


OUTPUT_SHRINK = 0.125
"""Output weights start this much smaller: outputs then begin near `output_rate`."""


def burst_credit(
    layers: Layers, activity: Sequence[NDArray], targets: NDArray, recipe: Recipe
) -> list[NDArray]:
    """Burst rate minus its value at rest, of every layer (Eqs. 40-43), lowest first.

    Args:
        layers: The weights.
        activity: From `rates`, each (sample, unit).
        targets: Wanted output rates, (sample, unit).
        recipe: Needs `p_output` and `beta`.
    """
    output = activity[-1]
    p = Float(recipe.p_output)
    credit = [np.minimum(output, p * targets) - p * output]
    for feedback, event in zip(layers.feedback[::-1], activity[-2:0:-1], strict=True):
        dendrite = (credit[-1] @ feedback) * (Float(1.0) - event)
        credit.append((sigmoid(Float(recipe.beta) * dendrite) - Float(0.5)) * event)
    return credit[::-1]


def train(
    sizes: Sequence[int],
    training: tuple[NDArray, NDArray],
    validation: tuple[NDArray, NDArray],
    recipe: Recipe,
    *,
    init: np.random.Generator,
    shuffle: np.random.Generator,
    progress: Callable[[float, str], None],
) -> Layers:
    """Learn by local changes credit x presynaptic event rate (Eqs. 44-45).

    Args:
        sizes: Units per layer, input first.
        training: Features (sample, input) in 0..1 and classes (sample,).
        validation: The same, for the history only.
        recipe: What is learned, and how fast.
        init: Draws the weights.
        shuffle: Draws the order of the samples.
        progress: Called after every epoch.
    """
    layers = Layers.draw(sizes, recipe, init)
    features, classes = np.asarray(training[0], Float), training[1]
    one_hot = np.eye(sizes[-1], dtype=Float)
    momenta = [np.zeros_like(weights) for weights in layers.forward]
    changes = [
        np.empty_like(momentum) for momentum in momenta
    ]  # new memory costs more than the sums
    bias_momenta = [np.zeros_like(bias) for bias in layers.bias]
    n_layers, n_batches = len(layers.forward), len(features) // recipe.batch
    checkpoint = Checkpoint(layers, shuffle, *momenta, *bias_momenta)
    for epoch in checkpoint.rounds(range(recipe.epochs), progress):
        start_s = time.process_time()
        for i_batch, batch in enumerate(batches(len(features), recipe.batch, shuffle)):
            progress_share = (epoch + i_batch / n_batches) / recipe.epochs
            eta_factor = recipe.eta_end**progress_share
            decay = recipe.decay * max(0.0, 1.0 - progress_share / recipe.decay_share)
            activity = rates(layers, features[batch])
            credit = burst_credit(layers, activity, one_hot[classes[batch]], recipe)
            for k in range(n_layers):
                eta = recipe.eta_output if k == n_layers - 1 else recipe.eta_hidden
                eta = Float(eta * eta_factor)
                mean_credit = credit[k] * Float(1.0 / recipe.batch)
                change = np.matmul(activity[k].T, mean_credit, out=changes[k])
                momenta[k] *= Float(recipe.momentum)
                momenta[k] += change
                bias_momenta[k] *= Float(recipe.momentum)
                bias_momenta[k] += credit[k].mean(axis=0)
                if decay and k:
                    layers.forward[k] *= 1.0 - eta * Float(decay)
                np.multiply(momenta[k], eta, out=change)
                layers.forward[k] += change
                layers.bias[k] += eta * bias_momenta[k]
                if recipe.rule == "learned" and k:
                    if decay:
                        layers.feedback[k - 1] *= 1.0 - eta * Float(decay)
                    layers.feedback[k - 1] += change.T
        error = _note_epoch(layers, epoch + 1, validation, time.process_time() - start_s)
        progress((epoch + 1) / recipe.epochs, f"epoch {epoch + 1}: validation error {error:.4f}")
    return layers


def feedback_angles(layers: Layers) -> list[float]:
    """Angle in degrees between feedback weights and the transposed forward ones, lowest first."""
    angles = []
    for weights, feedback in zip(layers.forward[1:], layers.feedback, strict=True):
        norm = float(np.linalg.norm(weights)) * float(np.linalg.norm(feedback))
        cosine = float((weights.T * feedback).sum()) / norm
        angles.append(float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))))
    return angles


def _note_epoch(
    layers: Layers, epoch: int, validation: tuple[NDArray, NDArray], seconds: float
) -> float:
    """Note angles and the validation error, which is returned."""
    values = {"epoch_seconds": seconds}
    angles = feedback_angles(layers)
    values |= {f"feedback_angle_{k + 1}": degrees for k, degrees in enumerate(angles)}
    is_wrong = choose(layers, validation[0]) != validation[1]
    values["validation_error"] = float(is_wrong.mean())
    layers.history.note(epoch, **values)
    return values["validation_error"]


def _draw_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray:
    return rng.standard_normal(shape, dtype=Float)
