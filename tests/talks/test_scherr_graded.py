"""The graded twin of e-prop's network: equal to it in everything but what neurons send."""

from dataclasses import replace

import numpy as np
import pytest
from made.fulfilled import fulfilled, task_of
from made.project import params_of, silent

from whyspiking.contract.randomness import Streams
from whyspiking.talks.scherr import kernel, model, shared_networks
from whyspiking.talks.scherr.trials import Trials, from_raster, to_raster

COST = kernel.RateCost(3.0, 0.02)
N_IN, N, N_OUT, STEPS, N_TRIALS = 5, 12, 3, 80, 3


def neurons(refractory: int = 3, *, graded: bool = True) -> model.Cell:
    """Half of them with an adaptation that matters within a trial."""
    beta = np.repeat([0.0, 0.25], N // 2)
    decays = {"alpha": np.exp(-1 / 20), "rho": np.exp(-1 / 150), "kappa": np.exp(-1 / 12)}
    constants = {"v_th": 0.6, "gamma": 0.3, "refractory": refractory, "gain": 0.8}
    return model.Cell(**decays, **constants, beta=beta, graded=graded)


@pytest.fixture
def network():
    """Weights that keep the neurons busy, and trials with classes."""
    rng = np.random.default_rng(1)
    w = rng.normal(0.05, 0.3, (N_IN + N, N))
    w[N_IN + np.arange(N), np.arange(N)] = 0
    trials = from_raster(rng.random((N_TRIALS, STEPS, N_IN)) < 0.1)
    labelled = replace(trials, labels=rng.integers(N_OUT, size=N_TRIALS), first_step=50)
    return model.Weights(w, rng.normal(size=(N, N_OUT))), labelled


def course(cell, weights, trials):
    """Eqs. 1, 2, 5 and 17 written out: what is sent, and the outputs."""
    raster = to_raster(trials)
    n_trials, n_steps, _ = raster.shape
    v, a, z = np.zeros((3, n_trials, len(cell.beta)))
    since, y = np.full(z.shape, np.inf), np.zeros((n_trials, weights.w_out.shape[1]))
    sent, outputs = [], []
    for t in range(n_steps):
        before = raster[:, t - 1] if t else np.zeros_like(raster[:, 0])
        drive = np.hstack([before, z]) @ weights.w
        v = cell.alpha * v + cell.gain * drive - cell.v_th * z
        a = cell.rho * a + z
        since += 1
        above = v - cell.v_th - cell.beta * a
        z = np.where(since >= cell.refractory, np.maximum(above, 0), 0)
        since[z > 0] = 0
        y = cell.kappa * y + (1 - cell.kappa) * z @ weights.w_out
        sent.append(z)
        outputs.append(y)
    return np.stack(sent, axis=1), np.stack(outputs, axis=1)


@pytest.mark.parametrize("refractory", [0, 1, 3])
def test_the_twin_is_the_network_with_values_in_place_of_spikes(network, refractory):
    cell = neurons(refractory)
    sent, outputs = course(cell, *network)
    assert (sent > 0).sum() > 100 and np.unique(sent).size > 100
    np.testing.assert_allclose(kernel.sent(cell, *network), sent, rtol=1e-9, atol=1e-12)
    run = kernel.forward(cell, *network)
    np.testing.assert_allclose(run.outputs, outputs, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(run.counts, (sent > 0).sum(axis=1))
    gradient = kernel.bptt(cell, *network, COST)
    np.testing.assert_allclose(gradient.rates, sent.mean(axis=(0, 1)), rtol=1e-9)


@pytest.mark.parametrize("refractory", [0, 3])
@pytest.mark.parametrize("classify", [True, False])
def test_the_gradient_is_that_of_finite_differences(network, refractory, classify, vectors):
    """Of every weight, autapses too, with the cost of what is sent."""
    cell, (weights, trials) = neurons(refractory), network
    if not classify:
        wanted = np.random.default_rng(2).normal(size=(N_TRIALS, STEPS, N_OUT))
        trials = replace(trials, labels=None, targets=wanted)
    ours = kernel.bptt(cell, weights, trials, COST)
    width = 1e-6
    for name in ("w", "w_out"):
        array = getattr(weights, name)
        found = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            step = np.zeros_like(array)
            step[place] = width
            up, down = (
                kernel.bptt(cell, replace(weights, **{name: array + s}), trials, COST).loss
                for s in (step, -step)
            )
            found[place] = (up - down) / (2 * width)
        largest = np.abs(found).max()
        np.testing.assert_allclose(getattr(ours, name), found, rtol=0, atol=1e-6 * largest)


@pytest.mark.parametrize("weight", [-2.0, 0.5, 0.6, 0.61, 1.5])
def test_one_neuron_sends_what_exceeds_its_threshold_and_nothing_below(weight):
    """An input spike at step 0 lifts it to its weight; the reset is v_th times what was sent."""
    cell = replace(neurons(0), beta=np.zeros(1), gain=1.0)
    lone = model.Weights(np.array([[weight], [0.0]]), np.ones((1, 1)))
    trial = Trials(np.array([0, 1]), np.zeros(1, np.int32), np.zeros(1, np.int32), 1, 12)
    sent = kernel.sent(cell, lone, trial)[0, :, 0]
    assert sent[0] == 0
    assert sent[1] == pytest.approx(max(0.0, weight - 0.6), abs=1e-12)
    left = cell.alpha * weight - 0.6 * max(0.0, weight - 0.6)
    assert sent[2] == pytest.approx(max(0.0, left - 0.6), abs=1e-12)
    spikes = kernel.forward(replace(cell, graded=False), lone, trial).counts.sum()
    assert (spikes > 0) == (sent > 0).any() == (weight > 0.6)


def test_both_are_the_same_until_a_spike_has_arrived(network):
    """Who fires first, and when, does not depend on what is sent."""
    trials = network[1]
    firsts = []
    for graded in (True, False):
        spikes = kernel.forward(neurons(graded=graded), *network, spikes=True).spikes
        parts = [spikes[spikes[:, 0] == k] for k in range(trials.n_trials)]
        firsts.append([part[part[:, 1] == part[0, 1]].tolist() for part in parts])
    assert firsts[0] == firsts[1]
    low = replace(network[0], w=0.02 * network[0].w)
    assert not any(kernel.forward(neurons(graded=g), low, trials).counts.any() for g in (0, 1))


def test_graded_neurons_have_no_eligibilities(network):
    weights, trials = network
    with pytest.raises(ValueError, match="graded"):
        kernel.eprop(neurons(), weights, weights.w_out, trials, COST)


def test_the_twin_learns_and_is_counted():
    params = params_of("scherr", "shared_randman", n_train=300, epochs=30, n_validation=200)
    twin = fulfilled(params).train(params, "graded", Streams(0), {}, silent)
    losses = [row["value"] for row in twin.history if row["metric"] == "train_loss"]
    assert np.mean(losses[-5:]) < np.log(params.n_output) - 0.2, "no better than chance"
    task = task_of(params, "validation")
    found = fulfilled(params).control_counts(params, "graded", twin, task)
    trials = shared_networks.given(params, task.stimulus.spikes["input"], task.targets)
    weights = model.Weights(twin.arrays["w"].astype(float), twin.arrays["w_out"].astype(float))
    sent, outputs = course(shared_networks.cell(params, "graded"), weights, trials)
    choices = fulfilled(params).evaluate(params, "graded", twin, task).choices
    np.testing.assert_array_equal(choices, outputs[:, trials.first_step :].mean(axis=1).argmax(1))
    messages = (sent > 0).sum() / trials.n_trials
    assert found["messages"] == messages > 0
    # 20 input spikes reach 50 neurons; each value reaches 49 others and 10 outputs.
    assert found["macs_effective"] == pytest.approx(20 * 50 + messages * 59)
    assert found["macs_dense"] == 60 * (70 * 50 + 50 * 10)
    assert found["message_bits"] == pytest.approx(messages * (32 + np.log2(50)))
