"""Our counts against those of the package neurobench, where it is here (see test_networks.py)."""

import json
from pathlib import Path

import numpy as np
import pytest
from made import others
from made.measured import row, rows, table

from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Layer
from whyspiking.measures import counting
from whyspiking.records import glossary, tables
from whyspiking_exchange.export import neurobench

COUNTS = Path(__file__).parents[3] / "tests" / "peers" / "neurobench_counts.py"
THRESHOLD = 3.0


def trains(raster):
    trial, step, unit = np.nonzero(raster)
    n_trials, n_steps, n_units = raster.shape
    return Spikes.sorted(
        step.astype(float), unit, trial, n_trials=n_trials, n_units=n_units, duration_ms=n_steps
    )


def network(rng):
    """A network with weights of which a third is zero, and inputs that fire at most once."""
    layers = {}
    for name, shape in (("w_hidden", (40, 30)), ("w_output", (30, 10))):
        w = rng.normal(0.4, 1.0, shape).astype(np.float32)
        w[rng.random(shape) < 1 / 3] = 0
        layers[name] = w
    inputs = np.zeros((20, 25, 40), np.uint8)
    trial, channel = np.nonzero(rng.random((20, 40)) < 0.7)
    inputs[trial, rng.integers(0, 25, trial.size), channel] = 1
    return layers, inputs


def theirs(tmp_path, layers, inputs):
    source, target = tmp_path / "network.npz", tmp_path / "found.json"
    np.savez(source, allow_pickle=False, inputs=inputs, threshold=THRESHOLD, **layers)
    others.require("neurobench")
    others.ask(str(COUNTS), str(source), str(target))
    with np.load(f"{target}.npz") as file:
        return json.loads(target.read_text()), file["hidden"]


@pytest.mark.slow
def test_counts_are_those_of_neurobench(tmp_path):
    layers, inputs = network(np.random.default_rng(0))
    found, hidden = theirs(tmp_path, layers, inputs)
    described = {
        "s_hidden.w": Layer("input", "hidden", layers["w_hidden"]),
        "s_output.w": Layer("hidden", "output", layers["w_output"], "readout"),
    }
    spikes = {"input": trains(inputs), "hidden": trains(hidden)}
    assert len(spikes["hidden"]) > 100
    ours = counting.count(spikes, ["input"], described, dt_ms=1.0)
    operations = found["SynapticOperations"]
    assert operations["Effective_ACs"] == pytest.approx(ours["syn_events"], rel=1e-6)
    assert operations["Effective_MACs"] == ours["macs_effective"] == 0
    assert found["ConnectionSparsity"] == pytest.approx(ours["connection_sparsity"], abs=5e-5)
    n_weights = sum(w.size for w in layers.values())
    # Dense: all weights in every step. Ours is measured of controls only.
    assert operations["Dense"] == n_weights * inputs.shape[1]
    # Thresholds are buffers there and values of the neurons here.
    values = {
        "hidden.v_th": np.full(30, THRESHOLD),
        "output.v_th": np.full(10, THRESHOLD),
    }
    assert found["Footprint"] == counting.footprint(described, values)
    # Theirs counts the outputs too, ours does not: at equal populations the numbers agree.
    silent = found["ActivationSparsity"] * inputs.shape[0] * inputs.shape[1] * 40
    fired = inputs.shape[0] * inputs.shape[1] * 40 - silent - len(spikes["hidden"])
    assert 0 <= round(fired) <= inputs.shape[0] * 10, "each output fires at most once"
    ours_silent = ours["activation_sparsity"] * inputs.shape[0] * inputs.shape[1] * 30
    assert ours_silent == pytest.approx(inputs.shape[0] * inputs.shape[1] * 30 - hidden.sum())


@pytest.mark.slow
def test_analogue_inputs_are_macs_on_both_sides(tmp_path):
    rng = np.random.default_rng(1)
    layers, inputs = network(rng)
    analogue = np.where(inputs, rng.uniform(0.2, 0.8, inputs.shape), 0).astype(np.float32)
    # Every step must hold an analogue value, or the package takes the step for spikes.
    analogue[0, :, 0] = 0.5
    found, hidden = theirs(tmp_path, layers, analogue)
    described = {
        "s_hidden.w": Layer("input", "hidden", layers["w_hidden"]),
        "s_output.w": Layer("hidden", "output", layers["w_output"], "readout"),
    }
    ours = counting.count(
        {"hidden": trains(hidden)}, [], described, dt_ms=1.0, arrays={"input": analogue}
    )
    operations = found["SynapticOperations"]
    assert operations["Effective_MACs"] == pytest.approx(ours["macs_effective"], rel=1e-6)
    assert operations["Effective_ACs"] == pytest.approx(ours["syn_events"], rel=1e-6)


def test_results_carry_the_names_of_neurobench(tmp_path):
    place = {"talk": "a", "experiment": "b"}
    parts = [
        rows([accuracy, accuracy + 1 / 8], engine=engine, **place)
        for engine, accuracy in (("jax", 0.5), ("brian2", 0.75))
    ]
    counted = row({"syn_events": 12.0}, **place)
    tables.write_metrics(table(*parts, counted), tmp_path / "a" / "metrics.csv")
    (tmp_path / "manifest.json").write_text(json.dumps({"config": {"talks": ["a"]}}))
    found = json.loads(neurobench.write(tmp_path).read_text())["networks"]["a.b.spiking"]
    assert found["SynapticOperations.Effective_ACs"] == 12
    assert found["ClassificationAccuracy"] == 0.8125, "Brian2 counts, mean over seeds"


def test_every_name_is_a_metric_of_ours():
    assert set(neurobench.NAMES) <= set(glossary.GLOSSARY)
    assert set(neurobench.DIFFERENCES) <= set(neurobench.NAMES.values())
