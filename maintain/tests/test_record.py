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
    joint_manifest = json.loads((COMMITTED / "manifest.json").read_text())
    assert not joint_manifest["uncommitted_changes"] and re.fullmatch(
        "[0-9a-f]{40}", joint_manifest["commit"]
    )
    assert joint_manifest["inputs"] == {
        name: inputs.digest_of(inputs.inputs_of(registry.load_talk(name), config))
        for name in records.recorded()
    }
    for name in set(records.recorded()) & set(joint_manifest["talks"]):  # others came since
        talk_manifest = records.manifest(COMMITTED / name)
        for key in ("commit", "python", "versions", "arithmetic", "config_sha256"):
            assert talk_manifest[key] == joint_manifest[key], (name, key)
        assert talk_manifest["machine"]["cpu"] == joint_manifest["machine"]["cpu"]
    durations = records.table(COMMITTED / "durations.csv", columns.DURATIONS)
    assert set(durations["scale"]) == {"default", "full", "paper", "smoke"}
    paper_talks = {path.stem for path in (COMMITTED / "paper").glob("*.json")}
    assert set(durations[durations["scale"] == "paper"]["talk"]) <= paper_talks
    durations = durations[durations["scale"] == "full"]
    timed_experiments = {
        (row["talk"], row["experiment"]) for row in durations.to_dict("records") if row["talk"]
    }
    assert timed_experiments == {
        (talk.name, experiment.name)
        for talk in map(registry.load_talk, records.recorded())
        for experiment in talk.experiments.values()
        if registry.seeds(experiment, config)
    } | {(talk, "") for talk in set(records.recorded()) & set(joint_manifest["talks"])}


def test_every_talk_is_recorded_with_its_recipe():
    for name in records.recorded():
        manifest = records.manifest(COMMITTED / name)
        assert manifest["recipe"]
        assert differing_inputs.find_talk_changes(registry.load_talk(name), manifest) == []


def test_joint_tables_are_in_step_with_those_of_the_talks(config, tmp_path):
    run = finished.find(COMMITTED)
    protocol_talks = registry.with_protocol(records.recorded())
    rows = tables.read_metrics([COMMITTED / name / "metrics.csv" for name in protocol_talks])
    computed = compare.joint(run.metrics, rows, run.talks, config)
    other_tables = {"durations.csv", "concordance.csv", *columns.OF_THE_REFERENCE}
    assert set(computed) == {p.name for p in COMMITTED.glob("*.csv")} - other_tables
    for file, table in computed.items():
        tables.write_csv(table, tmp_path / file)
        recorded = tables.read(COMMITTED / file, columns.OF_A_RUN[file])
        pd.testing.assert_frame_equal(
            tables.read(tmp_path / file, columns.OF_A_RUN[file]),
            recorded,
            check_exact=False,
            rtol=1e-8,
        )


# ---- what is out of date --------------------------------------------------------------------


def test_layout_comments_and_docstrings_are_no_change(tmp_path):
    def digest(name: str, text: str) -> str:
        (tmp_path / name).write_text(text)
        return code_inputs.digest_of(tmp_path / name)

    plain = digest("a.py", "TAU = 2\ndef f(x):\n    return x + TAU\n")
    commented = '"""About."""\nTAU = 2  # ms\n"""A time."""\n\ndef f(x):\n    """Sum."""\n'
    commented += "    return (x\n + TAU)"
    assert digest("b.py", commented) == plain
    for n, first_line in enumerate(("TAU = 3", "TAU = 2.0", "TAU = '2'", "TAU: int = 2")):
        assert digest(f"c{n}.py", f"{first_line}\ndef f(x):\n    return x + TAU\n") != plain
    assert digest("a.cpp", "int x;") != digest("b.cpp", "int x; // a comment")
    plain = digest("a.yaml", "tasks: [1]\nseeds: [1]\namendments: []\ncomparison_rules: {}\n")
    commented = "# of data\ntasks: [1]\nseeds: [2]\namendments: [why]\ncomparison_rules: {a: 1}\n"
    assert digest("b.yaml", commented) == plain
    assert digest("c.yaml", "tasks: [2]\nseeds: [1]\nchanged: []\n") != plain


