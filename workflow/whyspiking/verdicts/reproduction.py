"""A run held against the record: which of its numbers are those of `results/reference`.

The record is of scale full; scale default trains a part of its networks by the same recipes. What
is equal there is one measurement, and the record has it of more networks: claims are judged on the
record's. An experiment that differs in any number, or has networks that the record lacks, is judged
on the run's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from whyspiking.declared.claims_file import Claim
from whyspiking.errors import UserError
from whyspiking.records import reference
from whyspiking.records.columns import CHANGED, METRICS, REPRODUCED, VERDICTS
from whyspiking.records.tables import Table

SCALES = ("default", "full")
"""Those that train what the record has; smoke and paper have other sizes."""
IDENTICAL, CLOSE, DIFFERENT, NEW = "identical", "equal within rounding", "different", "new"
ROUNDING = 1e-6
"""Relative difference that another order of additions explains; numbers are written with ten
digits."""
type Row = Mapping[str, Any]

NETWORK = ["talk", "experiment", "variant", "seed"]
ROW = [*NETWORK, "engine", "perturbation", "locus", "strength", "metric"]


@dataclass(frozen=True)
class Held:
    """A talk of a run, held against the record.

    Attributes:
        metrics: What its claims are judged on: the rows of the record, in the scale of the run, and
            in place of the experiments that differ those of the run.
        table: A row a network of the run, columns of `columns.REPRODUCED`.
        verdicts: The record's rows of verdicts.csv of the talk.
        numbers: A row a number that is not the recorded one, columns of `columns.CHANGED`.
        why_not: Why nothing is compared; empty where it is.
    """

    metrics: Table
    table: Table
    verdicts: Table
    numbers: Table
    why_not: str = ""

    @property
    def own(self) -> set[str]:
        """Experiments that are judged on the run's networks."""
        return set(self.table.loc[~self.table["state"].isin((IDENTICAL, CLOSE)), "experiment"])

    def recorded_data(self, claim: Claim) -> str:
        """Who made the data that a claim is judged on, where that is the record's to say."""
        if claim.where["experiment"] in self.own:
            return ""
        rows = self.verdicts.loc[self.verdicts["claim"] == claim.id, "data"]
        return str(rows.iloc[0]) if len(rows) else ""

    def changed(self, verdicts: Table) -> int:
        """How many verdicts of the run, rows of its verdicts.csv, are others than the recorded."""
        recorded = dict(zip(self.verdicts["claim"], self.verdicts["verdict"], strict=True))
        pairs = zip(verdicts["claim"], verdicts["verdict"], strict=True)
        return sum(recorded.get(claim, verdict) != verdict for claim, verdict in pairs)


def held(talk: str, metrics: Table, scale: str, folder: Path = reference.FOLDER) -> Held:
    """Hold the measurements of a talk against the record.

    Args:
        talk: Its name.
        metrics: All its rows of the run.
        scale: Of the run.
        folder: Of the record.
    """
    try:
        if scale not in SCALES:
            raise UserError(f"scale {scale} has recipes of its own")
        if talk not in reference.recorded(folder):
            raise UserError(f"{folder / talk} is not there")
        reference.manifest(folder / talk)
        recorded = reference.table(folder / talk / "metrics.csv", METRICS)
        verdicts = reference.table(folder / talk / "verdicts.csv", VERDICTS)
    except UserError as nothing:
        none = REPRODUCED.table([]), VERDICTS.table([]), CHANGED.table([])
        return Held(metrics, *none, str(nothing))
    numbers = beside(metrics, recorded)
    table = compared(numbers)
    changed = numbers.loc[numbers["gap"] != 0, CHANGED.names]
    found = Held(metrics, table, verdicts, changed)
    kept = recorded[~recorded["experiment"].isin(found.own)].assign(scale=scale)
    parts = [part for part in (kept, metrics[metrics["experiment"].isin(found.own)]) if len(part)]
    joined = pd.concat(parts, ignore_index=True) if parts else metrics
    return Held(joined.sort_values(METRICS.names[:10], kind="stable"), table, verdicts, changed)


def beside(metrics: Table, recorded: Table) -> Table:
    """Every number of a run beside the recorded one, columns of `CHANGED` and `gap`.

    What a clock measured is left out. The gap is relative to the larger of the two, and nan where
    the record lacks the number.
    """
    here, there = (
        table[~table["metric"].str.contains("seconds")].set_index(ROW)["value"].astype(float)
        for table in (metrics, recorded)
    )
    known = here.index.isin(there.index)
    before = there.reindex(here.index).to_numpy()
    value = here.to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = np.abs(value - before) / np.maximum(np.abs(value), np.abs(before))
        difference = value - before
    gap = np.where((value == before) | (np.isnan(value) & np.isnan(before)), 0.0, gap)
    gap = np.where(known, np.nan_to_num(gap, nan=np.inf), np.nan)
    told = {"recorded": before, "here": value, "difference": difference, "gap": gap}
    return here.index.to_frame(index=False).assign(**told)


