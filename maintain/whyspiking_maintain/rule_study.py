"""How often the rule of verdicts errs, by kind of claim and number of networks: a simulation.

`python -m whyspiking.recording rule-study` writes `verdicts/rule_study.csv`; the report shows it.
Numbers of networks are drawn from a normal distribution of standard deviation 1; a band of size
`SIZE` is that many of them. A key claim stands alone; of the others the strictest step of Holm's
correction is shown, that of the least p value in the largest family that there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from whyspiking.declared.bands import Band
from whyspiking.measures import statistics
from whyspiking.records import columns, tables
from whyspiking.verdicts import rule
from whyspiking.verdicts.rule import Criterion
from whyspiking.verdicts.sample import Sample

DRAWS = 10_000
SEEDS = (1, 3, 5, 20)
CORRECTED = (3, 5)
"""Numbers of networks for which the correction is shown."""
LARGEST_FAMILY = 21
"""Claims that are corrected together, most of all talks: clopath's, of the paper and the talk."""
SIZE = 2.0
"""Size of a band in standard deviations over networks."""
TRIALS, HURDLE = 1000, 0.9
"""Test trials of a single network, and the accuracy that it must reach."""
INF = float("inf")
COUNTED = (
    rule.REPLICATED,
    rule.UNCONFIRMED,
    rule.DIRECTION_ONLY,
    rule.INCONCLUSIVE,
    rule.NOT_REPLICATED,
)
"""Verdicts of which a column each tells how often they came."""


@dataclass(frozen=True)
class Kind:
    """One kind of claim.

    Attributes:
        says: The claim in words.
        criterion: Test, band and null.
        truths: What is true, in words -> the true value.
        false_when: The words above for which the claim is false.
    """

    says: str
    criterion: Criterion
    truths: dict[str, float]
    false_when: Sequence[str]


KINDS = (
    Kind(
        "a gain, of no stated size",
        Criterion("difference", Band(0.0, INF), 0.0),
        {"no gain": 0.0, "gain of 1 sd": 1.0, "gain of 2 sd": SIZE},
        ["no gain"],
    ),
    Kind(
        "a gain of at least 2 sd",
        Criterion("difference", Band(SIZE, INF), 0.0),
        {"no gain": 0.0, "half of it": SIZE / 2, "just that": SIZE, "twice that": 2 * SIZE},
        ["no gain", "half of it"],
    ),
    Kind(
        "at most 2 sd worse",
        Criterion("difference", Band(-SIZE, INF), 0.0),
        {"2 sd worse": -SIZE, "no difference": 0.0},
        ["2 sd worse"],
    ),
    Kind(
        "equal within 2 sd",
        Criterion("equivalence", Band(-SIZE, SIZE)),
        {"2 sd apart": SIZE, "no difference": 0.0},
        ["2 sd apart"],
    ),
    Kind(
        "a value of at least the band's edge",
        Criterion("value", Band(0.0, INF)),
        {"1 sd below": -1.0, "at the edge": 0.0, "2 sd above": SIZE},
        ["1 sd below", "at the edge"],
    ),
    Kind(
        "every network inside the band",
        Criterion("every", Band(0.0, INF)),
        {"half of them": 0.0, "98 of 100": 2.054, "999 of 1000": 3.090},
        ["half of them"],
    ),
)


def study(draws: int = DRAWS, seed: int = 0) -> pd.DataFrame:
    """Share of draws by verdict; columns `columns.RULE_STUDY`."""
    rng = np.random.default_rng(seed)
    rows = []
    for kind in KINDS:
        for truth, value in kind.truths.items():
            for seeds in SEEDS:
                drawn = [_normal(kind.criterion, value, seeds, rng) for _ in range(draws)]
                rows.append(_row(kind, truth, seeds, [verdict for verdict, _ in drawn]))
                if seeds in CORRECTED and kind.criterion.test not in rule.OF_EVERY:
                    held = [rule.corrected(*one) for one in drawn]
                    rows.append(_row(kind, truth, seeds, held, LARGEST_FAMILY))
    single = Kind(
        f"an accuracy of at least 90 %, of {TRIALS} trials",
        Criterion("value", Band(HURDLE, INF)),
        {"87 %": 0.87, "90 %": 0.9, "93 %": 0.93},
        ["87 %", "90 %"],
    )
    for truth, value in single.truths.items():
        shares = rng.binomial(TRIALS, value, draws) / TRIALS
        rows.append(_row(single, truth, 1, [_one_network(single.criterion, s) for s in shares]))
    return columns.RULE_STUDY.table(rows)


def _normal(criterion: Criterion, mean: float, seeds: int, rng: Generator) -> tuple[str, float]:
    """The verdict of one draw of networks, and its p value in the largest family."""
    values = rng.normal(mean, 1.0, seeds)
    sample = Sample(values, np.ones(seeds), "none")
    estimate = sample.interval(criterion.test)
    p = LARGEST_FAMILY * sample.p_value(criterion, estimate)
    return rule.decide(criterion, values, estimate), p


def _one_network(criterion: Criterion, share: float) -> str:
    """The verdict of one network, whose interval is over its test trials."""
    values: NDArray = np.array([share])
    extra = statistics.binomial_variance(values, TRIALS)
    interval = statistics.logit_interval(values, TRIALS, extra_variance=extra)
    return rule.decide(criterion, values, interval)


def _row(
    kind: Kind, truth: str, seeds: int, verdicts: Sequence[str], family: int = 1
) -> dict[str, object]:
    shares = {word.replace(" ", "_"): verdicts.count(word) / len(verdicts) for word in COUNTED}
    row = {"claim": kind.says, "truth": truth, "is_true": truth not in kind.false_when}
    return {**row, "networks": seeds, "family": family, "draws": len(verdicts), **shares}


def write() -> None:
    """Write the table that the report shows."""
    study().to_csv(rule.STUDY, index=False, float_format=tables.NUMBER)
