"""The table of "why spiking" measures: the same columns for every experiment of every talk.

A cell without a number gives its reason as a letter, explained below the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape

import numpy as np

from whyspiking import markup
from whyspiking.markup import Cell
from whyspiking.registry import Experiment, Talk
from whyspiking.statistics import log_interval, t_interval
from whyspiking.tables import Table

LOCI = ("hidden", "input", "weights", "neurons", "")
"""Where a measure exists for several loci, the first of these is shown."""


TELLS_NOTHING = ("not measured at this scale", "no common battery (talk.yaml)")
"""Reasons that are true of an experiment but explain nothing about a talk."""


class NothingToShowError(Exception):
    """A measure does not exist here; the message says why.

    Args:
        why: The reason, if no other experiment of the talk has the measure either.
        metric: The metric that was looked for; empty where the reason holds in any case.
    """

    def __init__(self, why: str, metric: str = "") -> None:
        super().__init__(why)
        self.metric = metric


def measures_table(metrics: Table, talks: Mapping[str, Talk]) -> str:
    """T, L, E, R and Q of every experiment, or the reason why not.

    Args:
        metrics: Rows of the metrics table, all talks.
        talks: The talks, by name.
    """
    reasons: dict[str, str] = {}
    rows = []
    for talk in talks.values():
        for experiment in talk.experiments.values():
            if not experiment.simulated:
                continue
            own = metrics[
                (metrics["talk"] == talk.name) & (metrics["experiment"] == experiment.name)
            ]
            spiking = [v.name for v in experiment.variants.values() if v.role == "spiking"]
            own = own[own["variant"].isin(spiking)]
            cells = [Cell(f"{escape(talk.name)}<small>{escape(experiment.name)}</small>")]
            for _, _, measure in COLUMNS:
                try:
                    cells.append(Cell(measure(own, experiment, talk), None, "number"))
                except NothingToShowError as why:
                    told = _reason(why, metrics, talk)
                    letter = reasons.setdefault(told, chr(ord("a") + len(reasons)))
                    cells.append(
                        Cell(f'<span class="soft">n/a<sup>{letter}</sup></span>', "", "number")
                    )
            rows.append(cells)
    heads = ["Experiment", *[head for head, _, _ in COLUMNS]]
    shown = markup.table(
        heads,
        rows,
        name="measures",
        caption="Means over seeds with 95 % t intervals; ranges where there are several levels.",
        numbers=heads[1:],
    )
    keys = "".join(f"<dt>{escape(head)}</dt><dd>{escape(says)}</dd>" for head, says, _ in COLUMNS)
    notes = "".join(f"<dt>{letter}</dt><dd>{escape(why)}</dd>" for why, letter in reasons.items())
    return f'{shown}<dl class="facts">{keys}{notes}</dl>'


def _reason(why: NothingToShowError, metrics: Table, talk: Talk) -> str:
    """Why a cell is empty: measured elsewhere, or what the measure itself says."""
    if why.metric:
        there = metrics[(metrics["talk"] == talk.name) & (metrics["metric"] == why.metric)]
        if there["value"].notna().any():
            return "measured in another experiment of the same talk"
    return str(why)


def why_missing(metrics: Table, talk: Talk, measure: str) -> str:
    """Why a talk has no number of a measure, from its experiments; empty if they do not tell.

    Args:
        metrics: Rows of the metrics table, all talks.
        talk: The talk.
        measure: Heading of a column ("T1"); others have no reasons.
    """
    cells = [cell for head, _, cell in COLUMNS if head == measure]
    reasons: dict[str, None] = {}
    for cell in cells:
        for experiment in talk.experiments.values():
            if not experiment.simulated:
                continue
            own = metrics[
                (metrics["talk"] == talk.name) & (metrics["experiment"] == experiment.name)
            ]
            try:
                cell(own, experiment, talk)
            except NothingToShowError as why:
                if str(why) not in TELLS_NOTHING:
                    reasons.setdefault(str(why))
    return "; ".join(reasons)


def _one(metric: str, missing: Callable[[Experiment], str]) -> Callable[..., str]:
    """A measure with one number per seed, at its preferred locus."""

    def cell(own: Table, experiment: Experiment, talk: Talk) -> str:
        rows = own[(own["metric"] == metric) & own["value"].notna()]
        if rows.empty:
            if own["metric"].eq(metric).any():
                raise NothingToShowError(UNDEFINED)
            raise NothingToShowError(missing(experiment), metric)
        locus = min(rows["locus"], key=lambda name: LOCI.index(name) if name in LOCI else 9)
        rows = rows[rows["locus"] == locus]
        values = rows.groupby("seed")["value"].mean().to_numpy()
        unit = str(rows["unit"].iloc[0])
        unit = unit if unit in ("fraction", "ms") else "1"
        if not np.isfinite(values).all():
            shown = markup.value(float(np.median(values)), unit)
        else:
            found = t_interval(values)
            shown = markup.interval(found.mean, found.low, found.high, unit)
        if unit == "ms" and np.isfinite(values).all():
            shown += f"<small>{markup.digits(float(values.mean()) / talk.tau_char_ms)} τ</small>"
        return shown + (f"<small>{escape(locus)}</small>" if locus else "")

    return cell


def _energy(own: Table, experiment: Experiment, talk: Talk) -> str:
    rows = own[(own["metric"] == "energy_ratio") & (own["value"] > 0)]
    if rows.empty:
        raise NothingToShowError(_no_control(experiment), "energy_ratio")
    means = np.exp(
        rows.assign(value=np.log(rows["value"])).groupby(["locus", "perturbation"])["value"].mean()
    )
    ahead = int((means > 1).sum())
    return (
        f"{markup.digits(float(means.min()))} … {markup.digits(float(means.max()))}"
        f"<small>{ahead} of {len(means)} above 1</small>"
    )


def _size(own: Table, experiment: Experiment, talk: Talk) -> str:
    if experiment.sizes is None:
        raise NothingToShowError("trained at one size only (talk.yaml)")
    rows = own[own["metric"] == "size_ratio"]
    known = rows[rows["value"].notna()]
    if known.empty:
        raise NothingToShowError(
            "the scores of spiking network and control do not overlap within the sizes trained"
            if len(rows)
            else "not measured at this scale"
        )
    found = log_interval(known.groupby("seed")["value"].mean().to_numpy())
    shown = markup.interval(found.mean, found.low, found.high, "1")
    return f"{shown}<small>{escape(str(known['locus'].iloc[0]))}</small>"


def _earlier(own: Table, experiment: Experiment, talk: Talk) -> str:
    rows = own[own["metric"] == "speed_area_gain"]
    known = rows[rows["value"].notna()]
    if known.empty:
        raise NothingToShowError(
            "undefined: a final score does not exceed chance"
            if len(rows)
            else _not_asked(experiment),
            "speed_area_gain",
        )
    shown = []
    for control, part in known.groupby("locus", sort=False):
        found = t_interval(part.groupby("seed")["value"].mean().to_numpy())
        told = markup.interval(found.mean, found.low, found.high, "fraction", signed=True)
        shown.append(f"{told}<small>{escape(str(control))}</small>")
    return "".join(shown)


def _alignment(own: Table, experiment: Experiment, talk: Talk) -> str:
    rows = own[own["metric"] == "gradient_cosine_gain"]
    if rows.empty:
        if any(a.experiment == experiment.name for r in talk.learning for a in r.alignment):
            raise NothingToShowError("not measured at this scale")
        raise NothingToShowError("no rule is compared with a gradient here")
    shown = []
    for place, part in rows.groupby("locus", sort=False):
        found = t_interval(part.groupby("seed")["value"].mean().to_numpy())
        told = markup.interval(found.mean, found.low, found.high, "1")
        shown.append(f"{told}<small>{escape(str(place))}</small>")
    return "".join(shown)


def _density(own: Table, experiment: Experiment, talk: Talk) -> str:
    density = own[(own["metric"] == "density") & own["value"].notna()]
    limits = own[(own["metric"] == "density_break_even") & own["value"].notna()]
    if density.empty:
        raise NothingToShowError("no synapse carries spikes here")
    shown = markup.digits(float(density["value"].mean()))
    if limits.empty:
        return f"{shown}<small>no control</small>"
    low, high = float(limits["value"].min()), float(limits["value"].max())
    return f"{shown}<small>s* {markup.digits(low)} … {markup.digits(high)}</small>"


def _over_perturbations(metric: str) -> Callable[..., str]:
    """Lowest and highest of a measure over the perturbations."""

    def cell(own: Table, experiment: Experiment, talk: Talk) -> str:
        rows = own[(own["metric"] == metric) & own["value"].notna()]
        if rows.empty:
            if own["metric"].eq(metric).any():
                raise NothingToShowError(UNDEFINED)
            raise NothingToShowError(_no_battery(experiment, metric), metric)
        means = rows.groupby(["perturbation", "locus"])["value"].mean()
        worst, best = means.idxmin(), means.idxmax()
        signed = metric == "robustness_advantage"
        unit = str(rows["unit"].iloc[0])
        if len(means) == 1:
            only = markup.value(float(means.iloc[0]), unit, signed=signed)
            return f'{only}<small class="wrap">{_name(worst)}</small>'
        low = markup.value(float(means.min()), unit, signed=signed).removesuffix(" %")
        high = markup.value(float(means.max()), unit, signed=signed)
        return f'{low} … {high}<small class="wrap">{_name(worst)} … {_name(best)}</small>'

    return cell


def _name(key: object) -> str:
    perturbation, locus = key if isinstance(key, tuple) else (key, "")
    place = str(locus).partition("/")[0]
    return escape(f"{perturbation} {place}".replace("_", " ").strip())


UNDEFINED = "undefined: the clean score is too close to chance"


def _no_times(experiment: Experiment) -> str:
    return "spikes are neither sent in nor replayed, so their times cannot be perturbed"


def _no_decoder(experiment: Experiment) -> str:
    if experiment.kind == "classification":
        return "spikes are neither sent in nor replayed, or there are too few trials for a decoder"
    return "trials have no class that a decoder could be fitted to"


def _no_battery(experiment: Experiment, metric: str) -> str:
    if metric == "robustness_advantage":
        if not any(v.role == "control" for v in experiment.variants.values()):
            return "no matched control in this experiment (talk.yaml)"
        return "the control has no counterpart of these perturbations"
    return "no common battery (talk.yaml)"


def _decisions(experiment: Experiment) -> str:
    if experiment.kind == "continuous":
        return "continuous output: there is no decision"
    if experiment.kind == "labelling":
        return "every step is labelled: see the delay of label changes"
    return "no decision exceeds chance, or no spike is counted"


def _not_asked(experiment: Experiment) -> str:
    if experiment.kind != "classification":
        return _decisions(experiment)
    if not any(v.role == "control" for v in experiment.variants.values()):
        return "no matched control in this experiment (talk.yaml)"
    return "the control reads no spikes as they come in, or decides at the end as the network does"


def _no_control(experiment: Experiment) -> str:
    if not any(v.role == "control" for v in experiment.variants.values()):
        return "no matched control in this experiment (talk.yaml)"
    return "operations of the control were not counted at this scale"


def _no_engine(experiment: Experiment) -> str:
    return "Brian2 is the only engine of this network"


COLUMNS: tuple[tuple[str, str, Callable[..., str]], ...] = (
    (
        "T1",
        "timing index: score above chance lost when spike times are redrawn",
        _one("timing_index", _no_times),
    ),
    (
        "T2",
        "timing information: gain of a fresh decoder of times over one of counts",
        _one("timing_information", _no_decoder),
    ),
    ("T3", "jitter that costs half of the score above chance", _one("sigma50", _no_times)),
    ("L2", "time to 95 % of the final score above chance", _one("t95", _decisions)),
    ("L3", "speed-accuracy area; 1: all is known at once", _one("speed_area", _decisions)),
    (
        "L4",
        "speed-accuracy area minus that of the control, asked at every time on the input so far",
        _earlier,
    ),
    (
        "E1",
        "energy of the control over that of the spiking network, range over cost models",
        _energy,
    ),
    ("s", "synaptic events per synapse and trial, beside the break-even densities s*", _density),
    (
        "E2",
        "information about the target, bits per spike up to the decision",
        _one("information_per_spike", _decisions),
    ),
    (
        "R1",
        "robustness area, from the most to the least harmful perturbation",
        _over_perturbations("robustness_area"),
    ),
    (
        "R3",
        "robustness area minus that of the control, range over perturbations",
        _over_perturbations("robustness_advantage"),
    ),
    ("G1", "parameters of the control over those of the spiking network at equal score", _size),
    (
        "M3",
        "cosine of the rule's update with the gradient, less that with permuted labels",
        _alignment,
    ),
    (
        "Q1",
        "score in Brian2 minus score in the engine of training",
        _one("score_difference", _no_engine),
    ),
)
"""Heading, meaning, and how to fill the cell."""
