"""Bohte: both networks that the authors released, read, refused, and in both engines."""

import hashlib
from dataclasses import replace

import jax
import numpy as np
import pytest
from made.fulfilled import fulfilled, task_of
from made.project import params_of, silent
from oracles import bohte_alif

from whyspiking.brian import Machine
from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network
from whyspiking.datasets.released import File, Stored
from whyspiking.errors import UserError
from whyspiking.talks.bohte import (
    brian_network,
    measures_released_pixels,
    released_ecg,
    released_layers,
    released_pixels,
    task,
)
from whyspiking_exchange.nir import Clock, NotExpressible
from whyspiking_exchange.talks import bohte as nir

ECG = params_of("bohte", "released", n_hidden=[7], n_test=4, n_steps=120)
SIZES = {"n_input": 24, "n_hidden": [6, 5, 4], "n_output": 3, "n_steps": 60, "n_test": 2}
PIXELS = params_of("bohte", "released_smnist", **SIZES)
BOTH = [(ECG, released_ecg.RELEASED, 4), (PIXELS, released_pixels.RELEASED, 3)]


def saved(params, own, n_input):
    """Arrays as in the authors' file, of another network."""
    rng, found = np.random.default_rng(5), {}
    sizes = [n_input, *params.n_hidden, params.n_output]
    for layer, m, n in zip(own.layers, sizes, sizes[1:], strict=False):
        found[f"{layer.into}.weight"] = rng.normal(0.4, 1.2, (n, m))
        found[f"{layer.into}.bias"] = rng.normal(0.1, 0.3, n)
        if layer.within:
            found[f"{layer.within}.weight"] = rng.normal(0, 0.7, (n, n))
            found[f"{layer.within}.bias"] = rng.normal(0, 0.2, n)
        if layer.tau_mem:
            found[layer.tau_mem] = rng.uniform(3, 30, n)
        found[layer.tau_adapt] = rng.uniform(20, 200, n)
    return found


def by_hand(params, own, at, x, membranes, fired=(0.0,) * 4):
    """The published update for one trial (time, channel): spikes and membranes of every layer."""
    told = []
    for k, layer in enumerate(own.layers):
        x = x @ at[f"{layer.into}.weight"].T + at[f"{layer.into}.bias"]
        x = x + (at[f"{layer.within}.bias"] if layer.within else 0)
        w_rec = at[f"{layer.within}.weight"].T if layer.within else 0.0
        tau_mem = at[layer.tau_mem] if layer.tau_mem else params.tau_mem
        decays = np.exp(-1 / tau_mem), np.exp(-1 / at[layer.tau_adapt])
        beta = 1.8 * layer.adapts
        told.append(bohte_alif.run(x, w_rec, *decays, 0.01, beta, membranes[k], fired[k]))
        x = told[-1][0]
        assert 0.02 < x.mean() < 0.95
    return [list(each) for each in zip(*told, strict=True)]


def test_both_engines_follow_the_published_update_on_electrocardiograms(builds):
    at = saved(*BOTH[0])
    net = Network(released_layers.parse(Stored("file", at), ECG, released_ecg.RELEASED, 4), {})
    test = task_of(ECG)
    x = task.raster(ECG, test)
    machine = Machine(fulfilled(ECG).to_brian(ECG), builds)
    recording = machine.run(test.stimulus, fulfilled(ECG).bind(ECG, net).values)
    with jax.enable_x64(True):
        hidden, output = released_ecg.courses(ECG, net.arrays, x.astype(np.float64))
    for trial, events in enumerate(x):
        spikes, membranes = by_hand(ECG, released_ecg.RELEASED, at, events, (0.5, 0.0))
        np.testing.assert_array_equal(np.asarray(hidden.spikes)[:, trial], spikes[0])
        simulated = brian_network.raster(ECG, recording, 0)[trial]
        np.testing.assert_array_equal(simulated, spikes[0] > 0)
        np.testing.assert_allclose(np.asarray(output.u)[:, trial], membranes[1], atol=1e-11)
        told = brian_network.outputs(ECG, recording)[trial]
        np.testing.assert_allclose(told, membranes[1], atol=1e-11)


