"""Sentences on how many claims replicated: the same on the page, in README and in the article.

Each sentence is a template with named values that are counted in tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from whyspiking.declared.claim_parts import (
    NO_NUMBER,
    PICTURE,
    PUBLISHED,
    QUOTED,
    RELEASED,
    STATEMENT,
)
from whyspiking.declared.claims_file import REPLICABLE
from whyspiking.records.tables import Table
from whyspiking.verdicts import rule
from whyspiking.verdicts.published_size import judge_by_criterion

UNDECIDED = (rule.UNCONFIRMED, rule.DIRECTION_ONLY, rule.INCONCLUSIVE)
KEPT_ENDING = "the band is older"
"""Ends the known result of a claim whose criterion was written first and kept for a new recipe."""
KEY_CLAIMS = (
    "Each talk of the SNUFA 2020 workshop has one key claim. {n_met} of {n_key} key claims meet a "
    "published number, {n_missed} miss one, for {n_open} this is undecided, and {n_unchecked} are "
    "compared with none that we could check. By our own criteria {n_replicated} of {n_key} are "
    "replicated, {n_reduced} of them in reduced runs."
)
EVIDENCE = (
    "{n_quoted} of the {n_key} key claims are compared with a number quoted from memory, and "
    "{n_released} with released weights or outputs that we scored. {n_shown} are compared with a "
    "published picture, script or statement. No number is published for the other {n_without}. For "
    "{n_known} of the {n_key} key claims we knew a result of our own when we wrote the criterion."
)
FORMER_KEY_CLAIMS = (
    "{n_replaced} key claims replaced earlier ones whose verdicts were known. By the first key "
    "claim of each talk, {n_replicated} of {n_judged} talks are replicated."
)
CHANGES = "{n_changes} of the {n_key} key verdicts depend on the way of measuring ({names})."
OTHER_CLAIMS = (
    "Of {n} further claims of papers and abstracts {n_passed} are replicated, {n_failed} are not "
    "replicated, {n_undecided} are undecided and {n_unjudged} are not judged."
)
OWN_CLAIMS = (
    "Of {n} additional claims of our own {n_passed} pass, {n_failed} fail, {n_undecided} are "
    "undecided and {n_unjudged} are not judged."
)
CHECKS = (
    "Of {n} software checks, for example that two simulators agree, {n_passed} pass, {n_failed} "
    "fail, {n_undecided} are undecided and {n_unjudged} are not judged."
)
KNOWN_RESULTS = (
    "There are {n_all} claims in total. For {n_written} of them we knew a result of our own when "
    "we wrote the acceptance criterion. For another {n_kept} we knew a result when we kept an "
    "older criterion for a new training recipe. Of these {n_known} claims, {n_passed} are "
    "replicated or pass."
)
RETIRED_CLAIMS = (
    "Version {version} retired {n} claims. Their last verdicts were: {counts}. Of the {n_both} "
    "retired claims that were also judged in a published-size run, {n_other} had another verdict "
    "there. retired.csv lists the verdicts and the reasons."
)
SIZES = (
    "{n_both} claims were judged in the reference results and, with other networks, in "
    "published-size runs. The verdict is the same for {n_same} claims; in the published-size run "
    "it is stronger for {n_stronger} claims and weaker for {n_weaker}. {n_unstated} further claims "
    "have no criterion for the published size. Judged by the criterion of the reduced run, "
    "{n_unstated_stronger} of them would have a stronger verdict and {n_unstated_weaker} a weaker "
    "one. {n_identical} other claims rest on the same networks in both runs, because their recipe "
    "was not reduced."
)
REPEATED_EXPERIMENTS = (
    "{n_experiments} experiments were trained again with other floating-point rounding. "
    "{n_claims} claims rest on them. A number changed for {n_touched} of these claims, and the "
    "verdict changed for {n_changed}. Of {n_energy} verdicts on energy (one for each task and "
    "competitor), {n_energy_changed} changed; {n_best_changed} of these are among the {n_best} "
    "comparisons with the best trained non-spiking network. Among the key claims, only that of "
    "{key_claims} rests on a repeated experiment."
)


def describe_key_claims(verdicts: Table, names: Mapping[str, str]) -> list[str]:
    """How many key claims replicated, with which evidence, and what would change this.

    Args:
        verdicts: Rows of verdicts.csv of all talks.
        names: Talk -> name of its speaker.

    Returns:
        Sentences, the most important ones first; none where no key claim was judged.
    """
    keys = verdicts[(verdicts["claim_role"] == "key") & ~verdicts["verdict"].isin(rule.UNJUDGED)]
    if keys.empty:
        return []
    is_replicated = keys["verdict"] == rule.REPLICATED
    evidence = keys["evidence"].value_counts()
    counts = {
        "n_key": len(keys),
        "n_replicated": is_replicated.sum(),
        "n_reduced": keys[is_replicated]["qualification"].str.contains(rule.REDUCED).sum(),
        "n_published": evidence.get(PUBLISHED, 0),
        "n_met": (is_replicated & (keys["evidence"] == PUBLISHED)).sum(),
        "n_quoted": evidence.get(QUOTED, 0),
        "n_released": evidence.get(RELEASED, 0),
        "n_shown": evidence.get(PICTURE, 0) + evidence.get(STATEMENT, 0),
        "n_without": evidence.get(NO_NUMBER, 0),
        "n_known": (keys["known_before"] == True).sum(),  # noqa: E712
    }
    is_missed = (keys["verdict"] == rule.NOT_REPLICATED) & (keys["evidence"] == PUBLISHED)
    counts["n_missed"] = is_missed.sum()
    counts["n_open"] = counts["n_published"] - counts["n_met"] - counts["n_missed"]
    counts["n_unchecked"] = counts["n_key"] - counts["n_published"]
    sentences = [KEY_CLAIMS.format(**counts)]
    # claims.yaml lists the newest claim of an experiment first, so the last one is the oldest.
    former = find_former_key_claims(verdicts).drop_duplicates("talk", keep="last")
    judged = former[~former["verdict"].isin(rule.UNJUDGED)]
    unreplaced_keys = keys[~keys["talk"].isin(former["talk"])]
    if len(judged):
        first_verdicts = [*judged["verdict"], *unreplaced_keys["verdict"]]
        sentences.append(
            FORMER_KEY_CLAIMS.format(
                n_replaced=len(former),
                n_replicated=sum(verdict in rule.SUCCESSES for verdict in first_verdicts),
                n_judged=len(first_verdicts),
            )
        )
    sentences.append(EVIDENCE.format(**counts))
    changing = keys[keys["verdict_changes_with"] != ""]
    if len(changing):
        speakers = ", ".join(names.get(talk, talk) for talk in changing["talk"])
        sentences.append(CHANGES.format(n_changes=len(changing), n_key=len(keys), names=speakers))
    return sentences


def find_former_key_claims(verdicts: Table) -> Table:
    """The claims that were key claims before they were replaced, with their present verdicts."""
    return verdicts[verdicts["was_key_until"].fillna("") != ""]


def describe_claims(verdicts: Table) -> list[str]:
    """How many claims besides the key claims replicated, by whose claims they are."""
    is_other = verdicts["claim_role"] != "key"
    group_masks = {
        OTHER_CLAIMS: verdicts["origin"].isin(REPLICABLE),
        OWN_CLAIMS: verdicts["origin"] == "ours",
        CHECKS: verdicts["origin"] == "check",
    }
    sentences = []
    for template, is_in_group in group_masks.items():
        group_verdicts = verdicts[is_in_group & is_other]["verdict"]
        counts = {
            "n_passed": group_verdicts.isin(rule.SUCCESSES).sum(),
            "n_failed": group_verdicts.isin(rule.FAILURES).sum(),
            "n_undecided": group_verdicts.isin(UNDECIDED).sum(),
            "n_unjudged": group_verdicts.isin(rule.UNJUDGED).sum(),
        }
        if len(group_verdicts):
            sentences.append(template.format(n=len(group_verdicts), **counts))
    return sentences


def describe_known_results(verdicts: Table) -> str:
    """For how many claims a result was known when the criterion was written."""
    known_claims = verdicts[verdicts["known_before"] == True]  # noqa: E712
    n_kept = known_claims["known_result"].fillna("").str.endswith(KEPT_ENDING).sum()
    return KNOWN_RESULTS.format(
        n_all=len(verdicts),
        n_known=len(known_claims),
        n_kept=n_kept,
        n_written=len(known_claims) - n_kept,
        n_passed=known_claims["verdict"].isin(rule.SUCCESSES).sum(),
    )


def describe_retired(retired: Table) -> str:
    """How many claims the last version retired, and with which verdicts.

    Args:
        retired: Rows of retired.csv.
    """
    version = max(retired["version"])
    newest = retired[retired["version"] == version]
    has_other = newest["verdict_at_published_size"] != ""
    counts = newest["verdict"].value_counts()
    return RETIRED_CLAIMS.format(
        version=version,
        n=len(newest),
        counts=", ".join(f"{n} {verdict}" for verdict, n in counts.items()),
        n_both=has_other.sum(),
        n_other=(has_other & (newest["verdict_at_published_size"] != newest["verdict"])).sum(),
    )


def compare_sizes(verdicts: Table, published_size: Table) -> Table:
    """The claims whose verdict is another one at the published size.

    A claim without a criterion at the published size is compared by that of the reduced run.

    Args:
        verdicts: Rows of verdicts.csv of the reference results.
        published_size: The same of runs at the published size.

    Returns:
        A row per claim that both have: `claim`, both verdicts, `change` (stronger, weaker, same or
        identical networks), `has_criterion`, and value, interval and seeds at the published size.
    """
    joined = verdicts.merge(published_size, on="claim", suffixes=("", "_published"))
    rows = []
    for row in joined.to_dict("records"):
        larger = {
            name: row[f"{name}_published"] for name in ("value", "ci_low", "ci_high", "n_seeds")
        }
        verdict, has_criterion = row["verdict_published"], True
        if verdict == rule.NOT_JUDGED and np.isfinite(larger["value"]):
            verdict, has_criterion = judge_by_criterion(row, larger), False
        if row["verdict"] in rule.UNJUDGED or verdict in rule.UNJUDGED:
            continue
        # Equal value and seeds: the recipe was not reduced, so it is the same network.
        is_identical = all(row[name] == larger[name] for name in ("value", "n_seeds"))
        difference = _rank(verdict) - _rank(row["verdict"])
        change = "stronger" if difference > 0 else "weaker" if difference < 0 else "same"
        rows.append(
            {
                "claim": row["claim"],
                "verdict": row["verdict"],
                "verdict_published": verdict,
                "has_criterion": has_criterion,
                "change": "identical networks" if is_identical else change,
                "unit": row["unit"],
                **larger,
            }
        )
    return pd.DataFrame(rows)


def describe_sizes(compared: Table) -> str:
    """How many verdicts are others at the published size; empty where nothing was compared."""
    if compared.empty:
        return ""
    is_identical = compared["change"] == "identical networks"
    has_criterion = compared["has_criterion"] & ~is_identical
    changes = compared[has_criterion]["change"].value_counts()
    unstated = compared[~compared["has_criterion"] & ~is_identical]["change"].value_counts()
    return SIZES.format(
        n_both=has_criterion.sum(),
        n_identical=is_identical.sum(),
        n_unstated=unstated.sum(),
        n_unstated_stronger=unstated.get("stronger", 0),
        n_unstated_weaker=unstated.get("weaker", 0),
        **{f"n_{name}": changes.get(name, 0) for name in ("same", "stronger", "weaker")},
    )


def describe_repetition(
    repeated: Mapping[str, Any], verdicts: Table, names: Mapping[str, str]
) -> str:
    """What changed with other floating-point rounding; empty where nothing was repeated.

    Args:
        repeated: As `repetition.summarise_repetition` returns it.
        verdicts: Rows of verdicts.csv of all talks.
        names: Talk -> name of its speaker.
    """
    if not repeated:
        return ""
    keys = verdicts[verdicts["claim_role"] == "key"]
    experiments = keys["talk"] + "." + keys["experiment"]
    is_repeated = experiments.isin(repeated["experiments"])
    key_claims = ", ".join(names.get(talk, talk) for talk in keys[is_repeated]["talk"]) or "none"
    return REPEATED_EXPERIMENTS.format(**repeated, key_claims=key_claims)


def _rank(verdict: str) -> int:
    """How much a verdict says for a claim."""
    if verdict in rule.SUCCESSES:
        return 3
    if verdict in rule.FAILURES:
        return 0
    return 2 if verdict == rule.UNCONFIRMED else 1
