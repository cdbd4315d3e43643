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
    says = {"status": ""}
    monkeypatch.setattr(provenance, "git", lambda *words: says.get(words[0], COMMIT))
    return says


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
    begun = json.loads((tmp_path / "full" / one_run.BEGUN).read_text())
    assert begun["commit"] == COMMIT and sorted(begun["inputs"]) == TALKS

    other = {**begun["inputs"], "naud": "0" * 32}
    monkeypatch.setattr(one_run, "digests", lambda config: other)
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
    known = {"a.py": ("train", "1"), "claims.yaml": ("collect", "2")}
    digest = inputs.digest_of(known)
    assert digest == inputs.digest_of(dict(reversed(known.items())))
    assert digest != inputs.digest_of({**known, "a.py": ("train", "3")})
    assert digest != inputs.digest_of({"a.py": known["a.py"]})


# ---- what it holds --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tabled(tmp_path_factory):
    """A made-up run at scale full."""
    return make_results(tmp_path_factory.mktemp("run") / "full", "full", TALKS)


@pytest.fixture
def run(tabled, tmp_path, config, monkeypatch, git):
    """The same, begun as a record, with the log of one job."""
    monkeypatch.setattr(machine, "unit", lambda build_folder: 1.25)
    made = tmp_path / "results" / "full"
    shutil.copytree(tabled, made)
    log_a_training(made)
    machine_of = {"cpu": "made up", "system": "Linux", "arch": "x86_64", "speed_factor": 1.25}
    own = {**config, "talks": TALKS}
    facts = {"scale": "full", "config": own, "commit": COMMIT, "machine": machine_of}
    facts["arithmetic"] = {"vectors": "avx2"}
    whole_files.write(made / "manifest.json", json.dumps(facts, default=str))
    begun = {"commit": COMMIT, "inputs": one_run.digests(config)}
    whole_files.write(made / one_run.BEGUN, json.dumps(begun))
    smoke = tmp_path / "results" / "smoke"
    shutil.copytree(made / "logs", smoke / "logs")
    whole_files.write(smoke / "manifest.json", json.dumps({**facts, "scale": "smoke"}, default=str))
    monkeypatch.setattr(one_run, "STAGED", tmp_path / ".record" / "reference")
    return made


@pytest.fixture
def old(tmp_path):
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


def test_the_record_is_replaced_as_a_whole(run, old, monkeypatch):
    order, kept = [], []
    for module, name in ((shipped, "ship"), (one_run.page, "keep_drawn")):
        monkeypatch.setattr(module, name, lambda *_, of=name: order.append(of))
    monkeypatch.setattr(shipped, "keep", lambda *given: kept.append(given))

    def render(folder, home):
        order.append(sorted(path.name for path in folder.glob("*.json")))
        assert home == old

    monkeypatch.setattr(one_run.page, "render", render)
    told = one_run.write(run, run.with_name("smoke"), old)

    assert order == ["ship", "keep_drawn", ["datapackage.json", "manifest.json"]]
    assert kept == [(run, name, one_run.STAGED) for name in TALKS]
    assert "commit 0123456" in told[0] and "speed factor 1.25" in told[0]
    assert reference.recorded(old) == TALKS
    reference_tables = {p.name for p in old.glob("*.csv")}
    assert reference_tables == {*columns.OF_A_RUN, "retired.csv", "concordance.csv"}
    assert (old / "paper" / "naud.csv").read_text() == "paper/naud.csv\n"
    assert not list(old.rglob(".*")) and not one_run.STAGED.parent.exists()

    manifest = json.loads((old / "manifest.json").read_text())
    assert manifest["commit"] == COMMIT and manifest["machine"]["speed_factor"] == 1.25
    assert manifest["inputs"] == one_run.digests(manifest["config"])
    assert manifest["command"] == "make record"
    assert not (old / "repetition.json").exists(), "of other code"
    (old / "repetition.json").touch()
    assert "repetition.json" in one_run._list_unchanged_files(old, manifest["inputs"]), (
        "of the same code"
    )
    rows = reference.table(old / "durations.csv", columns.DURATIONS)
    assert rows["scale"].value_counts().to_dict() == {
        **{"full": 1, "smoke": 1, "default": 1},
        "paper": 1,  # of the record before
    }
    described = json.loads((old / datapackage.NAME).read_text())
    assert {"durations", "metrics-naud"} <= {entry["name"] for entry in described["resources"]}


def test_nothing_is_replaced_where_a_part_fails(run, old, monkeypatch, git):
    before = {path: path.read_bytes() for path in old.rglob("*.csv")}

    def fail(*_):
        raise UserError("has no network that NIR can express")

    monkeypatch.setattr(shipped, "ship", fail)
    with pytest.raises(UserError, match="NIR"):
        one_run.write(run, run.with_name("smoke"), old)
    assert {path: path.read_bytes() for path in old.rglob("*.csv")} == before

    # Stopped between the two steps of the replacement: the old one is there again.
    one_run.STAGED.with_name("before").parent.mkdir(exist_ok=True)
    old.rename(one_run.STAGED.with_name("before"))
    with pytest.raises(UserError, match="NIR"):
        one_run.write(run, run.with_name("smoke"), old)
    assert {path: path.read_bytes() for path in old.rglob("*.csv")} == before

    monkeypatch.setattr(one_run, "digests", lambda config: {"naud": "other"})
    with pytest.raises(UserError, match="was started at commit"):
        one_run.write(run, run.with_name("smoke"), old)
    git["status"] = " M README.md"
    with pytest.raises(UserError, match=r"README\.md differ from the last commit"):
        one_run.write(run, run.with_name("smoke"), old)


def test_the_joint_tables_of_the_ground_are_written_though_a_run_names_the_talks_alone(
    config, tmp_path, monkeypatch
):
    """From the recorded rows of one talk and of the ground."""
    monkeypatch.setattr(registry, "available", lambda: [])  # own tables are there already
    of_run = {**config, "talks": registry.counted(config["talks"])}
    run, folder = tmp_path / "full", tmp_path / "reference"
    whole_files.write(run / "manifest.json", json.dumps({"commit": COMMIT}))
    folder.mkdir()
    for name in ("goeltz", "ground"):
        (folder / name).symlink_to(ROOT / reference.FOLDER / name)
    one_run.record(of_run, run, folder)
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
    found = one_run.part(rows, config, default).set_index(["rule", "talk"])
    assert set(found.index) == {("train", "goeltz"), ("simulate", "goeltz"), ("catalogued", "")}
    assert set(found["scale"]) == {"default"} and set(found["speed_factor"]) == {1.5}
    yinyang = registry.load_talk("goeltz").experiments["yinyang"]

    def networks(of):
        return sum(len(registry.seeds(yinyang, of, name)) for name in yinyang.variants)

    assert 0 < networks(default) < networks(config)
    assert found["cpu_seconds"]["train", "goeltz"] == 60.0
    assert found["n_jobs"]["train", "goeltz"] == len(registry.seeds(yinyang, default, "spiking"))
    share = networks(default) / networks(config)
    assert found["cpu_seconds"]["simulate", "goeltz"] == pytest.approx(60 * share, abs=0.06)
    assert found["cpu_seconds"]["catalogued", ""] == 60.0


def test_a_run_that_is_unfinished_or_tells_no_unit_has_no_durations(tmp_path):
    with pytest.raises(UserError, match=r"manifest\.json"):
        one_run.of_run(tmp_path)
    (tmp_path / "manifest.json").write_text('{"scale": "smoke", "machine": {}}')
    with pytest.raises(UserError, match=r"machine\.speed_factor is missing"):
        one_run.of_run(tmp_path)
