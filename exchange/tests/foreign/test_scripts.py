"""`python -m whyspiking brian`: shipped networks and those of frameworks as scripts of Brian2."""

import json
import os
import re
import shutil
import subprocess
import sys

import h5py
import numpy as np
import pytest
from made import others, scripts
from made.checkouts import ROOT
from made.interpreted import in_brian
from made.nir_files import chain, write

from whyspiking.brian import Machine
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Stimulus
from whyspiking.records import array_files, reference, tables
from whyspiking.records.columns import NETWORKS
from whyspiking_exchange.__main__ import main
from whyspiking_exchange.export import networks, shipped
from whyspiking_exchange.foreign import job, measuring, sources, tasks
from whyspiking_exchange.foreign import scripts as commands
from whyspiking_exchange.nir import arranging, model
from whyspiking_exchange.nir.model import Steps

PEERS = ROOT / "tests" / "peers"
EXCHANGE = ROOT / "docs" / "exchange.md"
COMMITTED = ROOT / reference.FOLDER
ROWS = {
    row["file"]: row for row in tables.read(COMMITTED / shipped.INDEX, NETWORKS).to_dict("records")
}
FAST = ("neftci-shared_randman", "masquelier-shared_yinyang", "scherr-pattern", "goeltz-yinyang")
EXAMPLE = ROOT / "docs" / "brian_example.py"


def marked(files):
    fast = [f"networks/{stem}.nir" for stem in FAST]
    return [pytest.param(f, marks=[] if f in fast else pytest.mark.slow) for f in files]


def written(file, to, *options):
    """The script of a network, loaded."""
    assert main(["brian", str(file), "--to", str(to / "model.py"), *options]) == 0
    assert sorted(p.name for p in to.iterdir()) == ["model.py", "model.weights.npz"]
    return scripts.load(to / "model.py")


def only(samples, n):
    """The first n trials."""
    kept = samples["trials"] < n
    events = {key: samples[key][kept] for key in networks.EVENTS}
    return {**events, "shape": np.array([n, *samples["shape"][1:]])}


def engine(file, samples, step_ms):
    """Spikes of all layers in the engine of `measure`, as a script gives them."""
    layers, steps = arranging.read(file), Steps(step_ms, step_ms)
    n, n_steps, n_in = map(int, samples["shape"])
    spikes = Spikes(
        samples["steps"] * step_ms,
        samples["channels"].astype(np.int32),
        samples["trials"].astype(np.int32),
        n,
        n_in,
        n_steps * step_ms,
    )
    made = model.brian_model(layers, steps, n_steps * step_ms, n)
    parts = in_brian(made, Stimulus({"input": spikes}), model.binding(layers, steps).values, n)
    found = {}
    for name, monitor in parts["spike_monitors"].items():
        when = np.rint(np.asarray(monitor.t) * 1e3 / step_ms).astype(int)
        found[name] = np.stack([*np.divmod(when, n_steps), np.asarray(monitor.i)])
    return found


@pytest.mark.parametrize("file", marked(ROWS))
def test_a_shipped_network_decides_as_recorded_and_fires_as_in_the_engine(file, tmp_path):
    path, row = COMMITTED / file, ROWS[file]
    module = written(path, tmp_path)
    samples = array_files.load_arrays(path.with_suffix(".npz"))
    spikes, output = scripts.simulate(module, samples)
    choices = module.decide(output)
    expected = samples["choices"]
    far = 0.01 * np.ptp(expected) if expected.dtype.kind == "f" else 0
    assert (np.abs(choices - expected) <= far).mean() == pytest.approx(
        row["equal_decisions"], abs=1e-9
    )
    np.testing.assert_array_equal(shipped.trained_of(row).readout.decide(output), choices)
    theirs = engine(path, only(samples, 1), float(samples["step_ms"]))
    assert theirs
    for layer, events in theirs.items():
        own = spikes[layer][:, spikes[layer][0] == 0]
        # By neuron and time: as many spikes of each neuron, each within a step.
        own, events = (x[:, np.lexsort((x[1], x[2]))] for x in (own, events))
        np.testing.assert_array_equal(own[2], events[2])
        assert np.abs(own[1] - events[1]).max(initial=0) <= 1


