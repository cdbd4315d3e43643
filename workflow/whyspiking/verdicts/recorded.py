"""Is it the recorded run? What pages, the Snakefile and the record's own commands ask of it.

`reproduction` compares numbers, `recipe` what they were made by, `records.reference` reads files.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from whyspiking import arithmetic
from whyspiking.declared.bands import Band
from whyspiking.declared.claims_file import Claim
from whyspiking.declared.registry import Talk
from whyspiking.measures.statistics import Interval
from whyspiking.records import reference, tables
from whyspiking.records.columns import REPRODUCED, VERDICTS
from whyspiking.records.labels import in_points
from whyspiking.records.tables import Table
from whyspiking.running import machine
from whyspiking.verdicts import recipe, reproduction, rule
from whyspiking.verdicts.advantage import NOT_ASSESSED
from whyspiking.verdicts.recipe import Change
from whyspiking.verdicts.reproduction import Here

type Row = Mapping[str, Any]

SCALE = "full"
"""Of the record."""
FOLDER = "reference"
"""Name of its folder, beside that of a run."""
PAPER = "paper"
"""The largest scale; below FOLDER, what it said of talks that were run at it."""
BEST = "the best trained non-spiking network"
"""How again.json names the comparison with the best of all trained non-spiking families."""
AGAIN = "again.json"
"""In FOLDER: what came out otherwise where a part of the record was made again."""
OF_TALKS = ("metrics.csv", "verdicts.csv", "manifest.json")
"""What is read of every recorded talk."""
JOINT = "manifest.json"
"""Beside the tables of all recorded talks: with which config."""
STATED = ("band_low", "band_high", "published")
"""What a verdict's row takes from its claim."""


@dataclass(frozen=True)
class Recorded:
    """What was recorded; nothing of it where a run is not held against it.

    Attributes:
        commit: With which code.
        verdicts: Id of a claim that it judges -> the row of its verdict table.
        paper: The same of talks that were run at the published sizes.
        here: The networks of the run beside the recorded ones, columns of `REPRODUCED`.
        changes: Talk -> keys and files that are not as they were recorded; "": those of the config.
        made: Talk -> the manifest of its record.
    """

    commit: str = ""
    verdicts: Mapping[str, Row] = field(default_factory=dict)
    paper: Mapping[str, Row] = field(default_factory=dict)
    here: Table = field(default_factory=lambda: REPRODUCED.table([]))
    changes: Mapping[str, Sequence[Change]] = field(default_factory=dict)
    made: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def at_paper(self, row: Row) -> Row | None:
        """What the published sizes say of a claim, where it is another verdict."""
        larger = self.paper.get(row["claim"], row)
        if larger["verdict"] == rule.OUT_OF_SCOPE and np.isfinite(larger["value"]):
            verdict = judge_by_criterion(row, larger)
            label = f"{verdict} by the criterion of the reduced run"
            larger = {**larger, "verdict": verdict, "label": label}
        # What was a claim of a paper then may be a check now: the same outcome has two names.
        own = row["verdict"]
        same = next((names for names in (rule.PASSES, rule.FAILED) if own in names), (own,))
        return None if larger["verdict"] in same else larger

    def before(self, row: Row) -> Row | None:
        """The record's row of a claim that it judges; none of a run that is not held against it."""
        return None if self.here.empty else self.verdicts.get(row["claim"])

    def with_other_band(self, row: Row) -> Row | None:
        """The record's row of a claim, where band or published value were others."""
        before = self.verdicts.get(row["claim"], row)
        return None if all(str(before[key]) == str(row[key]) for key in STATED) else before

    def made_otherwise(self, talks: Iterable[str]) -> list[tuple[str, str, str]]:
        """What the record was made with and is not here: its name, there, here."""
        found: dict[str, tuple[str, str, str]] = {}
        for made in (self.made[talk] for talk in talks if talk in self.made):
            summing, versions = made.get("arithmetic", {}), made.get("versions", {})
            known = [
                ("compiler", summing.get("compiler", "?"), machine.compiler()),
                ("processor", made.get("machine", {}).get("cpu"), machine.processor()),
                ("caches", summing.get("caches"), arithmetic.caches()),
                ("Python", made.get("python"), platform.python_version()),
                *((name, was, metadata.version(name)) for name, was in versions.items()),
            ]
            found |= {entry[0]: entry for entry in known if entry[1] not in (None, entry[2])}
        return list(found.values())

    def reproduced(self, row: Row, claim: Claim) -> Here | None:
        """How a claim stands beside the record; None where nothing is compared."""
        if self.here.empty:
            return None
        return reproduction.here(claim, row, self.verdicts.get(row["claim"]), self.here)


def _judged(parts: Iterable[Table]) -> dict[str, Row]:
    """Rows of verdict tables by claim; what was not judged is left out."""
    rows = in_points(tables.stacked([VERDICTS.table([]), *parts])).to_dict("records")
    unjudged = rule.NOT_MEASURED, rule.OUT_OF_SCOPE
    return {str(row["claim"]): row for row in rows if row["verdict"] not in unjudged}


def _with_value(parts: Iterable[Table]) -> dict[str, Row]:
    """Rows of verdict tables by claim, those without a criterion included."""
    rows = in_points(tables.stacked([VERDICTS.table([]), *parts])).to_dict("records")
    return {str(row["claim"]): row for row in rows if np.isfinite(row["value"])}


