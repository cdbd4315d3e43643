"""Does the burst rule follow a gradient? Its weight changes against a fitted rate model (M3).

Equation numbers are those of this talk's README.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from whyspiking.contract import types as ct
from whyspiking.talks.naud.xor.counters import Counters, read_counters
from whyspiking.talks.naud.xor.ensembles import Ensembles
from whyspiking.talks.naud.xor.model import HIDDEN, OUTPUT, POPULATIONS, PROJECTIONS, TRIAL_MS
from whyspiking.talks.naud.xor.task import PATTERNS, TARGETS, Schedule

SCALES = (0.6, 1.5)
"""Range of weights over their first value that the model is fitted to: that of trained networks."""
LAYERS = {
    "hidden": [k for k, (_, post) in enumerate(PROJECTIONS) if post in HIDDEN],
    "output": [k for k, (_, post) in enumerate(PROJECTIONS) if post == OUTPUT],
}
"""Projections by layer."""
SHARPEST_HZ = 0.05


@dataclass(frozen=True)
class RateModel:
    """Rates of the ensembles from mean weights (Eq. 16); (c0, c1, c2, s) of hidden and output.

    Attributes:
        hidden, output: Fitted numbers, (4,).
        w_start: Unit of weights.
        error_hz: Root mean square error of the fit.
    """

    hidden: NDArray
    output: NDArray
    w_start: float
    error_hz: float

    def numbers(self, post: int) -> NDArray:
        """Fitted numbers of one ensemble, (4,)."""
        return self.output if post == OUTPUT else self.hidden

    def slope(self, post: int, rates: NDArray, weights: Mapping[tuple[int, int], float]) -> float:
        """Derivative of an ensemble's rate by its drive."""
        drive, sharp = _drive(self.numbers(post), post, rates, weights, self.w_start)
        return float(1 / (1 + np.exp(-drive / sharp)))

    def gradient(
        self, rates: NDArray, weights: Mapping[tuple[int, int], float]
    ) -> NDArray[np.float64]:
        """Minus the derivative of the cost by the mean weight of each projection (Eq. 17).

        Args:
            rates: Event rates in Hz, (pattern, population).
            weights: Mean weight of each projection.

        Returns:
            (pattern, projection).
        """
        found = np.zeros((len(PATTERNS), len(PROJECTIONS)))
        for pattern, target in enumerate(TARGETS):
            now = rates[pattern]
            error = teaching_signal(now[OUTPUT], int(target))
            at_output = error * self.slope(OUTPUT, now, weights)
            _, c1, c2, _ = self.output
            for k, (pre, post) in enumerate(PROJECTIONS):
                if post == OUTPUT:
                    found[pattern, k] = at_output * c1 / self.w_start * now[pre]
                    continue
                through = c1 * weights[post, OUTPUT] / self.w_start - c2
                back = at_output * through * self.slope(post, now, weights)
                found[pattern, k] = back * self.hidden[1] / self.w_start * now[pre]
        return found


def teaching_signal(rate_hz: float, target: int) -> float:
    """Minus the derivative of the cross-entropy of (rate - 2)/8; the teaching current follows it.

    The limits are those of Eq. 13.
    """
    if target:
        return 1 / float(np.clip(rate_hz - 2, 1, 7)) if rate_hz < 9 else 0.0
    return -1 / float(np.clip(10 - rate_hz, 1, 7)) if rate_hz > 3 else 0.0


def fit(rates: NDArray, settings: NDArray, w_start: float) -> RateModel:
    """Least squares of Eq. 16.

    Args:
        rates: Measured rates in Hz, (setting, pattern, population).
        settings: Mean weight of each projection, (setting, projection).
        w_start: Unit of weights.
    """
    found, squares, count = {}, 0.0, 0
    for name, posts in (("hidden", HIDDEN), ("output", (OUTPUT,))):

        def residuals(numbers: NDArray, posts: tuple[int, ...] = posts) -> NDArray:
            return np.concatenate(
                [
                    (predicted(numbers, post, rates, settings, w_start) - rates[:, :, post]).ravel()
                    for post in posts
                ]
            )

        best = least_squares(
            residuals, [3.0, 1.5, 1.0, 1.0], bounds=([-50, 0, 0, SHARPEST_HZ], [50, 50, 50, 20])
        )
        found[name] = best.x
        squares += float((best.fun**2).sum())
        count += best.fun.size
    return RateModel(found["hidden"], found["output"], w_start, float(np.sqrt(squares / count)))


def predicted(
    numbers: NDArray, post: int, rates: NDArray, settings: NDArray, w_start: float
) -> NDArray[np.float64]:
    """Rate of one ensemble from those of its inputs (Eq. 16), (setting, pattern)."""
    c0, c1, c2, sharp = numbers
    drive = np.full(rates.shape[:2], c0)
    for k, (pre, to) in enumerate(PROJECTIONS):
        if to == post:
            drive = drive + (c1 * settings[:, k, None] / w_start - c2) * rates[:, :, pre]
    return sharp * np.logaddexp(0, drive / sharp)


