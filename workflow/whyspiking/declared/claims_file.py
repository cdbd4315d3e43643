"""Reads and checks the claims that a talk's claims.yaml registers."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    Field,
    PrivateAttr,
    TypeAdapter,
    ValidationInfo,
    field_validator,
    model_validator,
)

from whyspiking.declared import protocol_file, scales
from whyspiking.declared.bands import Accept, Accepted, Band, Earlier, EarlierBand, Look, spelt
from whyspiking.declared.claim_parts import Alternative, Network, Place, Source
from whyspiking.declared.strict_yaml import (
    Block,
    Filled,
    MayLack,
    nearest,
    parsed,
    read_yaml,
)
from whyspiking.errors import UserError
from whyspiking.records.glossary import GLOSSARY

if TYPE_CHECKING:
    from whyspiking.declared.experiments import Experiment
    from whyspiking.declared.registry import Talk

LOCATIONS = ("", "input", "hidden", "weights", "neurons")
COMPARING = ("difference", "ratio", "equivalence", "every")
"""Tests that may have a `compared_with`."""
TWO_SIDED = ("range", "equivalence")
REPLICABLE = ("published", "talk")
"""Origins of claims that others made: only they can be replicated."""
Origin = Literal["published", "talk", "ours", "check"]


class Claim(Block):
    """One published claim, as written in a talk's claims.yaml.

    Attributes:
        id: Talk, experiment and a name of its own.
        claim_role: Whether it is the talk's one `key` claim.
        origin: `published` in the paper or its code; of the `talk`'s abstract; `ours`; a `check`.
        statement: What is claimed.
        source: Where, and the number published there.
        metric: What is compared.
        rows: Which rows of the metrics table.
        compared_with: With which rows they are compared.
        negative_control: A trivial method that must fail the same criterion.
        test_type: `value`: mean inside the band; `range`: the same on both sides; `difference`:
            `rows` - `compared_with`; `ratio`: on a log scale, `rows` / `compared_with` or a metric
            that is a ratio; `equivalence`: the difference inside the band; `share`: of networks of
            a kind, each 0 or 1; `every`: each seed inside; `exact`: a number that no seed changes,
            nothing trained.
        published_error: Whether the interval includes the standard error of the published mean.
        better_direction: Which side is better; `both` where the test has two sides.
        criteria: The acceptance criteria, by scale.
        earlier_evaluations: Its tests with another recipe or criterion, and the criteria that it
            had, oldest first.
        also_measured: Other ways to measure the same quantity; a key claim lists all of them.
        requires: Ids of claims about a `share` of networks of its experiment, without which it is
            not replicated.
        was_key_until: Commit in which another claim of the talk became its key claim.
        planned_networks: Number of networks that was fixed before the first of them was trained.
            It is stated while fewer are recorded, and the verdict is then inconclusive.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")
    claim_role: Literal["key", "secondary"]
    origin: Origin
    statement: str = Field(min_length=10)
    source: Source
    metric: str = Field(pattern="^[a-z][a-z0-9_]*$")
    rows: Network
    compared_with: MayLack[Filled[Place]] = None
    negative_control: MayLack[Filled[Place]] = None
    test_type: Literal[
        "value", "range", "difference", "ratio", "equivalence", "share", "every", "exact"
    ]
    published_error: bool = False
    better_direction: Literal["larger", "smaller", "both"]
    criteria: Filled[Accept]
    earlier_evaluations: list[Earlier] = Field(default_factory=list)
    also_measured: list[Alternative] = Field(default_factory=list)
    requires: list[str] = Field(default_factory=list)
    was_key_until: MayLack[str] = Field(None, pattern="^[0-9a-f]{7,40}$")
    planned_networks: MayLack[int] = Field(None, ge=2, le=1000)
    _data: str = PrivateAttr("")
    _published_trials: bool | None = PrivateAttr(None)
    _reductions: dict[str, str] = PrivateAttr(default_factory=dict)
    _scored_per_trial: int = PrivateAttr(1)

    @property
    def talk(self) -> str:
        """Name of the talk."""
        return self.id.split(".")[0]

    @property
    def data(self) -> str:
        """Who made the data; known once the claim is read with its talk."""
        return self._data

    @property
    def same_trials(self) -> bool:
        """Whether a number published for it was measured on the very test trials that ours are.

        Then which trials those are is no reason for the two to differ.
        """
        made = self.data == "original" if self._published_trials is None else self._published_trials
        return made and self.source.value is not None

    @property
    def scored_per_trial(self) -> int:
        """How much of one test trial a share counts: its labelled steps, or the trial."""
        return self._scored_per_trial

    def measured_as(self, alternative: Alternative) -> Claim:
        """The same claim with another way to measure it."""
        rows = {**self.rows, **(alternative.rows or {})}
        changed = self.model_copy(
            update={"metric": alternative.metric or self.metric, "rows": rows}
        )
        if alternative.fresh_trials:
            changed._published_trials = False
        return changed

    def describe_reduction(self, scale: str) -> str:
        """Say what a scale reduces compared with the published recipe; empty: nothing."""
        return self._reductions.get(scale, "")

    def of_experiment(self, experiment: Experiment) -> None:
        """Take over what the experiment says of its data and scales."""
        self._data = experiment.provenance
        self._published_trials = experiment.data.published_trials
        self._reductions = {name: experiment.describe_reduction(name) for name in scales.SCALES}
        self._scored_per_trial = experiment.labelled or 1

    def on(self, provenance: str) -> Claim:
        """The same claim of a run that had other data, the authors' own for instance.

        Args:
            provenance: Who made them; empty: those that it has.
        """
        found = self.model_copy()
        found._data = provenance or self._data
        return found

    def band(self, scale: str) -> Band | None:
        """The band at a scale, if there is one.

        Raises:
            ValueError: If its edges do not fit each other or the test.
        """
        bands: dict[str, Any] = dict(self.criteria)
        accepted = bands.get(scale := scales.recipe(scale))
        if accepted is None:
            return None
        edges, why = accepted, ""
        if isinstance(accepted, Accepted):
            edges, why = accepted.criterion, accepted.criterion_reason
        low, high = (
            side if edge is None else float(edge)
            for edge, side in zip(edges, (-math.inf, math.inf), strict=True)
        )
        told = f"claim '{self.id}', criteria.{scale} is {edges}"
        if low >= high:
            raise ValueError(
                f"{told}; the lower limit must be below the upper limit. Correct the limits"
            )
        sides, binding = {
            "larger": ("a lower limit", Band(low, math.inf, why)),
            "smaller": ("an upper limit", Band(-math.inf, high, why)),
            "both": ("both limits", Band(low, high, why)),
        }[self.better_direction]
        needed = {"larger": [low], "smaller": [high], "both": [low, high]}[self.better_direction]
        if not all(map(math.isfinite, needed)):
            raise ValueError(
                f"{told}; better_direction '{self.better_direction}' with test_type "
                f"'{self.test_type}' needs {sides} in its acceptance criterion. Add the limit that "
                "is null"
            )
        # Too good is no failure: the other edge does not bind (the flag `exceeds` tells).
        return Band(low, high, why) if self.test_type in ("every", "exact") else binding

    def judged_at(self, scale: str) -> str | None:
        """The scale at which it is judged: this one, or the next larger one that has a band."""
        return next((at for at in scales.up_from(scale) if self.band(at) is not None), None)

    @property
    def places(self) -> dict[str, Mapping[str, Any]]:
        """What it compares."""
        named = {"compared_with": self.compared_with, "negative_control": self.negative_control}
        return {"rows": self.rows, **{key: place for key, place in named.items() if place}}

    @property
    def networks(self) -> list[tuple[str, str]]:
        """Experiment and variant of each network that it compares."""
        return [
            (
                place.get("experiment", self.rows["experiment"]),
                place.get("variant", self.rows["variant"]),
            )
            for place in self.places.values()
        ]

    @property
    def null(self) -> float | None:
        """What says "no difference" in a comparison of two networks: 0, or 1 of a ratio."""
        if self.compared_with is None or self.test_type not in ("difference", "ratio"):
            return None
        return 1.0 if self.test_type == "ratio" else 0.0

    @property
    def looks(self) -> list[Look]:
        """Earlier tests on test data, oldest first."""
        return [entry for entry in self.earlier_evaluations if isinstance(entry, Look)]

    @property
    def history(self) -> str:
        """List earlier evaluations on test data and earlier acceptance criteria, in words."""
        sentences = [
            f"Earlier evaluation on test data ({look.recipe}, commit {look.commit[:7]}): "
            + (f"{look.value:g}, " if look.value is not None else "")
            + look.verdict
            for look in self.looks
        ]
        sentences += [
            f"Until commit {was.commit[:7]} the criterion was {spelt(was.criterion)}: {was.reason}"
            for was in self.earlier_evaluations
            if isinstance(was, EarlierBand)
        ]
        return ". ".join(sentences)

    @field_validator("better_direction")
    @classmethod
    def _two_sided(cls, better: str, info: ValidationInfo) -> str:
        return "both" if info.data.get("test_type") in TWO_SIDED else better

    @model_validator(mode="after")
    def _check(self) -> Claim:
        alternatives = [entry.metric for entry in self.also_measured if entry.metric]
        for metric in (self.metric, *alternatives):
            if metric not in GLOSSARY:
                otherwise = "expected a name of whyspiking.records.glossary.GLOSSARY."
                hint = nearest(metric, GLOSSARY, otherwise)
                raise ValueError(
                    f"claim '{self.id}' uses metric '{metric}', which is not known; {hint} "
                    "Correct it."
                )
        problems = {
            f"claim '{self.id}' has test_type 'difference' but no 'compared_with'; expected the "
            "rows of the value that is subtracted. Add them, or use test_type 'value'": (
                self.test_type == "difference" and self.compared_with is None
            ),
            f"claim '{self.id}' has 'compared_with', which test_type '{self.test_type}' does not "
            f"use; expected no 'compared_with'. Choose one of the tests {list(COMPARING)}, or "
            "remove 'compared_with'": (
                self.compared_with is not None and self.test_type not in COMPARING
            ),
            **{
                f"claim '{self.id}', '{key}' is {place}, which selects the same rows as 'rows'; "
                "expected other rows to compare with. Correct it.": (
                    key != "rows" and {**self.rows, **place} == self.rows
                )
                for key, place in self.places.items()
            },
            f"claim '{self.id}', 'source.standard_deviation' is {self.source.standard_deviation}, "
            "but 'source.value' is missing; expected both or none. Add the value or remove the "
            "standard deviation.": (
                self.source.value is None and self.source.standard_deviation is not None
            ),
            f"claim '{self.id}' has 'published_error', but 'source' has no 'standard_deviation' "
            "and 'n_seeds'; expected both. Add them, or remove 'published_error'.": (
                None in (self.source.standard_deviation, self.source.n_seeds)
                and any(entry.published_error for entry in (self, *self.also_measured))
            ),
            f"claim '{self.id}' is the key claim and has origin 'check'; expected one of "
            f"{[*REPLICABLE, 'ours']}, because a check does not test a statement of a talk. "
            "Correct it.": (self.claim_role == "key" and self.origin == "check"),
            f"claim '{self.id}' has test_type 'exact' and origin '{self.origin}'; expected origin "
            "'check', because a number that does not depend on the seed cannot replicate a "
            "result. Correct the origin, or choose another test.": (
                self.test_type == "exact" and self.origin != "check"
            ),
        }
        for says, there in problems.items():
            if there:
                raise ValueError(says)
        for scale in self.criteria:
            self.band(scale)
        self._check_shares()
        return self

    def _check_shares(self) -> None:
        """A share lies between 0 and 1, what is gained or lost of one between -1 and 1."""
        if GLOSSARY[self.metric].unit != "fraction" or self.test_type == "ratio":
            return
        whole = self.metric.startswith("accuracy") and self.test_type not in (
            "difference",
            "equivalence",
        )
        least = 0 if whole else -1
        bands: dict[str, Any] = dict(self.criteria)
        told = {"source": [self.source.value, self.source.standard_deviation]}
        for scale, given in bands.items():
            told[f"criteria.{scale}"] = given.criterion if isinstance(given, Accepted) else given
        for key, numbers in told.items():
            for number in (n for n in numbers if n is not None and not least <= n <= 1):
                raise ValueError(
                    f"claim '{self.id}', '{key}' has {number:g}; expected a number from {least} "
                    f"to 1, because '{self.metric}' is a fraction. Correct it."
                )


