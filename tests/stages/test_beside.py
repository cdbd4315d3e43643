"""Networks of the record, simulated again: what is told of them, and that nothing is trained."""

import shutil

import pandas as pd
import pytest
from made import measured
from made.checkouts import ROOT, copy_workflow, finish

from whyspiking.contract import network_files
from whyspiking.contract.types import Network
from whyspiking.declared import key_claims, registry
from whyspiking.records import reference, tables
from whyspiking.records.columns import CHANGED
from whyspiking.stages.beside import beside


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Has `beside` tell of networks of two talks; gives lines by talk, and the table."""

    def tell(**values):
        monkeypatch.chdir(tmp_path)
        for name, own in values.items():
            claim = key_claims.of(registry.load_talk(name))
            place = {"talk": name, "experiment": claim.where["experiment"], "seed": 3}
            there = measured.table(measured.row({"score": 0.5, **own[0]}, **place))
            tables.write_metrics(there, reference.FOLDER / name / "metrics.csv")
            here = measured.table(measured.row({"score": 0.5, **own[1]}, **place) if own[1] else [])
            tables.write_metrics(here, tmp_path / f"{name}.csv")
            (reference.FOLDER / name / "manifest.json").write_text('{"format": 1}')
        files = [tmp_path / f"{name}.csv" for name in values]
        beside(values, files, tmp_path / "numbers.csv", tmp_path / "said.txt")
        lines = (tmp_path / "said.txt").read_text().splitlines()
        return {line.split()[0]: line for line in lines}, tables.read(
            tmp_path / "numbers.csv", CHANGED
        )

    return tell


def keep(name, seed=3):
    claim = key_claims.of(registry.load_talk(name))
    place = f"{name}/{claim.where['experiment']}/{claim.where['variant']}/seed-{seed}"
    network_files.save_network(Network({}), key_claims.FOLDER / place)


def test_each_number_stands_beside_the_recorded_one(told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keep("goeltz")
    keep("scherr")
    lines, numbers = told(
        goeltz=({"accuracy": 0.956, "rate": 2.0}, {"accuracy": 0.956, "rate": 2.5}),
        scherr=({"accuracy": 0.9}, {"accuracy": 0.8}),
    )
    assert lines["goeltz"].split()[1:] == (
        ["yinyang/spiking,", "seed-3", "accuracy", "0.956", "0.956", "2", "of", "3"]
    )
    # The iterations that its claim is about are of training.
    assert lines["scherr"].split()[3:] == ["accuracy", "0.9", "0.8", "1", "of", "2"]
    row = tables.where(numbers, metric="rate").iloc[0]
    assert (row["recorded"], row["here"], row["difference"]) == (2.0, 2.5, 0.5)
    assert len(numbers) == 5


def test_what_is_not_simulated_says_why(told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keep("bohte")
    lines, numbers = told(bohte=({}, {}), naud=({}, {}))
    assert "data.originals_dir" in lines["bohte"]
    assert "naud.xor_published.sides: not simulated; no network of it" in lines["naud"]
    assert numbers.empty and isinstance(numbers, pd.DataFrame)


def test_the_target_trains_nothing_and_leaves_out_what_cannot_be_had(tmp_path, monkeypatch):
    checkout = copy_workflow(tmp_path)
    shutil.copytree(ROOT / reference.FOLDER, checkout / reference.FOLDER)
    shutil.rmtree(checkout / key_claims.FOLDER, ignore_errors=True)
    monkeypatch.chdir(checkout)
    keep("goeltz", 20)
    keep("bohte", 10)
    said = finish(checkout, "-n", "from_reference", "--configfile", "config/full.yaml")
    assert "2 jobs to do: resimulate 1, from_reference 1" in said
    assert "goeltz yinyang spiking seed 20: resimulate" in said
