"""A run beside the record: what it reproduces, and what stands there where a number differs."""

import json
import re
import shutil

import numpy as np
import pytest

from whyspiking import arithmetic
from whyspiking.declared import registry
from whyspiking.records import columns, reference, tables, whole_files
from whyspiking.report import html
from whyspiking.report.run_page import REPRODUCED, RunPage
from whyspiking.report.talk_page import TalkPage
from whyspiking.running import code_inputs
from whyspiking.verdicts import comparison, differing_inputs, repetition, rule

TALKS = ("goeltz", "naud")
COMMIT = "1111111111"
KEY = "goeltz.yinyang.accuracy"
GOELTZ = registry.load_talk("goeltz")


def hold(folder):
    """Write reproduced.csv of a run, as the workflow does."""
    parts = []
    for talk in TALKS:
        metrics = tables.read_metrics([folder / talk / "metrics.csv"])
        kept = folder.parent / "reference"
        parts.append(comparison.compare_talk(talk, metrics, "default", kept).networks)
    tables.write_csv(tables.stacked(parts), folder / REPRODUCED)


@pytest.fixture(scope="module")
def results(two_talks, tmp_path_factory):
    """Two talks at scale default, all of which is in the record beside them."""
    folder = shutil.copytree(two_talks, tmp_path_factory.mktemp("results") / "default")
    kept = folder.parent / "reference"
    for talk in TALKS:
        (kept / talk).mkdir(parents=True)
        manifest = json.dumps({"format": reference.FORMAT, "commit": COMMIT})
        whole_files.write(kept / talk / "manifest.json", manifest)
        shutil.copy(folder / talk / "verdicts.csv", kept / talk)
        metrics = tables.read_metrics([folder / talk / "metrics.csv"])
        tables.write_metrics(metrics.assign(scale="full"), kept / talk / "metrics.csv")
    hold(folder)
    return folder


@pytest.fixture
def changed(results, tmp_path):
    """The same, of which one network has another accuracy and the key claim another verdict."""
    folder = shutil.copytree(results.parent, tmp_path / "results") / "default"
    path = folder / "goeltz" / "metrics.csv"
    metrics = tables.read_metrics([path])
    own = (metrics["experiment"] == "yinyang") & (metrics["variant"] == "spiking")
    metrics.loc[own & (metrics["metric"] == "score"), "value"] *= 0.5
    tables.write_metrics(metrics, path)
    path = folder / "goeltz" / "verdicts.csv"
    verdicts = tables.read(path, columns.VERDICTS)
    key = verdicts["claim"] == KEY
    verdicts.loc[key, ["verdict", "qualification"]] = rule.NOT_REPLICATED
    verdicts.loc[key, "value"] = 0.1
    tables.write_csv(verdicts, path)
    hold(folder)
    return folder


@pytest.fixture
def alone(results, tmp_path):
    """The same run where nothing was recorded."""
    folder = shutil.copytree(results, tmp_path / "default")
    hold(folder)
    return folder


def pages(folder):
    run, talk = RunPage.open(folder, "default"), TalkPage.open(folder, "goeltz", "default")
    return run.claims(), talk.verdict_table(), talk.abstract(), talk.head()


def test_only_a_part_of_the_record_is_held_against_it(results, alone):
    paths = comparison.list_reference_files(results, "default")
    own = {f"{talk}/{file}" for talk in TALKS for file in comparison.PARTS}
    assert {str(p.relative_to(results.parent / "reference")) for p in paths} == own
    assert comparison.list_reference_files(results, "full") == paths
    for scale in ("smoke", "paper"):
        assert comparison.list_reference_files(results, scale) == []
    assert comparison.list_reference_files(alone, "default") == []
    assert comparison.list_reference_files(results.parent / "reference", "full") == [], (
        "the record itself"
    )


def test_what_is_reproduced_is_said_beside_every_verdict(results):
    for page in pages(results):
        assert "reproduced here: " in page and ", equal</small>" in page
        assert "differs from the reference results" not in page


def test_where_a_number_differs_the_verdict_of_the_run_stands_beside_the_recorded(changed, results):
    before = RunPage.open(results, "default").verdicts.set_index("claim").loc[KEY]
    assert before["verdict"] != rule.NOT_REPLICATED
    symbol = html.VERDICT_LOOK[before["verdict"]][0]
    for page in pages(changed):
        assert "differs from the reference results: verdict of this run" in page
        assert f"reference results: {symbol} {before['verdict']}, " in page
    head = TalkPage.open(changed, "goeltz", "default").head()
    assert "not replicated" in head
    other = TalkPage.open(changed, "naud", "default").verdict_table()
    assert "differs from the reference results" not in other and "reproduced here: " in other


def test_what_differs_is_told_number_by_number_old_new_and_difference(results, changed):
    kept = changed.parent / "reference"
    rows = {
        folder: comparison.compare_talk(
            "goeltz", tables.read_metrics([folder / "goeltz" / "metrics.csv"]), "default", kept
        ).numbers
        for folder in (results, changed)
    }
    assert rows[results].empty and list(rows[results]) == columns.CHANGED.names
    own = rows[changed]
    assert set(own["variant"]) == {"spiking"} and set(own["metric"]) == {"score"}
    np.testing.assert_allclose(own["value"], own["reference_value"] / 2)
    np.testing.assert_allclose(own["difference"], -own["reference_value"] / 2)


