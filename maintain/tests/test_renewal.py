"""The reference results renewed in parts: from their own rows, and an experiment at a time."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made.results import log_a_training, make_results

from whyspiking.contract import network_files
from whyspiking.contract.types import Network
from whyspiking.declared import registry
from whyspiking.errors import UserError
from whyspiking.records import columns, reference, tables
from whyspiking.running import machine
from whyspiking.stages import provenance
from whyspiking_exchange.export import shipped
from whyspiking_maintain import __main__ as recording
from whyspiking_maintain import inputs, one_run, record, renewal

COMMITTED = Path(__file__).parents[2] / reference.FOLDER
TALKS = ["goeltz", "naud"]
COMMIT = "0123456789" * 4
CODE, CHECKED = "contract/randomness.py", "verdicts/rule.py"
ECHOED = "talk.yaml: yinyang, train"


@pytest.fixture(scope="module")
def config():
    return inputs.config_of()


@pytest.fixture
def reference_copy(tmp_path, monkeypatch, config):
    """A copy of two recorded talks as if recorded now; no other talk is known."""
    monkeypatch.setattr(registry, "available", lambda: TALKS)
    monkeypatch.setattr(provenance, "git", lambda *words: COMMIT if words[0] == "rev-parse" else "")
    monkeypatch.setattr(inputs, "today", lambda: "2020-08-31")
    copy = tmp_path / "reference"
    for name in TALKS:
        shutil.copytree(COMMITTED / name, copy / name)
        present_inputs = inputs.inputs_of(registry.load_talk(name), config)
        edit_manifest(
            copy,
            name,
            lambda m, present_inputs=present_inputs: m.update(
                inputs={p: d for p, (_, d) in present_inputs.items()}
            ),
        )
        edit_manifest(copy, name, lambda manifest: manifest.pop("experiments", 0))
    for file in COMMITTED.glob("*.csv"):
        shutil.copy(file, copy)
    joint_manifest = json.loads((COMMITTED / "manifest.json").read_text())
    joint_manifest["config"]["talks"] = TALKS
    inputs.write_json(copy / "manifest.json", joint_manifest)
    return copy


@pytest.fixture
def folder(reference_copy, monkeypatch):
    """The same, of which the joint tables stay: they take seconds."""
    monkeypatch.setattr(record, "write_joint", lambda *_: None)
    return reference_copy


def edit_manifest(folder, name, edit):
    path = folder / name / "manifest.json"
    manifest = json.loads(path.read_text())
    edit(manifest)
    inputs.write_json(path, manifest)


def set_old_digests(folder, *input_names, name="goeltz"):
    """Have a talk recorded with other digests of some inputs."""
    edit_manifest(folder, name, lambda m: m["inputs"].update(dict.fromkeys(input_names, "0" * 32)))


def read_files(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# ---- from recorded rows ---------------------------------------------------------------------


def test_collecting_again_from_recorded_rows_changes_no_byte(folder):
    renewal.recollect(folder)
    for name in TALKS:
        for file in reference.TABLES:
            path = tables.lying(COMMITTED / name / file)
            assert (folder / name / path.name).read_bytes() == path.read_bytes(), (name, file)
    recollected = read_files(folder)
    renewal.recollect(folder)
    assert read_files(folder) == recollected


def test_a_change_of_what_is_collected_is_up_to_date_again_and_others_are_not(folder, config):
    set_old_digests(folder, CODE, CHECKED)
    with pytest.raises(
        UserError, match=r"whyspiking.recording recollect \(if only stage collect changed\)"
    ):
        inputs.check(TALKS, config, folder)
    renewal.recollect(folder)
    assert list(inputs.stale("goeltz", config, folder)) == [CODE]


def test_a_table_with_other_columns_is_collected_again(folder, config):
    path = folder / "goeltz" / "verdicts.csv"
    content = path.read_bytes()
    text = pd.read_csv(path).drop(columns="qualification").assign(gone=1)
    text.to_csv(path, index=False, na_rep="nan")
    with pytest.raises(UserError, match="another version"):
        reference.table(path, columns.VERDICTS)
    set_old_digests(folder, "records/columns.py")
    renewal.recollect(folder)
    assert path.read_bytes() == content


def test_a_config_of_ours_is_no_change_of_the_users(folder):
    path = folder / "manifest.json"
    renewal.recollect(folder)  # keys that were removed since the record was made are listed too
    manifest = json.loads(path.read_text())
    changed_before = manifest["config_since"]
    assert "data.words.speakers" not in changed_before
    manifest["config"]["data"]["words"]["speakers"] = 7
    path.write_text(json.dumps(manifest))
    renewal.recollect(folder)
    speakers = inputs.config_of()["data"]["words"]["speakers"]
    changed = json.loads(path.read_text())["config_since"]
    assert changed == {**changed_before, "data.words.speakers": speakers}


# ---- an experiment at a time ----------------------------------------------------------------


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A made-up run of one experiment at scale full, which Snakemake finds finished."""
    calls = []
    monkeypatch.setattr(one_run, "run", lambda *words: calls.append(words))
    monkeypatch.setattr(shipped, "renew", lambda *given: calls.append(given))
    monkeypatch.setattr(machine, "unit", lambda build_folder: 1.25)
    results = make_results(tmp_path / "results" / "full", "full", ["goeltz"])
    monkeypatch.setattr(one_run, "RUN", results)
    metrics = tables.read_metrics([results / "goeltz" / "metrics.csv"])
    experiment_rows = metrics[
        (metrics["experiment"] == "yinyang") & ~metrics["metric"].isin(renewal.contrasts.CROSSED)
    ]
    tables.write_metrics(
        experiment_rows.assign(value=experiment_rows["value"] * 0.5),
        results / "goeltz/yinyang/metrics.csv",
    )
    monkeypatch.setattr(renewal, "_list_files", lambda *_: [results / "goeltz/yinyang/metrics.csv"])
    log_a_training(results)
    return calls


