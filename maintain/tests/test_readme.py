"""README's table of results: in step with the reference tables, and refused where it cannot be."""

import pandas as pd
import pytest
from made.checkouts import ROOT

import whyspiking
from whyspiking.declared import claims_file, registry
from whyspiking.errors import UserError
from whyspiking.records import reference
from whyspiking.verdicts import rule
from whyspiking_maintain import readme as readme_table


@pytest.fixture(scope="module")
def claims():
    talks = [registry.load_talk(name) for name in registry.available()]
    return {c.id: c for talk in talks for c in claims_file.load(talk.folder / "claims.yaml", talk)}


@pytest.fixture(scope="module")
def verdicts():
    return whyspiking.results("reference").verdicts


@pytest.fixture(scope="module")
def larger():
    return readme_table.at_published_sizes(ROOT / reference.FOLDER)


@pytest.fixture
def readme():
    return (ROOT / readme_table.README).read_text(encoding="utf-8")


def test_readme_and_reference_tables_are_in_step(readme, verdicts, claims, larger):
    assert readme_table.refreshed(readme, verdicts, claims, larger) == readme


def test_readme_shows_the_key_claim_of_every_talk_of_the_run(readme, verdicts):
    for claim in verdicts.loc[verdicts["role"] == "key", "claim"]:
        assert f"(`{claim}`)" in readme


def changed_lines(readme, *tables):
    old, new = readme.split("\n"), readme_table.refreshed(readme, *tables).split("\n")
    return [line for line, before in zip(new, old, strict=True) if line != before]


def test_a_changed_number_changes_its_row_only(readme, verdicts, claims, larger):
    changed = verdicts.copy()
    changed.loc[changed["claim"] == "goeltz.yinyang.accuracy", "value"] = 0.5
    (line,) = changed_lines(readme, changed, claims, larger)
    assert "50.0 %" in line and "goeltz.yinyang.accuracy" in line


def test_a_reduced_scale_is_told_apart_from_one_that_the_published_size_confirms(
    readme, verdicts, claims, larger
):
    name = "clopath.shot.order"
    assert larger[name] == (rule.REPLICATED, 3)
    (line,) = changed_lines(readme, verdicts, claims, {**larger, name: (rule.REPLICATED, 7)})
    assert "| replicated at reduced scale, and at the published size (7 networks) |" in line
    for other in ({}, {name: (rule.NOT_REPLICATED, 3)}):
        (line,) = changed_lines(readme, verdicts, claims, {**larger, name: ("", 0), **other})
        assert f"(`{name}`)" in line and "| replicated at reduced scale |" in line


def test_replications_are_counted_apart_from_what_nobody_claimed():
    table = pd.DataFrame(
        [
            {"role": "key", "origin": "published", "verdict": "not replicated"},
            {"role": "secondary", "origin": "talk", "verdict": "replicated"},
            {"role": "secondary", "origin": "published", "verdict": "unconfirmed"},
            {"role": "secondary", "origin": "ours", "verdict": "holds"},
            {"role": "secondary", "origin": "check", "verdict": "holds"},
            {"role": "secondary", "origin": "check", "verdict": "holds"},
            {"role": "secondary", "origin": "check", "verdict": "fails"},
            {"role": "secondary", "origin": "check", "verdict": rule.OUT_OF_SCOPE},
        ]
    )
    table["known"] = [True, True, *[False] * 6]
    assert readme_table.counted(table) == (
        "**Counted** of the eight talks: of 1 key claims 1 not replicated; of 2 other claims of "
        "papers and abstracts 1 replicated, 1 unconfirmed; of 1 claims of ours 1 holds; of 4 "
        "checks 2 hold, 1 fails, 1 not judged. Of 2 of them a number was on record when the band "
        "was written; 1 of these pass."
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace("**Counted**", "Counted"), "Counted"),
        (lambda text: text.replace("yinyang.accuracy`)", "yinyang.acuracy`)"), "yinyang.acuracy"),
        (lambda text: "# Nothing here\n", "0 times"),
    ],
)
def test_what_lacks_counts_claim_or_table_is_refused(readme, verdicts, claims, change, words):
    with pytest.raises(UserError, match=words):
        readme_table.refreshed(change(readme), verdicts, claims, {})
