"""The counterpart of the battery for controls, on the toy talk."""

import numpy as np
import pytest
from made.toy_talk import SPIKES_ONLY, K, mlp, probe, spiking_network, value

from whyspiking.battery import control
from whyspiking.contract.types import Network
from whyspiking.records import tables
from whyspiking.training import controls

# Controls


def test_a_control_gets_the_counterpart():
    names = (*SPIKES_ONLY, "quantise", "mismatch")
    table, _, machine = probe(names, {("mlp", 0): mlp(), ("spiking", 0): spiking_network()})
    own = tables.where(table, variant="mlp")
    assert set(own["engine"]) == {"jax"}
    clean = tables.where(own, perturbation="none")
    counts = {"macs_dense": 32, "macs_effective": 8.0, "synapses": 8, "neuron_updates": 8}
    found = dict(zip(clean["metric"], clean["value"], strict=True))
    # The clean score of a control is measured where it is trained, so there is none here.
    assert found == {
        **counts, "activation_sparsity": 0.0, "connection_sparsity": 0.75, "footprint": 160.0,
    }  # fmt: skip
    assert set(own["perturbation"]) == {"none", "delete", "quantise", "mismatch"}
    place = {"perturbation": "delete", "location": "hidden"}
    assert value(own, "score", **place, strength=1.0) == pytest.approx(0.25, abs=0.15)
    assert 0.6 < value(own, "score", **place, strength=0.2) < 0.95
    assert value(own, "bits95", perturbation="quantise", location="weights") == 2
    assert machine.calls


def test_a_control_is_shown_what_it_was_trained_on():
    """One that sees a mask is counted and perturbed on the mask; all features are above 0 here."""
    told = mlp()
    told.info["sees"] = "mask"
    told.arrays["w0"] = np.diag([1.0, 2.0, 3.0, 4.0])[:K, :K]
    table, _, _ = probe(("quantise",), {("mlp", 0): told, ("spiking", 0): spiking_network()})
    own = tables.where(table, variant="mlp")
    assert value(own, "macs_effective") == 2 * K, "one synapse per unit and layer"
    # Whatever the brightness, the largest weight wins: chance.
    place = {"perturbation": "quantise", "location": "weights", "strength": 8}
    assert value(own, "score", **place) == pytest.approx(1 / K, abs=0.15)


def test_forward_and_operations_by_hand():
    arrays = {
        "w0": np.array([[1.0, -1.0], [0.0, 2.0]]),
        "b0": np.array([0.0, -1.0]),
        "w1": np.array([[1.0, 0.0], [0.0, 3.0]]),
    }
    x = np.array([[1.0, 1.0], [2.0, 0.0]])
    layers = controls.forward(arrays, x)
    assert layers[1].tolist() == layers[2].tolist() == [[1.0, 0.0], [2.0, 0.0]]
    # Input: fan-outs 2 and 1, trials (3, 2); hidden: unit 0 active in both, one weight.
    expected = {"macs_effective": (3 + 2) / 2 + 1, "macs_dense": 8, "activation_sparsity": 0.5}
    expected["connection_sparsity"] = 3 / 8
    counts = control.count_operations(arrays, x)
    assert {name: counts[name] for name in expected} == expected


@pytest.mark.parametrize("stated", [{}, {"macs_effective": 12.0}])
def test_other_controls_keep_their_stated_counts_and_nothing_else(stated):
    own = Network({"phi": np.zeros(3)}, {"engine": "numpy", "counts": stated})
    table, _, _ = probe((), {("linear", 0): own, ("spiking", 0): spiking_network()})
    rows = tables.where(table, variant="linear")
    assert dict(zip(rows["metric"], rows["value"], strict=True)) == stated
