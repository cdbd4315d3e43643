"""Tests and their power by statsmodels: `python statsmodels_tests.py ASKED.json OUT.json`.

ASKED holds `differences`, a list of samples; `delta`; `plans`, each effect, spread, delta, alpha.
Needs statsmodels, nothing of whyspiking. OUT gets the p values of every sample before and after
Holm's correction, and of every plan the power at 2, 3, ... `most` seeds.
"""

import json
import sys
from pathlib import Path

import numpy as np
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import DescrStatsW


def tests(samples, delta):
    """P values of "differs" (two-sided) and "equal within delta" (two one-sided tests)."""
    each = [DescrStatsW(np.array(sample)) for sample in samples]
    p = {
        "p_value": [float(one.ttest_mean(0.0)[1]) for one in each],
        "p_equal": [float(one.ttost_mean(-delta, delta)[0]) for one in each],
    }
    pairs = (("p_holm", "p_value"), ("p_equal_holm", "p_equal"))
    return p | {name: multipletests(p[own], method="holm")[1].tolist() for name, own in pairs}


def powers(plan, most):
    """Power of the two-sided test, and of each of the two one-sided ones, (seeds - 1,)."""
    power, n = TTestPower().power, np.arange(2, most + 1)
    effect, spread, delta = plan["effect"], plan["spread"], plan["delta"]
    found = {"differs": power(abs(effect) / spread, n, plan["alpha"], alternative="two-sided")}
    for name, gap in (("below", delta - effect), ("above", delta + effect)):
        found[name] = power(gap / spread, n, plan["alpha"], alternative="larger")
    return {name: values.tolist() for name, values in found.items()}


def succeeded(plan, seeds, draws):
    """Share of drawn samples of so many seeds in which both one-sided tests succeed."""
    rng = np.random.default_rng(0)
    drawn = rng.normal(plan["effect"], plan["spread"], (seeds, draws))
    p = DescrStatsW(drawn).ttost_mean(-plan["delta"], plan["delta"])[0]
    return float(np.mean(p < plan["alpha"]))


def main(source, target):
    asked = json.loads(Path(source).read_text())
    found = {
        "tests": tests(asked["differences"], asked["delta"]),
        "powers": [powers(plan, asked["most"]) for plan in asked["plans"]],
        "succeeded": [succeeded(plan, plan["seeds"], 20_000) for plan in asked["drawn"]],
    }
    Path(target).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
