"""When a control on the same recordings has made up its mind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from whyspiking import controls
from whyspiking.contract import Network, Params, Task, Trials
from whyspiking.latency import Answers, settled
from whyspiking.replications.neftci import model, task


def decisions(params: Params, network: Network, given: Task) -> Trials:
    """When the control's answer stays as it is, asked after every frame that the vote counts.

    Args:
        params: Parameters of the experiment.
        network: From `control.train`.
        given: Digits with the exact times of their events.
    """
    steps = np.arange(model.burn_in(params), params.n_frames)
    choices = []
    for step in steps:
        # A frame is complete half a step after the time at which Brian2 hands it on.
        so_far = task.features_until(params, given, (step + 0.5) * float(params.dt_ms))
        choices.append(controls.evaluate(network, replace(given, features=so_far)).choices)
    times_ms = steps * float(params.dt_ms)
    answers = Answers(given.targets, np.stack(choices), times_ms, given.n_classes)
    return settled(answers)
