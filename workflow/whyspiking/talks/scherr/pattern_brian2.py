"""Pattern generation learned inside a compiled Brian2 program (README, section 7)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.brian import Machine
from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import (
    Binding,
    Network,
    Params,
    Parents,
    Progress,
    Recording,
    Stimulus,
    Task,
    Traces,
)
from whyspiking.errors import unknown_variant
from whyspiking.talks.scherr import brian_learning, kernel, pattern, reference
from whyspiking.talks.scherr.brian_learning import to_brian
from whyspiking.talks.scherr.pattern import decode, make_task
from whyspiking.training.history import require_finite

__all__ = ["bind", "decode", "evaluate", "make_task", "to_brian", "train"]

FEEDBACK = {"spiking": "symmetric", "random": "random"}
"""Variant -> feedback."""
ENGINE = "brian2-learning"
COMPARED = "spiking"
"""Variant whose first gradient is compared with that of automatic differentiation."""


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Learn for `iterations` trials in one run of the program; variants are those of `FEEDBACK`.

    Randomness: "init", "pattern-input", "pattern-target".
    """
    if variant not in FEEDBACK:
        raise unknown_variant(params.talk, params.experiment, variant)
    machine = Machine(to_brian(params), params.work_dir)
    arrays, task = pattern.initial(params, streams), pattern.one_trial(params, streams)
    progress(0.1, "program built")
    once = Stimulus(task.stimulus.spikes, {"wanted": task.targets[0]})
    feedback = FEEDBACK[variant]
    learned = _run(machine, params, arrays, once, feedback, {"adam": params.adam_rate, "sgd": 0.0})
    outputs, wanted = learned.traces["output"][:, :, 0], task.targets[0, :, 0]
    error = ((outputs - wanted) ** 2).sum(axis=1) / ((wanted - wanted.mean()) ** 2).sum()
    measured = {}
    if variant == COMPARED:
        # A step of gradient descent with rate 1 is the gradient itself.
        rates = {"adam": 0.0, "sgd": 1.0}
        moved = _run(machine, params, arrays, once, feedback, rates, n_updates=1)
        ours = np.concatenate([arrays["w"].ravel(), arrays["w_out"].ravel()]) - _weights(moved)
        measured["gradient_cosine_engines"] = _cosine(ours, _reference(params, arrays, streams))
    w = _weights(learned)
    # Inside the simulator nothing looks at every step; what is not finite stays so to the end.
    require_finite({"w or w_out": w}, f"after {params.iterations} trials", params.adam_rate)
    n_hidden = arrays["w"].size
    return Network(
        arrays={
            "w": w[:n_hidden].reshape(arrays["w"].shape),
            "w_out": w[n_hidden:].reshape(arrays["w_out"].shape),
            "feedback": arrays["feedback"],
            # The last trial follows the last update: what the engine of training gives.
            "test_output": outputs[-1],
        },
        info={
            "engine": ENGINE,
            "variant": variant,
            "rule": feedback,
            "epochs": params.iterations,
            "measures": measured,
        },
        history=[
            {"epoch": trial + 1, "metric": "nmse", "value": float(error[trial])}
            for trial in range(0, params.iterations + 1, pattern.HISTORY_EVERY)
        ],
    )


def bind(params: Params, network: Network) -> Binding:
    """Place a trained network into the structure; it learns no more."""
    rates = {"adam": 0.0, "sgd": 0.0}
    feedback = network.info["rule"]
    return brian_learning.bind(params, network.arrays, feedback=feedback, rates=rates)


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Traces:
    """The output of the last trial of learning, after the last update."""
    outputs = np.broadcast_to(network.arrays["test_output"][None, :, None], task.targets.shape)
    return Traces(outputs=outputs.astype(float), targets=task.targets, dt_ms=params.dt_ms)


def _run(
    machine: Machine,
    params: Params,
    arrays: Mapping[str, NDArray],
    once: Stimulus,
    feedback: str,
    rates: Mapping[str, float],
    n_updates: int | None = None,
) -> Recording:
    n_trials = 1 + (params.iterations if n_updates is None else n_updates)
    binding = brian_learning.bind(params, arrays, feedback=feedback, rates=rates)
    return machine.run(brian_learning.repeat(once, n_trials), binding.values, spikes=False)


def _weights(recording: Recording) -> NDArray:
    """All weights at the end of a run, as w and w_out in a row."""
    return np.concatenate([recording.final[f"{name}.w"] for name in ("s_in", "s_rec", "s_out")])


def _reference(params: Params, arrays: dict[str, NDArray], streams: Streams) -> NDArray:
    """The gradient of the first trial by automatic differentiation in JAX."""
    weights = kernel.Weights(arrays["w"], arrays["w_out"])
    _, w, w_out = reference.gradient(
        pattern.cell(params),
        weights,
        pattern.batch(params, streams),
        kernel.RateCost.of(params),
        rule="eprop",
    )
    own = np.arange(params.n_rec)
    w = np.array(w)
    w[params.n_in + own, own] = 0.0
    return np.concatenate([w.ravel(), w_out.ravel()])


def _cosine(first: NDArray, second: NDArray) -> float:
    return float(first @ second / (np.linalg.norm(first) * np.linalg.norm(second)))
