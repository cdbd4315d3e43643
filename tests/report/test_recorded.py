"""What a scale leaves out stands in its pages as it was recorded: marked, and never counted."""

import json
import re
import shutil

import numpy as np
import pytest

from whyspiking.errors import UserError
from whyspiking.records import columns, reference, tables, whole_files
from whyspiking.report import recorded, sections, sentences
from whyspiking.report.run_page import RunPage
from whyspiking.report.talk_page import TalkPage
from whyspiking.verdicts import rule

TALKS = ("goeltz", "naud")
COMMITS = ("1111111111", "2222222222")
KEY, LEFT_OUT = "goeltz.yinyang.accuracy", ("yinyang", "yinyang_fine", "yinyang_2tau", "mnist")


def leave_out(folder):
    """What a run at scale default would say, had it left four experiments of goeltz out."""
    path = folder / "goeltz" / "verdicts.csv"
    table = tables.read(path, columns.VERDICTS)
    out = table["claim"].str.split(".").str[1].isin(LEFT_OUT)
    table.loc[out, ["value", "low", "high", "band_low", "band_high", "control_value"]] = np.nan
    table.loc[out, ["verdict", "label"]] = [rule.OUT_OF_SCOPE, "judged at scale full"]
    table.loc[out, "seeds"] = 0
    tables.write_csv(table, path)
    table = tables.read(folder / "axes.csv", columns.AXES)
    tables.write_csv(table[table["talk"] != "goeltz"], folder / "axes.csv")


@pytest.fixture(scope="module")
def results(two_talks, tmp_path_factory):
    folder = shutil.copytree(two_talks, tmp_path_factory.mktemp("results") / "default")
    kept = folder.parent / "reference"
    kept.mkdir()
    for table in recorded.JOINT:
        shutil.copy(folder / f"{table}.csv", kept)
    for talk, commit in zip(TALKS, COMMITS, strict=True):
        manifest = json.dumps({"format": reference.FORMAT, "commit": commit})
        whole_files.write(kept / talk / "manifest.json", manifest)
        shutil.copy(folder / talk / "verdicts.csv", kept / talk)
    leave_out(folder)
    return folder


@pytest.fixture
def alone(results, tmp_path):
    """The same run where nothing was recorded."""
    return shutil.copytree(results, tmp_path / "default")


def test_only_a_smaller_scale_shows_what_was_recorded(results, alone):
    paths = recorded.files(results, "default")
    joint = {"axes.csv", "shared.csv", "span.csv", "programme.csv"}
    own = {f"{talk}/{file}" for talk in TALKS for file in ("verdicts.csv", "manifest.json")}
    assert {str(p.relative_to(results.parent / "reference")) for p in paths} == joint | own
    for scale in ("smoke", "full", "paper"):
        assert recorded.files(results, scale) == []
        assert recorded.beside(results, scale).claims == {}
    assert recorded.files(alone, "default") == []


def test_the_verdict_table_shows_the_recorded_value_after_all_that_was_judged(results):
    page = RunPage.open(results, "default")
    before = page.recorded.claims
    judged = dict(zip(page.verdicts["claim"], page.verdicts["verdict"], strict=True))
    out = {claim for claim, verdict in judged.items() if verdict == rule.OUT_OF_SCOPE}
    assert KEY in out and out & set(before)
    table = page.verdict_table()
    for rows in re.findall(r"<tbody>(.*?)</tbody>", table.split("Simulated runs")[0], re.DOTALL):
        told = re.findall(r"<tr.*?</tr>", rows, re.DOTALL)
        names = [re.search(r"<code>([a-z0-9_.]+)</code>", row)[1] for row in told]
        assert [name in out for name in names] == sorted(name in out for name in names)
        for name, row in zip(names, told, strict=True):
            assert ("recorded, not run here" in row) == (name in out and name in before)
            if name in out and name in before:
                assert before[name]["label"] in row and "judged at scale full" in row
                assert str(sections.macros("macros").recorded("x"))[:23] in row
    assert ", ".join(commit[:7] for commit in COMMITS) in table, "the recorded commits"
    assert KEY in TalkPage.open(results, "goeltz", "default").verdict_table()


