"""Pattern generation learned inside a compiled Brian2 program (README, section 6)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.brian import Machine
from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.errors import unknown_variant
from whyspiking.talks.scherr import brian_learning, pattern
from whyspiking.talks.scherr.brian_learning import to_brian
from whyspiking.talks.scherr.pattern import decode, make_task
from whyspiking.training.history import require_finite

__all__ = ["bind", "decode", "evaluate", "make_task", "to_brian", "train"]

FEEDBACK = {"spiking": "symmetric", "random": "random"}
"""Variant -> feedback."""


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Learn for `iterations` trials in one run of the program; variants are those of `FEEDBACK`.

    Randomness: "init", "pattern-input", "pattern-target".
    """
    if variant not in FEEDBACK:
        raise unknown_variant(params.talk, params.experiment, variant)
    machine = Machine(to_brian(params), params.work_dir)
    arrays, task = pattern.initial(params, streams), pattern.one_trial(params, streams)
    progress(0.1, "program built")
    learned = learn(machine, params, arrays, task, FEEDBACK[variant])
    outputs, wanted = learned.traces["output"][:, :, 0], task.targets[0, :, 0]
    error = ((outputs - wanted) ** 2).sum(axis=1) / ((wanted - wanted.mean()) ** 2).sum()
    w = np.concatenate([learned.final["s_in.w"], learned.final["s_rec.w"]])
    w_out = np.asarray(learned.final["s_out.w"])
    # Inside the simulator nothing looks at every step; what is not finite stays so to the end.
    finite = {"w or w_out": np.concatenate([w, w_out])}
    require_finite(finite, f"after {params.iterations} trials", params.adam_rate)
    return ct.Network(
        arrays={
            "w": w.reshape(arrays["w"].shape),
            "w_out": w_out.reshape(arrays["w_out"].shape),
            "feedback": arrays["feedback"],
            # The last trial follows the last update: what the engine of training gives.
            "test_output": outputs[-1],
        },
        info={
            "engine": "brian2-learning",
            "variant": variant,
            "rule": FEEDBACK[variant],
            "epochs": params.iterations,
        },
        history=[
            {"epoch": trial + 1, "metric": "nmse", "value": float(error[trial])}
            for trial in range(0, params.iterations + 1, pattern.HISTORY_EVERY)
        ],
    )


def learn(
    machine: Machine,
    params: ct.Params,
    arrays: dict[str, NDArray],
    task: ct.Task,
    feedback: str,
) -> ct.Recording:
    """One run of `iterations` trials, each followed by a step of Adam, and a last trial."""
    rates = {"adam": params.adam_rate, "sgd": 0.0}
    binding = brian_learning.bind(params, arrays, feedback=feedback, rates=rates)
    once = ct.Stimulus(task.stimulus.spikes, {"wanted": task.targets[0]})
    shown = brian_learning.repeat(once, 1 + params.iterations)
    return machine.run(shown, binding.values, spikes=False)


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Place a trained network into the structure; it learns no more."""
    rates = {"adam": 0.0, "sgd": 0.0}
    feedback = network.info["rule"]
    return brian_learning.bind(params, network.arrays, feedback=feedback, rates=rates)


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Traces:
    """The output of the last trial of learning, after the last update."""
    outputs = np.broadcast_to(network.arrays["test_output"][None, :, None], task.targets.shape)
    return ct.Traces(outputs=outputs.astype(float), targets=task.targets, dt_ms=params.dt_ms)
