"""Energy that a run took, by the formula of Green Algorithms.

Lannelongue et al. 2021 (Advanced Science 8, 2100707), in the form of their calculator
(github.com/GreenAlgorithms/green-algorithms-tool, commit 30df2fee,
blueprints/form/form_blueprint.py, lines 985 to 1029): time times the power of cores and memory,
times what a data centre adds. Their factor for a personal computer is 1, as here: cooling is left
out.
"""

from __future__ import annotations

from collections.abc import Mapping

CORE_W = 12.0
"""Power of a core of any processor (data/v3.0/TDP_cpu.csv there, line 14: "Any")."""
MEMORY_W_PER_GB = 0.3725
"""Power of memory (data/v3.0/referenceValues.csv there, line 3: memoryPower)."""


def kilowatt_hours(talks: Mapping[str, Mapping[str, float]]) -> float:
    """Energy in kWh of all jobs of training and simulation.

    Args:
        talks: Of a manifest: talk -> its `cpu_seconds`, `wall_seconds` and the `max_rss_mb` of its
            largest job, which all are taken to hold; memory that was not measured counts nothing.
    """
    # max with the constant first also turns NaN into 0.
    return sum(
        own["cpu_seconds"] * CORE_W
        + max(0.0, own["wall_seconds"] * own["max_rss_mb"] / 1000 * MEMORY_W_PER_GB)
        for own in talks.values()
    ) / (3600 * 1000)
