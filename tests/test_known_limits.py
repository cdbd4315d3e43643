"""The page of known limits tells what its script prints and what the tables have."""

import re
import subprocess
import sys

import pandas as pd
import pytest
from made.checkouts import ROOT
from made.hangs import limit

PAGE = (ROOT / "docs/known-limits.md").read_text(encoding="utf-8")
COMMAND = "python benchmarks/known_limits.py "
ROWS = [line for line in PAGE.splitlines() if COMMAND in line]
FAST = ("presence", "by-hand")
TRAINED = ("centred", "leaky-100", "leaky-200", "leaky-distinctness")


def printed(*words: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "benchmarks/known_limits.py", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=limit(), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


def told(column: int, finding: str) -> str:
    return " ".join(row.split(" | ")[column] for row in ROWS if f"{COMMAND}{finding}`" in row)


def test_every_command_of_the_page_is_a_finding_and_every_finding_is_on_the_page():
    assert set(re.findall(f"{COMMAND}([a-z0-9-]+)", PAGE)) == set(printed()) == {*FAST, *TRAINED}


@pytest.mark.parametrize(
    "finding", [*FAST, *(pytest.param(name, marks=pytest.mark.slow) for name in TRAINED)]
)
def test_accuracies_of_the_page_are_those_printed(finding):
    lines = printed(finding)
    means = {float(re.search(r"([\d.]+) % \(seeds", line).group(1)) for line in lines}
    on_page = {float(x) for x in re.findall(r"([\d.]+) %", told(1, finding))}
    # Other processors round otherwise, and train other networks.
    apart = 0.5 if finding in TRAINED else 0.0
    assert sorted(on_page) == pytest.approx(sorted(means), abs=apart)
    record = " ".join(line.partition("; recorded:")[2] for line in lines)
    beside = re.findall(r"\d\d\.\d", "".join(row.split(" | ")[0] for row in ROWS))
    own = set(re.findall(r"\d\d\.\d", told(0, finding)))
    assert own <= set(re.findall(r"[\d.]+", record)) <= set(beside)


def test_numbers_of_comparisons_and_prices_are_those_of_the_tables():
    shared = pd.read_csv(ROOT / "results/reference/shared.csv")
    prices = pd.read_csv(ROOT / "results/reference/prices.csv")
    spikes = shared[(shared["kind"] == "method") & (shared["talk"] != "naud")]
    counted = spikes[spikes["counted"] == "yes"]
    static = counted["task"].isin(["yinyang", "randman"])
    assert f"Of the {len(counted)} comparisons" in PAGE
    assert f"{static.sum()} are of Yin-Yang and Randman" in PAGE
    assert f"The {(~static).sum()} others are of delayed match and distinctness" in PAGE
    worse = counted[counted["verdict"] == "worse"]
    assert (len(worse), (worse["talk"] == "clopath").sum()) == (19, 4)
    fire = prices[prices["counted"].isin(["yes", "no network without spikes of equal accuracy"])]
    equal = fire[fire["counted"] == "yes"]
    assert f"is there for {len(equal)} of {len(fire)} networks that fire" in PAGE.replace("\n ", "")
    assert f"{(equal['task'] == 'yinyang').sum()} of these on Yin-Yang" in PAGE.replace("\n ", "")
    assert equal["control"].str.contains("_at_").sum() > len(equal) / 2
    assert (shared["tried"][shared["variant"].str.contains("_at_", na=False)] == 0).all()
