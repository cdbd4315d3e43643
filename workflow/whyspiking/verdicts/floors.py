"""Admission of the ground's tasks: what static readers make of each, in a table and a sentence.

A floor is at chance within the protocol's margin, and decides the task if it comes nearly as far as
the reference, which is told the whole trial at once; else it tells a part.
"""

from __future__ import annotations

from collections.abc import Sequence

from whyspiking.declared import protocol_file, registry
from whyspiking.measures import statistics
from whyspiking.records import tables
from whyspiking.records.columns import FLOORS
from whyspiking.records.tables import Table

AT_CHANCE, PART, DECIDES, REFERENCE = "at chance", "above chance", "decides", "reference"
VERBS = {
    AT_CHANCE: "at chance",
    PART: "above chance",
    DECIDES: "as good as the reference, which is told the whole trial at once",
}
"""What a floor is -> how a sentence says it."""


def table(ground: Table) -> Table:
    """A row a task and floor.

    Args:
        ground: Rows of the metrics table where the protocol is; none: there is none.

    Returns:
        A table with the columns of `columns.FLOORS`.
    """
    rows = []
    measured = tables.where(ground, variant="floors", metric="accuracy")
    for talk in measured["talk"].unique():
        said = protocol_file.load(registry.FOLDER / talk / registry.PROTOCOL)
        own = measured[measured["talk"] == talk].groupby(["experiment", "perturbation"])
        known = {key: statistics.logit_interval(x["value"], x["trials"]) for key, x in own}
        for task in (name for name in said.tasks if (name, said.reference) in known):
            described, best = said.tasks[task], known[task, said.reference].mean
            for name, floor in said.floors.items():
                found = known[task, name]
                above, most = found.mean - described.chance, best - described.chance
                word = PART if above < said.decides["value"] * most else DECIDES
                word = AT_CHANCE if above <= said.margin["value"] else word
                rows.append(
                    {
                        "task": task,
                        "floor": name,
                        "reads": floor.reads,
                        "says": floor.says,
                        "veto": name in described.floors.veto,
                        "accuracy": found.mean,
                        "low": found.low,
                        "high": found.high,
                        "seeds": found.seeds,
                        "guess": described.chance,
                        "word": REFERENCE if name == said.reference else word,
                    }
                )
    return FLOORS.table(rows)


def sentence(floors: Table) -> str:
    """What does not decide a task, and what does.

    Args:
        floors: Rows of one task, columns of `columns.FLOORS`.
    """
    reference = floors["word"] == REFERENCE
    best = floors[~reference].groupby("reads", sort=False)["accuracy"].idxmax()
    told, parts = floors.loc[best], []
    for word, verb in VERBS.items():
        share = "" if word == AT_CHANCE else " ({:.0f} %)"
        own = tables.where(told, word=word)[["reads", "accuracy"]].itertuples(index=False)
        if names := [reads + share.format(100 * accuracy) for reads, accuracy in own]:
            parts.append(f"{_listed(names)} {verb}")
    whole = float(floors.loc[reference, "accuracy"].iloc[0])
    said = f"{'; '.join(parts)} ({100 * whole:.0f} %)."
    return said[0].upper() + said[1:]


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
