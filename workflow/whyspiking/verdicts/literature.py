"""A published number beside ours: how seldom neurons must fire for spikes to need less energy.

Yan et al. 2024 hold spiking networks of T steps against networks that send numbers of as many bits
as T steps can count. Ours have 60 to 136 steps, theirs 5 to 10: so the row tells how often our
neurons fire where theirs would have to stay below a threshold, and proves nothing about ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from whyspiking.declared import registry
from whyspiking.measures import statistics
from whyspiking.records import tables
from whyspiking.records.columns import LITERATURE
from whyspiking.records.tables import Table
from whyspiking.verdicts.advantage import NOT_ASSESSED, of_the_best
from whyspiking.verdicts.frontiers import LEAKY_UNITS, Frontier, on, priced, side

YAN = {
    "source": "Yan et al., arXiv 2409.08290",
    "source_location": "abstract: 5.7 % at 5 steps (version 4, 2026), 6.4 % at 5 to 10 steps "
    "(versions 2 and 3)",
    "published_low": 0.057,
    "published_high": 0.064,
}
"""Spikes per neuron and step below which a spiking network needs less energy."""
ACCOUNT = "memory_8kb_event_driven"
"""Under which the network is chosen: with memory, as theirs."""
BELOW, ABOVE, INCONCLUSIVE = "below", "above", "inconclusive"


def table(points: Table, advantage: Table, ground: Table, config: Mapping[str, Any]) -> Table:
    """Spikes per neuron and step of the LIF networks that reach the level compared, a row a task.

    Of every seed the network that the reading of the frontier compared with non-spiking leaky
    units rests on.

    Args:
        points: With the columns of `columns.POINTS`.
        advantage: Read of them, columns `columns.ADVANTAGE`.
        ground: Rows of the metrics table where the protocol is; none where there are no points.
        config: The config's `energy` block.

    Returns:
        A table with the columns of `columns.LITERATURE`.
    """
    rows = []
    for task, own in priced(points, config).groupby("task", sort=False):
        read = tables.where(
            advantage, task=task, subject="spikes", compared_with=LEAKY_UNITS, cost_model=ACCOUNT
        )
        lif, way = side(own, LEAKY_UNITS, spikes=True), float(read["relative_accuracy"].iloc[0])
        if not np.isfinite(way):
            continue
        values = registry.load_talk(ground["talk"].iloc[0]).experiments[str(task)].published
        steps = round(values["trial_ms"] / values["dt_ms"])
        seeds = sorted(set(lif["seed"]))
        guess, validation, _ = of_the_best(own, seeds)
        fronts = [Frontier.of(on(lif, seed), ACCOUNT) for seed in seeds]
        levels = guess + way * (validation - guess)
        made = [front.least(level)[1] for front, level in zip(fronts, levels, strict=True)]
        chosen = lif.loc[[row for row in made if row is not None]]
        found = statistics.known_interval(chosen["n_messages"] / chosen["n_hidden"] / steps, "log")
        holds = {
            NOT_ASSESSED: NOT_ASSESSED in set(read["verdict"]),
            BELOW: found.high < YAN["published_low"],
            ABOVE: found.low > YAN["published_high"],
        }
        rows.append(
            {
                **YAN,
                "task": task,
                "value": found.mean,
                "ci_low": found.low,
                "ci_high": found.high,
                "n_seeds": found.seeds,
                "n_steps": steps,
                "position": next((word for word, true in holds.items() if true), INCONCLUSIVE),
            }
        )
    return LITERATURE.table(rows)
