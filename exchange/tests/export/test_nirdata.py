"""Samples as NIRData: what the file holds, and what the package nir reads of it."""

import shutil
from pathlib import Path

import h5py
import nir
import numpy as np
import pytest
from made.checkouts import ROOT

from whyspiking.errors import UserError
from whyspiking.records import array_files
from whyspiking_exchange.export import nirdata
from whyspiking_exchange.export.__main__ import main
from whyspiking_exchange.export.networks import EVENTS

NETWORKS = ROOT / "results" / "reference" / "networks"


@pytest.fixture
def samples(tmp_path):
    return shutil.copy(NETWORKS / "goeltz-shared_yinyang.npz", tmp_path / "some.npz")


def test_every_spike_is_an_event_in_the_middle_of_its_step(samples, capsys):
    assert main(["nirdata", str(samples)]) == 0
    assert capsys.readouterr().out.strip() == str(samples.with_suffix(".h5"))
    given = array_files.load_arrays(samples)
    with h5py.File(samples.with_suffix(".h5")) as file:
        events = file["nodes/input/observables/spikes"]
        idx, time = events["idx"][()], events["time"][()]
        assert events.attrs["n_neurons"] == given["shape"][2]
    there = idx >= 0
    assert np.isinf(time[~there]).all() and there.sum() == len(given["trials"])
    steps = time[there] / (given["step_ms"] * 1e-3) - 0.5
    found = np.stack([np.nonzero(there)[0], steps, idx[there]])
    expected = np.stack([given[key] for key in EVENTS])
    in_order = (x[:, np.lexsort(np.rint(x)[::-1])] for x in (found, expected))
    np.testing.assert_allclose(*in_order, atol=1e-6)


@pytest.mark.parametrize("name", ["goeltz-shared_yinyang", "neftci-shared_randman"])
def test_nir_reads_the_same_raster(name, tmp_path):
    samples = shutil.copy(NETWORKS / f"{name}.npz", tmp_path / "some.npz")
    given = array_files.load_arrays(samples)
    data, graph = nir.read_data(nirdata.write(samples)), nir.read(NETWORKS / f"{name}.nir")
    data.check_nodes(graph)
    found = data.nodes["input"].observables["spikes"].to_time_gridded(given["step_ms"] * 1e-3)
    expected = np.zeros(given["shape"], bool)
    expected[tuple(given[key] for key in EVENTS)] = True
    np.testing.assert_array_equal(found.data, expected)


SPOILT = {
    "a trial too many": {"trials": np.array([10**6])},
    "below 0": {"channels": np.array([-1])},
    "one axis": {"shape": np.array([5])},
    "no end": {"shape": np.array([10**12, 10, 5])},
}


@pytest.mark.parametrize("kind", SPOILT)
def test_events_outside_of_their_shape_are_refused(kind, samples):
    given = array_files.load_arrays(samples)
    one = {key: given[key][:1] for key in EVENTS}
    array_files.save_arrays({**given, **one, **SPOILT[kind]}, samples)
    with pytest.raises(UserError, match=r"events do not lie within 'shape' .* write the samples"):
        nirdata.write(Path(samples))


def test_what_is_no_samples_is_refused(tmp_path):
    array_files.save_arrays({"choices": np.zeros(3)}, tmp_path / "some.npz")
    with pytest.raises(UserError, match="trials, steps, channels, shape, step_ms is missing"):
        nirdata.write(tmp_path / "some.npz")
    assert [p.name for p in tmp_path.iterdir()] == ["some.npz"]
