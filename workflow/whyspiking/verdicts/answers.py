"""What all talks say together, axis by axis of "why spiking?"; counted by talk, never pooled.

A talk has several contrasts on an axis (experiments, loci, controls). Its word sums
them up by the rule that the config declares in `answers`; most talks give an axis its word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from whyspiking.declared.claims_file import Claim
from whyspiking.declared.registry import Talk
from whyspiking.records import labels
from whyspiking.records.tables import Table
from whyspiking.verdicts import overview
from whyspiking.verdicts.axes import AGAINST, FAVOURS, UNCLEAR
from whyspiking.verdicts.rule import FAILED, OUT_OF_SCOPE, PASSES

YES, PART, NO, UNDECIDED, NONE = "yes", "in part", "no", "undecided", "n/a"
WORDS = (YES, PART, NO, UNDECIDED, NONE)
DIVIDED = "divided"
"""Word of an axis on which no word has most of the talks."""
CLAIMS = "claims"
"""Stands for the talks' own claims among the measures of an axis."""
OTHER_SIZE = 10
"""A control with a tenth of the synapses, or ten times as many, is no match: nothing is counted."""


@dataclass(frozen=True)
class Finding:
    """One contrast, or one claim, that counts for an axis.

    Attributes:
        measure: Its number (T1, L4 ...), or `claims`.
        talk: Name of the talk.
        experiment: Name of the experiment; the id of a claim.
        locus: Locus, control, or both.
        metric: What was measured.
        effect: Mean over seeds.
        low: Lower limit of its interval; nan for one seed.
        high: Upper limit.
        unit: As in the glossary.
        null: The value that says "no effect"; nan for claims, which have a band.
        side: What the interval says about spikes: yes, no or unclear.
        size: Synapses of the network over those of the control; nan if not counted.
        why: Why it is no evidence, whatever it says; empty where it is.
    """

    measure: str
    talk: str
    experiment: str
    locus: str
    metric: str
    effect: float
    low: float
    high: float
    unit: str
    null: float
    side: str
    size: float = np.nan
    why: str = ""

    @property
    def decidable(self) -> bool:
        """Whether there is an interval at all."""
        return bool(np.isfinite(self.low) and np.isfinite(self.high))

    @property
    def matched(self) -> bool:
        """Whether the control is of comparable size, as far as is known."""
        return not (self.size <= 1 / OTHER_SIZE or self.size >= OTHER_SIZE)

    @property
    def distance(self) -> float:
        """How far the effect is from its null; on a logarithmic scale where the null is 1."""
        if self.null == 1 and self.effect > 0:
            return abs(float(np.log(self.effect)))
        return abs(self.effect - self.null) if np.isfinite(self.null) else abs(self.effect)


@dataclass(frozen=True)
class Stand:
    """What one talk says on one axis.

    Attributes:
        talk: Name of the talk.
        word: One of `WORDS`.
        findings: Findings that the word rests on.
        reason: Why there are no findings, for `n/a`.
        apart: Findings that do not count: no evidence, as declared, or without a matched control.
    """

    talk: str
    word: str
    findings: tuple[Finding, ...]
    reason: str = ""
    apart: tuple[Finding, ...] = ()

    def count(self, side: str) -> int:
        """Number of findings on one side."""
        return sum(finding.side == side for finding in self.findings)

    @property
    def shown(self) -> Finding | None:
        """Of the first measure with findings that support the word, that furthest from its null."""
        sides = {YES: [FAVOURS], NO: [AGAINST], PART: [FAVOURS, AGAINST]}.get(self.word, [UNCLEAR])
        fitting = [f for f in self.findings if f.side in sides] or list(self.findings)
        leading = [f for f in fitting if f.measure == fitting[0].measure]
        return max(leading, key=lambda finding: finding.distance, default=None)


@dataclass(frozen=True)
class Answer:
    """One axis: its question, as the config declares it, and where every talk stands.

    Attributes:
        axis: Name of the axis.
        level: mechanism (does the network use it?), advantage (does it help?).
        states: What a "yes" means.
        stands: Name of the talk -> where it stands.
    """

    axis: str
    level: str
    states: str
    stands: Mapping[str, Stand]

    @property
    def measured(self) -> int:
        """Number of talks with at least one finding."""
        return sum(stand.word != NONE for stand in self.stands.values())

    def talks(self, *words: str) -> list[str]:
        """Names of the talks with one of these words."""
        return [stand.talk for stand in self.stands.values() if stand.word in words]

    @property
    def apart(self) -> list[tuple[str, str, str]]:
        """Of talks not counted though measured: why, in short; name; the word it would have."""
        own = (stand for stand in self.stands.values() if stand.apart and stand.word == NONE)
        return [(stand.reason.partition(":")[0], stand.talk, word(stand.apart)) for stand in own]

    @property
    def word(self) -> str:
        """The word of more than half of the talks measured; `divided` if there is none."""
        most = (word for word in WORDS[:-1] if 2 * len(self.talks(word)) > self.measured)
        return next(most, DIVIDED) if self.measured else NONE


