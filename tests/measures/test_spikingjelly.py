"""Counts and energies against SpikingJelly's operation counters, where SpikingJelly is installed.

Both sides agree on synaptic operations of full weights, multiply-accumulates of inputs without a
zero, prices of 8-bit operations, reads of weights and updates of neurons. The tests say where they
differ: SpikingJelly counts weights and analogue inputs that are zero. It also counts additions
inside neurons as accumulates, which are updates of neurons here; the cost model `updates_free`
leaves these out.
"""

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from made import others
from made.project import config

from whyspiking.contract.counts import Counts
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Layer
from whyspiking.measures import accounting, counting

pytestmark = pytest.mark.slow
COUNTS = Path(__file__).parents[1] / "peers" / "spikingjelly_counts.py"
TRIALS, STEPS, N_IN, N, N_OUT = 20, 25, 40, 30, 10
WORD = 4  # bytes of a float32
ADDITIONS = 4
"""Of an IFNode with hard reset in a step: input, distance from threshold, and two of the reset."""


def weights(rng, zeros):
    found = {}
    for name, shape in (("w_hidden", (N_IN, N)), ("w_output", (N, N_OUT))):
        w = rng.normal(0.4, 1.0, shape).astype(np.float32)
        found[name] = np.where(rng.random(shape) < zeros, np.float32(0), w)
    return found


def both(folder, inputs, layers):
    """What SpikingJelly counts in all trials, and we in one; spikes of the hidden layer."""
    others.require("torch", "spikingjelly")
    source, target = folder / "in.npz", folder / "out.json"
    np.savez(source, allow_pickle=False, inputs=inputs, threshold=3.0, **layers)
    others.ask(str(COUNTS), str(source), str(target))
    with np.load(f"{target}.npz", allow_pickle=False) as file:
        hidden = Spikes.from_raster(file["hidden"], 1.0)
    analogue = not np.isin(inputs, (0, 1)).all()
    trains = {"hidden": hidden} | ({} if analogue else {"input": Spikes.from_raster(inputs, 1.0)})
    described = {
        "s_hidden.w": Layer("input", "hidden", layers["w_hidden"]),
        "s_output.w": Layer("hidden", "output", layers["w_output"], "readout"),
    }
    arrays = {"input": inputs} if analogue else {}
    ours = counting.count(trains, ["input"], described, dt_ms=1.0, arrays=arrays)
    assert len(hidden) > 1000
    return json.loads(target.read_text()), ours, hidden


def check_energy(theirs, ours, prices):
    """Compare energies in pJ without additions inside neurons, reads of weights, and updates."""
    counted, within = theirs["counts"], ADDITIONS * TRIALS * ours["neuron_updates"]
    assert counted["ac"] - counted["synop"] == within
    none = dict.fromkeys((field.name for field in fields(Counts)), 0.0)
    operations = {"acs": ours["syn_events"], "macs": ours["macs_effective"]}
    account = accounting.ACCOUNTS["free_updates"]
    expected = TRIALS * accounting.energy(Counts(**none | operations), account, prices)
    pj = theirs["energy"]
    inside = within * prices["operations_pj"]["add_int8"]
    assert pj["mac_pj"] + pj["ac_pj"] - inside == pytest.approx(expected)
    # SpikingJelly reads and writes every membrane in every step.
    moved = {counted[f"neuron_state_{way}_bytes"] for way in ("read", "write")}
    assert moved == {WORD * TRIALS * ours["neuron_updates"]}
    assert counted["weight_read_bytes"] == WORD * (counted["synop"] + counted["mac"])


def test_synaptic_operations_and_energy_are_those_of_spikingjelly(tmp_path):
    rng = np.random.default_rng(0)
    inputs = (rng.random((TRIALS, STEPS, N_IN)) < 0.03).astype(np.uint8)
    theirs, ours, _ = both(tmp_path, inputs, weights(rng, zeros=0))
    assert theirs["counts"]["synop"] == pytest.approx(TRIALS * ours["syn_events"], rel=1e-12)
    assert theirs["counts"]["mac"] == ours["macs_effective"] == 0
    check_energy(theirs, ours, config()["energy"])


def test_spikingjelly_counts_weights_that_are_zero(tmp_path):
    rng = np.random.default_rng(1)
    inputs = (rng.random((TRIALS, STEPS, N_IN)) < 0.03).astype(np.uint8)
    theirs, ours, hidden = both(tmp_path, inputs, weights(rng, zeros=1 / 3))
    assert theirs["counts"]["synop"] == inputs.sum() * N + len(hidden) * N_OUT
    assert 0.6 < TRIALS * ours["syn_events"] / theirs["counts"]["synop"] < 0.73, "two thirds"


def test_analogue_inputs_are_macs_on_both_sides(tmp_path):
    rng = np.random.default_rng(2)
    inputs = rng.uniform(-0.2, 0.3, (TRIALS, STEPS, N_IN))
    layers = weights(rng, zeros=0)
    theirs, ours, _ = both(tmp_path, inputs, layers)
    assert theirs["counts"]["mac"] == TRIALS * ours["macs_effective"] == inputs.size * N
    check_energy(theirs, ours, config()["energy"])
    sparse = np.where(rng.random(inputs.shape) < 0.5, 0, inputs * 2)
    assert counting.analogue_macs(sparse, layers["w_hidden"]) < 0.6 * ours["macs_effective"]
    assert both(tmp_path, sparse, layers)[0]["counts"]["mac"] == inputs.size * N
