"""The whole record from one run of one commit: what is refused, what is replaced, and when."""

import json
import shutil

import pandas as pd
import pytest
from made.checkouts import ROOT
from made.results import log_a_training, make_results

from whyspiking.declared import registry
from whyspiking.errors import UserError
from whyspiking.records import columns, datapackage, reference, whole_files
from whyspiking.running import machine
from whyspiking.stages import provenance
from whyspiking_exchange.export import shipped
from whyspiking_maintain import inputs, one_run

COMMIT = "0123456789" * 4
TALKS = ["goeltz", "naud"]


@pytest.fixture(scope="module")
def config():
    return inputs.config_of()


@pytest.fixture(autouse=True)
def two_talks(monkeypatch):
    monkeypatch.setattr(registry, "available", lambda: TALKS)


@pytest.fixture
def git(monkeypatch):
    """What git says: of all files as committed, or of one that is not."""
    answers = {"status": ""}
    monkeypatch.setattr(provenance, "git", lambda *words: answers.get(words[0], COMMIT))
    return answers


# ---- beginning ------------------------------------------------------------------------------


def test_a_run_begins_with_all_files_committed_and_goes_on_with_the_same(
    git, tmp_path, monkeypatch
):
    git["status"] = " M Makefile\n M config/full.yaml"
    with pytest.raises(UserError, match=r"Makefile, config/full\.yaml differ from the last commit"):
        one_run.begin(tmp_path / "full")
    assert not (tmp_path / "full").exists()
    git["status"] = ""
    one_run.begin(tmp_path / "full")
    one_run.begin(tmp_path / "full")
    start = json.loads((tmp_path / "full" / one_run.BEGUN).read_text())
    assert start["commit"] == COMMIT and sorted(start["inputs"]) == TALKS

    other_digests = {**start["inputs"], "naud": "0" * 32}
    monkeypatch.setattr(one_run, "digests", lambda config: other_digests)
    with pytest.raises(UserError, match="determine the numbers of naud changed since"):
        one_run.begin(tmp_path / "full")


def test_a_run_that_was_not_begun_as_a_record_is_refused(git, tmp_path):
    (tmp_path / "full" / "naud").mkdir(parents=True)
    with pytest.raises(UserError, match="was not started by 'make record'"):
        one_run.begin(tmp_path / "full")


def test_logs_of_data_that_another_target_had_fetched_are_no_run(git, tmp_path):
    (tmp_path / "full" / "logs").mkdir(parents=True)
    one_run.begin(tmp_path / "full")
    assert (tmp_path / "full" / one_run.BEGUN).is_file()


def test_a_copy_without_git_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(provenance, "git", lambda *words: None)
    with pytest.raises(UserError, match="not a git checkout"):
        one_run.begin(tmp_path / "full")


def test_the_digest_of_a_talk_follows_any_of_its_inputs():
    talk_inputs = {"a.py": ("train", "1"), "claims.yaml": ("collect", "2")}
    digest = inputs.digest_of(talk_inputs)
    assert digest == inputs.digest_of(dict(reversed(talk_inputs.items())))
    assert digest != inputs.digest_of({**talk_inputs, "a.py": ("train", "3")})
    assert digest != inputs.digest_of({"a.py": talk_inputs["a.py"]})


# ---- what it holds --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory):
    """A made-up run at scale full."""
    return make_results(tmp_path_factory.mktemp("run") / "full", "full", TALKS)