def cosine(a: NDArray, b: NDArray) -> float:
    """Cosine of two arrays taken as vectors; 0 where one vanishes."""
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum()) / norm if norm else 0.0


def permuted(a: NDArray, b: NDArray) -> float:
    """Mean cosine over all other assignments of patterns to `a`, (pattern, ...)."""
    orders = [o for o in itertools.permutations(range(len(a))) if o != tuple(range(len(a)))]
    return float(np.mean([cosine(a[list(order)], b) for order in orders]))


def align(
    params: ct.Params,
    start: Mapping[str, Any],
    trained: Mapping[str, Any],
    rng: np.random.Generator,
) -> dict[str, float]:
    """Fit the rate model, and compare rule and gradient before and after training.

    Args:
        params: Parameters of the experiment.
        start: Values of a run before training.
        trained: Values of a run after it.
        rng: For the weight settings and the seeds of runs.

    Returns:
        Metrics.
    """
    projection = projection_of(start, params.n_per_population)
    w_start = float(params.w_exc)
    settings = w_start * rng.uniform(*SCALES, (params.n_alignment_settings, len(PROJECTIONS)))
    rates = np.array(
        [measured(params, {**start, "forward.w": w[projection]}, rng) for w in settings]
    )
    model = fit(rates, settings, w_start)
    metrics = {"rate_model_error": model.error_hz}
    rule_rates = np.array(
        [params.eta_output if post == OUTPUT else params.eta_hidden for _, post in PROJECTIONS]
    )
    for when, values in (("start", start), ("trained", trained)):
        weights = means(np.asarray(values["forward.w"]), projection)
        now = measured(params, values, rng)
        gradient = rule_rates * model.gradient(now, dict(zip(PROJECTIONS, weights, strict=True)))
        rule = rule_change(params, values, rng)
        for layer, chosen in LAYERS.items():
            own = rule[:, chosen], gradient[:, chosen]
            if when == "start":
                metrics[f"gradient_cosine_{layer}_start"] = cosine(*own)
            else:
                metrics[f"gradient_cosine_{layer}"] = cosine(*own)
                metrics[f"gradient_cosine_{layer}_permuted"] = permuted(*own)
    return metrics


def rule_change(
    params: ct.Params, values: Mapping[str, Any], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Change of the mean weight of each projection by examples of one pattern, by pattern."""
    projection = projection_of(values, params.n_per_population)
    before = np.asarray(values["forward.w"])
    changes = [learned(params, values, pattern, rng) - before for pattern in range(len(PATTERNS))]
    return np.array([means(change, projection) for change in changes])


def projection_of(values: Mapping[str, Any], n: int) -> NDArray[np.int64]:
    """Which projection each forward synapse belongs to, (synapse,)."""
    table = np.full((len(POPULATIONS),) * 2, -1)
    for k, (pre, post) in enumerate(PROJECTIONS):
        table[pre, post] = k
    return table[np.asarray(values["forward.i"]) // n, np.asarray(values["forward.j"]) // n]


def means(per_synapse: NDArray, projection: NDArray) -> NDArray[np.float64]:
    """Mean over the synapses of each projection, (projection,)."""
    n = len(PROJECTIONS)
    return np.bincount(projection, per_synapse, n) / np.bincount(projection, minlength=n)


def measured(
    params: ct.Params, values: Mapping[str, Any], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Event rates with plasticity off in Hz, (pattern, population)."""
    schedule = Schedule(params)
    schedule.add_test(0)
    return _counters(params, values, schedule, rng)[0].test_rates(schedule)[0]


def learned(
    params: ct.Params,
    values: Mapping[str, Any],
    pattern: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Weights after a few examples of one pattern by Eqs. 8 to 10, (synapse,).

    Eq. 11 is off: its mean is one over all patterns, and knows nothing of the error.
    """
    values = {**values, "neurons.lift": np.zeros_like(values["neurons.lift"])}
    schedule = Schedule(params)
    schedule.add(pattern, TRIAL_MS)
    for _ in range(params.n_alignment_repeats):
        schedule.add_example(1, pattern, 1.0)
    return _counters(params, values, schedule, rng)[1]


def _counters(
    params: ct.Params,
    values: Mapping[str, Any],
    schedule: Schedule,
    rng: np.random.Generator,
) -> tuple[Counters, NDArray]:
    stimulus = ct.Stimulus(arrays={"schedule": schedule.array()})
    recording = Ensembles(params).run(stimulus, values, seed=int(rng.integers(2**31)))
    return read_counters(params, recording), recording.final["forward.w"]


def _drive(
    numbers: NDArray,
    post: int,
    rates: NDArray,
    weights: Mapping[tuple[int, int], float],
    w_start: float,
) -> tuple[float, float]:
    c0, c1, c2, sharp = numbers
    drive = c0 + sum(
        (c1 * weights[pre, to] / w_start - c2) * rates[pre] for pre, to in PROJECTIONS if to == post
    )
    return float(drive), float(sharp)
