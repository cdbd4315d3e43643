"""The answer on the first screen of the report: fixed sentences with values from the tables.

The values are computed from frontiers.csv and advantage.csv. The sentences say how many comparisons
have which verdict, so that they are true whatever the tables hold. The page, README and the article
print the same ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
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
from whyspiking.verdicts.advantage import INCONCLUSIVE, LESS, MORE, NO_DIFFERENCE, NOT_ASSESSED
from whyspiking.verdicts.frontiers import BEST_OVERALL, BEST_TRAINED, GRU, LEAKY_UNITS, LIF
from whyspiking.verdicts.repetition import BEST

COMPETITORS = {
    LEAKY_UNITS: "non-spiking leaky units",
    GRU: "GRUs",
    "relu": "ReLU networks",
    BEST_TRAINED: BEST,
    BEST_OVERALL: "the best network, trained or hand-designed",
}
"""Value of column `beside` -> what spiking networks are compared with, in words."""
VERDICTS = {
    LESS: "less energy",
    MORE: "more energy",
    NO_DIFFERENCE: "no difference",
    INCONCLUSIVE: "inconclusive",
    NOT_ASSESSED: "not assessed",
    "": "accuracy not reached",
}
"""Value of column `word` -> the verdict in words."""
TITLE = (
    "Our trained spiking networks needed more estimated energy than the best non-spiking networks "
    "on {n_tasks_more} of {n_tasks} tasks, and less on {n_tasks_less}"
)
NO_TITLE = "No task could be assessed yet"
ACCURACY = (
    "A computational advantage of spikes would be a higher accuracy. Our most accurate spiking "
    "network was more accurate than the most accurate non-spiking network on {n_more_accurate} of "
    "{n_tasks} tasks, and less accurate on {n_less_accurate}{unclear}. The mean differences lie "
    "between {lowest_difference} and {highest_difference} percentage points."
)
ENERGY = (
    "At equal accuracy, the spiking networks needed between {lowest_ratio} times "
    "({lowest_task}) and {highest_ratio} times ({highest_task}) the energy of the best non-spiking "
    "network. Energy is estimated from operation counts under {n_cost_models} cost models. The "
    "title counts a task if all cost models that give a verdict agree{uncounted}."
)
UNCOUNTED = ", so it does not count {tasks}"
UNCLEAR = "; there was no clear difference on {tasks}"
UNASSESSED = (
    "Not assessed, because a network of a talk was more accurate at equal energy than our own "
    "spiking networks: {reasons}."
)
FAMILY = "Compared with {competitor} only, {counts}."
HAND_DESIGNED = "If hand-designed networks count on both sides, {counts}."
ENGINEERS = (
    "Before you choose spikes to save energy, compare them with the simplest network that solves "
    "your task. Compared with the best non-spiking network, spiking networks needed less energy in "
    "{n_less} of {n_assessed} comparisons (a task under a cost model). Compared with GRUs only, "
    "they needed less energy in {n_less_gru} of {n_assessed_gru}{tasks_less_gru}."
)
NEUROSCIENTISTS = (
    "The ratios describe trained networks. If hand-designed networks count on both sides, spiking "
    "networks needed less energy in {n_less} of {n_assessed} comparisons{tasks_less} and more in "
    "{n_more}; there was no clear difference in {n_unclear}."
)
TRAINING = (
    "The result therefore depends on how a network is found, and not only on whether it spikes."
)
EVENT_DRIVEN = (
    "With event-driven cost models only, spiking networks needed more energy than the best "
    "non-spiking network in {n_more} of {n_assessed} assessed comparisons, and less in {n_less}."
)
COUNTS = (
    "spiking networks needed less energy in {n_less} of {n_assessed} comparisons{tasks_less} and "
    "more in {n_more}{tasks_more}; there was no clear difference in {n_unclear}"
)


def titles() -> dict[str, str]:
    """Task -> its question in few words, where references are made."""
    return {
        name: experiment.title.replace(", ", ": ", 1)
        for talk in registry.with_protocol(registry.available())
        for name, experiment in registry.load_talk(talk).experiments.items()
    }


@dataclass(frozen=True)
class Comparisons:
    """Comparisons of trained spiking networks with non-spiking ones on the shared tasks.

    Attributes:
        networks: Rows of frontiers.csv.
        advantage: Rows of advantage.csv.
        titles: Task -> its question in few words, in order.
        is_recorded: Whether they are the reference results, since a run has too few of its own.
    """

    networks: Table
    advantage: Table
    titles: Mapping[str, str]
    is_recorded: bool = False

    @cached_property
    def by_place(self) -> dict[tuple[str, str, str], Mapping[str, Any]]:
        """(competitor, cost, task) -> row, where both sides have networks and one has learned."""
        is_compared = self.advantage["relative_accuracy"].notna() & (
            self.advantage["subject"] == "spikes"
        )
        rows = self.advantage[is_compared].to_dict("records")
        return {(row["compared_with"], row["cost_model"], row["task"]): row for row in rows}

    def rows(self, competitor: str, cost: str) -> dict[str, Mapping[str, Any]]:
        """Task by the first word of its name -> row of one comparison."""
        return {
            title.split()[0].rstrip(":"): self.by_place[competitor, cost, task]
            for task, title in self.titles.items()
            if (competitor, cost, task) in self.by_place
        }

    @cached_property
    def competitors(self) -> list[str]:
        """What spiking networks are compared with: families first, then the best of several."""
        families = dict.fromkeys(
            family for family, *_ in self.by_place if family not in (BEST_TRAINED, BEST_OVERALL)
        )
        return [*(family for family in families if family != LIF), BEST_TRAINED, BEST_OVERALL]

    def verdicts(self, competitor: str) -> dict[str, list[Mapping[str, Any]]]:
        """Task by its name -> rows of a comparison under the main cost models."""
        by_cost = [self.rows(competitor, cost) for cost in MAIN]
        return {task: [rows[task] for rows in by_cost] for task in by_cost[0]}

    @cached_property
    def _networks_of_task(self) -> dict[str, Table]:
        """Task by its name -> its networks."""
        rows = self.rows(BEST_TRAINED, ACCOUNT).items()
        return {name: tables.where(self.networks, task=row["task"]) for name, row in rows}

    @cached_property
    def accuracies(self) -> dict[str, tuple[str, ...]]:
        """Task by its name -> accuracy in %, of the best spiking and the best non-spiking."""
        return {
            task: tuple(f"{100 * side.mean():.0f}" for side in advantage.rights(networks))
            for task, networks in self._networks_of_task.items()
        }

    @cached_property
    def accuracy_differences(self) -> dict[str, Any]:
        """Task by its name -> accuracy of the best spiking minus the best non-spiking network.

        Each is an `Interval` over data sets.
        """
        networks = self._networks_of_task.items()
        return {task: advantage.ahead(task_networks) for task, task_networks in networks}

    @property
    def title(self) -> str:
        """The answer in one sentence; empty where nothing was compared."""
        verdicts = self.verdicts(BEST_TRAINED)
        assessed = [task_verdicts for rows in verdicts.values() if (task_verdicts := assess(rows))]
        if not assessed:
            return NO_TITLE if verdicts else ""
        return TITLE.format(
            n_tasks_more=assessed.count({MORE}),
            n_tasks_less=assessed.count({LESS}) or "none",
            n_tasks=len(verdicts),
        )

    @property
    def sentences(self) -> list[str]:
        """Accuracy, and energy compared with the best non-spiking network."""
        best = self.verdicts(BEST_TRAINED)
        if not best:
            return []
        differences = list(self.accuracy_differences.values())
        # A difference is clear if its interval excludes 0.
        unclear = [
            self._full_task_names[task]
            for task, interval in self.accuracy_differences.items()
            if not (interval.high < 0 or interval.low > 0)
        ]
        means = [100 * interval.mean for interval in differences]
        sentences = [
            ACCURACY.format(
                n_tasks=len(differences),
                n_less_accurate=sum(interval.high < 0 for interval in differences),
                n_more_accurate=sum(interval.low > 0 for interval in differences),
                unclear=UNCLEAR.format(tasks=", ".join(unclear)) if unclear else "",
                lowest_difference=f"{min(means):.1f}".replace("-", html.MINUS),
                highest_difference=f"{max(means):.1f}".replace("-", html.MINUS),
            )
        ]
        rows = [row for task_rows in best.values() for row in task_rows]
        assessed = [row for row in rows if row["verdict"] not in (NOT_ASSESSED, "")]
        if assessed:
            # The title counts a task only if all assessed cost models agree.
            uncounted = [
                self._full_task_names[task]
                for task, task_rows in best.items()
                if assess(task_rows) not in ({MORE}, {LESS})
            ]
            lowest, highest = (pick(assessed, key=lambda row: row["ratio"]) for pick in (min, max))
            sentences.append(
                ENERGY.format(
                    lowest_ratio=round_ratio(lowest["ratio"]),
                    lowest_task=self.titles[lowest["task"]].partition(":")[0],
                    highest_ratio=round_ratio(highest["ratio"]),
                    highest_task=self.titles[highest["task"]].partition(":")[0],
                    n_cost_models=len(MAIN),
                    uncounted=UNCOUNTED.format(tasks=", ".join(uncounted)) if uncounted else "",
                )
            )
        reasons = [
            f"{self._full_task_names[task]} under {len(unassessed)} of {len(task_rows)} cost "
            f"models ({better})"
            for task, task_rows in best.items()
            if (unassessed := [row for row in task_rows if row["verdict"] == NOT_ASSESSED])
            for better in [", ".join(dict.fromkeys(name_better_network(row) for row in unassessed))]
        ]
        if reasons:
            sentences.append(UNASSESSED.format(reasons=", ".join(reasons)))
        return sentences

    @property
    def _full_task_names(self) -> dict[str, str]:
        """First word of the name of a task -> its whole name."""
        names = (title.partition(":")[0] for title in self.titles.values())
        return {name.split()[0]: name for name in names}

    def count(self, competitor: str) -> dict[str, Any]:
        """Comparisons with a competitor: their numbers by verdict, and the tasks in parentheses."""
        verdicts = self.verdicts(competitor)
        counts = _count_verdicts([row for rows in verdicts.values() for row in rows])
        return counts | {
            "n_unclear": counts["n_assessed"] - counts["n_less"] - counts["n_more"],
            "tasks_less": _name_tasks(verdicts, LESS),
            "tasks_more": _name_tasks(verdicts, MORE),
        }

    @property
    def conclusions(self) -> dict[str, str]:
        """For whom -> what follows; empty where nothing was compared."""
        if not self.verdicts(BEST_TRAINED):
            return {}
        best, gru, overall = (self.count(x) for x in (BEST_TRAINED, GRU, BEST_OVERALL))
        gru_counts = {f"{name}_gru": x for name, x in gru.items()}
        neuroscientists = NEUROSCIENTISTS.format(**overall)
        if (overall["n_less"], overall["n_more"]) != (best["n_less"], best["n_more"]):
            neuroscientists = f"{neuroscientists} {TRAINING}"
        return {
            "engineers": ENGINEERS.format(**best, **gru_counts),
            "neuroscientists": neuroscientists,
        }

    @property
    def family_sentences(self) -> list[str]:
        """One sentence per family of non-spiking networks, and one with hand-designed networks."""
        sentences = []
        for competitor in self.competitors:
            counts = self.count(competitor)
            if competitor == BEST_TRAINED or not counts["n_assessed"]:
                continue
            template = HAND_DESIGNED if competitor == BEST_OVERALL else FAMILY
            name = COMPETITORS.get(competitor, competitor)
            sentences.append(template.format(competitor=name, counts=COUNTS.format(**counts)))
        rows = [
            row
            for cost in MAIN
            if cost.endswith("event_driven")
            for row in self.rows(BEST_TRAINED, cost).values()
        ]
        counts = _count_verdicts(rows)
        return [*sentences, EVENT_DRIVEN.format(**counts)] if counts["n_assessed"] else sentences


def name_better_network(row: Mapping[str, Any]) -> str:
    """The network of a talk because of which a comparison is not assessed."""
    return row["comment"].partition(":")[0]


def round_ratio(ratio: float) -> str:
    """A ratio with about two digits, three next to 1."""
    n_decimals = 2 if ratio < 1.1 else 1 if ratio < 9.95 else 0
    return f"{ratio:.{n_decimals}f}"


def _name_tasks(verdicts: Mapping[str, Sequence[Mapping[str, Any]]], verdict: str) -> str:
    """The tasks on which a cost model has a verdict, in parentheses."""
    tasks = [
        task for task, rows in verdicts.items() if any(row["verdict"] == verdict for row in rows)
    ]
    return f" ({', '.join(tasks)})" if tasks else ""


def assess(rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """The different verdicts of comparisons that are assessed."""
    return {row["verdict"] for row in rows} - {NOT_ASSESSED, ""}


def _count_verdicts(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Count verdicts of comparisons."""
    n_by_verdict = Counter(row["verdict"] for row in rows)
    n_assessed = n_by_verdict.total() - n_by_verdict[NOT_ASSESSED] - n_by_verdict[""]
    return {"n_assessed": n_assessed, "n_more": n_by_verdict[MORE], "n_less": n_by_verdict[LESS]}


def recorded(folder: Path) -> Comparisons | None:
    """The comparisons of the reference results; None where they have no such tables.

    Args:
        folder: Of the reference results.
    """
    files = [folder / name for name in ("frontiers.csv", "advantage.csv")]
    if not all(path.is_file() for path in files):
        return None
    networks, compared = (reference.table(path, columns.OF_A_RUN[path.name]) for path in files)
    return Comparisons(networks, compared, titles(), is_recorded=True)


def programme(comparisons: Comparisons, durations: Table) -> Markup:
    """The experiments that would decide what is inconclusive; nothing where there is none.

    Args:
        comparisons: The comparisons.
        durations: Rows of durations.csv.
    """
    return html.macros("first_screen").programme(
        decisive.table(comparisons.advantage, comparisons.networks, durations),
        comparisons.titles,
        COMPETITORS,
    )


def name_comparison(title: str, competitor: str) -> str:
    """What is compared with what: a task by its title, and a competitor."""
    task = title.partition(":")[0]
    return f"{task}, compared with {COMPETITORS.get(competitor, competitor)}"
