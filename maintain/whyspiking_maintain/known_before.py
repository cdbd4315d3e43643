"""Which claims had a number on record when their band took its present form: read from git.

A band that is written after its number is known proves less than one that was not. What a claim
asks is its metric, its test, its band at scale full, what it compares, and whether it is the key
claim; the commit that gave it its present form is looked for in the history of claims.yaml. Its
number was known if the record of the commit before has rows of that metric and place, of whatever
recipe. Numbers that were seen but never recorded git does not know: those are told under `earlier`.
"""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from whyspiking.declared import registry
from whyspiking.errors import UserError
from whyspiking.records import columns, tables
from whyspiking.verdicts import judge

LOG = (
    *("log", "--follow", "--first-parent", "--diff-merges=first-parent"),
    *("--format=%H", "--name-only"),
)
"""The versions of a file that main had, one after the other."""
PLACES = tuple(
    f"results/reference/{place}"
    for place in ("{talk}/metrics.csv.gz", "{talk}/metrics.csv", "metrics.csv")
)
"""Where the record has had a talk's measurements, the latest first."""
type Claims = Mapping[str, Mapping[str, Any]]
"""Claims as a file of some commit had them, by id."""


def table() -> pd.DataFrame:
    """One row a claim, columns `columns.KNOWN_BEFORE`.

    Raises:
        UserError: Where the history is not there, or a claim is not committed yet.
    """
    if _git("rev-parse", "--is-shallow-repository").strip() == "true":
        raise UserError("known: this clone has no history; run git fetch --unshallow")
    rows = [row for name in registry.available() for row in _of_talk(name)]
    return columns.KNOWN_BEFORE.table(rows)


def write() -> None:
    """Write the table that verdicts take it from."""
    table().to_csv(judge.KNOWN_BEFORE, index=False)


def _of_talk(name: str) -> Iterator[dict[str, Any]]:
    folder = registry.load_talk(name).folder.relative_to(Path.cwd())
    versions = list(_versions(folder / "claims.yaml"))
    if not versions:
        return
    for claim, asked in versions[0][1].items():
        commit, now = versions[0][0], (claim, asked)
        for older, claims in versions[1:]:
            before = _same(now, claims)
            if before is None:
                break
            commit, now = older, before
        yield {"claim": claim, "since": commit[:7], "known": _recorded(name, f"{commit}^", now[1])}


def _versions(path: Path) -> Iterator[tuple[str, Claims]]:
    """Commit and claims of every version of a file, newest first, under whatever name it had."""
    said = _git(*LOG, "--", str(path)).split()
    for commit, place in zip(said[::2], said[1::2], strict=True):
        try:
            entries = yaml.safe_load(_git("show", f"{commit}:{place}"))
        except yaml.YAMLError:  # a version that could not be read said nothing
            continue
        yield commit, {entry["id"]: entry for entry in entries}


def _same(now: tuple[str, Mapping[str, Any]], claims: Claims) -> tuple[str, Any] | None:
    """The claim that asked the same in an older version, under its name or another; or none."""
    name, asked = now
    if name in claims:
        return (name, claims[name]) if _asks(claims[name]) == _asks(asked) else None
    renamed = [
        (old, entry)
        for old, entry in claims.items()
        if entry["says"].split() == asked["says"].split() and _asks(entry) == _asks(asked)
    ]
    return renamed[0] if len(renamed) == 1 else None


def _asks(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    """What decides the verdict on a claim, in whatever form the file had then."""
    bands = entry["accept"]
    band = bands.get("full", bands.get("default", bands.get("paper")))
    edges = band["band"] if isinstance(band, dict) else band
    # Only these edges bind: too good is no failure.
    binding = {"larger": slice(1), "smaller": slice(1, 2)}.get(entry["better"], slice(2))
    ends = [None if edge is None else float(edge) for edge in edges or ()][binding]
    compared = bool(entry.get("versus"))
    return entry["metric"], entry["test"], *ends, compared, entry["role"] == "key"


def _recorded(talk: str, commit: str, asked: Mapping[str, Any]) -> bool:
    """Whether the record of a commit has what a claim asks for, on both sides of a comparison."""
    found = _metrics(talk, commit)
    if found is None:
        return False
    where = asked["where"]
    places = [where, {**where, **asked["versus"]}] if asked.get("versus") else [where]
    rows = tables.where(found, metric=asked["metric"])
    return all(
        len(tables.where(rows, **{key: place[key] for key in place if key != "engine"}))
        for place in places
    )


def _metrics(talk: str, commit: str) -> pd.DataFrame | None:
    """The recorded measurements of a talk at a commit, if there were any."""
    for place in PLACES:
        shown = ["git", "show", f"{commit}:{place.format(talk=talk)}"]
        done = subprocess.run(shown, capture_output=True, check=False)
        if done.returncode:
            continue
        packed = "gzip" if place.endswith(".gz") else None
        rows = pd.read_csv(io.BytesIO(done.stdout), compression=packed, low_memory=False)
        return tables.where(rows, talk=talk)
    return None


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"git {' '.join(words)}: {done.stderr.strip()}; needs the history of git")
    return done.stdout