def compared(numbers: Table) -> Table:
    """Network by network how many numbers are those of the record, columns of `REPRODUCED`.

    Args:
        numbers: As `beside` gives them.
    """
    found = [
        _of_network(dict(zip(NETWORK, key, strict=True)), own)
        for key, own in numbers.groupby(NETWORK, sort=False)
    ]
    return REPRODUCED.table(found)


def _of_network(named: dict, rows: Table) -> dict:
    gap = rows["gap"].to_numpy(float)
    known = gap[~np.isnan(gap)]
    largest = float(known.max()) if known.size else np.nan
    worst = rows.iloc[int(np.nanargmax(gap))] if known.size and largest > 0 else None
    counts = {
        "compared": known.size,
        "identical": int((known == 0).sum()),
        "close": int(((known > 0) & (known <= ROUNDING)).sum()),
        "different": int((known > ROUNDING).sum()),
        "unrecorded": int(np.isnan(gap).sum()),
    }
    state = NEW if not known.size else DIFFERENT if counts["different"] else CLOSE
    state = IDENTICAL if counts["identical"] == known.size > 0 else state
    where = "" if worst is None else _place(worst)
    return {**named, **counts, "largest": largest, "where": where, "state": state}


def _place(row: Table) -> str:
    """A row of the metrics table in words."""
    change = "" if row["perturbation"] == "none" else f", {row['perturbation']} {row['strength']:g}"
    locus = f", {row['locus']}" if row["locus"] else ""
    return f"{row['metric']} ({row['engine']}{change}{locus})"


@dataclass(frozen=True)
class Here:
    """What a run reproduces of a recorded claim.

    Attributes:
        networks: How many networks of its kind the run trained.
        of: How many the record has.
        state: The state of all networks that it compares; empty where none was run.
        largest: Largest relative difference of a number of theirs.
        before: The record's row, where the verdict is on the run's own networks.
        expected: Where the mean of so many networks lies with 95 % probability by the recorded
            ones; nan where these do not tell.
    """

    networks: int
    of: int
    state: str
    largest: float
    before: Row | None = None
    expected: tuple[float, float] = (np.nan, np.nan)

    def inside(self, row: Row) -> bool:
        """Whether the run's own value lies where the record expects it."""
        low, high = self.expected
        return bool(low <= row["value"] <= high)


def here(claim: Claim, row: Row, recorded: Row | None, table: Table) -> Here:
    """How a claim stands in a run that the record was held against.

    Args:
        claim: The claim.
        row: Its row of the run's verdicts.csv.
        recorded: The record's; None where it has none.
        table: Rows of reproduced.csv.
    """
    places = pd.MultiIndex.from_tuples(claim.networks)
    compared = table[pd.MultiIndex.from_frame(table[["experiment", "variant"]]).isin(places)]
    compared = compared[compared["talk"] == claim.talk]
    own = compared[compared[["experiment", "variant"]].eq(list(places[0])).all(axis=1)]
    of_claim = table[(table["talk"] == claim.talk) & table["experiment"].isin(places.levels[0])]
    worst = [s for s in (NEW, DIFFERENT, CLOSE, IDENTICAL) if s in set(of_claim["state"])]
    state = worst[0] if len(compared) else ""
    number = len(own)
    found = Here(
        number, int(recorded["seeds"]) if recorded else 0, state, compared["largest"].max()
    )
    if recorded is None or state not in (NEW, DIFFERENT):
        return found
    return Here(**{**vars(found), "before": recorded, "expected": expected(recorded, row)})


def expected(recorded: Row, row: Row) -> tuple[float, float]:
    """Where the mean of the run's networks lies with 95 % probability, by the recorded ones.

    The interval of a mean of n networks, made as wide as that of the difference to another mean of
    k networks: by the square root of 1 + n / k on either side.
    """
    k = int(row["seeds"])
    if k == 0 or int(recorded["seeds"]) < 2 or "seeds" not in recorded["over"]:
        return np.nan, np.nan
    wider = float(np.sqrt(1 + recorded["seeds"] / k))
    middle = float(recorded["value"])
    low, high = (middle + wider * (float(recorded[end]) - middle) for end in ("low", "high"))
    return low, high


def summary(table: Table, changed: int, why_not: str = "") -> str:
    """One line for the reader of a run: how many numbers are those of the record.

    Args:
        table: Rows of reproduced.csv.
        changed: How many verdicts are others than the recorded ones.
        why_not: Why nothing was compared.
    """
    if why_not or table.empty:
        return f"not compared with the record: {why_not or 'it has none of these networks'}"
    total, same, close, different = (
        int(table[name].sum()) for name in ("compared", "identical", "close", "different")
    )
    if same == total:
        return f"{same:,} of {total:,} numbers identical to the recorded ones"
    said = f"{same:,} of {total:,} numbers identical to the recorded ones"
    said += f", {close:,} equal within rounding" if close else ""
    if not different:
        return said
    worst = table.loc[table["largest"].idxmax()]
    network = f"{worst['talk']}.{worst['experiment']}/{worst['variant']}, seed {worst['seed']}"
    verdicts = (
        f"{changed} verdict{'s' * (changed != 1)} changed" if changed else "no verdict changed"
    )
    return (
        f"{said}, {different:,} different (most in {network}: {worst['where']} by "
        f"{100 * worst['largest']:.2g} %); {verdicts}"
    )
