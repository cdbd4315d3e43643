"""The sentences on replications count what verdict tables hold."""

import pandas as pd
import pytest

import whyspiking
from whyspiking.records import columns
from whyspiking.report import replications
from whyspiking.verdicts import rule

NAMES = {"a": "A", "b": "B"}


def make_verdicts(*rows):
    """Rows of verdicts.csv with these values, a talk each, and words empty elsewhere."""
    words = dict.fromkeys(columns.VERDICTS.of_kind("string"), "")
    common = {
        "claim_role": "secondary",
        "origin": "published",
        "known_before": False,
        "evidence": "no number",
    }
    return columns.VERDICTS.table([{**words, **common, **row} for row in rows])


def test_key_claims_are_described_with_their_evidence_and_the_former_ones():
    key = {"claim_role": "key", "verdict": "replicated", "qualification": "reduced: 2 of 9 epochs"}
    rows = (
        {
            **key,
            "talk": "a",
            "evidence": "published number",
            "verdict_changes_with": "in Brian2: 1, fails",
        },
        {**key, "talk": "b", "evidence": "released artefact", "known_before": True},
        {"talk": "b", "was_key_until": "1f491282", "verdict": "not replicated"},
    )
    first, former, evidence, changes = replications.describe_key_claims(make_verdicts(*rows), NAMES)
    assert first == (
        "Each talk of the SNUFA 2020 workshop has one key claim. 1 of 2 key claims meet a "
        "published number, 0 miss one, for 0 this is undecided, and 1 are compared with none "
        "that we could check. By our own criteria 2 of 2 are replicated, 2 of them in reduced runs."
    )
    assert evidence.startswith(
        "0 of the 2 key claims are compared with a number quoted from memory"
    )
    assert "and 1 with released weights or outputs that we scored" in evidence
    assert "No number is published for the other 0." in evidence
    assert "For 1 of the 2 key claims we knew a result of our own" in evidence
    assert former.endswith("By the first key claim of each talk, 1 of 2 talks are replicated.")
    assert changes.startswith("1 of the 2 key verdicts depend") and "(A)" in changes
    newer = {"talk": "b", "was_key_until": "34c5fa0d", "verdict": "replicated"}
    _, same, *_ = replications.describe_key_claims(make_verdicts(*rows[:2], newer, rows[2]), NAMES)
    assert same == former, "a talk counts once, with its oldest key claim"
    _, alone = replications.describe_key_claims(make_verdicts(rows[1]), NAMES)
    assert "For 1 of the 1 key claims we knew a result of our own" in alone
    unjudged = make_verdicts({**rows[1], "verdict": rule.NOT_JUDGED})
    assert replications.describe_key_claims(unjudged, NAMES) == []


def test_other_claims_are_counted_by_whose_they_are_and_undecided_ones_apart():
    verdicts = ("replicated", "not replicated", "unconfirmed", "inconclusive", rule.NOT_JUDGED)
    rows = [{"verdict": verdict} for verdict in verdicts]
    rows += [{"origin": "ours", "verdict": "passes"}, {"origin": "check", "verdict": "fails"}]
    others, ours, checks = replications.describe_claims(make_verdicts(*rows))
    assert others == (
        "Of 5 further claims of papers and abstracts 1 are replicated, 1 are not replicated, 2 are "
        "undecided and 1 are not judged."
    )
    assert ours.startswith("Of 1 additional claims of our own 1 pass, 0 fail")
    assert "0 pass, 1 fail" in checks


def test_retired_claims_of_the_last_version_are_counted_by_verdict():
    rows = [
        {"version": "3.0 or earlier", "verdict": "fails"},
        {"version": "4.0", "verdict": "passes", "verdict_at_published_size": "fails"},
        {"version": "4.0", "verdict": "passes", "verdict_at_published_size": "passes"},
        {"version": "4.0", "verdict": "fails", "verdict_at_published_size": ""},
    ]
    assert replications.describe_retired(pd.DataFrame(rows).fillna("")) == (
        "Version 4.0 retired 3 claims. Their last verdicts were: 2 passes, 1 fails. Of the 2 "
        "retired claims that were also judged in a published-size run, 1 had another verdict "
        "there. retired.csv lists the verdicts and the reasons."
    )


def test_known_results_are_split_by_whether_the_criterion_is_older():
    row = {"known_before": True, "verdict": "replicated", "known_result": "0.9; the band is older"}
    found = make_verdicts(row, {**row, "known_result": "a pilot had 0.9", "verdict": "fails"}, {})
    assert replications.describe_known_results(found) == (
        "There are 3 claims in total. For 1 of them we knew a result of our own when we wrote the "
        "acceptance criterion. For another 1 we knew a result when we kept an older criterion for "
        "a new training recipe. Of these 2 claims, 1 are replicated or pass."
    )


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ("unconfirmed", "replicated", "stronger"),
        ("passes", "fails", "weaker"),
        ("unconfirmed", "unconfirmed", "same"),
        ("replicated", rule.NOT_JUDGED, "weaker"),
    ],
)
def test_sizes_are_compared_claim_by_claim(before, after, change):
    row = {
        "claim": "x",
        "test_type": "value",
        "n_seeds": 3,
        "criterion_low": 0.9,
        "unit": "fraction",
    }
    reference = make_verdicts(
        {**row, "verdict": before, "value": 0.95, "ci_low": 0.94, "ci_high": 0.96}
    )
    larger = {**row, "verdict": after, "value": 0.8, "ci_low": 0.79, "ci_high": 0.81}
    (found,) = replications.compare_sizes(reference, make_verdicts(larger)).to_dict("records")
    assert found["change"] == change
    assert found["has_criterion"] == (after != rule.NOT_JUDGED)
    same = make_verdicts({**larger, "value": 0.95})
    (found,) = replications.compare_sizes(reference, same).to_dict("records")
    assert found["change"] == "identical networks"


def test_the_reference_results_give_the_counts_of_an_independent_tally():
    verdicts = whyspiking.results("reference").verdicts
    keys = verdicts[verdicts["claim_role"] == "key"]
    others = verdicts[
        (verdicts["claim_role"] != "key") & verdicts["origin"].isin(["published", "talk"])
    ]
    counts = others["verdict"].value_counts()
    sentence = replications.describe_claims(verdicts)[0]
    n_undecided = counts[["unconfirmed", "inconclusive", "direction only"]].sum()
    assert f"Of {len(others)} further" in sentence
    assert f" {counts['not replicated']} are not replicated" in sentence
    assert f" {n_undecided} are undecided" in sentence
    names = dict.fromkeys(keys["talk"], "x")
    first, former, *_ = replications.describe_key_claims(verdicts, names)
    n_replicated = (keys["verdict"] == "replicated").sum()
    assert f"By our own criteria {n_replicated} of {len(keys)} are replicated" in first
    is_met = (keys["verdict"] == "replicated") & (keys["evidence"] == "published number")
    assert f"{is_met.sum()} of {len(keys)} key claims meet a published number" in first
    replaced = verdicts[verdicts["was_key_until"] != ""].groupby("talk")["verdict"].last()
    standing = [replaced.get(row.talk, row.verdict) for row in keys.itertuples()]
    n_former = pd.Series(standing).isin(["replicated", "passes"]).sum()
    assert f"{n_former} of {len(keys)} talks are replicated" in former