@pytest.fixture
def run(finished_run, tmp_path, config, monkeypatch, git):
    """The same, begun as a record, with the log of one job."""
    monkeypatch.setattr(machine, "unit", lambda build_folder: 1.25)
    run_folder = tmp_path / "results" / "full"
    shutil.copytree(finished_run, run_folder)
    log_a_training(run_folder)
    machine_facts = {"cpu": "made up", "system": "Linux", "arch": "x86_64", "speed_factor": 1.25}
    run_config = {**config, "talks": TALKS}
    run_manifest = {
        "scale": "full",
        "config": run_config,
        "commit": COMMIT,
        "machine": machine_facts,
    }
    run_manifest["arithmetic"] = {"vectors": "avx2"}
    whole_files.write(run_folder / "manifest.json", json.dumps(run_manifest, default=str))
    start = {"commit": COMMIT, "inputs": one_run.digests(config)}
    whole_files.write(run_folder / one_run.BEGUN, json.dumps(start))
    smoke = tmp_path / "results" / "smoke"
    shutil.copytree(run_folder / "logs", smoke / "logs")
    whole_files.write(
        smoke / "manifest.json", json.dumps({**run_manifest, "scale": "smoke"}, default=str)
    )
    monkeypatch.setattr(one_run, "STAGED", tmp_path / ".record" / "reference")
    return run_folder


@pytest.fixture
def old_record(tmp_path):
    """A record that is replaced."""
    folder = tmp_path / "results" / "reference"
    (folder / "paper").mkdir(parents=True)
    for name in ("paper/naud.csv", "gone.csv", "repetition.json"):
        (folder / name).write_text(f"{name}\n")
    (folder / "manifest.json").write_text('{"inputs": {}}')
    timed = pd.read_csv(ROOT / reference.FOLDER / "durations.csv", keep_default_na=False)
    timed.groupby("scale").head(1).to_csv(folder / "durations.csv", index=False)
    shutil.copy(ROOT / reference.FOLDER / "retired.csv", folder)
    return folder


def test_the_record_is_replaced_as_a_whole(run, old_record, monkeypatch):
    order, kept_networks = [], []
    for module, name in ((shipped, "ship"), (one_run.page, "keep_drawn")):
        monkeypatch.setattr(module, name, lambda *_, step=name: order.append(step))
    monkeypatch.setattr(shipped, "keep", lambda *given: kept_networks.append(given))

    def render(folder, home):
        order.append(sorted(path.name for path in folder.glob("*.json")))
        assert home == old_record

    monkeypatch.setattr(one_run.page, "render", render)
    lines = one_run.write(run, run.with_name("smoke"), old_record)

    assert order == ["ship", "keep_drawn", ["datapackage.json", "manifest.json"]]
    assert kept_networks == [(run, name, one_run.STAGED) for name in TALKS]
    assert "commit 0123456" in lines[0] and "speed factor 1.25" in lines[0]
    assert reference.recorded(old_record) == TALKS
    reference_tables = {p.name for p in old_record.glob("*.csv")}
    assert reference_tables == {*columns.OF_A_RUN, "retired.csv", "concordance.csv"}
    assert (old_record / "paper" / "naud.csv").read_text() == "paper/naud.csv\n"
    assert not list(old_record.rglob(".*")) and not one_run.STAGED.parent.exists()

    manifest = json.loads((old_record / "manifest.json").read_text())
    assert manifest["commit"] == COMMIT and manifest["machine"]["speed_factor"] == 1.25
    assert manifest["inputs"] == one_run.digests(manifest["config"])
    assert manifest["command"] == "make record"
    assert not (old_record / "repetition.json").exists(), "of other code"
    (old_record / "repetition.json").touch()
    assert "repetition.json" in one_run._list_unchanged_files(old_record, manifest["inputs"]), (
        "of the same code"
    )
    rows = reference.table(old_record / "durations.csv", columns.DURATIONS)
    assert rows["scale"].value_counts().to_dict() == {
        **{"full": 1, "smoke": 1, "default": 1},
        "paper": 1,  # of the record before
    }
    described = json.loads((old_record / datapackage.NAME).read_text())
    assert {"durations", "metrics-naud"} <= {entry["name"] for entry in described["resources"]}


