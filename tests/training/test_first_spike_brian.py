"""The clocked form of first-spike networks against the closed form."""

import itertools

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


@pytest.mark.slow
def test_three_hidden_layers_agree_with_the_closed_form(builds):
    sizes = (12, 20, 15, 10, N_OUTPUT)
    model = brian_network.network(
        "deep",
        n_input=sizes[0],
        n_hidden=sizes[1:-1],
        n_output=N_OUTPUT,
        direct=False,
        dt_ms=0.01,
        trial_ms=TRIAL_MS,
        max_trials=200,
    )
    rng = np.random.default_rng(0)
    weights = [
        rng.normal(4.0 / np.sqrt(a), 4.0 / np.sqrt(a), (a, b)) for a, b in itertools.pairwise(sizes)
    ]
    times = rng.uniform(0.15, 1.0, (200, sizes[0]))
    values = brian_network.values(
        weights[0], weights[-1], None, further=weights[1:-1], threshold=1.0, tau_m_ms=1.0,
        tau_s_ms=1.0,
    )  # fmt: skip
    assert set(brian_network.bind(values).layers) == {
        "s_hidden.w", "s_hidden_2.w", "s_hidden_3.w", "s_output.w"
    }  # fmt: skip
    stimulus = Stimulus({"input": Spikes.from_first_spikes(times, TRIAL_MS)})
    recording = Machine(model, builds).run(stimulus, values)
    exact = times
    for name, w in zip(brian_network.populations(3), weights, strict=True):
        exact = compiled.forward(exact, w, 1.0, 1).times
        found = recording.spikes[name].first_ms()
        fired = np.where(exact <= TRIAL_MS, exact, np.inf)
        assert np.isfinite(fired).mean() > 0.3
        assert (np.isfinite(found) == np.isfinite(fired)).mean() > 0.99
        both = np.isfinite(found) & np.isfinite(fired)
        assert np.median(np.abs(found[both] - fired[both])) < 1e-3
