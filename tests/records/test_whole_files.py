"""Files appear whole or not at all; what was changed afterwards is not read as if it were right."""

import os
import platform
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from whyspiking.compiler import libraries
from whyspiking.contract import network_files
from whyspiking.contract.types import Network, Results
from whyspiking.errors import UserError
from whyspiking.records import array_files, tables, whole_files
from whyspiking.records.table_schema import Column, TableSchema


def listed(folder):
    return sorted(path.name for path in folder.rglob("*"))


def test_a_failure_while_writing_leaves_the_old_file(tmp_path):
    path = tmp_path / "new" / "table.csv"
    whole_files.write(path, "one")
    with pytest.raises(OSError, match="disk"), whole_files.replacing(path, sealed=True) as partial:
        partial.write_text("tw")
        raise OSError("disk full")
    assert whole_files.read(path) == b"one"
    assert listed(path.parent) == [".table.csv.sha256", "table.csv"]


def test_two_processes_do_not_write_into_one_file(tmp_path):
    with whole_files.replacing(tmp_path / "a.npz") as partial:
        assert str(os.getpid()) in partial.name
        assert partial.suffix == ".npz"
        partial.write_bytes(b"x")


KILLED = """
import os, signal, sys
from pathlib import Path
from whyspiking.records.whole_files import replacing
with replacing(Path(sys.argv[1])) as partial:
    partial.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_is_removed_by_the_next_and_nothing_else(tmp_path):
    path = tmp_path / "re[p]ort.ipynb"
    subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    (left,) = listed(tmp_path)
    assert left.endswith(".part.ipynb")
    here = platform.node()
    alive = [left.replace(here, "elsewhere"), left.replace(left.split("-")[-1], "1.part.ipynb")]
    for name in (*alive, f".re[p]ort.{here}-x.part.ipynb"):
        (tmp_path / name).write_text("half")
    before = set(listed(tmp_path))
    with whole_files.replacing(path) as partial:
        partial.write_text("whole")
    assert set(listed(tmp_path)) == before - {left} | {path.name}


def test_a_seal_can_be_checked_with_sha256sum(tmp_path):
    whole_files.write(tmp_path / "a.csv", "x")
    digest, name = (tmp_path / ".a.csv.sha256").read_text().split()
    assert (len(digest), name) == (64, "a.csv")


VALUES = TableSchema("Values.", Column("value", "A value.", "number"))


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw[: raw.rindex(b"\n", 0, -1) + 1],
        lambda raw: raw.replace(b"0.97", b"0.98"),
        lambda raw: raw[:-3],
        lambda raw: raw + b"\n",
        lambda raw: b"",
    ],
)
def test_a_changed_table_is_refused(tmp_path, change):
    path = tmp_path / "metrics.csv"
    tables.write_csv(pd.DataFrame({"value": [0.97, 0.5, 0.25]}), path)
    assert len(tables.read(path, VALUES)) == 3
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(
        UserError, match=r"metrics\.csv: this is not the file that the run wrote.*Delete it"
    ):
        tables.read(path, VALUES)


def test_a_table_of_others_has_no_seal_and_is_read(tmp_path):
    (tmp_path / "a.csv").write_text("value\n1\n")
    assert tables.read(tmp_path / "a.csv", VALUES)["value"].tolist() == [1]
    (tmp_path / "b.csv").write_text("")
    with pytest.raises(UserError, match="not a readable table"):
        tables.read(tmp_path / "b.csv", VALUES)
    with pytest.raises(UserError, match="cannot be read"):
        tables.read(tmp_path / "none.csv", VALUES)


@pytest.fixture
def network(tmp_path):
    folder = tmp_path / "seed-0"
    network_files.save_network(Network({"w": np.arange(100.0)}, {"engine": "jax"}), folder)
    return folder


@pytest.mark.parametrize("name", ["network.npz", "network.json"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("cut", [True, False])
def test_a_damaged_network_is_refused(network, name, share, cut):
    path = network / name
    raw = path.read_bytes()
    place = int(share * len(raw))
    flipped = bytes([raw[place] ^ 255])
    path.write_bytes(raw[:place] if cut else raw[:place] + flipped + raw[place + 1 :])
    try:
        found = network_files.load_network(network)
    except UserError as error:
        assert name in str(error)
        assert "Delete it and rerun" in str(error)
        return
    # A byte of a zip archive that means nothing, such as a time stamp.
    assert name == "network.npz" and not cut
    np.testing.assert_array_equal(found.arrays["w"], np.arange(100.0))


@pytest.mark.parametrize("content", ["[]", "3", "{}", '{"info": {}}', "null", "[" * 100_000])
def test_json_that_is_something_else_is_refused(tmp_path, content):
    (tmp_path / "network.json").write_text(content)
    with pytest.raises(UserError, match="Delete it and rerun"):
        whole_files.read_json(tmp_path / "network.json", "info", "history")


def test_damaged_exhibits_are_refused_in_a_notebook(tmp_path):
    array_files.save_arrays({"x": np.ones(50)}, tmp_path / "one" / "figure_data.npz")
    results = Results(tmp_path, "talk", "smoke", pd.DataFrame(), pd.DataFrame())
    assert results.exhibit("one")["x"].sum() == 50
    (tmp_path / "one" / "figure_data.npz").write_bytes(b"PK\3\4")
    with pytest.raises(UserError, match=r"figure_data\.npz: the file cannot be read"):
        results.exhibit("one")


def test_a_damaged_library_is_compiled_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("WHYSPIKING_CACHE", str(tmp_path / "cache"))
    source = tmp_path / "one.cpp"
    source.write_text('extern "C" int one() { return 1; }\n')
    assert libraries.load("one", [source]).one() == 1
    path = libraries.build("one", [source], tmp_path / "cache")
    whole = path.read_bytes()
    # Written anew, not changed in place: this process has it mapped.
    path.unlink()
    path.write_bytes(whole[:200])
    assert libraries.build("one", [source], tmp_path / "cache") == path
    assert len(path.read_bytes()) == len(whole)
