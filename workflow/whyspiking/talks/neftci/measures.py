"""Measures of networks that read digits, beyond the score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from whyspiking.contract import types as ct
from whyspiking.measures.latency import Answers, settled
from whyspiking.talks.neftci import decisions, digits, gru, model
from whyspiking.talks.neftci import task as tasks
from whyspiking.tasks import task_data
from whyspiking.training import controls


def measures(
    params: ct.Params, condition: ct.Condition, recording: ct.Recording, task: ct.Task
) -> Mapping[str, float]:
    """Accuracy of the readout of each of several layers, and spikes per neuron and step."""
    if task_data.takes_part(params):
        return {}
    values = {}
    n_steps = params.n_frames * len(task.targets)
    for index, name in enumerate(model.names(params), start=1):
        choices = decisions.decide(
            params, task.targets, recording.traces[f"readout{index}"]
        ).choices
        values[f"accuracy_layer{index}"] = float((choices == task.targets).mean())
        spikes = recording.spikes[name]
        values[f"activity_layer{index}"] = len(spikes) / (spikes.n_units * n_steps)
    n_layers = len(params.hidden)
    last_accuracy = values[f"accuracy_layer{n_layers}"]
    values["depth_gain"] = last_accuracy - values["accuracy_layer1"]
    if n_layers > 1:
        values["last_layer_gain"] = last_accuracy - values[f"accuracy_layer{n_layers - 1}"]
    if "lesson_classes" in params.values:
        readout = recording.traces[f"readout{n_layers}"]
        lesson_outcome = decisions.decide_within(
            params, task.targets, readout, params.lesson_classes
        )
        values["accuracy_told"] = float((lesson_outcome.choices == task.targets).mean())
    return values


def control_decisions(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> ct.Trials | None:
    """When a control's vote is settled, by the rule for the spiking network.

    The GRU votes step by step; the others are asked after every frame that the vote counts.
    """
    if variant == digits.GRU:
        return gru.evaluate(params, network, task)
    steps = np.arange(model.burn_in(params), params.n_frames)
    choices = []
    for step in steps:
        # A frame is complete half a step after the time at which Brian2 hands it on.
        so_far = tasks.features_until(params, task, (step + 0.5) * float(params.dt_ms))
        choices.append(controls.evaluate(network, replace(task, features=so_far)).choices)
    times_ms = steps * float(params.dt_ms)
    return settled(Answers(task.targets, np.stack(choices), times_ms, task.n_classes))
