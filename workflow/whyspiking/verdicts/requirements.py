"""What becomes of the verdict of a claim if a claim that it requires is not replicated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from whyspiking.verdicts import rule

PASSING = (*rule.SUCCESSES, rule.UNCONFIRMED)


def weaken(row: dict[str, Any], required: Sequence[Mapping[str, Any]]) -> str:
    """Return the verdict that is left to a claim, and note in its row what it lacks.

    Args:
        row: The row of verdicts.csv of the claim, judged by its own criterion.
        required: The rows of the claims that it requires, before Holm's correction.
    """
    unmet = [other for other in required if other["verdict"] not in PASSING]
    if not unmet or row["verdict"] in rule.UNJUDGED:
        return row["verdict"]
    lacks = [f"requires {other['claim']}: {other['verdict']}" for other in unmet]
    row["comment"] = "; ".join(filter(None, [row["comment"], *lacks]))
    failed = [row["failed_conditions"], rule.REQUIRED]
    row["failed_conditions"] = ", ".join(filter(None, failed))
    row["reproducibility"] = np.nan  # it is computed without the required claims
    if row["verdict"] in rule.SUCCESSES:
        is_missed = any(rule.CRITERION in other["failed_conditions"] for other in unmet)
        return rule.NOT_REPLICATED if is_missed else rule.INCONCLUSIVE
    # A few networks may all be of one kind by chance.
    is_undecided = row["verdict"] in (rule.UNCONFIRMED, rule.DIRECTION_ONLY)
    return rule.INCONCLUSIVE if is_undecided else row["verdict"]
