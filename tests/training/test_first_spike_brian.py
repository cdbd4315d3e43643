"""The clocked form of first-spike networks against the closed form."""

import numpy as np
import pytest

from whyspiking.brian import Machine
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Stimulus
from whyspiking.training.first_spike import brian_network, compiled

N_INPUT, N_HIDDEN, N_OUTPUT, TRIAL_MS = 30, 20, 3, 4.0


@pytest.mark.slow
@pytest.mark.parametrize("latest", [0.5, 2.0], ids=["many inputs per step", "few"])
def test_random_networks_agree_with_the_closed_form(latest, builds):
    model = brian_network.network(
        "random",
        n_input=N_INPUT,
        n_hidden=N_HIDDEN,
        n_output=N_OUTPUT,
        direct=False,
        dt_ms=0.01,
        trial_ms=TRIAL_MS,
        max_trials=400,
    )
    machine = Machine(model, builds)
    rng = np.random.default_rng(0)
    # Strong weights of both signs: inputs of one step lift a neuron above threshold and pull it
    # down again, and maxima within a step touch it.
    w_hidden = rng.normal(0.3, 1.5, (N_INPUT, N_HIDDEN))
    w_output = rng.normal(1.0, 6.0, (N_HIDDEN, N_OUTPUT))
    times = rng.uniform(0.15, latest, (400, N_INPUT))
    values = brian_network.values(
        w_hidden, w_output, None, threshold=1.0, tau_m_ms=1.0, tau_s_ms=1.0
    )
    stimulus = Stimulus({"input": Spikes.from_first_spikes(times, TRIAL_MS)})
    recording = machine.run(stimulus, values)
    hidden = compiled.forward(times, w_hidden, 1.0, 1).times
    for name, exact in (
        ("hidden", hidden),
        ("output", compiled.forward(hidden, w_output, 1.0, 1).times),
    ):
        found = recording.spikes[name].first_ms()
        exact = np.where(exact <= TRIAL_MS, exact, np.inf)
        assert (np.isfinite(found) == np.isfinite(exact)).mean() > 0.99
        both = np.isfinite(found) & np.isfinite(exact)
        gaps = np.abs(found[both] - exact[both])
        assert np.median(gaps) < 1e-3 and np.quantile(gaps, 0.95) < 0.02
