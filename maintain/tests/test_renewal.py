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
def whole(tmp_path, monkeypatch, config):
    """A copy of two recorded talks as if recorded now; no other talk is known."""
    monkeypatch.setattr(registry, "available", lambda: TALKS)
    monkeypatch.setattr(provenance, "git", lambda *words: COMMIT if words[0] == "rev-parse" else "")
    monkeypatch.setattr(inputs, "today", lambda: "2020-08-31")
    copy = tmp_path / "reference"
    for name in TALKS:
        shutil.copytree(COMMITTED / name, copy / name)
        now = inputs.inputs_of(registry.load_talk(name), config)
        change(copy, name, lambda m, now=now: m.update(inputs={p: d for p, (_, d) in now.items()}))
        change(copy, name, lambda manifest: manifest.pop("experiments", 0))
    for file in COMMITTED.glob("*.csv"):
        shutil.copy(file, copy)
    whole = json.loads((COMMITTED / "manifest.json").read_text())
    whole["config"]["talks"] = TALKS
    inputs.write_json(copy / "manifest.json", whole)
    return copy


@pytest.fixture
def folder(whole, monkeypatch):
    """The same, of which the joint tables stay: they take seconds."""
    monkeypatch.setattr(record, "write_joint", lambda *_: None)
    return whole


def change(folder, name, edit):
    path = folder / name / "manifest.json"
    manifest = json.loads(path.read_text())
    edit(manifest)
    inputs.write_json(path, manifest)


def older(folder, *places, name="goeltz"):
    """Have a talk recorded with other digests of some places."""
    change(folder, name, lambda m: m["inputs"].update(dict.fromkeys(places, "0" * 32)))


