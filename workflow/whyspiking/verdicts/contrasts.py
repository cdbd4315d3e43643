"""What needs two variants: energy, robustness and latency against a control, break-even."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from whyspiking.contract import places
from whyspiking.contract.types import Params
from whyspiking.declared.registry import Experiment, Talk
from whyspiking.measures import energy, sizes, statistics
from whyspiking.measures.energy import ControlCounts, CostModel, SpikingCounts
from whyspiking.records import columns, tables
from whyspiking.records.tables import Table

SPIKING_ENGINE = "brian2"
LEAST_LOSS = 0.02
"""Of a smaller loss no share is computed: 1,000 trials have a standard error of half of it."""
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
            rows += _experiment_rows(table, experiment, models, config["energy"])
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
    found = [statistics.over_seeds(part, by, "log") for part in (whole, varied)]
    return columns.ENERGY.table(row for part in found for row in part.to_dict("records"))


def _experiment_rows(
    table: pd.DataFrame, experiment: Experiment, models: list[CostModel], config: Mapping[str, Any]
) -> list[dict[str, Any]]:
    clean = tables.where(table, perturbation="none", locus="")
    areas = tables.where(table, metric="robustness_area")
    scale = str(table["scale"].iloc[0])
    params = Params(talk=experiment.talk, experiment=experiment.name, scale=scale, values={})
    spiking_variants, controls = (
        [v.name for v in experiment.variants.values() if v.role == role]
        for role in ("spiking", "control")
    )
    rows: list[dict[str, Any]] = []
    for spiking in spiking_variants:
        counted = _by_seed(tables.where(clean, variant=spiking, engine=SPIKING_ENGINE))
        for seed, (counts, trials) in counted.items():
            shared = places.common(params, spiking, seed, SPIKING_ENGINE)
            own = _spiking_counts(counts)
            if own is not None:
                for model in models:
                    value = energy.spiking_energy(own, model, energy.prices(model, config))
                    place = {**shared, "perturbation": model.id}
                    rows += tables.rows(place, {"energy": value}, trials)
            for control in controls:
                narrow = _narrowest(clean, experiment, spiking, control)
                for name in dict.fromkeys((control, narrow)):
                    other = _by_seed(tables.where(clean, variant=name)).get(seed)
                    against = None if other is None else _control_counts(other[0])
                    if own is not None and other is not None and against is not None:
                        place = {**shared, "locus": name}
                        least = min(trials, other[1])
                        rows += _energy_rows(place, own, against, models, config, least)
                rows += _advantage_rows(areas, shared, spiking, control, seed)
                rows += _earlier_rows(clean, shared, spiking, control, seed)
    for control in controls:
        measured = tables.where(clean, variant=control)
        for seed, (counts, trials) in _by_seed(measured).items():
            against = _control_counts(counts)
            if against is None:
                continue
            shared = places.common(params, control, seed, str(measured["engine"].iloc[0]))
            for model in models:
                value = energy.control_energy(against, model, energy.prices(model, config))
                place = {**shared, "perturbation": model.id}
                rows += tables.rows(place, {"energy": value}, trials)
    return rows


def _narrowest(clean: pd.DataFrame, experiment: Experiment, spiking: str, control: str) -> str:
    """The smallest size of a control whose mean score is not below the spiking network's.

    The control itself where it has no other size or no smaller one is as good: the fairest control
    for energy does not waste neurons that its score does not need.
    """
    sizes_of = {
        v.name: v.smaller[1] if v.smaller else 1.0
        for v in experiment.variants.values()
        if v.trained_as == control
    }
    ours = tables.where(clean, variant=spiking, engine=SPIKING_ENGINE, metric="score")
    for name in sorted(sizes_of, key=lambda key: sizes_of[key]):
        theirs = tables.where(clean, variant=name, metric="score")
        common = sorted(set(ours["seed"]) & set(theirs["seed"]))
        if common:
            pair = (tables.where(part, seed=common)["value"].mean() for part in (theirs, ours))
            if np.diff(list(pair))[0] <= 0:
                return name
    return control


def _energy_rows(
    shared: Mapping[str, Any],
    spiking: SpikingCounts,
    control: ControlCounts,
    models: list[CostModel],
    config: Mapping[str, Any],
    trials: int,
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for model in models:
        price = energy.prices(model, config)
        values = {"energy_ratio": energy.ratio(spiking, control, model, config)}
        if np.isfinite(control.synapses):
            values["density_break_even"] = energy.break_even(control, model, price)
        rows += tables.rows({**shared, "perturbation": model.id}, values, trials)
    for factor, setting, value in energy.sensitivity(spiking, control, config):
        place = {**shared, "perturbation": f"{factor}={setting}"}
        rows += tables.rows(place, {"energy_ratio_variation": value}, trials)
    return rows


def _advantage_rows(
    areas: pd.DataFrame, shared: Mapping[str, Any], spiking: str, control: str, seed: int
) -> list[dict[str, Any]]:
    """R3: robustness areas of the same perturbation and locus, same seed."""
    here = tables.where(areas, seed=seed)
    ours, theirs = (_areas(tables.where(here, variant=name)) for name in (spiking, control))
    rows: list[dict[str, Any]] = []
    for key in sorted(set(ours) & set(theirs)):
        value = ours[key][0] - theirs[key][0]
        place = {**shared, "perturbation": key[0], "locus": f"{key[1]}/{control}"}
        trials = min(ours[key][1], theirs[key][1])
        rows += tables.rows(place, {"robustness_advantage": value}, trials)
    return rows


def _earlier_rows(
    clean: pd.DataFrame, shared: Mapping[str, Any], spiking: str, control: str, seed: int
) -> list[dict[str, Any]]:
    """L4: area of speed and accuracy of the spiking network less that of the control, same seed."""
    here = tables.where(clean, seed=seed, metric="speed_area")
    ours = tables.where(here, variant=spiking, engine=SPIKING_ENGINE)
    theirs = tables.where(here, variant=control)
    if ours.empty or theirs.empty:
        return []
    value = float(ours["value"].iloc[0]) - float(theirs["value"].iloc[0])
    trials = min(int(ours["trials"].iloc[0]), int(theirs["trials"].iloc[0]))
    return tables.rows({**shared, "locus": control}, {"speed_area_gain": value}, trials)


def _recovered_rows(table: pd.DataFrame, experiment: Experiment) -> list[dict[str, Any]]:
    """Share of a loss that further training won back, per seed and condition (`recovers`)."""
    scores = tables.where(table, engine=SPIKING_ENGINE, metric="score")
    rows: list[dict[str, Any]] = []
    for variant in experiment.variants.values():
        if variant.recovers is None:
            continue
        before = tables.where(scores, variant=variant.recovers)
        clean = {
            int(row["seed"]): float(row["value"])
            for row in tables.where(before, perturbation="none").to_dict("records")
        }
        place = ["seed", "perturbation", "locus", "strength"]
        lost = before.set_index(place)["value"].astype(float)
        for row in tables.where(scores, variant=variant.name).to_dict("records"):
            seed, key = int(row["seed"]), tuple(row[name] for name in place)
            if row["perturbation"] == "none" or key not in lost.index:
                continue
            loss = clean[seed] - float(lost[key])
            if loss >= LEAST_LOSS:
                value = (float(row["value"]) - float(lost[key])) / loss
                shared = {name: row[name] for name in columns.METRICS.names[:9]}
                rows += tables.rows(shared, {"loss_recovered": value}, int(row["trials"]))
    return rows


def _alignment_rows(metrics: pd.DataFrame, talk: Talk) -> list[dict[str, Any]]:
    """M3 of all talks under one name: the cosine, its null, and their difference, per seed."""
    rows: list[dict[str, Any]] = []
    for place in (place for rule in talk.learning for place in rule.alignment):
        here = tables.where(
            metrics, experiment=place.experiment, variant=place.variant, perturbation="none"
        )
        found, null = (
            {int(row["seed"]): row for row in tables.where(here, metric=metric).to_dict("records")}
            for metric in (place.cosine, place.permuted)
        )
        for seed in sorted(set(found) & set(null)):
            row = found[seed]
            cosine, permuted = float(row["value"]), float(null[seed]["value"])
            params = Params(talk.name, place.experiment, str(row["scale"]), {})
            shared = places.common(params, place.variant, seed, str(row["engine"]))
            values = {
                "gradient_cosine": cosine,
                "gradient_cosine_permuted": permuted,
                "gradient_cosine_gain": cosine - permuted,
            }
            rows += tables.rows({**shared, "locus": place.where}, values, int(row["trials"]))
    return rows


def _size_rows(table: pd.DataFrame, experiment: Experiment) -> list[dict[str, Any]]:
    """G1: size ratio of every spiking network to every control, in the engines of training."""
    if experiment.sizes is None:
        return []
    clean = tables.where(table, perturbation="none", locus="", metric=["parameters", "score"])
    # What was re-simulated is one network at one size; sizes are compared as they were trained.
    known = tables.where(clean, metric="parameters")["engine"].unique().tolist()
    clean = tables.where(clean, engine=known)
    curves_of = {name: _size_curves(clean, experiment, name) for name in experiment.sizes.of}
    by_role = {
        role: [name for name in curves_of if experiment.variants[name].role == role]
        for role in ("spiking", "control")
    }
    rows: list[dict[str, Any]] = []
    for spiking in by_role["spiking"]:
        for control in by_role["control"]:
            ours, theirs = curves_of[spiking], curves_of[control]
            for seed in sorted(set(ours) & set(theirs)):
                own = tables.where(clean, variant=spiking, seed=seed, metric="parameters")
                engine = str(own["engine"].iloc[0])
                params = Params(experiment.talk, experiment.name, str(own["scale"].iloc[0]), {})
                shared = places.common(params, spiking, seed, engine)
                value = sizes.size_ratio(ours[seed], theirs[seed])
                trials = min(point[2] for point in [*ours[seed], *theirs[seed]])
                trials = 1 if trials == sizes.MANY else trials
                rows += tables.rows({**shared, "locus": control}, {"size_ratio": value}, trials)
    return rows


def _size_curves(
    clean: pd.DataFrame, experiment: Experiment, name: str
) -> dict[int, list[sizes.Point]]:
    """Seed -> size and score at every size; only seeds that have them all."""
    assert experiment.sizes is not None
    same = [v.name for v in experiment.variants.values() if v.trained_as == name]
    found: dict[int, list[sizes.Point]] = {}
    for seed in sorted(set(clean["seed"].astype(int))):
        points = []
        for variant in same:
            own = tables.where(clean, variant=variant, seed=seed)
            size = tables.where(own, metric="parameters")
            scored = tables.where(own, metric="score")
            if len(size) == 1 and len(scored) == 1:
                values = scored.iloc[0]
                trials = sizes.MANY if experiment.kind == "continuous" else int(values["trials"])
                points.append((float(size["value"].iloc[0]), float(values["value"]), trials))
        if len(points) == len(same):
            found[seed] = points
    return found


def _areas(table: pd.DataFrame) -> dict[tuple[str, str], tuple[float, int]]:
    """(perturbation, locus) -> (robustness area, trials)."""
    return {
        (str(row["perturbation"]), str(row["locus"])): (float(row["value"]), int(row["trials"]))
        for row in table.to_dict("records")
    }


def _by_seed(table: pd.DataFrame) -> dict[int, tuple[Counts, int]]:
    """Seed -> (metric -> value, trials behind the counts)."""
    found = {}
    for seed in sorted(set(table["seed"].astype(int))):
        part = tables.where(table, seed=seed)
        counts = dict(zip(part["metric"], part["value"].astype(float), strict=True))
        counted = tables.where(part, metric=["syn_events", "macs_effective"])
        if not counted.empty:
            found[seed] = (counts, int(counted["trials"].astype(int).to_numpy().min()))
    return found


def _spiking_counts(counts: Counts) -> SpikingCounts | None:
    needed = ("spikes", "syn_events", "neuron_updates", "neuron_updates_event")
    known = all(name in counts and np.isfinite(counts[name]) for name in needed)
    if not known or counts["syn_events"] <= 0:
        return None
    further = ("macs_effective", "state_updates", "state_updates_event")
    return SpikingCounts(
        *(counts[name] for name in needed), *(counts.get(name, 0.0) for name in further)
    )


def _control_counts(counts: Counts) -> ControlCounts | None:
    needed = ("macs_effective", "macs_dense", "neuron_updates")
    if not all(name in counts for name in needed):
        return None
    return ControlCounts(
        macs_effective=counts["macs_effective"],
        macs_dense=counts["macs_dense"],
        outputs=counts["neuron_updates"],
        synapses=counts.get("synapses", np.nan),
    )
