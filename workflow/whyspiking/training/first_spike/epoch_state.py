"""Settings, state and statistics of the training of a first-spike network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from whyspiking.errors import UserError

Layers = tuple[NDArray, ...]
"""One array for each layer, from the first hidden one to the output."""
LOSSES = ("goeltz", "comsa")
BUMP_RULES = ("none", "faithful", "soft")
"""In the order in which `epoch.cpp` numbers them."""


class Diverged(UserError):
    """A weight or a pulse is no longer a finite number.

    Attributes:
        step: The step of Adam, counted from 1 over all epochs, after which it was so.
        arrays: Names of the arrays, as `broken` gives them.
    """

    def __init__(self, step: int, batch: int, arrays: Sequence[str]) -> None:
        self.step, self.arrays = step, tuple(arrays)
        super().__init__(
            f"training: {' and '.join(arrays)} are not finite after step {step} (batch {batch} of "
            "its epoch); expected finite numbers. Lower the learning rate, or raise the lower "
            "limit of the slopes"
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
        bump_rule: If the share of silent neurons in a batch exceeds `tolerated` in a layer, the
            first such one, `bump` is added to all weights of the neurons there that any sample left
            silent; it doubles as long as the same layer offends in consecutive batches. "soft": the
            bump follows the step; "faithful": such a batch makes no step; "none": no bumps.
        bump: First amount that is added.
        tolerated: Tolerated share of silent (sample, neuron) pairs, one for each layer.
        frozen: So many of the first layers keep their weights: they learn nothing and get no bumps.
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
    tolerated: tuple[float, ...] = (0.0, 0.0)
    frozen: int = 0
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
        for name, choices in (("loss", LOSSES), ("bump_rule", BUMP_RULES)):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} is {getattr(self, name)!r}; it must be one of {choices}")


@dataclass(frozen=True)
class Statistics:
    """Means over one epoch, measured with the weights before each step.

    Attributes:
        loss: Over samples.
        accuracy: Share of samples whose true neuron fired first (ties: the lower class).
        silent: Share of (sample, neuron) pairs without a spike, by layer.
        bumped: Share of batches with a bump.
    """

    loss: float
    accuracy: float
    silent: tuple[float, ...]
    bumped: float

    @property
    def silent_hidden(self) -> float:
        """That of the first hidden layer."""
        return self.silent[0]

    @property
    def silent_output(self) -> float:
        """That of the output layer."""
        return self.silent[-1]


class TrainingState:
    """A network with the state of its training.

    Attributes:
        weights: (input + pulse, hidden), (hidden + pulse, hidden), ..., (hidden + pulse, output);
            pulses are the last rows.
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
        weights: Sequence[ArrayLike],
        pulses: Sequence[ArrayLike] | None = None,
        *,
        dtype: type[np.floating] = np.float32,
    ) -> None:
        """Start from given weights; arrays are copied.

        Args:
            settings: Loss, network and safeguards.
            weights: As the attribute, two or more.
            pulses: Times of the pulses of each layer; the arrays may be empty and differ in size.
                By default there are none.
            dtype: float32 or float64, the precision of everything.

        Raises:
            ValueError: If shapes do not fit each other.
        """
        self.settings = settings
        self.weights: Layers = _copy_arrays(weights, dtype)
        self.pulses: Layers = _copy_arrays([()] * len(weights) if pulses is None else pulses, dtype)
        n_layers = {len(weights), len(self.pulses), len(settings.tolerated)}
        if len(n_layers) > 1 or len(weights) < 2:
            raise ValueError(
                f"{len(weights)} weights, {len(self.pulses)} sets of pulses and "
                f"{len(settings.tolerated)} tolerated fractions; all three numbers must be equal "
                "and at least two"
            )
        n_pre: int | None = None
        for layer, (w, p) in enumerate(zip(self.weights, self.pulses, strict=True)):
            name = name_layers(len(weights))[layer]
            if w.ndim != 2 or p.ndim != 1 or len(w) <= len(p):
                raise ValueError(
                    f"{name} weights {w.shape} need one row for each input and for each of "
                    f"{len(p)} pulses"
                )
            if n_pre is not None and len(w) != n_pre + len(p):
                raise ValueError(
                    f"{name} weights {w.shape} need one row for each of {n_pre} neurons before "
                    f"them and {len(p)} pulses"
                )
            n_pre = w.shape[1]
        self.weight_moments: tuple[Layers, Layers] = (
            _make_zeros(self.weights),
            _make_zeros(self.weights),
        )
        self.pulse_moments: tuple[Layers, Layers] = (
            _make_zeros(self.pulses),
            _make_zeros(self.pulses),
        )
        self.steps = 0
        self.bump_layer, self.bump_amount = -1, 0.0


def name_layers(n_layers: int) -> list[str]:
    """Name the layers: "hidden", or "hidden 1", "hidden 2", ..., then "output"."""
    n_hidden = n_layers - 1
    hidden = ["hidden"] if n_hidden == 1 else [f"hidden {k + 1}" for k in range(n_hidden)]
    return [*hidden, "output"]


def broken(weights: Sequence[NDArray], pulses: Sequence[NDArray] = ()) -> list[str]:
    """Names of the arrays with a number that is not finite, "hidden weights" say."""
    return [
        f"{layer} {kind}"
        for kind, arrays in (("weights", weights), ("pulses", pulses))
        for layer, array in zip(name_layers(len(weights)), arrays, strict=False)
        if not np.isfinite(array).all()
    ]


def _copy_arrays(arrays: Sequence[ArrayLike], dtype: type[np.floating]) -> Layers:
    return tuple(np.array(array, dtype, order="C") for array in arrays)


def _make_zeros(arrays: Layers) -> Layers:
    return tuple(np.zeros_like(array) for array in arrays)
