"""The registry of published claims and the rule that judges them.

A claim is a measurement and an acceptance band fixed before the run. `judge` is pure: a table and
a claim in, one row of the verdict table out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whyspiking.declared.bands import Band
from whyspiking.declared.claim_parts import Source
from whyspiking.declared.claims_file import Claim, load
from whyspiking.errors import UserError
from whyspiking.measures import statistics
from whyspiking.measures.statistics import Interval, Transform
from whyspiking.records import tables, verdict_columns
from whyspiking.records.glossary import GLOSSARY
from whyspiking.records.verdict_columns import VERDICTS as COLUMNS
from whyspiking.verdicts import requirements, rule, shared_trials
from whyspiking.verdicts.rule import NOT_JUDGED, NOT_MEASURED
from whyspiking.verdicts.sample import NO_VARIANCE, Sample

if TYPE_CHECKING:
    from whyspiking.declared.registry import Talk

__all__ = ["Band", "Claim", "judge", "judge_all", "load"]

KNOWN_BEFORE = Path(__file__).with_name("known_before.csv")
"""Table of the results that were known before a criterion was written; kept by hand."""
PROPORTIONS = ("accuracy", "accuracy_fresh", "accuracy_padded", "undecided", "equal_decisions")
"""Shares of trials: their intervals are made on the logit scale, since they lie near 0 or 1."""
PUBLISHED_ERROR = " and published networks"
"""Ends the type of an interval that includes the standard error of the published mean."""
PLACE = ("perturbation", "experiment", "variant", "engine", "location", "strength")
PLACE_COLUMNS = ("experiment", "variant", "engine", "perturbation", "location", "strength")


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
    if scale is None:
        scales = metrics["scale"].unique()
        scale = str(scales[0]) if len(scales) == 1 else ""
    row = _blank(claim, scale)
    band, judged_at = claim.band(scale), claim.judged_at(scale)
    if band is not None:
        row |= {
            "criterion_low": band.low,
            "criterion_high": band.high,
            "criterion_reason": band.why,
        }
    try:
        sample = _sample(metrics, claim, claim.rows)
    except NothingMeasuredError as nothing:
        planned = claim.planned_networks
        row["comment"] = f"0 of {planned} planned networks" if planned else str(nothing)
        row["verdict"] = NOT_MEASURED if band is not None else NOT_JUDGED
        return _set_verdict(row, row["verdict"], claim, judged_at)
    networks_only = sample
    if claim.published_error:
        sample = with_published_error(sample, claim.source)
    estimate = sample.interval(claim.test_type)
    row |= {
        "value": estimate.mean,
        "ci_low": estimate.low,
        "ci_high": estimate.high,
        "n_seeds": estimate.seeds,
    }
    row["interval_type"] = networks_only.over(claim.test_type, estimate)
    if claim.published_error:
        row["interval_type"] += PUBLISHED_ERROR
    row |= _indicators(claim, estimate, band)
    if band is None:
        return _set_verdict(row, NOT_JUDGED, claim, judged_at)
    counted = (
        sample.values == 1 if claim.test_type == "share" else map(band.contains, sample.values)
    )
    row["n_passing"] = sum(counted)
    criterion = rule.Criterion(claim.test_type, band, claim.null)
    row["p_value"] = sample.p_value(criterion, estimate)
    if claim.claim_role == "key":
        row["reproducibility"] = sample.returns(criterion)
    verdict = rule.decide(criterion, sample.values, estimate)
    failed_conditions = rule.list_failed_conditions(criterion, sample.values, estimate)
    if is_incomplete := (estimate.seeds < (claim.planned_networks or 0)):
        failed_conditions.append(rule.PLAN)
    row["failed_conditions"] = ", ".join(failed_conditions)
    row |= _judge_alternatives(metrics, claim, criterion, verdict)
    verdict = _check_control(metrics, claim, band, verdict, row)
    return _set_verdict(row, rule.INCONCLUSIVE if is_incomplete else verdict, claim, judged_at)


def judge_all(
    metrics: pd.DataFrame,
    claims: Sequence[Claim],
    talk: Talk | None = None,
    scale: str | None = None,
    *,
    unavailable: Mapping[tuple[str, str], str] | None = None,
) -> pd.DataFrame:
    """Judge all claims of a talk; secondary ones with Holm's correction.

    A secondary claim whose adjusted p value does not pass says at most "unconfirmed". Claims that
    others require count there with their verdict before this correction.

    Args:
        metrics: Rows of the metrics table, in any order.
        claims: As `load` returns them.
        talk: The talk; only its data provenance is used, where the claims lack it.
        scale: Scale of the run; by default the one in the table.
        unavailable: (experiment, variant) -> why a network could not be had; it becomes the note of
            claims that were not measured for it.
    """
    rows = [judge(metrics, claim, scale) for claim in claims]
    known = tables.read(KNOWN_BEFORE, verdict_columns.KNOWN_BEFORE).set_index("claim")
    for row, claim in zip(rows, claims, strict=True):
        experiment, variant = claim.rows["experiment"], claim.rows["variant"]
        row["known_before"] = known["known_before"].get(claim.id, np.nan)
        row["known_result"] = known["known_result"].get(claim.id, "")
        if not row["n_seeds"]:
            row["comment"] = (unavailable or {}).get((experiment, variant), row["comment"])
        if talk is not None:
            row["data_source"] = claim.data or talk.experiments[experiment].provenance
        judged = row["verdict"] not in (NOT_MEASURED, NOT_JUDGED)
        number = claim.source.value is not None and claim.origin in rule.REPLICABLE
        if judged and number and row["data_source"] in rule.SURROGATE_DATA:
            # A result on surrogate data does not test a number that was published for other data.
            said = {"verdict": NOT_JUDGED, "qualification": rule.ON_SURROGATE_DATA}
            row |= {**said, "p_value": np.nan, "failed_conditions": ""}
    by_id = {claim.id: row for row, claim in zip(rows, claims, strict=True)}
    for row, claim in zip(rows, claims, strict=True):
        required = [by_id[name] for name in claim.requires]
        if (less := requirements.weaken(row, required)) != row["verdict"]:
            _set_verdict(row, less, claim)
    # What others claimed, what we add and what is checked are families of their own.
    for origins in (rule.REPLICABLE, ("ours",), ("check",)):
        of_role = [(r, c) for r, c in zip(rows, claims, strict=True) if c.claim_role == "secondary"]
        _correct([(r, c) for r, c in of_role if c.origin in origins])
    return COLUMNS.table(rows)


def _correct(family: Sequence[tuple[dict[str, Any], Claim]]) -> None:
    """Holm's correction over the claims of a family; one that fails it says less."""
    adjusted = statistics.holm([row["p_value"] for row, _ in family])
    for (row, claim), p in zip(family, adjusted, strict=True):
        row["p_holm"] = p
        said = rule.REPLICATED if row["verdict"] == rule.PASSES else row["verdict"]
        if (less := rule.corrected(said, p)) != said:
            row["comment"] = _join(row["comment"], "does not pass Holm's correction")
            row["failed_conditions"] = _join(row["failed_conditions"], rule.HOLM, ", ")
            _set_verdict(row, less, claim)


