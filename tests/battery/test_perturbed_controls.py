"""The counterpart of the battery for controls, and contrasts of two variants, on the toy talk."""

import numpy as np
import pandas as pd
import pytest
from made.toy_talk import SPIKES_ONLY, K, mlp, probe, spiking_network, talk, value

from whyspiking.battery import control
from whyspiking.contract.types import Network
from whyspiking.records import columns, tables
from whyspiking.training import controls
from whyspiking.verdicts import contrasts

# Controls


def test_a_control_gets_the_counterpart():
    names = (*SPIKES_ONLY, "quantise", "mismatch")
    table, _, machine = probe(names, {("mlp", 0): mlp(), ("spiking", 0): spiking_network()})
    own = tables.where(table, variant="mlp")
    assert set(own["engine"]) == {"jax"}
    assert value(own, "macs_dense") == 32
    assert value(own, "macs_effective") == 8.0
    assert value(own, "synapses") == 8
    assert value(own, "neuron_updates") == 8
    assert value(own, "activation_sparsity") == 0.0
    assert set(own["perturbation"]) == {"none", "delete", "quantise", "mismatch"}
    place = {"perturbation": "delete", "locus": "hidden"}
    assert value(own, "score", **place, strength=1.0) == pytest.approx(0.25, abs=0.15)
    assert 0.6 < value(own, "score", **place, strength=0.2) < 0.95
    assert value(own, "bits95", perturbation="quantise", locus="weights") == 2
    # The clean score of a control is measured where it is trained.
    assert tables.where(own, metric="accuracy", perturbation="none").empty
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
    place = {"perturbation": "quantise", "locus": "weights", "strength": 8}
    assert value(own, "score", **place) == pytest.approx(1 / K, abs=0.15)


def test_forward_and_operations_by_hand():
    arrays = {
        "w0": np.array([[1.0, -1.0], [0.0, 2.0]]),
        "b0": np.array([0.0, -1.0]),
        "w1": np.array([[1.0, 0.0], [0.0, 3.0]]),
    }
    x = np.array([[1.0, 1.0], [2.0, 0.0]])
    layers = controls.forward(arrays, x)
    assert layers[1].tolist() == [[1.0, 0.0], [2.0, 0.0]]
    assert layers[2].tolist() == [[1.0, 0.0], [2.0, 0.0]]
    counts = control.count_operations(arrays, x)
    # Input: fan-outs 2 and 1, trials (3, 2); hidden: unit 0 active in both, one weight.
    assert counts["macs_effective"] == (3 + 2) / 2 + 1
    assert counts["macs_dense"] == 8
    assert counts["activation_sparsity"] == 0.5
    assert counts["connection_sparsity"] == 3 / 8


def test_other_controls_keep_their_stated_counts():
    stated = Network({"phi": np.zeros(3)}, {"engine": "numpy", "counts": {"macs_effective": 12.0}})
    table, _, _ = probe((), {("linear", 0): stated, ("spiking", 0): spiking_network()})
    own = tables.where(table, variant="linear")
    assert value(own, "macs_effective") == 12.0
    assert len(own) == 1


def test_a_control_of_the_talk_is_not_guessed_at():
    own = mlp()
    del own.info["is"]
    table, _, _ = probe((), {("mlp", 0): own, ("spiking", 0): spiking_network()})
    assert tables.where(table, variant="mlp").empty


# Contrasts of two variants


def test_contrasts_between_spiking_network_and_control(energy_config):
    names = ("delete", "quantise")
    networks = {
        (variant, seed): make()
        for seed in (0, 1)
        for variant, make in (("spiking", spiking_network), ("mlp", mlp))
    }
    table, _, _ = probe(names, networks)
    rows = contrasts.cross_rows(table, talk(names), {"energy": energy_config})
    added = pd.DataFrame(rows, columns=columns.METRICS.names)
    tables.check_metrics(added, "test")
    assert set(added["seed"]) == {0, 1}
    place = {"seed": 0, "locus": "mlp", "perturbation": "ops_fp32"}
    # 8 MACs of 4.6 pJ against 8 accumulations of 0.9 pJ.
    assert value(added, "energy_ratio", **place) == pytest.approx(4.6 / 0.9)
    assert value(added, "density_break_even", **place) == pytest.approx(4.6 / 0.9)
    place = {"seed": 0, "perturbation": "ops_fp32", "variant": "spiking"}
    assert value(added, "energy", **place) == pytest.approx(8 * 0.9)
    advantage = value(
        added, "robustness_advantage", seed=1, perturbation="delete", locus="hidden/mlp"
    )
    areas = [
        value(table, "robustness_area", seed=1, perturbation="delete", locus="hidden", variant=name)
        for name in ("spiking", "mlp")
    ]
    assert advantage == pytest.approx(areas[0] - areas[1])
    assert not tables.where(added, metric="energy_ratio_variation").empty
    keys = [c for c in columns.METRICS.names if c not in ("value", "unit", "trials")]
    assert not added.duplicated(keys).any()


def test_no_control_no_ratio(energy_config):
    table, _, _ = probe(())
    rows = contrasts.cross_rows(table, talk(()), {"energy": energy_config})
    assert {row["metric"] for row in rows} == {"energy"}
