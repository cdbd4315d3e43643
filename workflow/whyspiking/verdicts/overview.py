"""The measures of "why spiking" of every experiment, or the reason why there is none.

Rows of measures.csv: one per measure and place (perturbation, control), over all
spiking networks of the experiment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from whyspiking.verdicts.described import described, in_task_time

LOCI = ("hidden", "input", "weights", "neurons", "")
"""Loci in order of preference: a measure of several counts at the first."""
AT_THIS_SCALE = "not measured at this scale"
NO_BATTERY = "no common battery (talk.yaml)"
NO_TIMES = "spikes are neither sent in nor replayed, so their times cannot be perturbed"
ELSEWHERE = "measured in another experiment of the same talk"
TELLS_NOTHING = (AT_THIS_SCALE, NO_BATTERY, ELSEWHERE)
"""Reasons that are true of an experiment but explain nothing about a talk."""

type Points = list[dict[str, Any]]


def measures(metrics: Table, talks: Mapping[str, Talk]) -> pd.DataFrame:
    """T, L, E, R, G, M and Q of every simulated experiment, or why not.

    Returns:
        A table with the columns of `columns.MEASURES`.
    """
    metrics = in_task_time(described(metrics, talks))
    rows = []
    for talk in talks.values():
        for experiment in (e for e in talk.experiments.values() if e.simulated):
            place = {"talk": talk.name, "experiment": experiment.name}
            own = tables.where(metrics, **place, role="spiking")
            for name, (metric, points_of, reasons) in MEASURES.items():
                shared = {**place, "measure": name, "metric": metric, "perturbation": "none"}
                measured: Table = tables.where(own, metric=metric)
                known = measured[measured["value"].notna()]
                points = [] if known.empty else points_of(known)
                if not points:
                    state = _state(experiment, talk, undefined=not measured.empty)
                    why = next(reason for word, reason in reasons.items() if word in state)
                    there = tables.where(metrics, talk=talk.name, metric=metric)["value"]
                    if there.notna().any() and why != UNDEFINED and name not in IN_ANY_CASE:
                        why = ELSEWHERE
                    unit = GLOSSARY[metric].unit
                    points = [{"locus": "", "unit": unit, "seeds": 0, "why": why}]
                rows += [{**shared, "why": "", **point} for point in points]
    return columns.MEASURES.table(rows)


def _state(experiment: Experiment, talk: Talk, *, undefined: bool) -> set[str]:
    """What an experiment is and lacks, the keys of reasons; undefined: its rows have no values."""
    roles = [variant.role for variant in experiment.variants.values()]
    aligned = [place.experiment for rule in talk.learning for place in rule.alignment]
    lacks = {
        "undefined": undefined,
        "control": "control" not in roles,
        "sizes": experiment.sizes is None,
        "gradient": experiment.name not in aligned,
    }
    return {"", experiment.kind, *(word for word, lacking in lacks.items() if lacking)}


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


def _one(known: Table) -> Points:
    """The measure of every seed at the preferred locus, as one point."""
    locus = min(known["locus"], key=lambda name: LOCI.index(name) if name in LOCI else 9)
    values = _by_seed(known[known["locus"] == locus])
    if not np.isfinite(values).all():
        return [_point(known, _without_interval(np.median(values), values), locus)]
    point, first = _point(known, statistics.t_interval(values), locus), known.iloc[0]
    if point["unit"] == "ms" and (first["metric"] != "sigma50" or not first["task"]):
        point["in_tau"] = point["value"] / first["tau_ms"]
    return [point]


def _by_locus(known: Table, transform: Transform = "none") -> Points:
    """A point for every control, or every place, over seeds."""
    return [
        _point(part, statistics.interval(_by_seed(part), transform), str(locus))
        for locus, part in known.groupby("locus", sort=False)
    ]


def _means(known: Table) -> Points:
    """The mean over seeds for every perturbation and locus."""
    return [
        {**_overall_mean(part)[0], "perturbation": perturbation, "locus": str(locus)}
        for (perturbation, locus), part in known.groupby(["perturbation", "locus"])
    ]


def _overall_mean(known: Table) -> Points:
    """A point: the mean over all networks of the experiment."""
    mean = known["value"].astype(float).mean()
    return [_point(known, _without_interval(mean, known["seed"].unique()))]


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


def _by_seed(rows: Table) -> Any:
    return rows.groupby("seed")["value"].mean().to_numpy()


# ---- reasons: why there is no point --------------------------------------------------------------

UNDEFINED = "undefined: the clean score is too close to chance"
NO_CONTROL = "no matched control in this experiment (talk.yaml)"
NO_DECISIONS = {
    "continuous": "continuous output: there is no decision",
    "labelling": "every step is labelled: see the delay of label changes",
}
TIMES = {"undefined": UNDEFINED, "": NO_TIMES}
DECISIONS = {
    "undefined": UNDEFINED,
    **NO_DECISIONS,
    "": "no decision exceeds chance, or no spike is counted",
}
REVERSAL = {
    "undefined": UNDEFINED,
    "classification": NO_TIMES,
    "": "what is wanted at every time would have to be turned with the input",
}
DECODER = {
    "undefined": UNDEFINED,
    "classification": "spikes are neither sent in nor replayed, or there are too few trials for a "
    "decoder",
    "": "trials have no class that a decoder could be fitted to",
}
EARLIER = {
    "undefined": "undefined: a final score does not exceed chance",
    **NO_DECISIONS,
    "control": NO_CONTROL,
    "": "the control reads no spikes as they come in, or decides at the end as the network does",
}
COUNTERPART = {
    "undefined": UNDEFINED,
    "control": NO_CONTROL,
    "": "the control has no counterpart of these perturbations",
}
SIZES = {
    "sizes": "trained at one size only (talk.yaml)",
    "undefined": "the scores of spiking network and control do not overlap within the sizes "
    "trained",
    "": AT_THIS_SCALE,
}
ALIGNMENT = {"gradient": "no rule is compared with a gradient here", "": AT_THIS_SCALE}
ENGINE = {"undefined": UNDEFINED, "": "Brian2 is the only engine of this network"}
BATTERY = {"undefined": UNDEFINED, "": NO_BATTERY}

MEASURES: Mapping[str, tuple[str, Callable[[Table], Points], Mapping[str, str]]] = {
    "T1": ("timing_index", _one, TIMES),
    "T2": ("timing_information", _one, DECODER),
    "T3": ("sigma50", _one, TIMES),
    "T4": ("reversal_loss", _one, REVERSAL),
    "T5": ("shift_loss", _one, TIMES),
    "L2": ("t95", _one, DECISIONS),
    "L3": ("speed_area", _one, DECISIONS),
    "L4": ("speed_area_gain", _by_locus, EARLIER),
    "s": ("density", _overall_mean, {"": "no synapse carries spikes here"}),
    "E2": ("information_per_spike", _one, DECISIONS),
    "R1": ("robustness_area", _means, BATTERY),
    "R3": ("robustness_advantage", _means, COUNTERPART),
    "G1": ("size_ratio", partial(_by_locus, transform="log"), SIZES),
    "M3": ("gradient_cosine_gain", _by_locus, ALIGNMENT),
    "Q1": ("score_difference", _one, ENGINE),
}
"""Name of the measure -> its metric, its points, and why there are none: the first word of `_state`
that is true of the experiment."""
IN_ANY_CASE = ("s", "G1", "M3")
"""Measures whose reasons hold even where another experiment of the talk has a number."""