@pytest.mark.parametrize("drawn", [False, True])
def test_the_network_of_digits_follows_the_published_update(drawn):
    """From rest, and from the notebook's states: a number for membrane and spike of a neuron."""
    at = saved(*BOTH[1])
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (2, 784)).astype(np.uint8)
    starts = [drawn * rng.random((2, n)) for n in (6, 5, 4, 3)]
    arrays = released_layers.parse(Stored("file", at), PIXELS, released_pixels.RELEASED, 3)
    arrays["w_in_0"] = released_pixels.weights_of_bits(arrays["w_in_0"])
    x = released_pixels.shown(PIXELS, images)
    found = released_pixels.spikes(PIXELS, arrays, x, starts if drawn else None)
    for trial, image in enumerate(images):
        x = np.array([image[t : t + 3] / 255 for t in range(60)])
        own = [start[trial] for start in starts]
        spikes, _ = by_hand(PIXELS, released_pixels.RELEASED, at, x, own, own)
        for layer, expected in zip(found, spikes, strict=True):
            # Single against double precision.
            assert (layer[trial] == expected).mean() > 0.995
    if drawn:
        resting = released_pixels.spikes(PIXELS, arrays, released_pixels.shown(PIXELS, images))
        assert (resting[0][:, :3] != found[0][:, :3]).any()


def test_the_last_steps_see_the_last_pixels():
    images = np.zeros((1, 784), np.uint8)
    images[0, 781:] = [1, 2, 255]
    x = released_pixels.shown(replace(PIXELS, values={**PIXELS.values, "n_steps": 784}), images)
    windows = (x.reshape(784, 3, 8) * 2 ** np.arange(8)).sum(axis=2)
    assert windows[-4:].tolist() == [[0, 1, 2], [1, 2, 255], [1, 2, 255], [1, 2, 255]]
    assert not windows[:779].any()


def test_the_estimate_of_energy_counts_what_the_network_of_digits_does():
    """Eqs. 14 and 15 written out."""
    prices = {"mac": 3.2, "add": 0.1}
    sizes = [8, 64, 256, 256, 10]
    lstm = sum(4 * (m * n + n * n) + 17 * n for m, n in ((8, 64), (64, 256)))
    lstm += 256 * 256 + 256 * 10
    busy = measures_released_pixels.ratio(sizes, [0.1, 0.2, 0.3], prices)
    adds = 64 * 64 * 0.1 + 64 * 256 * 0.1 + 256 * 256 * 0.2 + 256 * 256 * 0.2 + 2560 * 0.3
    assert busy == pytest.approx(3.2 * lstm / (3.2 * (8 * 64 + 2 * 586) + 0.1 * adds))


@pytest.mark.parametrize(("params", "own", "n_input"), BOTH)
def test_a_file_that_lacks_an_array_is_refused(params, own, n_input):
    at, name = saved(params, own, n_input), own.layers[-1].tau_adapt
    del at[name]
    with pytest.raises(UserError, match=f"no array '{name}'"):
        released_layers.parse(Stored("file", at), params, own, n_input)


def test_without_the_authors_records_their_network_is_not_available(tmp_path, monkeypatch):
    np.savez(tmp_path / "net.npz", **saved(*BOTH[0]))
    digest = hashlib.sha256((tmp_path / "net.npz").read_bytes()).hexdigest()
    known = released_ecg.RELEASED._replace(file=File("net.npz", digest))
    monkeypatch.setattr(released_ecg, "RELEASED", known)
    there = replace(ECG, originals_dir=tmp_path, values={**ECG.values, "records": "original"})
    made = fulfilled(there).train(there, "spiking", Streams(0), {}, silent)
    assert not made.arrays
    assert "QTDB_train.mat and QTDB_test.mat are not" in made.info["unavailable"]


@pytest.mark.parametrize(
    "experiment, variant, info, said",
    [
        ("released", "spiking", {}, "experiment 'released' adapt"),
        ("published", "spiking", {}, "experiment 'published' adapt"),
        ("timescales", "lif_published", {"cell": "lif_published"}, "restarts at 0"),
    ],
)
def test_neither_is_written_as_a_graph(experiment, variant, info, said):
    with pytest.raises(NotExpressible, match=said):
        nir.to_nir(params_of("bohte", experiment), variant, Network({}, info), Clock(4.0))