def test_without_a_record_nothing_is_said_of_one(alone):
    for page in pages(alone):
        assert "reproduced here" not in page and "recorded" not in page.split("Accepted")[0][-400:]
    page = RunPage.open(alone, "default")
    assert page.recorded.networks.empty and page.recorded.commit == ""


def test_another_verdict_at_the_published_sizes_is_said_everywhere_the_same_of_key_claims(
    results, tmp_path, monkeypatch
):
    monkeypatch.setattr("whyspiking.report.run_page.thumbnail", lambda folder: "")
    folder = shutil.copytree(results.parent, tmp_path / "results") / "default"
    kept = folder.parent / "reference" / "paper"
    kept.mkdir()
    table = tables.read(folder / "naud" / "verdicts.csv", columns.VERDICTS)
    tables.write_csv(table, kept / "naud.csv")
    tables.write_csv(table.assign(talk="comsa"), kept / "comsa.csv")  # which the run has not
    said = "In the published-size run the claim is"
    same = RunPage.open(folder, "default")
    assert kept / "naud.csv" in comparison.list_reference_files(folder, "default")
    assert said not in same.opening() + same.claims() and same.eight_talks().count(said) == 1
    assert "published-size run: " not in same.claims()

    key = table["claim_role"] == "key"
    assert list(table.loc[key, "verdict"]) != [rule.DIRECTION_ONLY]
    table.loc[key, ["verdict", "qualification"]] = rule.DIRECTION_ONLY
    tables.write_csv(table, kept / "naud.csv")
    page = RunPage.open(folder, "default")
    assert page.eight_talks().count(f"{said} direction only") == 1
    assert "published-size run: direction only" in page.claims()
    assert f"{said} direction only" in TalkPage.open(folder, "naud", "default").head()


def test_verdicts_that_were_others_when_a_part_was_made_again_stand_by_the_claims(
    results, tmp_path
):
    folder = shutil.copytree(results.parent, tmp_path / "results") / "default"
    page, stated = RunPage.open(folder, "default"), "claims rest on them"
    assert stated not in page.claims()
    found = {
        "experiments": ["naud.xor", "a.c"],
        "whole": ["ground"],
        "arithmetic": {"vectors": "native"},
        "verdicts": {"claims": 9, "touched": 4, "changed": ["a.b.c: passes, again fails"]},
        "energies": {
            "compared": {key: ["inconclusive", "inconclusive"] for key in "abc"}
            | {"d": ["not assessed"] * 2},
            "changed": ["A task, compared with GRUs: more, again inconclusive"],
        },
        "since": [{"experiments": ["d.e", "d.f"], "verdicts": {"claims": 3, "touched": 2}}],
    }
    (folder.parent / "reference" / repetition.FILE).write_text(json.dumps(found))
    page = RunPage.open(folder, "default")
    shown = page.claims()
    assert "2 experiments were trained again with other floating-point rounding." in shown
    assert f"9 {stated}. A number changed for 6 of these claims" in shown
    assert "the verdict changed for 1. Of 3 verdicts on energy" in shown
    assert "(one for each task and competitor), 1 changed" in shown
    for line in (*found["verdicts"]["changed"], *found["energies"]["changed"]):
        assert line in shown


# ---- what is not as recorded ----------------------------------------------------------------


def test_a_changed_parameter_of_a_run_with_equal_numbers_is_named(results, tmp_path):
    folder = shutil.copytree(results.parent, tmp_path / "results") / "default"
    naud = registry.load_talk("naud")
    then = {
        **differing_inputs.list_parameters(naud),
        "experiments.xor.parameters.n_per_population": 250,
    }
    edited(folder, lambda manifest: manifest.update(recipe=then), "naud")
    run, talk = RunPage.open(folder, "default"), TalkPage.open(folder, "naud", "default")
    for page in (run.banner(), talk.head()):
        text = " ".join(re.sub("<[^>]+>", "", page).split())
        assert "talk.yaml of Richard Naud: n_per_population 250 → 500 in xor" in text
        assert "numbers that the reference results have, too, are equal" in text
        assert "no effect at a scale that sets another value under scale_overrides:" in text


def banners(folder):
    run, talk = RunPage.open(folder, "default"), TalkPage.open(folder, "goeltz", "default")
    assert talk.head().count('class="banner"') == run.banner().count('class="banner"') <= 1
    return run.banner(), talk.head()


def edited(folder, change, name="goeltz"):
    """Change the manifest of a talk's record, as if it had been made by other files."""
    path = folder.parent / "reference" / name / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    whole_files.write(path, json.dumps(manifest))


def test_where_all_is_as_recorded_there_is_no_banner(results):
    assert all('class="banner"' not in page for page in banners(results))


