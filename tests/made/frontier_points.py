"""Tables of points whose frontiers are known by construction."""

from functools import partial

import numpy as np

from whyspiking.records.frontier_columns import POINTS

UP = [(1, 0.75), (2, 0.9), (4, 1.0)]
"""A concave frontier: (cost, accuracy) by size."""
CURVES = {
    "span": (0.25, {"lif": (900, 1.0, 3), "leaky_units": (900, 0.7, 3), "gru": (2000, 1.0, 1)}),
    "volley": (0.25, {"lif": (400, 0.91, 2), "leaky_units": (900, 0.9, 2), "gru": (3000, 0.99, 1)}),
    "sound": (
        1 / 12,
        {"lif": (2000, 0.79, 4), "leaky_units": (1900, 0.8, 4), "gru": (900, 0.79, 1)},
    ),
    "randman": (0.1, {"lif": (500, 0.86, 3), "leaky_units": (400, 0.87, 3), "relu": (70, 0.95, 1)}),
    "yinyang": (1 / 3, {"lif": (60, 0.97, 4), "leaky_units": (30, 0.98, 4), "relu": (12, 0.98, 1)}),
}
"""Task -> guessing, and by family: cost of a unit, best accuracy, clocked over events."""


def point(cost, accuracy, clock=1.0, **row):
    """A network that costs as much under every account, but `clock` times that clocked."""
    names = [column.name for column in POINTS.columns if column.kind == "number"]
    costs = {name: cost * (clock if name.endswith("clock_driven") else 1.0) for name in names}
    own = {
        "validation_accuracy": accuracy,
        "test_accuracy": accuracy,
        "spike_penalty": 0.0,
        "seed": 0,
        "chance": 0.5,
    }
    return {"task": "t", "network_type": "trained"} | costs | own | row


def family(name, networks=UP, seeds=(0, 1, 2), times=1.0, **row):
    """The same networks on every seed, `times` as dear: one number, or one a seed."""
    return [
        point(dear * cost, accuracy, **{"family": name, "seed": seed} | row)
        for seed, dear in zip(seeds, np.broadcast_to(times, len(seeds)), strict=True)
        for cost, accuracy in networks
    ]


built = partial(family, network_type="hand_designed")
"""Networks made by hand."""


def rule(name, networks, **row):
    """A method of a talk: a network (cost, accuracy) on each seed."""
    return [
        point(*own, family=name, network_type="learning_rule", seed=seed, **row)
        for seed, own in enumerate(networks)
    ]


def points(*rows):
    return POINTS.table([row for several in rows for row in several])


def crowded():
    """Five tasks with smooth frontiers; built networks in the first, a rule above the last."""
    rows = [built(name, [(100, 1.0)], task="span", chance=0.25) for name in ("lif", "leaky")]
    for task, (guess, families) in CURVES.items():
        for name, (cost, top, clock) in families.items():
            sizes = [(cost * n, top - (top - guess) * np.exp(-n / 4)) for n in (1, 2, 4, 8, 16, 32)]
            dear = 1 + 0.04 * np.arange(3) * (cost % 7 - 3)
            rows += [family(name, sizes, times=dear, task=task, chance=guess, clock=clock)]
        own = families["lif"][0] * (2 if task == "yinyang" else 20), 0.7
        rows += [rule("a rule", [own] * 3, task=task, chance=guess, clock=families["lif"][2])]
    return points(*rows)