def set_digests(folder: Path, **digests: str | None) -> None:
    """Have the manifest of goeltz say that inputs were recorded with other digests, or not."""
    path = folder / "goeltz" / "manifest.json"
    manifest = json.loads(path.read_text())
    for input_name, digest in digests.items():
        manifest["inputs"].pop(input_name, None)
        if digest is not None:
            manifest["inputs"][input_name] = digest
    path.write_text(json.dumps(manifest))


def test_a_change_is_refused_by_talk_file_and_stage(folder, config):
    talk_names = ["goeltz", "naud"]
    inputs.check(talk_names, config, folder)
    set_digests(folder, **{MODEL: "0" * 32, "gone.py": "1" * 32, "config: robustness_tests": None})
    with pytest.raises(UserError) as refused:
        inputs.check(talk_names, config, folder)
    message = str(refused.value)
    for input_and_stage in (
        f"{MODEL} (train)",
        "gone.py (no longer",
        "config: robustness_tests (simulate)",
    ):
        assert input_and_stage in message
    assert "goeltz:" in message and "naud:" not in message and "make record" in message


def test_of_yaml_files_only_what_they_say_at_the_recorded_scale_counts(config):
    talk = registry.load_talk("goeltz")
    recorded_inputs = inputs.inputs_of(talk, config)

    def find_changes(changed_talk: registry.Talk, settings=config) -> set[str]:
        changed_inputs = inputs.inputs_of(changed_talk, settings)
        return {
            name
            for name in recorded_inputs | changed_inputs
            if recorded_inputs.get(name) != changed_inputs.get(name)
        }

    def change_recipe(scale: str) -> registry.Talk:
        experiment = talk.experiments["yinyang"]
        changes = {"n_hidden": {"value": 7, "reason": "a test of digests"}}
        scales = {**experiment.scaled, scale: {**experiment.scaled.get(scale, {}), **changes}}
        experiment = experiment.model_copy(update={"scaled": scales})
        return talk.model_copy(update={"experiments": {**talk.experiments, "yinyang": experiment}})

    assert not find_changes(change_recipe("default")) and not find_changes(change_recipe("smoke"))
    assert find_changes(change_recipe("full")) == {
        f"talk.yaml: yinyang, {s}" for s in ("train", "simulate")
    }
    fewer_entries = [
        entry for entry in config["seeds_of"] if entry["experiment"] != "goeltz.few_spikes"
    ]
    assert find_changes(talk, {**config, "seeds_of": fewer_entries}) == {
        "talk.yaml: few_spikes, train"
    }
    assert not find_changes(talk, {**config, "energy": {}}), "no table of a talk has energies"
    data = {**config["data"], "folder": "elsewhere", "originals_dir": "somewhere"}
    assert not find_changes(talk, {**config, "data": data})