def judge_by_criterion(row: Mapping[str, Any], larger: Mapping[str, Any]) -> str:
    """The verdict of a result by the criterion of another row of verdicts.csv.

    Args:
        row: The row with the criterion.
        larger: Value, interval and number of seeds.
    """
    ends = [np.nan_to_num(row[name], nan=side) for name, side in
            (("band_low", -np.inf), ("band_high", np.inf))]  # fmt: skip
    null = {"difference": 0.0, "ratio": 1.0}.get(row["test"]) if row["versus"] else None
    criterion = rule.Criterion(row["test"], Band(*ends), null)
    estimate = Interval(larger["value"], larger["low"], larger["high"], int(larger["seeds"]))
    verdict = rule.decide(criterion, np.array([larger["value"]]), estimate)
    return rule.named(verdict, row["origin"])


def summarise_repetition(repeated: Mapping[str, Any]) -> dict[str, Any]:
    """Count what changed when experiments were trained again with other floating-point rounding.

    Experiments that got new data later were repeated apart (`since`), and claims that rest on them
    count as touched, too. Comparisons of energy that had no verdict before cannot change.

    Args:
        repeated: Content of again.json; empty if nothing was repeated.

    Returns:
        Numbers by name, `experiments` that were repeated and `changed`, a line per verdict; empty
        if nothing was repeated.
    """
    if not repeated:
        return {}
    verdicts, energies = repeated["verdicts"], repeated["energies"]
    later = repeated.get("since", ())
    has_verdict = [before for before, _ in energies["compared"].values()]
    has_verdict = [before for before in has_verdict if before not in ("", NOT_ASSESSED)]
    return {
        "experiments": repeated["experiments"],
        "n_experiments": len(repeated["experiments"]),
        "n_claims": verdicts["claims"],
        "n_touched": verdicts["touched"] + sum(run["verdicts"]["touched"] for run in later),
        "n_changed": len(verdicts["changed"]),
        "n_energy": len(has_verdict),
        "n_energy_all": len(energies["compared"]),
        "n_energy_missing": len(energies["compared"]) - len(has_verdict),
        "n_energy_changed": len(energies["changed"]),
        "n_best_changed": sum(BEST in name for name in energies["changed"]),
        "changed": verdicts["changed"] + energies["changed"],
        "vectors": repeated["arithmetic"]["vectors"],
    }


def files(folder: Path, scale: str) -> list[Path]:
    """The recorded files that the tables and pages of a run depend on.

    Args:
        folder: Of the run.
        scale: Its scale.
    """
    return [*_of_record(folder, scale), *_of_paper(folder, scale)]


def shown() -> list[Path]:
    """The recorded files that every report reads: frontiers, networks to touch, made again."""
    kept = (
        "discussion/neuron.json",
        "networks.csv",
        "networks/goeltz-yinyang.*",
        AGAIN,
        "frontiers.csv",
        "advantage.csv",
    )
    return sorted(path for name in kept for path in reference.FOLDER.glob(name))


def _of_paper(folder: Path, scale: str) -> list[Path]:
    """Verdicts at the published sizes: none for pages of that scale, or of one without verdicts."""
    if scale in ("smoke", PAPER):
        return []
    return sorted((folder.parent / FOLDER / PAPER).glob("*.csv"))


def _of_record(folder: Path, scale: str) -> list[Path]:
    """The record: nothing of it for a run of other sizes, or where the run is the record."""
    kept = folder.parent / FOLDER
    if scale not in reproduction.SCALES or folder.name == FOLDER:
        return []
    own = [tables.lying(kept / t / file) for t in reference.recorded(kept) for file in OF_TALKS]
    return [*own, *kept.glob(JOINT)]


def beside(
    folder: Path,
    scale: str,
    here: Table,
    talks: Iterable[Talk],
    config: Mapping[str, Any] | None = None,
) -> Recorded:
    """What pages of a run show of the record.

    Args:
        folder: Of the run.
        scale: Its scale.
        here: Its networks beside the recorded ones, columns of `REPRODUCED`.
        talks: The talks of the page.
        config: Of the run, where the page knows it.

    Raises:
        UserError: If a recorded table is damaged or of another version.
    """
    # Kept from runs that are seldom made again: their columns may be those of an earlier version.
    older = (tables.read(path, VERDICTS, other=True) for path in _of_paper(folder, scale))
    paper = _with_value(older)
    verdicts = [path for path in _of_record(folder, scale) if path.name == "verdicts.csv"]
    if here.empty:
        return Recorded(paper=paper)
    made = {path.parent.name: reference.manifest(path.parent) for path in verdicts}
    changes = {t.name: recipe.changes(t, made[t.name]) for t in talks if t.name in made}
    joint = folder.parent / FOLDER / JOINT
    if config is not None and joint.is_file():
        whole = json.loads(joint.read_text(encoding="utf-8"))
        then = {**recipe.of_config(whole["config"]), **whole.get("config_since", {})}
        changes[""] = recipe.differing(then, recipe.of_config(config))
    commit = next((str(own["commit"])[:7] for own in made.values()), "")
    judged = _judged(reference.table(path, VERDICTS) for path in verdicts)
    return Recorded(commit, judged, paper, here, changes, made)
