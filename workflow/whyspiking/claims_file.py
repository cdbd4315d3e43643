"""Reads and checks the claims that a talk's claims.yaml registers."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from whyspiking.errors import UserError
from whyspiking.glossary import GLOSSARY
from whyspiking.schema import check, read_yaml

if TYPE_CHECKING:
    from whyspiking.registry import Talk

LOCI = ("", "input", "hidden", "weights", "neurons")
COMPARING = ("difference", "ratio", "equivalence", "shape")
"""Tests that may have a `versus`."""


@dataclass(frozen=True)
class Band:
    """Where a result must lie to count as replicated; an open side is infinite."""

    low: float
    high: float
    why: str = ""

    def contains(self, value: float) -> bool:
        """Whether a number lies inside, edges included."""
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Claim:
    """One published claim, as written in a talk's claims.yaml (schemas/claims.schema.yaml)."""

    id: str
    role: str
    says: str
    source: Mapping[str, str]
    metric: str
    where: Mapping[str, Any]
    versus: Mapping[str, Any] | None
    published: float | None
    spread: float | None
    seeds: int | None
    test: str
    better: str
    accept: Mapping[str, Band]
    negative_control: Mapping[str, Any] | None
    data: str = ""
    axis: str = ""

    @property
    def talk(self) -> str:
        """Name of the talk."""
        return self.id.split(".")[0]


def load(path: Path, talk: Talk | None = None) -> list[Claim]:
    """Read and check a talk's claims.yaml.

    Args:
        path: The file.
        talk: The talk, to check the names of experiments and variants and to fill in where the data
            come from.

    Raises:
        UserError: If the file does not fit the schema, names a metric that is not in the glossary
            or an experiment or variant that does not exist, or has not exactly one key claim.
    """
    where = f"replications/{path.parent.name}/{path.name}"
    entries = read_yaml(path)
    check(entries, "claims", where)
    claims = [_claim(entry, where, talk) for entry in entries]
    ids = [claim.id for claim in claims]
    for name in sorted({name for name in ids if ids.count(name) > 1}):
        raise UserError(
            f"{where}: id '{name}' occurs {ids.count(name)} times; ids must not repeat; rename one"
        )
    keys = [claim.id for claim in claims if claim.role == "key"]
    for claim in claims:
        if claim.role == "key" and claim.negative_control is None:
            raise UserError(
                f"{where}: claim '{claim.id}' has role 'key' but no 'negative_control'; expected a "
                "trivial method that must fail the same band. Add one."
            )
    if len(keys) != 1:
        raise UserError(
            f"{where}: {len(keys)} claims have role 'key' ({', '.join(keys) or 'none'}); expected "
            "exactly one per talk: it is tested without correction for multiple tests. Make one "
            "'key' and the others 'secondary'."
        )
    return claims


def _claim(entry: Mapping[str, Any], where: str, talk: Talk | None) -> Claim:
    name, metric = entry["id"], entry["metric"]
    if metric not in GLOSSARY:
        close = difflib.get_close_matches(metric, list(GLOSSARY), n=1)
        hint = (
            f"did you mean '{close[0]}'?"
            if close
            else "expected a name of whyspiking.glossary.GLOSSARY."
        )
        raise UserError(
            f"{where}: claim '{name}' uses metric '{metric}', which is not known; {hint} Correct "
            "it."
        )
    places = {key: entry[key] for key in ("where", "versus", "negative_control") if key in entry}
    if entry["test"] == "difference" and "versus" not in entry:
        raise UserError(
            f"{where}: claim '{name}' has test 'difference' but no 'versus'; expected what is "
            "subtracted. Add it, or use test 'value'"
        )
    if "versus" in entry and entry["test"] not in COMPARING:
        raise UserError(
            f"{where}: claim '{name}' has a 'versus', which test '{entry['test']}' does not use; "
            f"expected none. Choose one of the tests {list(COMPARING)} or remove it"
        )
    _check_contrasts(name, places, entry["published"], where)
    if talk is not None:
        _check_names(name, places, entry["where"], talk, where)
        if entry["source"]["paper"] not in talk.papers:
            raise UserError(
                f"{where}: claim '{name}', 'source.paper' is '{entry['source']['paper']}'; "
                f"expected one of {sorted(talk.papers)}. Correct it, or add the paper to talk.yaml."
            )
    bands = {
        scale: _band(accepted, entry, f"{where}: claim '{name}', accept.{scale}")
        for scale, accepted in entry["accept"].items()
    }
    published = entry["published"]
    data = talk.experiments[entry["where"]["experiment"]].provenance if talk is not None else ""
    return Claim(
        id=name,
        role=entry["role"],
        says=entry["says"],
        source=entry["source"],
        metric=metric,
        where=entry["where"],
        versus=entry.get("versus"),
        published=published["value"],
        spread=published.get("spread"),
        seeds=published.get("seeds"),
        test=entry["test"],
        better="both" if entry["test"] in ("range", "equivalence") else entry["better"],
        accept=bands,
        negative_control=entry.get("negative_control"),
        data=data,
        axis=entry.get("axis", ""),
    )