@pytest.mark.parametrize(
    ("change", "counts"), [({"source_location": "Table 9"}, False), ({"value": 0.5}, True)]
)
def test_of_the_source_of_a_claim_the_published_number_counts(config, monkeypatch, change, counts):
    talk = registry.load_talk("goeltz")
    recorded_inputs, (claim, *other_claims) = inputs.inputs_of(talk, config), inputs.claims_of(talk)
    changed_claim = claim.model_copy(update={"source": claim.source.model_copy(update=change)})
    monkeypatch.setattr(inputs, "claims_of", lambda talk: [changed_claim, *other_claims])
    changed_inputs = inputs.inputs_of(talk, config)
    assert {name for name in recorded_inputs if recorded_inputs[name] != changed_inputs[name]} == (
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
    network_folder = run / "goeltz" / "yinyang" / "spiking" / "seed-0"
    network_folder.mkdir(parents=True)
    (network_folder / "benchmark.tsv").write_text("s\tmax_rss\n12.5\t300.0\n")
    log_a_training(run)
    return run


def test_talks_are_recorded_with_what_decides_their_numbers(tmp_path, results, monkeypatch):
    monkeypatch.setattr(machine, "unit", lambda build_folder: 1.25)
    settings, folder = config_of("full"), tmp_path / "reference"
    record.record(settings, results, folder)
    for file, schema in records.TABLES.items():
        recorded, run = (tables.read(root / "goeltz" / file, schema) for root in (folder, results))
        # Ten digits are recorded; a p value of networks that differ much hangs on more.
        pd.testing.assert_frame_equal(recorded, run, check_exact=False, rtol=1e-6)
    manifest = records.manifest(folder / "goeltz")
    assert manifest["commit"] == COMMIT and manifest["costs"]["wall_seconds"] == 12.5
    assert manifest["config"]["seeds"] == settings["seeds"] and manifest["scale"] == "full"
    assert manifest["inputs"][MODEL] == code_inputs.digest_of(code_inputs.PACKAGE / MODEL)
    assert not inputs.stale("goeltz", settings, folder)

    parity = records.table(folder / "agreement.csv", columns.PARITY)
    assert parity["talk"].unique().tolist() == ["goeltz"] == records.recorded(folder)
    assert not list(folder.rglob(".*")), "git keeps them: no seal"
    datapackage = json.loads((folder / "datapackage.json").read_text())
    names = {resource["name"] for resource in datapackage["resources"]}
    assert {"costs", "concordance"} <= names

    joint = {path: path.read_bytes() for path in folder.glob("*.csv")}
    record.write_joint(settings, folder)  # from the recorded digits
    recomputed = {path: path.read_bytes() for path in folder.glob("*.csv")}
    assert recomputed.keys() == joint.keys()


def test_recorded_words_fit_the_recorded_data():
    """Also where the claims of a talk were judged again, with experiments that came later."""
    verdicts = finished.find(records.FOLDER).verdicts
    replicated = verdicts[verdicts["verdict"] == rule.REPLICATED]
    assert 0 < replicated["data_source"].isin(rule.SURROGATE_DATA).sum() < len(replicated)
    for row in replicated.to_dict("records"):
        is_surrogate = row["data_source"] in rule.SURROGATE_DATA
        assert ("surrogate data" in row["qualification"]) == is_surrogate, row["claim"]
    is_weakened = verdicts["comment"].str.contains("Holm")
    assert not verdicts.loc[is_weakened, "verdict"].isin([rule.REPLICATED, rule.PASSES]).any()


def test_what_was_recalled_and_not_read_is_marked_wherever_it_stands():
    rows = pd.concat([pd.read_csv(p) for p in sorted(COMMITTED.glob("*/verdicts.csv"))])
    verdicts = rows.set_index("claim")
    page = "".join(path.read_text() for path in COMMITTED.glob("*/report.html"))
    readme = (ROOT / "README.md").read_text()
    n_recalled = 0
    for talk in map(registry.load_talk, records.recorded()):
        for claim in inputs.claims_of(talk):
            texts = f"{claim.statement} {claim.source.source_location} {claim.source.publication}"
            assert claim.source.quoted_from_memory or not re.search(
                "from memory|recalled,|not read", texts
            )
            if claim.source.quoted_from_memory:
                n_recalled += 1
                row, recalled_part = (
                    verdicts.loc[claim.id],
                    "number" if claim.source.value else "statement",
                )
                is_judged = row["verdict"] not in (rule.NOT_MEASURED, rule.NOT_JUDGED)
                assert row["quoted_from_memory"] == recalled_part
                assert row["qualification"].endswith(rule.FROM_MEMORY[recalled_part]) == is_judged
                for line in (x for x in readme.splitlines() if f"(`{claim.id}`)" in x):
                    assert f"| {recalled_part} quoted from memory" in line
    assert n_recalled == (verdicts["quoted_from_memory"].notna()).sum() > 15
    assert page.count("quoted from memory") >= n_recalled - 1, (
        "the discussion has a page of its own"
    )


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
