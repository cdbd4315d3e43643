"""The measures of "why spiking" of every experiment, or the reason why there is none.

Rows of measures.csv: one per measure and place (cost model, perturbation, control), over all
spiking networks of the experiment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from whyspiking.declared.registry import Experiment, Talk
from whyspiking.measures import statistics
from whyspiking.measures.statistics import Interval, Transform
from whyspiking.records import columns, tables
from whyspiking.records.glossary import GLOSSARY
from whyspiking.records.tables import Table
from whyspiking.verdicts.tolerance import in_task_time

LOCI = ("hidden", "input", "weights", "neurons", "")
"""Loci in order of preference: a measure of several counts at the first."""
AT_THIS_SCALE = "not measured at this scale"
NO_BATTERY = "no common battery (talk.yaml)"
NO_CONTROL = "no matched control in this experiment (talk.yaml)"
NO_TIMES = "spikes are neither sent in nor replayed, so their times cannot be perturbed"
NO_ENGINE = "Brian2 is the only engine of this network"
ELSEWHERE = "measured in another experiment of the same talk"
TELLS_NOTHING = (AT_THIS_SCALE, NO_BATTERY, ELSEWHERE)
"""Reasons that are true of an experiment but explain nothing about a talk."""


@dataclass(frozen=True)
class Absent:
    """A measure does not exist here.

    Attributes:
        why: The reason, if no other experiment of the talk has the measure either.
        elsewhere: Whether others may have it; where not, the reason holds in any case.
    """

    why: str
    elsewhere: bool = False


UNDEFINED = Absent("undefined: the clean score is too close to chance")

type Points = list[dict[str, Any]]
type Missing = Callable[[Experiment, Talk, bool], Absent]
"""Why an experiment has no value of a measure; the flag tells that rows without a value exist."""


def measures(metrics: Table, talks: Mapping[str, Talk]) -> pd.DataFrame:
    """T, L, E, R, G, M and Q of every simulated experiment, or why not.

    Returns:
        A table with the columns of `columns.MEASURES`.
    """
    metrics = in_task_time(metrics, talks)
    rows = []
    for talk in talks.values():
        for experiment in (e for e in talk.experiments.values() if e.simulated):
            spiking = [v.name for v in experiment.variants.values() if v.role == "spiking"]
            place = {"talk": talk.name, "experiment": experiment.name}
            own = tables.where(metrics, **place, variant=spiking)
            for name, (metric, points_of, missing) in MEASURES.items():
                shared = {**place, "measure": name, "metric": metric, "perturbation": "none"}
                measured: Table = tables.where(own, metric=metric)
                known = measured[measured["value"].notna()]
                points = [] if known.empty else points_of(known, talk)
                if not points:
                    absent = missing(experiment, talk, not measured.empty)
                    there = tables.where(metrics, talk=talk.name, metric=metric)["value"]
                    why = ELSEWHERE if absent.elsewhere and there.notna().any() else absent.why
                    unit = GLOSSARY[metric].unit
                    points = [{"locus": "", "unit": unit, "seeds": 0, "why": why}]
                rows += [{**shared, "why": "", **point} for point in points]
    return columns.MEASURES.table(rows)


def why_missing(measured: Table, talk: str, measure: str) -> str:
    """Why a talk has no number of a measure, from its experiments; empty if they do not tell.

    Args:
        measured: Rows of measures.csv.
        talk: Name of the talk.
        measure: Name of a measure ("T1"); others have no reasons.
    """
    reasons = dict.fromkeys(tables.where(measured, talk=talk, measure=measure)["why"])
    return "; ".join(why for why in reasons if why and why not in TELLS_NOTHING)


# ---- points: what the rows that have a value say; none makes no point ----------------------------


def _one(known: Table, talk: Talk) -> Points:
    """The measure of every seed at the preferred locus, as one point."""
    locus = min(known["locus"], key=lambda name: LOCI.index(name) if name in LOCI else 9)
    values = _by_seed(known[known["locus"] == locus])
    if not np.isfinite(values).all():
        return [_point(known, _without_interval(np.median(values), values), locus)]
    point = _point(known, statistics.t_interval(values), locus)
    own = talk.experiments[str(known["experiment"].iloc[0])].shared is None
    if point["unit"] == "ms" and (own or known["metric"].iloc[0] != "sigma50"):
        point["in_tau"] = point["value"] / talk.tau_char_ms
    return [point]


def _by_locus(known: Table, talk: Talk, transform: Transform = "none") -> Points:
    """A point for every control, or every place, over seeds."""
    return [
        _point(part, statistics.interval(_by_seed(part), transform), str(locus))
        for locus, part in known.groupby("locus", sort=False)
    ]


def _means(known: Table, talk: Talk) -> Points:
    """The mean over seeds for every perturbation and locus."""
    return [
        {
            **_point(part, _without_interval(part["value"].astype(float).mean(), _seeds(part))),
            "perturbation": perturbation,
            "locus": str(locus),
        }
        for (perturbation, locus), part in known.groupby(["perturbation", "locus"])
    ]


def _geometric_means(known: Table, talk: Talk) -> Points:
    """The geometric mean of ratios over seeds for every cost model and control."""
    positive = known[known["value"] > 0]
    logs = _means(positive.assign(value=np.log(positive["value"].astype(float))), talk)
    return [{**point, "value": float(np.exp(point["value"]))} for point in logs]


def _overall_mean(known: Table, talk: Talk) -> Points:
    """A point: the mean over all networks of the experiment."""
    return [_point(known, _without_interval(known["value"].mean(), _seeds(known)))]


def _point(rows: Table, estimate: Interval, locus: str = "") -> dict[str, Any]:
    limits = {
        "value": estimate.mean,
        "low": estimate.low,
        "high": estimate.high,
        "seeds": estimate.seeds,
    }
    return {**limits, "unit": str(rows["unit"].iloc[0]), "locus": locus}


def _without_interval(value: float, seeds: Sequence[Any]) -> Interval:
    return Interval(float(value), np.nan, np.nan, len(seeds))


def _seeds(rows: Table) -> Sequence[Any]:
    return rows["seed"].unique()


def _by_seed(rows: Table) -> Any:
    return rows.groupby("seed")["value"].mean().to_numpy()


# ---- reasons: why there is no point --------------------------------------------------------------


def _because(reason: str | Callable[[Experiment], str]) -> Missing:
    """A reason, unless rows without a value tell that the clean score is too close to chance."""

    def missing(experiment: Experiment, talk: Talk, undefined: bool) -> Absent:
        if undefined:
            return UNDEFINED
        return Absent(reason if isinstance(reason, str) else reason(experiment), elsewhere=True)

    return missing


def _unless_controlled(reason: str, experiment: Experiment) -> str:
    """The reason, or that the experiment has no control, which explains more."""
    controlled = any(v.role == "control" for v in experiment.variants.values())
    return reason if controlled else NO_CONTROL


def _no_decoder(experiment: Experiment) -> str:
    if experiment.kind == "classification":
        return "spikes are neither sent in nor replayed, or there are too few trials for a decoder"
    return "trials have no class that a decoder could be fitted to"


def _no_reversal(experiment: Experiment) -> str:
    if experiment.kind == "classification":
        return NO_TIMES
    return "what is wanted at every time would have to be turned with the input"


def _no_counterpart(experiment: Experiment) -> str:
    return _unless_controlled("the control has no counterpart of these perturbations", experiment)


def _decisions(experiment: Experiment) -> str:
    if experiment.kind == "continuous":
        return "continuous output: there is no decision"
    if experiment.kind == "labelling":
        return "every step is labelled: see the delay of label changes"
    return "no decision exceeds chance, or no spike is counted"


def _no_energy(experiment: Experiment, talk: Talk, undefined: bool) -> Absent:
    why = "operations of the control were not counted at this scale"
    return Absent(_unless_controlled(why, experiment), elsewhere=True)


def _not_earlier(experiment: Experiment, talk: Talk, undefined: bool) -> Absent:
    if undefined:
        return Absent("undefined: a final score does not exceed chance", elsewhere=True)
    if experiment.kind != "classification":
        return Absent(_decisions(experiment), elsewhere=True)
    late = "the control reads no spikes as they come in, or decides at the end as the network does"
    return Absent(_unless_controlled(late, experiment), elsewhere=True)


def _no_sizes(experiment: Experiment, talk: Talk, undefined: bool) -> Absent:
    if experiment.sizes is None:
        return Absent("trained at one size only (talk.yaml)")
    apart = "the scores of spiking network and control do not overlap within the sizes trained"
    return Absent(apart if undefined else AT_THIS_SCALE)


def _no_alignment(experiment: Experiment, talk: Talk, undefined: bool) -> Absent:
    if any(a.experiment == experiment.name for r in talk.learning for a in r.alignment):
        return Absent(AT_THIS_SCALE)
    return Absent("no rule is compared with a gradient here")


MEASURES: Mapping[str, tuple[str, Callable[[Table, Talk], Points], Missing]] = {
    "T1": ("timing_index", _one, _because(NO_TIMES)),
    "T2": ("timing_information", _one, _because(_no_decoder)),
    "T3": ("sigma50", _one, _because(NO_TIMES)),
    "T4": ("reversal_loss", _one, _because(_no_reversal)),
    "T5": ("shift_loss", _one, _because(NO_TIMES)),
    "L2": ("t95", _one, _because(_decisions)),
    "L3": ("speed_area", _one, _because(_decisions)),
    "L4": ("speed_area_gain", _by_locus, _not_earlier),
    "E1": ("energy_ratio", _geometric_means, _no_energy),
    "s": ("density", _overall_mean, lambda *_: Absent("no synapse carries spikes here")),
    "E2": ("information_per_spike", _one, _because(_decisions)),
    "R1": ("robustness_area", _means, _because(NO_BATTERY)),
    "R3": ("robustness_advantage", _means, _because(_no_counterpart)),
    "G1": ("size_ratio", partial(_by_locus, transform="log"), _no_sizes),
    "M3": ("gradient_cosine_gain", _by_locus, _no_alignment),
    "Q1": ("score_difference", _one, _because(NO_ENGINE)),
}
"""Name of the measure -> its metric, its points, and why there are none."""
