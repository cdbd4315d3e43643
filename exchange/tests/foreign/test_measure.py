"""Networks that snnTorch and Norse trained and exported, under the battery; and what is refused.

`tests/peers/snntorch_yinyang.nir` was made by `tests/peers/snntorch_training.py` (snnTorch 1.0, 30
epochs of `python -m whyspiking samples --task yinyang`), `norse_yinyang.nir` by `norse_training.py`
beside it (Norse 1.1, 15 epochs); the .npz beside each holds that library's own decisions on the
validation trials.
"""

import hashlib
import html
import json
import re
import shutil

import h5py
import numpy as np
import pytest
from made import others
from made.checkouts import ROOT
from made.nir_files import chain, write

from whyspiking.brian import Machine
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.declared import community_file
from whyspiking.records import tables
from whyspiking_exchange.__main__ import main
from whyspiking_exchange.export import networks
from whyspiking_exchange.foreign import job, measuring, sources, tasks
from whyspiking_exchange.nir import arranging
from whyspiking_exchange.nir.model import Steps

PEERS = ROOT / "tests" / "peers"
NETWORK = PEERS / "snntorch_yinyang.nir"
SNNTORCH = Steps(1.0, 0.1, "euler", "later")
LIBRARIES = {"snntorch": SNNTORCH, "norse": Steps(1.0, 1.0, "euler", "value")}


def decisions(file, builds, split="validation", steps=SNNTORCH):
    """Of our path on the trials of a split, and those trials."""
    layers = arranging.read(file)
    params = tasks.params_of("yinyang", job.config_at("full"), seed=0)
    setting = measuring.setting_of(
        layers, params, steps=steps, readout=None, asked_ms=None, bias_ms=()
    )
    foreign = tasks.Foreign(layers, setting)
    task = foreign.make_task(params, split, Streams(0))
    values = foreign.bind(params, measuring.Network({})).values
    recording = Machine(foreign.to_brian(params), builds).run(task.stimulus, values)
    return foreign.decode(params, recording, task).choices, task


@pytest.mark.parametrize("library", LIBRARIES)
def test_from_runs_a_file_as_its_framework_does(library, tmp_path, capsys):
    """With `--from` alone: decisions as in `--expect`, and no warning."""
    file, to = PEERS / f"{library}_yinyang.nir", tmp_path / "out"
    words = ["measure", str(file), "--task", "yinyang", "--from", library]
    assert main([*words, "--expect", str(file.with_suffix(".npz")), "--to", str(to)]) == 0
    told = capsys.readouterr()
    share = float(re.search(r"npz: ([\d.]+) % of 1000 validation trials", told.out)[1])
    assert share >= 99 and "warning" not in told.err
    assert (
        f"{share:.0f}" in re.search(r"validation trials (\d+)", (to / "report.html").read_text())[1]
    )
    row = community_file.read(to / "row.json")
    assert row.accuracy > {"snntorch": 0.9, "norse": 0.85}[library]
    assert row.made.reset == LIBRARIES[library].reset


def changed(file, to, change):
    """A copy of a .nir file in which `change` was done to every array of a neuron."""
    shutil.copy(file, to)
    with h5py.File(to, "r+") as opened:
        for node in opened["node/nodes"].values():
            for key in node if "tau" in node else ():
                if key.startswith(("tau", "v_threshold")):
                    node[key][...] = change(key, node[key][()])
    return to


