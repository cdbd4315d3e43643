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
HOLDS, FAILS = "holds", "fails"
NOT_MEASURED = "not measured"
OUT_OF_SCOPE = "out of scope at this scale"
OF_EVERY = ("every", "exact")
"""Tests that every network must pass."""
EVERY_NEEDS = 5
"""Networks behind "every network": where half of all fail, 5 pass by chance in 3 % of runs."""
VERDICTS = {
    REPLICATED: "the whole interval lies where the claim says, over several networks",
    UNCONFIRMED: "as replicated, but of one network only, of fewer than "
    f"{EVERY_NEEDS} where every one must pass, or before Holm's correction only",
    DIRECTION_ONLY: "a difference on the claimed side, smaller than the band asks for",
    INCONCLUSIVE: "no evidence either way: the interval reaches into the band and out of it, there "
    "is none though a network lies inside, or the negative control passes as well",
    NOT_REPLICATED: "the whole interval lies outside, or, where there is none, every network; or "
    "one network where every one must pass",
    HOLDS: "as replicated, of a check or of an extension of ours",
    FAILS: "as not replicated, of a check or of an extension of ours",
    NOT_MEASURED: "the run has no such number",
    OUT_OF_SCOPE: "the claim has no band at this scale (it says which scale judges it), or holds "
    "data that stand in for the published ones against a published number",
}
BAND, INTERVAL, NULL, SEEDS, CONTROL, HOLM = "band", "interval", "null", "seeds", "control", "Holm"
CONDITIONS = {
    BAND: "the mean lies outside the band; of a claim about every network, one of them",
    INTERVAL: "the mean lies in the band, but the interval does not, or there is none",
    NULL: "the interval does not exclude that there is no difference, or none of the claimed sign",
    SEEDS: f"fewer than two networks ({EVERY_NEEDS} where every one must pass)",
    CONTROL: "the negative control passes the same band",
    HOLM: "it does not pass the correction for the number of claims",
}
"""What keeps a claim from `REPLICATED`, as in column `missed`."""
PASSES = (REPLICATED, HOLDS)
FAILED = (NOT_REPLICATED, FAILS)
LESS: dict[str, str] = {REPLICATED: UNCONFIRMED, DIRECTION_ONLY: INCONCLUSIVE}
"""What is said instead where there is one network only, or Holm's correction is not passed."""
STAND_INS = ("simulated", "synthetic")
"""Provenance of data that stand in for the published ones."""
ON_STAND_INS = "not judged on stand-in data"
"""Label of a claim on a published number whose data are such."""
RECALLED = {"number": "against a recalled number", "statement": "of a recalled statement"}
"""What was not read at its source -> how a label says so."""


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
    return LESS.get(verdict, verdict) if _too_few(criterion, estimate) else verdict


def _too_few(criterion: Criterion, estimate: Interval) -> bool:
    return estimate.seeds < {"exact": 1, "every": EVERY_NEEDS}.get(criterion.test, 2)


def missed(criterion: Criterion, values: NDArray, estimate: Interval) -> list[str]:
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
        BAND: outside,
        INTERVAL: not (every or outside or within or side is not None) and known,
        NULL: not (every or apart or side is None) and known,
        SEEDS: _too_few(criterion, estimate),
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
    return LESS.get(verdict, verdict) if p_holm > 0.025 else verdict


def named(verdict: str, origin: str) -> str:
    """The word for it: what nobody claimed is not replicated, it holds or fails."""
    if origin in REPLICABLE:
        return verdict
    return {REPLICATED: HOLDS, NOT_REPLICATED: FAILS}.get(verdict, verdict)


def label(
    verdict: str,
    scale: str,
    data: str = "",
    *,
    reduced: bool = False,
    of: str = "",
    judged_at: str | None = None,
    recalled: str = "",
) -> str:
    """The words of the report: a smaller experiment, other data or which networks are said.

    Args:
        verdict: The verdict.
        scale: Scale of the run.
        data: Provenance of the data.
        reduced: Whether the scale runs the experiment smaller or shorter than published.
        of: Of which networks it is, where it is not of all: "one network", "4 of 5 networks".
        judged_at: The scale that judges what this one does not.
        recalled: What of the claim was not read at its source: its number, its statement.
    """
    if scale == "smoke":
        return "plumbing only, no verdict"
    if verdict == OUT_OF_SCOPE and judged_at is not None:
        return f"judged at scale {judged_at}"
    said = f"{verdict} ({of})" if of else verdict
    if verdict == REPLICATED:
        said += " at reduced scale" if reduced else ""
        said += ", stand-in data" if data in STAND_INS else ""
    if verdict in (NOT_MEASURED, OUT_OF_SCOPE) or not recalled:
        return said
    return f"{said}, {RECALLED[recalled]}"