def test_an_experiment_replaces_its_rows_and_says_how_it_was_made(reference_copy, run, config):
    folder = reference_copy
    set_old_digests(folder, CODE, ECHOED)
    set_old_digests(folder, CODE, name="naud")
    old_files = read_files(folder)
    renewal.renew(["goeltz/yinyang"], "--cores 1", folder)
    assert "--cores" in run[0] and run[0][-1].endswith("goeltz/yinyang/metrics.csv")
    assert run[1][1:4] == (folder, "goeltz", ["yinyang"])
    new_files = read_files(folder)
    unchanged_files = {name for name in old_files if new_files[name] == old_files[name]}
    assert {Path("naud") / file for file in ("verdicts.csv", "manifest.json")} <= unchanged_files
    exhibits = Path("goeltz/yinyang/figure_data.npz")
    assert {
        Path("goeltz/verdicts.csv"),
        Path("shared.csv"),
        Path("durations.csv"),
        exhibits,
    }.isdisjoint(unchanged_files)
    assert new_files[exhibits] == (one_run.RUN / exhibits).read_bytes()

    rows = reference.table(folder / "goeltz" / "metrics.csv", columns.METRICS)
    old_rows = reference.table(COMMITTED / "goeltz" / "metrics.csv", columns.METRICS)
    is_yinyang = rows["experiment"] == "yinyang"
    pd.testing.assert_frame_equal(
        rows[~is_yinyang].reset_index(drop=True),
        old_rows[old_rows["experiment"] != "yinyang"].reset_index(drop=True),
    )
    assert is_yinyang.any() and not rows[is_yinyang]["value"].isin(old_rows["value"]).all()

    manifest = reference.manifest(folder / "goeltz")
    entry = manifest["experiments"]["yinyang"]
    assert entry["commit"] == COMMIT and entry["cpu_seconds"] == {"train": 11.0}
    assert entry["machine"]["speed_factor"] == 1.25 and entry["date"] == "2020-08-31"
    # The parameters belong to this experiment alone; other experiments are older than the code.
    assert list(inputs.stale("goeltz", config, folder)) == [CODE]
    durations = reference.table(folder / "durations.csv", columns.DURATIONS)
    cost = tables.where(durations, scale="full", talk="goeltz", experiment="yinyang", rule="train")
    assert cost["cpu_seconds"].tolist() == [11.0] and cost["speed_factor"].tolist() == [1.25]


