"""Intervals over seeds and the tests built on them.

The seed is the unit: average over trials and draws first. Intervals are t intervals; a percentile
bootstrap of 3 to 5 seeds covers only 75 to 84 %.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

Transform = Literal["none", "log", "logit"]
LEVEL = 0.95
"""Confidence of all intervals."""
UPPER = (1 + LEVEL) / 2
"""Quantile of their upper end."""


@dataclass(frozen=True)
class Interval:
    """A mean over seeds and where the true mean may lie.

    Attributes:
        mean: The estimate.
        low: Lower limit; nan where nothing tells: of one seed without known test trials.
        high: Upper limit.
        seeds: Number of seeds.
        spread: Standard deviation over seeds on the scale of the transform; nan for one seed.
        error: Standard error on the scale of the transform.
        degrees: Degrees of freedom of the error.
    """

    mean: float
    low: float
    high: float
    seeds: int
    spread: float = np.nan
    error: float = np.nan
    degrees: float = np.nan

    @property
    def bounds(self) -> tuple[float, float]:
        """The limits, infinite where nothing is known about them."""
        return (self.low, self.high) if np.isfinite(self.low) else (-np.inf, np.inf)


def t_interval(
    values: ArrayLike,
    extra_variance: float = 0.0,
    extra_degrees: float = np.inf,
) -> Interval:
    """Mean and 95 % t interval over seeds.

    Args:
        values: One finite number per seed, (seed,).
        extra_variance: Variance of the mean that all seeds share, e.g. S (1 - S) / n_test where
            they were scored on the same n_test trials. Of one seed it is all that is known.
        extra_degrees: Degrees of freedom of that variance. Those of the sum are Satterthwaite's.

    Raises:
        ValueError: If there is no value, or one is not finite.
    """
    values = np.asarray(values, float)
    if values.size == 0 or not np.isfinite(values).all():
        raise ValueError("an interval needs at least one value, and all values must be finite")
    mean, seeds = float(values.mean()), int(values.size)
    spread = float(values.std(ddof=1)) if seeds > 1 else np.nan
    own = spread**2 / seeds if seeds > 1 else 0.0
    if seeds == 1 and extra_variance == 0:
        return Interval(mean, np.nan, np.nan, 1)
    variance = own + extra_variance
    error = float(np.sqrt(variance))
    if variance == 0:
        degrees = float(seeds - 1)
    else:
        # Each part over the whole, so that tiny variances do not underflow.
        shares = [(own / variance, seeds - 1.0), (extra_variance / variance, extra_degrees)]
        inverse = sum(share**2 / free for share, free in shares if share > 0)
        degrees = 1 / inverse if inverse else np.inf
    half = t_quantile(UPPER, degrees) * error
    return Interval(mean, mean - half, mean + half, seeds, spread, error, degrees)


def log_interval(values: ArrayLike) -> Interval:
    """Geometric mean of positive values (ratios) with a t interval of their logarithms.

    Raises:
        ValueError: If a value is not positive.
    """
    values = np.asarray(values, float)
    if (values <= 0).any():
        raise ValueError("logarithms need positive values")
    return _back(t_interval(np.log(values)), np.exp)


def logit_interval(
    values: ArrayLike,
    trials: ArrayLike,
    extra_variance: float = 0.0,
    extra_degrees: float = np.inf,
) -> Interval:
    """Plain mean of proportions with a t interval of their logits.

    Half a count is added on both sides, so 0 and 1 stay finite: near 1 the interval is wider
    towards 0.5 and never passes 1.

    Args:
        values: Share of trials, one per seed, each in [0, 1].
        trials: Number of trials behind each share (one number or one per seed).
        extra_variance: Added to that of the mean share, as in `t_interval`.
        extra_degrees: Degrees of freedom of the added variance.

    Raises:
        ValueError: If a value is no proportion.
    """
    values = np.asarray(values, float)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("proportions must lie in [0, 1]")
    trials = np.broadcast_to(np.asarray(trials, float), values.shape)
    softened = (values * trials + 0.5) / (trials + 1)
    middle = float(softened.mean())
    shared = extra_variance / (middle * (1 - middle)) ** 2
    inner = t_interval(special.logit(softened), shared, extra_degrees)
    interval = _back(inner, special.expit)
    mean = float(values.mean())
    # The plain mean is what the paper reports; the interval must contain it (nan stays nan).
    low, high = min(interval.low, mean), max(interval.high, mean)
    return replace(interval, mean=mean, low=low, high=high)


def interval(
    values: ArrayLike,
    transform: Transform,
    trials: ArrayLike = 1,
    extra_variance: float = 0.0,
    extra_degrees: float = np.inf,
) -> Interval:
    """The interval of `values` under one of the transforms above."""
    if transform == "log":
        return log_interval(values)
    if transform == "logit":
        return logit_interval(values, trials, extra_variance, extra_degrees)
    return t_interval(values, extra_variance, extra_degrees)


def share_interval(values: ArrayLike) -> Interval:
    """Share of networks with its exact 95 % interval (Clopper and Pearson 1934).

    Args:
        values: 1 for a network of the kind that is counted, else 0, (seed,).

    Raises:
        ValueError: If a value is neither.
    """
    values = np.asarray(values, float)
    if values.size == 0 or not np.isin(values, (0.0, 1.0)).all():
        raise ValueError(
            "a fraction of networks needs one value, 0 or 1, for each network, and at least one "
            "network"
        )
    n, k = int(values.size), int(values.sum())
    low = float(special.betaincinv(k, n - k + 1, 0.025)) if k else 0.0
    high = float(special.betaincinv(k + 1, n - k, UPPER)) if k < n else 1.0
    return Interval(k / n, low, high, n)


def share_p_value(values: ArrayLike, low: float, high: float) -> float:
    """Exact one-sided p value of a share of networks against the nearer of two edges.

    Args:
        values: As in `share_interval`.
        low: Edge that the share should exceed; at or below 0 none.
        high: Edge that it should stay below; at or above 1 none.
    """
    values = np.asarray(values, float)
    n, k = values.size, values.sum()
    above = float(special.bdtrc(k - 1, n, low)) if low > 0 and k else float(low > 0)
    below = float(special.bdtr(k, n, high)) if high < 1 else 0.0
    return max(above, below)


def shared_variance(parts: ArrayLike, trials: ArrayLike) -> tuple[float, float]:
    """Variance of a mean over test trials that all networks share, and its degrees of freedom.

    Where networks err on the same trials, their mean over seeds varies from part to part of the
    test set, and so would it on other trials. Where each network has trials of its own, little is
    left of it: the spread over seeds tells it already.

    Args:
        parts: Mean over networks of the score, or of a difference of two scores, in every part of
            the test set, (part,).
        trials: Number of trials of each part, (part,).
    """
    parts, weights = np.asarray(parts, float), np.asarray(trials, float)
    n = parts.size
    if n < 2:
        return 0.0, np.inf
    weights = weights / weights.sum()
    around = parts - weights @ parts
    return float((weights**2) @ around**2) * n / (n - 1), n - 1.0


def binomial_variance(shares: ArrayLike, trials: ArrayLike) -> float:
    """S (1 - S) / n of shares of n trials, half a count added on both sides.

    The most that test trials can add to the variance of a mean over networks that share them.
    """
    shares, trials = np.asarray(shares, float), np.asarray(trials, float)
    softened = float(((shares * trials + 0.5) / (trials + 1)).mean())
    return softened * (1 - softened) / float(trials.mean())


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
        interval = known_interval(group["value"].to_numpy(), transform)
        limits = {"ci_low": interval.low, "ci_high": interval.high, "n_seeds": interval.seeds}
        records.append({**dict(zip(by, key, strict=True)), "mean": interval.mean, **limits})
    return pd.DataFrame(records, columns=pd.Index([*by, "mean", "ci_low", "ci_high", "n_seeds"]))


def p_above(gap: float, error: float, degrees: float) -> float:
    """One-sided p value of "the true mean is larger than that", from how far the estimate is above.

    Args:
        gap: The estimate minus the value that it should exceed.
        error: Standard error of the estimate; nan, of one seed, gives nan.
        degrees: Degrees of freedom of the error.
    """
    if error == 0:
        return 0.0 if gap > 0 else 1.0
    return float(special.stdtr(degrees, -gap / error))


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
    half = t_quantile(UPPER, seeds - 1) * spread * np.sqrt(1 / seeds + 1 / own_seeds)
    return float(published - half), float(published + half)


def t_quantile(probability: float, degrees: float) -> float:
    """Quantile of Student's t distribution."""
    return float(special.stdtrit(degrees, probability))


def _back(inner: Interval, function: Callable[[float], float]) -> Interval:
    ends = {name: float(function(getattr(inner, name))) for name in ("mean", "low", "high")}
    return replace(inner, **ends)