def test_only_what_was_judged_here_is_counted(results):
    page = RunPage.open(results, "default")
    shown = sections.counts(page.verdicts)
    judged = page.verdicts[page.verdicts["verdict"] != rule.OUT_OF_SCOPE]
    keys = int((judged["role"] == "key").sum())
    assert keys == len(TALKS) - 1
    assert f" of {keys} key claims replicated" in shown
    assert "out of scope" not in shown
    n = int((page.verdicts["label"] == "judged at scale full").sum())
    assert (
        f"Not counted, since this scale does not judge them: {n} judged at scale full (1 key"
        in (shown)
    )
    words = sections.key_claims(page.verdicts, page.talks, page.recorded)
    assert f"recorded, not run here: {page.recorded.claims[KEY]['label']}" in words


def test_a_cell_that_was_not_run_shows_the_recorded_one_and_counts_for_nothing(results, alone):
    page, without = RunPage.open(results, "default"), RunPage.open(alone, "default")
    for answer, plain in zip(page.answers, without.answers, strict=True):
        assert (answer.word, answer.measured, answer.findings) == (
            plain.word, plain.measured, plain.findings
        )  # fmt: skip
        assert plain.recorded == {} and plain.shown == plain.findings
        assert not any(finding.recorded for finding in answer.findings)
    timing = next(answer for answer in page.answers if answer.axis == "timing")
    assert set(timing.recorded) == {"goeltz"} and timing.stands["goeltz"].word == "n/a"
    assert len(timing.shown) > len(timing.findings)
    told = page.answer() + page.axis_sections()
    assert "yes, recorded" in told and "Goeltz, timing: yes, recorded" in told
    assert "Recorded, not run here and not counted: Goeltz yes." in told
    assert sentences.RECORDED in told
    assert re.search(r"T1 Goeltz Yin-Yang[A-Za-z0-9, -]* recorded: 0\.\d\d", told)
    assert (
        "recorded: " in page.forest() and "Yin-Yang, own size, accuracy, recorded" in page.forest()
    )


def test_without_a_record_it_only_says_who_judges(alone):
    page = RunPage.open(alone, "default")
    told = page.verdict_table() + page.forest() + page.answer() + page.axis_sections()
    assert "judged at scale full" in told
    assert 'class="recorded"' not in told and "not run here" not in told


def test_a_record_of_another_version_is_refused(results, tmp_path):
    folder = tmp_path / "default"
    shutil.copytree(results.parent / "reference", tmp_path / "reference")
    path = tmp_path / "reference" / "axes.csv"
    path.write_text(path.read_text().replace("axis,", "direction,", 1))
    with pytest.raises(UserError, match=r"axes\.csv: .*missing \['axis'\].*make reference"):
        recorded.beside(folder, "default")


def test_another_verdict_at_the_published_sizes_is_said_wherever_the_claim_stands(
    results, tmp_path, monkeypatch
):
    monkeypatch.setattr("whyspiking.report.run_page.thumbnail", lambda folder: "")
    folder = shutil.copytree(results.parent, tmp_path / "results") / "default"
    kept = folder.parent / "reference" / "paper"
    kept.mkdir()
    table = tables.read(folder / "naud" / "verdicts.csv", columns.VERDICTS)
    tables.write_csv(table, kept / "naud.csv")
    said = "t the published sizes and schedule"
    same = RunPage.open(folder, "default")
    assert kept / "naud.csv" in recorded.files(folder, "default")
    assert said not in same.cards() + same.first_screen() + same.verdict_table()

    key = table["role"] == "key"
    assert list(table.loc[key, "verdict"]) != [rule.INCONCLUSIVE]
    table.loc[key, ["verdict", "label"]] = rule.INCONCLUSIVE
    tables.write_csv(table, kept / "naud.csv")
    page = RunPage.open(folder, "default")
    assert f"A{said} inconclusive" in page.cards()
    assert "that of Richard Naud is inconclusive" in page.first_screen()
    assert page.verdict_table().count(said) == 2, "in the table and in words"
    assert f"A{said} inconclusive" in TalkPage.open(folder, "naud", "default").head()
