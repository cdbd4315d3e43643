"""Reverse replay (NC19 Fig. 3): reversion interneurons turn the compressed sequence round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from whyspiking.brian import Machine
from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.errors import unknown_variant
from whyspiking.talks.clopath.force.task import SAMPLE_MS
from whyspiking.talks.clopath.hippocampus import model, theta_replay
from whyspiking.talks.clopath.hippocampus import task as septal_trials
from whyspiking.talks.clopath.hippocampus.reversion_network import bind, to_brian, turned_by

__all__ = [
    "bind", "conditions", "decode", "evaluate", "make_task", "to_brian", "train", "vary",
]  # fmt: skip

make_task, decode = theta_replay.make_task, theta_replay.decode


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Find what reversion needs from trials of its own: phases, and how to read the rhythm.

    - `phase`, `amplitude` (excitatory,): those of a neuron's current, in rad and mV (Eq. 40);
    - `phi_reversion` (reversion, 2): ridge regression of the rhythm's cosine and sine on filtered
      spikes of reversion interneurons, septum on (Eq. 42), less the lag that they have with the
      septum off (Eq. 43).
    """
    if variant != "spiking":
        raise unknown_variant(params.talk, params.experiment, variant)
    (parent,) = parents.values()
    arrays = {name: parent.arrays[name] for name in model.SEPTAL}
    n = params.n_inhibitory
    arrays["reversion_start"] = model.voltages(params, streams.rng("reversion-wiring"), n)
    arrays["phi_reversion"] = np.zeros((n, 2))
    arrays["phase"] = np.zeros(params.n_excitatory)
    training_params = replace(
        params, values={**params.values, "n_trials": params.n_training_trials}
    )
    task = septal_trials.make_task(training_params, streams.rng("start-train"))
    # In training interneurons fire in theta too; once the septum is off they fire as in the test.
    test_bias = params.bias_reversion + params.bias_reversion_released
    values = {
        **bind(params, ct.Network(arrays)).values,
        "reversion.bias": params.bias_reversion_training,
        "reversion.released": test_bias - params.bias_reversion_training,
    }
    progress(0.1, "reversion interneurons listen")
    recording = Machine(to_brian(params), params.work_dir).run(
        task.stimulus, values, seed=streams.integer("training")
    )
    arrays |= fit_reversion(params, arrays, recording)
    # M1: the regression keeps the correlations of all pairs of interneurons.
    info = {
        "engine": "brian2",
        "rule_floats_shared": n**2,
        "simulated_ms": params.n_training_trials * septal_trials.trial_ms(params),
    }
    return ct.Network(arrays, info)


def fit_reversion(
    params: ct.Params, arrays: dict[str, NDArray], recording: ct.Recording
) -> dict[str, NDArray]:
    """Fit phases, amplitudes and weights to a recording of training; see `train`."""
    on_period, off_period = find_periods(params)
    n, spikes, rhythm = params.n_inhibitory, recording.spikes, recording.traces["oscillator"]
    # Of the published code every 0.5 ms is a sample, so here one sample stands for several.
    samples_per_step = SAMPLE_MS / params.ridge_sample_ms
    correlations, rhythm_products = params.ridge / samples_per_step * np.eye(n), np.zeros((n, 2))
    inhibition_amplitude, reversion_amplitude = np.zeros((2, n), complex)
    for trial in range(rhythm.shape[0]):
        theta_rates = filter_spikes(params, spikes["reversion"], trial)[on_period]
        correlations += theta_rates.T @ theta_rates
        rhythm_products += theta_rates.T @ rhythm[trial, on_period]
        counter_rotation = np.exp(
            -1j * np.arctan2(rhythm[trial, off_period, 1], rhythm[trial, off_period, 0])
        )
        inhibition_amplitude += (
            counter_rotation @ filter_spikes(params, spikes["inhibitory"], trial)[off_period]
        )
        reversion_amplitude += (
            counter_rotation @ filter_spikes(params, spikes["reversion"], trial)[off_period]
        )
    n_samples = rhythm.shape[0] * (off_period.stop - off_period.start)
    current = 2 * inhibition_amplitude @ sum_excitatory_weights(params, arrays) / n_samples
    phi = np.linalg.solve(correlations, rhythm_products) @ np.array([1.0, 1.0j])
    phi = phi * np.exp(-1j * np.angle(reversion_amplitude @ phi))
    return {
        "phase": -np.angle(current),
        "amplitude": np.abs(current),
        "phi_reversion": np.column_stack([phi.real, phi.imag]),
    }


