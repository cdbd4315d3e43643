"""Training of two-layer first-spike networks: one call per epoch.

The network is input -> hidden -> output, every neuron as in `layer`. Both layers may have further
inputs of their own, *pulses*, which fire at the same time in every sample: the synchronisation
pulses of Comsa et al. (trained), or bias spikes (fixed). All times are in units of tau_s; for a
model with a decay rate K multiply times by K, and thresholds too.

    settings = Settings(loss="comsa", batch=32, threshold=K * theta, temperature=K, ...)
    network = Training(settings, (w_hidden, w_output), (pulses_hidden, pulses_output))
    inputs = Inputs(times)                               # (sample, input), inf where silent
    for epoch in range(epochs):
        statistics = network.epoch(inputs, targets, rng.permutation(len(targets)), rate)
    network.weights                                      # the pair, as NumPy arrays

Per batch: forward pass; loss and exact gradient; what is done about silent neurons; a step of Adam.
An epoch is one call of `epoch.cpp`. `reference_epoch` does the same with whole arrays and either
engine of the layers: it is the readable form, for tests.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from whyspiking.errors import UserError

Pair = tuple[NDArray, NDArray]
"""One array for the hidden, one for the output layer."""


class Diverged(UserError):
    """A weight or a pulse is no longer a finite number.

    Attributes:
        step: The step of Adam, counted from 1 over all epochs, after which it was so.
    """

    def __init__(self, step: int, batch: int) -> None:
        self.step = step
        super().__init__(
            f"training: weights are not finite after step {step} (batch {batch} of its epoch); "
            "lower the learning rate or raise the floor of the slopes. The network keeps what it "
            "had before this epoch"
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
        for name, known in (
            ("loss", ("goeltz", "comsa")),
            ("bump_rule", ("none", "faithful", "soft")),
        ):
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


class Inputs:
    """Input spike times of all samples; sorted once, where no noise is added.

    Attributes:
        whole: (sample, input), inf where silent; contiguous. Spikes that `sorted` does not name do
            not count.
    """

    def __init__(self, times: ArrayLike, dtype: type[np.floating] = np.float32) -> None:
        """Keep a contiguous array.

        Args:
            times: In units of tau_s, at least 0; (sample, input).
            dtype: float32 or float64, as in `Training`.

        Raises:
            ValueError: If a time is negative or no number.
        """
        self.whole = np.ascontiguousarray(times, dtype)
        if self.whole.ndim != 2 or not (self.whole.min(initial=np.inf) >= 0):
            raise ValueError("input times must be (sample, input), at least 0 and not NaN")
        self._thinned = False

    @functools.cached_property
    def times(self) -> NDArray:
        """Those that count, inf where silent; (sample, input)."""
        if not self._thinned:
            return self.whole
        offsets, inputs = self.sorted
        kept = np.repeat(np.arange(len(self.whole)), np.diff(offsets)), inputs
        times = np.full_like(self.whole, np.inf)
        times[kept] = self.whole[kept]
        return times

    @functools.cached_property
    def sorted(self) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
        """Where each sample begins, and its finite inputs in the order of time."""
        from whyspiking.training.first_spike import compiled_epoch

        return compiled_epoch.presort(self.whole)

    def without(self, share: float, rng: np.random.Generator) -> Inputs:
        """The same inputs with a share of the spikes left out.

        Args:
            share: Probability that a spike is left out.
            rng: Source of the draw.
        """
        offsets, inputs = self.sorted
        kept = rng.random(inputs.size, np.float32) >= share
        counts = np.zeros(len(self.whole), np.int64)
        any_spike = np.diff(offsets) > 0
        starts = offsets[:-1][any_spike]
        counts[any_spike] = np.add.reduceat(kept, starts, dtype=np.int64) if starts.size else 0
        # A large array is not copied, and order is kept, so nothing has to be sorted again.
        thinned = Inputs.__new__(Inputs)
        thinned.whole, thinned._thinned = self.whole, True
        thinned.sorted = np.concatenate([[0], np.cumsum(counts)]), inputs[kept]
        return thinned


class Training:
    """A network with the state of its training.

    Attributes:
        weights: (input + pulse, hidden) and (hidden + pulse, output); pulses are the last rows.
        pulses: Their times in units of tau_s, one array per layer.
        steps: Steps of Adam so far.
        bump_layer: Layer that offended in the last batch, -1 for none.
        bump_amount: What is added next if it offends again, before doubling.
    """

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

    def epoch(
        self,
        inputs: Inputs,
        targets: NDArray,
        order: NDArray,
        rate: float,
        pulse_rate: float = 0.0,
        noise_seed: int = 0,
    ) -> Statistics:
        """Train on the samples in the given order, once, and update weights and pulses.

        Args:
            inputs: Spike times, (sample, input); without the pulses.
            targets: True classes, (sample,).
            order: Samples of this epoch, usually a permutation; consecutive ones form batches.
            rate: Adam's rate for the weights in this epoch.
            pulse_rate: Adam's rate for the pulses, in units of tau_s (K times a rate per time
                unit); 0 keeps them. Pulses are clipped at 0 after each step.
            noise_seed: Of the noise of this epoch, 64 bits; draw it from the job's own stream.

        Raises:
            Diverged: If a weight or pulse is not finite; nothing is changed then.
            ValueError: If shapes do not fit, or targets or order name what does not exist.
        """
        n_samples, n_in = inputs.whole.shape
        targets, order = np.ascontiguousarray(targets, np.int32), np.ascontiguousarray(order)
        order = order.astype(np.int64)
        n_out = self.weights[1].shape[1]
        if inputs.whole.dtype != self.weights[0].dtype:
            raise ValueError(f"inputs are {inputs.whole.dtype}, weights {self.weights[0].dtype}")
        if n_in != len(self.weights[0]) - len(self.pulses[0]):
            raise ValueError(f"{n_in} inputs do not fit hidden weights {self.weights[0].shape}")
        if targets.shape != (n_samples,) or targets.min() < 0 or targets.max() >= n_out:
            raise ValueError(f"targets must be {n_samples} classes of 0 to {n_out - 1}")
        if order.size == 0 or order.min() < 0 or order.max() >= n_samples:
            raise ValueError(f"order must name samples of 0 to {n_samples - 1}")
        from whyspiking.training.first_spike import compiled_epoch

        return compiled_epoch.run(self, inputs, targets, order, rate, pulse_rate, noise_seed)


def _pair(arrays: tuple[ArrayLike, ArrayLike], dtype: type[np.floating]) -> Pair:
    hidden, output = (np.array(array, dtype, order="C") for array in arrays)
    return hidden, output


def _zeros(pair: Pair) -> Pair:
    return np.zeros_like(pair[0]), np.zeros_like(pair[1])
