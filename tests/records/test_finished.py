"""Finished runs as data frames: types and meanings, and folders that are none."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import whyspiking
from whyspiking.declared import registry
from whyspiking.errors import UserError
from whyspiking.records import columns, finished, reference, tables

ROOT = Path(__file__).parents[2]
TYPES = {"string": "str", "integer": "int64", "number": "float64", "boolean": "boolean"}


@pytest.fixture(scope="module")
def run():
    return whyspiking.results("reference")


def test_every_table_of_the_reference_is_there_with_its_types(run):
    joint = {path.stem for path in (ROOT / reference.FOLDER).glob("*.csv")}
    assert set(run.contents["table"]) == joint | {Path(file).stem for file in reference.TABLES}
    assert set(run.contents["table"]) <= set(dir(run))
    for name in run.contents["table"]:
        told = run.columns(name)
        assert {c: str(kind) for c, kind in getattr(run, name).dtypes.items()} == {
            row.column: TYPES[row.type] for row in told.itertuples()
        }
        assert told["says"].str.len().min() > 4


def test_a_boolean_that_was_not_judged_is_missing_and_not_false(run):
    paths = [ROOT / reference.FOLDER / talk / "verdicts.csv" for talk in run.talks]
    raw = pd.concat([pd.read_csv(path, keep_default_na=False) for path in paths])
    read = run.verdicts["control_meets_criterion"]
    assert list(read.isna()) == list(raw["control_meets_criterion"].isin(("", "nan")))
    assert read.sum() == (raw["control_meets_criterion"] == "True").sum()


def test_measurements_are_those_of_all_talks_and_have_meanings(run):
    talks = registry.counted(reference.recorded(ROOT / reference.FOLDER))
    paths = {name: run.folder / name / "metrics.csv.gz" for name in talks}
    rows = {name: len(pd.read_csv(path, low_memory=False)) for name, path in paths.items()}
    assert run.metrics["talk"].value_counts().to_dict() == rows
    assert list(run.verdicts["talk"].unique()) == list(run.metrics["talk"].unique()) == run.talks
    assert set(run.metrics["metric"]) <= set(run.glossary["metric"])
    assert run.manifest["scale"] == "full" and run.manifest["config"]["talks"] == run.talks


def test_who_changes_a_frame_changes_no_other(run):
    changed = run.costs
    changed["value"] = 0.0
    assert run.costs["value"].abs().max() > 0


def test_a_run_is_found_by_name_from_anywhere_and_here_first(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert whyspiking.results("reference").folder == finished.CHECKOUT / "results" / "reference"
    assert whyspiking.results("results/reference").folder == ROOT / "results" / "reference"
    (folder / "results" / "mine").mkdir(parents=True)
    shutil.copy(folder / "naud" / "verdicts.csv", folder / "results" / "mine")
    assert whyspiking.results("mine").folder == Path("results/mine")
    assert whyspiking.results("naud").verdicts.equals(whyspiking.results(folder).verdicts)


def test_talks_that_the_run_does_not_name_are_left_out_and_a_missing_one_is_refused(folder):
    """A folder may also hold talks of an earlier run."""
    shutil.copytree(folder / "naud", folder / "earlier")
    run = whyspiking.results(folder)
    assert run.talks == ["naud"]
    assert run.metrics.equals(whyspiking.results(folder / "naud").metrics)
    (folder / "manifest.json").write_text('{"config": {"talks": ["naud", "absent"]}}')
    with pytest.raises(UserError, match=r"absent/verdicts\.csv: the file cannot be read"):
        _ = whyspiking.results(folder).verdicts


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ("nowhere", "run 'nowhere': this folder does not exist; expected 'reference'"),
        ("results/nowhere", "this folder does not exist"),
        (
            ".",
            "contains neither manifest.json nor verdicts.csv; expected the folder of a",
        ),
    ],
)
def test_a_folder_that_is_no_run_is_refused(tmp_path, monkeypatch, run, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=words):
        whyspiking.results(run)


def test_tables_that_are_not_there_or_damaged_are_refused(folder):
    run = whyspiking.results(folder)
    with pytest.raises(
        UserError, match=r"contains no table 'shared'; expected one of metrics, verd"
    ):
        _ = run.shared
    with pytest.raises(
        UserError, match="table 'colour': the table is not known; expected one of metrics"
    ):
        run.table("colour")
    with pytest.raises(AttributeError, match="'colour'"):
        _ = run.colour
    (folder / "naud" / "manifest.json").unlink()
    with pytest.raises(UserError, match=r"naud: the folder contains no manifest\.json"):
        _ = whyspiking.results(folder / "naud").manifest
    table = folder / "naud" / "verdicts.csv"
    table.write_text(table.read_text().replace("criterion_low", "colour", 1))
    with pytest.raises(
        UserError, match=r"verdicts\.csv: the table has missing columns \['criterion_low'\]"
    ):
        _ = run.verdicts
    assert columns.VERDICTS.names == list(whyspiking.results("reference").verdicts)


def test_looking_at_results_needs_no_more_than_pandas():
    code = """import sys, whyspiking
assert "pandas" not in sys.modules, "before it is asked for"
whyspiking.results("reference").shared
heavy = {"scipy", "matplotlib", "seaborn", "jax", "brian2", "snakemake", "pydantic", "jinja2"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_an_interval_is_gives_the_recorded_digits_with_scipy_alone(monkeypatch):
    """The code of docs/verdicts.md, of a claim over seeds and of one over test trials, too."""
    monkeypatch.chdir(ROOT)
    found: dict = {}
    text = Path("docs/verdicts.md").read_text(encoding="utf-8")
    exec(re.search(r"```python\n(import numpy.+?)```", text, re.DOTALL)[1], found)
    for name, of, over in (
        ("comsa.mnist_slow.accuracy", "mnist_slow", "seeds"),
        ("neftci.nmnist.accuracy", "nmnist", "seeds and test trials"),
    ):
        path = reference.FOLDER / name.partition(".")[0] / "verdicts.csv"
        row = pd.read_csv(path).set_index("claim").loc[name]
        expected = pytest.approx([row["ci_low"], row["ci_high"]], abs=1e-9)
        assert (row["interval_type"], list(found[of])) == (over, expected)


def test_an_empty_field_says_that_there_is_nothing_and_a_table_has_an_end(tmp_path, monkeypatch):
    place = tmp_path / "agreement.csv.gz"
    tables.write_csv(columns.PARITY.table([{"talk": "naud", "n_networks": 1}]), place)
    assert "nan" not in pd.read_csv(place, dtype=str, keep_default_na=False).to_csv()
    assert tables.read(place, columns.PARITY)["equal_decisions"].isna().all()
    monkeypatch.setattr(tables, "LARGEST_BYTES", 50)
    with pytest.raises(UserError, match=r"not a readable table \(more than 50 bytes"):
        tables.read(place, columns.PARITY)
