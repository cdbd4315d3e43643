"""Counts of spikes, synaptic events and updates, worked out by hand."""

import numpy as np
import pytest

from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Layer, Trials
from whyspiking.errors import UserError
from whyspiking.measures import counting


def trains() -> dict[str, Spikes]:
    """Two trials: inputs fire 3 + 1 times, hidden neurons 2 + 0 times."""
    inf = np.inf
    return {
        "input": Spikes.from_first_spikes(np.array([[1.0, 2.0, 2.0], [inf, 4.0, inf]]), 10.0),
        "hidden": Spikes.from_first_spikes(np.array([[3.0, 5.0], [inf, inf]]), 10.0),
        "output": Spikes.from_first_spikes(np.array([[6.0], [7.0]]), 10.0),
    }


W0 = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
W1 = np.array([[2.0], [0.0]])
LAYERS = {
    "s_in.w": Layer("input", "hidden", W0),
    "s_out.w": Layer("hidden", "output", W1, "readout"),
}


def test_two_kinds_of_events_of_a_group_are_spikes_of_the_same_neurons():
    both = {**trains(), "hidden.burst": trains()["hidden"]}
    layers = {**LAYERS, "s_burst.w": Layer("hidden.burst", "hidden", np.ones((2, 2)), "recurrent")}
    found = counting.count(both, ["input"], layers, dt_ms=1.0)
    assert found["spikes_hidden"] == 2.0
    assert found["spikes_per_neuron"] == 1.0


def test_footprint_counts_zeros_and_what_neurons_have_of_their_own():
    values = {
        "s_in.w": W0,
        "s_out.w": W1,
        "s_replay.w": W1,
        "hidden.v_th": np.ones(2),
        "hidden.gain": 1.0,
    }
    assert counting.footprint(LAYERS, values) == 4 * (6 + 2 + 2)


def test_populations_that_are_recorded_longer_than_their_input_are_counted():
    """A full synapse matrix, and a last spike after the end of the input."""
    longer = {
        "input": Spikes.from_first_spikes(np.array([[1.0], [10.0]]), 10.0),
        "hidden": Spikes.from_first_spikes(np.array([[12.0], [12.0]]), 12.0),
    }
    layers = {
        "s_in.w": Layer("input", "hidden", np.ones((1, 1))),
        "s_rec.w": Layer("hidden", "hidden", np.ones((1, 1)), "recurrent"),
    }
    assert counting.event_updates(longer, layers, 1.0) == {"hidden": 2}


def test_analogue_inputs_cost_macs_at_every_sample():
    weights = np.array([[1.0, 1.0], [0.0, 3.0]])
    array = np.array([[[1.0, 2.0], [0.0, 2.0]], [[1.0, 0.0], [1.0, 0.0]]])
    assert counting.analogue_macs(array, weights) == (2 + 1 + 1 + 2 + 2) / 2
    assert counting.analogue_macs(array[0], weights) == 2 + 1 + 1
    layers = {**LAYERS, "drive": Layer("clock", "hidden", weights)}
    found = counting.count(trains(), ["input"], layers, dt_ms=1.0, arrays={"clock": array})
    assert found["macs_effective"] == 4.0
    assert found["density"] == 3 / 4


def test_an_unrecorded_population_is_refused():
    with pytest.raises(UserError, match=r"'elsewhere'.*record_spikes"):
        counting.count(trains(), ["input"], {"w": Layer("elsewhere", "b", W1)}, dt_ms=1.0)


def test_information_of_a_perfect_and_of_a_blind_network():
    rng = np.random.default_rng(0)
    targets = rng.integers(4, size=4000)
    perfect = Trials(targets, targets, np.ones(4000), 4)
    # Less the bias (4 - 4 - 4 + 1)/(2 n ln 2) = -3/(2 n ln 2).
    assert counting.information(perfect) == pytest.approx(2.0, abs=0.01)
    blind = [
        counting.information(
            Trials(rng.integers(4, size=200), rng.integers(4, size=200), np.ones(200), 4)
        )
        for _ in range(200)
    ]
    # The plain estimate would be 9/(2 n ln 2) = 0.032 on average.
    assert np.mean(blind) == pytest.approx(0.0, abs=0.004)


def test_undecided_is_an_answer_of_its_own():
    targets = np.arange(2).repeat(500)
    outcome = Trials(targets, np.where(targets == 1, 1, -1), np.ones(1000), 2)
    assert counting.information(outcome) == pytest.approx(1.0, abs=0.01)


def test_every_further_state_variable_is_updated_with_its_neuron():
    """Two variables on two hidden neurons, none on the output neuron."""
    found = counting.count(trains(), ["input"], LAYERS, dt_ms=1.0, states={"hidden": 2})
    updates = (found["state_updates"], found["state_updates_event"])
    assert updates == (2 * 2 * 10, 2 * (1 + 2 + 2) / 2)
    none = counting.count(trains(), ["input"], LAYERS, dt_ms=1.0, states={})
    assert none["state_updates"] == none["state_updates_event"] == 0
    with pytest.raises(UserError, match=r"'nowhere'.*hidden"):
        counting.count(trains(), ["input"], LAYERS, dt_ms=1.0, states={"nowhere": 1})


@pytest.mark.parametrize("density", [0.3, 1.0])
def test_event_driven_updates_are_the_pairs_of_step_and_neuron(monkeypatch, density):
    """Against plain sets, for more neurons than a word of 64 bits has, in several pieces."""
    monkeypatch.setattr(counting, "CHUNK", 7)
    rng = np.random.default_rng(2)
    n_pre, n_post, n = 9, 70, 120
    spikes = Spikes.sorted(
        rng.integers(0, 40, n).astype(float),
        rng.integers(0, n_pre, n),
        rng.integers(0, 2, n),
        n_trials=2,
        n_units=n_pre,
        duration_ms=40.0,
    )
    weights = (rng.random((n_pre, n_post)) < density).astype(float)
    pairs = {
        (trial, time, post)
        for trial, time, unit in zip(spikes.trials, spikes.times_ms, spikes.units, strict=True)
        for post in np.flatnonzero(weights[unit]).tolist()
    }
    found = counting.event_updates({"a": spikes}, {"w": Layer("a", "b", weights)}, 1.0)
    assert found == {"b": len(pairs) / 2}


def test_counts_by_hand():
    found = counting.count(trains(), ["input"], LAYERS, dt_ms=1.0, stop_ms=np.array([2.5, np.inf]))
    # Fan-outs 1, 2, 0 and 1, 0. The output feeds nothing and is no operation.
    assert found == {
        "spikes_input": 2.0,
        "spikes_hidden": 1.0,
        "spikes": 3.0,
        "syn_events_feedforward": (1 + 2 + 0 + 2) / 2,
        "syn_events_readout": 1 / 2,
        "syn_events": 3.0,
        "macs_effective": 0.0,
        "synapses": 4,
        "density": 3 / 4,
        "connection_sparsity": 0.5,
        "neuron_updates": (2 + 1) * 10,
        "neuron_updates_event": (1 + 2 + 2 + 1) / 2,
        "spikes_per_neuron": 0.5,
        "rate": 50.0,
        "activation_sparsity": 1 - 0.5 / 10,
        # Up to 2.5 ms in trial 0, all of trial 1.
        "spikes_to_decision": (3 + 1) / 2,
        "events_to_decision": (3 + 2) / 2,
    }
