"""The answer on one screen: what training reaches with spikes and without, and what that costs.

Title and sentences are read of advantage.csv, task by task. A sceptic may replace the opponent, by
any family without spikes, all of them, or these and what was built by hand, and the account of the
energy, by any of the four. So a word is said beside the opponent that it holds for, only if no
account turns it, and without naming one only if no opponent does either; else the screen says what
turns it. Numbers stand in the figure beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from markupsafe import Markup

from whyspiking.datasets.shared import STREAMS
from whyspiking.declared import registry
from whyspiking.measures.accounting import MAIN
from whyspiking.records import columns, reference, tables
from whyspiking.records.tables import Table
from whyspiking.report import html
from whyspiking.report.frontier_figure import ACCOUNT
from whyspiking.verdicts import programme as decisive
from whyspiking.verdicts.advantage import CHEAPER, DEARER, NO_DIFFERENCE, OPEN, WITHHELD
from whyspiking.verdicts.answers import Answer
from whyspiking.verdicts.frontiers import (
    COSTS,
    EVERYTHING,
    GATED,
    LIF,
    RULE,
    TRAINED,
    TWIN,
    best,
    side,
)
from whyspiking.verdicts.rule import PASSES

BESIDE = {
    "latency": "an earlier answer",
    "robustness": "more robustness",
}
"""Axes that compare with the talks' own controls: what a yes means, in few words."""
SAYS = {CHEAPER: "cheaper", DEARER: "dearer", NO_DIFFERENCE: "no different"}
"""Word of a ratio -> how sentences put it, in their order; other words are no answer."""
BESIDES = {
    TWIN: "their graded twin",
    GATED: "gated units",
    "relu": "ReLU units told at once",
    EVERYTHING: "all, even hand-built,",
}
"""Opponent -> how sentences call it."""
ELSEWHERE = {OPEN: "seeds differ too much", "": "one side falls short"}
"""What is no word under all accounts -> why none is said; else accounts turn it."""
WORDS = 120
"""Of title and sentences together, above which tasks are counted and not named."""
ASKS = {
    TWIN: "its twin: is it the spike?",
    GATED: "gated units: is it the memory?",
    "relu": "ReLU units told at once: is it time?",
    TRAINED: "all that is trained without",
    EVERYTHING: "everything, built by hand too",
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
        told = self.advantage["way"].notna() & (self.advantage["who"] == "spikes")
        rows = self.advantage[told].to_dict("records")
        return {(row["beside"], row["cost"], row["task"]): row for row in rows}

    def rows(self, beside: str, cost: str) -> dict[str, Mapping[str, Any]]:
        """Task by the first word of its name -> row of one comparison."""
        return {
            title.split()[0].rstrip(":"): self.read[beside, cost, task]
            for task, title in self.titles.items()
            if (beside, cost, task) in self.read
        }

    @cached_property
    def over(self) -> dict[str, dict[str, str]]:
        """Opponent -> task by its name -> what all four accounts say of spikes beside it."""
        families = dict.fromkeys(x for x, *_ in self.read if x not in (TRAINED, EVERYTHING, LIF))
        asked = self.rows(TRAINED, ACCOUNT)
        return {
            beside: {t: row["over"] for t, row in self.rows(beside, ACCOUNT).items() if t in asked}
            for beside in (*families, TRAINED, EVERYTHING)
        }

    @cached_property
    def stands(self) -> dict[str, str]:
        """Task by its name -> the word that no opponent and no account turns."""
        return {
            task: word
            for task, word in self.over[TRAINED].items()
            if word in SAYS and {own.get(task) or word for own in self.over.values()} == {word}
        }

    @property
    def title(self) -> str:
        """Why spiking, in few words; empty where nothing was compared."""
        rows = self.rows(TRAINED, ACCOUNT)
        counted = [task for task, row in rows.items() if row["word"] != WITHHELD]
        if not counted:
            return "no answer yet" if rows else ""
        cheaper = list(self.stands.values()).count(CHEAPER)
        on = "" if cheaper == len(rows) else f" on {cheaper} of {len(rows)} tasks"
        alike = f"for energy{on}, whatever is counted and compared"
        energy = alike if cheaper else self._turned()
        alone = [task for task in counted if self._alone(task)]
        return f"for right answers on {listed(alone)}; {energy}" if alone else energy

    def _turned(self) -> str:
        """What energy is worth where no task has spikes cheaper in every comparison."""
        words = {
            (task, beside, cost): row["word"]
            for beside in self.over
            for cost in MAIN
            for task, row in self.rows(beside, cost).items()
            if task in self.over[beside] and row["word"] not in ("", WITHHELD)
        }
        if CHEAPER not in words.values():
            return "not for energy so far"
        turns = []
        for place, says in ((2, "counted"), (1, "compared")):
            found: dict[tuple[str, ...], set[str]] = {}
            for key, word in words.items():
                found.setdefault(key[:place] + key[place + 1 :], set()).add(word)
            turns += [says] * any(CHEAPER in own and len(own) > 1 for own in found.values())
        whether = f"if for energy, that depends on what is {listed(turns or [''])}"
        return whether if turns else "for energy beside some networks only"

    def _alone(self, task: str) -> bool:
        """Whether spikes reach the level on all seeds, and no opponent does, by any account."""
        cells = [self.rows(beside, cost).get(task) for beside in self.over for cost in MAIN]
        return all(_reach(row) == (True, False) for row in cells if row)

    @property
    def sentences(self) -> list[str]:
        """What training reaches; what it costs, as far as no account turns it, by opponent."""
        if not self.rows(TRAINED, ACCOUNT):
            return []
        for brief in (False, True):
            *costs, last = self._costs(brief=brief)
            told = [self._reached(), *costs, f"{last} {self._apart}".rstrip()]
            if len(" ".join([self.title, *told]).split()) <= WORDS:
                break
        return told

    @property
    def _apart(self) -> str:
        """The talks whose methods are set fewer than two tasks with time."""
        rules = self.networks[self.networks["kind"] == RULE]
        timed = rules["task"].where(rules["task"].isin(STREAMS))
        each = timed.groupby(
            rules["family"].str.split(" (", regex=False).str[0], sort=False
        ).nunique()
        few = each[each < 2]
        if few.empty:
            return ""
        have = "has" if len(few) == 1 else "have"
        return f"{listed(few.index)} {have} {'at most one' if few.any() else 'no'} task with time."

    def _reached(self) -> str:
        """How many answers of trained networks are right, with spikes and without."""
        said = [f"{name} {' and '.join(x)}" for name, x in self.rights.items()]
        above = [
            name for name, row in self.rows(TRAINED, ACCOUNT).items() if row["word"] == WITHHELD
        ]
        told = f"Right answers in %, with spikes and without: {', '.join(said)}."
        why = "a talk’s method beats these, so no word on energy"
        return f"{told} On {listed(above)} {why}." if above else told

    @cached_property
    def rights(self) -> dict[str, tuple[str, str]]:
        """Task by its name -> right answers in %, of the best with spikes and the best without."""
        found = {}
        for name, row in self.rows(TRAINED, ACCOUNT).items():
            own = tables.where(self.networks, task=row["task"])
            both = (side(own, TRAINED, spikes=x) for x in (True, False))
            found[name] = tuple(f"{100 * best(x, 'seed')['test'].mean():.0f}" for x in both)
        return found

    def _costs(self, *, brief: bool) -> list[str]:
        """The words that hold under all accounts, beside whom, and why there are no more.

        Args:
            brief: Tasks are counted and not named, and neither ratios nor reasons are told.
        """
        told, why = [], []
        if self.stands:
            held = self._worded(TRAINED, self.stands, brief)
            told.append(f"{held}, beside every opponent")
        for beside, over in self.over.items():
            left = {t: w for t, w in over.items() if t not in self.stands and w != WITHHELD}
            said = {task: word for task, word in left.items() if word in SAYS}
            if said and beside != TRAINED:
                name = BESIDES.get(beside, beside)
                told.append(f"beside {name} {self._worded(beside, said, brief)}")
            why += [
                ELSEWHERE.get(word, "accounts disagree")
                for word in left.values()
                if word not in SAYS
            ]
        begins = "At equal accuracy, by all four energy accounts,"
        spikes = "spikes, by number of tasks, are" if brief else "spikes are"
        costs = f"{begins} {spikes} {'; '.join(told)}." if told else f"{begins} no word holds."
        reasons = f"Elsewhere {' or '.join(dict.fromkeys(why))}."
        return [costs, reasons] if why and not brief else [costs]

    def _worded(self, beside: str, words: Mapping[str, str], brief: bool) -> str:
        """Tasks by the word on them, and how many times, over accounts."""
        said = []
        for word, says in SAYS.items():
            own = [task for task in words if words[task] == word]
            ratios = [self.rows(beside, cost)[task]["ratio"] for cost in MAIN for task in own]
            times = [1 / x if word == CHEAPER else x for x in ratios or [1.0]]
            on = str(len(own)) if brief else listed(own or [""])
            told = "" if brief or word == NO_DIFFERENCE else f" ({span(times)} times)"
            said += [f"{says} on {on}{told}"] * bool(own)
        return ", ".join(said)


def span(ratios: Iterable[float]) -> str:
    """The smallest and the largest of some ratios, in two digits."""
    ends = sorted(ratios)
    return " to ".join(dict.fromkeys(f"{float(f'{x:.2g}'):g}" for x in (ends[0], ends[-1])))


def _reach(row: Mapping[str, Any]) -> tuple[bool, bool]:
    """Whether the level is reached on all seeds, with spikes and without."""
    return row["reached"] == row["seeds"], row["reached_theirs"] == row["seeds"]


def recorded(folder: Path) -> Answered | None:
    """What the record says; None where it has no such tables.

    Args:
        folder: Of the record.
    """
    kept = [folder / file for file in ("frontiers.csv", "advantage.csv")]
    if not all(path.is_file() for path in kept):
        return None
    networks, read = (reference.table(path, columns.OF_A_RUN[path.name]) for path in kept)
    return Answered(networks, read, titles(), recorded=True)


def programme(answered: Answered, durations: Table) -> Markup:
    """The experiments that would decide what is open; nothing where there is none.

    Args:
        answered: The frontiers, as they were read.
        durations: Rows of durations.csv.
    """
    rows = decisive.table(answered.advantage, answered.networks, durations)
    return html.macros("first_screen").programme(rows, answered.titles, BESIDES)


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
        (
            task,
            ASKS.get(opponent, opponent),
            {cost: answered.rows(opponent, cost)[task] for cost in COSTS},
        )
        for task in answered.rows(TRAINED, ACCOUNT)
        for opponent in answered.over
        if task in answered.over[opponent]
    ]
    return html.macros("first_screen").words(beside, sentences, PASSES, rows, MAIN)
