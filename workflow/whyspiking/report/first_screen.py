"""The answer on one screen: what spikes bought, what they did not, what stayed open.

Only an advantage at equal input, samples and tuning may be called bought: a comparison on a
shared task, with its interval, corrected for their number. What networks merely use, and what they
cost, is told in other words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from whyspiking.records.tables import Table
from whyspiking.report import html
from whyspiking.report.same_task_rows import Cell, Ground
from whyspiking.verdicts.answers import Answer
from whyspiking.verdicts.common_ground import BETTER, EQUAL, UNDECIDED, WORSE, YES
from whyspiking.verdicts.prices import NOT_EQUAL
from whyspiking.verdicts.rule import PASSES

MOST_NAMED = 3
"""Most comparisons that are named; more are counted by task."""
BESIDE = {
    "latency": "an earlier answer",
    "robustness": "more robustness",
}
"""Axes that compare with the talks' own controls: what a yes means, in few words."""


type Comparison = tuple[str, str, Cell]
"""Verdict on a network with spikes, its name, the task."""


@dataclass(frozen=True)
class Found:
    """What the title and the first three sentences count, of networks with spikes.

    Attributes:
        verdicts: On accuracy, beside matched controls.
        energy: Cheaper, dearer or depends, beside networks without spikes of equal accuracy.
        wins: Where accuracy is better, in words.
    """

    verdicts: Counter[str]
    energy: Counter[str]
    wins: str = ""

    @classmethod
    def of(cls, ground: Ground, prices: Table) -> Found:
        """Count them.

        Args:
            ground: The shared tasks.
            prices: Rows of prices.csv.
        """
        every = _comparisons(ground)
        counted = Counter(prices["energy"][prices["counted"] == YES])
        return cls(Counter(verdict for verdict, *_ in every), counted, _names(every, BETTER))


def _comparisons(ground: Ground) -> list[Comparison]:
    """Every network with spikes on every shared task where sentences count the comparison."""
    return [
        (row["verdict"], ground.label(method), cell)
        for cell in ground.cells
        for method, row in cell.methods.items()
        if ground.spikes(row) and row["counted"] == YES
    ]


def _names(comparisons: Sequence[Comparison], verdict: str) -> str:
    """Who has a verdict, and on which tasks, in words."""
    cells: dict[str, list[Cell]] = {}
    for _, name, cell in (entry for entry in comparisons if entry[0] == verdict):
        cells.setdefault(name, []).append(cell)
    return "; ".join(f"{name} on {_tasks(own)}" for name, own in cells.items())


def _by_task(comparisons: Sequence[Comparison], verdict: str) -> str:
    """How many networks of how many have a verdict, task by task, in words."""
    order = list(dict.fromkeys(word for word, *_ in comparisons))
    own: dict[str, list[str]] = {}
    for word, _, cell in sorted(comparisons, key=lambda entry: order.index(entry[0])):
        own.setdefault(cell.task.title, []).append(word)
    counts = {t: (w.count(verdict), len(w)) for t, w in own.items()}
    return ", ".join(f"{n} of {of} on {task}" for task, (n, of) in counts.items() if n)


def _tasks(cells: Sequence[Cell]) -> str:
    """Names of tasks, their own values together: Randman, delayed match (25 ms, 100 ms)."""
    values: dict[str, list[str]] = {}
    for cell in cells:
        values.setdefault(cell.task.title, []).append(cell.value)
    names = [name + (f" ({', '.join(own)})" if any(own) else "") for name, own in values.items()]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def words(
    ground: Ground,
    answers: Sequence[Answer],
    programme: Table,
    prices: Table,
    delta: float,
    sentences: Mapping[str, Sequence[Mapping[str, Any]]],
) -> Markup:
    """Computed sentences on what was bought, at which price, what was not, and what stayed open.

    Args:
        ground: The shared tasks.
        answers: The axes, for what was held against the talks' own controls.
        programme: Rows of programme.csv.
        prices: Rows of prices.csv.
        delta: Accuracies that differ less count as equal.
        sentences: Paragraph -> rows of the verdict table whose claims stand in it.
    """
    comparisons = _comparisons(ground)
    verdicts = [verdict for verdict, *_ in comparisons]
    counts = {name: verdicts.count(verdict) for name, verdict in VERDICTS.items()}
    counts["compared"] = len(verdicts)
    every = [row for cell in ground.cells for row in cell.methods.values() if ground.spikes(row)]
    names = {
        name: _by_task(comparisons, verdict)
        if name == "worse" or counts[name] > MOST_NAMED
        else _names(comparisons, verdict)
        for name, verdict in VERDICTS.items()
    }
    beside = [
        (words, a) for k, words in BESIDE.items() for a in answers if a.axis == k and a.measured
    ]
    unset = [task.title for task, _ in ground.without]
    return html.macros("first_screen").words(
        counts,
        names,
        f"{100 * delta:g} points",
        beside,
        next(plans(ground, programme), None),
        unset,
        Counter(row["counted"] for row in every if row["counted"] != YES),
        _verdicts(ground, "twin"),
        {word: len(where) for word, where in _verdicts(ground, "beside").items()},
        int((prices["counted"] == NOT_EQUAL).sum()),
        Counter(prices["energy"][prices["counted"] == YES]),
        sentences,
        PASSES,
    )


def _verdicts(ground: Ground, other: str) -> dict[str, list[str]]:
    """Verdict on networks with spikes beside another -> who has it, and where.

    Args:
        ground: The shared tasks.
        other: "twin", or "beside" for the control of the other equal size.
    """
    found: dict[str, list[str]] = {}
    for cell in ground.cells:
        for method, row in cell.methods.items():
            if row[f"{other}_verdict"] and ground.spikes(row):
                told = f"{ground.label(method)} on {cell.title}"
                found.setdefault(str(row[f"{other}_verdict"]), []).append(told)
    return found


VERDICTS = {"better": BETTER, "equal": EQUAL, "worse": WORSE, "undecided": UNDECIDED}


def plans(ground: Ground, programme: Table) -> Iterator[dict[str, Any]]:
    """The rows of the programme for readers, of networks with spikes.

    Args:
        ground: The shared tasks.
        programme: Rows of programme.csv.
    """
    cells = {(cell.name, str(cell.at)): cell for cell in ground.cells}
    for row in programme.to_dict("records"):
        method, cell = (row["talk"], row["variant"]), cells.get((row["task"], str(row["at"])))
        if cell is not None and method in cell.methods and ground.spikes(cell.methods[method]):
            yield {**row, "label": ground.label(method), "cell": cell.title}
