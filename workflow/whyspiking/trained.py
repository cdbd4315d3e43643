"""We can train them, what now? What trained networks stand when they are simulated elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from whyspiking import markup
from whyspiking.markup import Cell
from whyspiking.registry import Talk
from whyspiking.tables import Table
from whyspiking.telling import named, surname


@dataclass(frozen=True)
class Limit:
    """How much of one perturbation a network stands.

    Attributes:
        head: Heading of the column.
        metric: Metric of the battery.
        perturbation: Of which perturbation.
        unit: How the number is printed.
        stronger: Whether a larger number means that the network stands more.
    """

    head: str
    metric: str
    perturbation: str
    unit: str
    stronger: bool


LIMITS = (
    Limit("Weight bits for 95 % of the score", "bits95", "quantise", "bit", False),
    Limit("Jitter that costs half, τ", "sigma50", "jitter", "1", True),
    Limit("Deleted spikes that cost half", "half_dose", "delete", "fraction", True),
    Limit("Mismatch that costs half, relative sd", "half_dose", "mismatch", "fraction", True),
)


def limits(metrics: Table, talk: Talk, limit: Limit) -> list[tuple[float, str]]:
    """One number per experiment and locus (median over seeds), with its place in words.

    Args:
        metrics: Rows of the metrics table, all talks.
        talk: The talk; its spiking variants count.
        limit: Which limit; jitter is given in units of the talk's characteristic time.
    """
    own = metrics[
        (metrics["talk"] == talk.name)
        & (metrics["metric"] == limit.metric)
        & (metrics["perturbation"] == limit.perturbation)
        & metrics["value"].notna()
    ]
    own = own[of_spiking(own, talk)]
    factor = 1 / talk.tau_char_ms if limit.metric == "sigma50" else 1.0
    found = []
    for key, part in own.groupby(["experiment", "locus"], sort=True):
        place = ", ".join(str(word).replace("_", " ") for word in key)
        found.append((float(np.median(part["value"])) * factor, place))
    return found


def of_spiking(rows: Table, talk: Talk) -> NDArray:
    """Which rows of a talk belong to a variant with the role `spiking`, (row,)."""
    spiking = {
        (experiment.name, variant.name)
        for experiment in talk.experiments.values()
        for variant in experiment.variants.values()
        if variant.role == "spiking"
    }
    pairs = zip(rows["experiment"], rows["variant"], strict=True)
    return np.array([pair in spiking for pair in pairs], bool)


def table(metrics: Table, talks: Mapping[str, Talk]) -> str:
    """What trained networks stand, worst and best experiment of each talk."""
    rows = []
    for name, talk in talks.items():
        link = f'<a href="{name}/metrics.csv">{escape(surname(talk))}</a>'
        cells = [Cell(link, surname(talk), "head")]
        for limit in LIMITS:
            cells.append(_cell(limits(metrics, talk, limit), limit))
        rows.append(cells)
    heads = ["Talk", *[limit.head for limit in LIMITS]]
    return markup.table(
        heads,
        rows,
        name="limits",
        caption=(
            "Trained networks re-simulated in Brian2, nothing retrained: from the least to the "
            "most tolerant experiment and place of a talk. “> max”: beyond the levels tried."
        ),
        numbers=heads[1:],
        row_heads=True,
        sortable=True,
    )


def sentences(metrics: Table, talks: Mapping[str, Talk], bits: int = 6) -> str:
    """What the table comes down to, counted by talk.

    Args:
        metrics: Rows of the metrics table, all talks.
        talks: Talk by name.
        bits: Number of bits per weight that the sentence asks about.
    """
    worst = {
        limit.head: {
            name: _ends(found, limit)[0][0]
            for name, talk in talks.items()
            if (found := limits(metrics, talk, limit))
        }
        for limit in LIMITS
    }
    coarse, jitter, delete, mismatch = (worst[limit.head] for limit in LIMITS)
    few = [name for name, value in coarse.items() if value <= bits]
    tight = [name for name, value in jitter.items() if value < 1]
    said = []
    if coarse:
        said.append(
            f"Every experiment keeps 95 % of its score with {bits} bits per weight, without "
            f"retraining, in {len(few)} of {len(coarse)} talks{_who(few, talks)}."
        )
    if jitter:
        said.append(
            f"Jitter below one characteristic time costs half of the score in {len(tight)} of "
            f"{len(jitter)} talks{_who(tight, talks)}: there the times are the code."
        )
    for found, words in ((delete, "loss of spikes"), (mismatch, "mismatch of weights and neurons")):
        if found:
            stands = [name for name, value in found.items() if np.isinf(value)]
            said.append(
                f"The strongest {words} tried leaves more than half of the score everywhere in "
                f"{len(stands)} of {len(found)} talks{_who(stands, talks)}."
            )
    return f"<p>{' '.join(said)}</p>" if said else ""


def _who(names: list[str], talks: Mapping[str, Talk]) -> str:
    return f" ({named(names, talks)})" if names else ""


def _ends(found: list[tuple[float, str]], limit: Limit) -> list[tuple[float, str]]:
    """Least tolerant first."""
    return sorted(found, key=lambda pair: pair[0] if limit.stronger else -pair[0])


def _cell(found: list[tuple[float, str]], limit: Limit) -> Cell:
    if not found:
        return Cell('<span class="soft">n/a</span>', "", "number")
    ends = _ends(found, limit)
    worst, best = ends[0], ends[-1]
    shown = markup.value(worst[0], limit.unit)
    places = escape(worst[1])
    if best[0] != worst[0]:
        shown = f"{markup.bare(worst[0], limit.unit)} … {markup.value(best[0], limit.unit)}"
        places += f" … {escape(best[1])}"
    key = worst[0] if np.isfinite(worst[0]) else 1e9
    return Cell(f'{shown}<small class="wrap">{places}</small>', key, "number")