def _set_verdict(
    row: dict[str, Any], verdict: str, claim: Claim, judged_at: str | None = None
) -> dict[str, Any]:
    """Write a verdict and its qualification into its row."""
    if row["scale"] == "smoke":
        return row | {"verdict": NOT_JUDGED, "qualification": rule.SMOKE_RUN}
    row["verdict"] = rule.name_by_origin(verdict, row["origin"])
    is_judged, n_seeds = verdict not in rule.UNJUDGED, row["n_seeds"]
    networks = "one network" if is_judged and n_seeds == 1 and claim.test_type != "exact" else ""
    if is_judged and n_seeds > 1 and claim.test_type in (*rule.OF_EVERY, "share"):
        networks = f"{row['n_passing']} of {n_seeds} networks"
    if is_judged and n_seeds < (claim.planned_networks or 0):
        networks = f"{n_seeds} of {claim.planned_networks} planned networks"
    row["qualification"] = rule.describe_qualification(
        row["verdict"],
        networks=networks,
        reduction=claim.describe_reduction(row["scale"]),
        data_source=row["data_source"],
        from_memory=row["quoted_from_memory"],
        judged_at=judged_at,
    )
    return row


def _judge_alternatives(
    metrics: pd.DataFrame, claim: Claim, criterion: rule.Criterion, verdict: str
) -> dict[str, str]:
    """Judge a claim by every other way in which its quantity was measured.

    The negative control is not applied again.

    Returns:
        `also_measured`: value, interval and verdict of each; `changes_with`: those of another
        verdict.
    """
    measured, changes = [], []
    for alternative in claim.also_measured:
        if alternative.not_judged:
            continue
        changed = claim.measured_as(alternative)
        try:
            sample = _sample(metrics, changed, changed.rows)
        except NothingMeasuredError:
            continue
        if alternative.published_error:
            sample = with_published_error(sample, claim.source)
        estimate = sample.interval(claim.test_type)
        found = rule.decide(criterion, sample.values, estimate)
        unit = GLOSSARY[changed.metric].unit
        value, *ends = (
            f"{100 * x:.2f}" if unit == "fraction" else f"{x:.4g}"
            for x in (estimate.mean, estimate.low, estimate.high)
        )
        unit = {"fraction": " %", "1": ""}.get(unit, f" {unit}")
        written = f"{alternative.description}: {value}{unit} [{', '.join(ends)}], {found}"
        measured.append(written)
        if found != verdict:
            changes.append(written)
    return {"also_measured": "; ".join(measured), "verdict_changes_with": "; ".join(changes)}