def files(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# ---- from recorded rows ---------------------------------------------------------------------


def test_collecting_again_from_recorded_rows_changes_no_byte(folder):
    renewal.recollect(folder)
    for name in TALKS:
        for file in reference.TABLES:
            path = tables.lying(COMMITTED / name / file)
            assert (folder / name / path.name).read_bytes() == path.read_bytes(), (name, file)
    before = files(folder)
    renewal.recollect(folder)
    assert files(folder) == before


def test_a_change_of_what_is_collected_is_up_to_date_again_and_others_are_not(folder, config):
    older(folder, CODE, CHECKED)
    with pytest.raises(
        UserError, match=r"whyspiking.recording recollect \(if only stage collect changed\)"
    ):
        inputs.check(TALKS, config, folder)
    renewal.recollect(folder)
    assert list(inputs.stale("goeltz", config, folder)) == [CODE]


def test_a_table_with_other_columns_is_collected_again(folder, config):
    path = folder / "goeltz" / "verdicts.csv"
    kept = path.read_bytes()
    text = pd.read_csv(path).drop(columns="qualification").assign(gone=1)
    text.to_csv(path, index=False, na_rep="nan")
    with pytest.raises(UserError, match="another version"):
        reference.table(path, columns.VERDICTS)
    older(folder, "records/columns.py")
    renewal.recollect(folder)
    assert path.read_bytes() == kept


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
    asked = []
    monkeypatch.setattr(one_run, "run", lambda *words: asked.append(words))
    monkeypatch.setattr(shipped, "renew", lambda *given: asked.append(given))
    monkeypatch.setattr(machine, "unit", lambda build_folder: 1.25)
    results = make_results(tmp_path / "results" / "full", "full", ["goeltz"])
    monkeypatch.setattr(one_run, "RUN", results)
    metrics = tables.read_metrics([results / "goeltz" / "metrics.csv"])
    own = metrics[
        (metrics["experiment"] == "yinyang") & ~metrics["metric"].isin(renewal.contrasts.CROSSED)
    ]
    tables.write_metrics(
        own.assign(value=own["value"] * 0.5), results / "goeltz/yinyang/metrics.csv"
    )
    monkeypatch.setattr(renewal, "_list_files", lambda *_: [results / "goeltz/yinyang/metrics.csv"])
    log_a_training(results)
    return asked


def test_an_experiment_replaces_its_rows_and_says_how_it_was_made(whole, run, config):
    folder = whole
    older(folder, CODE, ECHOED)
    older(folder, CODE, name="naud")
    before = files(folder)
    renewal.renew(["goeltz/yinyang"], "--cores 1", folder)
    assert "--cores" in run[0] and run[0][-1].endswith("goeltz/yinyang/metrics.csv")
    assert run[1][1:4] == (folder, "goeltz", ["yinyang"])
    after = files(folder)
    same = {name for name in before if after[name] == before[name]}
    assert {Path("naud") / file for file in ("verdicts.csv", "manifest.json")} <= same
    drawn = Path("goeltz/yinyang/figure_data.npz")
    assert {
        Path("goeltz/verdicts.csv"),
        Path("shared.csv"),
        Path("durations.csv"),
        drawn,
    }.isdisjoint(same)
    assert after[drawn] == (one_run.RUN / drawn).read_bytes()

    rows = reference.table(folder / "goeltz" / "metrics.csv", columns.METRICS)
    old = reference.table(COMMITTED / "goeltz" / "metrics.csv", columns.METRICS)
    mine = rows["experiment"] == "yinyang"
    pd.testing.assert_frame_equal(
        rows[~mine].reset_index(drop=True),
        old[old["experiment"] != "yinyang"].reset_index(drop=True),
    )
    assert mine.any() and not rows[mine]["value"].isin(old["value"]).all()

    manifest = reference.manifest(folder / "goeltz")
    made = manifest["experiments"]["yinyang"]
    assert made["commit"] == COMMIT and made["cpu_seconds"] == {"train": 11.0}
    assert made["machine"]["speed_factor"] == 1.25 and made["date"] == "2020-08-31"
    # The parameters belong to this experiment alone; other experiments are older than the code.
    assert list(inputs.stale("goeltz", config, folder)) == [CODE]
    timed = reference.table(folder / "durations.csv", columns.DURATIONS)
    cost = tables.where(timed, scale="full", talk="goeltz", experiment="yinyang", rule="train")
    assert cost["cpu_seconds"].tolist() == [11.0] and cost["speed_factor"].tolist() == [1.25]


def test_a_talk_of_which_all_experiments_are_recorded_again_is_up_to_date(folder, config):
    older(folder, CODE, ECHOED)
    talk = registry.load_talk("goeltz")
    rows = reference.table(folder / "goeltz" / "metrics.csv", columns.METRICS)
    own = rows[~rows["metric"].isin(renewal.contrasts.CROSSED)]
    manifest = reference.manifest(folder / "goeltz")
    made = {**manifest, "cpu_seconds": {}}
    renewal._rewrite_talk(talk, config, folder, own, dict.fromkeys(own["experiment"], made))
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


def seeds_of_yinyang(config, seeds):
    others = [entry for entry in config["seeds_of"] if entry["experiment"] != EXTENDED]
    return {**config, "seeds_of": [*others, {"experiment": EXTENDED, "seeds": seeds}]}


def test_a_run_of_missing_networks_leaves_out_recorded_ones(folder, config):
    chosen = {"goeltz": ["yinyang"]}
    with pytest.raises(UserError, match="expected one that is missing"):
        renewal.leave_out_recorded(chosen, config, folder)
    experiment = registry.load_talk("goeltz").experiments["yinyang"]
    recorded = registry.seeds(experiment, config, "spiking")
    more = seeds_of_yinyang(config, [*recorded, 980, 981])
    run_config = renewal.leave_out_recorded(chosen, more, folder)
    missing = {v: registry.seeds(experiment, run_config, v) for v in experiment.variants}
    assert missing.pop("spiking") == [980, 981] and not any(missing.values())
    named = [entry["experiment"] for entry in run_config["seeds_of"]]
    assert len(set(named)) == len(named), "a run refuses a name that stands twice"
    older(folder, CODE)
    with pytest.raises(UserError, match=rf"{CODE} of talk 'goeltz' changed .* restate"):
        renewal.leave_out_recorded(chosen, more, folder)


def test_an_experiment_without_recorded_networks_can_be_recorded(folder, config):
    path = folder / "goeltz" / "metrics.csv"
    rows = reference.table(path, columns.METRICS)
    record.write_csv(rows[rows["experiment"] != "yinyang"], path.with_name("metrics.csv.gz"))
    manifest = reference.manifest(folder / "goeltz")
    manifest["inputs"] = {
        place: digest
        for place, digest in manifest["inputs"].items()
        if renewal.experiment_of(place) != "yinyang"
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
    before = reference.table(folder / "goeltz" / "metrics.csv", columns.METRICS)
    recorded = before[before["experiment"] == "yinyang"]
    added = recorded[(recorded["variant"] == "spiking") & (recorded["seed"] == 80)]
    added = added[~added["metric"].isin(renewal.contrasts.CROSSED)].assign(seed=980)
    more = seeds_of_yinyang(config, [*range(80, 140), 980])
    manifest = reference.manifest(folder / "goeltz")
    made = {"yinyang": {**manifest, "cpu_seconds": {}, "networks": [{"seed": 980}]}}
    renewal._rewrite_talk(talk, more, folder, added, made, {"yinyang"})
    after = reference.table(folder / "goeltz" / "metrics.csv", columns.METRICS)
    seeds = tables.where(after, experiment="yinyang", variant="spiking")["seed"].astype(int)
    assert set(seeds) == {*range(80, 140), 980}
    entry = reference.manifest(folder / "goeltz")["experiments"]["yinyang"]
    assert [part["networks"] for part in entry["added"]] == [[{"seed": 980}]]
    inputs.check(["goeltz"], more, folder)
    verdicts = reference.table(folder / "goeltz" / "verdicts.csv", columns.VERDICTS)
    key = verdicts[verdicts["claim"] == "goeltz.yinyang.accuracy"]
    assert key["n_seeds"].tolist() == [61]


def test_networks_that_are_not_kept_are_described(tmp_path):
    folder = tmp_path / "yinyang" / "spiking" / "seed-7"
    history = [{"epoch": 1, "metric": "accuracy", "value": 0.5}]
    info = {"train_cpu_seconds": 3.0}
    network_files.save_network(Network({"w": np.ones(3)}, info, history), folder)
    (described,) = renewal.describe_networks([folder])
    assert (described["variant"], described["seed"]) == ("spiking", 7)
    assert described["train_cpu_seconds"] == 3.0
    network_files.save_network(Network({"w": np.full(3, 2.0)}, info, history), folder)
    assert renewal.describe_networks([folder])[0]["sha256"] != described["sha256"]
    curves = tmp_path / renewal.LEARNING_CURVES
    for _ in range(2):
        renewal.add_learning_curves([folder], curves)
    assert tables.read(curves, columns.HISTORY)["value"].tolist() == [0.5]


@pytest.mark.parametrize("part", ["gortz", "goeltz/yingyang"])
def test_what_is_not_run_at_scale_full_is_refused(part, folder, run):
    with pytest.raises(UserError, match=f"'{part}' is not run at scale full; expected a talk"):
        renewal.renew([part], "", folder)
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
    before = pd.read_csv(folder / "durations.csv", keep_default_na=False)
    renewal.keep_published_size("goeltz", run, folder)
    after = pd.read_csv(folder / "durations.csv", keep_default_na=False)
    own = (before["scale"] == "paper") & (before["talk"] == "goeltz")
    told = (after["scale"] == "paper") & (after["talk"] == "goeltz")
    assert after[told][["variant", "cpu_seconds", "speed_factor"]].values.tolist() == [
        ["spiking", 11, 1.25]
    ]
    assert own.sum() > 1 and after[~told].values.tolist() == before[~own].values.tolist()
    kept = json.loads((folder / "paper" / "goeltz.json").read_text())
    assert kept["costs"]["cpu_seconds"] == 11 and kept["scale"] == "paper"
