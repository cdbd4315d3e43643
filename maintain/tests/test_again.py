"""A run with other floating-point rounding, compared with the reference results."""

import json
import shutil

import pytest
from made.checkouts import ROOT

from whyspiking.errors import UserError
from whyspiking.records import columns, reference, tables, whole_files
from whyspiking.verdicts import repetition
from whyspiking_maintain import again

RECORD = ROOT / reference.FOLDER
CLAIM = "naud.mnist_deep.above_linear"


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A run of two experiments, equal to the reference results; these, with two talks."""
    monkeypatch.chdir(ROOT)
    run, kept = tmp_path / "again", tmp_path / "reference"
    for talk in ("naud", "ground"):
        shutil.copytree(RECORD / talk, kept / talk)
        (run / talk).mkdir(parents=True)
        shutil.copy(RECORD / talk / "verdicts.csv", run / talk)
        metrics = reference.table(RECORD / talk / "metrics.csv", columns.METRICS)
        own = metrics[metrics["experiment"].isin(("mnist_deep", "yinyang_trained"))]
        tables.write_metrics(own, run / talk / "metrics.csv")
    advantage = tables.read(RECORD / "advantage.csv", columns.ADVANTAGE)
    tables.write_csv(advantage, kept / "advantage.csv")
    tables.write_csv(advantage[advantage["task"] == "volley_recall"], run / "advantage.csv")
    manifest = {"scale": "full", "commit": "1", "machine": {}, "arithmetic": {"vectors": "native"}}
    whole_files.write(run / "manifest.json", json.dumps(manifest))
    return run, kept


def change(path, schema, is_changed, **values):
    table = tables.read(path, schema)
    table.loc[is_changed(table), list(values)] = list(values.values())
    tables.write_csv(table, path)


def test_equal_numbers_touch_no_claim(folders):
    run, kept = folders
    found = again.summarise_run(run, kept)
    assert found == json.loads((kept / repetition.FILE).read_text(encoding="utf-8"))
    assert found["experiments"] == ["ground.yinyang_trained", "naud.mnist_deep"]
    assert found["numbers"]["n_equal"] > 50 and found["numbers"]["n_different"] == 0
    assert found["networks"]["different"] == 0 and found["differing"] == []
    assert found["verdicts"]["claims"] > 1 and found["verdicts"]["touched"] == 0
    assert found["verdicts"]["changed"] == []
    assert len(found["energies"]["compared"]) > 1 and found["energies"]["changed"] == []
    summary = repetition.summarise_repetition(found)
    assert (summary["n_experiments"], summary["n_changed"], summary["vectors"]) == (2, 0, "native")
    assert summary["n_energy"] <= len(found["energies"]["compared"])


def test_changed_numbers_verdicts_and_energies_are_listed(folders):
    run, kept = folders
    before = again.summarise_run(run, kept)["verdicts"]

    def is_changed(table):
        is_network = (table["variant"] == "linear") & (table["seed"] == 0)
        return is_network & (table["metric"] == "accuracy")

    change(run / "naud" / "metrics.csv", columns.METRICS, is_changed, value=0.5)
    is_claim = lambda table: table["claim"] == CLAIM  # noqa: E731
    change(run / "naud" / "verdicts.csv", columns.VERDICTS, is_claim, verdict="fails")

    def is_leaky_units(table):
        return (table["subject"] == "spikes") & (table["compared_with"] == "leaky_units")

    change(run / "advantage.csv", columns.ADVANTAGE, is_leaky_units, verdict_all_cost_models="less")
    found = again.summarise_run(run, kept)
    (line,) = found["differing"]
    assert line.startswith("naud.mnist_deep/linear seed 0: accuracy (")
    verdicts = found["verdicts"]
    assert verdicts["changed"] == [f"{CLAIM}: unconfirmed, again fails"]
    assert 0 < verdicts["touched"] <= verdicts["claims"] == before["claims"]
    (line,) = found["energies"]["changed"]
    assert line == "Volley recall, compared with non-spiking leaky units: more, again less"
    assert "1 verdict changed" in found["summary"]


def test_a_run_with_other_sizes_is_refused(folders):
    run, kept = folders
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    whole_files.write(run / "manifest.json", json.dumps({**manifest, "scale": "smoke"}))
    with pytest.raises(UserError, match="expected a finished full run"):
        again.summarise_run(run, kept)
    assert not (kept / repetition.FILE).exists()


def test_documents_say_how_many_verdicts_and_networks_other_rounding_changes():
    found = json.loads((RECORD / repetition.FILE).read_text(encoding="utf-8"))
    (later,), verdicts = found["since"], found["verdicts"]
    summary = repetition.summarise_repetition(found)
    n_changed, n_energy = summary["n_energy_changed"], summary["n_energy"]
    both = [run["networks"] for run in (found, later)]
    first, second = (f"{x['identical']} of {x['identical'] + len(x['different'])}" for x in both)
    touched = verdicts["touched"] + later["verdicts"]["touched"]
    assert "ground.span_recall/" not in " ".join(found["differing"]), "no claim is counted twice"
    assert (summary["n_touched"], summary["n_energy"]) == (touched, 13)
    (turned,) = verdicts["changed"]
    assert turned.startswith("ground.span_recall.floors: ")
    for file, told in (
        (
            "README.md",
            f"(one for each task and competitor), {n_changed} changed",
        ),
        ("docs/shared-tasks.md", f"Three of {n_energy} energy verdicts changed. Nine further"),
        (
            "docs/verdicts.md",
            f"The numbers of {touched} claims and one verdict changed",
        ),
        ("docs/running.md", f"{first} networks, and in a later part {second} networks"),
    ):
        assert told in " ".join((ROOT / file).read_text(encoding="utf-8").split())