def answers(
    axes: Table,
    verdicts: Table,
    claims: Mapping[str, Claim],
    measures: Table,
    talks: Mapping[str, Talk],
    config: Mapping[str, Any],
) -> list[Answer]:
    """Where every talk stands on every axis that the config asks about.

    Args:
        axes: Rows of axes.csv.
        verdicts: Rows of verdicts.csv.
        claims: Claim by id; their `axis` says for which axis they count.
        measures: Rows of measures.csv, to tell why something is missing.
        talks: Talk by name, in the order of the report.
        config: The run configuration; its list `answers` is used.
    """
    answered = []
    for entry in config["answers"]:
        counted = _once(_contrasts(axes, entry), talks)
        if CLAIMS in entry["counts"]:
            counted += _claims(verdicts, claims, entry["axis"])
        stands = {
            name: _stand(
                talk, [f for f in counted if f.talk == name], entry, measures, config["scale"]
            )
            for name, talk in talks.items()
        }
        answered.append(Answer(entry["axis"], entry["level"], entry["states"], stands))
    return answered


def word(findings: Sequence[Finding]) -> str:
    """Sum up the contrasts of one talk: one that favours is enough where none speaks against.

    Args:
        findings: All of them; those without an interval decide nothing.
    """
    if not findings:
        return NONE
    sides = [finding.side for finding in findings if finding.decidable]
    favours, against = sides.count(FAVOURS), sides.count(AGAINST)
    if favours:
        return PART if against else YES
    return NO if against else UNDECIDED


def _contrasts(axes: Table, entry: Mapping[str, Any]) -> list[Finding]:
    """The contrasts that count, in the order of the measures."""
    own = axes.rename(columns={"neutral": "null", "favours_spikes": "side"})
    own = own[(own["axis"] == entry["axis"]) & np.isfinite(own["null"].astype(float))]
    places = own[["talk", "experiment", "perturbation", "locus"]].itertuples(index=False)
    own = own.assign(why=[_no_evidence(place, entry.get("apart", {})) for place in places])
    own = own[[field.name for field in fields(Finding)]]
    parts = (own[own["measure"] == measure] for measure in entry["counts"])
    return [Finding(**row) for part in parts for row in part.to_dict("records")]


def _once(findings: Sequence[Finding], talks: Mapping[str, Talk]) -> list[Finding]:
    """Without those of networks that another experiment trained, where it has the same contrast."""
    trained_as = {
        (name, experiment.name): experiment.variants["spiking"].is_
        for name, talk in talks.items()
        for experiment in talk.experiments.values()
        if "spiking" in experiment.variants
    }
    known = {(f.talk, f"{f.experiment}/spiking", f.measure, f.locus) for f in findings}
    return [
        f
        for f in findings
        if (f.talk, trained_as.get((f.talk, f.experiment)), f.measure, f.locus) not in known
    ]


def _no_evidence(place: Sequence[str], apart: Mapping[str, str]) -> str:
    """Why a contrast could hardly come out otherwise, as declared of its place; else empty."""
    path = "/".join((*place, ""))
    return next((why for named, why in apart.items() if path.startswith(f"{named}/")), "")


def _claims(verdicts: Table, claims: Mapping[str, Claim], axis: str) -> Iterator[Finding]:
    """Claims that count for an axis: those that pass favour spikes, ours as well as the talks'."""
    sides = {word: FAVOURS for word in PASSES} | {word: AGAINST for word in FAILED}
    for row in verdicts.to_dict("records"):
        claim = claims.get(row["claim"])
        # At scale smoke, which judges nothing, all count.
        counts = row["verdict"] != OUT_OF_SCOPE or row["scale"] == "smoke"
        if claim and claim.axis == axis and counts and np.isfinite(row["value"]):
            yield Finding(
                measure=CLAIMS,
                talk=str(row["talk"]),
                experiment=claim.id,
                locus="",
                metric=claim.metric,
                effect=float(row["value"]),
                low=float(row["low"]),
                high=float(row["high"]),
                unit=str(row["unit"]),
                null=np.nan,
                side=sides.get(str(row["verdict"]), UNCLEAR),
            )


def _stand(
    talk: Talk,
    findings: Sequence[Finding],
    entry: Mapping[str, Any],
    measures: Table,
    scale: str,
) -> Stand:
    apart = tuple(finding for finding in findings if finding.why or not finding.matched)
    counted = tuple(finding for finding in findings if finding not in apart)
    reason = next((f.why or _unmatched([f for f in apart if not f.matched]) for f in apart), "")
    if not findings:
        whole = all(experiment.runs_at(scale) for experiment in talk.experiments.values())
        missing = entry["missing"] + ("" if whole else f", in what scale {scale} runs of the talk")
        reasons = (overview.why_missing(measures, talk.name, name) for name in entry["counts"])
        reason = next(filter(None, reasons), missing)
    return Stand(talk.name, word(counted), counted, reason, apart)


def _unmatched(apart: Sequence[Finding]) -> str:
    """Why comparisons do not count, in words."""
    times = [finding.size for finding in apart]
    controls = dict.fromkeys(labels.variant(f.locus.rpartition("/")[2]) for f in apart)
    size = f"{float(f'{max(times):.3g}'):,.0f}" if max(times) > 1 else f"{min(times):.2g}"
    return f"no matched control: {size} times the synapses of {' and '.join(controls)}"
