"""Comsa: decisions, what the probes change, and agreement of Brian2 with the closed form."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made.agreement import assert_first_spikes
from made.comsa_networks import SIZES, as_task, small
from made.fulfilled import fulfilled
from made.project import params_of

from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Condition, Network
from whyspiking.talks.comsa import measures, model, probes
from whyspiking.training.first_spike import encoding

# ---- decisions and probes ------------------------------------------------------------------


def test_decisions_and_hidden_spikes_before_them():
    own = params_of("comsa", "mnist_slow", **SIZES)
    found = as_task(np.zeros((3, 12)), np.array([1, 0, 2]), own)
    times = np.array([[2, 1, 1], [np.inf] * 3, [np.inf, 5, 3]])
    trials = encoding.decide(times, found, own.unit_ms)
    np.testing.assert_array_equal(trials.choices, [1, -1, 2])
    np.testing.assert_array_equal(trials.decision_ms, [1, np.inf, 3])
    hidden = np.array([[0.5, 2, np.inf, 1], [0, 0, 0, 0], [1, 2, 3, 9]])
    assert model.hidden_before_decision(hidden, trials.decision_ms) == pytest.approx(5 / 8)
    assert model.mean_decision(trials.decision_ms) == 2
    never = np.full(3, np.inf)
    assert np.isnan([model.hidden_before_decision(hidden, never), model.mean_decision(never)]).all()


def test_a_regime_is_told_by_time_and_by_share():
    own = params_of("comsa", "regimes", **SIZES)
    given_task = as_task(np.zeros((2, 12)), np.array([0, 1]), own)

    def told(hidden_ms, decision_ms, perturbation="none", own=own):
        first = {"hidden": np.full((2, 200), 1.0), "output": np.full((2, 3), 40.0)}
        first["hidden"][:, :3], first["output"][:, 0] = hidden_ms, decision_ms
        trains = {k: Spikes.from_first_spikes(v, own.trial_ms) for k, v in first.items()}
        condition, recording = Condition(perturbation, "", 0.0), SimpleNamespace(spikes=trains)
        return measures.measures(own, condition, recording, given_task)

    late = told(2.0, measures.SLOW_FROM)
    assert late["slow_regime"] == late["waits_for_hidden"] == 1 and late["accuracy_slow"] == 0.5
    assert told(30.0, 20.0) | {"hidden_before_decision": 0} == {
        "hidden_before_decision": 0, "slow_regime": 1, "waits_for_hidden": 0, "accuracy_slow": 0.5,
    }  # fmt: skip
    early = told(1.0, 2.0)
    assert early["slow_regime"] == 0 and early["waits_for_hidden"] == 1
    assert np.isnan(early["accuracy_slow"]) and not told(1.0, 2.0, "same_time")
    published = replace(own, experiment="regimes_published")
    assert told(1.0, 2.0, own=published)["regime_distance"] == 1.0
    assert told(1.0, 8.0, own=published)["regime_distance"] == -2.0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_swapping_keeps_pixels_and_times(seed):
    rng = np.random.default_rng(seed)
    times = np.where(rng.random((4, 30)) < 0.5, rng.random((4, 30)), np.inf)
    moved = probes.swapped(times, rng)
    np.testing.assert_array_equal(np.isfinite(moved), np.isfinite(times))
    np.testing.assert_array_equal(np.sort(moved, axis=1), np.sort(times, axis=1))


def test_probes_act_on_one_layer():
    own, arrays, times, targets = small()
    given_task = as_task(times, targets, own)
    binding = fulfilled(own).bind(own, Network(arrays))
    hidden = model.first_spikes(own, arrays, times)[0]
    for condition in fulfilled(own).conditions(own):
        rng = np.random.default_rng(0)
        moved, bound = fulfilled(own).vary(own, condition, given_task, binding, rng)
        spikes = moved.stimulus.spikes
        first = spikes["input"].first_ms()
        np.testing.assert_array_equal(np.isfinite(first), np.isfinite(times))
        at_hidden = condition.location == "hidden"
        assert ("hidden_replay" in spikes) == at_hidden
        assert np.all(np.asarray(bound.values["hidden.v_th"]) > 1e8) == at_hidden
        np.testing.assert_array_equal(
            bound.values["hidden_pulses.at"], binding.values["hidden_pulses.at"]
        )
        if at_hidden:
            replayed = spikes["hidden_replay"].first_ms()
            np.testing.assert_array_equal(np.isfinite(replayed), np.isfinite(hidden))
            assert (replayed != hidden)[np.isfinite(hidden)].all()
        elif condition.perturbation == "same_time":
            assert (first[np.isfinite(first)] == 0).all()
        else:
            assert (first != times * own.unit_ms)[np.isfinite(first)].mean() > 0.5
    assert (
        fulfilled(params_of("comsa", "released")).conditions(params_of("comsa", "released")) == ()
    )


# ---- Brian2 --------------------------------------------------------------------------------


def test_binding_separates_pulses_from_inputs():
    own, arrays, _, _ = small()
    binding = fulfilled(own).bind(own, Network(arrays))
    for name, values in {
        "s_hidden.w": arrays["w_hidden"][:12],
        "s_input_pulses.w": arrays["w_hidden"][12:],
        "s_hidden_pulses.w": arrays["w_output"][9:],
        "hidden_pulses.at": arrays["hidden_pulses"] * 1e-3,
    }.items():
        np.testing.assert_allclose(binding.values[name], values, err_msg=name)
    assert set(binding.layers) == {
        "s_hidden.w", "s_output.w", "s_input_pulses.w", "s_hidden_pulses.w",
    }  # fmt: skip


@pytest.mark.slow
def test_brian_is_the_closed_form(builds):
    """Decisions and spikes of a small network with pulses, and of its probes."""
    from whyspiking.brian import Machine

    own, arrays, _, _ = small()
    rng = np.random.default_rng(3)
    times = np.where(rng.random((400, 12)) < 0.7, rng.random((400, 12)), np.inf)
    given_task = as_task(times, rng.integers(0, 3, 400), own)
    network = Network(arrays)
    machine = Machine(fulfilled(own).to_brian(own), builds)

    def simulate(network, some):
        values = fulfilled(own).bind(own, network).values
        return machine.run(some.stimulus, values, trials=len(some.targets))

    recording = simulate(network, given_task)
    ours = fulfilled(own).decode(own, recording, given_task)
    theirs = fulfilled(own).evaluate(own, "spiking", network, given_task)
    assert (ours.choices == theirs.choices).mean() >= 0.995
    first = fulfilled(own).reference_first_ms(own, "spiking", network, given_task)
    assert_first_spikes(recording, first, 0.998, q50=1e-3 * 5.5)
    for name in model.PULSES:
        expected = np.tile(arrays[name], (400, 1))
        np.testing.assert_allclose(recording.spikes[name].first_ms(), expected, atol=1e-6)

    # Hidden spikes replayed without jitter decide the same.
    still = Condition("layer_jitter", "hidden", 1e-9)
    moved, bound = fulfilled(own).vary(
        own, still, given_task, fulfilled(own).bind(own, network), rng
    )
    again = fulfilled(own).decode(
        own, machine.run(moved.stimulus, bound.values, trials=400), given_task
    )
    assert (again.choices == ours.choices).mean() >= 0.995
