"""When should I use spikes? A table with one row per task, for the page and README."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np

from whyspiking.declared.shared_tasks import InputKind, shared_tasks
from whyspiking.measures.accounting import MAIN
from whyspiking.report.first_screen import COMPETITORS, VERDICTS, Comparisons, round_ratio
from whyspiking.report.frontier_figure import ACCOUNT
from whyspiking.verdicts.advantage import NOT_ASSESSED
from whyspiking.verdicts.frontiers import BEST_TRAINED

KINDS = get_args(InputKind.__value__)
"""How an input arrives, in the order of the rows."""
OTHER_KIND = "other"
HEADS = (
    "Input",
    "Shared task",
    "Accuracy in %: best spiking / best non-spiking",
    "Energy ratio [95 % CI]",
    "Lowest and highest ratio under the other three cost models",
    "Best non-spiking network",
    "Verdict (number of cost models)",
    "Smallest detectable ratio",
)
ABSENT = "–"


def markdown(comparisons: Comparisons | None) -> str:
    """The lines of its rows for README, each with its newline."""
    rows = table(comparisons) if comparisons else []
    rows = rows or [("No reference networks are recorded yet", *[ABSENT] * (len(HEADS) - 1))]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def table(comparisons: Comparisons) -> list[tuple[str, ...]]:
    """A row per task with the columns `HEADS`, compared with the best trained non-spiking one."""
    # Figures call a task by the first word of its title.
    kinds = {task.title.split()[0]: task.input_kind for task in shared_tasks().values()}
    rows = []
    for task, under_costs in comparisons.verdicts(BEST_TRAINED).items():
        by_cost = dict(zip(MAIN, under_costs, strict=True))
        main = by_cost.pop(ACCOUNT)
        has_ratio = bool(np.isfinite(main["ratio"]))
        family = (
            COMPETITORS.get(main["cheapest_family"], main["cheapest_family"])
            if has_ratio
            else ABSENT
        )
        # An interval excludes 1 if the ratio is at least half of its width away, on a log scale.
        detectable = f"{np.sqrt(main['ci_high'] / main['ci_low']):.2f}" if has_ratio else ABSENT
        rows.append(
            (
                kinds.get(task, OTHER_KIND),
                task,
                " / ".join(comparisons.accuracies[task]),
                _write_ratio(main),
                _write_range(list(by_cost.values())),
                family,
                count_verdicts(under_costs),
                detectable,
            )
        )
    return sorted(rows, key=lambda row: [*KINDS, OTHER_KIND].index(row[0]))


def count_verdicts(rows: Sequence[Mapping[str, Any]]) -> str:
    """The verdicts of one comparison, each with the number of cost models that have it."""
    counts = Counter(VERDICTS[row["verdict"]] for row in rows)
    return ", ".join(f"{verdict} ({n})" for verdict, n in counts.most_common())


def _write_ratio(row: Mapping[str, Any]) -> str:
    """An energy ratio with its interval, or why there is none."""
    if row["verdict"] in (NOT_ASSESSED, ""):
        return VERDICTS[row["verdict"]]
    low, ratio, high = (round_ratio(row[name]) for name in ("ci_low", "ratio", "ci_high"))
    return f"{ratio} [{low}, {high}]"


def _write_range(rows: Sequence[Mapping[str, Any]]) -> str:
    """Lowest and highest ratio of the comparisons that are assessed."""
    ratios = [row["ratio"] for row in rows if row["verdict"] not in (NOT_ASSESSED, "")]
    return f"{round_ratio(min(ratios))}, {round_ratio(max(ratios))}" if ratios else ABSENT
