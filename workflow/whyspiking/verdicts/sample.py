"""The networks behind a claim: their interval and p value, and whether the verdict would return."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import special

from whyspiking.measures import statistics
from whyspiking.measures.statistics import Interval, Transform
from whyspiking.verdicts import rule

EVERY = "lowest and highest network"
"""Word in column `over` for claims about every network, which have no interval."""
EXACT = "networks, exactly"
"""The same for shares of networks, whose interval is Clopper and Pearson's."""
NO_VARIANCE = (0.0, np.inf)
"""Variance of test trials that add none, and its degrees of freedom."""
REPETITIONS = 1000
"""Repetitions of a run that are drawn to see how often its verdict returns."""


@dataclass(frozen=True)
class Sample:
    """One number per seed for one claim, on the scale on which it is judged.

    Attributes:
        values: (seed,).
        trials: Number of what was scored behind each, test trials or their steps, (seed,). How many
            of these are independent, the variance over test trials says.
        transform: Scale of the interval.
        extra_variance: Variance of the mean over the test trials, with its degrees of freedom.
    """

    values: np.ndarray
    trials: np.ndarray
    transform: Transform
    extra_variance: float = 0.0
    extra_degrees: float = np.inf

    def interval(self, test: str) -> Interval:
        """Mean and interval; where a value is infinite there is none.

        A claim about every network has its lowest and highest one in place of an interval, a share
        of networks that of Clopper and Pearson.

        Raises:
            ValueError: If a share of networks has values other than 0 and 1.
        """
        values = self.values
        n = values.size
        if not np.isfinite(values).all() or (test == "exact" and n == 1):
            return Interval(float(np.median(values)), np.nan, np.nan, n)
        if test in rule.OF_EVERY:
            middle = np.median if test == "exact" else np.mean
            return Interval(float(middle(values)), values.min(), values.max(), n)
        if test == "share":
            return statistics.share_interval(values)
        extra = self.extra_variance, self.extra_degrees
        return statistics.interval(values, self.transform, self.trials, *extra)

    def over(self, test: str, estimate: Interval) -> str:
        """Source of the interval, in words: seeds, test trials or both; empty without one."""
        if not np.isfinite(estimate.low):
            return ""
        if test in rule.OF_EVERY:
            return EVERY
        if test == "share":
            return EXACT
        trials = self.extra_variance > 0
        several = self.values.size > 1
        return " and ".join([*["seeds"] * several, *["test trials"] * trials])

    def p_value(self, criterion: rule.Criterion, estimate: Interval) -> float:
        """Larger of the one-sided p values against the null, or the edges that are not open."""
        if criterion.test in rule.OF_EVERY or estimate.seeds < 2 or not np.isfinite(estimate.low):
            return np.nan
        if criterion.test == "share":
            return statistics.share_p_value(self.values, criterion.band.low, criterion.band.high)
        middle = float(self._to(self.values).mean())
        if (side := rule.claimed_side(criterion)) is not None:
            gaps = [side * (middle - float(self._to(criterion.null)))]
        else:
            # An edge at or below 0 cannot bind a ratio.
            edges = [(1, criterion.band.low), (-1, criterion.band.high)]
            least = 0.0 if self.transform == "log" else -np.inf
            gaps = [
                side * (middle - float(self._to(edge)))
                for side, edge in edges
                if least < edge < np.inf
            ]
        return max(
            (statistics.p_above(gap, estimate.error, estimate.degrees) for gap in gaps),
            default=np.nan,
        )

    def returns(self, criterion: rule.Criterion) -> float:
        """How often as many other networks would get the same verdict, were these like all.

        Repetitions are drawn from a normal distribution with mean and spread of these networks, on
        the scale of their interval; shares of networks from a binomial one. nan of one network.
        """
        n = self.values.size
        if n < 2 or not np.isfinite(self.values).all():
            return np.nan
        rng = np.random.default_rng(0)
        if criterion.test == "share":
            drawn = (rng.random((REPETITIONS, n)) < self.values.mean()).astype(float)
        else:
            own = self._to(self.values)
            drawn = own.mean() + own.std(ddof=1) * rng.standard_normal((REPETITIONS, n))
            back = {"log": np.exp, "logit": special.expit, "none": np.asarray}
            drawn = back[self.transform](drawn)
            if self.transform == "logit":
                # The interval of the drawn shares adds half a count on each side once more.
                drawn = np.clip((drawn * (self.trials + 1) - 0.5) / self.trials, 0, 1)
        verdicts = [
            rule.decide(criterion, again.values, again.interval(criterion.test))
            for again in (self, *(replace(self, values=values) for values in drawn))
        ]
        return verdicts[1:].count(verdicts[0]) / REPETITIONS

    def _to(self, x: Any) -> Any:
        """Numbers on the scale of the interval."""
        x = np.asarray(x, float)
        if self.transform == "log":
            return np.log(x)
        if self.transform == "logit":
            # Shares are softened as in their interval, edges of the band are not.
            return special.logit((x * self.trials + 0.5) / (self.trials + 1) if x.ndim else x)
        return x
