"""What would decide what is undecided: seeds from power, and what they cost."""

import numpy as np
import pytest
from made.common_ground import CONFIG, experiment, metrics, talk
from made.measured import table

from whyspiking.measures import statistics
from whyspiking.records import columns
from whyspiking.verdicts import common_ground, programme

HOME = experiment("home", "randman", ["mlp"])
CONTROL = metrics(HOME, "mlp", [0.90, 0.90, 0.90], train_cpu_seconds=30.0)


def planned(**scores_of):
    talks, rows = {"home": talk("home", HOME)}, [CONTROL]
    for name, scores in scores_of.items():
        own = experiment(name, "randman", ["spiking"])
        talks[name] = talk(name, own)
        rows.append(metrics(own, "spiking", scores, train_cpu_seconds=90.0))
    measured = table(*rows)
    shared = common_ground.matrix(measured, talks, CONFIG)
    found = programme.of(shared, measured, talks, CONFIG)
    assert list(found.columns) == columns.PROGRAMME.names
    return found.to_dict("records")


def test_seeds_to_differ_are_those_of_tables():
    """Paired t test, two-sided at 5 %, power 0.8: 34 pairs for d = 0.5, 10 for d = 1."""
    for effect, seeds in ((0.5, 34), (1.0, 10), (-1.0, 10), (0.01, np.inf), (0.0, np.inf)):
        assert statistics.seeds_to_differ(effect, 1.0, 0.05, 0.8, 1000) == seeds


def test_seeds_to_equal_suffice_in_simulated_tests_and_fewer_do_not():
    rng, effect, delta = np.random.default_rng(3), 0.2, 1.0
    needed = int(statistics.seeds_to_equal(effect, 1.0, delta, 0.05, 0.8, 1000))

    def shown(n):
        draws = effect + rng.standard_normal((20_000, n))
        mean, error = draws.mean(1), draws.std(1, ddof=1) / np.sqrt(n)
        critical = statistics.t_quantile(0.95, n - 1)
        return np.mean((mean + delta > critical * error) & (delta - mean > critical * error))

    assert shown(needed) > 0.79 > shown(needed - 2)
    assert statistics.seeds_to_equal(1.1, 1.0, delta, 0.05, 0.8, 1000) == np.inf


def test_only_what_is_undecided_is_planned_and_the_cheapest_comes_first():
    rows = planned(
        wins=[0.96, 0.962, 0.958],
        near=[0.88, 0.915, 0.90],
        far=[0.80, 0.97, 0.99],
        alone=[0.95],
    )
    assert [row["talk"] for row in rows] == ["near", "far"]
    near, far = rows
    assert near["control"] == "mlp" and near["seeds"] == 3
    assert near["alpha"] == pytest.approx(0.05 / 3), "one seed is no comparison"
    assert near["asks"] == "equal" and far["asks"] == "differs"
    differs = statistics.seeds_to_differ(far["difference"], far["spread"], far["alpha"], 0.8, 1000)
    assert far["needed"] == differs
    assert near["cpu_minutes"] == pytest.approx((near["needed"] - 3) * 120 / 60)
    assert near["cpu_minutes"] < far["cpu_minutes"]
