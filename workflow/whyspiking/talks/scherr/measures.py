"""What is measured beyond the score: errors of patterns and movements, messages and their bits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from whyspiking.contract import types as ct
from whyspiking.datasets import shared
from whyspiking.measures import counting, scoring
from whyspiking.talks.scherr import kernel, oneshot_task, pattern
from whyspiking.talks.scherr.model import Cell, Weights
from whyspiking.talks.scherr.trials import Trials, pieces


def measures(
    params: ct.Params, condition: ct.Condition, recording: ct.Recording, task: ct.Task
) -> Mapping[str, float]:
    """The error of a pattern; of a movement, before and after the demonstration.

    On the shared tasks, what the hidden neurons send.
    """
    if shared.takes_part(params) and condition.perturbation == "none":
        (spikes,) = recording.spikes.values()
        n_steps = round(spikes.duration_ms / params.dt_ms)
        return counting.traffic(spikes.raster(spikes.steps(params.dt_ms), n_steps), 1)
    if task.n_classes:
        return {}
    if params.experiment != "oneshot":
        return {"nmse": scoring.nmse(pattern.decode(params, recording, task))}
    half = oneshot_task.n_steps(params)
    outputs = recording.traces["output"]
    return {
        "nmse": oneshot_task.nmse(outputs[:, half:], task.targets),
        "nmse_before": oneshot_task.nmse(outputs[:, :half], task.targets),
    }


def control_counts(neurons: Cell, weights: Weights, trials: Trials) -> dict[str, float]:
    """Operations of the graded twin per trial, and what it sends; names as in the glossary.

    What is 0 moves nothing, in the twin as among neurons that spike.

    Args:
        neurons: Graded neurons.
        weights: Weights.
        trials: The trials whose input spikes are counted.
    """
    sent = np.concatenate([kernel.sent(neurons, weights, part) for part in pieces(trials, 64)])
    targets = np.count_nonzero(weights.w, axis=1)
    read_by = np.count_nonzero(weights.w_out, axis=1)
    moved = targets[trials.channels].sum() + np.count_nonzero(sent, axis=(0, 1)) @ (
        targets[trials.n_inputs :] + read_by
    )
    size = weights.w.size + weights.w_out.size
    return {
        "macs_effective": float(moved / trials.n_trials),
        "macs_dense": float(trials.n_steps * size),
        "neuron_updates": float(trials.n_steps * sum(weights.w_out.shape)),
        "synapses": float(targets.sum() + read_by.sum()),
        "footprint": 4.0 * size,
        **counting.traffic(sent, counting.WHOLE_BITS),
    }
