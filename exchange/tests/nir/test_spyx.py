"""Shipped networks in spyx (NIR in JAX) and in Brian2, where spyx is here.

Its reader alone takes no shipped file as it is: `peers/spyx_reader.py` says what it cannot read,
and what is done about it. Files of neftci, bohte and scherr are left out: spyx takes a leaky
integrator (LI) only right before a Threshold.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from made import others
from made.checkouts import ROOT

from whyspiking.records import array_files
from whyspiking_exchange.export import networks
from whyspiking_exchange.nir.layers import first_step, first_to_fire

pytestmark = pytest.mark.slow
READER = Path(__file__).parents[3] / "tests" / "peers" / "spyx_reader.py"
SHIPPED = ROOT / "results" / "reference" / "networks"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("goeltz-shared_yinyang", "CubaLIF"), ("comsa-shared_yinyang", "CubaLIF"),
     ("masquelier-published", "IF")],
)  # fmt: skip
def test_shipped_networks_decide_the_same_in_spyx_and_brian2(name, kind, tmp_path):
    others.require("spyx", "nir")
    graph, samples = SHIPPED / f"{name}.nir", SHIPPED / f"{name}.npz"
    assert kind in json.loads(graph.with_suffix(".json").read_text())["nodes"]
    others.ask(str(READER), str(graph), str(samples), str(tmp_path / "out.npz"))
    given = array_files.load_arrays(samples)
    in_brian2 = first_step(networks.outputs_in_brian2(graph, given, tmp_path / "builds"))
    with np.load(tmp_path / "out.npz", allow_pickle=False) as file:
        in_spyx = first_step(file["outputs"])
    never = int(given["shape"][1])
    decisions = first_to_fire(in_spyx, never)
    assert set(decisions) >= set(given["targets"]), "every class is decided for"
    np.testing.assert_array_equal(decisions, first_to_fire(in_brian2, never))
    # What files are shipped by; two of 200 differ for goeltz, in both readers the same.
    assert np.mean(decisions == given["choices"]) >= 0.99
    # Single precision moves spikes of neurons that barely reach the threshold, by a few steps.
    together = np.mean(in_spyx == in_brian2)
    assert together == 1 if kind == "IF" else together > 0.95
