"""Energy ratios of trained spiking networks, one row per task and competitor.

All numbers are read from advantage.csv. A reader of the page can change the cost model: the numbers
of every row under all of them are in the page, and `energy.js` shows those that are chosen.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from whyspiking.measures.accounting import MAIN
from whyspiking.report import html
from whyspiking.report.first_screen import (
    COMPETITORS,
    VERDICTS,
    Comparisons,
    name_better_network,
    round_ratio,
)
from whyspiking.report.frontier_figure import ACCOUNT
from whyspiking.verdicts.advantage import INCONCLUSIVE, LESS, MORE, NO_DIFFERENCE, NOT_ASSESSED
from whyspiking.verdicts.frontiers import BEST_OVERALL, BEST_TRAINED, GRU, LEAKY_UNITS

MARKS = {
    LESS: "decided",
    MORE: "decided",
    NO_DIFFERENCE: "unclear",
    INCONCLUSIVE: "unclear",
    NOT_ASSESSED: "unassessed",
    "": "absent",
}
"""Verdict -> class of the mark in the plot."""
LABELS = COMPETITORS | {
    LEAKY_UNITS: "the same leaky units without spikes",
    GRU: "GRUs (gated recurrent networks)",
    "relu": "ReLU networks (feed-forward)",
    BEST_OVERALL: "best, hand-designed ones included",
}
"""Competitor or family -> its name in a row."""
OCTAVES = (-5, 6)
"""Ends of the axis as powers of two; every ratio of the reference results lies between them."""


@dataclass(frozen=True)
class Row:
    """One competitor on one task.

    Attributes:
        label: What spiking networks are compared with.
        is_best: Whether it is the best trained non-spiking network.
        by_cost: Cost model -> row of advantage.csv.
    """

    label: str
    is_best: bool
    by_cost: Mapping[str, Mapping[str, Any]]

    @property
    def numbers(self) -> str:
        """What the page shows under each cost model, as JSON."""
        return json.dumps({cost: describe(row) for cost, row in self.by_cost.items()})

    @property
    def shown(self) -> dict[str, Any]:
        """What the page shows at first."""
        return describe(self.by_cost[ACCOUNT])

    @property
    def span(self) -> tuple[float, float] | None:
        """Place of the lowest and of the highest ratio over the cost models, in percent."""
        ratios = [row["ratio"] for row in self.by_cost.values() if np.isfinite(row["ratio"])]
        return (place(min(ratios)), place(max(ratios))) if ratios else None


def place(ratio: float) -> float:
    """Place of a ratio on the axis, in percent of its length."""
    low, high = OCTAVES
    return round(100 * (float(np.clip(np.log2(ratio), low, high)) - low) / (high - low), 2)


def describe(row: Mapping[str, Any]) -> dict[str, Any]:
    """Mark, places, and text of one comparison under one cost model."""
    described = {"mark": MARKS[row["verdict"]], "verdict": VERDICTS[row["verdict"]]}
    described |= {"ratio": "–", "interval": "", "at": None, "ends": None}
    if np.isfinite(row["ratio"]):
        low, ratio, high = (row[name] for name in ("ci_low", "ratio", "ci_high"))
        described |= {
            "ratio": round_ratio(ratio),
            "interval": f"{round_ratio(low)} to {round_ratio(high)}",
            "at": place(ratio),
            "ends": [place(low), place(high)],
        }
    return described


def list_rows(comparisons: Comparisons, task: str) -> Iterator[Row]:
    """The competitors on one task: the best one, other families, and hand-designed networks.

    A competitor with the same ratio as the best one is left out.

    Args:
        comparisons: All comparisons.
        task: Identifier of the task.
    """
    best = comparisons.by_place.get((BEST_TRAINED, ACCOUNT, task), {})
    for competitor in dict.fromkeys((BEST_TRAINED, *comparisons.competitors)):
        rows = {cost: comparisons.by_place.get((competitor, cost, task)) for cost in MAIN}
        by_cost = {cost: row for cost, row in rows.items() if row is not None}
        is_best = competitor == BEST_TRAINED
        label = LABELS.get(competitor, competitor)
        if is_best:
            family = LABELS.get(best["cheapest_family"], best["cheapest_family"])
            family_row = comparisons.by_place.get((best["cheapest_family"], ACCOUNT, task), best)
            is_one_family = _have_equal_ratios(family_row, best)
            label = f"best: {family if is_one_family else 'depends on the data set'}"
        elif len(by_cost) < len(MAIN) or _have_equal_ratios(by_cost[ACCOUNT], best):
            continue
        yield Row(label, is_best, by_cost)


def _have_equal_ratios(row: Mapping[str, Any], other_row: Mapping[str, Any]) -> bool:
    """Tell whether two comparisons have the same ratio."""
    return bool(np.isclose(row["ratio"], other_row["ratio"], rtol=1e-6, equal_nan=True))


def _write_verdicts(rows: Sequence[Mapping[str, Any]]) -> str:
    """Verdicts and ratios of one comparison over all cost models.

    Each verdict has the number of cost models under which it holds.
    """
    of_cost_models = f"of {len(rows)} cost models"
    clauses = []
    for verdict, n in Counter(row["verdict"] for row in rows).most_common():
        ratios = [row["ratio"] for row in rows if row["verdict"] == verdict]
        clause = (
            f"{VERDICTS[verdict]} under {n} {of_cost_models if not clauses else f'of {len(rows)}'}"
        )
        if verdict == NOT_ASSESSED:
            better = dict.fromkeys(name_better_network(x) for x in rows if x["verdict"] == verdict)
            clause = f"{clause} (a network of {' and '.join(better)} was better)"
        elif verdict:
            low, high = round_ratio(min(ratios)), round_ratio(max(ratios))
            clause = f"{clause} (ratio {low if low == high else f'{low} to {high}'})"
        clauses.append(clause)
    return "; ".join(clauses)


def draw(comparisons: Comparisons) -> Markup:
    """The table of ratios for the page; tasks without a verdict under any cost model come last.

    Args:
        comparisons: All comparisons.
    """
    tasks = []
    for name, main in comparisons.rows(BEST_TRAINED, ACCOUNT).items():
        task = main["task"]
        verdicts = comparisons.verdicts(BEST_TRAINED)[name]
        tasks.append(
            {
                "title": comparisons.titles[task].split(": ", 1),
                "accuracy": main["accuracy"],
                "n_seeds": main["n_seeds"],
                "verdicts": _write_verdicts(verdicts),
                "is_assessed": any(row["verdict"] not in ("", NOT_ASSESSED) for row in verdicts),
                "rows": list(list_rows(comparisons, task)),
            }
        )
    tasks.sort(key=lambda task: not task["is_assessed"])
    ticks = [(place(2.0**k), f"{2**k}" if k >= 0 else f"1/{2**-k}") for k in range(-4, 6)]
    return html.macros("energy").forest(tasks, ticks, place(1.0))
