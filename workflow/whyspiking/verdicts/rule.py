"""The rule that turns a number, its interval and a band into a verdict.

`rule_study.csv` holds how often it errs in simulated runs; docs/verdicts.md says how it was made.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whyspiking.declared.bands import Band
from whyspiking.declared.claims_file import REPLICABLE
from whyspiking.measures.statistics import Interval

STUDY = Path(__file__).with_name("rule_study.csv")
"""Error rates of the rule in simulated runs; kept by hand."""

REPLICATED = "replicated"
UNCONFIRMED = "unconfirmed"
DIRECTION_ONLY = "direction only"
INCONCLUSIVE = "inconclusive"
NOT_REPLICATED = "not replicated"
PASSES, FAILS = "passes", "fails"
NOT_MEASURED = "not measured"
NOT_JUDGED = "not judged"
OF_EVERY = ("every", "exact")
"""Tests that every network must pass."""
EVERY_NEEDS = 5
"""Networks behind "every network": where half of all fail, 5 pass by chance in 3 % of runs."""
VERDICTS = {
    REPLICATED: "The whole 95 % interval meets the acceptance criterion, over several networks. "
    "If the claim is a difference in one direction, the interval excludes no difference, and the "
    "mean meets the criterion.",
    PASSES: "The same as replicated, for an additional claim of this project or a check.",
    UNCONFIRMED: "The claim meets its criterion, but only one network was trained, or fewer than "
    f"{EVERY_NEEDS} where every network must meet it, or the claim does not pass Holm's "
    "correction.",
    DIRECTION_ONLY: "There is a difference in the claimed direction that is smaller than the "
    "criterion asks for.",
    INCONCLUSIVE: "The interval contains values that meet the criterion and values that miss it; "
    "or a single network without an interval meets it; or the negative control meets it, too; or "
    "the claim meets it, but a claim that it requires is undecided; or fewer networks are recorded "
    "than planned.",
    NOT_REPLICATED: "The whole interval misses the criterion; or, without an interval, all "
    "networks miss it; or one network misses it where every network must meet it; or a claim that "
    "it requires misses its criterion.",
    FAILS: "The same as not replicated, for an additional claim of this project or a check.",
    NOT_MEASURED: "The run has no such number.",
    NOT_JUDGED: "The claim has no criterion at this scale, or surrogate data cannot test a number "
    "that was published for other data.",
}
CRITERION, INTERVAL, NULL = "criterion", "interval", "no difference"
N_NETWORKS, CONTROL, HOLM = "number of networks", "negative control", "Holm"
PLAN, REQUIRED = "planned number of networks", "required claim"
CONDITIONS = {
    CRITERION: "The mean misses the criterion, or, for a claim about every network, one network "
    "does.",
    INTERVAL: "The mean meets the criterion, but the interval does not, or there is no interval.",
    NULL: "The interval includes no difference or a difference in the other direction.",
    N_NETWORKS: f"There are fewer than two networks (fewer than {EVERY_NEEDS} where every network "
    "must meet the criterion).",
    PLAN: "Fewer networks are recorded than were planned before the first one was trained.",
    CONTROL: "The negative control meets the same criterion.",
    HOLM: "The claim does not pass Holm's correction for the number of claims.",
    REQUIRED: "A claim that it requires misses its criterion or is undecided.",
}
"""What keeps a claim from `REPLICATED`, as in column `failed_conditions`."""
SUCCESSES = (REPLICATED, PASSES)
FAILURES = (NOT_REPLICATED, FAILS)
UNJUDGED = (NOT_MEASURED, NOT_JUDGED)
WEAKER: dict[str, str] = {REPLICATED: UNCONFIRMED, DIRECTION_ONLY: INCONCLUSIVE}
"""The verdict instead where there is one network only, or Holm's correction is not passed."""
SURROGATE_DATA = ("simulated", "synthetic")
"""Origins of data that replace published data."""
SMOKE_RUN = "smoke run, which gives no verdicts"
ON_SURROGATE_DATA = "surrogate data cannot test the published number"
REDUCED = "reduced"
FROM_MEMORY = {
    "number": "published number quoted from memory",
    "statement": "statement quoted from memory",
}
"""What was not read at its source -> how a qualification says so."""


@dataclass(frozen=True)
class Criterion:
    """How a claim is tested: by which test, against which band, and the value of no difference.

    `null` is None where no two networks are compared.
    """

    test: str
    band: Band
    null: float | None = None