def find_periods(params: ct.Params) -> tuple[slice, slice]:
    """Find the samples with the septum on, after the warm-up, and off, after the release."""
    stop = round((params.warmup_ms + params.on_ms) / SAMPLE_MS)
    off_start = stop + round(params.release_ms / SAMPLE_MS)
    return slice(round(params.warmup_ms / SAMPLE_MS), stop), slice(
        off_start, round(septal_trials.trial_ms(params) / SAMPLE_MS)
    )


def sum_excitatory_weights(params: ct.Params, arrays: dict[str, NDArray]) -> NDArray[np.float64]:
    """Sum weights onto excitatory neurons, (inhibitory, excitatory), in mV s (Eqs. 17 and 19)."""
    static = model.static_weight(params) * model.static_links(params, arrays)
    weights = static + model.learned_weights(params, arrays, arrays["phi"])
    return weights[:, params.n_inhibitory :]


def filter_spikes(params: ct.Params, spikes: Spikes, trial: int) -> NDArray[np.float64]:
    """Filter spikes to r of Eq. 3, every `SAMPLE_MS` of a trial, in 1/s, (time, neuron)."""
    is_trial = spikes.trials == trial
    n_samples = round(septal_trials.trial_ms(params) / SAMPLE_MS)
    # A spike counts from the sample that follows it on, with what is left of it by then.
    next_sample = np.ceil(spikes.times_ms[is_trial] / SAMPLE_MS)
    delay_ms = next_sample * SAMPLE_MS - spikes.times_ms[is_trial]
    bin_index = next_sample.astype(int) * spikes.n_units + spikes.units[is_trial]
    rates = np.zeros((n_samples, spikes.n_units))
    for tau, sign in ((params.tau_d, 1.0), (params.tau_r, -1.0)):
        spike_values = np.bincount(
            bin_index, np.exp(-delay_ms / tau), (n_samples + 1) * spikes.n_units
        )
        spike_values = spike_values.reshape(-1, spikes.n_units)[:n_samples]
        decay = np.exp(-SAMPLE_MS / tau)
        rates += sign * np.asarray(lfilter([1.0], [1.0, -decay], spike_values, axis=0))
    return rates * 1000.0 / (params.tau_d - params.tau_r)


def evaluate(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> ct.Outcome | None:
    """Interneurons are run by Brian2; there is no other engine."""
    return None


def conditions(params: ct.Params) -> Sequence[ct.Condition]:
    """Own conditions: the interneurons silent, their current at other phases, or misdirected.

    - `reversion_silent` (input): they are not released, so that replay is that of `shot`;
    - `reversion_phase` (weights): their current is `strength` degrees from where it reverses;
    - `reversion_targets` (weights): excitatory neurons get one another's current;
    - `reversion_sources` (weights): interneurons act through one another's weights.
    """
    return [
        ct.Condition("reversion_silent", "input", 1.0),
        *(ct.Condition("reversion_phase", "weights", float(d)) for d in params.offsets_deg),
        ct.Condition("reversion_targets", "weights", 1.0),
        ct.Condition("reversion_sources", "weights", 1.0),
    ]


def vary(
    params: ct.Params,
    condition: ct.Condition,
    task: ct.Task,
    binding: ct.Binding,
    rng: np.random.Generator,
) -> tuple[ct.Task, ct.Binding]:
    """Task and binding under one of `conditions`."""
    values = dict(binding.values)
    if condition.perturbation == "reversion_silent":
        values["reversion.released"] = 0.0
    elif condition.perturbation == "reversion_phase":
        values |= turned_by(np.deg2rad(condition.strength))
    else:
        weights = np.asarray(values["from_reversion.w"])
        axis = 1 if condition.perturbation == "reversion_targets" else 0
        values["from_reversion.w"] = rng.permutation(weights, axis=axis)
    return task, replace(binding, values=values)