SUSPECT = {
    # what was done to a file, options -> what is said, that nothing fires
    "of snnTorch, not told": ("snntorch", lambda k, x: x, [], "--from snntorch", False),
    "of another step": (
        "snntorch", lambda k, x: x, ["--from", "snntorch", "--reset", "value"], "only ", False,
    ),
    "in ms": ("norse", lambda k, x: x * 1e3 if k == "tau" else x, [], "--graph-step-ms 1000", True),
    "far below a step": (
        "norse", lambda k, x: x * 1e-3 if k == "tau" else x, [], "0.02 to 0.02 ms", False,
    ),
    "silent": (
        "norse", lambda k, x: x * 1e6 if k == "v_threshold" else x, [], "no output fires", True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", SUSPECT)
def test_what_cannot_be_meant_is_told_and_stands_in_the_page(kind, tmp_path, capsys):
    library, change, options, match, silent = SUSPECT[kind]
    file = changed(PEERS / f"{library}_yinyang.nir", tmp_path / "net.nir", change)
    to, theirs = tmp_path / "out", PEERS / f"{library}_yinyang.npz"
    words = ["measure", str(file), "--task", "yinyang", "--expect", str(theirs), *options]
    assert main([*words, "--to", str(to)]) == 0
    told = capsys.readouterr()
    assert "warning" in told.err and match in told.err
    assert ("no hidden neuron fires" in told.err) == silent == ("accuracy: 0.0 %" in told.out)
    page = html.unescape((to / "report.html").read_text())
    for line in told.err.splitlines():
        assert line.removeprefix("warning: ") in page


def test_norse_files_of_a_thousandth_are_read_as_they_are_meant(tmp_path):
    """Norse 1.1 exports so unless it is told `dt=1`."""
    meant = arranging.read(PEERS / "norse_yinyang.nir")
    scaled = arranging.read(
        changed(PEERS / "norse_yinyang.nir", tmp_path / "net.nir", lambda k, x: x * 1e-3)
    )
    assert sources.left_open("norse", meant, 0.5)["graph_step_ms"] == 1.0
    assert sources.left_open("norse", scaled, 0.5)["graph_step_ms"] == 1e-3


EXPECTED = {
    "no file": (None, "not readable"),
    "no array": (b"PK\3\4 nothing", "not readable"),
    "pickle": (np.array([{}], object), "not readable"),
    "other trials": (np.zeros(7, int), r"shape \(7,\).*expected 1000 whole numbers"),
    "shares": (np.zeros(1000), "float64"),
    "no such class": (np.full(1000, 3), "from 3 to 3; expected classes 0 to 2"),
}


@pytest.mark.parametrize("kind", EXPECTED)
def test_decisions_that_do_not_fit_are_refused(kind, tmp_path, capsys, monkeypatch):
    given, match = EXPECTED[kind]
    file = tmp_path / "choices.npy"
    if isinstance(given, bytes):
        file.write_bytes(given)
    elif given is not None:
        np.save(file, given, allow_pickle=True)
    monkeypatch.setattr(measuring, "Machine", None)
    words = ["measure", str(NETWORK), "--task", "yinyang", "--from", "snntorch"]
    assert main([*words, "--expect", str(file), "--to", str(tmp_path / "out")]) == 1
    told = capsys.readouterr().err
    assert re.search(match, told) and len(told.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_its_row_of_the_community_is_found_again(builds):
    row = community_file.read(ROOT / "exchange" / "community" / "snntorch-yinyang.json")
    assert row.made.sha256 == hashlib.sha256(NETWORK.read_bytes()).hexdigest()
    found, task = decisions(NETWORK, builds, "test")
    assert len(found) == row.trials and (found == task.targets).mean() == row.accuracy


def test_measuring_writes_page_table_and_row_at_once(tmp_path, capsys):
    to = tmp_path / "out"
    words = ["measure", str(NETWORK), "--task", "yinyang", "--graph-step-ms", "0.1"]
    words += ["--reset", "later", "--scale", "smoke", "--name", "<b>net</b>"]
    assert main([*words, "--to", str(to)]) == 1
    assert "'name'" in capsys.readouterr().err and not to.exists()
    words[-1] = "a network"
    assert main([*words, "--to", str(to)]) == 0
    row = community_file.read(to / "row.json")
    assert row.accuracy > 0.8 and row.trials == 100 and row.spikes_hidden > 0
    assert row.ci_low < row.accuracy < row.ci_high and not row.reproduced
    metrics = tables.read_metrics([to / "metrics.csv"])
    done = set(zip(metrics["perturbation"], metrics["location"], strict=True))
    assert {("jitter", "input"), ("delete", "hidden"), ("mismatch", "weights")} <= done
    assert 'id="table-methods"' in (to / "report.html").read_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out"]
    assert main([*words, "--to", str(to)]) == 1
    assert "exists already" in capsys.readouterr().err


REFUSED = {
    "no such task": (["--task", "mnits"], "--task"),
    "other inputs": (["--task", "randman"], "has 4 inputs"),
    "further inputs": (["--task", "yinyang", "--bias-ms", "5"], "has 4 inputs"),
    "readout of potentials": (["--task", "yinyang", "--readout", "max"], "--readout"),
    "steps": (["--task", "yinyang", "--step-ms", "0.7"], "whole number"),
    "no time": (["--task", "yinyang", "--step-ms", "0"], "--step-ms"),
    "scale": (["--task", "yinyang", "--scale", "huge"], "--scale"),
    "no file": (["--task", "yinyang", "none.nir"], "none.nir"),
    "a short name": (["--task", "yinyang", "--name", "n"], "'name' is 'n'"),
    "no https": (["--task", "yinyang", "--link", "http://a.org/b"], "'link'"),
    "tags": (["--task", "yinyang", "--says", "a <b>"], "the command line: 'says'"),
    "no readout": (["--task", "yinyang", "--readout", "most"], "the readout is 'most'"),
    "no place": (["--task", "yinyang", "--to", "/proc/x/y"], "--to is /proc/x/y"),
    "a place below a file": (["--task", "yinyang", "--to", "/etc/passwd/x/y"], "--to is /etc"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_bad_wishes_are_one_message_and_write_nothing(kind, tmp_path, capsys, monkeypatch):
    words, match = REFUSED[kind]
    file = words[2:] if words[-1].endswith(".nir") else [str(NETWORK)]
    words = words[:2] if words[-1].endswith(".nir") else words
    monkeypatch.setattr(measuring, "Machine", None)  # nothing is executed
    assert main(["measure", "--to", str(tmp_path / "out"), *words, "--", *file]) == 1
    told = capsys.readouterr().err
    assert match in told and len(told.splitlines()) == 1 and "in that file" not in told
    assert not list(tmp_path.iterdir())


def test_a_graph_that_cannot_be_run_is_refused_before_anything(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(measuring, "Machine", None)
    path = write(tmp_path / "net.nir", *chain(n1=("ALIF", {})))
    assert main(["measure", str(path), "--task", "yinyang", "--to", str(tmp_path / "out")]) == 1
    assert "type 'ALIF'" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["net.nir"]


def test_readouts_of_spikes():
    times = np.array([0.0, 3.0, 5.0, 1.0])
    spikes = Spikes.sorted(
        times,
        np.array([1, 0, 0, 2]),
        np.array([0, 0, 0, 1]),
        n_trials=3,
        n_units=3,
        duration_ms=9.0,
    )
    choices, at = tasks.of_spikes(spikes, "count")
    assert choices.tolist() == [0, 2, -1] and at.tolist() == [9.0, 9.0, np.inf]
    choices, at = tasks.of_spikes(spikes, "first")
    assert choices.tolist() == [1, 2, -1] and at.tolist() == [0.0, 1.0, np.inf]


def test_samples_are_the_trials_of_the_task(tmp_path):
    for task in ("yinyang", "randman"):
        path = tmp_path / f"{task}.npz"
        assert main(["samples", "--task", task, "--scale", "smoke", "--to", str(path)]) == 0
        with np.load(path, allow_pickle=False) as file:
            for before in ("", "train."):
                n_trials, n_steps, n_in = file[f"{before}shape"]
                raster = np.zeros((n_trials, n_steps, n_in), int)
                at = tuple(file[f"{before}{key}"] for key in networks.EVENTS)
                np.add.at(raster, at, 1)
                assert raster.max() == 1 and raster.any(axis=(0, 1)).all()
                assert len(file[f"{before}targets"]) == n_trials
                np.testing.assert_array_equal(np.floor(file[f"{before}times_ms"] + 1e-9), at[1])
            assert not [key for key in file if key.startswith("test")]


SAMPLES = {
    "what is there": (
        ["--to", "{tmp}/precious.npz"],
        "exists already; expected the name of a new file",
    ),
    "a seed below 0": (["--to", "{tmp}/a.npz", "--seed", "-1"], "--seed is -1; expected 0 or more"),
    "no place": (["--to", "/proc/x.npz"], "/proc"),
    "below a file": (["--to", "/etc/passwd/x.npz"], "/etc/passwd"),
    **{
        f"steps of {step_ms} ms": (["--to", "{tmp}/a.npz", "--step-ms", step_ms], "--step-ms")
        for step_ms in ("0.7", "0", "-1")
    },
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_bad_wishes_of_samples_are_one_message_and_replace_nothing(kind, tmp_path, capsys):
    (tmp_path / "precious.npz").write_text("precious")
    given, match = SAMPLES[kind]
    words = [word.format(tmp=tmp_path) for word in given]
    assert main(["samples", "--task", "yinyang", "--scale", "smoke", *words]) == 1
    told = capsys.readouterr().err
    assert match in told and len(told.splitlines()) == 1
    assert [path.read_text() for path in tmp_path.iterdir()] == ["precious"]


@pytest.mark.slow
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_network_that_a_library_trains_now_decides_the_same(library, builds, tmp_path):
    others.require("snntorch", "nirtorch", library)
    samples, out = tmp_path / "samples.npz", tmp_path / "net.nir"
    assert main(["samples", "--task", "yinyang", "--to", str(samples)]) == 0
    others.ask(str(PEERS / f"{library}_training.py"), str(samples), str(out), "4")
    found, _ = decisions(out, builds, steps=LIBRARIES[library])
    with np.load(out.with_suffix(".npz"), allow_pickle=False) as theirs:
        assert (found == theirs["choices"]).mean() >= 0.99


def test_rows_of_another_schema_are_one_message(tmp_path):
    row = json.loads((ROOT / "exchange" / "community" / "snntorch-yinyang.json").read_text())
    path = tmp_path / "row.json"
    wrong = {
        "'format' is 2": {**row, "format": 2},
        "'accuracy'": {**row, "accuracy": 1.5},
        "key 'speed'": {**row, "speed": 1},
        "'link'": {**row, "link": "javascript:alert(1)"},
        "'says'": {**row, "says": "<script>"},
        "'accuracy' is 0.929, outside": {**row, "ci_low": 0.95},
        "'accuracy' is 0.5, outside": {**row, "accuracy": 0.5},
        "'measures' has .*nonsense": {**row, "measures": {"jitter.input.nonsense": 1.0}},
        "key 'measures.foo'": {**row, "measures": {"foo": 1.0}},
        r"'name' .* U\+202E": {**row, "name": "a\u202eb"},
        "'neurons' is 1000": {**row, "neurons": 10**400},
        "'full'": {**row, "made": {**row["made"], "scale": "smoke"}},
    }
    for match, data in wrong.items():
        path.write_text(json.dumps(data))
        with pytest.raises(community_file.UserError, match=match) as told:
            community_file.load(tmp_path)
        assert len(str(told.value).splitlines()) == 1
    path.write_text("[" * 50_000)
    with pytest.raises(community_file.UserError, match="expected JSON"):
        community_file.load(tmp_path)
    assert community_file.load(tmp_path / "none") == []
    path.write_text(json.dumps(row))
    (tmp_path / "second.json").write_text(json.dumps(row))
    with pytest.raises(community_file.UserError, match="another row"):
        community_file.load(tmp_path)
