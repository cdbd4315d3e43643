"""Tables of points whose frontiers are known by construction."""

import numpy as np

from whyspiking.records.frontier_columns import POINTS

SEEDS = (0, 1, 2)
COUNTS = (
    *("additions", "multiply_adds", "updates_events", "updates_clocked"),
    *("multiplications_events", "multiplications_clocked", "binary", "graded", "buffered"),
)
UP = [(1, 0.75), (2, 0.9), (4, 1.0)]
"""A concave frontier: (cost, accuracy) by size."""


def point(cost, accuracy, clock=1.0, **row):
    """A network that costs `cost` under every account, but `clock` as much where units are clocked.

    Without `accuracy` of its own split, validation and test agree.
    """
    counts = dict.fromkeys(COUNTS, float(cost))
    counts |= {name: clock * x for name, x in counts.items() if name.endswith("clocked")}
    own = {"validation": accuracy, "test": accuracy, "numbers": cost, "messages": cost}
    fixed = {"task": "t", "kind": "trained", "units": cost, "price": 0.0, "seed": 0, "guess": 0.5}
    return fixed | own | counts | row


def family(name, networks=UP, seeds=SEEDS, times=1.0, **row):
    """The same networks on every seed, `times` as dear."""
    return [
        point(times * cost, accuracy, **{"family": name, "seed": seed} | row)
        for seed in seeds
        for cost, accuracy in networks
    ]


def built(name, cost, accuracy, **row):
    return [point(cost, accuracy, **{"family": name, "kind": "built", "seed": np.nan} | row)]


def rule(name, networks, seeds=SEEDS, **row):
    """A method of a talk: a network (cost, accuracy) on each seed."""
    own = zip(seeds, networks, strict=True)
    fixed = {"family": name, "kind": "rule", "validation": np.nan}
    return [point(*network, **fixed | {"seed": seed} | row) for seed, network in own]


def points(*rows):
    return POINTS.table([row for several in rows for row in several])


TASKS = {
    "volley": (0.25, {"lif": (4000, 0.91, 2), "twin": (9000, 0.9, 2), "gated": (30000, 0.99, 1)}),
    "span": (0.25, {"lif": (9000, 1.0, 3), "twin": (9000, 0.7, 3), "gated": (20000, 1.0, 1)}),
    "sound": (1 / 12, {"lif": (20000, 0.79, 4), "twin": (18000, 0.8, 4), "gated": (9000, 0.79, 1)}),
    "randman": (0.1, {"lif": (5000, 0.86, 3), "twin": (4000, 0.87, 3), "relu": (700, 0.95, 1)}),
    "yinyang": (1 / 3, {"lif": (600, 0.97, 4), "twin": (300, 0.98, 4), "relu": (120, 0.98, 1)}),
}
"""Task -> guessing, and by family: energy of a third of the way, best accuracy, clocked over events."""


def planted(seeds=(0, 1, 2, 3, 4)):
    """Five tasks with smooth frontiers of four families, two built networks, some rules."""
    rng, rows = np.random.default_rng(3), []
    for task, (guess, families) in TASKS.items():
        of_task = {"task": task, "guess": guess}
        for name, (scale, top, clock) in families.items():
            for seed in seeds:
                own = scale * np.exp(rng.normal(0, 0.15))
                for size in (1, 2, 4, 8, 16, 32):
                    cost = own * size / 3 / 6  # in operations: near memory all is dearer
                    accuracy = guess + (top - guess) * (1 - np.exp(-size / 4)) + rng.normal(0, 0.004)
                    where = {"family": name, "seed": seed, "units": size, **of_task}
                    rows.append(point(cost / 10, min(accuracy, 1.0), clock=clock, **where))
        for k in range(6):
            cost, accuracy = families["lif"][0] * (k + 2) / 100, guess + (0.4 - 0.06 * k)
            rows += rule(f"talk{k}", [(cost, accuracy)] * len(seeds), seeds, **of_task)
    rows += built("lif", 40, 1.0, task="span", guess=0.25)
    rows += built("leaky", 42, 1.0, task="span", guess=0.25)
    return points(rows)
