"""Digests restated after a change of code: only if every compared number is equal."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from made.checkouts import ROOT

from whyspiking import talks
from whyspiking.declared import config as configs
from whyspiking.declared import registry
from whyspiking.declared.config_file import Config
from whyspiking.declared.strict_yaml import parsed
from whyspiking.errors import UserError
from whyspiking.records import columns, reference, tables
from whyspiking.running import code_inputs
from whyspiking.stages import provenance
from whyspiking_maintain import __main__ as recording
from whyspiking_maintain import inputs, one_run, record, restate

COMMITTED = ROOT / reference.FOLDER
TALKS = ["goeltz", "naud"]
COMMIT, COMMIT_BEFORE = "1" * 40, "2" * 40
OLD_DIGEST = "0" * 32
CODE, COLLECTED = "contract/randomness.py", "verdicts/rule.py"
UNCOMPARED = "talks/clopath/force/points.py"
SETTING = "talk.yaml: yinyang, train"
NETWORKS = [
    restate.ListedNetwork("goeltz", "yinyang", "mlp", 80, True),
    restate.ListedNetwork("naud", "xor", "spiking", 10, False),
]


@pytest.fixture(scope="module")
def config():
    return inputs.config_of()


@pytest.fixture(scope="module")
def networks():
    return restate.read_networks()


@pytest.fixture
def folder(tmp_path, monkeypatch, config):
    """Copy the reference results of two talks, recorded with another digest of two code files."""
    monkeypatch.setattr(registry, "available", lambda: TALKS)
    monkeypatch.setattr(inputs, "today", lambda: "2020-08-31")
    monkeypatch.setattr(record, "write_joint", lambda *_: None)
    answers = {"rev-parse": COMMIT, "log": COMMIT_BEFORE, "status": ""}
    monkeypatch.setattr(provenance, "git", lambda command, *_: answers[command])
    copy = tmp_path / "reference"
    for name in TALKS:
        shutil.copytree(COMMITTED / name, copy / name)
        digests = inputs.inputs_of(registry.load_talk(name), config)
        present = {input_name: digest for input_name, (_, digest) in digests.items()}
        edit_manifest(copy / name, lambda m, new=present: m.update(inputs=new, experiments={}))
        set_old_digest(copy / name, CODE, COLLECTED)
    for file in COMMITTED.glob("*.csv"):
        shutil.copy(file, copy)
    shutil.copy(COMMITTED / "manifest.json", copy)
    edit_manifest(copy, lambda manifest: manifest.pop("restated", None))
    return copy


@pytest.fixture
def run_numbers(tmp_path, monkeypatch):
    """Return the table that stands for the run: first the recorded numbers themselves."""
    table = read_recorded_numbers()
    monkeypatch.setattr(restate, "FOLDER", tmp_path / "restate")
    monkeypatch.setattr(restate, "read_networks", lambda: NETWORKS)
    monkeypatch.setattr(one_run, "run", lambda *_: None)
    monkeypatch.setattr(restate, "read_measured", lambda networks: table)
    return table


def read_recorded_numbers():
    paths = [COMMITTED / name / "metrics.csv" for name in TALKS]
    return tables.stacked([reference.table(path, columns.METRICS) for path in paths])


def edit_manifest(folder, edit):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    edit(manifest)
    inputs.write_json(path, manifest)


def set_old_digest(folder, *places):
    edit_manifest(folder, lambda m: m["inputs"].update(dict.fromkeys(places, OLD_DIGEST)))


def read_files(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def find_row(table, network, **values):
    """Return the index of the first row of a network with the given values."""
    key_values = dict(zip(restate.NETWORK_KEY, network.key, strict=True))
    return tables.where(table, **key_values, **values).index[0]


def assert_refused(folder, message, **options):
    old_files = read_files(folder)
    with pytest.raises(UserError, match=message):
        restate.restate(folder=folder, **options)
    assert read_files(folder) == old_files, "nothing is written"


# ---- what is compared -----------------------------------------------------------------------


def test_equal_numbers_write_the_digests_and_an_entry(folder, run_numbers, config):
    set_old_digest(folder / "goeltz", UNCOMPARED)
    (line,) = restate.restate(folder=folder)
    numbers = restate.print_numbers(run_numbers, NETWORKS)
    assert line.startswith(f"{len(numbers)} numbers of 2 networks are equal") and len(numbers) > 150
    inputs.check(TALKS, config, folder)
    (entry,) = json.loads((folder / "manifest.json").read_text())["restated"]
    assert (entry["commit_before"], entry["commit"]) == (COMMIT_BEFORE, COMMIT)
    assert entry["date"] == "2020-08-31" and entry["machine"] and "declared" not in entry
    assert entry["not_compared"] == [UNCOMPARED]
    assert list(entry["networks"]) == ["goeltz.yinyang/mlp, seed 80", "naud.xor/spiking, seed 10"]
    assert sum(entry["networks"].values()) == len(numbers)
    assert re.fullmatch("[0-9a-f]{64}", entry["sha256"])
    # The recorded numbers themselves stay as they were.
    for name in TALKS:
        metrics = Path(name) / "metrics.csv.gz"
        assert (folder / metrics).read_bytes() == (COMMITTED / metrics).read_bytes()
    # A second run has nothing to restate.
    restated_files = read_files(folder)
    (line,) = restate.restate(folder=folder)
    assert "nothing was written" in line and read_files(folder) == restated_files


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("column", ["value", "unit", "n_trials"])
def test_a_number_that_differs_is_named_and_refused(folder, run_numbers, network, column):
    row = find_row(
        run_numbers, network, metric="accuracy", perturbation="none", engine=["jax", "compiled"]
    )
    value = run_numbers.loc[row, "value"]
    # The smallest difference that the table prints.
    changes = {"value": float(tables.NUMBER % (value * (1 + 2e-9))), "unit": "1", "n_trials": 7}
    run_numbers.loc[row, column] = changes[column]
    network_name = "{}.{}/{}, seed {}".format(*network.key)
    message = rf"1 of \d+ numbers differ:\n  {re.escape(network_name)}: accuracy \(.*\): reference "
    message += re.escape(f"{tables.NUMBER % value} fraction, trials ") + r"\d+, now .*\n.*written"
    assert_refused(folder, message)


def test_a_number_that_only_one_side_has_is_refused(folder, run_numbers):
    row = find_row(run_numbers, NETWORKS[0], metric="accuracy")
    added = run_numbers.loc[[row]].assign(metric="chance", engine="brian2")
    run_numbers.loc[len(run_numbers)] = added.iloc[0]
    assert_refused(folder, r"1 of .*\n.*: chance \(brian2, .*: reference nothing, now ")
    # Rows of another network are not compared.
    run_numbers.loc[[row, len(run_numbers) - 1], "variant"] = "another"
    assert_refused(folder, r"1 of .*\n.*: accuracy .*, now nothing")


def test_a_network_without_numbers_is_refused(folder, run_numbers, monkeypatch):
    unknown = restate.ListedNetwork("goeltz", "yinyang", "mlp", 99, True)
    monkeypatch.setattr(restate, "read_networks", lambda: [*NETWORKS, unknown])
    assert_refused(folder, "have no numbers of goeltz.yinyang/mlp, seed 99; expected numbers")
    # The run alone having numbers is not enough.
    network_rows = tables.where(
        run_numbers, talk="goeltz", experiment="yinyang", variant="mlp", seed=80
    )
    for row in network_rows.assign(seed=99).to_dict("records"):
        run_numbers.loc[len(run_numbers)] = row
    assert_refused(folder, "have no numbers of goeltz.yinyang/mlp, seed 99; expected numbers")


def test_durations_contrasts_and_simulations_of_networks_only_trained_are_not_compared(run_numbers):
    keys = restate.print_numbers(run_numbers, NETWORKS).index.to_frame()
    assert not keys["metric"].str.contains("seconds").any()
    assert not keys["metric"].isin(restate.contrasts.CROSSED).any()
    assert set(keys.loc[keys["talk"] == "naud", "engine"]) == {"compiled"}
    simulated = restate.ListedNetwork("naud", "xor", "spiking", 10, True)
    engines = restate.print_numbers(run_numbers, [simulated]).index.get_level_values("engine")
    assert set(engines) == {"compiled", "brian2"}
    assert len(keys) < len(run_numbers)


# ---- what is refused before a run -----------------------------------------------------------


def test_uncommitted_changes_are_refused(folder, run_numbers, monkeypatch, capsys):
    monkeypatch.setattr(provenance, "git", lambda *words: " M workflow/Snakefile")
    monkeypatch.setattr(one_run, "run", lambda *_: pytest.fail("nothing is run"))
    assert recording.main(["restate"]) == 1
    assert "workflow/Snakefile differ from the last commit" in capsys.readouterr().err


def test_another_commit_during_the_run_is_refused(folder, run_numbers, monkeypatch):
    commits = iter([COMMIT, COMMIT_BEFORE])
    monkeypatch.setattr(
        provenance, "git", lambda word, *_: next(commits) if word == "rev-parse" else ""
    )
    assert_refused(folder, "another commit was checked out during the run")


def test_changed_settings_are_refused_without_a_reason_and_recorded_with_one(
    folder, run_numbers, config, monkeypatch
):
    set_old_digest(folder / "goeltz", SETTING)
    with monkeypatch.context() as patched:
        patched.setattr(one_run, "run", lambda *_: pytest.fail("nothing is run"))
        assert_refused(folder, f"settings changed: goeltz: {SETTING}; expected changes of code")
    restate.restate("a parameter was renamed", folder=folder)
    inputs.check(TALKS, config, folder)
    (entry,) = json.loads((folder / "manifest.json").read_text())["restated"]
    assert entry["declared"] == {
        "why": "a parameter was renamed",
        "inputs": [f"goeltz: {SETTING}"],
    }


def test_an_experiment_without_reference_results_is_refused(folder, run_numbers):
    def drop_inputs(manifest):
        input_names = [
            name for name in manifest["inputs"] if name.startswith("talk.yaml: yinyang,")
        ]
        for name in input_names:
            del manifest["inputs"][name]

    edit_manifest(folder / "goeltz", drop_inputs)
    assert_refused(folder, "recording record goeltz/yinyang", declared_reason="it is new")


# ---- what manifests say ---------------------------------------------------------------------


def test_a_run_of_other_code_is_deleted_and_one_of_this_code_goes_on(
    tmp_path, monkeypatch, config, networks
):
    calls = []
    monkeypatch.setattr(restate, "FOLDER", tmp_path / "restate")
    monkeypatch.setattr(one_run, "run", lambda *words: calls.append(words))
    digests = {"goeltz": "a"}
    monkeypatch.setattr(one_run, "digests", lambda config: digests)
    restate.run_networks(networks, config, ["--cores", "1"])
    old_table = restate.FOLDER / "goeltz" / "old.csv"
    old_table.parent.mkdir(parents=True)
    old_table.touch()
    restate.run_networks(networks, config, [])
    assert old_table.exists()
    digests["goeltz"] = "b"
    restate.run_networks(networks, config, [])
    assert not old_table.exists()
    targets = calls[0][calls[0].index("--") + 1 :]
    assert "results_folder=restate" in calls[0]
    assert str(restate.FOLDER / "goeltz/yinyang/spiking/seed-80/network.json") in targets
    assert str(restate.FOLDER / "goeltz/yinyang/metrics.csv") in targets
    assert str(restate.FOLDER / "scherr/evidence/metrics.csv") not in targets, "it is only trained"


def test_numbers_of_the_run_are_read_with_the_digits_of_the_table(tmp_path, monkeypatch):
    monkeypatch.setattr(restate, "FOLDER", tmp_path)
    recorded = read_recorded_numbers()
    row = recorded.iloc[[0]].assign(value=1 / 3)
    calls = []
    monkeypatch.setattr(
        restate.collect, "stacked", lambda talk, metrics, facts, scale: calls.append(facts) or row
    )
    table = restate.read_measured(NETWORKS)
    assert set(table["value"]) == {0.3333333333} and len(table) == 2
    assert calls == [
        [tmp_path / "goeltz/yinyang/mlp/seed-80/network.json"],
        [tmp_path / "naud/xor/spiking/seed-10/network.json"],
    ]


# ---- the table of networks ------------------------------------------------------------------


def test_listed_networks_are_of_scale_full_and_need_no_files_of_the_authors(config, networks):
    assert len({network.key for network in networks}) == len(networks)
    for network in networks:
        experiment = registry.load_talk(network.talk).experiments[network.experiment]
        assert network.seed in registry.seeds(experiment, config, network.variant), network
        assert not experiment.data.originals, network


def test_every_engine_is_compared_and_every_talk_that_simulates_is_simulated(networks):
    recorded = restate.read_recorded(networks, COMMITTED)
    keys = restate.print_numbers(recorded, networks).index.to_frame(index=False)
    assert set(keys["engine"]) == set(tables.ENGINES)
    simulated = keys[keys["engine"] == restate.SIMULATOR]
    assert set(simulated["talk"]) == set(registry.available())
    compared_networks = pd.MultiIndex.from_frame(keys[restate.NETWORK_KEY]).unique()
    assert len(compared_networks) == len(networks), (
        "the reference results have numbers of every network"
    )


def test_code_that_no_listed_network_imports_is_left_out_with_a_reason(config, networks):
    entries = restate.read_table()["left_out"]
    left_out = [file for entry in entries for file in entry["files"]]
    assert len(set(left_out)) == len(left_out) and all(len(entry["why"]) > 20 for entry in entries)
    assert all((code_inputs.PACKAGE / file).is_file() for file in left_out)
    modules = [talks.module_of(network.talk, network.experiment) for network in networks]
    roots = {Path(str(module.__file__)) for module in modules}
    roots |= {
        file
        for root in roots
        for stem in ("measures", "exhibits")
        for name in (f"{stem}.py", f"{stem}_{root.name}")
        if (file := root.with_name(name)).is_file()
    }
    imported = {
        code_inputs._name_in_package(path)
        for path in code_inputs._follow_imports(roots, "simulate")
    }
    for name in registry.available():
        talk_inputs = inputs.inputs_of(registry.load_talk(name), config)
        talk_code = {
            p for p in talk_inputs if p.startswith(f"talks/{name}/") and p.endswith(restate.CODE)
        }
        uncovered = {p for p in talk_code - imported - {*left_out} if not p.endswith("__init__.py")}
        assert not uncovered, "no listed network runs it, and restate.yaml does not leave it out"


def test_every_compiled_kernel_is_covered_or_left_out():
    content = restate.read_table()
    covered = " ".join(entry["covers"] for entry in content["networks"])
    left_out = {file for entry in content["left_out"] for file in entry["files"]}
    for path in code_inputs.PACKAGE.rglob("*.cpp"):
        relative_path = path.relative_to(code_inputs.PACKAGE).as_posix()
        assert (path.name in covered) != (relative_path in left_out), relative_path


def test_listed_networks_are_what_the_run_trains(config, networks):
    restricted = {**config, "seeds_of": restate.restrict_seeds(networks)}
    parsed(Config, restricted, "config")
    configs._check_seeds_of(restricted, {n: registry.load_talk(n) for n in registry.available()})
    trained = {
        (talk.name, experiment.name, variant, seed)
        for talk in map(registry.load_talk, registry.available())
        for experiment in talk.experiments.values()
        for variant in experiment.variants
        for seed in registry.seeds(experiment, restricted, variant)
    }
    assert trained == {network.key for network in networks}
