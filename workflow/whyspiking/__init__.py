"""The talks of SNUFA 2020, replicated, and one battery of measurements for all of them.

`whyspiking.results("reference")` gives the tables of a finished run as data frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from whyspiking.records.finished import FinishedRun


def results(run: str | Path = "reference") -> FinishedRun:
    """The tables of a finished run as data frames, with types and the meaning of every column.

    `results("reference").verdicts` are the verdicts of the recorded run; `.contents` lists the
    tables, `.columns("verdicts")` says what their columns mean, `.glossary` what metrics are.

    Args:
        run: `reference`, the run that is recorded in the repository, or the folder of another:
            results/default, results/full/goeltz.

    Raises:
        UserError: If that is no finished run.
    """
    from whyspiking.records import finished  # pandas; nothing that a job or the workflow needs

    return finished.find(run)
