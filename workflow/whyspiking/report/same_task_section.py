"""The tasks that all talks are set: methods and tasks in one matrix."""

from __future__ import annotations

from markupsafe import Markup

from whyspiking.records import tables
from whyspiking.records.tables import Table
from whyspiking.report import html
from whyspiking.report.same_task_rows import SharedTasks
from whyspiking.verdicts.advantage import EQUAL_SIZE
from whyspiking.verdicts.frontiers import LIF, TRAINED, best

FAMILIES = {
    LIF: "trained, spiking (LIF)",
    "leaky_units": "trained, non-spiking leaky units",
    "gru": "trained, GRUs",
    "relu": "trained, ReLU units",
}
"""Family of references -> how the matrix calls it."""


def matrix(ground: SharedTasks, frontiers: Table, advantage: Table) -> Markup:
    """Methods and tasks: right answers, and what is given away to the reference of its size.

    Args:
        ground: The shared tasks.
        frontiers: Rows of frontiers.csv.
        advantage: Rows of advantage.csv.
    """
    gaps = {
        (row["task"], row["subject"]): row
        for beside in (LIF, EQUAL_SIZE)  # the first says why there is no other
        for row in tables.where(advantage, compared_with=beside).to_dict("records")
    }
    cells = {cell.name: cell for cell in ground.cells}
    most = {
        name: max(int(row["n_samples_shown"]) for row in cell.methods.values())
        for name, cell in cells.items()
    }
    rows = []
    for method in ground.methods:
        talk, label = method[0], ground.label(method)
        found = [
            (x.methods.get(method), gaps.get((name, label)), most[name], x.absent.get(talk, ""))
            for name, x in cells.items()
        ]
        rows.append((talk, label, found))
    trained = best(tables.where(frontiers, network_type=TRAINED), "task", "family", "seed")
    reached = trained.groupby(["family", "task"])["test_accuracy"].mean().to_dict()
    others = [
        (says, [reached.get((family, name)) for name in cells])
        for family, says in FAMILIES.items()
        if family in set(trained["family"])
    ]
    titles = [cell.task.title for cell in ground.cells]
    return html.macros("same_task").matrix(titles, rows, others)


def community(ground: SharedTasks) -> Markup:
    """Networks from elsewhere, apart; nothing where there is none."""
    rows = [(cell.task.title, guest) for cell in ground.cells for guest in cell.guests]
    return html.macros("same_task").community(rows) if rows else Markup()