CLAIMS: TypeAdapter[list[Claim]] = TypeAdapter(
    Annotated[list[Claim], Field(min_length=1)], config={"defer_build": True}
)
"""What claims.yaml holds."""


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
    where = f"talks/{path.parent.name}/{path.name}"
    claims = parsed(CLAIMS, read_yaml(path), where)
    if talk is not None:
        for claim in claims:
            _check_names(claim, talk, where)
            claim.of_experiment(talk.experiments[claim.rows["experiment"]])
    ids = [claim.id for claim in claims]
    for name in sorted({name for name in ids if ids.count(name) > 1}):
        raise UserError(
            f"{where}: id '{name}' occurs {ids.count(name)} times; ids must not repeat. "
            "Rename one of them"
        )
    required = {claim.id: _find_required(claim, claims, where) for claim in claims}
    keys = {claim.id: claim for claim in claims if claim.claim_role == "key"}
    for name, claim in keys.items():
        if all(part.negative_control is None for part in (claim, *required[name])):
            raise UserError(
                f"{where}: claim '{name}' has claim_role 'key' but no 'negative_control', and no "
                "claim that it requires has one; expected a trivial method that must not meet the "
                "acceptance criterion. Add one."
            )
    if len(keys) != 1:
        raise UserError(
            f"{where}: {len(keys)} claims have claim_role 'key' ({', '.join(keys) or 'none'}); "
            "expected exactly one per talk, because the key claim is tested without correction for "
            "multiple tests. Give one claim the claim_role 'key' and the others 'secondary'."
        )
    return claims


