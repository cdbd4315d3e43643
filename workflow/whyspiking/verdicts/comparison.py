"""Compares a results folder with the reference results, number by number.

Scale default trains a part of the networks of the reference results by the same recipes. If all
numbers of an experiment are equal, its claims are judged on all networks of the reference results.
If a number differs, or the reference results lack a network, its claims are judged on the networks
of the run alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from whyspiking.declared.claims_file import Claim
from whyspiking.declared.registry import Talk
from whyspiking.errors import UserError
from whyspiking.records import reference, tables
from whyspiking.records.columns import CHANGED, METRICS, REPRODUCED, VERDICTS
from whyspiking.records.labels import in_points
from whyspiking.records.tables import Table
from whyspiking.records.whole_files import read_json
from whyspiking.verdicts import published_size, rule
from whyspiking.verdicts.differing_inputs import (
    Change,
    find_changes,
    find_talk_changes,
    list_settings,
)

type Row = Mapping[str, Any]

SCALES = ("default", "full")
"""Scales that train networks of the reference results; the others have other sizes."""
EQUAL, ROUNDED, DIFFERENT = "equal", "equal within rounding", "different"
NEW = "new"
"""Outcome of a number, or of a network, that the reference results lack."""
SAME = (EQUAL, ROUNDED)
COUNTS = {"n_equal": EQUAL, "n_rounding": ROUNDED, "n_different": DIFFERENT}
"""Column of reproduced.csv -> outcome that it counts."""
NAME = "{metric} ({engine}, {perturbation} {strength:g} {location})"
"""Names a number of a network."""
WORST = (
    "largest relative difference {largest_difference:.2g}, in {talk}.{experiment}/{variant}, seed "
    "{seed}: "
    "{differing_number}"
)
ROUNDING = 1e-6
"""Largest relative difference that another order of additions explains."""
NETWORK = ["talk", "experiment", "variant", "seed"]
NUMBER = [*NETWORK, "engine", "perturbation", "location", "strength", "metric"]
FRACTION, CURVE = "trained_fraction", "curve_difference"
"""Metrics of a network of which only the first part of the training was repeated."""
PARTS = ("metrics.csv", "verdicts.csv", "manifest.json")
"""Files of every talk that are read from the reference results."""
CRITERION = ("criterion_low", "criterion_high", "published_value")
"""Columns of verdicts.csv that a verdict takes from its claim."""


def compare_numbers(metrics: Table, reference_metrics: Table) -> Table:
    """Compare every number of a run, except durations, with the reference results.

    Args:
        metrics: Rows of the metrics table of the run.
        reference_metrics: Rows of the metrics table of the reference results.

    Returns:
        A row per number of the run: columns of `CHANGED`, and `gap`, the difference relative to the
        larger of the two numbers.
    """
    here, there = (
        table[~table["metric"].str.contains("seconds")].set_index(NUMBER)["value"].astype(float)
        for table in (metrics, reference_metrics)
    )
    # The training stage has compared the two learning curves: equal ones differ by 0.
    is_curve = here.index.get_level_values("metric") == CURVE
    recorded = np.where(is_curve, 0.0, there.reindex(here.index))
    value = here.to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = value - recorded
        gap = np.abs(difference) / np.maximum(np.abs(value), np.abs(recorded))
    gap = np.where(is_curve, value, gap)
    is_equal = (value == recorded) | (np.isnan(value) & np.isnan(recorded))
    gap = np.where(is_equal, 0.0, np.nan_to_num(gap, nan=np.inf))
    outcome = np.where(is_equal, EQUAL, np.where(gap <= ROUNDING, ROUNDED, DIFFERENT))
    outcome = np.where(is_curve | here.index.isin(there.index), outcome, NEW)
    return here.index.to_frame(index=False).assign(
        reference_value=recorded, value=value, difference=difference, gap=gap, outcome=outcome
    )


def count_outcomes(numbers: Table) -> Table:
    """Count the outcomes of every network.

    Args:
        numbers: As `compare_numbers` returns them.

    Returns:
        A row per network, columns of `REPRODUCED`.
    """
    rows = []
    for network, own in numbers.groupby(NETWORK, sort=False):
        compared = own[own["outcome"] != NEW].sort_values("gap", kind="stable")
        counts = compared["outcome"].value_counts()
        worst = compared.iloc[-1] if len(compared) else {"gap": np.nan, "outcome": NEW}
        where = ""
        fraction = own.loc[own["metric"] == FRACTION, "value"]
        if worst["gap"] > 0:
            where = NAME.format_map(worst).replace(", none 0", "").replace(" )", ")")
        rows.append(
            {
                **dict(zip(NETWORK, network, strict=True)),
                **{column: counts.get(name, 0) for column, name in COUNTS.items()},
                "largest_difference": worst["gap"],
                "differing_number": where,
                "outcome": worst["outcome"],
                FRACTION: fraction.iloc[0] if len(fraction) else 1.0,
            }
        )
    return REPRODUCED.table(rows)


# ---- talks ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """A talk of a run, compared with the reference results.

    Attributes:
        metrics: The rows on which claims are judged: those of the reference results, and in place
            of the experiments that differ those of the run.
        networks: A row per network of the run, columns of `REPRODUCED`.
        verdicts: Rows of verdicts.csv of the reference results.
        numbers: Rows of all numbers that are not equal, columns of `CHANGED`.
        why_not: The reason why nothing is compared; empty if the talk is compared.
    """

    metrics: Table
    networks: Table
    verdicts: Table
    numbers: Table
    why_not: str = ""

    def find_data(self, claim: Claim) -> str:
        """Find who made the data of a claim that is judged on the reference results, else ""."""
        if claim.rows["experiment"] in find_changed_experiments(self.networks):
            return ""
        rows = self.verdicts.loc[self.verdicts["claim"] == claim.id, "data_source"]
        return str(rows.iloc[0]) if len(rows) else ""


def compare_talk(
    talk: str, metrics: Table, scale: str, folder: Path = reference.FOLDER
) -> Comparison:
    """Compare the measurements of a talk with the reference results.

    Args:
        talk: Name of the talk.
        metrics: All its rows of the metrics table of the run.
        scale: Scale of the run.
        folder: The reference results.
    """
    try:
        if scale not in SCALES:
            raise UserError(f"scale {scale} has recipes of its own")
        if talk not in reference.recorded(folder):
            raise UserError(f"{folder / talk} is not there")
        reference.manifest(folder / talk)
        recorded = reference.table(folder / talk / "metrics.csv", METRICS)
        verdicts = reference.table(folder / talk / "verdicts.csv", VERDICTS)
    except UserError as error:
        empty = REPRODUCED.table([]), VERDICTS.table([]), CHANGED.table([])
        return Comparison(metrics, *empty, str(error))
    numbers = compare_numbers(metrics, recorded)
    networks = count_outcomes(numbers)
    changed = find_changed_experiments(networks)
    judged = tables.stacked(
        [
            recorded[~recorded["experiment"].isin(changed)].assign(scale=scale),
            metrics[metrics["experiment"].isin(changed)],
        ]
    )
    judged = judged.sort_values(METRICS.names[:10], kind="stable")
    unequal = numbers.loc[numbers["outcome"] != EQUAL, CHANGED.names]
    return Comparison(judged, networks, verdicts, unequal)


def compare_results(
    folder: Path, reference_folder: Path, talks: Iterable[str], scale: str
) -> dict[str, Comparison]:
    """Compare the talks of a results folder with the reference results, number by number."""
    return {
        name: compare_talk(
            name, tables.read_metrics([folder / name / "metrics.csv"]), scale, reference_folder
        )
        for name in talks
    }


def find_changed_experiments(networks: Table) -> set[str]:
    """Find the experiments of a talk that are judged by the numbers of the run.

    That are those with a number that differs, or a network that the reference lacks. A run that
    repeats only the first part of a training does not judge its experiment.
    """
    in_part = networks.loc[networks[FRACTION] < 1, "experiment"]
    return set(networks.loc[~networks["outcome"].isin(SAME), "experiment"]) - set(in_part)


def list_changed_verdicts(verdicts: Table, reference_verdicts: Table) -> list[tuple[str, str, str]]:
    """List the claims of which a run has another verdict: claim, reference verdict, verdict."""
    both = reference_verdicts.merge(verdicts, on="claim", suffixes=("_reference", ""))
    both = both[both["verdict"] != both["verdict_reference"]]
    return list(zip(both["claim"], both["verdict_reference"], both["verdict"], strict=True))


def summarise(networks: Table, n_changed: int, why_not: str = "") -> str:
    """Say in a line how many numbers of a run are equal to the reference results.

    Args:
        networks: Rows of reproduced.csv.
        n_changed: Number of verdicts that differ from those of the reference results.
        why_not: The reason why nothing was compared.
    """
    if why_not or networks.empty:
        why_not = why_not or "they have none of these networks"
        return f"not compared with the reference results: {why_not}"
    counts = networks[[*COUNTS]].sum()
    line = f"{counts['n_equal']:,} of {counts.sum():,} numbers are equal to the reference results"
    if n_parts := int((networks[FRACTION] < 1).sum()):
        line += (
            f" (of {n_parts} network{'s' * (n_parts > 1)}, only the first part of the training was "
            "repeated, and the network of the reference results was evaluated)"
        )
    if counts["n_rounding"]:
        line += f", {counts['n_rounding']:,} are equal within rounding"
    if not counts["n_different"]:
        return line
    worst = networks.loc[networks["largest_difference"].idxmax()]
    return f"{line}, {counts['n_different']:,} different ({WORST.format_map(worst)}); " + (
        f"{n_changed or 'no'} verdict{'s' * (n_changed > 1)} changed"
    )


# ---- pages ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ClaimComparison:
    """A claim of a run, compared with the reference results.

    Attributes:
        n_networks: Number of networks of its kind in the run.
        n_reference: Number of networks of its kind in the reference results.
        trained_fraction: Fraction of the training that the run repeated; below 1, the networks that
            were evaluated are those of the reference results.
        outcome: The worst outcome of the networks of its experiments; empty if none was run.
        reference: Its row in the reference results if the verdict is that of the run alone.
    """

    n_networks: int
    n_reference: int
    outcome: str
    trained_fraction: float = 1.0
    reference: Row | None = None


@dataclass(frozen=True)
class ReferenceResults:
    """The reference results that the pages of a run show; empty if the run is not compared.

    Attributes:
        run: Folder of the run.
        networks: The networks of the run, columns of `REPRODUCED`.
        verdicts: Claim -> its row of verdicts.csv, of claims that have a verdict.
        published_size: Claim -> its row of verdicts.csv of runs at the published size.
        changes: Talk -> parameters and code files that differ; "": parameters of the config.
        manifests: Talk -> its manifest.
    """

    run: Path = Path()
    networks: Table = field(default_factory=lambda: REPRODUCED.table([]))
    verdicts: Mapping[str, Row] = field(default_factory=dict)
    published_size: Mapping[str, Row] = field(default_factory=dict)
    changes: Mapping[str, Sequence[Change]] = field(default_factory=dict)
    manifests: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def commit(self) -> str:
        """The commit of the first talk, shortened; empty if the run is not compared."""
        return next((str(manifest["commit"])[:7] for manifest in self.manifests.values()), "")

    def find_published_size(self, row: Row) -> Row | None:
        """Find the result of a claim at the published size, if its verdict is another one."""
        return published_size.find_other_verdict(row, self.published_size.get(row["claim"]))

    def find_other_criterion(self, row: Row) -> Row | None:
        """Find the reference row of a claim whose band or published value was another one."""
        before = self.verdicts.get(row["claim"], row)
        return None if all(str(before[key]) == str(row[key]) for key in CRITERION) else before

    def compare_claim(self, row: Row, claim: Claim) -> ClaimComparison | None:
        """Compare a claim with the reference results; None if the run is not compared.

        Args:
            row: Its row of verdicts.csv of the run.
            claim: The claim.
        """
        if self.networks.empty:
            return None
        recorded = self.verdicts.get(row["claim"])
        networks = self.networks[self.networks["talk"] == claim.talk]
        places = pd.MultiIndex.from_frame(networks[["experiment", "variant"]])
        experiments = {experiment for experiment, _ in claim.networks}
        outcomes = set(networks.loc[networks["experiment"].isin(experiments), "outcome"])
        outcome = next((name for name in (NEW, DIFFERENT, ROUNDED, EQUAL) if name in outcomes), "")
        if not places.isin(claim.networks).any():
            outcome = ""
        networks = networks[places.isin(claim.networks[:1])]
        fraction = float(networks[FRACTION].min()) if len(networks) else 1.0
        is_of_run = outcome in (NEW, DIFFERENT) and fraction == 1
        return ClaimComparison(
            len(networks),
            int(recorded["n_seeds"]) if recorded else 0,
            outcome,
            fraction,
            recorded if is_of_run else None,
        )


def list_reference_files(folder: Path, scale: str) -> list[Path]:
    """List the files of the reference results that tables and pages of a run depend on.

    Args:
        folder: The results folder of the run.
        scale: Its scale.
    """
    kept = folder.parent / reference.FOLDER.name
    paths = published_size.list_files(kept, scale)
    if scale in SCALES and folder != kept:
        paths += [tables.lying(kept / t / name) for t in reference.recorded(kept) for name in PARTS]
        paths += kept.glob("manifest.json")
    return paths


def read_reference(
    folder: Path,
    scale: str,
    networks: Table,
    talks: Iterable[Talk],
    config: Mapping[str, Any] | None = None,
) -> ReferenceResults:
    """Read what pages of a run show of the reference results.

    Args:
        folder: The results folder of the run.
        scale: Its scale.
        networks: Its networks, columns of `REPRODUCED`.
        talks: The talks of the page.
        config: Configuration of the run, if the page knows it.

    Raises:
        UserError: If a table of the reference results is damaged or of another version.
    """
    kept = folder.parent / reference.FOLDER.name
    larger = published_size.read_verdicts(kept, scale)
    if networks.empty or folder == kept:
        return ReferenceResults(published_size=larger)
    names = reference.recorded(kept)
    manifests = {name: reference.manifest(kept / name) for name in names}
    changes = {t.name: find_talk_changes(t, manifests[t.name]) for t in talks if t.name in names}
    if config is not None and (kept / "manifest.json").is_file():
        joint = read_json(kept / "manifest.json", "config")
        # A key that the project itself changed since is no change of the user.
        before = {
            **list_settings(joint["config"]),
            **joint.get("config_since", {}),
        }
        changes[""] = find_changes(before, list_settings(config))
    verdicts = in_points(
        tables.stacked([reference.table(kept / t / "verdicts.csv", VERDICTS) for t in names])
    )
    is_judged = ~verdicts["verdict"].isin(rule.UNJUDGED)
    rows = {str(row["claim"]): row for row in verdicts[is_judged].to_dict("records")}
    return ReferenceResults(folder, networks, rows, larger, changes, manifests)
