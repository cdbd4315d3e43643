"""The clocked form of first-spike networks against the closed form."""

import numpy as np
import pytest
from made.agreement import assert_first_spikes

from whyspiking.brian import Machine
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Stimulus
from whyspiking.training.first_spike import brian_network, compiled

TRIAL_MS = 4.0


def wide(rng):
    """Strong weights of both signs: inputs of one step lift a neuron above threshold and pull it
    down again, and maxima within a step touch it."""
    return [rng.normal(0.3, 1.5, (30, 20)), rng.normal(1.0, 6.0, (20, 3))]


@pytest.mark.slow
@pytest.mark.parametrize("latest", [0.5, 2.0], ids=["many inputs per step", "few"])
def test_random_networks_agree_with_the_closed_form(latest, builds):
    rng = np.random.default_rng(0)
    first, last = weights = wide(rng)
    (n_input, n_hidden), n_output = first.shape, last.shape[1]
    options = {"direct": False, "dt_ms": 0.01, "trial_ms": TRIAL_MS, "max_trials": 400}
    model = brian_network.network(
        "random", n_input=n_input, n_hidden=n_hidden, n_output=n_output, **options
    )
    times = rng.uniform(0.15, latest, (400, n_input))
    constants = {"threshold": 1.0, "tau_m_ms": 1.0, "tau_s_ms": 1.0}
    values = brian_network.values(first, last, None, **constants)
    assert len(brian_network.bind(values).layers) == len(weights)
    stimulus = Stimulus({"input": Spikes.from_first_spikes(times, TRIAL_MS)})
    recording = Machine(model, builds).run(stimulus, values)
    expected = {}
    for name, w in zip(brian_network.POPULATIONS, weights, strict=True):
        times = compiled.forward(times, w, 1.0, 1).times
        expected[name] = np.where(times <= TRIAL_MS, times, np.inf)
        assert np.isfinite(expected[name]).mean() > 0.3
    assert_first_spikes(recording, expected, 0.99, q50=1e-3, q95=0.02)
