"""Closed-form gradients of first spikes against EventProp in jaxsnn, where it is here.

EventProp integrates an adjoint system backwards from spike to spike; it knows no closed form of a
spike time. Both are exact, so they agree to rounding.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from made import others

from whyspiking.training.first_spike import closed_form

pytestmark = pytest.mark.slow
GRADIENTS = Path(__file__).parents[1] / "peers" / "jaxsnn_gradients.py"
WEIGHTS = ("w_hidden", "w_output")


def network(tau_ratio):
    """Six samples, of which some leave neurons of both layers silent."""
    rng = np.random.default_rng(1)
    return {
        "times": rng.uniform(0.1, 2.0, (6, 5)),
        "w_hidden": rng.normal(0.6, 0.8, (5, 8)),
        "w_output": rng.normal(0.4, 0.6, (8, 4)),
        "targets": rng.uniform(1.0, 3.0, (6, 4)),
        "threshold": {1: 0.6, 2: 0.4}[tau_ratio],
        "tau_ratio": tau_ratio,
    }


def ours(given):
    """First spikes of both layers, and derivatives of the squared distance from targets."""

    def loss(weights):
        times = [jnp.asarray(given["times"])]
        for w in weights:
            layer = closed_form.spike_times(times[-1], w, given["threshold"], given["tau_ratio"])
            times.append(layer)
        off = jnp.where(jnp.isfinite(times[2]), times[2] - given["targets"], 0.0)
        return jnp.sum(off**2), times[1:]

    (_, times), by = jax.value_and_grad(loss, has_aux=True)(
        [jnp.asarray(given[w]) for w in WEIGHTS]
    )
    return dict(zip(("hidden", "output", "by_w_hidden", "by_w_output"), [*times, *by], strict=True))


@pytest.mark.parametrize("tau_ratio", [1, 2])
def test_gradients_are_those_of_eventprop(tau_ratio, tmp_path):
    others.require("jaxsnn")
    given = network(tau_ratio)
    np.savez(tmp_path / "in.npz", allow_pickle=False, **given)
    others.ask(str(GRADIENTS), str(tmp_path / "in.npz"), str(tmp_path / "out.npz"))
    with jax.enable_x64(True):
        found = {name: np.asarray(x) for name, x in ours(given).items()}
    with np.load(tmp_path / "out.npz", allow_pickle=False) as file:
        theirs = dict(file)
    for name in ("hidden", "output"):
        assert 0.2 < np.isfinite(found[name]).mean() < 1, "some fire, some do not"
        np.testing.assert_allclose(found[name], theirs[name], rtol=1e-9)
    for name in ("by_w_hidden", "by_w_output"):
        assert np.count_nonzero(found[name]) > found[name].size / 2
        np.testing.assert_allclose(found[name], theirs[name], rtol=1e-7, atol=1e-9)