def with_published_error(sample: Sample, source: Source) -> Sample:
    """Add the squared standard error of the published mean to the variance of ours."""
    spread, seeds = source.standard_deviation or 0.0, source.n_seeds or 1
    return replace(
        sample,
        extra_variance=sample.extra_variance + spread**2 / seeds,
        extra_degrees=min(sample.extra_degrees, seeds - 1.0),
    )


def _check_control(
    metrics: pd.DataFrame, claim: Claim, band: Band, verdict: str, row: dict[str, Any]
) -> str:
    """Fill in the negative control; a band that it passes as well proves nothing."""
    if claim.negative_control is None:
        return verdict
    try:
        control = _sample(metrics, claim, _overlay(claim.rows, claim.negative_control))
        reached = control.interval(claim.test_type).mean
    except NothingMeasuredError as nothing:
        row["comment"] = _join(row["comment"], f"negative control not measured: {nothing}")
        return verdict
    row |= {"control_value": reached, "control_meets_criterion": band.contains(reached)}
    if row["control_meets_criterion"]:
        row["failed_conditions"] = _join(row["failed_conditions"], rule.CONTROL, ", ")
    if row["control_meets_criterion"] and verdict in (rule.REPLICATED, rule.UNCONFIRMED):
        row["comment"] = _join(row["comment"], "the negative control passes the same band")
        return rule.INCONCLUSIVE
    return verdict


def _indicators(claim: Claim, estimate: Interval, band: Band | None) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    low, high = estimate.bounds
    published = claim.source.value
    if published is None or not np.isfinite(estimate.low):
        return shown
    if band is not None and claim.test_type in ("value", "difference", "ratio"):
        if claim.better_direction == "larger" and np.isfinite(band.low):
            shown["above_criterion"] = bool(low > published + (published - band.low) > published)
        if claim.better_direction == "smaller" and np.isfinite(band.high):
            shown["above_criterion"] = bool(high < published - (band.high - published) < published)
    spread, seeds = claim.source.standard_deviation, claim.source.n_seeds
    if spread is not None and seeds is not None and seeds > 1:
        start, stop = statistics.prediction_interval(published, spread, seeds, estimate.seeds)
        shown |= {"prediction_low": start, "prediction_high": stop}
        shown["in_prediction_interval"] = bool(start <= estimate.mean <= stop)
    return shown


def list_values(metrics: pd.DataFrame, claim: Claim) -> NDArray[np.float64]:
    """The value of every network that a claim is judged by, (network,); empty if none is there.

    Args:
        metrics: Rows of the metrics table.
        claim: The claim.
    """
    try:
        return _sample(metrics, claim, claim.rows).values
    except NothingMeasuredError:
        return np.empty(0)


def _sample(metrics: pd.DataFrame, claim: Claim, where: Mapping[str, Any]) -> Sample:
    own, ratio = _per_seed(metrics, claim, where), claim.test_type == "ratio"
    if claim.compared_with is not None:
        other = _overlay(where, claim.compared_with)
        second = _per_seed(metrics, claim, other)["value"].rename("other")
        own = own.join(second, how="inner")
        if own.empty:
            raise NothingMeasuredError("no seed has both sides of the comparison")
        extra = _parts_variance(metrics, claim, own.index.to_list(), where, other)
        if ratio:
            own = own[own["other"] > 0]
    else:
        extra = _trials_variance(metrics, claim, where, own)
    if ratio:
        own = own[own["value"] > 0]
    values, counts = own["value"].to_numpy(), own["n_trials"].to_numpy() * claim.scored_per_trial
    if claim.compared_with is not None:
        values = values / own["other"].to_numpy() if ratio else values - own["other"].to_numpy()
        counts = np.ones(values.size)
    if values.size == 0:
        raise NothingMeasuredError("no positive value to take the ratio of")
    transform: Transform = "log" if ratio else "logit" if _is_share(claim) else "none"
    return Sample(values, counts, transform, *(extra or NO_VARIANCE))