def _check_contrasts(
    claim: str,
    places: Mapping[str, Mapping[str, Any]],
    published: Mapping[str, Any],
    where: str,
) -> None:
    """What is compared must differ, and a spread is that of a number."""
    for key in ("versus", "negative_control"):
        if key in places and {**places["where"], **places[key]} == dict(places["where"]):
            raise UserError(
                f"{where}: claim '{claim}', '{key}' is {dict(places[key])}, which is what 'where' "
                "names already; expected something else to compare with. Correct it."
            )
    if published["value"] is None and published.get("spread") is not None:
        raise UserError(
            f"{where}: claim '{claim}', 'published.spread' is {published['spread']}, but "
            "'published.value' is null; expected both or none. Add the value or remove the spread."
        )


def _check_names(
    claim: str,
    places: Mapping[str, Mapping[str, Any]],
    base: Mapping[str, Any],
    talk: Talk,
    where: str,
) -> None:
    if claim.split(".")[0] != talk.name:
        raise UserError(
            f"{where}: claim '{claim}' must begin with the talk's name '{talk.name}.'; correct "
            "its id"
        )
    for key, place in places.items():
        experiment = place.get("experiment", base["experiment"])
        if experiment not in talk.experiments:
            raise UserError(
                f"{where}: claim '{claim}', '{key}.experiment' is '{experiment}'; expected one of "
                f"{sorted(talk.experiments)}. Correct it."
            )
        variants = talk.experiments[experiment].variants
        variant = place.get("variant", base["variant"])
        if variant not in variants:
            raise UserError(
                f"{where}: claim '{claim}', '{key}.variant' is '{variant}'; expected one of "
                f"{sorted(variants)} of experiment '{experiment}'. Correct it."
            )
        battery = talk.experiments[experiment].battery
        known = {"perturbation": ("none", *battery), "locus": LOCI}
        for column, names in known.items():
            name = place.get(column, names[0])
            if name not in names and not _says(talk, name):
                close = difflib.get_close_matches(name, names, n=1)
                hint = f" Did you mean '{close[0]}'?" if close else ""
                raise UserError(
                    f"{where}: claim '{claim}', '{key}.{column}' is '{name}'; expected one of "
                    f"{list(names)} or a condition of the talk's own code.{hint} Correct it, or "
                    f"add it to the battery of experiment '{experiment}'."
                )


def _says(talk: Talk, name: str) -> bool:
    """Whether the talk's own code contains this name: conditions of its own are named there."""
    quoted = f'"{name}"'
    return any(quoted in path.read_text(encoding="utf-8") for path in talk.folder.rglob("*.py"))


def _band(accepted: Any, entry: Mapping[str, Any], where: str) -> Band:
    edges = accepted["band"] if isinstance(accepted, Mapping) else accepted
    why = accepted["why"] if isinstance(accepted, Mapping) else ""
    low = -np.inf if edges[0] is None else float(edges[0])
    high = np.inf if edges[1] is None else float(edges[1])
    if low >= high:
        raise UserError(
            f"{where} is {edges}; the lower edge must be below the upper one; correct it"
        )
    needed = {"larger": [low], "smaller": [high], "both": [low, high]}
    better = "both" if entry["test"] in ("range", "equivalence") else entry["better"]
    if not np.isfinite(needed[better]).all():
        sides = {"larger": "a lower edge", "smaller": "an upper edge", "both": "both edges"}
        raise UserError(
            f"{where} is {edges}; better '{entry['better']}' with test '{entry['test']}' needs "
            f"{sides[better]}; add what is null"
        )
    # Too good is no failure: the other edge does not bind (the flag `exceeds` tells).
    if better == "larger" and entry["test"] != "shape":
        high = np.inf
    if better == "smaller" and entry["test"] != "shape":
        low = -np.inf
    return Band(low, high, why)
