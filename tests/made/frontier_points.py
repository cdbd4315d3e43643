"""Tables of points whose frontiers are known by construction."""

import numpy as np

from whyspiking.records.frontier_columns import POINTS

SEEDS = (0, 1, 2)
UP = [(1, 0.75), (2, 0.9), (4, 1.0)]
"""A concave frontier: (cost, accuracy) by size."""
CURVES = {
    "span": (0.25, {"lif": (900, 1.0, 3), "twin": (900, 0.7, 3), "gated": (2000, 1.0, 1)}),
    "volley": (0.25, {"lif": (400, 0.91, 2), "twin": (900, 0.9, 2), "gated": (3000, 0.99, 1)}),
    "sound": (1 / 12, {"lif": (2000, 0.79, 4), "twin": (1900, 0.8, 4), "gated": (900, 0.79, 1)}),
    "randman": (0.1, {"lif": (500, 0.86, 3), "twin": (400, 0.87, 3), "relu": (70, 0.95, 1)}),
    "yinyang": (1 / 3, {"lif": (60, 0.97, 4), "twin": (30, 0.98, 4), "relu": (12, 0.98, 1)}),
}
"""Task -> guessing, and by family: cost of a unit, best accuracy, clocked over events."""


def point(cost, accuracy, clock=1.0, **row):
    """A network that costs as much under every account, but `clock` times that clocked."""
    names = [column.name for column in POINTS.columns if column.kind == "number"]
    costs = {name: cost * (clock if name.endswith("clocked") else 1.0) for name in names}
    own = {"validation": accuracy, "test": accuracy, "price": 0.0, "seed": 0, "guess": 0.5}
    return {"task": "t", "kind": "trained"} | costs | own | row


def family(name, networks=UP, seeds=SEEDS, times=1.0, **row):
    """The same networks on every seed, `times` as dear."""
    return [
        point(times * cost, accuracy, **{"family": name, "seed": seed} | row)
        for seed in seeds
        for cost, accuracy in networks
    ]


def built(name, cost, **row):
    """A network made by hand, which is always right."""
    return [point(cost, 1.0, **{"family": name, "kind": "built", "seed": np.nan} | row)]


def rule(name, networks, **row):
    """A method of a talk: a network (cost, accuracy) on each seed."""
    where = {"family": name, "kind": "rule", **row}
    return [point(*own, seed=seed, **where) for seed, own in enumerate(networks)]


def points(*rows):
    return POINTS.table([row for several in rows for row in several])


def crowded():
    """Five tasks with smooth frontiers; built networks in the first, a rule above the last."""
    rows = [built(name, 100, task="span", guess=0.25) for name in ("lif", "leaky")]
    for task, (guess, families) in CURVES.items():
        for name, (cost, top, clock) in families.items():
            sizes = [(cost * n, top - (top - guess) * np.exp(-n / 4)) for n in (1, 2, 4, 8, 16, 32)]
            where = {"task": task, "guess": guess, "clock": clock}
            rows += [
                family(name, sizes, (s,), 1 + 0.04 * s * (cost % 7 - 3), **where) for s in SEEDS
            ]
        own = families["lif"][0] * (2 if task == "yinyang" else 20), 0.7
        rows += [rule("a rule", [own] * 3, task=task, guess=guess, clock=families["lif"][2])]
    return points(*rows)