def _is_share(claim: Claim) -> bool:
    return claim.metric in PROPORTIONS and claim.test_type in ("value", "range")


def _trials_variance(
    metrics: pd.DataFrame, claim: Claim, where: Mapping[str, Any], own: pd.DataFrame
) -> tuple[float, float] | None:
    """Variance that the choice of test trials adds where networks are held against a number."""
    # Of one network the test trials are all that there is an interval over.
    if claim.same_trials and len(own) > 1:
        return None
    extra = _parts_variance(metrics, claim, own.index.to_list(), where)
    if extra is None and _is_share(claim):
        return statistics.binomial_variance(own["value"], own["n_trials"]), np.inf
    return extra


def _parts_variance(
    metrics: pd.DataFrame, claim: Claim, seeds: Sequence[int], *places: Mapping[str, Any]
) -> tuple[float, float] | None:
    """Variance that the choice of test trials adds to that of the mean over seeds.

    Args:
        metrics: Rows of the metrics table.
        claim: The claim.
        seeds: Seeds that are compared.
        places: One place, or two whose difference is judged.

    Returns:
        Variance and degrees of freedom; None where the parts of the test set are not known, or
        the claim is about something else.
    """
    if claim.test_type == "ratio" or any(p.get("perturbation", "none") != "none" for p in places):
        return None
    kept = "experiment", "variant", "engine"
    named = [{"talk": claim.talk, **{k: p[k] for k in kept if k in p}} for p in places]
    return shared_trials.variance(metrics, claim.metric, seeds, *named)


def _per_seed(metrics: pd.DataFrame, claim: Claim, where: Mapping[str, Any]) -> pd.DataFrame:
    """Value and trials by seed of the rows that `where` names; undefined values dropped."""
    place = {"perturbation": "none", **where}
    chosen = tables.where(metrics, talk=claim.talk, metric=claim.metric, **place)
    chosen = shared_trials.preferred(chosen).dropna(subset=["value"])
    # In the order in which a reader looks for it.
    order = sorted(place.items(), key=lambda item: (*PLACE, item[0]).index(item[0]))
    said = ", ".join(f"{key} {value}" for key, value in order)
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
    kinds = {"seed": int, "value": float, "n_trials": int}
    return chosen.astype(kinds).set_index("seed")[["value", "n_trials"]].sort_index()


def _overlay(where: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """`where` with the entries of `other`; another variant may come from another engine."""
    merged = {**where, **other}
    moved = any(key in other for key in ("variant", "experiment"))
    if moved and "engine" not in other:
        merged.pop("engine", None)
    return merged


def _blank(claim: Claim, scale: str) -> dict[str, Any]:
    clean = claim.rows.get("perturbation", "none") == "none"
    recalled = "statement" if claim.source.value is None else "number"
    return {
        **dict.fromkeys(COLUMNS.names, np.nan),
        "talk": claim.talk,
        "claim_role": claim.claim_role,
        "origin": claim.origin,
        "metric": claim.metric,
        "data_source": claim.data,
        "statement": claim.statement,
        "test_type": claim.test_type,
        "better_direction": claim.better_direction,
        "earlier_evaluations": claim.history,
        **{name: claim.rows.get(name, "") for name in ("experiment", "variant", "engine")},
        "condition": "" if clean else _told(claim.rows, PLACE_COLUMNS[3:]),
        "compared_with": _told(_overlay(claim.rows, claim.compared_with), PLACE_COLUMNS)
        if claim.compared_with
        else "",
        "claim": claim.id,
        "published_value": np.nan if claim.source.value is None else claim.source.value,
        "quoted_from_memory": recalled if claim.source.quoted_from_memory else "",
        "evidence": claim.source.evidence,
        "was_key_until": claim.was_key_until or "",
        "unit": "1" if claim.test_type == "ratio" else GLOSSARY[claim.metric].unit,
        "n_earlier_evaluations": len(claim.looks),
        "n_seeds": 0,
        "scale": scale,
        **dict.fromkeys(
            (
                "criterion_reason",
                "comment",
                "interval_type",
                "failed_conditions",
                "also_measured",
                "verdict_changes_with",
                "known_result",
            ),
            "",
        ),
    }


def _told(place: Mapping[str, Any], columns: Sequence[str]) -> str:
    """Some columns of a place with their values, in the order in which a reader looks for it."""
    return " ".join(f"{column}={place[column]}" for column in columns if column in place)


def _join(note: str, more: str, by: str = "; ") -> str:
    return f"{note}{by}{more}" if note else more
