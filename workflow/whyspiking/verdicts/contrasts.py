"""Contrasts between two variants of a talk: robustness, latency, size, alignment, recovery."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from whyspiking.declared.registry import Talk
from whyspiking.measures import sizes
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
    *("loss_recovered", "size_ratio"),
    *(*GAINS.values(), *ALIGNED),
}
"""Metrics that `cross_rows` computes from others, and nothing else does."""
NETWORK = ["experiment", "variant", "seed"]


def cross_rows(metrics: Table, talk: Talk) -> pd.DataFrame:
    """Contrasts between the variants of each experiment of one talk.

    The rows name the control in `locus` (robustness: `<locus>/<control>`), because a contrast
    means nothing without its control.

    Args:
        metrics: The talk's rows of the metrics table, as `described`.
        talk: Which of its learning rules are compared with the gradient.

    Returns:
        Rows of the metrics table.
    """
    simulated = metrics["engine"] == SPIKING_ENGINE
    ours = metrics[simulated & (metrics["role"] == "spiking")]
    controls: Table = metrics[metrics["role"] == "control"]
    parts = [
        *_gains(ours, controls),
        _recovered(metrics[simulated]),
        *_size_ratios(_clean(metrics[~simulated])),
        *_alignments(metrics, talk),
    ]
    return tables.stacked(parts)


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
        mine, theirs = (tables.where(table, metric=metric) for table in (ours, controls))
        pairs = _pairs(mine, theirs, "perturbation", "locus")
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
        cosine, null = (tables.where(here, metric=m) for m in (place.cosine, place.permuted))
        pairs = _pairs(cosine, null)
        both = pairs["value"], pairs["value_other"]
        for metric, value in zip(ALIGNED, (*both, both[0] - both[1]), strict=True):
            yield _rows(pairs, metric, value, locus=place.where)


def _size_ratios(trained: Table) -> Iterator[Table]:
    """G1: size ratio of every spiking network to every control, in the engines of training.

    What was re-simulated is one network at one size; sizes are compared as they were trained.
    """
    trained = trained[trained["sizes"] > 1]
    numbers, scores = (tables.where(trained, metric=metric) for metric in ("parameters", "score"))
    points = _pairs(numbers, scores, "variant", "engine")
    many = points["trials_other"].mask(points["kind"] == "continuous", sizes.MANY)
    points = points.assign(trials_other=many)
    # Only seeds that have all sizes.
    curves = {
        key: list(zip(part["value"], part["value_other"], part["trials_other"], strict=True))
        for key, part in points.groupby(["experiment", "trained_as", "seed"])
        if len(part) == part["sizes"].iloc[0]
    }
    ours, controls = (tables.where(points, role=role) for role in ("spiking", "control"))
    for pair in _pairs(ours, controls[NETWORK]).to_dict("records"):
        names = pair["variant"], pair["variant_other"]
        sides = [curves.get((pair["experiment"], name, pair["seed"]), []) for name in names]
        if all(sides):
            trials = min(point[2] for side in sides for point in side)
            trials = 1 if trials == sizes.MANY else trials
            value = [sizes.size_ratio(*sides)]
            yield _rows(pd.DataFrame([pair]), "size_ratio", value, locus=names[1], trials=trials)
