"""Goeltz: trained networks of both ratios of time constants, in closed form and in Brian2."""

from dataclasses import replace

import numpy as np
import pytest
from made.agreement import assert_first_spikes
from made.fulfilled import fulfilled, task_of
from made.project import params_of, silent

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Condition, Stimulus
from whyspiking.talks.goeltz import brian_network, imperfections, learning, model


@pytest.fixture(scope="module", params=[1, 2])
def trained(request):
    """A small network for each ratio of time constants."""
    own = params_of(
        "goeltz", "yinyang", tau_ratio=request.param, epochs=12, n_train=3000, batch=100
    )
    return own, learning.train(own, Streams(0), silent)


# ---- learning ------------------------------------------------------------------------------


def test_a_second_bias_spike_is_one_more_input_of_every_layer():
    own = params_of("goeltz", "yinyang", bias_times=[0.9, 1.5], n_train=300, epochs=1)
    network = learning.train(own, Streams(0), silent)
    assert [w.shape for w in model.weights_of(network)] == [(6, 60), (62, 3)]
    assert np.shape(fulfilled(own).bind(own, network).values["s_direct.w"]) == (6, 3)
    assert fulfilled(own).to_brian(own).inputs["input"] == 6


# ---- Brian2 --------------------------------------------------------------------------------


def test_binding_places_the_bias(trained):
    own, network = trained
    binding = fulfilled(own).bind(own, network)
    w_output = network.arrays["w_output"]
    np.testing.assert_allclose(binding.values["s_output.w"], w_output[:-1])
    np.testing.assert_allclose(binding.values["s_direct.w"][4], w_output[-1])
    assert (binding.values["s_direct.w"][:4] == 0).all()
    assert np.all(binding.values["hidden.v_th"] == 1 / own.tau_ratio)


@pytest.mark.slow
def test_brian_is_the_closed_form(trained, builds):
    from whyspiking.brian import Machine

    own, network = trained
    machine = Machine(fulfilled(own).to_brian(own), builds)
    test = task_of(own)

    recording = machine.run(test.stimulus, fulfilled(own).bind(own, network).values)
    ours, theirs = (
        fulfilled(own).decode(own, recording, test),
        fulfilled(own).evaluate(own, "spiking", network, test),
    )
    assert (ours.choices == theirs.choices).mean() >= 0.995
    exact = fulfilled(own).reference_first_ms(own, "spiking", network, test)
    assert_first_spikes(recording, exact, 0.999, q50=2e-4, q90=2e-3)

    # Neurons with time constants of their own, against the numerical event-driven solution.
    taus = imperfections.taus_of(own, Condition("tau_spread", "neurons", 0.3), Streams(3))
    changes = {
        f"{layer}.{tau}": taus[f"{tau}_{layer}"] * 1e-3
        for layer in ("hidden", "output")
        for tau in ("tau_m", "tau_s")
    }
    weights = tuple(network.arrays[name] for name in model.WEIGHT_NAMES)
    times = test.stimulus.spikes["input"].first_ms()[:300]
    shown = Stimulus({"input": Spikes.from_first_spikes(times, own.trial_ms)})
    chip = machine.run(shown, {**brian_network.values(own, weights), **changes})
    numeric = imperfections.uneven_neurons(own, taus)(times, weights)
    ends = {"hidden": numeric.hidden.times, "output": numeric.output.times}
    ends = {name: np.where(t <= own.trial_ms, t, np.inf) for name, t in ends.items()}
    assert_first_spikes(chip, ends, 0.995, q50=2e-4)
    assert (numeric.hidden.times != model.closed_form(own)(times, weights).hidden.times).any()

    # Hidden spikes replayed in place of the silenced layer decide the same.
    replayed = replace(
        test,
        stimulus=replace(
            test.stimulus,
            spikes={**test.stimulus.spikes, "hidden_replay": recording.spikes["hidden"]},
        ),
    )
    values = {**fulfilled(own).bind(own, network).values, "hidden.v_th": 1e9}
    again = fulfilled(own).decode(own, machine.run(replayed.stimulus, values), test)
    np.testing.assert_array_equal(again.choices, ours.choices)
    # A spike that an arrival within the step has caused may be replayed one step earlier, which an
    # output that just grazes its threshold turns into a later spike.
    moved = np.abs(again.decision_ms - ours.decision_ms)[np.isfinite(ours.decision_ms)]
    assert (moved < 1e-9).mean() > 0.97 and (moved < 0.01).mean() > 0.99
