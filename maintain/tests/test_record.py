"""Recorded results: of the present code, recorded talk by talk, joined; what is out of date."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from made.checkouts import ROOT
from made.project import config as config_of
from made.results import log_a_training, make_results

from whyspiking.declared import registry
from whyspiking.errors import UserError
from whyspiking.records import columns, finished, tables, whole_files
from whyspiking.records import reference as records
from whyspiking.running import code_inputs, machine
from whyspiking.stages import compare
from whyspiking.verdicts import differing_inputs, rule
from whyspiking_maintain import __main__ as recording
from whyspiking_maintain import inputs, record

COMMITTED = ROOT / records.FOLDER
MODEL = "contract/randomness.py"
COMMIT = "c" * 40
"""Of a made-up run."""


@pytest.fixture(scope="module")
def config():
    return inputs.config_of()


@pytest.fixture
def folder(tmp_path):
    """A copy of two recorded talks."""
    copy = tmp_path / "reference"
    for name in ("goeltz", "naud"):
        shutil.copytree(COMMITTED / name, copy / name)
    shutil.copy(COMMITTED / "durations.csv", copy)
    return copy


# ---- what is committed ----------------------------------------------------------------------


def test_no_recorded_number_depends_on_what_changed_since(config):
    assert set(records.recorded()) <= set(config["talks"])
    inputs.check(records.recorded(), config)


def test_the_record_is_one_run_of_one_commit_on_one_machine(config):
    whole = json.loads((COMMITTED / "manifest.json").read_text())
    assert not whole["uncommitted_changes"] and re.fullmatch("[0-9a-f]{40}", whole["commit"])
    assert whole["inputs"] == {
        name: inputs.digest_of(inputs.inputs_of(registry.load_talk(name), config))
        for name in records.recorded()
    }
    for name in set(records.recorded()) & set(whole["talks"]):  # others came since
        own = records.manifest(COMMITTED / name)
        for key in ("commit", "python", "versions", "arithmetic", "config_sha256"):
            assert own[key] == whole[key], (name, key)
        assert own["machine"]["cpu"] == whole["machine"]["cpu"]
    timed = records.table(COMMITTED / "durations.csv", columns.DURATIONS)
    assert set(timed["scale"]) == {"default", "full", "paper", "smoke"}
    at_paper = {path.stem for path in (COMMITTED / "paper").glob("*.json")}
    assert set(timed[timed["scale"] == "paper"]["talk"]) <= at_paper
    timed = timed[timed["scale"] == "full"]
    run = {(row["talk"], row["experiment"]) for row in timed.to_dict("records") if row["talk"]}
    assert run == {
        (talk.name, experiment.name)
        for talk in map(registry.load_talk, records.recorded())
        for experiment in talk.experiments.values()
        if registry.seeds(experiment, config)
    } | {(talk, "") for talk in set(records.recorded()) & set(whole["talks"])}


def test_every_talk_is_recorded_with_its_recipe():
    for name in records.recorded():
        manifest = records.manifest(COMMITTED / name)
        assert manifest["recipe"]
        assert differing_inputs.find_talk_changes(registry.load_talk(name), manifest) == []


def test_joint_tables_are_in_step_with_those_of_the_talks(config, tmp_path):
    run = finished.find(COMMITTED)
    ground = registry.with_protocol(records.recorded())
    rows = tables.read_metrics([COMMITTED / name / "metrics.csv" for name in ground])
    computed = compare.joint(run.metrics, rows, run.talks, config)
    apart = {"durations.csv", "concordance.csv", *columns.OF_THE_REFERENCE}
    assert set(computed) == {p.name for p in COMMITTED.glob("*.csv")} - apart
    for file, table in computed.items():
        tables.write_csv(table, tmp_path / file)
        known = tables.read(COMMITTED / file, columns.OF_A_RUN[file])
        pd.testing.assert_frame_equal(
            tables.read(tmp_path / file, columns.OF_A_RUN[file]),
            known,
            check_exact=False,
            rtol=1e-8,
        )


# ---- what is out of date --------------------------------------------------------------------


def test_layout_comments_and_docstrings_are_no_change(tmp_path):
    def digest(name: str, text: str) -> str:
        (tmp_path / name).write_text(text)
        return code_inputs.digest_of(tmp_path / name)

    plain = digest("a.py", "TAU = 2\ndef f(x):\n    return x + TAU\n")
    told = '"""About."""\nTAU = 2  # ms\n"""A time."""\n\ndef f(x):\n    """Sum."""\n'
    told += "    return (x\n + TAU)"
    assert digest("b.py", told) == plain
    for n, other in enumerate(("TAU = 3", "TAU = 2.0", "TAU = '2'", "TAU: int = 2")):
        assert digest(f"c{n}.py", f"{other}\ndef f(x):\n    return x + TAU\n") != plain
    assert digest("a.cpp", "int x;") != digest("b.cpp", "int x; // a comment")
    plain = digest("a.yaml", "tasks: [1]\nseeds: [1]\namendments: []\ncomparison_rules: {}\n")
    told = "# of data\ntasks: [1]\nseeds: [2]\namendments: [why]\ncomparison_rules: {a: 1}\n"
    assert digest("b.yaml", told) == plain
    assert digest("c.yaml", "tasks: [2]\nseeds: [1]\nchanged: []\n") != plain


def changed(folder: Path, **digests: str | None) -> None:
    """Have the manifest of goeltz say that inputs were recorded with other digests, or not."""
    path = folder / "goeltz" / "manifest.json"
    manifest = json.loads(path.read_text())
    for place, digest in digests.items():
        manifest["inputs"].pop(place, None)
        if digest is not None:
            manifest["inputs"][place] = digest
    path.write_text(json.dumps(manifest))


def test_a_change_is_refused_by_talk_file_and_stage(folder, config):
    both = ["goeltz", "naud"]
    inputs.check(both, config, folder)
    changed(folder, **{MODEL: "0" * 32, "gone.py": "1" * 32, "config: robustness_tests": None})
    with pytest.raises(UserError) as refused:
        inputs.check(both, config, folder)
    told = str(refused.value)
    for word in (f"{MODEL} (train)", "gone.py (no longer", "config: robustness_tests (simulate)"):
        assert word in told
    assert "goeltz:" in told and "naud:" not in told and "make record" in told


def test_of_yaml_files_only_what_they_say_at_the_recorded_scale_counts(config):
    talk = registry.load_talk("goeltz")
    before = inputs.inputs_of(talk, config)

    def differing(other: registry.Talk, settings=config) -> set[str]:
        after = inputs.inputs_of(other, settings)
        return {place for place in before | after if before.get(place) != after.get(place)}

    def scaled(scale: str) -> registry.Talk:
        one = talk.experiments["yinyang"]
        changes = {"n_hidden": {"value": 7, "reason": "a test of digests"}}
        other = {**one.scaled, scale: {**one.scaled.get(scale, {}), **changes}}
        one = one.model_copy(update={"scaled": other})
        return talk.model_copy(update={"experiments": {**talk.experiments, "yinyang": one}})

    assert not differing(scaled("default")) and not differing(scaled("smoke"))
    assert differing(scaled("full")) == {f"talk.yaml: yinyang, {s}" for s in ("train", "simulate")}
    fewer = [own for own in config["seeds_of"] if own["experiment"] != "goeltz.few_spikes"]
    assert differing(talk, {**config, "seeds_of": fewer}) == {"talk.yaml: few_spikes, train"}
    assert not differing(talk, {**config, "energy": {}}), "no table of a talk has energies"
    here = {**config["data"], "folder": "elsewhere", "originals_dir": "somewhere"}
    assert not differing(talk, {**config, "data": here})


@pytest.mark.parametrize(
    ("change", "counts"), [({"source_location": "Table 9"}, False), ({"value": 0.5}, True)]
)
def test_of_the_source_of_a_claim_the_published_number_counts(config, monkeypatch, change, counts):
    talk = registry.load_talk("goeltz")
    before, (first, *others) = inputs.inputs_of(talk, config), inputs.claims_of(talk)
    other = first.model_copy(update={"source": first.source.model_copy(update=change)})
    monkeypatch.setattr(inputs, "claims_of", lambda talk: [other, *others])
    after = inputs.inputs_of(talk, config)
    assert {place for place in before if before[place] != after[place]} == (
        {"claims.yaml"} if counts else set()
    )


# ---- recording ------------------------------------------------------------------------------


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A made-up run of one talk at full scale, with the time that one job took."""
    monkeypatch.setattr(registry, "available", lambda: ["goeltz"])
    run = make_results(tmp_path / "results" / "full", "full", ["goeltz"])
    (run / "durations.csv").unlink()
    whole_files.write(run / "manifest.json", json.dumps({"commit": COMMIT}))
    own = run / "goeltz" / "yinyang" / "spiking" / "seed-0"
    own.mkdir(parents=True)
    (own / "benchmark.tsv").write_text("s\tmax_rss\n12.5\t300.0\n")
    log_a_training(run)
    return run


