"""Tests of the data package that a run writes, and of what Frictionless finds in it."""

import json
import shutil

import pandas as pd
import pytest
from made import others
from made.checkouts import ROOT

from whyspiking.errors import UserError
from whyspiking.records import columns, datapackage, tables

REFERENCE = ROOT / "results" / "reference"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda table: table.drop(columns="n_jobs"), r"missing columns \['n_jobs'\]"),
        (lambda table: table.assign(new=1), r"unknown columns \['new'\]"),
        (lambda table: table.assign(seconds="long"), "not a readable table"),
        (lambda table: table.assign(n_jobs=1.5), "not a readable table"),
    ],
)
def test_a_table_with_other_columns_or_types_is_refused(tmp_path, change, words):
    path = tmp_path / "durations.csv"
    row = ("full", "train", "goeltz", "yinyang", "mlp", "", 4.5, 4.0, 1, 1.2)
    table = columns.DURATIONS.table([dict(zip(columns.DURATIONS.names, row, strict=True))])
    tables.write_csv(table, path)
    assert tables.read(path, columns.DURATIONS).iloc[0].tolist() == list(row)
    tables.write_csv(change(table), path)
    with pytest.raises(UserError, match=words):
        tables.read(path, columns.DURATIONS)


@pytest.fixture
def package(tmp_path):
    """The package of the committed tables, made anew."""
    for path in REFERENCE.glob("*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "manifest.json").write_text('{"config": {"talks": ["goeltz"]}}')
    (tmp_path / "goeltz").mkdir()
    shutil.copy(REFERENCE / "goeltz" / "metrics.csv.gz", tmp_path / "goeltz")
    history = pd.DataFrame(
        [("yinyang", "spiking", 0, 1, "loss", 0.5)], columns=columns.HISTORY.names
    )
    tables.write_csv(history, tmp_path / "goeltz" / "history.csv")
    datapackage.write(tmp_path)
    return tmp_path


def test_the_package_keeps_to_the_standard(package):
    """What the specification demands of a package, its resources and their schemas."""
    described = json.loads((package / datapackage.NAME).read_text(encoding="utf-8"))
    assert described["profile"] == "data-package"
    names = [resource["name"] for resource in described["resources"]]
    assert len(set(names)) == len(names)
    one_talk = {"metrics-goeltz", "history-goeltz"}
    assert {"costs", "durations", *one_talk} <= set(names)
    assert described["metrics"]["accuracy"]["unit"] == "fraction"
    types = {"string", "number", "integer", "boolean", "any"}
    for resource in described["resources"]:
        assert set(resource["name"]) <= set("abcdefghijklmnopqrstuvwxyz0123456789-._/")
        assert not resource["path"].startswith(("/", ".")) and ".." not in resource["path"]
        path = package / resource["path"]
        assert resource["bytes"] == len(path.read_bytes())
        fields = resource["schema"]["fields"]
        assert [field["name"] for field in fields] == tables.header(path)
        assert {field["type"] for field in fields} <= types


def test_an_undescribed_column_passes_through(package):
    table = pd.read_csv(package / "durations.csv", keep_default_na=False).assign(new="x")
    tables.write_csv(table, package / "durations.csv")
    datapackage.write(package)
    described = json.loads((package / datapackage.NAME).read_text(encoding="utf-8"))
    (resource,) = (r for r in described["resources"] if r["name"] == "durations")
    assert resource["schema"]["fields"][-1] == {"name": "new", "type": "any"}


def test_a_folder_without_tables_is_refused(tmp_path):
    with pytest.raises(UserError, match="contains no table"):
        datapackage.write(tmp_path)


def test_the_package_frictionless_finds_valid(package):
    others.require("frictionless")
    code = (
        f"import os, json, frictionless; os.chdir({str(package)!r});"
        "r = frictionless.validate('datapackage.json');"
        "print(json.dumps([r.valid, len(r.tasks), r.flatten(['message'])[:3]]))"
    )
    valid, n, errors = json.loads(others.ask("-c", code).splitlines()[-1])
    assert valid and n == len([*package.rglob("*.csv")]), errors
    # It must see a number that is none.
    path = package / "durations.csv"
    table = pd.read_csv(path, dtype=str)
    table.loc[0, "seconds"] = "long"
    table.to_csv(path, index=False)
    assert not json.loads(others.ask("-c", code).splitlines()[-1])[0]
