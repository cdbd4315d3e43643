"""docs/verdicts.md: what it says of failures is what the recorded verdicts say."""

import re

import pandas as pd
from made.project import ROOT

from whyspiking.declared.claims_file import REPLICABLE
from whyspiking.measures import statistics
from whyspiking.records import columns, tables
from whyspiking.verdicts.rule import FAILURES

REFERENCE = ROOT / "results" / "reference"


def p_of_failure(row):
    """That of the other side; of a difference that is not told from none, of missing its band."""
    if row.test_type != "difference" or row.ci_low > 0 or row.ci_high < 0 or pd.isna(row.p_value):
        return 1 - row.p_value
    degrees = row.n_seeds - 1
    error = (row.ci_high - row.ci_low) / 2 / statistics.t_quantile(0.975, degrees)
    gap = max(row.criterion_low - row.value, row.value - row.criterion_high)
    return statistics.p_above(gap, error, degrees)


def test_how_many_failures_would_be_inconclusive_after_holms_correction():
    told = " ".join((ROOT / "docs" / "verdicts.md").read_text(encoding="utf-8").split())
    said = re.search(
        r"correction, (\d+) of (\d+) failures of secondary claims [^(]*\((.*?)\)", told
    )
    named = {
        f"{part.split()[0]}.{name}"
        for part in said[3].split("; ")
        for name in re.findall("`(.*?)`", part)
    }
    paths = sorted(REFERENCE.glob("*/verdicts.csv"))
    rows = pd.concat([tables.read(path, columns.VERDICTS) for path in paths])
    rows = rows[rows["claim_role"] == "secondary"]
    rows["family"] = rows["origin"].mask(rows["origin"].isin(REPLICABLE), "replicable")
    found, failures = set(), 0
    for _, family in rows.groupby(["talk", "family"]):
        p = [p_of_failure(row) for row in family.itertuples()]
        own = family.assign(p=p, adjusted=statistics.holm(p))
        own = own[own["verdict"].isin(FAILURES) & own["p"].notna()]
        failures += len(own)
        found |= set(own.loc[own["adjusted"] > 0.025, "claim"])
    assert found == named
    assert [int(said[1]), int(said[2])] == [len(found), failures]
