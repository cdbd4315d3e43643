"""Intervals over seeds and the tests built on them.

The seed is the unit: average over trials and draws first. Intervals are t intervals; a percentile
bootstrap of 3 to 5 seeds covers only 75 to 84 %.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Transform = Literal["none", "log", "logit"]


@dataclass(frozen=True)
class Interval:
    """A mean over seeds and where the true mean may lie.

    Attributes:
        mean: The estimate.
        low: Lower limit; nan for a single seed, which has no interval.
        high: Upper limit; nan for a single seed.
        seeds: Number of seeds.
        spread: Standard deviation over seeds on the scale of the transform; nan for one seed.
    """

    mean: float
    low: float
    high: float
    seeds: int
    spread: float = np.nan

    @property
    def bounds(self) -> tuple[float, float]:
        """The limits, infinite where one seed alone says nothing about them."""
        if self.seeds < 2:
            return -np.inf, np.inf
        return self.low, self.high


def t_interval(values: ArrayLike, level: float = 0.95, extra_variance: float = 0.0) -> Interval:
    """Mean and t interval over seeds.

    Args:
        values: One finite number per seed, (seed,).
        level: Coverage.
        extra_variance: Variance of the mean that all seeds share, e.g. S (1 - S) / n_test where
            they were scored on one subsample of the test trials.

    Raises:
        ValueError: If there is no value, or one is not finite.
    """
    values = np.asarray(values, float)
    if values.size == 0 or not np.isfinite(values).all():
        raise ValueError("an interval needs at least one value, all finite")
    mean = float(values.mean())
    if values.size == 1:
        return Interval(mean, np.nan, np.nan, 1)
    spread = float(values.std(ddof=1))
    error = np.sqrt(spread**2 / values.size + extra_variance)
    half = t_quantile(0.5 + level / 2, values.size - 1) * float(error)
    return Interval(mean, mean - half, mean + half, int(values.size), spread)


def log_interval(values: ArrayLike, level: float = 0.95) -> Interval:
    """Geometric mean of positive values (ratios) with a t interval of their logarithms.

    Raises:
        ValueError: If a value is not positive.
    """
    values = np.asarray(values, float)
    if (values <= 0).any():
        raise ValueError("logarithms need positive values")
    return _back(t_interval(np.log(values), level), np.exp)


def logit_interval(values: ArrayLike, trials: ArrayLike, level: float = 0.95) -> Interval:
    """Plain mean of proportions with a t interval of their logits.

    Half a count is added on both sides, so 0 and 1 stay finite: near 1 the interval is wider
    towards 0.5 and never passes 1.

    Args:
        values: Share of trials, one per seed, each in [0, 1].
        trials: Number of trials behind each share (one number or one per seed).
        level: Coverage.

    Raises:
        ValueError: If a value is no proportion.
    """
    values = np.asarray(values, float)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("proportions must lie in [0, 1]")
    trials = np.broadcast_to(np.asarray(trials, float), values.shape)
    softened = (values * trials + 0.5) / (trials + 1)
    inner = t_interval(special.logit(softened), level)
    interval = _back(inner, special.expit)
    mean = float(values.mean())
    # The plain mean is what the paper reports; the interval must contain it (nan stays nan).
    low, high = min(interval.low, mean), max(interval.high, mean)
    return replace(interval, mean=mean, low=low, high=high)


def interval(
    values: ArrayLike, transform: Transform, trials: ArrayLike = 1, level: float = 0.95
) -> Interval:
    """The interval of `values` under one of the transforms above."""
    if transform == "log":
        return log_interval(values, level)
    if transform == "logit":
        return logit_interval(values, trials, level)
    return t_interval(values, level)


def known_interval(values: ArrayLike, transform: Transform = "none") -> Interval:
    """The interval of the finite values; nan of no seed where there is none."""
    values = np.asarray(values, float)
    known = values[np.isfinite(values)]
    return interval(known, transform) if known.size else Interval(np.nan, np.nan, np.nan, 0)


def over_seeds(table: Any, by: Sequence[str], transform: Transform = "none") -> Any:
    """Mean and t interval over seeds of the column `value`.

    Args:
        table: Long table with the columns `seed`, `value` and those of `by`; several rows of one
            seed (draws, trials) are averaged first, since the seed is the unit.
        by: Columns that tell the points apart.
        transform: "log" for ratios.

    Returns:
        The columns of `by`, and `mean`, `low`, `high`, `seeds`, sorted by `by`.
    """
    import pandas as pd  # half a second that most jobs need not spend

    per_seed = table.groupby([*by, "seed"], as_index=False, sort=True)["value"].mean()
    records = []
    for key, group in per_seed.groupby(list(by), sort=True):
        found = known_interval(group["value"].to_numpy(), transform)
        names = key if isinstance(key, tuple) else (key,)
        place = dict(zip(by, names, strict=True))
        limits = {"low": found.low, "high": found.high, "seeds": found.seeds}
        records.append({**place, "mean": found.mean, **limits})
    return pd.DataFrame(records, columns=pd.Index([*by, "mean", "low", "high", "seeds"]))


def pair(first: Mapping[int, float], second: Mapping[int, float]) -> tuple[NDArray, NDArray]:
    """Values of the seeds that both have, in the order of the seeds; two arrays (seed,)."""
    common = sorted(set(first) & set(second))
    return (
        np.array([first[seed] for seed in common], float),
        np.array([second[seed] for seed in common], float),
    )


def p_above(values: ArrayLike, edge: float) -> float:
    """One-sided p value of "the mean over seeds exceeds `edge`"; nan for a single seed."""
    values = np.asarray(values, float)
    if values.size < 2:
        return np.nan
    gap = float(values.mean()) - edge
    error = float(values.std(ddof=1)) / np.sqrt(values.size)
    if error == 0:
        return 0.0 if gap > 0 else 1.0
    return float(special.stdtr(values.size - 1, -gap / error))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment; entries that are nan stay nan and do not count."""
    p = np.asarray(p_values, float)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    scaled = p[order] * np.arange(order.size, 0, -1)
    adjusted = np.full(p.size, np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0) if order.size else scaled
    return adjusted.tolist()


def prediction_interval(
    published: float, spread: float, seeds: int, own_seeds: int
) -> tuple[float, float]:
    """Where the mean of `own_seeds` further runs of the original would lie, with 95 %.

    Args:
        published: Published mean.
        spread: Published standard deviation over seeds.
        seeds: Number of published seeds, at least 2.
        own_seeds: Number of our seeds.
    """
    half = t_quantile(0.975, seeds - 1) * spread * np.sqrt(1 / seeds + 1 / own_seeds)
    return float(published - half), float(published + half)


def t_quantile(probability: float, degrees: int) -> float:
    """Quantile of Student's t distribution."""
    return float(special.stdtrit(degrees, probability))


def _back(inner: Interval, function: Callable[[float], float]) -> Interval:
    ends = {name: float(function(getattr(inner, name))) for name in ("mean", "low", "high")}
    return replace(inner, **ends)
