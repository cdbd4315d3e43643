"""Evidence accumulation learned from one reward per trial: reward-based e-prop (README, section 8).

The readouts of `evidence` are a policy, a third one expects the reward. One action is drawn at the
end of a trial, and one number, the reward less what was expected, is broadcast to all synapses.
Task, network, re-simulation and tests are those of `evidence`; in tests the likelier action is
taken.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.errors import unknown_variant
from whyspiking.talks.scherr import evidence, kernel, learning, model
from whyspiking.talks.scherr import task as evidence_task
from whyspiking.talks.scherr.evidence import decode, evaluate, to_brian
from whyspiking.talks.scherr.task import make_task
from whyspiking.talks.scherr.trials import Trials
from whyspiking.training.history import History

__all__ = ["bind", "decode", "evaluate", "make_task", "to_brian", "train"]

RULES = {"spiking": "symmetric", "random": "random", "lif_only": "symmetric"}
"""Variant -> feedback; `lif_only` has no adaptive neurons."""
ACTIONS = 2
MIN_CHANCE = 1e-12
"""Smallest chance whose logarithm is taken."""
VALUE = ACTIONS
"""The readout that expects the reward comes behind those of the actions."""


@dataclass(frozen=True)
class Acted:
    """Actions of a batch of trials, and their rewards.

    Attributes:
        chances: Policy, (trial, action).
        actions: Drawn actions, (trial,).
        surprise: Reward less what was expected, (trial,).
    """

    chances: NDArray
    actions: NDArray[np.int64]
    surprise: NDArray

    def entropy(self) -> NDArray:
        """Compute the entropy of each policy, nats, (trial,)."""
        return -(self.chances * np.log(self.chances)).sum(axis=1)

    def errors(self, value_cost: float, entropy_cost: float) -> NDArray:
        """Derivative of the loss by the mean outputs of each trial, (trial, output) (Eq. 16)."""
        policy = self.surprise[:, None] * (self.chances - np.eye(ACTIONS)[self.actions])
        log_chances = np.log(self.chances) + self.entropy()[:, None]
        policy += entropy_cost * self.chances * log_chances
        return np.hstack([policy, -value_cost * self.surprise[:, None]])

    def loss(self, value_cost: float, entropy_cost: float) -> float:
        """Loss, the surprise before the policy held fixed: mean over trials (Eq. 15)."""
        action_chances = np.take_along_axis(self.chances, self.actions[:, None], axis=1)[:, 0]
        policy_loss = -self.surprise * np.log(action_chances) - entropy_cost * self.entropy()
        return float(np.mean(policy_loss + value_cost / 2 * self.surprise**2))


def act(outputs: NDArray, labels: NDArray, rng: np.random.Generator) -> Acted:
    """Draw one action per trial; the reward is 1 if it is the label, else 0.

    Args:
        outputs: Mean outputs over the recall, (trial, output).
        labels: Right actions, (trial,).
        rng: Randomness.
    """
    logits = outputs[:, :ACTIONS] - outputs[:, :ACTIONS].max(axis=1, keepdims=True)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    chances = np.maximum(chances, MIN_CHANCE)
    actions = (rng.random(len(outputs)) >= chances[:, 0]).astype(np.int64)
    return Acted(chances, actions, (actions == labels) - outputs[:, VALUE])


def gradient(
    params: ct.Params,
    rule: str,
    neurons: model.Cell,
    arrays: learning.Arrays,
    trials: Trials,
    rng: np.random.Generator,
) -> kernel.Gradient:
    """The gradient of a batch by reward-based e-prop.

    The kernel learns from the distance between outputs and targets; targets that are the outputs
    less the wanted errors give it these. Errors stay near 1 for the sake of float32: what comes
    out is divided by the number of steps and trials afterwards.

    Args:
        params: `value_cost`, `entropy_cost`, and the cost of rates.
        rule: "symmetric" or "random".
        neurons: Neurons and readout.
        arrays: w, w_out and feedback, with the readout of the value.
        trials: Input and right actions.
        rng: Randomness of the actions.
    """
    weights, cost = model.Weights(arrays["w"], arrays["w_out"]), kernel.RateCost.of(params)
    costs = params.value_cost, params.entropy_cost
    assert trials.labels is not None
    outputs = kernel.forward(neurons, weights, trials).outputs
    counted_outputs = outputs[:, trials.first_step :]
    acted = act(counted_outputs.mean(axis=1, dtype=np.float64), trials.labels, rng)
    counted_outputs -= acted.errors(*costs)[:, None].astype(outputs.dtype)
    n_terms = counted_outputs.shape[0] * counted_outputs.shape[1]
    scaled = kernel.by_rule(
        rule, neurons, arrays, replace(trials, labels=None, targets=outputs),
        replace(cost, cost=cost.cost * n_terms),
    )  # fmt: skip
    rate_loss = cost.cost / 2 * ((scaled.rates - cost.target) ** 2).sum()
    return replace(
        scaled,
        loss=acted.loss(*costs) + float(rate_loss),
        w=scaled.w / n_terms,
        w_out=scaled.w_out / n_terms,
        outputs=scaled.outputs[:, :ACTIONS],
    )


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train one network on fresh trials, each followed by one reward.

    The learning rate falls as in `evidence.train`. Randomness: "init", "data-train", "actions",
    "data-validation".
    """
    if variant not in RULES:
        raise unknown_variant(params.talk, params.experiment, variant)
    neurons, history = evidence.cell(params, variant), History()
    train_rng, action_rng = streams.rng("data-train"), streams.rng("actions")
    recipe = learning.Recipe(
        RULES[variant], params.iterations, params.learning_rate, params.decay_share
    )
    fitted = learning.fit(
        params, recipe, neurons, evidence.initial(params, streams, ACTIONS + 1),
        lambda _: evidence_task.draw(params, train_rng, params.batch),
        history, progress, changing=(train_rng, action_rng),
        gradient=lambda arrays, trials: gradient(
            params, recipe.rule, neurons, arrays, trials, action_rng
        ),
    )  # fmt: skip
    validation_trials = evidence_task.draw(
        params, streams.rng("data-validation"), params.n_validation
    )
    means = kernel.mean_outputs(neurons, fitted.arrays, validation_trials)
    is_correct = means[:, :ACTIONS].argmax(axis=1) == validation_trials.labels
    return ct.Network(
        arrays=fitted.arrays,
        info={
            "engine": "compiled",
            "variant": variant,
            "rule": f"reward-based, {recipe.rule}",
            "epochs": recipe.iterations,
            "validation_error": float(1 - is_correct.mean()),
        },
        history=history.rows,
    )


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Place a trained network into the structure of `evidence`: no decision needs the value."""
    arrays = {**network.arrays, "w_out": network.arrays["w_out"][:, :ACTIONS]}
    return evidence.bind(params, replace(network, arrays=arrays))
