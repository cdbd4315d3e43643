"""What needs two variants: energy, robustness and latency against a control."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from whyspiking.declared.registry import Talk
from whyspiking.measures import energy, sizes, statistics
from whyspiking.measures.energy import ControlCounts, SpikingCounts
from whyspiking.records import columns, tables
from whyspiking.records.glossary import GLOSSARY
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


def cross_rows(metrics: Table, talk: Talk, config: Mapping[str, Any]) -> pd.DataFrame:
    """Contrasts between the variants of each experiment of one talk.

    Energy rows name the cost model in `perturbation`; contrasts name the control in `locus`
    (robustness: `<locus>/<control>`), since a ratio without its control is no result.

    Args:
        metrics: The talk's rows of the metrics table, as `described`.
        talk: Of which sizes are compared, and which learning rules with the gradient.
        config: The run configuration; the `energy` block is used.

    Returns:
        Rows of the metrics table.
    """
    simulated = metrics["engine"] == SPIKING_ENGINE
    ours = metrics[simulated & (metrics["role"] == "spiking")]
    controls: Table = metrics[metrics["role"] == "control"]
    parts = [
        *_gains(ours, controls),
        _recovered(metrics[simulated]),
        *_size_ratios(_clean(metrics[~simulated]), talk),
        *_energies(_clean(ours), _clean(controls), config["energy"]),
        *_alignments(metrics, talk),
    ]
    return tables.stacked(parts)


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


def _clean(table: Table) -> Table:
    return tables.where(table, perturbation="none", locus="")


def _pairs(ours: Table, theirs: Table, *by: str) -> Table:
    """Rows of the same seed side by side; columns of the second have `_other` behind their name."""
    return ours.merge(theirs, on=["experiment", "seed", *by], suffixes=("", "_other"))


def _rows(pairs: Table, metric: str, value: Sequence[float], **places: Any) -> Table:
    """Rows of another metric where the first of each pair was measured, or at other places."""
    unit = GLOSSARY[metric].unit
    return pairs.assign(metric=metric, value=value, unit=unit, **places)[columns.METRICS.names]


def _fewer_trials(pairs: Table) -> Table:
    return pairs[["trials", "trials_other"]].min(axis=1)


def _gains(ours: Table, controls: Table) -> Iterator[Table]:
    """What a spiking network has more than a control of the same seed: R3 and L4.

    R3 is about robustness areas under the same perturbation at the same locus, L4 about areas of
    speed and accuracy.
    """
    for metric, gain in GAINS.items():
        sides = (tables.where(table, metric=metric) for table in (ours, controls))
        pairs = _pairs(*sides, "perturbation", "locus")
        locus = (pairs["locus"] + "/" + pairs["variant_other"]).str.removeprefix("/")
        more = pairs["value"] - pairs["value_other"]
        yield _rows(pairs, gain, more, locus=locus, trials=_fewer_trials(pairs))


def _recovered(simulated: Table) -> Table:
    """Share of a loss that further training won back, per seed and condition (`recovers`)."""
    scores = tables.where(simulated, metric="score")
    before = scores.assign(recovers=scores["variant"])
    clean = tables.where(before, perturbation="none")[["experiment", "seed", "recovers", "value"]]
    pairs = _pairs(scores, before, "recovers", "perturbation", "locus", "strength")
    pairs = pairs.merge(clean, on=["experiment", "seed", "recovers"], suffixes=("", "_clean"))
    pairs = pairs.assign(loss=pairs["value_clean"] - pairs["value_other"])
    pairs = pairs[pairs["loss"] >= LEAST_LOSS]
    return _rows(pairs, "loss_recovered", (pairs["value"] - pairs["value_other"]) / pairs["loss"])


def _alignments(metrics: Table, talk: Talk) -> Iterator[Table]:
    """M3 of all talks under one name: the cosine, its null, and their difference, per seed."""
    for place in (place for rule in talk.learning for place in rule.alignment):
        here = tables.where(
            metrics, experiment=place.experiment, variant=place.variant, perturbation="none"
        )
        pairs = _pairs(*(tables.where(here, metric=m) for m in (place.cosine, place.permuted)))
        both = pairs["value"], pairs["value_other"]
        for metric, value in zip(ALIGNED, (*both, both[0] - both[1]), strict=True):
            yield _rows(pairs, metric, value, locus=place.where)


def _size_ratios(trained: Table, talk: Talk) -> Iterator[Table]:
    """G1: size ratio of every spiking network to every control, in the engines of training.

    What was re-simulated is one network at one size; sizes are compared as they were trained.
    """
    sized = (tables.where(trained, metric=metric) for metric in ("parameters", "score"))
    points = _pairs(*sized, "variant", "engine")
    for experiment in (e for e in talk.experiments.values() if e.sizes is not None):
        known = [variant.trained_as for variant in experiment.variants.values()]
        own = tables.where(points, experiment=experiment.name)
        if experiment.kind == "continuous":
            own = own.assign(trials_other=sizes.MANY)
        # Only seeds that have all sizes.
        curves = {
            key: list(zip(part["value"], part["value_other"], part["trials_other"], strict=True))
            for key, part in own.groupby(["trained_as", "seed"])
            if key[0] in experiment.sizes.of and len(part) == known.count(key[0])
        }
        ours, controls = (tables.where(own, role=role) for role in ("spiking", "control"))
        for pair in _pairs(ours, controls[["experiment", "seed", "variant"]]).to_dict("records"):
            names = pair["variant"], pair["variant_other"]
            sides = [curves.get((name, pair["seed"]), []) for name in names]
            if all(sides):
                trials = min(point[2] for side in sides for point in side)
                trials = 1 if trials == sizes.MANY else trials
                value = [sizes.size_ratio(*sides)]
                yield _rows(
                    pd.DataFrame([pair]), "size_ratio", value, locus=names[1], trials=trials
                )


def _energies(ours: Table, controls: Table, config: Mapping[str, Any]) -> Iterator[Table]:
    """Energy of every spiking network and control, and their ratios (E1), per seed."""
    models = energy.cost_models(config)
    spiking, others = _counted(ours, spiking_counts), _counted(controls, control_counts)
    for model in models:
        price = energy.prices(model, config)
        for own, of in ((spiking, energy.spiking_energy), (others, energy.control_energy)):
            spent = [of(counts, model, price) for counts in own["counts"]]
            yield _rows(own, "energy", spent, perturbation=model.id)
    pairs = _pairs(spiking, others)
    pairs = pairs.assign(locus=pairs["variant_other"], trials=_fewer_trials(pairs))
    sides = list(zip(pairs["counts"], pairs["counts_other"], strict=True))
    for model in models:
        ratios = [energy.ratio(*both, model, config) for both in sides]
        yield _rows(pairs, "energy_ratio", ratios, perturbation=model.id)
    varied = [energy.sensitivity(*both, config) for both in sides]
    for changed in zip(*varied, strict=True):
        values, (factor, setting, _) = [value for *_, value in changed], changed[0]
        place = f"{factor}={setting}"
        yield _rows(pairs, "energy_ratio_variation", values, perturbation=place)


def _counted(clean: Table, counts_of: Callable[[Counts], SpikingCounts | ControlCounts | None]):
    """A row per network of which all was counted: where, `counts`, and the trials behind them."""
    rows = []
    for _, part in clean.groupby(["experiment", "variant", "seed"], sort=False):
        counts = counts_of(dict(zip(part["metric"], part["value"].astype(float), strict=True)))
        trials = tables.where(part, metric=["syn_events", "macs_effective"])["trials"]
        if counts is not None and not trials.empty:
            rows.append({**part.iloc[0], "counts": counts, "trials": trials.min()})
    return pd.DataFrame(rows, columns=[*clean.columns, "counts"])


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
