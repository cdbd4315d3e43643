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
    run, reference_folder = tmp_path / "again", tmp_path / "reference"
    for talk in ("naud", "ground"):
        shutil.copytree(RECORD / talk, reference_folder / talk)
        (run / talk).mkdir(parents=True)
        shutil.copy(RECORD / talk / "verdicts.csv", run / talk)
        metrics = reference.table(RECORD / talk / "metrics.csv", columns.METRICS)
        run_rows = metrics[metrics["experiment"].isin(("mnist_deep", "yinyang_trained"))]
        tables.write_metrics(run_rows, run / talk / "metrics.csv")
    advantage = tables.read(RECORD / "advantage.csv", columns.ADVANTAGE)
    tables.write_csv(advantage, reference_folder / "advantage.csv")
    tables.write_csv(advantage[advantage["task"] == "volley_recall"], run / "advantage.csv")
    manifest = {"scale": "full", "commit": "1", "machine": {}, "arithmetic": {"vectors": "native"}}
    whole_files.write(run / "manifest.json", json.dumps(manifest))
    return run, reference_folder


def change(path, schema, is_changed, **values):
    table = tables.read(path, schema)
    table.loc[is_changed(table), list(values)] = list(values.values())
    tables.write_csv(table, path)


def test_equal_numbers_touch_no_claim(folders):
    run, reference_folder = folders
    summary = again.summarise_run(run, reference_folder)
    assert summary == json.loads((reference_folder / repetition.FILE).read_text(encoding="utf-8"))
    assert summary["experiments"] == ["ground.yinyang_trained", "naud.mnist_deep"]
    assert summary["numbers"]["n_equal"] > 50 and summary["numbers"]["n_different"] == 0
    assert summary["networks"]["different"] == 0 and summary["differing"] == []
    assert summary["verdicts"]["claims"] > 1 and summary["verdicts"]["touched"] == 0
    assert summary["verdicts"]["changed"] == []
    assert len(summary["energies"]["compared"]) > 1 and summary["energies"]["changed"] == []
    counts = repetition.summarise_repetition(summary)
    assert (counts["n_experiments"], counts["n_changed"], counts["vectors"]) == (2, 0, "native")
    assert counts["n_energy"] <= len(summary["energies"]["compared"])


def test_changed_numbers_verdicts_and_energies_are_listed(folders):
    run, reference_folder = folders
    equal_verdicts = again.summarise_run(run, reference_folder)["verdicts"]

    def is_changed(table):
        is_network = (table["variant"] == "linear") & (table["seed"] == 0)
        return is_network & (table["metric"] == "accuracy")

    change(run / "naud" / "metrics.csv", columns.METRICS, is_changed, value=0.5)
    is_claim = lambda table: table["claim"] == CLAIM  # noqa: E731
    change(run / "naud" / "verdicts.csv", columns.VERDICTS, is_claim, verdict="fails")

    def is_leaky_units(table):
        return (table["subject"] == "spikes") & (table["compared_with"] == "leaky_units")

    change(run / "advantage.csv", columns.ADVANTAGE, is_leaky_units, verdict_all_cost_models="less")
    summary = again.summarise_run(run, reference_folder)
    (line,) = summary["differing"]
    assert line.startswith("naud.mnist_deep/linear seed 0: accuracy (")
    verdicts = summary["verdicts"]
    assert verdicts["changed"] == [f"{CLAIM}: unconfirmed, again fails"]
    assert 0 < verdicts["touched"] <= verdicts["claims"] == equal_verdicts["claims"]
    (line,) = summary["energies"]["changed"]
    assert line == "Volley recall, compared with non-spiking leaky units: more, again less"
    assert "1 verdict changed" in summary["summary"]


def test_a_run_with_other_sizes_is_refused(folders):
    run, reference_folder = folders
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    whole_files.write(run / "manifest.json", json.dumps({**manifest, "scale": "smoke"}))
    with pytest.raises(UserError, match="expected a finished full run"):
        again.summarise_run(run, reference_folder)
    assert not (reference_folder / repetition.FILE).exists()


def test_documents_say_how_many_verdicts_and_networks_other_rounding_changes():
    first_run = json.loads((RECORD / repetition.FILE).read_text(encoding="utf-8"))
    (second_run,), verdicts = first_run["since"], first_run["verdicts"]
    summary = repetition.summarise_repetition(first_run)
    n_changed, n_energy = summary["n_energy_changed"], summary["n_energy"]
    network_counts = [run["networks"] for run in (first_run, second_run)]
    first_fraction, second_fraction = (
        f"{x['identical']} of {x['identical'] + len(x['different'])}" for x in network_counts
    )
    n_affected = verdicts["touched"] + second_run["verdicts"]["touched"]
    assert "ground.span_recall/" not in " ".join(first_run["differing"]), (
        "no claim is counted twice"
    )
    assert (summary["n_touched"], summary["n_energy"]) == (n_affected, 13)
    (changed_verdict,) = verdicts["changed"]
    assert changed_verdict.startswith("ground.span_recall.floors: ")
    for file, sentence in (
        (
            "README.md",
            f"(one for each task and competitor), {n_changed} changed",
        ),
        ("docs/shared-tasks.md", f"Three of {n_energy} energy verdicts changed. Nine further"),
        (
            "docs/verdicts.md",
            f"The numbers of {n_affected} claims and one verdict changed",
        ),
        (
            "docs/running.md",
            f"{first_fraction} networks, and in a later part {second_fraction} networks",
        ),
    ):
        assert sentence in " ".join((ROOT / file).read_text(encoding="utf-8").split())
