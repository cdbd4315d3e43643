"""The unit of a machine: a mean of ratios, measured once and kept."""

import json
import os
import platform

import pytest

from whyspiking.running import machine

HERE = {part: 2 * seconds for part, seconds in machine.REFERENCE_S.items()}


def test_the_unit_is_the_geometric_mean_of_the_ratios():
    assert machine.of_parts(machine.REFERENCE_S) == 1
    assert machine.of_parts({**HERE, "python": 32 * machine.REFERENCE_S["python"]}) == 4
    # A part that could not be measured is left out.
    assert machine.of_parts({p: s for p, s in HERE.items() if p != "compile"}) == 2


def test_it_is_measured_in_a_process_of_its_own_and_kept(tmp_path, monkeypatch):
    measured = machine.unit(tmp_path)
    kept = json.loads((tmp_path / machine.FILE).read_text())
    assert set(kept["seconds"]) == set(machine.REFERENCE_S)
    assert min(kept["seconds"].values()) > 0
    assert measured == machine.of_parts(kept["seconds"])

    def again(folder):
        raise AssertionError("measured a second time")

    monkeypatch.setattr(machine, "measure", again)
    assert machine.unit(tmp_path) == measured


def kept(folder, monkeypatch):
    monkeypatch.setattr(machine.subprocess, "run", Measured)
    assert machine.measure(folder) == HERE
    assert machine.cached(folder) == 2


class Measured:
    """A process that has measured."""

    found = HERE

    def __init__(self, command, **settings):
        self.stdout = json.dumps(self.found)


def test_the_least_of_several_measurements_is_kept(tmp_path, monkeypatch):
    kept(tmp_path, monkeypatch)
    slow_host = {part: 3 * seconds for part, seconds in HERE.items()}
    told = {**slow_host, "python": 0.5 * HERE["python"]}
    monkeypatch.setattr(Measured, "found", told)
    assert machine.measure(tmp_path) == {**HERE, "python": told["python"]}


@pytest.mark.parametrize(
    ("where", "name", "changed"),
    [
        (machine, "processor", lambda: "another"),
        (platform, "python_version", lambda: "3.99"),
        (os.environ, "CXX", "another"),
        (machine, "MIX", machine.MIX + 1),
    ],
)
def test_on_another_machine_it_is_not_known(where, name, changed, tmp_path, monkeypatch):
    kept(tmp_path, monkeypatch)
    change = monkeypatch.setitem if where is os.environ else monkeypatch.setattr
    change(where, name, changed)
    assert machine.cached(tmp_path) is None


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"machine": 1, "seconds": 2}', '{"machine": 1, "seconds": {"python": 0}}'],
)
def test_a_damaged_file_is_as_good_as_none(text, tmp_path, monkeypatch):
    kept(tmp_path, monkeypatch)
    (tmp_path / machine.FILE).write_text(text)
    assert machine.cached(tmp_path) is None
    for seal in tmp_path.glob(".*"):
        seal.unlink()
    assert machine.cached(tmp_path) is None


def test_without_a_compiler_the_other_parts_are_measured(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setattr(machine, "REPEATS", 1)
    assert set(machine.parts()) == set(machine.REFERENCE_S) - {"compile"}
