"""Layers in Brian2 against closed forms, and against steps as other libraries take them."""

from pathlib import Path

import numpy as np
import pytest
from made.interpreted import fired as raster_of
from made.interpreted import in_brian
from made.nir_files import chain, lif, write

from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Stimulus
from whyspiking.errors import UserError
from whyspiking_exchange.nir import arranging, model, reading
from whyspiking_exchange.nir.model import Steps

PEERS = Path(__file__).parents[3] / "tests" / "peers"
STEPS = 40
RASTER = (np.random.default_rng(1).random((2, STEPS, 4)) < 0.15).astype(np.uint8)


def run(nodes, edges, steps, folder, raster=RASTER):
    """Output of trials: spikes or potentials, (trial, step, neuron)."""
    n = len(raster)
    found = arranging.arranged(reading.read(write(folder / "net.nir", nodes, edges)))
    made = model.brian_model(found, steps, STEPS * steps.step_ms, n)
    stimulus = Stimulus({"input": Spikes.from_raster(raster, steps.step_ms)})
    parts = in_brian(made, stimulus, model.binding(found, steps).values, n)
    if not found.gives_spikes:
        values = np.asarray(next(iter(parts["trace_monitors"]["output"].recorded_variables)))
        trace = getattr(parts["trace_monitors"]["output"], str(values))
        return np.asarray(trace).T.reshape(n, STEPS, -1)
    return fired(parts, steps, raster.shape[:2], found.n_out)


def fired(parts, steps, shape, n, layer="output"):
    """Spikes of a layer as 0 and 1, (trial, step, neuron)."""
    raster = raster_of(parts["spike_monitors"][layer], steps.step_ms, shape[0] * shape[1], n)
    return raster.reshape(*shape, n)


def ended_by(kind, n, **values):
    nodes, edges = chain(n1=(kind, values), n_hidden=n)
    edges = [("input", "0"), ("0", "1"), ("1", "output")]
    nodes = {name: nodes[name] for name in ("input", "0", "1", "output")}
    return {**nodes, "output": ("Output", {"shape": np.array([n])})}, edges