@pytest.mark.parametrize("library", ["snntorch", "norse"])
def test_a_network_of_a_framework_decides_as_it_did_there(library, tmp_path):
    file = PEERS / f"{library}_yinyang.nir"
    module = written(file, tmp_path, "--from", library)
    layers = arranging.read(file)
    params = tasks.params_of("yinyang", job.config_at("full"), seed=0)
    setting = measuring.setting_of(
        layers, params, steps=Steps(1.0, 1.0), readout=None, asked_ms=None, bias_ms=()
    )
    task = tasks.Foreign(layers, setting).make_task(params, "validation", Streams(0))
    given = task.stimulus.spikes["input"]
    raster = given.raster(np.rint(given.times_ms).astype(int), round(setting.trial_ms))
    _, output = scripts.simulate(module, scripts.samples_of(raster))
    theirs = array_files.load_arrays(file.with_suffix(".npz"))["choices"]
    assert (module.decide(output) == theirs).mean() == 1


def delayed(file, to, delays):
    """A copy of a .nir file in which node "0" passes through a Delay."""
    shutil.copy(file, to)
    with h5py.File(to, "r+") as opened:
        node = opened.create_group("node/nodes/late")
        node["type"], node["delay"] = "Delay", delays
        edges = [(a.decode(), b.decode()) for a, b in opened["node/edges"][()]]
        edges = [("late", b) if a == "0" else (a, b) for a, b in edges] + [("0", "late")]
        del opened["node/edges"]
        opened["node/edges"] = np.array(edges, dtype=h5py.string_dtype())
    return to


@pytest.mark.slow
def test_delays_in_the_compiled_engine_are_those_of_the_script(tmp_path, builds):
    file = delayed(PEERS / "snntorch_yinyang.nir", tmp_path / "late.nir", 1e-4 * np.arange(30))
    (tmp_path / "to").mkdir()
    module = written(file, tmp_path / "to", "--from", "snntorch")
    layers = arranging.read(file)
    steps = Steps(1.0, **sources.left_open("snntorch", layers, 1.0))
    raster = np.random.default_rng(0).random((200, 60, 4)) < 0.1
    spikes, _ = scripts.simulate(module, scripts.samples_of(raster))
    machine = Machine(model.brian_model(layers, steps, 60.0, 200), builds)
    stimulus = Stimulus({"input": Spikes.from_raster(raster.astype(np.uint8), 1.0)})
    recording = machine.run(stimulus, model.binding(layers, steps).values)
    for name, found in recording.spikes.items():
        theirs = np.stack([found.trials, np.rint(found.times_ms).astype(int), found.units])
        assert theirs.shape[1] > 500
        assert set(map(tuple, theirs.T)) == set(map(tuple, spikes[name].T))


def test_delays_beside_whole_steps_are_warned_of(tmp_path, capsys):
    file = delayed(PEERS / "snntorch_yinyang.nir", tmp_path / "late.nir", 1.4e-4 * np.ones(30))
    (tmp_path / "to").mkdir()
    written(file, tmp_path / "to", "--from", "snntorch")
    assert "up to 0.4 of a time step from multiples of 0.1 ms" in capsys.readouterr().err


RECIPES = re.findall(r"```python\n(# (\w+)\n.*?)```", EXCHANGE.read_text("utf-8"), re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "library"), RECIPES, ids=[name for _, name in RECIPES])
def test_the_lines_of_the_docs_export_a_network_that_is_read(recipe, library, tmp_path):
    others.require(library.lower(), "nirtorch")
    others.ask("-c", recipe.replace('"net.nir"', repr(str(tmp_path / "net.nir"))))
    (tmp_path / "to").mkdir()
    module = written(tmp_path / "net.nir", tmp_path / "to", "--from", library.lower())
    assert (module.N_INPUT, module.N_LAYER1, module.N_OUTPUT) == (4, 30, 3)


def test_every_framework_that_from_knows_has_its_lines_in_the_docs():
    assert {name.lower() for _, name in RECIPES} == set(sources.LEFT_OPEN)


@pytest.mark.slow
@pytest.mark.parametrize("library", sources.LEFT_OPEN)
def test_layers_of_a_framework_fire_the_same_spikes(library, tmp_path):
    others.require(library, "nirtorch")
    others.ask(str(PEERS / f"{library}_layers.py"), str(tmp_path))
    files = sorted(tmp_path.glob("*.nir"))
    assert files
    for file in files:
        to = tmp_path / file.stem
        to.mkdir()
        more = ["--reset", "value"] if file.stem == "zero" else []
        module = written(file, to, "--from", library, *more)
        told = array_files.load_arrays(file.with_suffix(".npz"))
        _, output = scripts.simulate(module, scripts.samples_of(told["inputs"]))
        assert (output == told["outputs"]).mean() > 0.999


