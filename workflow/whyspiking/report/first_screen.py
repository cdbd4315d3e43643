"""The answer on one screen: what spikes bought, what they did not, what stayed open.

Only an advantage at equal input, size, samples and tuning may be called bought: a comparison on a
shared task, with its interval, corrected for their number. What networks merely use, and what they
cost, is told in other words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from whyspiking.records.tables import Table
from whyspiking.report import html
from whyspiking.report.same_task_rows import Cell, Ground, Method, Row
from whyspiking.verdicts.answers import Answer
from whyspiking.verdicts.common_ground import BETTER, EQUAL, NO_CONTROL, UNDECIDED, WORSE

MOST_NAMED = 3
"""Comparisons that are told by name; more are counted by task."""
BESIDE = {
    "latency": "an earlier answer",
    "robustness": "more robustness",
    "energy": "less energy whatever is counted",
}
"""Axes that compare with the talks' own controls: what a yes means, in few words."""


@dataclass(frozen=True)
class Balance:
    """Every network with spikes on every shared task, by the verdict on it.

    Attributes:
        found: Verdict -> method and cell.
        ground: For names.
    """

    found: Mapping[str, Sequence[tuple[Method, Cell]]]
    ground: Ground

    @classmethod
    def of(cls, ground: Ground) -> Balance:
        """Collect the verdicts; what has no spikes does not count."""
        found: dict[str, list[tuple[Method, Cell]]] = {}
        for cell in ground.cells:
            for method, row in cell.methods.items():
                if _spikes(ground, row):
                    found.setdefault(row["verdict"], []).append((method, cell))
        return cls(found, ground)

    def count(self, *verdicts: str) -> int:
        """Number of comparisons with one of these verdicts."""
        return sum(len(self.found.get(verdict, ())) for verdict in verdicts)

    def names(self, verdict: str) -> str:
        """Who, and on which tasks, in words."""
        cells: dict[str, list[Cell]] = {}
        for method, cell in self.found.get(verdict, ()):
            cells.setdefault(self.ground.label(method), []).append(cell)
        return "; ".join(f"{name} on {_tasks(own)}" for name, own in cells.items())

    def by_task(self, verdict: str) -> str:
        """How many networks of how many, task by task, in words."""
        told: dict[str, list[int]] = {}
        for name, own in self.found.items():
            for _, cell in own:
                count = told.setdefault(cell.task.title, [0, 0])
                count[0] += name == verdict
                count[1] += name != NO_CONTROL
        return ", ".join(f"{n} of {of} on {task}" for task, (n, of) in told.items() if n)


def _spikes(ground: Ground, row: Row) -> bool:
    return ground.talks[row["talk"]].experiments[row["experiment"]].simulated


def _tasks(cells: Sequence[Cell]) -> str:
    """Names of tasks, their own values together: Randman, delayed XOR (25 ms, 100 ms)."""
    values: dict[str, list[str]] = {}
    for cell in cells:
        values.setdefault(cell.task.title, []).append(cell.value)
    told = [name + (f" ({', '.join(own)})" if any(own) else "") for name, own in values.items()]
    return " and ".join(filter(None, [", ".join(told[:-1]), told[-1]]))


def words(ground: Ground, answers: Sequence[Answer], programme: Table, delta: float) -> Markup:
    """Three computed sentences.

    Args:
        ground: The shared tasks.
        answers: The axes, for what was held against the talks' own controls.
        programme: Rows of programme.csv.
        delta: Accuracies that differ less count as equal.
    """
    balance = Balance.of(ground)
    counts = {
        "compared": balance.count(BETTER, EQUAL, WORSE, UNDECIDED),
        **{name: balance.count(verdict) for name, verdict in VERDICTS.items()},
    }
    names = {
        name: balance.by_task(verdict)
        if name == "worse" or counts[name] > MOST_NAMED
        else balance.names(verdict)
        for name, verdict in VERDICTS.items()
    }
    beside = [
        (told, a) for k, told in BESIDE.items() for a in answers if a.axis == k and a.measured
    ]
    rows = programme.to_dict("records")
    first = next((told for row in rows if (told := plan(ground, row)) is not None), None)
    points = f"{100 * delta:g} points"
    unset = [task.title for task, _ in ground.without]
    return html.macros("first_screen").words(counts, names, points, beside, first, unset)


VERDICTS = {
    "better": BETTER,
    "equal": EQUAL,
    "worse": WORSE,
    "undecided": UNDECIDED,
    "unmatched": NO_CONTROL,
}


def plan(ground: Ground, row: Mapping[str, Any]) -> dict[str, Any] | None:
    """One row of the programme for readers; None where its network has no spikes.

    Args:
        ground: The shared tasks.
        row: Of programme.csv.
    """
    method = (row["talk"], row["variant"])
    at = str(row["at"])
    cell = next((c for c in ground.cells if c.name == row["task"] and str(c.at) == at), None)
    if cell is None or method not in cell.methods or not _spikes(ground, cell.methods[method]):
        return None
    return {**row, "label": ground.label(method), "cell": cell.title}
