"""The registry of published claims and the rule that judges them.

A claim is a measurement and an acceptance band fixed before the run. `judge` is pure: a table and
a claim in, one row of the verdict table out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from whyspiking.declared.claims_file import Band, Claim, load
from whyspiking.errors import UserError
from whyspiking.measures import statistics
from whyspiking.measures.statistics import Interval, Transform
from whyspiking.records import tables
from whyspiking.records.columns import VERDICTS as COLUMNS
from whyspiking.records.tables import GLOSSARY

if TYPE_CHECKING:
    from whyspiking.declared.registry import Talk

__all__ = ["Band", "Claim", "judge", "judge_all", "label", "load"]

REPLICATED = "replicated"
WITHIN_NOISE = "replicated, within noise"
INCONCLUSIVE = "inconclusive"
NOT_REPLICATED = "not replicated"
NOT_MEASURED = "not measured"
OUT_OF_SCOPE = "out of scope at this scale"
VERDICTS = (REPLICATED, WITHIN_NOISE, INCONCLUSIVE, NOT_REPLICATED, NOT_MEASURED, OUT_OF_SCOPE)
SHARE_REPLICATED, SHARE_INCONCLUSIVE = 0.8, 0.5
"""Shares of seeds that show a declared shape."""
PROPORTIONS = ("accuracy", "accuracy_fresh", "accuracy_padded", "undecided", "equal_decisions")
"""Shares of trials: their intervals are made on the logit scale, since they lie near 0 or 1."""
PLACE = ("perturbation", "experiment", "variant", "engine", "locus", "strength")
PREFERRED_ENGINE = "brian2"
PLACE_COLUMNS = ("experiment", "variant", "engine", "perturbation", "locus", "strength")


class NothingMeasuredError(Exception):
    """The table holds no number for a claim; the message says which is missing."""


def judge(metrics: pd.DataFrame, claim: Claim, scale: str | None = None) -> dict[str, Any]:
    """Compare what was measured with what was published.

    Args:
        metrics: Rows of the metrics table, in any order, of one scale.
        claim: The claim.
        scale: Scale of the run; by default the one in the table.

    Returns:
        One row with the columns of `columns.VERDICTS`.

    Raises:
        UserError: If `where` fits several measurements of one seed.
    """
    scale = _scale(metrics) if scale is None else scale
    row = _blank(claim, scale)
    band = claim.band(scale)
    if band is not None:
        row |= {"band_low": band.low, "band_high": band.high, "why": band.why}
    try:
        sample = _sample(metrics, claim, claim.where)
    except NothingMeasuredError as nothing:
        row["note"] = str(nothing)
        row["verdict"] = NOT_MEASURED if band is not None else OUT_OF_SCOPE
        row["label"] = label(row["verdict"], scale)
        return row
    found = sample.interval()
    row |= {"value": found.mean, "low": found.low, "high": found.high, "seeds": found.seeds}
    row |= _indicators(claim, found, band)
    verdict = OUT_OF_SCOPE
    if band is not None:
        row["p_value"] = sample.p_value(band)
        verdict = _decide(sample, found, band)
        verdict = _check_control(metrics, claim, band, verdict, row)
    row["verdict"] = verdict
    row["label"] = label(verdict, scale)
    return row


def judge_all(
    metrics: pd.DataFrame,
    claims: Sequence[Claim],
    talk: Talk | None = None,
    scale: str | None = None,
    *,
    unavailable: Mapping[tuple[str, str], str] | None = None,
) -> pd.DataFrame:
    """Judge all claims of a talk; secondary ones with Holm's correction.

    A secondary claim whose adjusted p value does not pass says at most "within noise".

    Args:
        metrics: Rows of the metrics table, in any order.
        claims: As `load` returns them.
        talk: The talk; only its data provenance is used, where the claims lack it.
        scale: Scale of the run; by default the one in the table.
        unavailable: (experiment, variant) -> why a network could not be had; it becomes the note of
            claims that were not measured for it.
    """
    rows = [judge(metrics, claim, scale) for claim in claims]
    for row, claim in zip(rows, claims, strict=True):
        place = (claim.where["experiment"], claim.where["variant"])
        if not row["seeds"] and place in (unavailable or {}):
            row["note"] = (unavailable or {})[place]
    if talk is not None:
        for row, claim in zip(rows, claims, strict=True):
            row["data"] = claim.data or talk.experiments[claim.where["experiment"]].provenance
    secondary = [row for row in rows if row["role"] == "secondary"]
    adjusted = statistics.holm([row["p_value"] for row in secondary])
    for row, p in zip(secondary, adjusted, strict=True):
        row["p_holm"] = p
        passes = not np.isfinite(p) or p <= _alpha(row["test"])
        if row["verdict"] == REPLICATED and not passes:
            row["verdict"] = WITHIN_NOISE
            row["note"] = _join(row["note"], "does not pass Holm's correction")
            row["label"] = label(WITHIN_NOISE, row["scale"])
    return COLUMNS.table(rows)


def label(verdict: str, scale: str) -> str:
    """The words of the report: a verdict of a reduced run says so."""
    if scale == "smoke":
        return "plumbing only, no verdict"
    if scale == "default" and verdict in (REPLICATED, WITHIN_NOISE):
        return verdict.replace(REPLICATED, "replicated at reduced scale", 1)
    return verdict


@dataclass(frozen=True)
class _Sample:
    """One number per seed for one claim, on the scale on which it is judged."""

    test: str
    values: np.ndarray
    trials: np.ndarray
    transform: Transform

    def interval(self) -> Interval:
        """Mean over seeds and its interval; several seeds with an infinite one have no interval."""
        if not np.isfinite(self.values).all():
            return Interval(float(np.median(self.values)), np.nan, np.nan, self.values.size)
        level = 0.90 if self.test == "equivalence" else 0.95
        return statistics.interval(self.values, self.transform, self.trials, level)

    def p_value(self, band: Band) -> float:
        """Larger of the one-sided p values against the edges of the band that are not open."""
        if self.test == "every" or not np.isfinite(self.values).all():
            return np.nan

        def to(x: Any) -> Any:
            return np.log(x) if self.transform == "log" else np.asarray(x, float)

        values = to(self.values)
        found = []
        # An edge at or below 0 cannot bind a ratio.
        if np.isfinite(band.low) and not (self.transform == "log" and band.low <= 0):
            found.append(statistics.p_above(values, float(to(band.low))))
        if np.isfinite(band.high):
            found.append(statistics.p_above(-values, -float(to(band.high))))
        return max(found) if found else np.nan


def _decide(sample: _Sample, found: Interval, band: Band) -> str:
    if sample.test == "every":
        share = float(np.mean([band.contains(value) for value in sample.values]))
        if share >= SHARE_REPLICATED:
            return REPLICATED if found.seeds > 1 else WITHIN_NOISE
        return INCONCLUSIVE if share >= SHARE_INCONCLUSIVE else NOT_REPLICATED
    low, high = found.bounds if np.isfinite(found.low) else (-np.inf, np.inf)
    if np.isfinite(found.low) and band.low <= low and high <= band.high:
        return REPLICATED
    if band.contains(found.mean):
        return WITHIN_NOISE
    return INCONCLUSIVE if low <= band.high and high >= band.low else NOT_REPLICATED


def _check_control(
    metrics: pd.DataFrame, claim: Claim, band: Band, verdict: str, row: dict[str, Any]
) -> str:
    """Fill in the negative control; a band that it passes as well proves nothing."""
    if claim.negative_control is None:
        return verdict
    try:
        control = _sample(metrics, claim, _overlay(claim.where, claim.negative_control))
    except NothingMeasuredError as nothing:
        row["note"] = _join(row["note"], f"negative control not measured: {nothing}")
        return verdict
    row["control_value"] = control.interval().mean
    row["control_passes"] = band.contains(row["control_value"])
    if row["control_passes"] and verdict in (REPLICATED, WITHIN_NOISE):
        row["note"] = _join(row["note"], "the negative control passes the same band")
        return INCONCLUSIVE
    return verdict


def _indicators(claim: Claim, found: Interval, band: Band | None) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    low, high = found.bounds
    published = claim.published.value
    if claim.test in ("difference", "ratio"):
        null = 1.0 if claim.test == "ratio" else 0.0
        if claim.better != "both":
            sign = 1 if claim.better == "larger" else -1
            shown["direction_agrees"] = bool(sign * (found.mean - null) > 0)
    if published is None or not np.isfinite(found.low):
        return shown
    shown["published_inside"] = bool(low <= published <= high)
    if band is not None and claim.test in ("value", "difference", "ratio"):
        if claim.better == "larger" and np.isfinite(band.low):
            shown["exceeds"] = bool(low > published + (published - band.low) > published)
        if claim.better == "smaller" and np.isfinite(band.high):
            shown["exceeds"] = bool(high < published - (band.high - published) < published)
    spread, seeds = claim.published.spread, claim.published.seeds
    if spread is not None and seeds is not None and seeds > 1:
        start, stop = statistics.prediction_interval(published, spread, seeds, found.seeds)
        shown |= {"prediction_low": start, "prediction_high": stop}
        shown["inside_prediction"] = bool(start <= found.mean <= stop)
    return shown


def _sample(metrics: pd.DataFrame, claim: Claim, where: Mapping[str, Any]) -> _Sample:
    first, trials = _per_seed(metrics, claim, where)
    transform: Transform = "none"
    if claim.versus is not None:
        second, _ = _per_seed(metrics, claim, _overlay(where, claim.versus))
        left, right = statistics.pair(first, second)
        if left.size == 0:
            raise NothingMeasuredError("no seed has both sides of the comparison")
        if claim.test == "ratio":
            usable = (left > 0) & (right > 0)
            values, transform = left[usable] / right[usable], "log"
        else:
            values = left - right
        counts = np.ones(values.size)
    else:
        seeds = sorted(first)
        values = np.array([first[seed] for seed in seeds])
        counts = np.array([trials[seed] for seed in seeds])
        if claim.test == "ratio":
            usable = values > 0
            values, counts, transform = values[usable], counts[usable], "log"
        elif claim.metric in PROPORTIONS and claim.test in ("value", "range"):
            transform = "logit"
    if values.size == 0:
        raise NothingMeasuredError("no positive value to take the ratio of")
    return _Sample(claim.test, values, counts, transform)


def _per_seed(
    metrics: pd.DataFrame, claim: Claim, where: Mapping[str, Any]
) -> tuple[dict[int, float], dict[int, int]]:
    """Seed -> value and seed -> trials of the rows that `where` names; undefined values dropped."""
    place = {"perturbation": "none", **where}
    chosen = tables.where(metrics, talk=claim.talk, metric=claim.metric, **place)
    if PREFERRED_ENGINE in set(chosen["engine"]):
        chosen = tables.where(chosen, engine=PREFERRED_ENGINE)
    # In the order in which a reader looks for it.
    order = sorted(place.items(), key=lambda item: (*PLACE, item[0]).index(item[0]))
    said = ", ".join(f"{key} {value}" for key, value in order)
    chosen = tables.where(chosen.assign(known=chosen["value"].notna()), known=True)
    if chosen.empty:
        raise NothingMeasuredError(f"no {claim.metric} of {said}")
    if chosen["seed"].duplicated().any():
        differing = [
            f"{column} {sorted(set(chosen[column]))}"
            for column in PLACE_COLUMNS
            if len(set(chosen[column])) > 1
        ]
        raise UserError(
            f"claim '{claim.id}': '{claim.metric}' of {said} fits several measurements of one seed "
            f"({'; '.join(differing) or 'equal rows'}); name one in the claim's places"
        )
    seeds = chosen["seed"].astype(int)
    return (
        dict(zip(seeds, chosen["value"].astype(float), strict=True)),
        dict(zip(seeds, chosen["trials"].astype(int), strict=True)),
    )


def _overlay(where: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """`where` with the entries of `other`; another variant may come from another engine."""
    merged = {**where, **other}
    moved = any(key in other for key in ("variant", "experiment"))
    if moved and "engine" not in other:
        merged.pop("engine", None)
    return merged


def _blank(claim: Claim, scale: str) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(COLUMNS.names, np.nan)
    own = ("talk", "role", "metric", "data", "says", "test", "better")
    row |= {"claim": claim.id, **{name: getattr(claim, name) for name in own}}
    row["published"] = np.nan if claim.published.value is None else claim.published.value
    row["unit"] = "1" if claim.test == "ratio" else GLOSSARY[claim.metric].unit
    return row | {"seeds": 0, "scale": scale, "why": "", "note": ""}


def _scale(metrics: pd.DataFrame) -> str:
    """The one scale of a table; empty where there is none or several."""
    scales = [str(scale) for scale in set(metrics["scale"])]
    return scales[0] if len(scales) == 1 else ""


def _alpha(test: str) -> float:
    return 0.05 if test == "equivalence" else 0.025


def _join(note: str, more: str) -> str:
    return f"{note}; {more}" if note else more