def _find_required(claim: Claim, claims: Iterable[Claim], where: str) -> list[Claim]:
    """Find the claims that a claim requires.

    Raises:
        UserError: If one of them is not about a share of networks of the same experiment.
    """
    experiment = claim.rows["experiment"]
    shares = {
        other.id: other
        for other in claims
        if other.test_type == "share" and other.rows["experiment"] == experiment
    }
    for name in claim.requires:
        if name not in shares or name == claim.id:
            raise UserError(
                f"{where}: claim '{claim.id}', 'requires' has '{name}'; expected the id of another "
                f"claim about experiment '{experiment}' with test_type 'share': "
                f"{', '.join(shares) or 'none'}. Correct it."
            )
    return [shares[name] for name in claim.requires]


def _check_names(claim: Claim, talk: Talk, where: str) -> None:
    if claim.talk != talk.name:
        raise UserError(
            f"{where}: claim '{claim.id}' must begin with the talk's name '{talk.name}.'; correct "
            "its id"
        )
    for key, name, known, remedy in _named(claim, talk):
        if name not in known:
            raise UserError(
                f"{where}: claim '{claim.id}', '{key}' is '{name}'; expected one of "
                f"{sorted(known)}{remedy}"
            )
    for (key, place), (experiment, _) in zip(claim.places.items(), claim.networks, strict=True):
        perturbed = talk.experiments[experiment].perturbations()
        known = {"perturbation": ("none", *perturbed), "location": LOCATIONS}
        for column, names in known.items():
            name = place.get(column, names[0])
            if name not in names and not _says(talk, name):
                hint = nearest(name, names, "none is similar.")
                raise UserError(
                    f"{where}: claim '{claim.id}', '{key}.{column}' is '{name}'; expected one of "
                    f"{list(names)} or a condition of the talk's own code; {hint} Correct it, or "
                    f"add it to 'robustness_tests' of experiment '{experiment}'."
                )


def _named(claim: Claim, talk: Talk) -> Iterator[tuple[str, str, Collection[str], str]]:
    """Key and name of what a claim says stands in talk.yaml, what stands there, and the remedy."""
    named, remedy = claim.source.publication, ". Correct it, or add the publication to talk.yaml."
    yield "source.publication", named, talk.publications, remedy
    for key, (experiment, variant) in zip(claim.places, claim.networks, strict=True):
        yield f"{key}.experiment", experiment, talk.experiments, ". Correct it."
        of_it = f" of experiment '{experiment}'. Correct it."
        yield f"{key}.variant", variant, talk.experiments[experiment].variants, of_it


def _says(talk: Talk, name: str) -> bool:
    """Whether the talk's own code or its protocol contains this name of a condition."""
    protocol = talk.folder / "protocol.yaml"
    if protocol.is_file() and name in protocol_file.load(protocol).baselines:
        return True
    quoted = f'"{name}"'
    return any(quoted in path.read_text(encoding="utf-8") for path in talk.folder.rglob("*.py"))