def decide(criterion: Criterion, values: NDArray, estimate: Interval) -> str:
    """The verdict of a claim that others made.

    Args:
        criterion: How the claim is tested.
        values: One number per network, (seed,).
        estimate: Their mean and interval; limits are nan where there is no interval.
    """
    band = criterion.band
    contained = np.array([band.contains(value) for value in values])
    if criterion.test in OF_EVERY:
        verdict = REPLICATED if contained.all() else NOT_REPLICATED
    elif not np.isfinite(estimate.low):
        return INCONCLUSIVE if contained.any() else NOT_REPLICATED
    elif (side := claimed_side(criterion)) is not None:
        verdict = _difference(side, criterion, estimate)
    elif band.low <= estimate.low and estimate.high <= band.high:
        verdict = REPLICATED
    else:
        verdict = _short_of(band, estimate)
    return WEAKER.get(verdict, verdict) if _too_few(criterion, estimate) else verdict


def _too_few(criterion: Criterion, estimate: Interval) -> bool:
    return estimate.seeds < {"exact": 1, "every": EVERY_NEEDS}.get(criterion.test, 2)


def list_failed_conditions(criterion: Criterion, values: NDArray, estimate: Interval) -> list[str]:
    """The `CONDITIONS` on number, interval and networks that a claim does not meet.

    Args:
        criterion: As for `decide`.
        values: As there.
        estimate: As there.
    """
    band, side = criterion.band, claimed_side(criterion)
    ends = (estimate.low, estimate.high)
    every = criterion.test in OF_EVERY
    outside = not (all(band.contains(x) for x in values) if every else band.contains(estimate.mean))
    # An interval that there is none of compares false.
    apart = side is not None and min(side * (end - (criterion.null or 0.0)) for end in ends) > 0
    within = band.low <= estimate.low and estimate.high <= band.high
    # One network without test trials to judge by has none, and says nothing of it.
    known = estimate.seeds > 1 or bool(np.isfinite(estimate.low))
    told = {
        CRITERION: outside,
        INTERVAL: not (every or outside or within or side is not None) and known,
        NULL: not (every or apart or side is None) and known,
        N_NETWORKS: _too_few(criterion, estimate),
    }
    return [name for name, there in told.items() if there]


def claimed_side(criterion: Criterion) -> int | None:
    """1 or -1 where a comparison claims a difference of that sign; else None.

    A band that begins on the other side of the null ("at most a point worse") claims none: it is a
    margin, inside which the interval must lie.
    """
    if criterion.null is None:
        return None
    if criterion.band.low >= criterion.null:
        return 1
    return -1 if criterion.band.high <= criterion.null else None


def _difference(side: int, criterion: Criterion, estimate: Interval) -> str:
    null, ends = criterion.null or 0.0, (estimate.low, estimate.high)
    if min(side * (end - null) for end in ends) > 0:
        return REPLICATED if criterion.band.contains(estimate.mean) else DIRECTION_ONLY
    if max(side * (end - null) for end in ends) < 0:
        return NOT_REPLICATED
    return _short_of(criterion.band, estimate)


def _short_of(band: Band, estimate: Interval) -> str:
    """The verdict of an interval that does not do."""
    overlaps = estimate.low <= band.high and estimate.high >= band.low
    return INCONCLUSIVE if overlaps else NOT_REPLICATED


def corrected(verdict: str, p_holm: float) -> str:
    """The verdict that is left after Holm's correction; a p value that is nan changes none."""
    return WEAKER.get(verdict, verdict) if p_holm > 0.025 else verdict


def name_by_origin(verdict: str, origin: str) -> str:
    """Return the name of a verdict: an additional claim passes or fails, and is not replicated."""
    if origin in REPLICABLE:
        return verdict
    return {REPLICATED: PASSES, NOT_REPLICATED: FAILS}.get(verdict, verdict)


def describe_qualification(
    verdict: str,
    *,
    networks: str = "",
    reduction: str = "",
    data_source: str = "",
    from_memory: str = "",
    judged_at: str | None = None,
) -> str:
    """Say what a reader has to know about a verdict: few networks, a reduced run, surrogate data.

    Args:
        verdict: The verdict.
        networks: The number of networks if it is not all of them: "one network", "4 of 5 networks",
            "4 of 5 planned networks".
        reduction: What the run reduces compared with the publication; empty: nothing.
        data_source: Where the data come from.
        from_memory: What of the claim was not read at its source: its number or its statement.
        judged_at: The scale that has a criterion for the claim if this scale has none.

    Returns:
        Phrases separated by semicolons; empty if there is nothing to say.
    """
    if verdict == NOT_JUDGED and judged_at is not None:
        return f"the criterion is for scale {judged_at}"
    phrases = [networks]
    if verdict == REPLICATED:
        phrases += [reduction, "surrogate data" if data_source in SURROGATE_DATA else ""]
    if verdict not in UNJUDGED:
        phrases += [FROM_MEMORY.get(from_memory, "")]
    return "; ".join(filter(None, phrases))
