"""One-shot memory: the rule in plain NumPy, order and speed of recall, its control."""

from dataclasses import replace

import numpy as np
import pytest
from made.project import params_of

from whyspiking.brian import Machine
from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Binding, Network, Stimulus
from whyspiking.talks.clopath.force.task import SAMPLE_MS
from whyspiking.talks.clopath.hippocampus import measures_oneshot, memory, model, oneshot


def filtered(spikes, params, n_steps):
    """r of Eq. 3 by Euler's method, (step, neuron), and the steps of all spikes."""
    dt = params.dt_ms / 1000
    fired = np.zeros((n_steps, spikes.n_units))
    fired[np.rint(spikes.times_ms / params.dt_ms).astype(int), spikes.units] = 1.0
    r, h = np.zeros((2, spikes.n_units))
    kept = np.zeros((n_steps, spikes.n_units))
    for step in range(n_steps):
        kept[step] = r
        r, h = r + dt * (h - r / (params.tau_r / 1e3)), h - dt * h / (params.tau_d / 1e3)
        h = h + model.per_spike(params) * fired[step]
    return kept, fired


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
    heard, sent = filtered(found.spikes["excitatory"], params, n_steps)
    written, _ = filtered(found.spikes["cells"], params, n_steps)
    jump, every = model.per_spike(params), round(params.rule_ms / dt)
    weights = np.zeros((params.n_excitatory, params.n_cells))
    v, rest = arrays["cell_start"].copy(), np.full(params.n_cells, -1)
    current, h = np.zeros((2, params.n_cells))
    spikes = []
    for step in range(n_steps):
        _, _, gate, clock = taught[int(step * dt / SAMPLE_MS + 1e-9)]
        if step % every == 0:
            weights += (
                params.epsilon * params.rule_ms / 1e3 * gate * np.outer(heard[step], written[step])
            )
        pulsed = (clock >= arrays["onset"]) & (clock < arrays["onset"] + params.pulse_ms)
        free = step > rest
        dv = (-v + current + params.pulse * pulsed + params.bias_cells) / params.tau_m
        v = np.where(free, v + dt * dv, v)
        current, h = (
            current + dt / 1e3 * (h - current / (params.tau_r / 1e3)),
            h - dt / 1e3 * h / (params.tau_d / 1e3),
        )
        fired = free & (v >= params.v_th)
        h = h + jump * sent[step] @ weights
        v[fired], rest[fired] = params.v_reset, step + round(params.tau_ref / dt) - 1
        spikes += [(step, int(cell)) for cell in np.flatnonzero(fired)]
    learned = found.final["memory.w"].reshape(weights.shape) / jump
    assert learned.max() > 0
    np.testing.assert_allclose(learned, weights, atol=1e-9 * learned.max(), rtol=1e-6)
    cells = found.spikes["cells"]
    steps = np.rint(cells.times_ms / dt).astype(int)
    told = sorted((int(t), int(i)) for t, i in zip(steps, cells.units, strict=True))
    assert told == spikes


def test_order_and_speed_of_a_recall_that_is_known():
    rng = np.random.default_rng(0)
    taught = rng.permutation(np.linspace(0, 990, 100))
    phase = np.mod(0.8 + taught / 17.0 / 118.0, 1.0)
    order, speed = measures_oneshot.order_of(taught, phase, 118.0)
    assert order == pytest.approx(1.0)
    assert speed == pytest.approx(17.0)
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