def test_a_talk_of_which_all_experiments_are_recorded_again_is_up_to_date(folder, config):
    set_old_digests(folder, CODE, ECHOED)
    talk = registry.load_talk("goeltz")
    rows = reference.table(folder / "goeltz" / "metrics.csv", columns.METRICS)
    measured_rows = rows[~rows["metric"].isin(renewal.contrasts.CROSSED)]
    manifest = reference.manifest(folder / "goeltz")
    entry = {**manifest, "cpu_seconds": {}}
    renewal._rewrite_talk(
        talk, config, folder, measured_rows, dict.fromkeys(measured_rows["experiment"], entry)
    )
    inputs.check(["goeltz"], config, folder)


def test_a_talk_without_a_record_is_recorded_as_a_whole(folder, run, config, monkeypatch):
    shutil.rmtree(folder / "goeltz")
    with pytest.raises(
        UserError, match=r"'goeltz' has no reference results yet; .* Run: record goeltz"
    ):
        renewal.renew(["goeltz/yinyang"], "", folder)
    metrics = tables.read_metrics([one_run.RUN / "goeltz" / "metrics.csv"])
    rows = metrics[~metrics["metric"].isin(renewal.contrasts.CROSSED)]
    monkeypatch.setattr(renewal.collect, "stacked", lambda *_: rows)
    renewal.renew(["goeltz"], "", folder)
    inputs.check(["goeltz"], config, folder)
    assert "experiments" not in reference.manifest(folder / "goeltz")
    recorded = reference.table(folder / "goeltz" / "metrics.csv", columns.METRICS)
    assert set(recorded["experiment"]) == set(rows["experiment"])


# ---- only the networks that are missing ---------------------------------------------------------

EXTENDED = "goeltz.yinyang/spiking"


def set_yinyang_seeds(config, seeds):
    other_entries = [entry for entry in config["seeds_of"] if entry["experiment"] != EXTENDED]
    return {**config, "seeds_of": [*other_entries, {"experiment": EXTENDED, "seeds": seeds}]}


def test_a_run_of_missing_networks_leaves_out_recorded_ones(folder, config):
    selection = {"goeltz": ["yinyang"]}
    with pytest.raises(UserError, match="expected one that is missing"):
        renewal.leave_out_recorded(selection, config, folder)
    experiment = registry.load_talk("goeltz").experiments["yinyang"]
    recorded = registry.seeds(experiment, config, "spiking")
    larger_config = set_yinyang_seeds(config, [*recorded, 980, 981])
    run_config = renewal.leave_out_recorded(selection, larger_config, folder)
    missing_seeds = {v: registry.seeds(experiment, run_config, v) for v in experiment.variants}
    assert missing_seeds.pop("spiking") == [980, 981] and not any(missing_seeds.values())
    names = [entry["experiment"] for entry in run_config["seeds_of"]]
    assert len(set(names)) == len(names), "a run refuses a name that stands twice"
    set_old_digests(folder, CODE)
    with pytest.raises(UserError, match=rf"{CODE} of talk 'goeltz' changed .* restate"):
        renewal.leave_out_recorded(selection, larger_config, folder)


def test_an_experiment_without_recorded_networks_can_be_recorded(folder, config):
    path = folder / "goeltz" / "metrics.csv"
    rows = reference.table(path, columns.METRICS)
    record.write_csv(rows[rows["experiment"] != "yinyang"], path.with_name("metrics.csv.gz"))
    manifest = reference.manifest(folder / "goeltz")
    manifest["inputs"] = {
        name: digest
        for name, digest in manifest["inputs"].items()
        if renewal.experiment_of(name) != "yinyang"
    }
    inputs.write_json(folder / "goeltz" / "manifest.json", manifest)
    run_config = renewal.leave_out_recorded({"goeltz": ["yinyang"]}, config, folder)
    experiment = registry.load_talk("goeltz").experiments["yinyang"]
    planned, run = (
        {v: registry.seeds(experiment, c, v) for v in experiment.variants}
        for c in (config, run_config)
    )
    assert run == planned


