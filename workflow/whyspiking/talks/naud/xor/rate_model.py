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
        drive, sharp = _sum_drive(self.numbers(post), post, rates, weights, self.w_start)
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
        changes = np.zeros((len(PATTERNS), len(PROJECTIONS)))
        for pattern, target in enumerate(TARGETS):
            pattern_rates = rates[pattern]
            error = teaching_signal(pattern_rates[OUTPUT], int(target))
            output_error = error * self.slope(OUTPUT, pattern_rates, weights)
            _, c1, c2, _ = self.output
            for k, (pre, post) in enumerate(PROJECTIONS):
                if post == OUTPUT:
                    changes[pattern, k] = output_error * c1 / self.w_start * pattern_rates[pre]
                    continue
                output_weight = c1 * weights[post, OUTPUT] / self.w_start - c2
                hidden_error = (
                    output_error * output_weight * self.slope(post, pattern_rates, weights)
                )
                changes[pattern, k] = (
                    hidden_error * self.hidden[1] / self.w_start * pattern_rates[pre]
                )
        return changes


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
    numbers_by_layer, square_sum, n_residuals = {}, 0.0, 0
    for name, posts in (("hidden", HIDDEN), ("output", (OUTPUT,))):

        def residuals(numbers: NDArray, posts: tuple[int, ...] = posts) -> NDArray:
            return np.concatenate(
                [
                    (
                        predict_rates(numbers, post, rates, settings, w_start) - rates[:, :, post]
                    ).ravel()
                    for post in posts
                ]
            )

        best = least_squares(
            residuals, [3.0, 1.5, 1.0, 1.0], bounds=([-50, 0, 0, SHARPEST_HZ], [50, 50, 50, 20])
        )
        numbers_by_layer[name] = best.x
        square_sum += float((best.fun**2).sum())
        n_residuals += best.fun.size
    return RateModel(
        numbers_by_layer["hidden"],
        numbers_by_layer["output"],
        w_start,
        float(np.sqrt(square_sum / n_residuals)),
    )


def predict_rates(
    numbers: NDArray, post: int, rates: NDArray, settings: NDArray, w_start: float
) -> NDArray[np.float64]:
    """Rate of one ensemble from those of its inputs (Eq. 16), (setting, pattern)."""
    c0, c1, c2, sharp = numbers
    drive = np.full(rates.shape[:2], c0)
    for k, (pre, projection_post) in enumerate(PROJECTIONS):
        if projection_post == post:
            drive = drive + (c1 * settings[:, k, None] / w_start - c2) * rates[:, :, pre]
    return sharp * np.logaddexp(0, drive / sharp)


def cosine(a: NDArray, b: NDArray) -> float:
    """Cosine of two arrays taken as vectors; 0 where one vanishes."""
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum()) / norm if norm else 0.0


def average_permuted_cosine(a: NDArray, b: NDArray) -> float:
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
    projection = find_projections(start, params.n_per_population)
    w_start = float(params.w_exc)
    settings = w_start * rng.uniform(*SCALES, (params.n_alignment_settings, len(PROJECTIONS)))
    rates = np.array(
        [measure_rates(params, {**start, "forward.w": w[projection]}, rng) for w in settings]
    )
    model = fit(rates, settings, w_start)
    metrics = {"rate_model_error": model.error_hz}
    # The gradient is scaled by the learning rates, as the rule is.
    rule_rates = np.array(
        [params.eta_output if post == OUTPUT else params.eta_hidden for _, post in PROJECTIONS]
    )
    for moment, values in (("start", start), ("trained", trained)):
        weights = average_synapses(np.asarray(values["forward.w"]), projection)
        event_rates = measure_rates(params, values, rng)
        gradient = rule_rates * model.gradient(
            event_rates, dict(zip(PROJECTIONS, weights, strict=True))
        )
        rule = rule_change(params, values, rng)
        for layer, projections in LAYERS.items():
            layer_changes = rule[:, projections], gradient[:, projections]
            if moment == "start":
                metrics[f"gradient_cosine_{layer}_start"] = cosine(*layer_changes)
            else:
                metrics[f"gradient_cosine_{layer}"] = cosine(*layer_changes)
                metrics[f"gradient_cosine_{layer}_permuted"] = average_permuted_cosine(
                    *layer_changes
                )
    return metrics


def rule_change(
    params: ct.Params, values: Mapping[str, Any], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Change of the mean weight of each projection by examples of one pattern, by pattern."""
    projection = find_projections(values, params.n_per_population)
    start_weights = np.asarray(values["forward.w"])
    changes = [
        learn_pattern(params, values, pattern, rng) - start_weights
        for pattern in range(len(PATTERNS))
    ]
    return np.array([average_synapses(change, projection) for change in changes])


def find_projections(values: Mapping[str, Any], n: int) -> NDArray[np.int64]:
    """Find the projection to which each forward synapse belongs, (synapse,)."""
    table = np.full((len(POPULATIONS),) * 2, -1)
    for k, (pre, post) in enumerate(PROJECTIONS):
        table[pre, post] = k
    return table[np.asarray(values["forward.i"]) // n, np.asarray(values["forward.j"]) // n]


def average_synapses(per_synapse: NDArray, projection: NDArray) -> NDArray[np.float64]:
    """Mean over the synapses of each projection, (projection,)."""
    n = len(PROJECTIONS)
    return np.bincount(projection, per_synapse, n) / np.bincount(projection, minlength=n)


def measure_rates(
    params: ct.Params, values: Mapping[str, Any], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Event rates with plasticity off in Hz, (pattern, population)."""
    schedule = Schedule(params)
    schedule.add_test(0)
    return _run_schedule(params, values, schedule, rng)[0].test_rates(schedule)[0]


def learn_pattern(
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
    return _run_schedule(params, values, schedule, rng)[1]


def _run_schedule(
    params: ct.Params,
    values: Mapping[str, Any],
    schedule: Schedule,
    rng: np.random.Generator,
) -> tuple[Counters, NDArray]:
    stimulus = ct.Stimulus(arrays={"schedule": schedule.array()})
    recording = Ensembles(params).run(stimulus, values, seed=int(rng.integers(2**31)))
    return read_counters(params, recording), recording.final["forward.w"]


def _sum_drive(
    numbers: NDArray,
    post: int,
    rates: NDArray,
    weights: Mapping[tuple[int, int], float],
    w_start: float,
) -> tuple[float, float]:
    c0, c1, c2, sharp = numbers
    drive = c0 + sum(
        (c1 * weights[pre, projection_post] / w_start - c2) * rates[pre]
        for pre, projection_post in PROJECTIONS
        if projection_post == post
    )
    return float(drive), float(sharp)
