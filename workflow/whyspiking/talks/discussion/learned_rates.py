"""The same functions learned: first-spike layers and ReLU by squared error (README, section 2).

`first_spike` learns spike times of one hidden layer and of one output, read by two numbers; of
`frozen` the first layer stays as it was drawn; `relu` has as many hidden units. All see equally
many points, each once, and the rate that is best on validation points.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.discussion import constructed, targets
from whyspiking.talks.discussion.constructed import make_task

__all__ = ["evaluate", "make_task", "train"]

PULSES = (0.0, 0.5, 1.0)
"""Times of the spikes that always come, to both layers, in units of the input window."""
WINDOW, LATE = 2.0, 6.0
"""Length of the input window in time constants; when a silent output counts as having fired."""
DRIVE = (5.0, 10.0)
"""Mean sum of a neuron's weights at first, by layer: more than what makes it fire."""
GAIN = 3.0
"""Of the read-out at first, per time constant."""
BUMP = 0.02
"""Added to every weight of the output where all of a batch leave it silent."""
MIN_SLOPE = 0.5
"""Least slope at the threshold that a derivative is divided by."""


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> None:
    """Its networks were scored where they were trained."""


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train networks of every size on every target."""
    rows: list[list[Any]] = []
    errors = np.zeros((len(params.targets), len(params.units)))
    for place, name in enumerate(params.targets):
        ridges, rng = targets.of(name, 0), streams.rng(f"points {name}")
        sizes = (params.n_train, params.n_validation, params.n_test)
        xs = [rng.uniform(size=(n, ridges[0].weights.size)) for n in sizes]
        data = [(x, targets.values(ridges, x)) for x in xs]
        for column, n in enumerate(params.units):
            rms = errors[place, column] = _one(params, variant, n, data, streams)
            rows.append([name, n, {"rms_error": rms}, params.n_test])
            progress((place + (column + 1) / len(params.units)) / len(errors), f"{name}, {n}")
        rows.append([name, 0, {"exponent": constructed.exponent(params, errors[place])}, 1])
    arrays = {"units": np.array(params.units), "rms": errors}
    engine = "jax" if variant == "relu" else "compiled"
    return ct.Network(arrays, {"engine": engine, "epochs": 1, "measured_at": rows})


def _one(
    params: ct.Params,
    variant: str,
    n: int,
    data: Sequence[tuple[NDArray, NDArray]],
    streams: Streams,
) -> float:
    """RMS on test points of the rate that is best on validation points."""
    (x, y), held_out, test = data
    tried = []
    for rate in params.relu_rates if variant == "relu" else params.spike_rates:
        rng = streams.rng(f"init {n}")
        if variant == "relu":
            network = _relu(x, y, n, rate, rng)
        else:
            network = FirstSpike(x.shape[1], n, rng)
            network.learn(x, y, rate, frozen=variant == "frozen")
        tried.append((network.rms(*held_out), network))
    return min(tried, key=lambda entry: entry[0])[1].rms(*test)


def _relu(x: NDArray, y: NDArray, n: int, rate: float, rng: np.random.Generator) -> Any:
    from whyspiking.talks.discussion import fitting

    begin = fitting.relu_start([x.shape[1], n], rng)
    arrays = fitting.fit(fitting.relu_square, begin, 2 * x - 1, y, rate)

    def rms(x: NDArray, y: NDArray) -> float:
        answer = np.asarray(fitting.relu(arrays, 2 * x - 1))
        return float(np.sqrt(np.mean((answer - y) ** 2)))

    return SimpleNamespace(rms=rms)


class FirstSpike:
    """Input -> hidden -> one output, every neuron as in `training.first_spike`, and its read-out.

    Attributes:
        weights: (input + pulse, hidden), (hidden + pulse, 1), and gain and offset of the read-out.
        silent: Share of the last batch in which the output was silent.
    """

    def __init__(self, n_in: int, n: int, rng: np.random.Generator) -> None:
        first, second = n_in + len(PULSES), n + len(PULSES)
        self.silent = 0.0
        self.weights = [
            rng.normal(DRIVE[0] / first, DRIVE[0] / first, (first, n)),
            rng.normal(DRIVE[1] / second, DRIVE[1] / second, (second, 1)),
            np.array([GAIN, 0.0]),
        ]

    def learn(self, x: NDArray, y: NDArray, rate: float, *, frozen: bool, batch: int = 100) -> None:
        """One pass over the points, by Adam along a cosine."""
        # The read-out starts at the mean of the targets.
        self.weights[2][1] = np.mean(y[:1000] - self.answer(self.forward(x[:1000])[3].times))
        moments = [(np.zeros_like(w), np.zeros_like(w)) for w in self.weights]
        steps = len(x) // batch
        for step in range(steps):
            part = slice(step * batch, (step + 1) * batch)
            slopes = self.gradient(x[part], y[part])
            now = rate * (1 + np.cos(np.pi * step / steps)) / 2
            # Silent outputs have no gradient: all weights onto the output grow (cf. goeltz, Eq. 8).
            self.weights[1] += BUMP * self.silent
            for place in range(int(frozen), 3):
                mean, square = moments[place]
                mean += 0.1 * (slopes[place] - mean)
                square += 0.001 * (slopes[place] ** 2 - square)
                scale = np.sqrt(square / (1 - 0.999 ** (step + 1))) + 1e-8
                self.weights[place] -= now * mean / (1 - 0.9 ** (step + 1)) / scale

    def forward(self, x: NDArray) -> Any:
        """What each layer is given, and its spikes."""
        from whyspiking.training.first_spike import compiled

        pulses = np.broadcast_to(WINDOW * np.array(PULSES), (len(x), len(PULSES)))
        given = np.hstack([WINDOW * x, pulses])
        hidden = compiled.forward(given, self.weights[0], 1.0, 1)
        passed = np.hstack([hidden.times, pulses + WINDOW])
        return given, hidden, passed, compiled.forward(passed, self.weights[1], 1.0, 1)

    def answer(self, times: NDArray) -> NDArray[np.float64]:
        """The read-out of output times (trial, 1); (trial,)."""
        seen = np.where(np.isfinite(times[:, 0]), times[:, 0], LATE)
        return self.weights[2][0] * seen + self.weights[2][1]

    def rms(self, x: NDArray, y: NDArray) -> float:
        """Root mean square error."""
        return float(np.sqrt(np.mean((self.answer(self.forward(x)[3].times) - y) ** 2)))

    def gradient(self, x: NDArray, y: NDArray) -> list[NDArray]:
        """Derivatives of half the mean squared error; that of silent outputs has none."""
        from whyspiking.training.first_spike import compiled

        given, hidden, passed, output = self.forward(x)
        fires = np.isfinite(output.times[:, 0])
        missed = fires * (self.answer(output.times) - y) / len(x)
        self.silent = 1 - fires.mean()
        seen = np.where(fires, output.times[:, 0], LATE)
        by_time = (self.weights[2][0] * missed)[:, None]
        by_output, by_passed = compiled.backward(
            passed, self.weights[1], output, by_time, 1, min_slope=MIN_SLOPE
        )
        by_hidden, _ = compiled.backward(
            given,
            self.weights[0],
            hidden,
            by_passed[:, : hidden.times.shape[1]],
            1,
            min_slope=MIN_SLOPE,
            first_time=given.shape[1],
        )
        return [by_hidden, by_output, np.array([missed @ seen, missed.sum()])]
