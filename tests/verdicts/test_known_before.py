"""The table of results that were known before a criterion was written agrees with the texts."""

import re

import pytest
import yaml

from whyspiking.declared import claims_file, protocol_file, registry
from whyspiking.declared.bands import Look
from whyspiking.records import tables, verdict_columns
from whyspiking.verdicts import judge

FILE = "workflow/whyspiking/verdicts/known_before.csv"
KEY_PROTOCOL = judge.KNOWN_BEFORE.with_name("protocol.yaml")
EARLIER_RESULT = re.compile(
    r"\bpilots?\b|\blooks?\b|\blooked at\b|\bvalidation\b|\bknown\b|\b(was|were) seen\b"
    r"|\bseeds? \d|\bseeds [a-z]+ to\b|\bearlier networks?\b|\b(first|second) recipe\b"
    r"|\bmeasured (once|by another)\b|\bcounted with other code\b|\bhad won back\b"
    r"|\bbefore the (band|claim)\b|\bwas 0\.\d",
    re.IGNORECASE,
)
"""Words by which the text of a claim names a result of a pilot, of tuning, of another recipe."""
NO_RESULT = {
    "clopath.sine_theta.correlation": "its band was set before the one pilot that the text names",
    "naud.xor_random.ordering": "its text says that there was no pilot",
    "naud.xor_no_floor.ordering": "its text says that there was no pilot",
}
"""Claims whose text has such a word although no result was known, with the reason."""
RESULT_ELSEWHERE = {
    "scherr.evidence_reward.price": "the texts of the two claims that it compares name the results",
}
"""Claims for which the text of other claims names the result, with the reason."""
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e-?\d+)?")


@pytest.fixture(scope="module")
def talks():
    return [registry.load_talk(name) for name in registry.available()]


@pytest.fixture(scope="module")
def claims(talks):
    files = [(talk.folder / "claims.yaml", talk) for talk in talks]
    return [claim for path, talk in files for claim in claims_file.load(path, talk)]


@pytest.fixture(scope="module")
def known_before():
    return tables.read(judge.KNOWN_BEFORE, verdict_columns.KNOWN_BEFORE)


@pytest.fixture(scope="module")
def rows(known_before):
    return known_before.set_index("claim").to_dict("index")


def texts_of(claim):
    """Texts of a claim that can name an earlier result, without its looks at test data."""
    bands = [band for band in claim.criteria.values() if not isinstance(band, list | tuple)]
    replaced_bands = [entry for entry in claim.earlier_evaluations if not isinstance(entry, Look)]
    return [
        claim.statement,
        claim.source.source_location,
        *(band.criterion_reason for band in bands),
        *(band.reason for band in replaced_bands),
    ]


def names_result(claim):
    """Whether a text of the claim names an earlier result, or an earlier evaluation has a value."""
    has_value = any(look.value is not None for look in claim.looks)
    return has_value or any(EARLIER_RESULT.search(text) for text in texts_of(claim))


def numbers_in(*texts):
    """All numbers that stand in some texts."""
    return {float(word) for text in texts for word in NUMBER.findall(text.replace(",", " "))}


def claims_of_protocols(talks, claims):
    """Claims for which a protocol.yaml states under `known_result` what was known."""
    stated = {entry["claim"] for entry in yaml.safe_load(KEY_PROTOCOL.read_text(encoding="utf-8"))}
    for talk in talks:
        path = talk.folder / "protocol.yaml"
        if not path.is_file():
            continue
        protocol = protocol_file.load(path)
        for claim in (claim for claim in claims if claim.talk == talk.name):
            experiment, variant = claim.rows["experiment"], claim.rows["variant"]
            task = protocol.tasks.get(experiment)
            is_contrast = claim.id.split(".")[-1] in protocol.samples.contrasts
            if is_contrast or (task and variant in (*task.hand_designed, "floors")):
                stated.add(claim.id)
    return stated


def test_every_claim_has_exactly_one_row(known_before, claims):
    expected = [claim.id for claim in claims]
    found = known_before["claim"].tolist()
    wrong = sorted(set(expected) ^ set(found))
    remedy = f"add a row for each claim to {FILE}, or remove the row of a claim that is gone"
    assert sorted(found) == sorted(expected), f"{wrong}: {remedy}"
    assert found == expected, f"{FILE}: order the rows as talks and claims.yaml do"


def test_a_row_states_the_result_and_the_evidence_where_one_was_known(rows):
    for claim, row in rows.items():
        if row["known_before"]:
            assert row["known_from"] in {"git", "protocol", "text"}, claim
            assert len(row["known_result"]) > 3, claim
        else:
            assert row["known_from"] == row["known_result"] == "", claim


def test_a_result_that_a_text_names_was_known(rows, claims):
    naming = {claim.id for claim in claims if names_result(claim)}
    unflagged = sorted(name for name in naming - set(NO_RESULT) if not rows[name]["known_before"])
    assert not unflagged, f"the text of these claims names a result; set `known` in {FILE}"
    assert set(NO_RESULT) <= naming, "an exception that no text needs any more"
    assert not [name for name in NO_RESULT if rows[name]["known_before"]]
    by_text = {name for name, row in rows.items() if row["known_from"] == "text"}
    assert by_text - naming == set(RESULT_ELSEWHERE), "their text names no result"


def test_a_result_that_a_protocol_states_was_known(rows, talks, claims):
    stated = claims_of_protocols(talks, claims)
    assert len(stated) > 8, "the key claims, and claims of talks with a protocol of their own"
    unflagged = sorted(name for name in stated if not rows[name]["known_before"])
    assert not unflagged, f"a protocol.yaml states what was known; set `known` in {FILE}"
    by_protocol = {name for name, row in rows.items() if row["known_from"] == "protocol"}
    assert by_protocol <= stated
    assert all(rows[name]["known_from"] in {"git", "protocol"} for name in stated)


def test_the_numbers_of_a_row_stand_in_the_text_that_is_its_evidence(rows, talks, claims):
    folders = {talk.name: talk.folder for talk in talks}
    for claim in claims:
        row = rows[claim.id]
        if row["known_from"] not in {"protocol", "text"} or claim.id in RESULT_ELSEWHERE:
            continue
        files = [KEY_PROTOCOL, folders[claim.talk] / "protocol.yaml"]
        if row["known_from"] == "text":
            files = []
        protocols = [path.read_text(encoding="utf-8") for path in files if path.is_file()]
        looks = [f"{look.recipe} {look.value}" for look in claim.looks]
        written = numbers_in(*texts_of(claim), str(claim.source.value), *looks, *protocols)
        missing = numbers_in(row["known_result"]) - written
        assert not missing, f"{claim.id}: {sorted(missing)} stand in no text of this claim"
