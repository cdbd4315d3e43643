"""The same functions learned: first-spike layers and ReLU by squared error (README, section 2).

`first_spike` learns spike times of one hidden layer and of one output, read by two numbers; of
`frozen` the first layer stays as it was drawn; `relu` has as many hidden units. All see equally
many points, each once, and the rate that is best on validation points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import jax
import numpy as np
import optax
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.discussion import constructed, fitting, targets
from whyspiking.talks.discussion.constructed import make_task
from whyspiking.training.first_spike import compiled

__all__ = ["evaluate", "make_task", "train"]

WINDOW = 0.25
"""Length of the input window in time constants: so short that potentials are nearly lines."""
PULSES = ((0.5, 0.0, 1.0), (0.5, 1.5))
"""Times of the spikes that always come, by layer, in windows; the first of them balances."""
SIZES = (0.7, 1.0)
"""Unit in which weights are learned, by layer, per window; of the second over root n."""
EXPECTED, GAIN = 1.75, 12.0
"""When the output fires, in windows, and what the read-out makes of a window, both at first."""
MIN_SLOPE = 0.1 / WINDOW
"""Least slope at the threshold that a derivative is divided by, per time constant."""
ADAM = optax.scale_by_adam()


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
        drawn, held_out, test = ((x, targets.values(ridges, x)) for x in xs)
        for column, n in enumerate(params.units):
            tried = networks(variant, n, *drawn, params.rates, streams)
            rms = errors[place, column] = missed(*test, min(tried, key=partial(missed, *held_out)))
            rows.append([name, n, {"rms_error": rms}, params.n_test])
            progress((place + (column + 1) / len(params.units)) / len(errors), f"{name}, {n}")
        rows.append([name, 0, {"exponent": constructed.exponent(params, errors[place])}, 1])
    arrays = {"units": np.array(params.units), "rms": errors}
    engine = "jax" if variant == "relu" else "compiled"
    return ct.Network(arrays, {"engine": engine, "epochs": 1, "measured_at": rows})


def missed(x: NDArray, y: NDArray, answer: Callable[[NDArray], Any]) -> float:
    """Root mean square error of a network's values at points x, (point, input)."""
    return float(np.sqrt(np.mean((np.asarray(answer(x)) - y) ** 2)))


def networks(
    variant: str, n: int, x: NDArray, y: NDArray, rates: Iterable[float], streams: Streams
) -> Iterator[Callable[[NDArray], Any]]:
    """One trained network of n hidden units for every rate, each from random values of its own."""
    n_in, begin = x.shape[1], f"init {n}"
    if variant == "relu":
        for arrays in fitting.tries(
            fitting.relu_square,
            partial(fitting.relu_start, [n_in, n]),
            (2 * x - 1, y),
            rates,
            streams,
            begin,
        ):
            yield partial(lambda arrays, x: fitting.relu(arrays, 2 * x - 1), arrays)
    else:
        for rate in rates:
            network = FirstSpike(n_in, n, streams.rng(f"{begin} {rate:g}"))
            network.learn(x, y, rate, frozen=variant == "frozen")
            yield network.answer


class FirstSpike:
    """Input -> hidden -> one output, every neuron as in `training.first_spike`, and its read-out.

    A layer's weights are `mix` @ what is learned: in units of `SIZES`, and with the sum of all that
    are not a pulse's taken from those of the first pulse, so that only differences of times count.
    Else all spike times, which are positive, move together, and Adam hardly gets beyond that.

    Attributes:
        learned: (input + pulse, hidden), (hidden + pulse, 1), and gain and offset of the read-out.
        mix: Of both layers, (input + pulse, input + pulse) and (hidden + pulse, hidden + pulse).
    """

    def __init__(self, n_in: int, n: int, rng: np.random.Generator) -> None:
        root = np.sqrt(n)
        self.mix = [balanced(n_in, 0), balanced(n, 1) / root]
        self.learned = [
            np.vstack([rng.normal(0, 3, (n_in, n)), rng.normal(2, 1, (len(PULSES[0]), n))]),
            np.vstack([rng.normal(0, 1, (n, 1)), [[0.0], [4 * root]]]),
            np.array([1.0, 0.0]),
        ]

    def learn(self, x: NDArray, y: NDArray, rate: float, *, frozen: bool) -> None:
        """One pass over the points, by Adam along a cosine; offset first at the targets' mean."""
        x, steps = x.astype(np.float32), len(x) // fitting.BATCH
        self.learned[2][1] = np.mean(y[:1000] - self.answer(x[:1000]))
        state = ADAM.init(self.learned)
        for step in range(steps):
            part = slice(step * fitting.BATCH, (step + 1) * fitting.BATCH)
            slopes = self.gradient(x[part], y[part])
            slopes[0] *= not frozen
            now = rate * (1 + np.cos(np.pi * step / steps)) / 2
            moved, state = _moved(self.learned, slopes, state, now)
            self.learned = [np.asarray(array) for array in moved]

    def forward(self, x: NDArray) -> list[Any]:
        """By layer what it is given, its weights and its spikes, times in time constants."""
        layers, times = [], WINDOW * x
        for pulses, mix, learned in zip(PULSES, self.mix, self.learned, strict=False):
            pulse = np.broadcast_to(WINDOW * np.array(pulses, x.dtype), (len(x), len(pulses)))
            given, weights = np.hstack([times, pulse]), mix @ learned
            spikes = compiled.forward(given, weights, 1.0, 1)
            layers.append((given, weights, spikes))
            times = spikes.times
        return layers

    def seen(self, times: NDArray) -> NDArray[np.float64]:
        """Output times (point, 1) in the unit of the read-out, (point,); 0 where it was silent."""
        return GAIN * np.where(np.isfinite(times), times / WINDOW - EXPECTED, 0)[:, 0]

    def answer(self, x: NDArray) -> NDArray[np.float64]:
        """The read-out of output times, (point,)."""
        return self.learned[2][0] * self.seen(self.forward(x)[1][2].times) + self.learned[2][1]

    def gradient(self, x: NDArray, y: NDArray) -> list[NDArray]:
        """Derivatives of half the mean squared error by `learned`; a silent output has none."""
        (given, w_hidden, hidden), (passed, w_output, output) = self.forward(x)
        seen, (gain, offset) = self.seen(output.times), self.learned[2]
        missed = np.isfinite(output.times[:, 0]) * (gain * seen + offset - y) / len(x)
        by_time = (gain * GAIN / WINDOW * missed)[:, None]
        by_output, by_passed = compiled.backward(
            passed, w_output, output, by_time, 1, min_slope=MIN_SLOPE
        )
        by_hidden, _ = compiled.backward(
            given,
            w_hidden,
            hidden,
            by_passed[:, : hidden.times.shape[1]],
            1,
            min_slope=MIN_SLOPE,
            first_time=given.shape[1],
        )
        by_layers = [mix.T @ by for mix, by in zip(self.mix, (by_hidden, by_output), strict=True)]
        return [*by_layers, np.array([missed @ seen, missed.sum()])]


def balanced(n: int, layer: int) -> NDArray[np.float64]:
    """The matrix that makes weights of what is learned, n inputs and then the layer's pulses."""
    mix = np.eye(n + len(PULSES[layer]))
    mix[n, :n] = -1
    return SIZES[layer] / WINDOW * mix


@jax.jit
def _moved(learned: Any, slopes: Any, state: Any, rate: Any) -> tuple[Any, Any]:
    change, state = ADAM.update(slopes, state)
    return jax.tree.map(lambda array, by: array - rate * by, learned, change), state
