"""Training of first-spike networks: one call per epoch.

The network is input -> hidden, of any number of layers, -> output, every neuron as in `layer`. Each
layer may have further inputs of its own, *pulses*, which fire at the same time in every sample:
the synchronisation pulses of Comsa et al. (trained), or bias spikes (fixed). All times are in units
of tau_s; for a model with a decay rate K multiply times by K, and thresholds too.

    settings = Settings(loss="comsa", batch=32, threshold=K * theta, temperature=K, ...)
    network = Training(settings, (w_hidden, w_output), (pulses_hidden, pulses_output))
    inputs = Inputs(times)                               # (sample, input), inf where silent
    for epoch in range(epochs):
        statistics = network.epoch(inputs, targets, rng.permutation(len(targets)), rate)
    network.weights                                      # one NumPy array for each layer

Per batch: forward pass; loss and exact gradient; what is done about silent neurons; a step of Adam.
An epoch is one call of `epoch.cpp`. `tests/oracles/first_spike_epoch.py` does the same with whole
arrays and either engine of the layers: it is the readable form, for tests.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.training.first_spike import compiled_epoch
from whyspiking.training.first_spike.epoch_state import Statistics, TrainingState
from whyspiking.training.first_spike.inputs import Inputs


class Training(TrainingState):
    """A network with the state of its training."""

    def epoch(
        self,
        inputs: Inputs,
        targets: NDArray,
        order: NDArray,
        rate: float,
        pulse_rate: float = 0.0,
    ) -> Statistics:
        """Train on the samples in the given order, once, and update weights and pulses.

        Args:
            inputs: Spike times, (sample, input); without the pulses.
            targets: True classes, (sample,).
            order: Samples of this epoch, usually a permutation; consecutive ones form batches.
            rate: Adam's rate for the weights in this epoch.
            pulse_rate: Adam's rate for the pulses, in units of tau_s (K times a rate per time
                unit); 0 keeps them. Pulses are clipped at 0 after each step.

        Raises:
            Diverged: If a weight or pulse is not finite; nothing is changed then.
            ValueError: If shapes do not fit, or targets or order name what does not exist.
        """
        n_samples, n_in = inputs.whole.shape
        targets, order = np.ascontiguousarray(targets, np.int32), np.ascontiguousarray(order)
        order = order.astype(np.int64)
        n_out = self.weights[-1].shape[1]
        if inputs.whole.dtype != self.weights[0].dtype:
            raise ValueError(
                f"inputs are of type {inputs.whole.dtype}, but weights are of type "
                f"{self.weights[0].dtype}"
            )
        if n_in != len(self.weights[0]) - len(self.pulses[0]):
            raise ValueError(f"{n_in} inputs do not fit hidden weights {self.weights[0].shape}")
        if targets.shape != (n_samples,) or targets.min() < 0 or targets.max() >= n_out:
            raise ValueError(f"targets must be {n_samples} classes of 0 to {n_out - 1}")
        if order.size == 0 or order.min() < 0 or order.max() >= n_samples:
            raise ValueError(f"order must name samples of 0 to {n_samples - 1}")
        return compiled_epoch.run(self, inputs, targets, order, rate, pulse_rate)
