"""The answer on one screen: what training reaches with spikes and without, and what that costs.

Title and sentences are read of advantage.csv, task by task: with trained networks only, since those
built by hand say what is possible. Numbers stand in the figure beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from markupsafe import Markup

from whyspiking.declared import registry
from whyspiking.measures.accounting import MAIN
from whyspiking.records import tables
from whyspiking.records.tables import Table
from whyspiking.report import html
from whyspiking.report.frontier_figure import ACCOUNT, CLOCKED
from whyspiking.verdicts.advantage import CHEAPER, DEARER, NO_DIFFERENCE, OPEN, WITHHELD
from whyspiking.verdicts.answers import Answer
from whyspiking.verdicts.frontiers import COSTS, OPPONENTS, TRAINED, TWIN, best, side
from whyspiking.verdicts.rule import PASSES

BESIDE = {
    "latency": "an earlier answer",
    "robustness": "more robustness",
}
"""Axes that compare with the talks' own controls: what a yes means, in few words."""
SAYS = {
    CHEAPER: "cheaper",
    DEARER: "dearer",
    NO_DIFFERENCE: "no different",
    OPEN: "undecided",
    "": "without a common level",
}
"""Word of a ratio -> how sentences put it, in their order."""
ASKS = {
    TWIN: "its twin: is it the spike?",
    "gated": "gated units: is it the memory?",
    TRAINED: "all that is trained without",
    "everything": "everything, built by hand too",
}
"""Opponent -> how a table calls it."""


def titles() -> dict[str, str]:
    """Task -> its question in few words, where references are made."""
    return {
        name: experiment.title.replace(", ", ": ", 1)
        for talk in registry.with_protocol(registry.available())
        for name, experiment in registry.load_talk(talk).experiments.items()
    }


@dataclass(frozen=True)
class Answered:
    """What the frontiers say of networks with spikes.

    Attributes:
        networks: Rows of frontiers.csv.
        advantage: Rows of advantage.csv.
        titles: Task -> its question in few words, in order.
        recorded: Whether they are those of the record, since a run has too few of its own.
    """

    networks: Table
    advantage: Table
    titles: Mapping[str, str]
    recorded: bool = False

    @cached_property
    def read(self) -> dict[tuple[str, str, str], Mapping[str, Any]]:
        """(beside, cost, task) -> row, where both sides have networks and somebody learned."""
        rows = self.advantage[self.advantage["way"].notna()].to_dict("records")
        return {(row["beside"], row["cost"], row["task"]): row for row in rows}

    def rows(self, beside: str, cost: str) -> dict[str, Mapping[str, Any]]:
        """Task by its name -> row of one comparison."""
        return {
            title.partition(":")[0]: self.read[beside, cost, task]
            for task, title in self.titles.items()
            if (beside, cost, task) in self.read
        }

    @property
    def title(self) -> str:
        """Why spiking, in few words; empty where nothing was compared."""
        rows = self.rows(TRAINED, ACCOUNT)
        overall = {task: row["over"] for task, row in rows.items() if row["word"] != WITHHELD}
        if not overall:
            return "no answer yet" if rows else ""
        cheaper = [task for task, word in overall.items() if word == CHEAPER]
        accounts = [self.rows(TRAINED, cost)[task]["word"] for cost in MAIN for task in overall]
        energy = (
            "for energy, whatever is counted"
            if len(cheaper) == len(rows)
            else f"for energy on {len(cheaper)} of {len(rows)} tasks, whatever is counted"
            if cheaper
            else "whether for energy depends on what is counted"
            if CHEAPER in accounts
            else "not for energy so far"
        )
        alone = [task for task, row in rows.items() if _reach(row) == (True, False)]
        return f"for right answers on {listed(alone)}; {energy}" if alone else energy

    @property
    def sentences(self) -> list[str]:
        """What training reaches; what it costs beside the best without spikes, beside the twin."""
        rows = self.rows(TRAINED, ACCOUNT)
        told = {
            "Beside the best without, at the same accuracy, spikes are": TRAINED,
            "Beside their graded twin, all but the spike, they are": TWIN,
        }
        costs = [f"{begins} {self._costs(beside)}." for begins, beside in told.items()]
        return [self._reached(), *costs] if rows else []

    def _reached(self) -> str:
        """How many answers of trained networks are right, with spikes and without."""
        said, above = [], []
        for name, row in self.rows(TRAINED, ACCOUNT).items():
            own = tables.where(self.networks, task=row["task"])
            both = (
                best(side(own, TRAINED, spikes=x), "seed")["test"].mean() for x in (True, False)
            )
            said.append(f"{name} {' and '.join(f'{100 * share:.0f}' for share in both)} %")
            above += [name] * (row["word"] == WITHHELD)
        told = f"Right answers after training, with spikes and without: {', '.join(said)}."
        why = "a talk’s method beats these networks with spikes, so no more is said"
        return f"{told} On {listed(above)} {why}." if above else told

    def _costs(self, beside: str) -> str:
        """On which tasks spikes are cheaper, dearer or neither; which change where clocked."""
        events = {t: r for t, r in self.rows(beside, ACCOUNT).items() if r["word"] != WITHHELD}
        clocked = self.rows(beside, CLOCKED)
        other = {t: clocked[t] for t, row in events.items() if clocked[t]["word"] != row["word"]}
        if not events:
            return "held against nothing"
        return f"{_worded(events)}; clocked {_worded(other) if other else 'likewise'}"


def _worded(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Tasks by the word on them, and how many times."""
    said = []
    for word, says in SAYS.items():
        own = {task: row["ratio"] for task, row in rows.items() if row["word"] == word}
        if own:
            times = sorted(max(ratio, 1 / ratio) for ratio in own.values())
            ends = dict.fromkeys(f"{x:.2g}" for x in (times[0], times[-1]))
            told = f" ({' to '.join(ends)} times)" if word in (CHEAPER, DEARER) else ""
            said.append(f"{says} on {listed(own)}{told}")
    return ", ".join(said)


def _reach(row: Mapping[str, Any]) -> tuple[bool, bool]:
    """Whether the level is reached on all seeds, with spikes and without."""
    return row["reached"] == row["seeds"], row["reached_theirs"] == row["seeds"]


def listed(names: Iterable[str]) -> str:
    """Names in a list with "and"."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def words(
    answered: Answered,
    answers: Sequence[Answer],
    sentences: Mapping[str, Sequence[Mapping[str, Any]]],
) -> Markup:
    """The answer in full: what is claimed, and every comparison of every task.

    Args:
        answered: The frontiers, as they were read.
        answers: The axes, for what was held against the talks' own controls.
        sentences: Paragraph -> rows of the verdict table whose claims stand in it.
    """
    beside = [
        (words, a) for k, words in BESIDE.items() for a in answers if a.axis == k and a.measured
    ]
    rows = [
        (task, ASKS[opponent], {cost: answered.rows(opponent, cost)[task] for cost in COSTS})
        for task in answered.rows(TRAINED, ACCOUNT)
        for opponent in OPPONENTS
        if task in answered.rows(opponent, ACCOUNT)
    ]
    return html.macros("first_screen").words(beside, sentences, PASSES, rows, MAIN)
