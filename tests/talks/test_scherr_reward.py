"""Reward-based e-prop: its errors, the rule itself, and what random feedback does to neurons."""

import numpy as np
import pytest
from made.agreement import slopes
from made.interpreted import in_brian
from made.project import params_of

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Stimulus
from whyspiking.talks.scherr import (
    cue_sensitivity,
    evidence,
    kernel,
    learning,
    model,
    reward,
    trials,
)
from whyspiking.talks.scherr import task as evidence_task

COSTS = 0.3, 0.2


def start(params, seed=3):
    arrays = evidence.initial(params, Streams(seed), 3)
    return {name: x.astype(float) for name, x in arrays.items()}


def acted(seed=0, n=6):
    rng = np.random.default_rng(seed)
    outputs = rng.normal(size=(n, 3))
    return outputs, reward.act(outputs, rng.integers(2, size=n), rng)


def test_errors_are_the_slopes_of_the_loss():
    outputs, found = acted()
    gained = found.surprise + outputs[:, reward.VALUE]

    def loss():
        """The surprise in front of the policy stays that of the run; the value's own moves."""
        z = outputs[:, :2] - np.log(np.exp(outputs[:, :2]).sum(axis=1, keepdims=True))
        off = gained - outputs[:, 2]
        entropy = -(np.exp(z) * z).sum(axis=1)
        chosen = z[np.arange(len(z)), found.actions]
        return (-found.surprise * chosen - COSTS[1] * entropy + COSTS[0] / 2 * off**2).sum()

    assert found.loss(*COSTS) == pytest.approx(loss() / len(outputs), rel=1e-12)
    np.testing.assert_allclose(found.errors(*COSTS), slopes(loss, outputs), atol=1e-8)


def test_on_average_over_actions_the_chance_of_a_reward_grows():
    """Whatever value is expected: the mean of the errors is the slope of the chance to be right."""
    outputs = np.array([[0.3, -0.4, 0.7]])
    right = 1
    chances = np.exp(outputs[0, :2]) / np.exp(outputs[0, :2]).sum()
    mean = np.zeros(2)
    for action in (0, 1):
        surprise = np.array([float(action == right) - outputs[0, 2]])
        one = reward.Acted(chances[None], np.array([action]), surprise)
        mean += chances[action] * one.errors(0.0, 0.0)[0, :2]
    slope = chances[right] * (np.eye(2)[right] - chances)
    np.testing.assert_allclose(mean, -slope, rtol=1e-12)


def test_actions_are_drawn_by_the_policy_and_paid_by_the_label():
    outputs = np.tile([np.log(3.0), 0.0, 0.25], (4000, 1))
    labels = np.arange(4000) % 2
    found = reward.act(outputs, labels, np.random.default_rng(1))
    assert (found.actions == 0).mean() == pytest.approx(0.75, abs=0.03)
    np.testing.assert_array_equal(found.surprise, (found.actions == labels) - 0.25)


@pytest.mark.parametrize("rule", ["symmetric", "random"])
def test_the_rule_is_error_times_eligibility(rule):
    """The kernel's way against Eqs. 6-8 written down step by step, the same actions drawn."""
    params = params_of("scherr", "evidence_reward", rate_cost=0.0)
    arrays, neurons = start(params), evidence.cell(params, "spiking")
    given = evidence_task.draw(params, np.random.default_rng(2), 3)
    found = reward.gradient(params, rule, neurons, arrays, given, np.random.default_rng(4))
    weights = model.Weights(arrays["w"], arrays["w_out"])
    means = kernel.mean_outputs(neurons, arrays, given)
    errors = reward.act(means, given.labels, np.random.default_rng(4)).errors(
        params.value_cost, params.entropy_cost
    )
    back = arrays["w_out" if rule == "symmetric" else "feedback"]
    n_rec = neurons.beta.size
    pre, post = (x.ravel() for x in np.indices((given.n_inputs + n_rec, n_rec)))
    wanted = np.zeros(pre.size)
    for trial, part in enumerate(trials.pieces(given, 1)):
        _, filtered = learning.eligibilities(neurons, weights, part, pre, post)
        mean = filtered[given.first_step :].mean(axis=0)
        wanted += (back @ errors[trial])[post] * mean / given.n_trials
    wanted = wanted.reshape(found.w.shape)
    own = np.arange(n_rec)
    wanted[given.n_inputs + own, own] = 0
    assert np.abs(wanted).max() > 0
    assert np.abs(found.w - wanted).max() / np.abs(wanted).max() < 1e-9


def test_float32_loses_little_by_the_way_of_targets():
    params = params_of("scherr", "evidence_reward")
    arrays, neurons = start(params), evidence.cell(params, "spiking")
    given = evidence_task.draw(params, np.random.default_rng(2), 8)
    exact, coarse = (
        reward.gradient(
            params, "symmetric", neurons, {k: v.astype(kind) for k, v in arrays.items()}, given,
            np.random.default_rng(4),
        )
        for kind in (np.float64, np.float32)
    )  # fmt: skip
    for name in ("w", "w_out"):
        ours, theirs = (getattr(x, name).ravel() for x in (exact, coarse))
        assert ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs) > 0.99999


def test_brian_is_given_the_policy():
    """Outputs of the two actions, as in training; the value takes no part in a decision."""
    params = params_of("scherr", "evidence_reward")
    arrays, neurons = start(params), evidence.cell(params, "spiking")
    given = evidence_task.draw(params, np.random.default_rng(3), 2)
    network = Network(arrays, {"variant": "spiking"})
    stimulus = Stimulus({"input": trials.to_spikes(given, params.dt_ms)})
    parts = in_brian(reward.to_brian(params), stimulus, reward.bind(params, network).values, 2)
    traces = np.asarray(parts["trace_monitors"]["output"].y).T.reshape(2, given.n_steps, 2)
    run = kernel.forward(neurons, model.Weights(arrays["w"], arrays["w_out"]), given)
    np.testing.assert_allclose(traces, run.outputs[:, :, :2], atol=1e-12)


def test_sides_of_cues_are_read_from_the_inputs():
    params = params_of("scherr", "evidence_reward", n_cues=7)
    given = evidence_task.draw(params, np.random.default_rng(0), 40)
    sides = cue_sensitivity.cue_sides(params, given)
    np.testing.assert_array_equal(2 * sides.sum(axis=1) > params.n_cues, given.labels == 1)


def test_the_correlation_is_that_of_differences_between_sides():
    feedback = np.array([[0.0, 1.0], [0.0, 2.0], [1.0, 1.0]])
    rates = np.array([[5.0, 5.0, 5.0], [6.0, 7.0, 5.0]])
    assert cue_sensitivity.correlation(feedback, rates) == pytest.approx(1)
    assert cue_sensitivity.correlation(feedback, rates[::-1]) == pytest.approx(-1)
