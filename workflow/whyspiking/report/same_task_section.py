"""Networks that others contributed, on the shared tasks."""

from __future__ import annotations

from markupsafe import Markup

from whyspiking.report import html
from whyspiking.report.same_task_rows import SharedTasks


def community(ground: SharedTasks) -> Markup:
    """Networks from elsewhere, apart; nothing where there is none."""
    rows = [(cell.task.title, guest) for cell in ground.cells for guest in cell.guests]
    return html.macros("same_task").community(rows) if rows else Markup()
