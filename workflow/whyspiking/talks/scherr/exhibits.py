"""Small arrays for the figures of this talk."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.scherr import (
    cue_sensitivity,
    evidence,
    kernel,
    learning,
    model,
    oneshot_task,
    pattern,
)
from whyspiking.talks.scherr import task as evidence_task
from whyspiking.tasks import task_data

CUE_TRIALS = 512
"""Fresh trials from which rates during cues are read."""
MOVEMENTS = 4
"""Unseen movements that are shown, the first ones of the test."""


def exhibits(
    params: ct.Params, networks: ct.Networks, simulate: ct.Simulate, streams: Streams
) -> dict[str, NDArray]:
    """Arrays for the figures of one experiment."""
    if params.experiment == "evidence":
        return _evidence(params, networks, streams) | _feedback(params, networks, streams)
    if params.experiment == "evidence_published":
        return _iterations(networks)
    if params.experiment == "oneshot":
        return _oneshot(params, networks, simulate)
    if params.experiment in ("evidence_comparison", "evidence_reward"):
        return {}  # no figure shows a network of these experiments
    if task_data.takes_part(params):
        return {}
    return _pattern(params, networks, simulate)


def _evidence(params: ct.Params, networks: ct.Networks, streams: Streams) -> dict[str, NDArray]:
    seed = min(seed for variant, seed in networks if variant == "spiking")
    arrays = {k: v.astype(float) for k, v in networks["spiking", seed].arrays.items()}
    cell, weights = evidence.cell(params, "spiking"), model.Weights(arrays["w"], arrays["w_out"])
    trial = evidence_task.draw(params, streams.rng("trial shown"), 1)
    run = kernel.forward(cell, weights, trial, spikes=True, states=True)
    assert run.adaptations is not None
    adaptive = np.flatnonzero(cell.beta > 0)
    busiest = adaptive[np.argsort(-run.counts[0, adaptive])][:3]
    # Input synapses of the busiest adaptive neuron, from the busiest channels of different groups.
    counts = np.bincount(trial.channels, minlength=trial.n_inputs)
    groups = counts.reshape(len(evidence_task.GROUPS), -1)
    busy = groups.argmax(axis=1) + np.arange(len(groups)) * params.n_per_group
    pre = busy[[0, 1, 3]]
    eligibility, _ = learning.eligibilities(
        cell, weights, trial, pre, np.full(pre.size, busiest[0])
    )
    assert trial.labels is not None
    chances = softmax(run.outputs[0], axis=1)
    error = chances - np.eye(2)[trial.labels[0]]
    error[: trial.first_step] = 0
    return {
        "trial.time_ms": np.arange(trial.n_steps) * params.dt_ms,
        "trial.input_ms": trial.steps * params.dt_ms,
        "trial.input_channel": trial.channels,
        "trial.spike_ms": run.spikes[:, 1] * params.dt_ms,
        "trial.neuron": run.spikes[:, 2],
        "trial.shown": busiest,
        "trial.threshold": cell.v_th + cell.beta[busiest] * run.adaptations[0][:, busiest],
        "trial.eligibility": eligibility,
        "trial.learning_signal": error @ arrays["w_out"][busiest].T,
        "trial.chance_right": chances[:, 1],
        "trial.label": np.asarray(trial.labels[0]),
        "trial.n_lif": np.asarray(params.n_lif),
    }


def _feedback(params: ct.Params, networks: ct.Networks, streams: Streams) -> dict[str, NDArray]:
    """Fixed feedback of each neuron, and the cues it fires in, of one seed per rule."""
    trials = evidence_task.draw(params, streams.rng("trials shown"), CUE_TRIALS)
    arrays_by_name = {}
    for variant in ("spiking", "random"):
        seeds = [seed for name, seed in networks if name == variant]
        if not seeds:
            continue
        arrays = networks[variant, min(seeds)].arrays
        cell = evidence.cell(params, variant)
        rates = cue_sensitivity.cue_rates(params, cell, arrays, trials)
        arrays_by_name |= {
            f"cues.{variant}.feedback": arrays["feedback"][:, 1] - arrays["feedback"][:, 0],
            f"cues.{variant}.rates": rates[1] - rates[0],
            f"cues.{variant}.adaptive": cell.beta > 0,
        }
    return arrays_by_name


def _iterations(networks: ct.Networks) -> dict[str, NDArray]:
    """Return the iterations until the authors' criterion was met, by variant, (seed,)."""
    iterations = {}
    for variant in ("spiking", "symmetric"):
        seeds = sorted(seed for name, seed in networks if name == variant)
        if seeds:
            measures = [networks[variant, seed].info["measures"] for seed in seeds]
            n_iterations = [
                network_measures["iterations_to_criterion"] for network_measures in measures
            ]
            iterations[f"iterations.{variant}"] = np.array(n_iterations, float)
    return iterations


def _oneshot(params: ct.Params, networks: ct.Networks, simulate: ct.Simulate) -> dict[str, NDArray]:
    seed = min(seed for variant, seed in networks if variant == "spiking")
    task = oneshot_task.make_task(params, "test", Streams(seed))
    assert task is not None
    half_steps = oneshot_task.n_steps(params)
    output = simulate(networks["spiking", seed], task).traces["output"][:MOVEMENTS]
    return {
        "movement.target": task.targets[:MOVEMENTS],
        "movement.before": output[:, :half_steps],
        "movement.after": output[:, half_steps:],
    }


def _pattern(params: ct.Params, networks: ct.Networks, simulate: ct.Simulate) -> dict[str, NDArray]:
    seed = min(seed for _, seed in networks)
    task = pattern.one_trial(params, Streams(seed))
    arrays_by_name = {
        "pattern.time_ms": np.arange(task.targets.shape[1]) * params.dt_ms,
        "pattern.target": task.targets[0, :, 0],
    }
    for variant in ("untrained", "readout", "spiking", "random"):
        if (variant, seed) in networks:
            output = simulate(networks[variant, seed], task).traces["output"]
            arrays_by_name[f"pattern.output.{variant}"] = output[0, :, 0]
    return arrays_by_name
