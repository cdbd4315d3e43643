"""The measures of "why spiking" of every experiment, or the reason why there is none.

Rows of measures.csv: one per measure and place (cost model, perturbation, control), over all
spiking networks of the experiment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from whyspiking.declared.registry import Experiment, Talk
from whyspiking.measures import statistics
from whyspiking.measures.statistics import Interval, Transform
from whyspiking.records import columns, tables
from whyspiking.records.tables import GLOSSARY, Table

LOCI = ("hidden", "input", "weights", "neurons", "")
"""Where a measure exists for several loci, the first of these counts."""
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

type Points = list[dict[str, Any]] | Absent


def measures(metrics: Table, talks: Mapping[str, Talk]) -> pd.DataFrame:
    """T, L, E, R, G, M and Q of every simulated experiment, or why not.

    Returns:
        A table with the columns of `columns.MEASURES`.
    """
    rows = []
    for talk in talks.values():
        for experiment in (e for e in talk.experiments.values() if e.simulated):
            spiking = [v.name for v in experiment.variants.values() if v.role == "spiking"]
            place = {"talk": talk.name, "experiment": experiment.name}
            own = tables.where(metrics, **place, variant=spiking)
            for name, (metric, find) in MEASURES.items():
                shared = {**place, "measure": name, "metric": metric, "perturbation": "none"}
                found = find(tables.where(own, metric=metric), experiment, talk)
                if isinstance(found, Absent):
                    there = tables.where(metrics, talk=talk.name, metric=metric)["value"]
                    why = ELSEWHERE if found.elsewhere and there.notna().any() else found.why
                    unit = GLOSSARY[metric].unit
                    found = [{"locus": "", "unit": unit, "seeds": 0, "why": why}]
                rows += [{**shared, "why": "", **point} for point in found]
    return columns.MEASURES.table(rows)


def why_missing(found: Table, talk: str, measure: str) -> str:
    """Why a talk has no number of a measure, from its experiments; empty if they do not tell.

    Args:
        found: Rows of measures.csv.
        talk: Name of the talk.
        measure: Name of a measure ("T1"); others have no reasons.
    """
    own: Table = tables.where(found, talk=talk, measure=measure)
    told = dict.fromkeys(own["why"])
    return "; ".join(why for why in told if why and why not in TELLS_NOTHING)


def _found(
    points: Callable[[Table, Talk], list[dict[str, Any]]],
    missing: str | Callable[[Experiment], str],
) -> Callable[..., Points]:
    """A measure whose points are made of the rows that have a value."""

    def find(rows: Table, experiment: Experiment, talk: Talk) -> Points:
        known = rows[rows["value"].notna()]
        if not known.empty:
            return points(known, talk)
        why = missing if isinstance(missing, str) else missing(experiment)
        return Absent(why, elsewhere=True) if rows.empty else UNDEFINED

    return find


def _one(known: Table, talk: Talk) -> list[dict[str, Any]]:
    """One number per seed, at the preferred locus."""
    locus = min(known["locus"], key=lambda name: LOCI.index(name) if name in LOCI else 9)
    values = _by_seed(known[known["locus"] == locus])
    if not np.isfinite(values).all():
        return [_point(known, _without_interval(np.median(values), values), locus)]
    point = _point(known, statistics.t_interval(values), locus)
    if point["unit"] == "ms":
        point["in_tau"] = point["value"] / talk.tau_char_ms
    return [point]


def _by_locus(
    transform: Transform, missing: Callable[[Talk, Experiment, bool], Absent]
) -> Callable[..., Points]:
    """A measure with one number per seed against every control, or at every place."""

    def find(rows: Table, experiment: Experiment, talk: Talk) -> Points:
        known = rows[rows["value"].notna()]
        if known.empty:
            return missing(talk, experiment, not rows.empty)
        return [
            _point(part, statistics.interval(_by_seed(part), transform), str(locus))
            for locus, part in known.groupby("locus", sort=False)
        ]

    return find


def _means(rows: Table, talk: Talk | None = None, *, ratios: bool = False) -> list[dict[str, Any]]:
    """One point per perturbation and locus: plain mean, or geometric mean of ratios."""
    found = []
    for (perturbation, locus), part in rows.groupby(["perturbation", "locus"]):
        values = part["value"].astype(float)
        mean = np.exp(np.log(values).mean()) if ratios else values.mean()
        point = _point(part, _without_interval(mean, part["seed"].unique()), str(locus))
        found.append({**point, "perturbation": perturbation})
    return found


def _energy(rows: Table, experiment: Experiment, talk: Talk) -> Points:
    rows = rows[rows["value"] > 0]
    if rows.empty:
        why = "operations of the control were not counted at this scale"
        return Absent(why if _has_control(experiment) else NO_CONTROL, elsewhere=True)
    return _means(rows, ratios=True)


def _density(rows: Table, experiment: Experiment, talk: Talk) -> Points:
    rows = rows[rows["value"].notna()]
    if rows.empty:
        return Absent("no synapse carries spikes here")
    return [_point(rows, _without_interval(rows["value"].mean(), rows["seed"].unique()))]


def _break_even(rows: Table, experiment: Experiment, talk: Talk) -> Points:
    """The least and the largest over cost models, controls and seeds."""
    rows = rows[rows["value"].notna()]
    if rows.empty:
        return Absent("no control")
    ends = (rows.nsmallest(1, "value"), rows.nlargest(1, "value"))
    return [point for end in ends for point in _means(end)]


def _point(rows: Table, found: Interval, locus: str = "") -> dict[str, Any]:
    limits = {"value": found.mean, "low": found.low, "high": found.high, "seeds": found.seeds}
    return {**limits, "unit": str(rows["unit"].iloc[0]), "locus": locus}


def _without_interval(value: float, seeds: Sequence[Any]) -> Interval:
    return Interval(float(value), np.nan, np.nan, len(seeds))


def _by_seed(rows: Table) -> Any:
    return rows.groupby("seed")["value"].mean().to_numpy()


def _has_control(experiment: Experiment) -> bool:
    return any(v.role == "control" for v in experiment.variants.values())


def _no_decoder(experiment: Experiment) -> str:
    if experiment.kind == "classification":
        return "spikes are neither sent in nor replayed, or there are too few trials for a decoder"
    return "trials have no class that a decoder could be fitted to"


def _no_reversal(experiment: Experiment) -> str:
    if experiment.kind == "classification":
        return NO_TIMES
    return "what is wanted at every time would have to be turned with the input"


def _no_counterpart(experiment: Experiment) -> str:
    none = "the control has no counterpart of these perturbations"
    return none if _has_control(experiment) else NO_CONTROL


def _decisions(experiment: Experiment) -> str:
    if experiment.kind == "continuous":
        return "continuous output: there is no decision"
    if experiment.kind == "labelling":
        return "every step is labelled: see the delay of label changes"
    return "no decision exceeds chance, or no spike is counted"


def _not_earlier(talk: Talk, experiment: Experiment, undefined: bool) -> Absent:
    if undefined:
        return Absent("undefined: a final score does not exceed chance", elsewhere=True)
    if experiment.kind != "classification":
        return Absent(_decisions(experiment), elsewhere=True)
    late = "the control reads no spikes as they come in, or decides at the end as the network does"
    return Absent(late if _has_control(experiment) else NO_CONTROL, elsewhere=True)


def _no_sizes(talk: Talk, experiment: Experiment, undefined: bool) -> Absent:
    if experiment.sizes is None:
        return Absent("trained at one size only (talk.yaml)")
    apart = "the scores of spiking network and control do not overlap within the sizes trained"
    return Absent(apart if undefined else AT_THIS_SCALE)


def _no_alignment(talk: Talk, experiment: Experiment, undefined: bool) -> Absent:
    if any(a.experiment == experiment.name for r in talk.learning for a in r.alignment):
        return Absent(AT_THIS_SCALE)
    return Absent("no rule is compared with a gradient here")


MEASURES: Mapping[str, tuple[str, Callable[..., Points]]] = {
    "T1": ("timing_index", _found(_one, NO_TIMES)),
    "T2": ("timing_information", _found(_one, _no_decoder)),
    "T3": ("sigma50", _found(_one, NO_TIMES)),
    "T4": ("reversal_loss", _found(_one, _no_reversal)),
    "T5": ("shift_loss", _found(_one, NO_TIMES)),
    "L2": ("t95", _found(_one, _decisions)),
    "L3": ("speed_area", _found(_one, _decisions)),
    "L4": ("speed_area_gain", _by_locus("none", _not_earlier)),
    "E1": ("energy_ratio", _energy),
    "s": ("density", _density),
    "s*": ("density_break_even", _break_even),
    "E2": ("information_per_spike", _found(_one, _decisions)),
    "R1": ("robustness_area", _found(_means, NO_BATTERY)),
    "R3": ("robustness_advantage", _found(_means, _no_counterpart)),
    "G1": ("size_ratio", _by_locus("log", _no_sizes)),
    "M3": ("gradient_cosine_gain", _by_locus("none", _no_alignment)),
    "Q1": ("score_difference", _found(_one, NO_ENGINE)),
}
"""Name of the measure -> its metric, and how its points are found among the rows of the metric."""
