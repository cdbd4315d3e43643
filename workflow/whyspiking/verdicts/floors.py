"""Admission of the ground's tasks: what static readers make of each.

A floor is at chance within the protocol's margin, and decides the task if it comes nearly as far as
the reference, which is told the whole trial at once; else it tells a part.
"""

from __future__ import annotations

from whyspiking.declared import protocol_file, registry
from whyspiking.measures import statistics
from whyspiking.records import tables
from whyspiking.records.columns import FLOORS
from whyspiking.records.tables import Table

AT_CHANCE, PART, DECIDES, REFERENCE = "at chance", "above chance", "solves", "reference"


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
        known = {key: statistics.logit_interval(x["value"], x["n_trials"]) for key, x in own}
        for task in (name for name in said.tasks if (name, said.reference_baseline) in known):
            described, best = said.tasks[task], known[task, said.reference_baseline].mean
            for name, floor in said.baselines.items():
                found = known[task, name]
                above, most = found.mean - described.chance, best - described.chance
                word = PART if above < said.solution_threshold["value"] * most else DECIDES
                word = AT_CHANCE if above <= said.margin["value"] else word
                rows.append(
                    {
                        "task": task,
                        "baseline": name,
                        "input": floor.input,
                        "description": floor.description,
                        "must_fail": name in described.baseline_expectations.must_fail,
                        "accuracy": found.mean,
                        "ci_low": found.low,
                        "ci_high": found.high,
                        "n_seeds": found.seeds,
                        "chance": described.chance,
                        "outcome": REFERENCE if name == said.reference_baseline else word,
                    }
                )
    return FLOORS.table(rows)