def test_a_leaky_integrator_follows_the_closed_form(tmp_path):
    """v(T) is the sum over input steps of (exp(-(T-b)/tau) - exp(-(T-a)/tau)) r w."""
    tau = np.array([0.005, 0.02])
    nodes, edges = ended_by("LI", 2, tau=tau, r=np.full(2, 3.0), v_leak=np.zeros(2))
    steps = Steps(1.0, 1.0, "exact", input_scale=0.5)
    trace = run(nodes, edges, steps, tmp_path)
    current = 0.5 * RASTER @ nodes["0"][1]["weight"].T
    ends = np.arange(1, STEPS + 1) * 1e-3
    expected = np.zeros_like(trace)
    for t in range(STEPS):
        until = ends[t] - ends[: t + 1]
        for k in range(2):
            share = np.exp(-until / tau[k]) - np.exp(-(until + 1e-3) / tau[k])
            expected[:, t, k] = 3.0 * current[:, : t + 1, k] @ share
    np.testing.assert_allclose(trace, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("tau_syn", [0.02, 0.01])
def test_current_based_neurons_follow_fine_euler_steps(tau_syn, tmp_path):
    """The exact solution, equal time constants included, is what ever finer Euler steps tend to."""
    ones = np.ones(2)
    nodes, edges = ended_by(
        "CubaLI",
        2,
        tau_mem=0.01 * ones,
        tau_syn=tau_syn * ones,
        r=ones,
        v_leak=0.1 * ones,
        w_in=ones,
    )
    trace = run(nodes, edges, Steps(1.0, 1.0, "exact"), tmp_path)
    current = RASTER @ nodes["0"][1]["weight"].T
    i, v, fine, expected = np.zeros((2, 2)), np.full((2, 2), 0.1), 2000, []
    for t in range(STEPS):
        for _ in range(fine):
            i, v = (
                i + 1e-3 / fine / tau_syn * (current[:, t] - i),
                v + 1e-3 / fine / 0.01 * (0.1 - v + i),
            )
        expected.append(v)
    np.testing.assert_allclose(trace, np.stack(expected, 1), atol=2e-3)


@pytest.mark.parametrize("reset", ["value", "subtract", "later"])
def test_two_layers_fire_as_step_by_step(reset, tmp_path):
    """Both layers in one step, synapses onto itself in the next; later: as snnTorch resets."""
    nodes, edges = chain(n1=lif(5, v_reset=np.full(5, 0.2)))
    nodes["back"] = ("Linear", {"weight": np.random.default_rng(2).normal(0, 3, (5, 5))})
    edges += [("1", "back"), ("back", "1")]
    found = run(nodes, edges, Steps(2.0, 1.0, "euler", reset), tmp_path)
    w1, w2, back = (nodes[name][1]["weight"] for name in ("0", "2", "back"))
    v1, v2, before = np.zeros((2, 5)), np.zeros((2, 3)), np.zeros((2, 5))
    later1, later2, expected = np.zeros((2, 5)), np.zeros((2, 3)), []
    for t in range(STEPS):
        v1 += 0.1 * (RASTER[:, t] @ w1.T + before @ back.T - v1) - later1
        before = (v1 > 1).astype(float)
        v2 += 0.1 * (before @ w2.T - v2) - later2
        out = (v2 > 1).astype(float)
        if reset == "value":
            v1, v2 = np.where(before > 0, 0.2, v1), np.where(out > 0, 0.0, v2)
        elif reset == "subtract":
            v1, v2 = v1 - before, v2 - out
        else:
            later1, later2 = before, out
        expected.append(out)
    expected = np.stack(expected, 1)
    assert 0.05 < expected.mean() < 0.95
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("graph_step_ms", [1.0, 0.5])
def test_delays_are_as_step_by_step(graph_step_ms, tmp_path):
    """Before weights, behind them with the bias, and of a layer onto itself."""
    raster = (np.random.default_rng(3).random((1, STEPS, 4)) < 0.3).astype(np.uint8)
    rng = np.random.default_rng(2)
    before, behind, own = np.array([0, 1, 5, 2]), np.array([3, 0, 1, 7, 2]), 2
    nodes, edges = chain()
    nodes["0"] = ("Affine", {**nodes["0"][1], "bias": np.linspace(-1, 2, 5)})
    nodes["back"] = ("Linear", {"weight": rng.normal(0, 3, (5, 5))})
    for name, steps in (("d0", before), ("d1", behind), ("d2", own)):
        # Less than half a step, of two in a row together, is rounded off.
        nodes[name] = ("Delay", {"delay": (steps + 0.2) * 1e-3 * graph_step_ms})
    edges = [("input", "d0"), ("d0", "0"), ("0", "d1"), ("d1", "1"), *edges[2:]]
    edges += [("1", "d2"), ("d2", "back"), ("back", "1")]
    nodes["1"], nodes["3"] = (lif(n, tau=0.01 * graph_step_ms * np.ones(n)) for n in (5, 3))
    found = run(nodes, edges, Steps(2.0, graph_step_ms), tmp_path, raster)
    w1, w2, back = (nodes[name][1]["weight"] for name in ("0", "2", "back"))
    bias, v1, v2 = nodes["0"][1]["bias"], np.zeros((1, 5)), np.zeros((1, 3))
    fired1, expected = np.zeros((1, STEPS, 5)), []
    for t in range(STEPS):
        current = np.zeros((1, 5))
        for j in range(5):
            for k in range(4):
                at = t - behind[j] - before[k]
                current[:, j] += w1[j, k] * raster[:, at, k] if at >= 0 else 0
            current[:, j] += bias[j] if t >= behind[j] else 0
        if t - 1 - own >= 0:
            current += fired1[:, t - 1 - own] @ back.T
        v1 += 0.1 * (current - v1)
        fired1[:, t] = v1 > 1
        v2 += 0.1 * (fired1[:, t] @ w2.T - v2)
        expected.append((v2 > 1).astype(float))
        v1, v2 = np.where(v1 > 1, 0, v1), np.where(v2 > 1, 0, v2)
    expected = np.stack(expected, 1)
    assert 0.05 < expected.mean() < 0.95
    np.testing.assert_array_equal(found, expected)


def test_delays_without_end_are_refused(tmp_path):
    nodes, edges = chain()
    nodes["late"] = ("Delay", {"delay": np.full(4, 200.0)})
    edges[0:1] = [("input", "late"), ("late", "0")]
    with pytest.raises(UserError, match="200000 time steps of 1 ms long; expected at most"):
        run(nodes, edges, Steps(1.0, 1.0), tmp_path)


def test_replayed_spikes_of_a_layer_do_what_they_did(tmp_path):
    """As the battery perturbs them: sent in from outside while the layer itself is silent."""
    nodes, edges = chain()
    nodes["back"] = ("Linear", {"weight": np.random.default_rng(2).normal(0, 3, (5, 5))})
    edges += [("1", "back"), ("back", "1")]
    steps = Steps(1.0, 1.0)
    found = arranging.arranged(reading.read(write(tmp_path / "net.nir", nodes, edges)))
    made = model.brian_model(found, steps, float(STEPS), 2)
    values = model.binding(found, steps).values
    given = {"input": Spikes.from_raster(RASTER, 1.0)}
    parts = in_brian(made, Stimulus(given), values, 2)
    clean, hidden = fired(parts, steps, (2, STEPS), 3), fired(parts, steps, (2, STEPS), 5, "layer1")
    replay = made.replay["layer1"]
    given[replay.input] = Spikes.from_raster(hidden, 1.0)
    parts = in_brian(made, Stimulus(given), {**values, **replay.silence}, 2)
    assert clean.any() and hidden.any()
    np.testing.assert_array_equal(fired(parts, steps, (2, STEPS), 3), clean)
    assert not fired(parts, steps, (2, STEPS), 5, "layer1").any()


def test_an_input_can_be_added_whole_to_a_synaptic_current(tmp_path):
    """As Norse's LIFCell: i += w x, v += dt/tau_mem (i - v), i -= dt/tau_syn i."""
    ones = np.ones(2)
    nodes, edges = ended_by(
        "CubaLI", 2, tau_mem=0.01 * ones, tau_syn=np.array([0.004, 0.02]), r=ones, v_leak=0 * ones
    )
    trace = run(nodes, edges, Steps(1.0, 1.0, "euler", current="jump"), tmp_path)
    share = run(nodes, edges, Steps(1.0, 1.0, "euler"), tmp_path)
    i, v, expected = np.zeros((2, 2)), np.zeros((2, 2)), []
    for t in range(STEPS):
        i = i + RASTER[:, t] @ nodes["0"][1]["weight"].T
        v = v + 0.1 * (i - v)
        i = i - 1.0 / np.array([4.0, 20.0]) * i
        expected.append(v)
    np.testing.assert_allclose(trace, np.stack(expected, 1), rtol=1e-9)
    np.testing.assert_allclose(share, trace * 1.0 / np.array([4.0, 20.0]), rtol=1e-9)