def test_missing_networks_are_added_to_recorded_ones(folder, config):
    talk = registry.load_talk("goeltz")
    old_rows = reference.table(folder / "goeltz" / "metrics.csv", columns.METRICS)
    recorded = old_rows[old_rows["experiment"] == "yinyang"]
    added_rows = recorded[(recorded["variant"] == "spiking") & (recorded["seed"] == 80)]
    added_rows = added_rows[~added_rows["metric"].isin(renewal.contrasts.CROSSED)].assign(seed=980)
    larger_config = set_yinyang_seeds(config, [*range(80, 140), 980])
    manifest = reference.manifest(folder / "goeltz")
    entries = {"yinyang": {**manifest, "cpu_seconds": {}, "networks": [{"seed": 980}]}}
    renewal._rewrite_talk(talk, larger_config, folder, added_rows, entries, {"yinyang"})
    new_rows = reference.table(folder / "goeltz" / "metrics.csv", columns.METRICS)
    seeds = tables.where(new_rows, experiment="yinyang", variant="spiking")["seed"].astype(int)
    assert set(seeds) == {*range(80, 140), 980}
    entry = reference.manifest(folder / "goeltz")["experiments"]["yinyang"]
    assert [addition["networks"] for addition in entry["added"]] == [[{"seed": 980}]]
    inputs.check(["goeltz"], larger_config, folder)
    verdicts = reference.table(folder / "goeltz" / "verdicts.csv", columns.VERDICTS)
    key = verdicts[verdicts["claim"] == "goeltz.yinyang.accuracy"]
    assert key["n_seeds"].tolist() == [61]


def test_networks_that_are_not_kept_are_described(tmp_path):
    folder = tmp_path / "yinyang" / "spiking" / "seed-7"
    history = [{"epoch": 1, "metric": "accuracy", "value": 0.5}]
    info = {"train_cpu_seconds": 3.0}
    network_files.save_network(Network({"w": np.ones(3)}, info, history), folder)
    (description,) = renewal.describe_networks([folder])
    assert (description["variant"], description["seed"]) == ("spiking", 7)
    assert description["train_cpu_seconds"] == 3.0
    network_files.save_network(Network({"w": np.full(3, 2.0)}, info, history), folder)
    assert renewal.describe_networks([folder])[0]["sha256"] != description["sha256"]
    curves = tmp_path / renewal.LEARNING_CURVES
    for _ in range(2):
        renewal.add_learning_curves([folder], curves)
    assert tables.read(curves, columns.HISTORY)["value"].tolist() == [0.5]


@pytest.mark.parametrize("target", ["gortz", "goeltz/yingyang"])
def test_what_is_not_run_at_scale_full_is_refused(target, folder, run):
    with pytest.raises(UserError, match=f"'{target}' is not run at scale full; expected a talk"):
        renewal.renew([target], "", folder)
    assert not run


def test_uncommitted_changes_are_refused(folder, monkeypatch, capsys):
    monkeypatch.setattr(provenance, "git", lambda *words: " M workflow/Snakefile")
    assert recording.main(["record", "goeltz"]) == 1
    assert "workflow/Snakefile differ from the last commit" in capsys.readouterr().err


# ---- a run at scale paper -------------------------------------------------------------------


def test_a_run_of_another_scale_is_not_kept(tmp_path):
    (tmp_path / "full" / "goeltz").mkdir(parents=True)
    shutil.copy(COMMITTED / "goeltz/verdicts.csv", tmp_path / "full" / "goeltz")
    with pytest.raises(
        UserError, match=r"scale full; expected scale 'paper'. Run: snakemake goeltz"
    ):
        renewal.keep_published_size("goeltz", tmp_path / "full", tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_what_kinds_of_jobs_took_replaces_what_those_of_the_talk_had(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "unit", lambda build_folder: 1.25)
    run, folder = make_results(tmp_path / "paper", "paper", ["goeltz"]), tmp_path / "reference"
    log_a_training(run)
    folder.mkdir()
    shutil.copy(COMMITTED / "durations.csv", folder)
    old_durations = pd.read_csv(folder / "durations.csv", keep_default_na=False)
    renewal.keep_published_size("goeltz", run, folder)
    new_durations = pd.read_csv(folder / "durations.csv", keep_default_na=False)
    paper_rows = (old_durations["scale"] == "paper") & (old_durations["talk"] == "goeltz")
    metadata = (new_durations["scale"] == "paper") & (new_durations["talk"] == "goeltz")
    assert new_durations[metadata][["variant", "cpu_seconds", "speed_factor"]].values.tolist() == [
        ["spiking", 11, 1.25]
    ]
    assert (
        paper_rows.sum() > 1
        and new_durations[~metadata].values.tolist() == old_durations[~paper_rows].values.tolist()
    )
    other_rows = json.loads((folder / "paper" / "goeltz.json").read_text())
    assert other_rows["costs"]["cpu_seconds"] == 11 and other_rows["scale"] == "paper"
