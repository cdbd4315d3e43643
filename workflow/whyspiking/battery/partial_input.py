"""Controls that answer before all of their input has arrived: L1 to L3.

A control that sees the whole input at once has no decision in time. Here it is given what has come
in by t, the rest missing, at many t. Two things favour it: it answers without delay, and the cost
of evaluating it again and again is not counted. One does not: it was trained on whole inputs only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import places
from whyspiking.contract.randomness import Streams
from whyspiking.contract.talk import Replication
from whyspiking.contract.trial_subsets import chosen_trials, select_task
from whyspiking.contract.types import ExperimentParameters, Network, Task, Trials
from whyspiking.errors import UserError
from whyspiking.measures import latency
from whyspiking.measures.latency import Answers
from whyspiking.records import tables
from whyspiking.training import controls

TIMES = 101
"""How often a control is evaluated, from the start to the last input spike. An answer counts from
the time of its evaluation, so the area is too small by at most a hundredth of the input."""


def probe(
    replication: Replication[Any],
    params: ExperimentParameters,
    variant: str,
    network: Network,
    config: Mapping[str, Any],
) -> tuple[list[dict[str, Any]], dict[str, NDArray]]:
    """How early a control answers, on the trials on which it is perturbed.

    A control with decisions in time is measured by these. Of any other that can be given part of
    its input the running answer counts at each time, not the time at which it settles: that is
    known afterwards only, and a constant answer to no input would count as settled at once.

    Args:
        replication: The talk; where neither `features_until` nor `control_decisions` gives
            anything, nothing is measured.
        params: Parameters, with the seed of this network.
        variant: Name of the control.
        network: The trained control.
        config: The `battery` block of the config.

    Returns:
        Rows `t95` and `speed_area` of the metrics table, and the arrays `anytime.time_ms` (time,)
        and `anytime.<variant>.<seed>` (time,); both empty where nothing is measured.

    Raises:
        UserError: If the talk's `features_until` or `evaluate` gives something else than announced.
    """
    streams = Streams(params.seed)
    task = replication.make_task(params, "test", streams)
    if task is None or not task.stimulus.spikes or not task.n_classes or task.targets.ndim != 1:
        return [], {}
    n_trials = int(task.targets.shape[0])
    part = select_task(task, chosen_trials(n_trials, int(config["n_trials"]), streams))
    outcome = _outcome(replication, params, variant, network, part)
    if outcome is None:
        return [], {}
    duration_ms = next(iter(part.stimulus.spikes.values())).duration_ms
    values = {"t95": latency.t95(outcome), "speed_area": latency.speed_area(outcome, duration_ms)}
    times = np.linspace(0.0, duration_ms, latency.ANYTIME_POINTS)
    shared = places.common(params, variant, params.seed, network.info["engine"])
    return tables.rows(shared, values, int(part.targets.size)), {
        "anytime.time_ms": times,
        f"anytime.{variant}.{params.seed}": latency.anytime(outcome, times),
    }


def _outcome(
    replication: Replication[Any],
    params: ExperimentParameters,
    variant: str,
    network: Network,
    task: Task,
) -> Trials | Answers | None:
    """Decisions of a control, or its answers to the input up to each of many times.

    None where it gives neither.
    """
    decided = replication.control_decisions(params, variant, network, task)
    if decided is not None:
        return decided
    last_ms = max(float(s.times_ms.max(initial=0.0)) for s in task.stimulus.spikes.values())
    times_ms = np.linspace(0.0, last_ms, TIMES)
    choices = []
    for t_ms in times_ms:
        features = replication.features_until(params, task, float(t_ms))
        if features is None:
            return None
        if task.features is None or features.shape != task.features.shape:
            raise UserError(
                f"talk '{params.talk}': `features_until` returns an array of shape "
                f"{features.shape}; it must have the shape of `Task.features`"
            )
        outcome = controls.evaluate_variant(
            replication, params, variant, network, replace(task, features=features)
        )
        if not isinstance(outcome, Trials):
            raise UserError(
                f"talk '{params.talk}': `evaluate` returns no class for the control '{variant}'; "
                "expected classes. Make `features_until` return None in this experiment"
            )
        choices.append(outcome.choices)
    return Answers(np.asarray(task.targets, np.int64), np.stack(choices), times_ms, task.n_classes)
