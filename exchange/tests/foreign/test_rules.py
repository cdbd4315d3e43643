"""A learning rule of one's own on a shared task: the example of docs/, and what is refused."""

import hashlib
import importlib.util
import re
import sys

import numpy as np
import pytest
from made.checkouts import ROOT

from whyspiking.brian import Machine
from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network
from whyspiking.declared import community_file
from whyspiking_exchange.__main__ import main
from whyspiking_exchange.foreign import job, measuring, rules, tasks
from whyspiking_exchange.nir import arranging
from whyspiking_exchange.nir.graph import write
from whyspiking_exchange.nir.model import Steps

EXAMPLE = ROOT / "docs" / "three_factor.py"


def example():
    spec = importlib.util.spec_from_file_location("three_factor", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_example_is_short():
    assert len(EXAMPLE.read_text(encoding="utf-8").splitlines()) <= 60


def test_an_eligibility_is_the_slope_of_smoothed_spikes():
    """Without reset: of a primitive of psi, summed over steps, by finite differences."""
    module, rng = example(), np.random.default_rng(0)
    x, a = (rng.random((3, 20, 4)) < 0.2).astype(np.uint8), 0.2

    def potentials(w):
        v = [np.zeros((3, 2))]
        for now in x.transpose(1, 0, 2):
            v.append((1 - a) * v[-1] + a * (now @ w))
        return np.array(v[1:])

    def smoothed(w):
        u = np.clip((potentials(w) - 1) / module.WIDTH, -1, 1)
        return (module.WIDTH * (u - np.sign(u) * u**2 / 2)).sum(0)

    w = rng.uniform(0, 1, (4, 2))
    w *= 0.95 / potentials(w).max()  # no neuron reaches the threshold
    count, told = module.forward(x, w, a)
    assert not count.any() and told.max() > 0.1
    for i, j in np.ndindex(w.shape):
        step = np.zeros_like(w)
        step[i, j] = 1e-6
        slope = (smoothed(w + step) - smoothed(w - step))[:, j] / 2e-6
        np.testing.assert_allclose(told[:, i, j], slope, atol=1e-5)


def test_one_command_learns_measures_and_ranks(tmp_path, capsys):
    to = tmp_path / "out"
    words = ["rule", str(EXAMPLE), "--task", "yinyang", "--scale", "smoke", "--to", str(to)]
    assert main(words) == 0
    told = capsys.readouterr().out
    names = {"metrics.csv", "network.nir", "report.html", "row.json"}
    assert {p.name for p in to.iterdir() if p.name[0] != "."} == names
    ranked = re.findall(r"^ +(\d+\.\d) %  (.+)$", told, re.MULTILINE)
    assert "three_factor (this)" in dict(map(reversed, ranked)) and len(ranked) > 10
    assert [float(x) for x, _ in ranked] == sorted((float(x) for x, _ in ranked), reverse=True)
    row = community_file.read(to / "row.json")
    assert row.name == "three_factor" and row.says.startswith("A three-factor rule")
    assert row.neurons == 23 and row.made.readout == "last"
    digest = hashlib.sha256((to / "network.nir").read_bytes()).hexdigest()
    assert row.made.sha256 == digest
    assert main(words) == 1 and "exists already" in capsys.readouterr().err


def test_the_network_does_in_brian2_what_the_rule_computed(builds, capsys):
    """Accuracy on the validation data as the rule last said, from its graph."""
    params = tasks.params_of("yinyang", job.config_at("smoke"), seed=0)
    train, validation = (rules._spikes(params, split) for split in rules.SPLITS)
    graph = example().learn(rules.Lesson(train, validation, 20, 3, 2), np.random.default_rng(0))
    said = float(re.findall(r"([\d.]+)%", capsys.readouterr().out)[-1])
    file = builds / "three_factor.nir"
    write(graph, file)
    layers = arranging.read(file)
    setting = measuring.setting_of(
        layers, params, steps=Steps(1.0, 1.0), readout="last", asked_ms=None, bias_ms=()
    )
    foreign = tasks.Foreign(layers, setting)
    task = foreign.make_task(params, "validation", Streams(0))
    machine = Machine(foreign.to_brian(params), builds)
    recording = machine.run(task.stimulus, foreign.bind(params, Network({})).values)
    choices = foreign.decode(params, recording, task).choices
    assert 100 * (choices == task.targets).mean() == pytest.approx(said, abs=0.051)


REFUSED = {
    "no file": ("none.py", ["--task", "yinyang"], "none.py"),
    "no function": ("x = 1", ["--task", "yinyang"], "no function 'learn'"),
    "no graph": ("def learn(a, b): return 3", ["--task", "yinyang"], "returned int"),
    "another task": ("1 / 0", ["--task", "mnist"], "mnist"),
    "no task": ("1 / 0", ["--task", "xor"], "--task is 'xor'"),
    "a seed below 0": ("1 / 0", ["--task", "yinyang", "--seed", "-1"], "--seed"),
    "a readout of spikes": (
        EXAMPLE.read_text().replace('"last"', '"first"'), ["--task", "yinyang"], "--readout"
    ),
    "no readout": (
        "READOUT = 'most'\ndef learn(a, b): 1 / 0", ["--task", "yinyang"], "READOUT in the file"
    ),
    "tags": (
        "'A rule of <b>.'\ndef learn(a, b): 1 / 0", ["--task", "yinyang"], "'says' is 'A rule"
    ),
    "no place": (
        "def learn(a, b): 1 / 0", ["--task", "yinyang", "--to", "/proc/x/y"], "--to is /proc"
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_rule_is_one_message_and_leaves_nothing(kind, tmp_path, capsys, monkeypatch):
    code, words, match = REFUSED[kind]
    file = tmp_path / "rule.py"
    if code.endswith(".py"):
        file = tmp_path / code
    else:
        file.write_text(code)
    monkeypatch.setattr(measuring, "Machine", None)
    to = ["--to", str(tmp_path / "out"), "--scale", "smoke"]
    assert main(["rule", str(file), *to, *words]) == 1
    told = capsys.readouterr().err
    assert match in told and len(told.splitlines()) == 1 and "/whyspiking-" not in told
    assert not (tmp_path / "out").exists()


ORDINARY = """\
from __future__ import annotations
from dataclasses import dataclass
import beside_the_rule
@dataclass
class State:
    w: float
    other: State | None = None
def learn(lesson, rng):
    return State(beside_the_rule.HALF)
"""


def test_ordinary_python_runs(tmp_path, monkeypatch):
    """Data classes with annotations of their own, and a module beside the rule."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "beside_the_rule.py").write_text("HALF = 0.5")
    (tmp_path / "mine.py").write_text(ORDINARY)
    assert rules._loaded(tmp_path / "mine.py").learn(None, None).w == 0.5
