"""The answer on one screen: what training reaches with spikes and without, and what that costs.

Title and sentences are read of advantage.csv, task by task. A sceptic may replace the opponent, by
any family without spikes, all of them, or these and what was built by hand, and the account of the
energy, by any of the four. So a word is said only if no account turns it, beside the best without,
and every opponent that turns it is named. Numbers stand in the figure beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from markupsafe import Markup

from whyspiking.declared import registry
from whyspiking.measures.accounting import MAIN
from whyspiking.records import columns, reference, tables
from whyspiking.records.tables import Table
from whyspiking.report import html
from whyspiking.report.frontier_figure import ACCOUNT
from whyspiking.verdicts import advantage
from whyspiking.verdicts import programme as decisive
from whyspiking.verdicts.advantage import CHEAPER, DEARER, NO_DIFFERENCE, OPEN, PARTLY, WITHHELD
from whyspiking.verdicts.answers import Answer
from whyspiking.verdicts.frontiers import (
    COSTS,
    EVERYTHING,
    GATED,
    LIF,
    TRAINED,
    TWIN,
)
from whyspiking.verdicts.rule import PASSES

BESIDE = {
    "latency": "an earlier answer",
    "robustness": "more robustness",
}
"""Axes that compare with the talks' own controls: what a yes means, in few words."""
SAYS = {
    CHEAPER: "{} times less energy",
    DEARER: "{} times the energy",
    NO_DIFFERENCE: "as much energy",
}
"""Word of a ratio -> how sentences put it; other words are no answer."""
LESS = {
    CHEAPER: "they need less",
    DEARER: "they need more",
    NO_DIFFERENCE: "they need as much",
    OPEN: "it is open",
}
"""The same without a number, of a rival that turns what was said; for other words it depends."""
BESIDES = {
    TWIN: "leaky units without a spike",
    GATED: "gated units",
    "relu": "ReLU units",
    TRAINED: "the best without",
    EVERYTHING: "the best, built or trained",
}
"""Rival -> how sentences call it, from one kind to all."""
WHY_NOT = {
    WITHHELD: "we cannot say yet",
    OPEN: "trainings differ too much to say",
    "": "one side gives too few right answers",
}
"""What is no word under all accounts -> why none is said; else accounts turn it."""
WORDS = 91
"""Of title and sentences together, above which tasks are counted and not named."""
ASKS = {
    TWIN: "leaky units without a spike (twin)",
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
        energy = f"to save energy{on}" if cheaper else self._turned()
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
            return "not to save energy, so far"
        turns = []
        for place, says in ((1, "the rival"), (2, "how energy is counted")):
            found: dict[tuple[str, ...], set[str]] = {}
            for key, word in words.items():
                found.setdefault(key[:place] + key[place + 1 :], set()).add(word)
            turns += [says] * any(
                CHEAPER in own and own - {CHEAPER, OPEN} for own in found.values()
            )
        whether = f"whether it saves energy depends on {listed(turns or [''])}"
        return whether if turns else "to save energy, beside some networks only"

    def _alone(self, task: str) -> bool:
        """Whether spikes reach the level on all seeds, and no opponent does, by any account."""
        cells = [self.rows(beside, cost).get(task) for beside in self.over for cost in MAIN]
        return all(row["reached"] == row["seeds"] > row["reached_theirs"] for row in cells if row)

    @property
    def sentences(self) -> list[str]:
        """What training reaches; what it costs, as far as no account turns it, by rival."""
        if not self.rows(TRAINED, ACCOUNT):
            return []
        held = list(self.stands.values())
        counted = (
            f"For equally many, they need less energy on {held.count(CHEAPER)} and more on "
            f"{held.count(DEARER)} of {len(self.rights)} tasks, whatever the rival and counting; "
            "elsewhere it depends."
        )
        forms = [[self._reached(), *told] for told in (self.costs(), [counted])]
        fit = (x for x in forms if len(" ".join([self.title, *x]).split()) <= WORDS)
        return next(fit, forms[-1])

    def _reached(self) -> str:
        """By how much trained networks with spikes are surely ahead or behind, and how often."""
        judged = [own for task, own in self._own.items() if self.over[TRAINED][task] != WITHHELD]
        ahead = [advantage.ahead(own) for own in judged]
        sides = {
            "fewer": [-x.mean for x in ahead if x.high < 0],
            "more": [x.mean for x in ahead if x.low > 0],
        }
        tasks = f"of {len(self._own)} tasks"
        told = [
            f"{span(100 * x for x in own)} points {word} right answers on {len(own)} {tasks}"
            for word, own in sides.items()
            if own
        ] or ["surely neither more nor fewer right answers"]
        return f"Beside the best without, networks with spikes give {listed(told)}."

    @cached_property
    def rights(self) -> dict[str, tuple[str, ...]]:
        """Task by its name -> right answers in %, of the best with spikes and the best without."""
        return {
            task: tuple(f"{100 * one.mean():.0f}" for one in advantage.rights(own))
            for task, own in self._own.items()
        }

    @cached_property
    def _own(self) -> dict[str, Table]:
        """Task by its name -> its networks."""
        rows = self.rows(TRAINED, ACCOUNT).items()
        return {name: tables.where(self.networks, task=row["task"]) for name, row in rows}

    def costs(self) -> list[str]:
        """What spikes need beside the best without, by word, then all rivals that turn it."""
        best, told, turned = self.over[TRAINED], [], []
        for word in SAYS:
            if tasks := [task for task, own in best.items() if own == word]:
                rows = [self.rows(TRAINED, cost)[task] for cost in MAIN for task in tasks]
                needs = SAYS[word].format(
                    span(1 / x["ratio"] if word == CHEAPER else x["ratio"] for x in rows)
                )
                told.append(f"they need {needs} on {listed(tasks)}")
        for rival, over in self.over.items():
            parts: dict[str, list[str]] = {}
            for task, word in best.items():
                if word in SAYS and over.get(task, word) not in (word, ""):
                    parts.setdefault(_less(over[task]), []).append(task)
            said = ", ".join(f"on {listed(tasks)} {less}" for less, tasks in parts.items())
            turned += [f"beside {BESIDES.get(rival, rival)}, {said}"] if parts else []
        turned = [f"but {x}" for x in turned[:1]] + turned[1:]
        told = [f"for equally many, {x}" for x in told[:1]] + told[1:] + turned
        return [f"{x[0].upper()}{x[1:]}." for x in (*told, *self._why_not(best))]

    def _why_not(self, words: Mapping[str, str]) -> list[str]:
        """In one sentence at most, why nothing is said of tasks with other words than `SAYS`."""
        why: dict[str, list[str]] = {}
        for task, word in words.items():
            if word not in SAYS:
                said = {own.get(task, word).partition(PARTLY)[0] for own in self.over.values()}
                partly = "the rival decides" if len(said - {OPEN}) > 1 else _less(word)
                turned = "it depends on how energy is counted"
                reason = partly if PARTLY in word else WHY_NOT.get(word, turned)
                why.setdefault(reason, []).append(task)
        reasons = "; ".join(f"on {listed(tasks)} {reason}" for reason, tasks in why.items())
        return [reasons] * bool(why)


def _less(over: str) -> str:
    """What accounts say together of a rival, without a number."""
    word, partly, _ = over.partition(PARTLY)
    return LESS[word].replace("need", "may need") if partly else LESS.get(over, "it depends")


def span(ratios: Iterable[float]) -> str:
    """The smallest and the largest of some ratios, in two digits."""
    ends = sorted(ratios)
    return " to ".join(dict.fromkeys(f"{float(f'{x:.2g}'):g}" for x in (ends[0], ends[-1])))


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
    return html.macros("first_screen").programme(
        decisive.table(answered.advantage, answered.networks, durations), answered.titles, BESIDES
    )


def listed(names: Iterable[str]) -> str:
    """Names in a list with "and"."""
    *first, last = [*names] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def comparison(title: str, opponent: str) -> str:
    """What is held against what: a task by its title, and an opponent."""
    return f"{title.partition(':')[0]}, beside {BESIDES.get(opponent, opponent)}"


def words(
    answered: Answered,
    answers: Sequence[Answer],
    sentences: Mapping[str, Sequence[Mapping[str, Any]]],
    again: Mapping[str, Sequence[str]],
) -> Markup:
    """The answer in full: what is claimed, and every comparison of every task.

    Args:
        answered: The frontiers, as they were read.
        answers: The axes, for what was held against the talks' own controls.
        sentences: Paragraph -> rows of the verdict table whose claims stand in it.
        again: `comparison` -> its word in the record, and when its networks were trained again.
    """
    beside = [
        (words, a) for k, words in BESIDE.items() for a in answers if a.axis == k and a.measured
    ]
    rows = [
        (
            task,
            ASKS.get(opponent, opponent),
            {cost: answered.rows(opponent, cost)[task] for cost in COSTS},
            again.get(comparison(answered.titles[row["task"]], opponent), ()),
        )
        for task, row in answered.rows(TRAINED, ACCOUNT).items()
        for opponent in answered.over
        if task in answered.over[opponent]
    ]
    return html.macros("first_screen").words(beside, sentences, PASSES, rows, MAIN)