def test_talks_are_recorded_with_what_decides_their_numbers(tmp_path, results, monkeypatch):
    monkeypatch.setattr(machine, "unit", lambda build_folder: 1.25)
    settings, folder = config_of("full"), tmp_path / "reference"
    record.record(settings, results, folder)
    for file, schema in records.TABLES.items():
        recorded, run = (tables.read(of / "goeltz" / file, schema) for of in (folder, results))
        # Ten digits are recorded; a p value of networks that differ much hangs on more.
        pd.testing.assert_frame_equal(recorded, run, check_exact=False, rtol=1e-6)
    made = records.manifest(folder / "goeltz")
    assert made["commit"] == COMMIT and made["costs"]["wall_seconds"] == 12.5
    assert made["config"]["seeds"] == settings["seeds"] and made["scale"] == "full"
    assert made["inputs"][MODEL] == code_inputs.digest_of(code_inputs.PACKAGE / MODEL)
    assert not inputs.stale("goeltz", settings, folder)

    parity = records.table(folder / "agreement.csv", columns.PARITY)
    assert parity["talk"].unique().tolist() == ["goeltz"] == records.recorded(folder)
    assert not list(folder.rglob(".*")), "git keeps them: no seal"
    described = json.loads((folder / "datapackage.json").read_text())
    names = {resource["name"] for resource in described["resources"]}
    assert {"costs", "concordance"} <= names

    joint = {path: path.read_bytes() for path in folder.glob("*.csv")}
    record.write_joint(settings, folder)  # from the recorded digits
    again = {path: path.read_bytes() for path in folder.glob("*.csv")}
    assert again.keys() == joint.keys()


