"""The authors' rate network (jordan-g/Burstprop), and what it is compared with. No spikes.

Equation numbers are those of this talk's README, section 9. Weights are (below, above) throughout;
the unit of work is a batch, whose gradients are summed, as in the published program.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import get_blas_funcs

from whyspiking.talks.naud.rate_hierarchy.model import (
    Float,
    Hierarchy,
    angle,
    back_propagated,
    choose,
    rates,
    sigmoid,
)
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.history import batches

LEARNED_FEEDBACK, FIXED_FEEDBACK = "learned", "fixed"
BURSTS = (LEARNED_FEEDBACK, FIXED_FEEDBACK)
GEMM: Any = get_blas_funcs("gemm", dtype=Float)


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes:
        rule: "learned" or "fixed" feedback of bursts, "backprop" or "perturbation".
        eta_hidden, eta_output: Rates of learning per summed gradient of a batch.
        eta_recurrent: Rate of the recurrent weights Z.
        gain: Of Xavier's normal start.
        feedback_std: Standard deviation of feedback weights at the start.
        recurrent_range: Bound of recurrent weights at the start.
        momentum: Share of the last change that goes into the next.
        decay: Share of weights and feedback weights that every batch takes away.
        p_output: Burst probability of the output at rest.
        noise: Standard deviation of the perturbation of a unit's input.
        epochs: Passes over the training set.
        batch: Samples per change of weights.
    """

    rule: str
    eta_hidden: float
    eta_output: float
    eta_recurrent: float
    gain: float
    feedback_std: float
    recurrent_range: float
    momentum: float
    decay: float
    p_output: float
    noise: float
    epochs: int
    batch: int


@dataclass
class Layers(Hierarchy):
    """Weights of a hierarchy, `forward` being W.

    Attributes:
        feedback: Y of every layer but the first (below, above).
        recurrent: Z of every hidden layer (from, onto).
    """

    feedback: list[NDArray]
    recurrent: list[NDArray]

    @classmethod
    def draw(cls, sizes: Sequence[int], recipe: Recipe, rng: np.random.Generator) -> Layers:
        """Xavier's normal weights, no biases, Gaussian feedback, small recurrent weights."""
        pairs = list(itertools.pairwise(sizes))

        def normal(pair: tuple[int, int], std: float) -> NDArray:
            return Float(std) * rng.standard_normal(pair, dtype=Float)

        forward = [normal(p, recipe.gain * np.sqrt(2.0 / sum(p))) for p in pairs]
        feedback, recurrent = [], []
        if recipe.rule in BURSTS:
            feedback = [normal(p, recipe.feedback_std) for p in pairs[1:]]
            bound = recipe.recurrent_range
            recurrent = [rng.uniform(-bound, bound, (n, n)).astype(Float) for n in sizes[1:-1]]
        return cls(forward, [np.zeros(n, Float) for n in sizes[1:]], feedback, recurrent)


def burst_credit(
    layers: Layers, activity: Sequence[NDArray], targets: NDArray, p_output: float
) -> tuple[list[NDArray], list[tuple[NDArray, NDArray]]]:
    """Burst rate with the teacher less that without, of every layer (Eqs. 48-51), lowest first.

    Args:
        layers: Weights.
        activity: From `rates`, each (sample, unit).
        targets: Wanted output rates, (sample, unit).
        p_output: Burst probability of the output at rest.

    Returns:
        The credit, and of every hidden layer what its recurrent weights learn from: the drive of
        its dendrites at rest, and the bursts that these weights hear; (sample, unit) each.
    """
    p, output = Float(p_output), activity[-1]
    resting_bursts = p * output
    credit = [resting_bursts * (targets - output) * (Float(1) - output)]
    recurrent_inputs = []
    for feedback, recurrent, event in zip(
        layers.feedback[::-1], layers.recurrent[::-1], activity[-2:0:-1], strict=True
    ):
        weights = feedback.T
        drive_at_rest = resting_bursts @ weights
        taught_drive = drive_at_rest + credit[-1] @ weights
        bursts = sigmoid(drive_at_rest) * event
        inhibition = bursts @ recurrent
        drive = drive_at_rest * (Float(1) - event) - inhibition
        resting_bursts = sigmoid(drive) * event
        credit.append(
            sigmoid(taught_drive * (Float(1) - event) - inhibition) * event - resting_bursts
        )
        recurrent_inputs.append((drive, bursts))
    return credit[::-1], recurrent_inputs[::-1]


def gradient_credit(layers: Layers, activity: Sequence[NDArray], targets: NDArray) -> list[NDArray]:
    """Minus the derivative of half the squared error by every unit's input (Eq. 53)."""
    output = activity[-1]
    output_credit = (targets - output) * output * (Float(1) - output)
    return back_propagated(layers, activity, output_credit)


def perturbation_credit(
    layers: Layers,
    activity: Sequence[NDArray],
    targets: NDArray,
    noise: float,
    rng: np.random.Generator,
) -> list[NDArray]:
    """Node perturbation: noise on all inputs, times the error that it takes away (Eq. 54).

    Args:
        layers: Weights.
        activity: From `rates`, each (sample, unit).
        targets: Wanted output rates, (sample, unit).
        noise: Standard deviation of the noise.
        rng: Draws it.
    """
    activity_below, perturbations = activity[0], []
    for weights, bias in zip(layers.forward, layers.bias, strict=True):
        drive = activity_below @ weights + bias
        perturbations.append(Float(noise) * rng.standard_normal(drive.shape, dtype=Float))
        activity_below = sigmoid(drive + perturbations[-1])
    error_decrease = ((targets - activity[-1]) ** 2 - (targets - activity_below) ** 2).sum(
        axis=1, keepdims=True
    )
    return [Float(0.5 / noise**2) * error_decrease * xi for xi in perturbations]


