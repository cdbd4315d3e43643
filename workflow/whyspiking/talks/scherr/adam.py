"""Adam (Kingma & Ba 2015) for a few named arrays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray


class Adam:
    """Steps of Adam with the published decay rates; the state is kept per name."""

    def __init__(self, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8) -> None:
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.count = 0
        self._first: dict[str, NDArray] = {}
        self._second: dict[str, NDArray] = {}

    def updates(self, gradients: Mapping[str, NDArray], rate: float) -> dict[str, NDArray]:
        """Return what to add to each array.

        Args:
            gradients: Derivative of the loss by each array, the same names at every step.
            rate: Learning rate of this step.
        """
        self.count += 1
        steps = {}
        for name, gradient in gradients.items():
            first_moment = self._first.setdefault(name, np.zeros_like(gradient))
            second_moment = self._second.setdefault(name, np.zeros_like(gradient))
            first_moment += (1 - self.beta_1) * (gradient - first_moment)
            second_moment += (1 - self.beta_2) * (gradient**2 - second_moment)
            unbiased = first_moment / (1 - self.beta_1**self.count)
            scale = np.sqrt(second_moment / (1 - self.beta_2**self.count)) + self.epsilon
            steps[name] = (-rate * unbiased / scale).astype(gradient.dtype)
        return steps
