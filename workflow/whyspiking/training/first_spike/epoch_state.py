"""What a training of a two-layer first-spike network keeps, and what it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from whyspiking.errors import UserError

Pair = tuple[NDArray, NDArray]
"""One array for the hidden, one for the output layer."""
LOSSES = ("goeltz", "comsa")
ARRAYS = ("hidden weights", "output weights", "hidden pulses", "output pulses")
"""What a training changes, in the order of `TrainingState.arrays`."""
BUMP_RULES = ("none", "faithful", "soft")
"""In the order in which `epoch.cpp` numbers them."""


class Diverged(UserError):
    """A weight or a pulse is no longer a finite number.

    Attributes:
        step: The step of Adam, counted from 1 over all epochs, after which it was so.
        arrays: Names of the arrays, as in `ARRAYS`.
    """

    def __init__(self, step: int, batch: int, arrays: Sequence[str]) -> None:
        self.step, self.arrays = step, tuple(arrays)
        super().__init__(
            f"training: {' and '.join(arrays)} not finite after step {step} (batch {batch} of its "
            "epoch); expected finite numbers; lower the learning rate or raise the floor of the "
            "slopes"
        )


@dataclass(frozen=True)
class Settings:
    """What stays the same during a training.

    Attributes:
        loss: For output times t, true class n*, temperature s,
            "goeltz": -log softmax(-t/s)[n*] + push exp(t[n*] / push_scale); a sample whose true
                neuron is silent costs `silent_loss` and has no gradient (Goeltz et al. 2021);
            "comsa": -log(softmax(-t/s)[n*] + 1e-8), its gradient by t being (y - softmax)/s; silent
                neurons have softmax 0 (Comsa et al. 2020).
        batch: Samples per step; gradients are means over the samples of a batch, the last batch may
            be smaller.
        threshold: c of `layer`.
        temperature: s, in units of tau_s.
        tau_ratio: tau_m / tau_s, 1 or 2.
        min_slope: Least dV/dt at a spike that is used in derivatives, per tau_s, see
            `layer.min_slope`.
        max_dw: A neuron whose largest weight derivative in one sample, with the 1/batch of the
            mean, exceeds this gives no weight gradient for that sample.
        push: Weight of the push towards early spikes; loss "goeltz".
        push_scale: Its time scale, in units of tau_s; loss "goeltz".
        silent_loss: Loss of a sample whose true neuron is silent; loss "goeltz".
        silent_penalty: In a sample in which a neuron is silent, all its incoming weights, from
            silent inputs too, have the gradient -silent_penalty, and its inputs have none.
        wrong_only: Learn from wrongly classified samples only, silence being wrong; the mean is
            still over the whole batch, and a batch without a wrong sample makes no step.
        bump_rule: If the share of silent neurons in a batch exceeds `tolerated` in one layer, or
            else the other, `bump` is added to all weights of the neurons there that any sample left
            silent; it doubles as long as the same layer offends in consecutive batches. "soft": the
            bump follows the step; "faithful": such a batch makes no step; "none": no bumps.
        bump: First amount that is added.
        tolerated: Tolerated share of silent (sample, neuron) pairs, hidden and output layer.
        noise_sd: Standard deviation of normal noise on every input spike, in units of tau_s, drawn
            anew in every epoch; times are reflected at 0. Pulses and silent inputs get none.
        betas: Decay of Adam's two moments.
        epsilon: Added to the root in Adam's denominator, the usual place.
        epsilon_root: Added inside the root: sqrt(v + epsilon_root) + epsilon.
    """

    loss: Literal["goeltz", "comsa"]
    batch: int
    threshold: float
    temperature: float
    tau_ratio: int = 1
    min_slope: float = 1e-6
    max_dw: float = np.inf
    push: float = 0.0
    push_scale: float = 1.0
    silent_loss: float = 100.0
    silent_penalty: float = 0.0
    wrong_only: bool = False
    bump_rule: Literal["none", "faithful", "soft"] = "none"
    bump: float = 0.0
    tolerated: tuple[float, float] = (0.0, 0.0)
    noise_sd: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    epsilon_root: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no engine could compute."""
        positive = ("batch", "threshold", "temperature", "push_scale", "min_slope", "max_dw")
        for name in positive:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be positive")
        if self.tau_ratio not in (1, 2):
            raise ValueError(f"tau_m / tau_s is {self.tau_ratio}; a closed form exists for 1 and 2")
        for name, known in (("loss", LOSSES), ("bump_rule", BUMP_RULES)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is {getattr(self, name)!r}; known are {known}")


@dataclass(frozen=True)
class Statistics:
    """Means over one epoch, measured with the weights before each step.

    Attributes:
        loss: Over samples.
        accuracy: Share of samples whose true neuron fired first (ties: the lower class).
        silent_hidden: Share of (sample, neuron) pairs without a spike.
        silent_output: The same of the output layer.
        bumped: Share of batches with a bump.
    """

    loss: float
    accuracy: float
    silent_hidden: float
    silent_output: float
    bumped: float


class TrainingState:
    """A network with the state of its training.

    Attributes:
        weights: (input + pulse, hidden) and (hidden + pulse, output); pulses are the last rows.
        pulses: Their times in units of tau_s, one array per layer.
        steps: Steps of Adam so far.
        bump_layer: Layer that offended in the last batch, -1 for none.
        bump_amount: What is added next if it offends again, before doubling.
    """

    CARRIED = (
        "weights", "pulses", "weight_moments", "pulse_moments", "steps", "bump_layer",
        "bump_amount",
    )  # fmt: skip
    """What one epoch takes over from the one before, for `Checkpoint`."""

    def __init__(
        self,
        settings: Settings,
        weights: tuple[ArrayLike, ArrayLike],
        pulses: tuple[ArrayLike, ArrayLike] = ((), ()),
        *,
        dtype: type[np.floating] = np.float32,
    ) -> None:
        """Start from given weights; arrays are copied.

        Args:
            settings: Loss, network and safeguards.
            weights: (input + pulse, hidden) and (hidden + pulse, output).
            pulses: Times of the pulses of both layers; the arrays may be empty and differ in size.
            dtype: float32 or float64, the precision of everything.

        Raises:
            ValueError: If shapes do not fit each other.
        """
        self.settings = settings
        self.weights: Pair = _pair(weights, dtype)
        self.pulses: Pair = _pair(pulses, dtype)
        for layer, (w, p) in enumerate(zip(self.weights, self.pulses, strict=True)):
            if w.ndim != 2 or p.ndim != 1 or len(w) <= len(p):
                raise ValueError(
                    f"weights {w.shape} of layer {layer} need rows for inputs and {len(p)} pulses"
                )
        if len(self.weights[1]) != self.weights[0].shape[1] + len(self.pulses[1]):
            raise ValueError(
                f"output weights {self.weights[1].shape} need one row for each of "
                f"{self.weights[0].shape[1]} hidden neurons and {len(self.pulses[1])} pulses"
            )
        self.weight_moments: tuple[Pair, Pair] = (_zeros(self.weights), _zeros(self.weights))
        self.pulse_moments: tuple[Pair, Pair] = (_zeros(self.pulses), _zeros(self.pulses))
        self.steps = 0
        self.bump_layer, self.bump_amount = -1, 0.0

    @property
    def arrays(self) -> tuple[NDArray, ...]:
        """Weights and pulses."""
        return (*self.weights, *self.pulses)


def _pair(arrays: tuple[ArrayLike, ArrayLike], dtype: type[np.floating]) -> Pair:
    hidden, output = (np.array(array, dtype, order="C") for array in arrays)
    return hidden, output


def broken(arrays: Sequence[NDArray]) -> list[str]:
    """Names of the arrays, the first of `ARRAYS` or all, with a number that is not finite."""
    return [name for name, a in zip(ARRAYS, arrays, strict=False) if not np.isfinite(a).all()]


def _zeros(pair: Pair) -> Pair:
    return np.zeros_like(pair[0]), np.zeros_like(pair[1])
