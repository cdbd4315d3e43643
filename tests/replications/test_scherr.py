"""E-prop: the compiled gradients against automatic differentiation, the explicit rule, and Brian2."""

import numpy as np
import pytest

from whyspiking.replications.scherr import kernel

COST = kernel.RateCost(3.0, 0.02)


def cell(n_lif: int = 6, n_alif: int = 6, refractory: int = 3, gain: float = 1.0) -> kernel.Cell:
    """A small network whose adaptation matters within a few hundred steps."""
    beta = np.repeat([0.0, 0.25], [n_lif, n_alif])
    decays = {"alpha": np.exp(-1 / 20), "rho": np.exp(-1 / 150), "kappa": np.exp(-1 / 12)}
    return kernel.Cell(
        **decays, v_th=0.6, gamma=0.3, refractory=refractory, beta=beta, gain=gain
    )


def batch(rng, *, n_steps=240, n_trials=3, n_inputs=5, classify=True, first_step=0):
    """Random input, with labels or targets."""
    raster = rng.random((n_trials, n_steps, n_inputs)) < 0.08
    trial, step, channel = np.nonzero(raster)
    starts = np.searchsorted(trial, np.arange(n_trials + 1))
    labels = rng.integers(2, size=n_trials) if classify else None
    targets = None if classify else rng.normal(size=(n_trials, n_steps, 2))
    return kernel.Trials(
        starts, step.astype(np.int32), channel.astype(np.int32), n_inputs, n_steps,
        labels, targets, first_step,
    )  # fmt: skip


def weights(rng, n_inputs=5, n_rec=12):
    """Random weights that keep the network firing, without autapses."""
    w = rng.normal(0.1, 0.35, (n_inputs + n_rec, n_rec))
    w[n_inputs + np.arange(n_rec), np.arange(n_rec)] = 0
    return kernel.Weights(w, rng.normal(size=(n_rec, 2)))


def deviation(ours, theirs):
    """Largest difference over the largest value."""
    return np.abs(ours - theirs).max() / np.abs(theirs).max()


@pytest.fixture(scope="module")
def jax64():
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield jax
    jax.config.update("jax_enable_x64", before)


@pytest.mark.parametrize("rule", ["symmetric", "random", "bptt"])
@pytest.mark.parametrize(
    ("classify", "first_step", "refractory", "gain"),
    [(True, 180, 3, 1.0), (False, 0, 0, 0.6), (False, 50, 5, 1.0)],
)
def test_gradients_are_those_of_automatic_differentiation(
    jax64, rule, classify, first_step, refractory, gain
):
    from whyspiking.replications.scherr import reference

    rng = np.random.default_rng(3)
    trials = batch(rng, classify=classify, first_step=first_step)
    network, given = cell(refractory=refractory, gain=gain), weights(rng)
    feedback = rng.normal(size=given.w_out.shape) if rule == "random" else None
    theirs = reference.gradient(
        network, given, trials, COST,
        rule="bptt" if rule == "bptt" else "eprop", feedback=feedback,
    )  # fmt: skip
    assert kernel.forward(network, given, trials).counts.sum() > 300
    if rule == "bptt":
        found = [kernel.bptt(network, given, trials, COST)]
    else:
        b = given.w_out if feedback is None else feedback
        found = [kernel.eprop(network, given, b, trials, COST, chunk) for chunk in (1, 37, 240)]
    for ours in found:
        assert ours.loss == pytest.approx(theirs[0], rel=1e-12)
        assert deviation(ours.w, theirs[1]) < 1e-10
        assert deviation(ours.w_out, theirs[2]) < 1e-10


def test_gradients_report_what_the_forward_pass_gives():
    rng = np.random.default_rng(4)
    trials = batch(rng, first_step=200)
    network, given = cell(), weights(rng)
    run = kernel.forward(network, given, trials, spikes=True, states=True)
    for found in (
        kernel.bptt(network, given, trials, COST),
        kernel.eprop(network, given, given.w_out, trials, COST, 50),
    ):
        np.testing.assert_allclose(found.outputs, run.outputs[:, 200:].mean(axis=1), rtol=1e-12)
        np.testing.assert_allclose(found.rates, run.counts.mean(axis=0) / 240, rtol=1e-12)
    again = np.zeros_like(run.counts)
    np.add.at(again, (run.spikes[:, 0], run.spikes[:, 2]), 1)
    np.testing.assert_array_equal(again, run.counts)
