"""Holm, equivalence and power against statsmodels', where it is here."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from made import others

from whyspiking.measures import statistics
from whyspiking.verdicts import common_ground, programme

pytestmark = pytest.mark.slow
TESTS = Path(__file__).parents[1] / "peers" / "statsmodels_tests.py"
DELTA, MOST = 0.01, 400
ALPHAS = (0.05, 0.05 / 16)
"""Level of one comparison, and the first step of Holm's correction for 16."""


def samples() -> list[list[float]]:
    """Differences of 2 to 10 seeds: far apart, equal, and neither."""
    rng = np.random.default_rng(0)
    places = product((0.0, 0.003, -0.05, 0.2), (0.002, 0.02), (2, 3, 5, 10))
    return [rng.normal(mean, spread, n).tolist() for mean, spread, n in places]


def plans() -> list[dict[str, float]]:
    effects = ((x, spread) for x in (0.0, 0.002, -0.008, 0.012) for spread in (0.004, 0.02, 0.05))
    keys = ("effect", "spread", "delta", "alpha")
    return [
        dict(zip(keys, (*one, DELTA, alpha), strict=True))
        for one, alpha in product(effects, ALPHAS)
    ]


def to_differ(plan):
    known = (plan["effect"], plan["spread"], plan["alpha"], programme.POWER)
    return statistics.seeds_to_differ(*known, MOST)


def to_equal(plan):
    known = (plan["effect"], plan["spread"], plan["delta"], plan["alpha"], programme.POWER)
    return statistics.seeds_to_equal(*known, MOST)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    others.require("statsmodels")
    folder = tmp_path_factory.mktemp("statsmodels")
    drawn = [x | {"seeds": int(to_equal(x))} for x in plans() if to_equal(x) < np.inf]
    asked = {"differences": samples(), "delta": DELTA, "plans": plans(), "most": MOST}
    (folder / "asked.json").write_text(json.dumps(asked | {"drawn": drawn}))
    others.ask(str(TESTS), str(folder / "asked.json"), str(folder / "found.json"))
    return json.loads((folder / "found.json").read_text())


def test_decisions_on_shared_tasks_are_those_of_statsmodels(theirs):
    ours = common_ground.decide([statistics.t_interval(x) for x in samples()], DELTA)
    for name, values in theirs["tests"].items():
        np.testing.assert_allclose([one[name] for one in ours], values, rtol=1e-9, atol=1e-15)
    verdicts = [one["verdict"] for one in ours]
    assert set(verdicts) == set(common_ground.VERDICTS) - {common_ground.NO_CONTROL}
    means = [np.mean(x) for x in samples()]
    corrected = (theirs["tests"]["p_equal_holm"], theirs["tests"]["p_holm"])
    for verdict, mean, equal, differs in zip(verdicts, means, *corrected, strict=True):
        side = common_ground.BETTER if mean > 0 else common_ground.WORSE
        expected = side if differs < 0.05 else common_ground.UNDECIDED
        assert verdict == (common_ground.EQUAL if equal < 0.05 else expected)


def test_seeds_to_differ_are_those_of_statsmodels(theirs):
    """Theirs adds what is found on the wrong side, ours does not: not worth a seed in any plan."""
    for plan, power in zip(plans(), theirs["powers"], strict=True):
        if plan["effect"]:
            assert to_differ(plan) == first(np.array(power["differs"]))
        else:
            assert to_differ(plan) == np.inf, "there is nothing to find"


def test_seeds_to_equal_are_those_of_statsmodels(theirs):
    """Both one-sided tests succeed at least with the sum of their powers less one: our bound.

    The second part asks draws whether the plan keeps what it promises.
    """
    needed = [to_equal(plan) for plan in plans()]
    for plan, power, seeds in zip(plans(), theirs["powers"], needed, strict=True):
        both = np.array(power["below"]) + np.array(power["above"]) - 1
        assert seeds == (first(both) if abs(plan["effect"]) < DELTA else np.inf)
    known = [seeds for seeds in needed if seeds < np.inf]
    assert len(known) == len(theirs["succeeded"]) > 8
    assert min(theirs["succeeded"]) > programme.POWER - 0.01, "0.8, to three errors of 20,000 draws"


def first(power) -> float:
    """Fewest seeds with the wanted power; nan, far out in the tails of SciPy, may only follow."""
    enough = np.flatnonzero(power >= programme.POWER)
    upto = enough[0] if enough.size else power.size
    assert not np.isnan(power[:upto]).any()
    return upto + 2.0 if enough.size else np.inf
