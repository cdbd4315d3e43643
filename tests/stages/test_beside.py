"""Networks of the record, simulated again: what is told of them, and that nothing is trained."""

import pytest
from made import measured
from made.checkouts import copy_workflow, finish

from whyspiking.contract import network_files
from whyspiking.contract.types import Network
from whyspiking.declared import key_claims, registry
from whyspiking.records import reference, tables
from whyspiking.records.columns import CHANGED
from whyspiking.stages.beside import beside


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def keep(**seeds):
    for name, seed in seeds.items():
        where = key_claims.of(registry.load_talk(name)).rows
        place = f"{name}/{where['experiment']}/{where['variant']}/seed-{seed}"
        network_files.save_network(Network({}), key_claims.FOLDER / place)


def tell(folder, **numbers):
    """Words of `beside` by talk, and its table, of what is recorded and what is measured."""
    for name, pair in numbers.items():
        paths = (reference.FOLDER / name / "metrics.csv", folder / f"{name}.csv")
        for path, values in zip(paths, pair, strict=True):
            tables.write_metrics(measured.row(values, talk=name), path)
    files = [folder / f"{name}.csv" for name in numbers]
    beside(numbers, files, folder / "numbers.csv", folder / "said.txt")
    said = [line.split() for line in (folder / "said.txt").read_text().splitlines()]
    return {words[0]: words[1:] for words in said}, tables.read(folder / "numbers.csv", CHANGED)


def test_each_number_stands_beside_the_recorded_one(tmp_path):
    keep(goeltz=3, scherr=3, bohte=3)
    said, numbers = tell(
        tmp_path,
        goeltz=({"accuracy": 0.956, "rate": 2.0}, {"accuracy": 0.956, "rate": 2.5}),
        scherr=({"accuracy": 0.9}, {"accuracy": 0.8}),
        bohte=({}, {}),
        naud=({}, {}),
    )
    place = ["yinyang/spiking,", "seed-3"]
    assert said["goeltz"] == [*place, "accuracy", "0.956", "0.956", "1", "of", "2"]
    # The iterations that its claim is about are of training.
    assert said["scherr"][2:] == ["accuracy", "0.9", "0.8", "0", "of", "1"]
    assert numbers["difference"].round(6).tolist() == [0.0, 0.5, -0.1]
    # What is not simulated says why.
    assert "data.originals_dir" in said["bohte"]
    assert " ".join(said["naud"][1:]).startswith(
        "not simulated; results/reference contains no network"
    )


def test_the_target_trains_nothing_and_leaves_out_what_cannot_be_had(tmp_path):
    copy_workflow(tmp_path, "results/reference")
    keep(goeltz=80, bohte=20)
    said = finish(tmp_path, "-n", "from_reference", "--configfile", "config/full.yaml")
    assert ": resimulate" in said and "train" not in said
    assert "bohte" not in said and "goeltz yinyang spiking seed 80: resimulate" in said


def test_a_run_may_write_another_results_folder(tmp_path):
    copy_workflow(tmp_path, "results/reference")
    table = "results/again/goeltz/verdicts.csv"
    said = finish(tmp_path, "-n", table, "--config", "results_folder=again")
    assert "goeltz" in said and "train" in said
    assert not (tmp_path / table).exists()