def test_a_script_runs_by_itself_and_prints_decisions(tmp_path):
    file = COMMITTED / "networks" / "masquelier-shared_yinyang.nir"
    script = tmp_path / "a script.py"
    assert main(["brian", str(file), "--to", str(script)]) == 0
    assert not re.search("(import|from) whyspiking", script.read_text())
    words = [sys.executable, "-W", "ignore", str(script), str(file.with_suffix(".npz")), "3"]
    home = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run(
        words, cwd=tmp_path, env=home, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    expected = array_files.load_arrays(file.with_suffix(".npz"))["choices"]
    lines = [f"sample {k}: {expected[k]}" for k in range(3)]
    assert done.stdout.splitlines() == [*lines, "as expected: 100.0%"]
    array_files.save_arrays({**scripts.samples_of(np.ones((1, 5, 7)))}, tmp_path / "other.npz")
    done = subprocess.run(
        [*words[:4], str(tmp_path / "other.npz")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "7 channels; expected 4" in done.stderr


REFUSED = {
    "no file": (["none.nir"], "none.nir"),
    "a readout of potentials": (["{net}", "--readout", "max"], "--readout"),
    "no such readout": (["{net}", "--readout", "most"], "'most'"),
    "a step of no time": (["{net}", "--step-ms", "0"], "--step-ms"),
    "a step beyond all numbers": (
        ["{net}", "--graph-step-ms", "1e-310"],
        "--graph-step-ms is 1e-310",
    ),
    "a height beyond all": (["{net}", "--input-scale", "1e308"], "--input-scale is 1e+308"),
    "the name of a module": (["{net}", "--to", "{tmp}/random.py"], "of its module random"),
    "a place that is none": (["{net}", "--to", "/etc/passwd/x.py"], "/etc/passwd"),
    "no script": (["{net}", "--to", "{tmp}/model.txt"], "expected the name of a script"),
    "a node that is unknown": (["{unknown}"], "type 'ALIF'"),
    "a file that is there": (["{net}", "--to", "{tmp}/there.py"], "there.py: this file exists"),
    "weights that are there": (["{net}", "--to", "{tmp}/w.py"], "w.weights.npz: this file exists"),
    "a folder": (["{net}", "--force", "--to", "{tmp}/folder.py"], "folder.py: this file exists"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_bad_wishes_are_one_message_and_write_nothing(kind, tmp_path, capsys):
    words, match = REFUSED[kind]
    unknown = write(tmp_path / "unknown.nir", *chain(n1=("ALIF", {})))
    (tmp_path / "there.py").write_text("mine")
    (tmp_path / "w.weights.npz").write_text("mine")
    (tmp_path / "folder.py").mkdir()
    before = {p: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    net = PEERS / "norse_yinyang.nir"
    words = [w.format(net=net, unknown=unknown, tmp=tmp_path) for w in words]
    to = [] if "--to" in words else ["--to", str(tmp_path / "new.py")]
    assert main(["brian", *words, *to]) == 1
    told = capsys.readouterr().err
    assert match in told and len(told.splitlines()) == 1
    assert {p: p.stat().st_mtime_ns for p in tmp_path.iterdir()} == before


@pytest.mark.parametrize("told", [{"experiment": []}, {"seed": None}, {"scale": {}}])
def test_words_beside_a_network_that_are_none_of_ours_are_left_alone(told, tmp_path):
    file = tmp_path / "net.nir"
    shutil.copy(PEERS / "norse_yinyang.nir", file)
    ours = {"talk": "goeltz", "experiment": "yinyang", "variant": "spiking", "scale": "full"}
    file.with_suffix(".json").write_text(json.dumps({**ours, "seed": 0, **told}))
    assert commands._recorded(file) == {}


def test_a_script_is_replaced_when_asked(tmp_path):
    (tmp_path / "model.py").write_text("mine")
    written(PEERS / "norse_yinyang.nir", tmp_path, "--from", "norse", "--force")
    assert "mine" not in (tmp_path / "model.py").read_text().splitlines()


def test_a_file_of_snntorch_that_is_not_told_is_warned_of(tmp_path, capsys):
    written(PEERS / "snntorch_yinyang.nir", tmp_path)
    assert "--from snntorch" in capsys.readouterr().err


def test_the_page_shows_what_is_written(tmp_path):
    """Made anew: put there what this test writes."""
    written(PEERS / "snntorch_yinyang.nir", tmp_path, "--from", "snntorch")
    assert (tmp_path / "model.py").read_text() == EXAMPLE.read_text(encoding="utf-8")