def test_another_number_by_the_same_recipe_is_told_with_what_the_record_was_made_with(changed):
    other = {"python": "3.1.4", "arithmetic": {"caches": "8 KB, 64 KB"}}
    edited(changed, lambda m: m.update(recipe=differing_inputs.list_parameters(GOELTZ), **other))
    assert 'class="banner"' not in "".join(banners(changed)), "nothing to be frightened of"
    run, talk = RunPage.open(changed, "default"), TalkPage.open(changed, "goeltz", "default")
    table = tables.read(changed / REPRODUCED, columns.REPRODUCED)
    for page, own in ((run.opening(), table), (talk.head(), table[table["talk"] == "goeltz"])):
        told = " ".join(re.sub("<[^>]+>", "", page).split())
        other = own["n_different"].sum()
        total = own[["n_equal", "n_rounding"]].sum().sum() + other
        assert (
            f"agrees with the reference results in {total - other:,} of {total:,} numbers" in told
        )
        assert "Recipe and code of the other numbers are the same." in told
        assert re.search(
            r"Rounding can differ, because the following differ on this machine: compiler, caches, "
            r"Python[^.]*\.",
            told,
        )
        assert f"caches: {arithmetic.caches()} here, 8 KB, 64 KB for the reference results" in told
        assert "1 verdict changed." in told
        assert COMMIT[:7] in told and "The different numbers are in Göltz: Yin-Yang" in told
        assert re.search(r"Python: 3\.1\d\S* here, 3\.1\.4 for the reference results", told)
        assert re.search(r"compiler: .+ here, not stated for the reference results", told)
    assert run.opening().index("replicated") < run.opening().index('id="beside-the-record"')


def test_a_changed_recipe_is_named_with_both_values(changed):
    def before(manifest):
        manifest["recipe"] = differing_inputs.list_parameters(GOELTZ)
        path = "experiments.yinyang.parameters.learning_rate"
        assert manifest["recipe"][path] == 0.005
        manifest["recipe"][path] = 0.125
        file = "talks/goeltz/learning.py"
        digests = {f: d for f, (_, d) in code_inputs.of_results("goeltz", []).items()}
        manifest.update(inputs={**digests, file: "0" * 32}, notes=[])

    edited(changed, before)
    for page in banners(changed):
        text = re.sub("<[^>]+>", "", page)
        assert "differs from the recipe of the reference results" in page
        assert "Recipe and code of the other numbers are the same" not in page
        assert "learning_rate 0.125 → 0.005 in yinyang" in text
        assert "code: talks/goeltz/learning.py" in text
    # The source is that of the recorded value, not of what stands there now.
    row = re.search(r"<tr>(?:(?!</tr>).)*learning_rate.*?</tr>", deviations(changed), re.DOTALL)
    assert row
    cells = [text.strip() for text in re.split(r"<[^>]+>", row[0]) if text.strip()]
    assert cells == [
        "learning_rate", "0.125", "code: Adam", "0.005", "changed since the record",
        "Yin-Yang, equal time constants",
    ]  # fmt: skip


def test_a_changed_config_is_named_on_the_page_of_the_run(changed):
    config = json.loads((changed / "manifest.json").read_text())["config"]
    then = {
        **config,
        "robustness_tests": {**config["robustness_tests"], "n_trials": 7},
        "seeds": [9],
        "scale": "full",
    }
    kept = changed.parent / "reference" / "manifest.json"
    whole_files.write(kept, json.dumps({"config": then}))
    assert kept in comparison.list_reference_files(changed, "default")
    text = re.sub("<[^>]+>", "", RunPage.open(changed, "default").banner())
    assert (
        f"config: robustness_tests.n_trials 7 → {config['robustness_tests']['n_trials']}\n" in text
    )
    assert "seeds" not in text and "scale" not in text
    # Where the project changed the key itself, it is no change of the user's.
    since = {"robustness_tests.n_trials": config["robustness_tests"]["n_trials"]}
    whole_files.write(kept, json.dumps({"config": then, "config_since": since}))
    assert "robustness_tests" not in RunPage.open(changed, "default").banner()


def deviations(folder):
    return TalkPage.open(folder, "goeltz", "default").deviations()


def test_a_moved_band_is_not_called_fixed_before_the_run(results, tmp_path):
    folder = shutil.copytree(results.parent, tmp_path / "results") / "default"
    fixed = "The acceptance criterion was written before the run. Brackets"
    assert fixed in pages(folder)[1]
    path = folder.parent / "reference" / "goeltz" / "verdicts.csv"
    verdicts = tables.read(path, columns.VERDICTS)
    verdicts.loc[verdicts["claim"] == KEY, "criterion_low"] = 0.987
    tables.write_csv(verdicts, path)
    for page in banners(folder):
        text = re.sub("<[^>]+>", "", page)
        assert f"claim {KEY}: acceptance criterion 98.7 … 96.6 %" in text
        assert "numbers that the reference results have, too, are equal" in text
    for page in pages(folder)[1:2]:
        assert (
            fixed not in page and "before the run, except where it says “changed”. Brackets" in page
        )
        assert page.count("<strong>changed</strong>; reference results: ") == 1
