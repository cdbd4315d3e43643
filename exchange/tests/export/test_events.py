"""Tables and events for other tools: the data package, and what tonic reads where it is here."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made import others
from made.utterances import shard

from whyspiking.datasets import nmnist
from whyspiking.datasets.event_camera import Events
from whyspiking.errors import UserError
from whyspiking.records import array_files, columns, datapackage, tables
from whyspiking.stages import data
from whyspiking_exchange.export import __main__

REFERENCE = Path(__file__).parents[3] / "results" / "reference"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda table: table.drop(columns="jobs"), r"columns missing \['jobs'\]"),
        (lambda table: table.assign(new=1), r"unknown \['new'\]"),
        (lambda table: table.assign(seconds="long"), "not a readable table"),
        (lambda table: table.assign(jobs=1.5), "not a readable table"),
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
        table = pd.read_csv(package / resource["path"], na_values=["nan"], keep_default_na=False)
        for field in fields:
            column = table[field["name"]].replace("", np.nan).dropna()
            if field["type"] in ("number", "integer"):
                numbers = pd.to_numeric(column)
                assert field["type"] == "number" or (numbers == numbers.round()).all()
            if field["type"] == "boolean":
                assert set(column.astype(str)) <= {"True", "False"}


def test_an_undescribed_column_passes_through(package):
    table = pd.read_csv(package / "durations.csv", keep_default_na=False).assign(new="x")
    tables.write_csv(table, package / "durations.csv")
    datapackage.write(package)
    described = json.loads((package / datapackage.NAME).read_text(encoding="utf-8"))
    (resource,) = (r for r in described["resources"] if r["name"] == "durations")
    assert resource["schema"]["fields"][-1] == {"name": "new", "type": "any"}


def test_a_folder_without_tables_is_refused(tmp_path):
    with pytest.raises(UserError, match="no table is there"):
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


# ---- events ---------------------------------------------------------------------------------


def recordings(folder):
    """A data set of three digits, as far as exporting looks at it."""
    rng = np.random.default_rng(0)
    counts = np.array([5, 0, 7])
    t_us = np.concatenate([np.sort(rng.integers(0, 310_000, n)) for n in counts])
    arrays = {
        "t_us": t_us.astype(np.int32),
        "x": rng.integers(0, 34, 12).astype(np.uint8),
        "y": rng.integers(0, 34, 12).astype(np.uint8),
        "on": rng.integers(0, 2, 12).astype(np.uint8),
        "start": np.concatenate([[0], np.cumsum(counts)]),
    }
    labels = np.array([7, 1, 7], np.uint8)
    array_files.save_arrays({**arrays, "labels": labels}, folder / "shards" / "test-0.npz")
    return arrays


def test_exported_digits_come_back(tmp_path, capsys):
    arrays = recordings(tmp_path)
    assert __main__.main(["nmnist", str(tmp_path), "--to", str(tmp_path / "out")]) == 0
    assert "3 recordings" in capsys.readouterr().out
    files = nmnist.original_files(tmp_path / "out", "test")
    assert [digit for _, digit in files] == [7, 1, 7]
    found = nmnist.decode([path.read_bytes() for path, _ in files], "here")
    np.testing.assert_equal(vars(found), vars(Events(**arrays)))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"labels": np.array(["../../elsewhere", "1", "7"])}, "has other labels"),
        ({"labels": np.array([7, 1, 10])}, "has other labels"),
        ({"labels": np.array([7.0, 1.0, 7.0])}, "has other labels"),
        ({"labels": np.array([7, 1])}, "has other labels"),
        ({"labels": None, "on": None}, "lacks on, labels"),
    ],
)
def test_recordings_with_other_labels_or_without_an_array_are_refused(
    tmp_path, capsys, changed, words
):
    place = tmp_path / "deep" / "data"
    arrays = {**recordings(place), "labels": np.array([7, 1, 7], np.uint8), **changed}
    arrays = {name: array for name, array in arrays.items() if array is not None}
    array_files.save_arrays(arrays, place / "shards" / "test-0.npz")
    before = set(tmp_path.rglob("*"))
    assert __main__.main(["nmnist", str(place), "--to", str(tmp_path / "out" / "here")]) == 1
    assert set(tmp_path.rglob("*")) == before
    told = capsys.readouterr().err
    assert "test-0.npz" in told and words in told and "rerun snakemake" in told


def test_exporting_without_recordings_is_refused(tmp_path, capsys):
    assert __main__.main(["nmnist", str(tmp_path), "--to", str(tmp_path / "out")]) == 1
    assert "snakemake neftci" in capsys.readouterr().err
    with pytest.raises(UserError):
        datapackage.describe(tmp_path)


@pytest.mark.slow
def test_tonic_reads_spoken_digits_and_recordings(tmp_path):
    others.require("tonic", "h5py")
    settings = {"source": "synthetic", "speakers": 6, "repetitions": 2, "channels": 140}
    shards = [tmp_path / "shards" / f"{speaker}.npz" for speaker in range(6)]
    for speaker, path in enumerate(shards):
        array_files.save_arrays(shard(speaker), path)
    spoken = {**settings, "rate_khz": 24}
    data.gather("spoken", {"spoken": spoken}, shards, tmp_path / "meta.json")
    (tmp_path / "SHD" / "shd_train.h5.zip").touch()
    arrays = recordings(tmp_path)
    __main__.main(["nmnist", str(tmp_path), "--to", str(tmp_path / "NMNIST")])
    script = Path(__file__).parents[3] / "tests" / "peers" / "tonic_events.py"
    others.ask(str(script), str(tmp_path), str(tmp_path / "found.npz"))
    with np.load(tmp_path / "found.npz", allow_pickle=False) as file:
        found = {name: file[name] for name in file.files}
    times, units, ptr, labels, speakers, _ = spoken.read(tmp_path / "SHD" / "shd_train.h5")
    own = slice(ptr[3], ptr[4])
    np.testing.assert_allclose(found["spoken"][:, 0], 1e6 * times[own].astype(float), atol=1)
    np.testing.assert_array_equal(found["spoken"][:, 1], units[own])
    assert (found["label"], found["n"]) == (labels[3], len(labels))
    np.testing.assert_array_equal(found["speakers"], speakers)
    assert found["frames"] == ptr[4] - ptr[3]
    # Recordings come class by class there: the first of the two sevens is the second file.
    first = np.stack([arrays[name][:5] for name in ("t_us", "x", "y", "on")], axis=1)
    np.testing.assert_array_equal(found["digits"], first)
    assert (found["digit"], found["m"]) == (7, 3)
