"""What needs two variants: energy, robustness and latency against a control."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from whyspiking.contract import places
from whyspiking.contract.types import Params
from whyspiking.declared.registry import Experiment, Talk
from whyspiking.measures import energy, sizes, statistics
from whyspiking.measures.energy import ControlCounts, CostModel, Prices, SpikingCounts
from whyspiking.records import columns, tables
from whyspiking.records.tables import Table

SPIKING_ENGINE = "brian2"
LEAST_LOSS = 0.02
"""Least loss of score of which a share is computed: twice the standard error of 1,000 trials."""
GAINS = {"robustness_area": "robustness_advantage", "speed_area": "speed_area_gain"}
"""Metric -> metric of how much more of it a spiking network has than a control."""
ALIGNED = ("gradient_cosine", "gradient_cosine_permuted", "gradient_cosine_gain")
CROSSED = {
    *("energy", "energy_ratio", "energy_ratio_variation"),
    *("loss_recovered", "size_ratio"),
    *(*GAINS.values(), *ALIGNED),
}
"""Metrics that `cross_rows` computes from others, and nothing else does."""
Counts = Mapping[str, float]


def cross_rows(
    metrics: pd.DataFrame, talk: Talk, config: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Contrasts between the variants of each experiment of one talk.

    Energy rows name the cost model in `perturbation`; contrasts name the control in `locus`
    (robustness: `<locus>/<control>`), since a ratio without its control is no result.

    Args:
        metrics: The talk's rows of the metrics table.
        talk: Its description: which variant has which role.
        config: The run configuration; the `energy` block is used.
    """
    models = energy.cost_models(config["energy"])
    rows: list[dict[str, Any]] = []
    for experiment in talk.experiments.values():
        table = tables.where(metrics, experiment=experiment.name)
        if not table.empty:
            rows += _energy_rows(table, experiment, models, config["energy"])
            rows += _gain_rows(table, experiment)
            rows += _size_rows(table, experiment)
            rows += _recovered_rows(table, experiment)
    return rows + _alignment_rows(metrics, talk)


def energy_ratios(metrics: Table) -> pd.DataFrame:
    """Energy of every control over that of the spiking network, over seeds.

    Args:
        metrics: Rows of the metrics table with those of `cross_rows`.

    Returns:
        A table with the columns of `columns.ENERGY`: a row per cost model, and one per varied
        assumption, over all spiking networks of an experiment.
    """
    known = metrics[(metrics["value"] > 0) & np.isfinite(metrics["value"].astype(float))]
    whole: Table = tables.where(known, metric="energy_ratio")
    whole = whole.assign(factor="", setting=whole["perturbation"])
    varied: Table = tables.where(known, metric="energy_ratio_variation")
    named = [str(name).partition("=") for name in varied["perturbation"]]
    varied = varied.assign(factor=[n[0] for n in named], setting=[n[2] for n in named], variant="")
    by = ["talk", "experiment", "variant", "locus", "factor", "setting"]
    parts = [statistics.over_seeds(part, by, "log") for part in (whole, varied)]
    return columns.ENERGY.table(row for part in parts for row in part.to_dict("records"))