def test_nothing_is_replaced_where_a_part_fails(run, old_record, monkeypatch, git):
    old_tables = {path: path.read_bytes() for path in old_record.rglob("*.csv")}

    def fail(*_):
        raise UserError("has no network that NIR can express")

    monkeypatch.setattr(shipped, "ship", fail)
    with pytest.raises(UserError, match="NIR"):
        one_run.write(run, run.with_name("smoke"), old_record)
    assert {path: path.read_bytes() for path in old_record.rglob("*.csv")} == old_tables

    # Stopped between the two steps of the replacement: the old one is there again.
    one_run.STAGED.with_name("before").parent.mkdir(exist_ok=True)
    old_record.rename(one_run.STAGED.with_name("before"))
    with pytest.raises(UserError, match="NIR"):
        one_run.write(run, run.with_name("smoke"), old_record)
    assert {path: path.read_bytes() for path in old_record.rglob("*.csv")} == old_tables

    monkeypatch.setattr(one_run, "digests", lambda config: {"naud": "other"})
    with pytest.raises(UserError, match="was started at commit"):
        one_run.write(run, run.with_name("smoke"), old_record)
    git["status"] = " M README.md"
    with pytest.raises(UserError, match=r"README\.md differ from the last commit"):
        one_run.write(run, run.with_name("smoke"), old_record)


def test_the_joint_tables_of_the_ground_are_written_though_a_run_names_the_talks_alone(
    config, tmp_path, monkeypatch
):
    """From the recorded rows of one talk and of the ground."""
    monkeypatch.setattr(registry, "available", lambda: [])  # own tables are there already
    run_config = {**config, "talks": registry.counted(config["talks"])}
    run, folder = tmp_path / "full", tmp_path / "reference"
    whole_files.write(run / "manifest.json", json.dumps({"commit": COMMIT}))
    folder.mkdir()
    for name in ("goeltz", "ground"):
        (folder / name).symlink_to(ROOT / reference.FOLDER / name)
    one_run.record(run_config, run, folder)
    for file in ("frontiers.csv", "advantage.csv", "baselines.csv", "literature.csv"):
        assert len(reference.table(folder / file, columns.OF_A_RUN[file])), file


def test_what_jobs_of_a_part_cost_follows_from_the_whole(config):
    default = inputs.config_of("default")
    kinds = [
        ("train", "goeltz", "yinyang", "spiking"),
        ("simulate", "goeltz", "yinyang", ""),
        ("train", "goeltz", "mnist", "spiking"),
        ("catalogued", "", "", "", ""),  # of no data set
        ("fetch", "", "", "", "mnist"),  # of experiments that scale default leaves out
    ]
    rows = columns.DURATIONS.table(
        dict(zip(("rule", "talk", "experiment", "variant", "dataset"), (*kind, ""), strict=False))
        | {"scale": scale, "seconds": 90.0}
        | {"cpu_seconds": 60.0, "n_jobs": 9, "speed_factor": 1.5}
        for scale in ("full", "smoke")
        for kind in kinds
    )  # fmt: skip
    estimates = one_run.part(rows, config, default).set_index(["rule", "talk"])
    assert set(estimates.index) == {("train", "goeltz"), ("simulate", "goeltz"), ("catalogued", "")}
    assert set(estimates["scale"]) == {"default"} and set(estimates["speed_factor"]) == {1.5}
    yinyang = registry.load_talk("goeltz").experiments["yinyang"]

    def count_networks(scale_config):
        return sum(len(registry.seeds(yinyang, scale_config, name)) for name in yinyang.variants)

    assert 0 < count_networks(default) < count_networks(config)
    assert estimates["cpu_seconds"]["train", "goeltz"] == 60.0
    assert estimates["n_jobs"]["train", "goeltz"] == len(
        registry.seeds(yinyang, default, "spiking")
    )
    fraction = count_networks(default) / count_networks(config)
    assert estimates["cpu_seconds"]["simulate", "goeltz"] == pytest.approx(60 * fraction, abs=0.06)
    assert estimates["cpu_seconds"]["catalogued", ""] == 60.0


def test_a_run_that_is_unfinished_or_tells_no_unit_has_no_durations(tmp_path):
    with pytest.raises(UserError, match=r"manifest\.json"):
        one_run.of_run(tmp_path)
    (tmp_path / "manifest.json").write_text('{"scale": "smoke", "machine": {}}')
    with pytest.raises(UserError, match=r"machine\.speed_factor is missing"):
        one_run.of_run(tmp_path)
