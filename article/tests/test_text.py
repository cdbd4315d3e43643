"""What the article says follows the record, and would say otherwise of another one."""

import dataclasses
import re
from pathlib import Path

import pytest

from whyspiking.errors import UserError
from whyspiking.records import reference, whole_files
from whyspiking.report import first_screen, replications
from whyspiking.verdicts import advantage
from whyspiking.verdicts.repetition import FILE as AGAIN
from whyspiking_article import record as places
from whyspiking_article import release, text

SPAN = re.compile(r'\[((?:\\.|[^\]\[\\])*)\]\{title="([^"]*)"\}')


def otherwise(record, verdict, *claims):
    """The article, had these claims another verdict."""
    verdicts = record.table("verdicts").copy()
    verdicts.loc[verdicts["claim"].isin(claims), ["verdict", "qualification"]] = verdict
    record._read["verdicts"] = verdicts
    return release.plain(text.filled(record))


def test_the_answer_is_that_of_the_first_screen(filled):
    comparisons = first_screen.recorded(reference.FOLDER)
    sentences = (*comparisons.sentences, *comparisons.family_sentences)
    for sentence in (comparisons.title, *sentences):
        assert sentence in release.plain(filled)


def test_replications_are_counted_as_in_readme(record, filled):
    readme = " ".join(Path("README.md").read_text(encoding="utf-8").split())
    names = {name: talk.surname for name, talk in record.talks.items()}
    for sentence in (
        *replications.describe_key_claims(record.run.verdicts, names),
        *replications.describe_claims(record.run.verdicts),
        replications.describe_known_results(record.run.verdicts),
    ):
        assert sentence in release.plain(filled) and sentence in readme


def test_a_key_claim_that_fails_is_stated_at_the_top(record):
    verdicts = record.run.verdicts
    is_goeltz = verdicts["claim"] == "goeltz.yinyang.accuracy"
    changed = verdicts.assign(verdict=verdicts["verdict"].mask(is_goeltz, "not replicated"))
    read = record.run._read
    record.run._read = lambda name: changed if name == "verdicts" else read(name)
    assert "5 of 8 are replicated" in release.plain(text.filled(record))


def test_forensics_stand_only_where_something_failed(record, filled):
    claim = "masquelier.published.abstract"
    assert "An abstract that no artefact reaches" in filled
    told = otherwise(record, "replicated", claim)
    assert "An abstract that no artefact reaches" not in told
    assert "is no longer refuted by the published script" in told


def test_what_did_not_replicate_is_counted_and_listed(record, filled):
    missed = record.rows("verdicts", origin=["published", "talk"], verdict="not replicated")
    for row in missed:
        assert row["statement"] in release.plain(filled)
    told = otherwise(record, "replicated", *(row["claim"] for row in missed))
    assert "none failed to replicate" in told


def test_comparisons_that_are_not_assessed_are_stated(record, filled):
    assert "Comparisons without a verdict" in filled
    read = record.comparisons
    words = read.advantage["verdict"].replace(advantage.NOT_ASSESSED, advantage.INCONCLUSIVE)
    changed = dataclasses.replace(read, advantage=read.advantage.assign(verdict=words))
    record.__dict__["comparisons"] = changed
    without = text.filled(record)
    assert "Comparisons without a verdict" not in without
    assert "every comparison has a verdict" in without


def test_verdicts_that_change_with_rounding_are_stated_where_it_was_tried(record, filled):
    found = whole_files.read_json(reference.FOLDER / AGAIN, "energies")["energies"]
    plain = release.plain(filled)
    assert all(line in plain for line in found["changed"]) and "were trained again" in plain


def test_a_reference_to_nothing_is_refused(record):
    with pytest.raises(UserError, match="0 rows of verdicts at goeltz"):
        record.ref("verdicts", "goeltz.no.such", "value", "value")
    with pytest.raises(UserError, match="rows of advantage"):
        record.ref("advantage", {"task": "sound"}, "verdict_all_cost_models", "text")


@pytest.mark.parametrize(
    ("shown", "markdown"),
    [
        ("95.5 % [95.3, 95.8]", "95.5\N{NO-BREAK SPACE}% \\[95.3, 95.8\\]"),
        ("1.2×10<sup>-3</sup>", "1.2×10^-3^"),
        ("a_b|c", r"a\_b\|c"),
    ],
)
def test_what_is_shown_is_no_markup(shown, markdown):
    assert places.said(shown, "a: b") == f'[{markdown}]{{title="a: b"}}'
    if "sup" not in shown:
        assert release.plain(places.said(shown, "a: b")) == shown


@pytest.mark.parametrize(("number", "word"), [(0, "no"), (8, "eight"), (60, "60"), (2.5, "2")])
def test_small_numbers_are_words(number, word):
    assert places.spelled(number) == word
