"""README's table of results: in step with the reference tables, and refused where it cannot be."""

import pytest
from made.checkouts import ROOT

import whyspiking
from whyspiking.declared import claims_file, registry
from whyspiking.errors import UserError
from whyspiking.records import reference
from whyspiking_maintain import readme as readme_table


@pytest.fixture(scope="module")
def claims():
    talks = [registry.load_talk(name) for name in registry.available()]
    return {c.id: c for talk in talks for c in claims_file.load(talk.folder / "claims.yaml", talk)}


@pytest.fixture(scope="module")
def verdicts():
    return whyspiking.results("reference").verdicts


@pytest.fixture(scope="module")
def larger_runs():
    return readme_table.at_published_size(ROOT / reference.FOLDER)


@pytest.fixture
def readme():
    return (ROOT / readme_table.README).read_text(encoding="utf-8")


def find_changed_lines(readme, *tables):
    old_lines, new_lines = readme.split("\n"), readme_table.rewrite(readme, *tables).split("\n")
    return [line for line, old_line in zip(new_lines, old_lines, strict=True) if line != old_line]


def test_readme_and_reference_tables_are_in_step(readme, verdicts, claims, larger_runs):
    assert readme_table.rewrite(readme, verdicts, claims, larger_runs) == readme


def test_readme_shows_every_key_claim_and_every_former_one(readme, verdicts):
    is_former = verdicts["was_key_until"] != ""
    shown_claims = verdicts.loc[(verdicts["claim_role"] == "key") | is_former, "claim"]
    assert is_former.sum() == 10 and len(shown_claims) == 18
    for claim in shown_claims:
        assert f"(`{claim}`)" in readme


def test_a_changed_number_changes_its_row_only(readme, verdicts, claims, larger_runs):
    changed = verdicts.copy()
    changed.loc[changed["claim"] == "bohte.ecg.accuracy", "value"] = 0.5
    (line,) = find_changed_lines(readme, changed, claims, larger_runs)
    assert "50.0 %" in line and "(`bohte.ecg.accuracy`)" in line


def test_a_changed_verdict_changes_row_and_sentence(readme, verdicts, claims, larger_runs):
    changed = verdicts.copy()
    is_naud = changed["claim"] == "naud.xor_published.sides"
    changed.loc[is_naud, ["verdict", "qualification"]] = "not replicated", ""
    sentence, row, known_results = find_changed_lines(readme, changed, claims, larger_runs)
    assert "5 of 8 are replicated, 2 of them" in sentence
    assert row.endswith("| not replicated | published picture | after a result was known |")
    assert known_results.startswith("There are 197 claims in total.")


def test_a_verdict_that_changes_with_the_way_of_measuring_says_so(
    readme, verdicts, claims, larger_runs
):
    is_shown = (verdicts["claim_role"] == "key") | (verdicts["was_key_until"] != "")
    changing = verdicts[is_shown & (verdicts["verdict_changes_with"] != "")]
    assert changing["claim"].tolist() == [
        "bohte.published.accuracy_padded",
        "masquelier.published.against_released",
        "goeltz.yinyang.accuracy",
    ]
    assert readme.count("; **changes if measured in another way** |") == len(changing)
    assert "| Göltz | on 5,000 fresh test points" in readme
    changed = verdicts.assign(verdict_changes_with="")
    rewritten = readme_table.rewrite(readme, changed, claims, larger_runs)
    assert "changes if measured" not in rewritten and "| Göltz | on" not in rewritten


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("<!-- begin counts -->", ""), "begin counts"),
        (lambda text: text.replace("<!-- end energy -->", ""), "end energy"),
        (lambda text: text.replace("yinyang.accuracy`)", "yinyang.acuracy`)"), "yinyang.acuracy"),
        (lambda text: text.replace(readme_table.HEAD, ""), "no table with the head"),
    ],
)
def test_what_lacks_a_mark_a_claim_or_the_table_is_refused(
    readme, verdicts, claims, larger_runs, change, message
):
    with pytest.raises(UserError, match=message):
        readme_table.rewrite(change(readme), verdicts, claims, larger_runs)
