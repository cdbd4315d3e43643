"""Bohte: the network that the authors released, read, refused, missing, and in both engines."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from made.bohte_settings import STREAMS, params_of, quiet, task_of
from made.fulfilled import fulfilled

from whyspiking.errors import UserError
from whyspiking.talks.bohte import released_ecg, brian_network, task

PARAMS = params_of("released", n_hidden=[7], n_test=4, n_steps=120)


def saved(params):
    """Arrays as in the authors' model, of another network."""
    rng = np.random.default_rng(3)
    (n,), m, k = params.n_hidden, params.n_input, params.n_output
    return {
        "i2h.weight": rng.normal(0.5, 1, (n, m)), "i2h.bias": rng.normal(0, 0.2, n),
        "h2h.weight": rng.normal(0, 0.5, (n, n)), "h2h.bias": rng.normal(0, 0.2, n),
        "h2o.weight": rng.normal(0, 1, (k, n)), "h2o.bias": rng.normal(0, 0.3, k),
        "tau_adp_h": np.full(n, 7.0), "tau_adp_o": rng.uniform(90, 120, k),
    }  # fmt: skip


def by_hand(params, at, x):
    """The published update for one record, (time, channel): hidden spikes and output membranes."""
    b0, alpha = params.threshold, np.exp(-1 / params.tau_mem)
    rho = np.exp(-1 / at["tau_adp_o"])
    u, s = np.full(params.n_hidden[0], 0.5), np.zeros(params.n_hidden[0])
    o, z, b = np.zeros(params.n_output), np.zeros(params.n_output), np.full(params.n_output, b0)
    spikes, membranes = [], []
    for now in x:
        drive = at["i2h.weight"] @ now + at["i2h.bias"] + at["h2h.weight"] @ s + at["h2h.bias"]
        u = alpha * u + (1 - alpha) * drive - b0 * s
        s = (u > b0).astype(float)
        b = rho * b + (1 - rho) * z
        theta = b0 + params.adaptation * b
        o = alpha * o + (1 - alpha) * (at["h2o.weight"] @ s + at["h2o.bias"]) - theta * z
        z = (o > theta).astype(float)
        spikes.append(s)
        membranes.append(o)
    return np.array(spikes), np.array(membranes)


def test_both_engines_follow_the_published_update(builds):
    import jax

    from whyspiking.brian import Machine
    from whyspiking.contract.types import Network

    at = saved(PARAMS)
    net = Network(released_ecg.parse(at, PARAMS), {})
    test = task_of(PARAMS)
    x = task.raster(PARAMS, test)
    model = fulfilled(PARAMS).to_brian(PARAMS)
    recording = Machine(model, builds).run(
        test.stimulus, fulfilled(PARAMS).bind(PARAMS, net).values
    )
    with jax.enable_x64(True):
        hidden, output = released_ecg.courses(PARAMS, net.arrays, x.astype(np.float64))
    for trial, events in enumerate(x):
        spikes, membranes = by_hand(PARAMS, at, events)
        assert 0.05 < spikes.mean() < 0.9
        np.testing.assert_array_equal(np.asarray(hidden.spikes)[:, trial], spikes)
        np.testing.assert_array_equal(brian_network.raster(PARAMS, recording, 0)[trial], spikes > 0)
        np.testing.assert_allclose(np.asarray(output.u)[:, trial], membranes, atol=1e-11)
        told = brian_network.outputs(PARAMS, recording)[trial]
        np.testing.assert_allclose(told, membranes, atol=1e-11)
    assert (np.asarray(output.spikes).mean(axis=(0, 1)) > 0).any()


def test_arrays_that_do_not_fit_are_refused():
    at = saved(PARAMS)
    with pytest.raises(UserError, match=r"'h2h.weight' has shape \(7, 6\); expected \(7, 7\)"):
        released_ecg.parse({**at, "h2h.weight": at["h2h.weight"][:, :6]}, PARAMS)
    del at["tau_adp_o"]
    with pytest.raises(UserError, match=r"'tau_adp_o' has shape \(0,\); expected \(6,\)"):
        released_ecg.parse(at, PARAMS)


def test_another_file_of_that_name_is_refused(tmp_path):
    for name in (released_ecg.FILE, "QTDB_train.mat", "QTDB_test.mat"):
        (tmp_path / name).write_bytes(b"something else")
    params = replace(PARAMS, originals_dir=tmp_path)
    digest = hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(UserError, match=f"{released_ecg.FILE}: SHA-256 is {digest}; expected c7a3"):
        fulfilled(params).train(params, "spiking", STREAMS, {}, quiet)


def test_missing_files_are_told(tmp_path, monkeypatch):
    there = replace(PARAMS, originals_dir=tmp_path)
    for params, said in ((PARAMS, "originals_dir is not set"), (there, "is not in data.originals")):
        made = fulfilled(params).train(params, "spiking", STREAMS, {}, quiet)
        assert f"{released_ecg.FILE} " in made.info["unavailable"] and said in made.info["unavailable"]
    (tmp_path / released_ecg.FILE).write_bytes(b"something")
    with pytest.raises(UserError, match="SHA-256"):
        fulfilled(there).train(there, "spiking", STREAMS, {}, quiet)
    monkeypatch.setattr(released, "DIGEST", hashlib.sha256(b"something").hexdigest())
    made = fulfilled(there).train(there, "spiking", STREAMS, {}, quiet)
    assert "QTDB_train.mat and QTDB_test.mat are not" in made.info["unavailable"]


@pytest.mark.parametrize(
    "experiment, variant, info, said",
    [
        ("released", "spiking", {}, "released network adapt"),
        ("timescales", "lif_published", {"cell": "lif_published"}, "begins at 0 again"),
    ],
)
def test_neither_is_written_as_a_graph(experiment, variant, info, said):
    from whyspiking.contract.types import Network
    from whyspiking.nir import Clock, NotExpressible
    from whyspiking.talks.bohte import nir

    with pytest.raises(NotExpressible, match=said):
        nir.to_nir(params_of(experiment), variant, Network({}, info), Clock(4.0))
