"""Score S of an outcome, chance, and what belongs to them; the same for every talk.

Classification is scored by accuracy, over trials or over all labelled steps; continuous outputs by
S = max(0, 1 - NMSE), with NMSE = sum (y - y*)^2 / sum (y* - mean y*)^2.
"""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.types import Labels, Outcome, Traces, Trials
from whyspiking.measures import labelling

LAG_WINDOW_MS = 1000.0
"""Window within which an autonomous oscillator is scored at its best lag."""
CHANCE_SHIFTS = 20
"""Time shifts of the targets behind the chance score of continuous outputs."""
LEAST_RANGE = 0.2
"""Below this distance of clean score and chance a normalised score is undefined."""


def score(outcome: Outcome) -> float:
    """S: accuracy, or max(0, 1 - NMSE); lag-tolerant where the phase is free."""
    if isinstance(outcome, Traces):
        return max(0.0, 1.0 - nmse(outcome))
    return accuracy(outcome)


def accuracy(outcome: Trials | Labels) -> float:
    """Share of trials, or of labelled steps, whose choice is the target; undecided is wrong."""
    right = outcome.choices == outcome.targets
    return float(
        right.mean() if isinstance(outcome, Trials) else right[outcome.targets >= 0].mean()
    )


def chance(outcome: Outcome) -> float:
    """Score of knowing nothing about the trial.

    Classification: 1/K. Labelled steps: the share of the most frequent class, for classes last
    differently long. Continuous outputs: mean S against targets shifted in time (circularly, by
    multiples of the golden section of the trial, which hit no period twice). Where the phase is
    free, the search for the best lag would find a shifted target, so chance is there the S of the
    best constant output, 0.
    """
    if isinstance(outcome, Trials):
        return 1.0 / outcome.n_classes
    if isinstance(outcome, Labels):
        return float(np.bincount(known := outcome.targets[outcome.targets >= 0]).max() / known.size)
    if outcome.free_phase:
        return 0.0
    n_times = outcome.targets.shape[1]
    golden = (np.sqrt(5) - 1) / 2
    shifts = np.floor(n_times * (np.arange(1, CHANCE_SHIFTS + 1) * golden % 1)).astype(int)
    shifted = [
        replace(outcome, targets=np.roll(outcome.targets, shift, axis=1)) for shift in shifts
    ]
    return float(np.mean([score(traces) for traces in shifted]))


def normalised(value: float, clean: float, chance_score: float) -> float:
    """N = (S - c) / (S(0) - c): 1 unperturbed, 0 chance; nan where S(0) - c < 0.2.

    Args:
        value: Score under the perturbation.
        clean: Score of the same trials without it.
        chance_score: Score of knowing nothing.
    """
    span = clean - chance_score
    if span < LEAST_RANGE:
        return np.nan
    return (value - chance_score) / span


def nmse(traces: Traces) -> float:
    """Squared error over the variance of the target, pooled over trials, times and channels."""
    outputs, targets, means = _aligned(traces)
    return float(((outputs - targets) ** 2).sum() / ((targets - means) ** 2).sum())


def correlation(traces: Traces) -> float:
    """Pearson correlation of output and target, mean over trials (windows) and channels.

    A constant output or target correlates with nothing: 0.
    """
    outputs, targets, _ = _aligned(traces)
    x = outputs - outputs.mean(axis=1, keepdims=True)
    y = targets - targets.mean(axis=1, keepdims=True)
    norm = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    product = (x * y).sum(axis=1)
    return float(np.divide(product, norm, out=np.zeros_like(norm), where=norm > 0).mean())


def measures(outcome: Outcome) -> dict[str, float]:
    """All metrics of the score group that an outcome allows, by name of `glossary.GLOSSARY`."""
    values = {"score": score(outcome), "chance": chance(outcome), **beside_score(outcome)}
    if isinstance(outcome, Labels):
        values |= labelling.delays(outcome)
    if isinstance(outcome, Trials):
        values |= decision_time(outcome)
    return values


def beside_score(outcome: Outcome) -> dict[str, float]:
    """Measures beside the score, perturbed or not: by name of `glossary.GLOSSARY`."""
    if isinstance(outcome, Traces):
        return {"correlation": correlation(outcome), "nrmse": float(np.sqrt(nmse(outcome)))}
    if isinstance(outcome, Labels):
        return {"accuracy": accuracy(outcome)}
    return {"accuracy": accuracy(outcome), "undecided": float((outcome.choices < 0).mean())}


def decision_time(trials: Trials) -> dict[str, float]:
    """Mean time of the decisions, by its name; nothing where no trial is decided."""
    decided = trials.decision_ms[np.isfinite(trials.decision_ms) & (trials.choices >= 0)]
    return {"decision_time": float(decided.mean())} if decided.size else {}


def n_trials(outcome: Outcome) -> int:
    """Number of trials behind an outcome."""
    return int(outcome.targets.shape[0])


def select(outcome: Outcome, chosen: NDArray) -> Outcome:
    """The outcome of the given trials, in the given order."""
    per_trial = {
        field.name: value[chosen]
        for field in fields(outcome)
        if isinstance(value := getattr(outcome, field.name), np.ndarray)
    }
    return replace(outcome, **per_trial)


def _aligned(traces: Traces) -> tuple[NDArray, NDArray, NDArray]:
    """Outputs, targets (segment, time, channel) and target means to score against.

    Fixed phase: the trials as they are. Free phase: windows of 1 s (the whole trial if shorter),
    each with the stretch of target, up to one window earlier or later, that has the least error.
    """
    outputs = np.asarray(traces.outputs, float)
    targets = np.asarray(traces.targets, float)
    means = targets.mean(axis=(0, 1), keepdims=True)
    if not traces.free_phase:
        return outputs, targets, means
    n_times = outputs.shape[1]
    width = min(n_times, max(2, round(LAG_WINDOW_MS / traces.dt_ms)))
    own, wanted = [], []
    for trial in range(outputs.shape[0]):
        for start in range(0, n_times - width + 1, width):
            segment = outputs[trial, start : start + width]
            first = max(0, start - width)
            stretch = targets[trial, first : start + 2 * width]
            lag = _best_lag(segment, stretch)
            own.append(segment)
            wanted.append(stretch[lag : lag + width])
    return np.array(own), np.array(wanted), means


def _best_lag(segment: NDArray, stretch: NDArray) -> int:
    """Where in `stretch` (time, channel) `segment` fits with the least squared error."""
    width = segment.shape[0]
    cross = sum(
        np.correlate(stretch[:, channel], segment[:, channel], mode="valid")
        for channel in range(segment.shape[1])
    )
    power = np.concatenate([[0.0], np.cumsum((stretch**2).sum(axis=1))])
    return int(np.argmin(power[width:] - power[:-width] - 2 * np.asarray(cross)))
