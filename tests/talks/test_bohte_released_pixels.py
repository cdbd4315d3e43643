"""Bohte: the network for digits pixel by pixel that the authors released."""

from dataclasses import replace

import numpy as np
import pytest
from made.bohte_settings import STREAMS, params_of, quiet
from made.fulfilled import fulfilled

from whyspiking.contract.types import Stimulus, Task
from whyspiking.errors import UserError
from whyspiking.talks.bohte import measures, measures_released_pixels, released_pixels

SIZES = {"n_input": 24, "n_hidden": [6, 5, 4], "n_output": 3, "n_steps": 60, "n_test": 2}
PARAMS = params_of("released_smnist", **SIZES)


def saved():
    """Arrays as in the authors' model, of another network."""
    rng, found, m = np.random.default_rng(5), {}, 3
    layers = (("i2h", "h2h", "r1", 6), ("h2d", "d2d", "r2", 5), ("dense1", "", "d1", 4))
    for into, among, tau, n in (*layers, ("d2o", "", "o", 3)):
        found[f"{into}.weight"] = rng.normal(0.4, 1.5, (n, m))
        found[f"{into}.bias"] = rng.normal(0.1, 0.3, n)
        if among:
            found[f"{among}.weight"] = rng.normal(0, 1, (n, n))
            found[f"{among}.bias"] = rng.normal(0, 0.2, n)
        found[f"tau_m_{tau}"] = rng.uniform(3, 30, n)
        found[f"tau_adp_{tau}"] = rng.uniform(20, 200, n)
        m = n
    return found


def by_hand(at, pixels, n_steps):
    """The published update for one digit, step by step: spikes of all four groups."""
    layers = (("i2h", "h2h", "r1"), ("h2d", "d2d", "r2"), ("dense1", "", "d1"), ("d2o", "", "o"))
    sizes = [len(at[f"{into}.bias"]) for into, _, _ in layers]
    u, s = [np.zeros(n) for n in sizes], [np.zeros(n) for n in sizes]
    b, fired = [np.full(n, 0.01) for n in sizes], []
    for t in range(n_steps):
        now = pixels[min(t, 784 - 3) :][:3] / 255
        for k, (into, among, tau) in enumerate(layers):
            drive = at[f"{into}.weight"] @ now + at[f"{into}.bias"]
            if among:
                drive += at[f"{among}.weight"] @ s[k] + at[f"{among}.bias"]
            alpha, rho = (np.exp(-1 / at[f"{name}_{tau}"]) for name in ("tau_m", "tau_adp"))
            b[k] = rho * b[k] + (1 - rho) * s[k]
            theta = 0.01 + 1.8 * b[k]
            u[k] = alpha * u[k] + (1 - alpha) * drive - theta * s[k]
            s[k] = (u[k] > theta).astype(float)
            now = s[k]
        fired.append([values.copy() for values in s])
    return [np.array(layer) for layer in zip(*fired, strict=True)]


def test_it_follows_the_published_update():
    at = saved()
    images = np.random.default_rng(1).integers(0, 256, (2, 784)).astype(np.uint8)
    x = released_pixels.shown(PARAMS, images)
    assert x.shape == (2, 60, 24)
    found = released_pixels.spikes(PARAMS, released_pixels.parse(at, PARAMS), x)
    for trial, image in enumerate(images):
        for layer, expected in zip(found, by_hand(at, image.astype(float), 60), strict=True):
            assert expected.any()
            # Single against double precision.
            assert (layer[trial] == expected).mean() > 0.995


def test_the_last_steps_see_the_last_pixels():
    images = np.zeros((1, 784), np.uint8)
    images[0, 781:] = [1, 2, 255]
    x = released_pixels.shown(replace(PARAMS, values={**PARAMS.values, "n_steps": 784}), images)
    windows = (x.reshape(784, 3, 8) * 2 ** np.arange(8)).sum(axis=2)
    assert windows[-4:].tolist() == [[0, 1, 2], [1, 2, 255], [1, 2, 255], [1, 2, 255]]
    assert not windows[:779].any()


def test_the_class_is_that_of_most_spikes():
    fired = np.zeros((2, 5, 3), bool)
    fired[0, :2, 1] = fired[0, 2:, 2] = True
    fired[1, 0] = [True, False, True]
    task = Task(Stimulus({}), np.array([2, 2]), 3)
    found = released_pixels.outcome(PARAMS, fired, task)
    assert found.choices.tolist() == [2, 0]
    assert found.decision_ms[0] == 5.0


def test_the_estimate_of_energy_counts_what_this_network_does():
    """Eqs. 14 and 15 written out; nothing fires: only brightness and updates are paid."""
    prices = {"mac": 3.2, "add": 0.1}
    sizes = [8, 64, 256, 256, 10]
    silent = measures_released_pixels.ratio(sizes, [0.0] * 4, prices)
    lstm = sum(4 * (m * n + n * n) + 17 * n for m, n in ((8, 64), (64, 256)))
    lstm += 256 * 256 + 256 * 10
    assert silent == pytest.approx(lstm / (8 * 64 + 2 * (64 + 256 + 256 + 10)))
    busy = measures_released_pixels.ratio(sizes, [0.1, 0.2, 0.3, 0.4], prices)
    adds = 64 * 64 * 0.1 + 64 * 256 * 0.1 + 256 * 256 * 0.2 + 256 * 256 * 0.2 + 2560 * 0.3
    spent = 3.2 * (8 * 64 + 2 * 586) + 0.1 * adds
    assert busy == pytest.approx(3.2 * lstm / spent)
    assert measures.LSTM_GATES == 4


def test_a_missing_file_is_told_and_another_refused(tmp_path):
    made = fulfilled(PARAMS).train(PARAMS, "spiking", STREAMS, {}, quiet)
    assert "srnn_smnist.npz (data.originals_dir is not set)" in made.info["unavailable"]
    (tmp_path / released_pixels.FILE).write_bytes(b"something else")
    there = replace(PARAMS, originals_dir=tmp_path)
    with pytest.raises(UserError, match=r"srnn_smnist\.npz: SHA-256 is .* expected 99b3"):
        fulfilled(there).train(there, "spiking", STREAMS, {}, quiet)
    at = saved()
    del at["tau_m_o"]
    with pytest.raises(UserError, match=r"'tau_m_o' has shape \(0,\); expected \(3,\)"):
        released_pixels.parse(at, PARAMS)
