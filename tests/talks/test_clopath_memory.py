"""One-shot memory: the rule in plain NumPy, order and speed of recall, its control."""

from dataclasses import replace

import numpy as np
import pytest
from made.project import params_of
from oracles import clopath_leaky

from whyspiking.brian import Machine
from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Binding, Network, Stimulus
from whyspiking.talks.clopath.force.task import SAMPLE_MS
from whyspiking.talks.clopath.hippocampus import measures_oneshot, memory, model, oneshot


def filtered(fired, params):
    """r of Eq. 3 by Euler's method, (step, neuron), before the spikes of that step."""
    dt = params.dt_ms / 1000
    r, h = np.zeros((2, fired.shape[1]))
    kept = np.zeros(fired.shape)
    for step, now in enumerate(fired):
        kept[step] = r
        r, h = r + dt * (h - r / (params.tau_r / 1e3)), h - dt * h / (params.tau_d / 1e3)
        h = h + model.per_spike(params) * now
    return kept


def test_one_presentation_is_the_rule_in_numpy(builds):
    params = params_of("clopath", "oneshot")
    streams = Streams(2)
    septal = replace(params, values={**params.values, "n_oscillators": 20})
    arrays = model.wire(septal, streams) | memory.wire(params, streams)
    arrays["phi"] = np.zeros((params.n_inhibitory, 20))
    arrays["onset"] = memory.onsets(params, np.random.default_rng(0).permutation(params.n_cells))
    arrays["phi_memory"] = np.zeros((params.n_excitatory, params.n_cells))
    values = dict(memory.bind(params, Network(arrays)).values)
    values["from_interneurons.w"] = np.zeros_like(values["from_interneurons.w"])  # no noise arrives
    taught = memory.protocol(params, params.theta_septum, 0.0, taught=True)
    found = Machine(memory.to_brian(params), builds).run(
        Stimulus(arrays={"septum": taught[None]}), values
    )

    n_steps, dt = round(memory.trial_ms(params) / params.dt_ms), params.dt_ms
    sent, fired = (
        clopath_leaky.raster(found.spikes[name], params, n_steps)
        for name in ("excitatory", "cells")
    )
    heard, written = filtered(sent, params), filtered(fired, params)
    _, _, gate, clock = taught[(np.arange(n_steps) * dt / SAMPLE_MS + 1e-9).astype(int)].T
    since = clock[:, None] - arrays["onset"]
    bias = params.bias_cells + params.pulse * ((since >= 0) & (since < params.pulse_ms))
    jump, every = model.per_spike(params), round(params.rule_ms / dt)
    weights, arriving = np.zeros((params.n_excitatory, params.n_cells)), np.zeros(fired.shape)
    for step in range(n_steps):
        if step % every == 0:
            told = gate[step] * np.outer(heard[step], written[step])
            weights += params.epsilon * params.rule_ms / 1e3 * told
        arriving[step] = jump * sent[step] @ weights
    learned = found.final["memory.w"].reshape(weights.shape) / jump
    assert learned.max() > 0
    np.testing.assert_allclose(learned, weights, atol=1e-9 * learned.max(), rtol=1e-6)
    expected = clopath_leaky.spikes(params, arrays["cell_start"], bias, arriving)
    np.testing.assert_array_equal(fired, expected)


def test_order_and_speed_of_a_recall_that_is_known():
    rng = np.random.default_rng(0)
    taught = rng.permutation(np.linspace(0, 990, 100))
    phase = np.mod(0.8 + taught / 17.0 / 118.0, 1.0)
    assert measures_oneshot.order_of(taught, phase, 118.0) == pytest.approx((1.0, 17.0))
    assert measures_oneshot.order_of(-taught, phase, 118.0)[0] < 0.55
    assert measures_oneshot.order_of(rng.permutation(taught), phase, 118.0)[0] < 0.45
    few = np.where(np.arange(100) < 9, phase, np.nan)
    assert np.isnan(measures_oneshot.order_of(taught, few, 118.0)[0])


def test_shuffled_memory_keeps_the_weights_of_every_cell():
    params = params_of("clopath", "oneshot")
    weights = np.arange(12.0).reshape(4, 3)
    task = oneshot.make_task(params, "test", Streams(0))
    binding = Binding({"memory.w": weights}, {})
    (condition,) = oneshot.conditions(params)
    _, varied = oneshot.vary(params, condition, task, binding, np.random.default_rng(0))
    shuffled = np.asarray(varied.values["memory.w"])
    np.testing.assert_array_equal(np.sort(shuffled, axis=0), weights)
    assert (shuffled != weights).any()
