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
from whyspiking.verdicts.common_ground import BETTER, EQUAL, NO_CONTROL, UNDECIDED, WORSE
from whyspiking.verdicts.prices import CHEAPER, YES
from whyspiking.verdicts.rule import PASSES

MOST_NAMED = 3
"""Most comparisons that are named; more are counted by task."""
BESIDE = {
    "latency": "an earlier answer",
    "robustness": "more robustness",
}
"""Axes that compare with the talks' own controls: what a yes means, in few words."""


type Comparison = tuple[str, str, Cell, str]
"""Verdict on a network with spikes, its name, the task, the verdict if it made no error."""


@dataclass(frozen=True)
class Found:
    """What the title and the first three sentences count, of networks with spikes.

    Attributes:
        verdicts: On accuracy, where a network without an error could be called better.
        closed: Comparisons in which it could not.
        energy: Whether the task is a sequence -> cheaper, dearer or depends -> number, beside the
            smallest control of equal accuracy.
        cheaper_at: Least and largest accuracy of those that are cheaper; none where none is.
    """

    verdicts: Counter[str]
    closed: int
    energy: Mapping[bool, Counter[str]]
    cheaper_at: Sequence[float] = ()

    @classmethod
    def of(cls, ground: Ground, prices: Table) -> Found:
        """Count them.

        Args:
            ground: The shared tasks.
            prices: Rows of prices.csv.
        """
        every = _comparisons(ground)
        open_ = [verdict for verdict, _, _, could in every if could in ("", BETTER)]
        priced = prices[prices["counted"] == YES]
        tasks = {cell.name: cell.sequence for cell in ground.cells}
        where = priced["task"].map(tasks)
        energy = {kind: Counter(priced["energy"][where == kind]) for kind in (True, False)}
        verdicts = Counter(verdict for verdict in open_ if verdict in COMPARED)
        cheaper = priced["accuracy"][priced["energy"] == CHEAPER]
        ends = () if cheaper.empty else (float(cheaper.min()), float(cheaper.max()))
        return cls(verdicts, len(every) - len(open_), energy, ends)

    @property
    def compared(self) -> int:
        """Comparisons of accuracy that count."""
        return self.verdicts.total()

    def priced(self, word: str) -> int:
        """Comparisons of energy with this word; "" for all."""
        return sum(own.total() if not word else own[word] for own in self.energy.values())


def _comparisons(ground: Ground) -> list[Comparison]:
    """Every network with spikes on every shared task; what has no spikes does not count."""
    return [
        (row["verdict"], ground.label(method), cell, row["could"])
        for cell in ground.cells
        for method, row in cell.methods.items()
        if ground.spikes(row)
    ]


def _names(comparisons: Sequence[Comparison], verdict: str) -> str:
    """Who has a verdict, and on which tasks, in words."""
    cells: dict[str, list[Cell]] = {}
    for _, name, cell, _ in (entry for entry in comparisons if entry[0] == verdict):
        cells.setdefault(name, []).append(cell)
    return "; ".join(f"{name} on {_tasks(own)}" for name, own in cells.items())


def _by_task(comparisons: Sequence[Comparison], verdict: str) -> str:
    """How many networks of how many have a verdict, task by task, in words."""
    order = list(dict.fromkeys(word for word, *_ in comparisons))
    own: dict[str, list[str]] = {}
    for word, _, cell, _ in sorted(comparisons, key=lambda entry: order.index(entry[0])):
        own.setdefault(cell.task.title, []).append(word)
    counts = {t: (w.count(verdict), len(w) - w.count(NO_CONTROL)) for t, w in own.items()}
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
    every = _comparisons(ground)
    # Where a perfect network could not be called better, that it is not says nothing.
    closed = [entry for entry in every if entry[3] not in ("", BETTER)]
    comparisons = [entry for entry in every if entry not in closed]
    verdicts = [verdict for verdict, *_ in comparisons]
    counts = {name: verdicts.count(verdict) for name, verdict in VERDICTS.items()}
    counts["compared"] = sum(verdict in COMPARED for verdict in verdicts)
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
        next((plan for plan in plans(ground, programme) if plan["could"] == BETTER), None),
        unset,
        len(closed),
        _verdicts(ground, "twin"),
        {word: len(where) for word, where in _verdicts(ground, "beside").items()},
        Counter(prices["counted"]),
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


COMPARED = (BETTER, EQUAL, WORSE, UNDECIDED)
VERDICTS = {
    "better": BETTER,
    "equal": EQUAL,
    "worse": WORSE,
    "undecided": UNDECIDED,
    "unmatched": NO_CONTROL,
}


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
            could = cell.methods[method]["could"]
            yield {**row, "label": ground.label(method), "cell": cell.title, "could": could}