def credit_of(
    layers: Layers,
    activity: Sequence[NDArray],
    targets: NDArray,
    recipe: Recipe,
    perturb: np.random.Generator,
) -> tuple[list[NDArray], list[tuple[NDArray, NDArray]]]:
    """Credit under a rule, and what recurrent weights learn from, as `burst_credit` gives them."""
    if recipe.rule == "backprop":
        return gradient_credit(layers, activity, targets), []
    if recipe.rule == "perturbation":
        return perturbation_credit(layers, activity, targets, recipe.noise, perturb), []
    return burst_credit(layers, activity, targets, recipe.p_output)


def train(
    sizes: Sequence[int],
    training: tuple[NDArray, NDArray],
    validation: tuple[NDArray, NDArray],
    recipe: Recipe,
    *,
    init: np.random.Generator,
    shuffle: np.random.Generator,
    perturb: np.random.Generator,
    progress: Callable[[float, str], None],
) -> Layers:
    """Learn by credit x presynaptic event rate (Eq. 52); Z learns to cancel the drive at rest.

    Args:
        sizes: Units per layer, input first.
        training: Features (sample, input) and classes (sample,).
        validation: The same, for the history only.
        recipe: What is learned, and how fast.
        init: Draws the weights.
        shuffle: Draws the order of the samples.
        perturb: Draws the noise of node perturbation.
        progress: Called after every epoch.
    """
    layers = Layers.draw(sizes, recipe, init)
    features, classes = np.asarray(training[0], Float), training[1]
    one_hot = np.eye(sizes[-1], dtype=Float)
    momenta = [np.zeros_like(weights) for weights in layers.forward]
    bias_momenta = [np.zeros_like(bias) for bias in layers.bias]
    eta = [recipe.eta_hidden] * (len(momenta) - 1) + [recipe.eta_output]
    checkpoint = Checkpoint(layers, shuffle, perturb, *momenta, *bias_momenta)
    for epoch in checkpoint.rounds(range(recipe.epochs), progress):
        if epoch == 0:
            _note_epoch(layers, 0, validation, recipe)
        for batch in batches(len(features), recipe.batch, shuffle):
            activity, targets = rates(layers, features[batch]), one_hot[classes[batch]]
            credit, recurrent_inputs = credit_of(layers, activity, targets, recipe, perturb)
            for k, momentum in enumerate(momenta):
                _add_product(momentum, activity[k], credit[k], eta[k], recipe.momentum)
                # Learned feedback gets the same change as the forward weights.
                changed_weights = [layers.forward[k]]
                if k and recipe.rule == LEARNED_FEEDBACK:
                    changed_weights.append(layers.feedback[k - 1])
                for weights in changed_weights:
                    weights *= Float(1.0 - recipe.decay)
                    weights += momentum
                bias_momenta[k] *= Float(recipe.momentum)
                bias_momenta[k] += Float(eta[k]) * credit[k].sum(axis=0)
                layers.bias[k] += bias_momenta[k]
            for weights, (drive, bursts) in zip(layers.recurrent, recurrent_inputs, strict=True):
                _add_product(weights, bursts, drive, recipe.eta_recurrent, 1.0)
        _note_epoch(layers, epoch + 1, validation, recipe)
        error = layers.history.rows[-1]["value"]
        progress((epoch + 1) / recipe.epochs, f"epoch {epoch + 1}: validation error {error:.4f}")
    return layers


def _add_product(
    total: NDArray, activity: NDArray, credit: NDArray, factor: float, keep: float
) -> None:
    """Change `total` in one pass to keep * total + factor * activity^T credit, (below, above)."""
    GEMM(factor, credit.T, activity.T, beta=keep, c=total.T, trans_b=1, overwrite_c=1)


def angles(layers: Layers, features: NDArray, classes: NDArray, recipe: Recipe) -> list[float]:
    """Angle in degrees of credit to that of backprop, mean over samples, by hidden layer."""
    activity = rates(layers, features)
    targets = np.eye(layers.forward[-1].shape[1], dtype=Float)[classes]
    burst, _ = burst_credit(layers, activity, targets, recipe.p_output)
    gradient = gradient_credit(layers, activity, targets)
    degrees = []
    for a, b in zip(burst[:-1], gradient[:-1], strict=True):
        norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        cosines = np.einsum("ij,ij->i", a, b) / np.maximum(norms, 1e-30)
        degrees.append(float(np.degrees(np.arccos(np.clip(cosines, -1, 1))).mean()))
    return degrees


def _note_epoch(
    layers: Layers, epoch: int, validation: tuple[NDArray, NDArray], recipe: Recipe
) -> None:
    values: dict[str, Any] = {}
    if recipe.rule in BURSTS:
        credit_angles = angles(layers, *validation, recipe)
        values |= {f"credit_angle_{k + 1}": degrees for k, degrees in enumerate(credit_angles)}
        # Of the highest hidden layer: the only one that the published demo has.
        values["feedback_angle"] = angle(layers.forward[-1], layers.feedback[-1])
    is_wrong = choose(layers, validation[0]) != validation[1]
    layers.history.note(epoch, **values, validation_error=float(is_wrong.mean()))