def test_recorded_words_fit_the_recorded_data():
    """Also where the claims of a talk were judged again, with experiments that came later."""
    verdicts = finished.find(records.FOLDER).verdicts
    whole = verdicts[verdicts["verdict"] == rule.REPLICATED]
    assert 0 < whole["data_source"].isin(rule.SURROGATE_DATA).sum() < len(whole)
    for row in whole.to_dict("records"):
        is_surrogate = row["data_source"] in rule.SURROGATE_DATA
        assert ("surrogate data" in row["qualification"]) == is_surrogate, row["claim"]
    weakened = verdicts["comment"].str.contains("Holm")
    assert not verdicts.loc[weakened, "verdict"].isin([rule.REPLICATED, rule.PASSES]).any()


def test_what_was_recalled_and_not_read_is_marked_wherever_it_stands():
    rows = pd.concat([pd.read_csv(p) for p in sorted(COMMITTED.glob("*/verdicts.csv"))])
    told = rows.set_index("claim")
    page = "".join(path.read_text() for path in COMMITTED.glob("*/report.html"))
    readme = (ROOT / "README.md").read_text()
    found = 0
    for talk in map(registry.load_talk, records.recorded()):
        for claim in inputs.claims_of(talk):
            said = f"{claim.statement} {claim.source.source_location} {claim.source.publication}"
            assert claim.source.quoted_from_memory or not re.search(
                "from memory|recalled,|not read", said
            )
            if claim.source.quoted_from_memory:
                found += 1
                row, what = told.loc[claim.id], "number" if claim.source.value else "statement"
                judged = row["verdict"] not in (rule.NOT_MEASURED, rule.NOT_JUDGED)
                assert row["quoted_from_memory"] == what
                assert row["qualification"].endswith(rule.FROM_MEMORY[what]) == judged
                for line in (x for x in readme.splitlines() if f"(`{claim.id}`)" in x):
                    assert f"| {what} quoted from memory" in line
    assert found == (told["quoted_from_memory"].notna()).sum() > 15
    assert page.count("quoted from memory") >= found - 1, "the discussion has a page of its own"


def test_another_scale_and_an_edited_table_are_refused(tmp_path, results):
    with pytest.raises(UserError, match="scale 'default'; expected scale 'full'"):
        record.record(config_of("default"), results, tmp_path / "reference")
    path = results / "goeltz" / "verdicts.csv"
    path.write_text(path.read_text().replace("not replicated", "replicated", 1) + "\n")
    with pytest.raises(UserError, match=r"verdicts\.csv: this is not the file that the run wrote"):
        record.record(config_of("full"), results, tmp_path / "reference")


def test_the_command_line_names_talks_that_are_recorded(capsys):
    assert recording.main(["check", "gortz"]) == 1
    assert "talk 'gortz' has no reference results" in capsys.readouterr().err
    assert recording.main(["check", "goeltz"]) == 0


def test_a_command_by_its_old_name_is_refused_with_the_present_one(capsys):
    with pytest.raises(SystemExit):
        recording.main(["again"])
    assert "'again' is now called 'compare-repetition'" in capsys.readouterr().err