def _energy_rows(
    table: Table, experiment: Experiment, models: list[CostModel], config: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Energy of every spiking network and control, and their ratios (E1), per seed."""
    clean = tables.where(table, perturbation="none", locus="")
    scale = str(table["scale"].iloc[0])
    params = Params(talk=experiment.talk, experiment=experiment.name, scale=scale, values={})
    controls = _with_role(experiment, "control")
    rows: list[dict[str, Any]] = []
    for control in controls:
        measured = tables.where(clean, variant=control)
        for seed, (counts, trials) in counted(measured, control_counts).items():
            shared = places.common(params, control, seed, str(measured["engine"].iloc[0]))
            energy_of = partial(energy.control_energy, counts)
            rows += _energies(shared, energy_of, models, config, trials)
    for spiking in _with_role(experiment, "spiking"):
        compared = {
            name: counted(tables.where(clean, variant=name), control_counts) for name in controls
        }
        simulated = tables.where(clean, variant=spiking, engine=SPIKING_ENGINE)
        for seed, (counts, trials) in counted(simulated, spiking_counts).items():
            shared = places.common(params, spiking, seed, SPIKING_ENGINE)
            energy_of = partial(energy.spiking_energy, counts)
            rows += _energies(shared, energy_of, models, config, trials)
            for name, by_seed in compared.items():
                if seed in by_seed:
                    against, fewer = by_seed[seed]
                    place, least = {**shared, "locus": name}, min(trials, fewer)
                    rows += _ratio_rows(place, counts, against, models, config, least)
    return rows


def _energies(
    shared: Mapping[str, Any],
    energy_of: Callable[[CostModel, Prices], float],
    models: list[CostModel],
    config: Mapping[str, Any],
    trials: int,
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for model in models:
        value = energy_of(model, energy.prices(model, config))
        rows += tables.rows({**shared, "perturbation": model.id}, {"energy": value}, trials)
    return rows


def _ratio_rows(
    shared: Mapping[str, Any],
    spiking: SpikingCounts,
    control: ControlCounts,
    models: list[CostModel],
    config: Mapping[str, Any],
    trials: int,
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for model in models:
        values = {"energy_ratio": energy.ratio(spiking, control, model, config)}
        rows += tables.rows({**shared, "perturbation": model.id}, values, trials)
    for factor, setting, value in energy.sensitivity(spiking, control, config):
        place = {**shared, "perturbation": f"{factor}={setting}"}
        rows += tables.rows(place, {"energy_ratio_variation": value}, trials)
    return rows


def _gain_rows(table: Table, experiment: Experiment) -> list[dict[str, Any]]:
    """What a spiking network has more than a control of the same seed: R3 and L4.

    R3 is about robustness areas under the same perturbation at the same locus, L4 about areas of
    speed and accuracy.
    """
    simulated = tables.where(table, engine=SPIKING_ENGINE)
    rows: list[dict[str, Any]] = []
    for spiking, control in itertools.product(
        _with_role(experiment, "spiking"), _with_role(experiment, "control")
    ):
        for metric, gain in GAINS.items():
            ours = tables.where(simulated, variant=spiking, metric=metric)
            theirs = tables.where(table, variant=control, metric=metric)
            for pair in _pairs(ours, theirs, "perturbation", "locus"):
                locus = "/".join(filter(None, (pair["locus"], control)))
                values = {gain: pair["value"] - pair["value_other"]}
                least = min(pair["trials"], pair["trials_other"])
                rows += tables.rows({**_place(pair), "locus": locus}, values, least)
    return rows


def _recovered_rows(table: Table, experiment: Experiment) -> list[dict[str, Any]]:
    """Share of a loss that further training won back, per seed and condition (`recovers`)."""
    scores = tables.where(table, engine=SPIKING_ENGINE, metric="score")
    rows: list[dict[str, Any]] = []
    for variant in experiment.variants.values():
        before: Table = tables.where(scores, variant=variant.recovers)
        clean = tables.where(before, perturbation="none").set_index("seed")["value"]
        after = tables.where(scores, variant=variant.name)
        for pair in _pairs(after, before, "perturbation", "locus", "strength"):
            loss = float(clean[pair["seed"]]) - pair["value_other"]
            if loss >= LEAST_LOSS:
                value = (pair["value"] - pair["value_other"]) / loss
                rows += tables.rows(_place(pair), {"loss_recovered": value}, pair["trials"])
    return rows


def _alignment_rows(metrics: Table, talk: Talk) -> list[dict[str, Any]]:
    """M3 of all talks under one name: the cosine, its null, and their difference, per seed."""
    rows: list[dict[str, Any]] = []
    for place in (place for rule in talk.learning for place in rule.alignment):
        here = tables.where(
            metrics, experiment=place.experiment, variant=place.variant, perturbation="none"
        )
        cosines = tables.where(here, metric=place.cosine)
        for pair in _pairs(cosines, tables.where(here, metric=place.permuted)):
            both = pair["value"], pair["value_other"]
            values = dict[str, float](zip(ALIGNED, (*both, both[0] - both[1]), strict=True))
            rows += tables.rows({**_place(pair), "locus": place.where}, values, pair["trials"])
    return rows


def _size_rows(table: Table, experiment: Experiment) -> list[dict[str, Any]]:
    """G1: size ratio of every spiking network to every control, in the engines of training."""
    if experiment.sizes is None:
        return []
    clean = tables.where(table, perturbation="none", locus="", metric=["parameters", "score"])
    # What was re-simulated is one network at one size; sizes are compared as they were trained.
    known = tables.where(clean, metric="parameters")["engine"].unique().tolist()
    clean = tables.where(clean, engine=known)
    curves_of = {name: _size_curves(clean, experiment, name) for name in experiment.sizes.of}
    rows: list[dict[str, Any]] = []
    for spiking, control in itertools.product(
        _with_role(experiment, "spiking"), _with_role(experiment, "control")
    ):
        ours, theirs = curves_of.get(spiking, {}), curves_of.get(control, {})
        for seed in sorted(set(ours) & set(theirs)):
            own: Table = tables.where(clean, variant=spiking, seed=seed, metric="parameters")
            value = sizes.size_ratio(ours[seed], theirs[seed])
            trials = min(point[2] for point in [*ours[seed], *theirs[seed]])
            trials = 1 if trials == sizes.MANY else trials
            place = {**_place(own.to_dict("records")[0]), "locus": control}
            rows += tables.rows(place, {"size_ratio": value}, trials)
    return rows


def _size_curves(clean: Table, experiment: Experiment, name: str) -> dict[int, list[sizes.Point]]:
    """Seed -> size and score at every size; only seeds that have them all."""
    same = [v.name for v in experiment.variants.values() if v.trained_as == name]
    own = tables.where(clean, variant=same)
    points: dict[int, list[sizes.Point]] = {}
    for pair in _pairs(
        tables.where(own, metric="parameters"), tables.where(own, metric="score"), "variant"
    ):
        trials = sizes.MANY if experiment.kind == "continuous" else pair["trials_other"]
        points.setdefault(pair["seed"], []).append((pair["value"], pair["value_other"], trials))
    return {seed: several for seed, several in points.items() if len(several) == len(same)}


def _with_role(experiment: Experiment, role: str) -> list[str]:
    return [v.name for v in experiment.variants.values() if v.role == role]


def _pairs(ours: Table, theirs: Table, *by: str) -> list[dict[str, Any]]:
    """Rows of the same seed side by side; columns of the second have `_other` behind their name."""
    return ours.merge(theirs, on=["seed", *by], suffixes=("", "_other")).to_dict("records")


def _place(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a row that say where it was measured."""
    return {name: row[name] for name in columns.METRICS.names[:9]}


def counted[Kind](
    table: Table, counts_of: Callable[[Counts], Kind | None]
) -> dict[int, tuple[Kind, int]]:
    """Seed -> counts and the trials behind them, where all of them were counted."""
    by_seed = {}
    for seed, part in table.groupby("seed"):
        counts = counts_of(dict(zip(part["metric"], part["value"].astype(float), strict=True)))
        trials = tables.where(part, metric=["syn_events", "macs_effective"])["trials"]
        if counts is not None and not trials.empty:
            by_seed[int(seed)] = counts, int(trials.min())
    return by_seed


def spiking_counts(counts: Counts) -> SpikingCounts | None:
    """Operations of a spiking network from its metrics; None where one was not counted."""
    needed = ("spikes", "syn_events", "neuron_updates", "neuron_updates_event")
    known = all(np.isfinite(counts.get(name, np.nan)) for name in needed)
    if not known or counts["syn_events"] <= 0:
        return None
    further = ("macs_effective", "state_updates", "state_updates_event")
    return SpikingCounts(
        *(counts[name] for name in needed), *(counts.get(name, 0.0) for name in further)
    )


def control_counts(counts: Counts) -> ControlCounts | None:
    """The same of a network that sends values."""
    needed = ("macs_effective", "macs_dense", "neuron_updates")
    if not all(name in counts for name in needed):
        return None
    return ControlCounts(*(counts[name] for name in needed))
