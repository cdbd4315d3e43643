"""Pattern generation: frozen input noise becomes a sum of sines (README, section 6)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.randomness import Streams
from whyspiking.errors import unknown_variant
from whyspiking.talks.scherr import brian_network, kernel, model, trials
from whyspiking.talks.scherr.adam import Adam
from whyspiking.training.history import History

RULES = {
    "spiking": ("symmetric", "adam"),
    "random": ("random", "adam"),
    "readout": ("symmetric", "adam"),
    "untrained": ("symmetric", "none"),
}
"""Variant -> rule of learning and optimiser; "readout" learns the weights of the readout only."""
HISTORY_EVERY = 10


def n_steps(params: ct.Params) -> int:
    """Steps of the one trial."""
    return round(params.trial_ms / params.dt_ms)


def target(params: ct.Params, streams: Streams) -> NDArray[np.float64]:
    """y* (Eq. 13): sines of random amplitude and phase, from 0, largest value 1; (step,)."""
    rng = streams.rng("pattern-target")
    phase = 2 * np.pi * np.arange(n_steps(params)) / n_steps(params)
    cycles = np.asarray(params.cycles, float)[:, None]
    low, high = params.amplitudes
    amplitudes = rng.uniform(low, high, (cycles.size, 1))
    shifts = rng.uniform(0, 2 * np.pi, (cycles.size, 1))
    y = (amplitudes * np.sin(cycles * phase + shifts)).sum(axis=0)
    y -= y[0]
    return y / np.abs(y).max()


def batch(params: ct.Params, streams: Streams) -> trials.Trials:
    """Make the one trial: frozen input and target."""
    p = params.input_hz * params.dt_ms / 1000
    raster = streams.rng("pattern-input").random((1, n_steps(params), params.n_in)) < p
    return trials.from_raster(raster, target(params, streams)[None, :, None])


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """The same trial in every split but "fresh", which does not exist."""
    return None if split == "fresh" else one_trial(params, streams)


def one_trial(params: ct.Params, streams: Streams) -> ct.Task:
    """The one pattern that is learned and reproduced."""
    trial = batch(params, streams)
    return ct.Task(
        stimulus=ct.Stimulus(spikes={"input": trials.to_spikes(trial, params.dt_ms)}),
        targets=np.asarray(trial.targets),
        n_classes=0,
        dt_ms=params.dt_ms,
    )


def cell(params: ct.Params) -> model.Cell:
    """LIF neurons whose input is scaled by 1 - alpha, and the readout."""
    alpha = float(np.exp(-params.dt_ms / params.tau_m))
    return model.Cell(
        alpha=alpha,
        rho=0.0,
        kappa=float(np.exp(-params.dt_ms / params.tau_out)),
        v_th=params.v_th,
        gamma=params.gamma,
        refractory=params.refractory,
        beta=np.zeros(params.n_rec),
        gain=1 - alpha,
    )


def initial(params: ct.Params, streams: Streams) -> dict[str, NDArray]:
    """Weights and feedback ~ N(0, 1 / number of sources of a kind), float64; no autapses."""
    rng = streams.rng("init")
    return {
        "w": model.sources(rng, params.n_in, params.n_rec),
        "w_out": rng.normal(0, 1 / np.sqrt(params.n_rec), (params.n_rec, 1)),
        "feedback": rng.normal(0, 1 / np.sqrt(params.n_rec), (params.n_rec, 1)),
    }


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Learn the pattern for `iterations` trials by one of `RULES`.

    Randomness: "init", "pattern-input", "pattern-target".
    """
    if variant not in RULES:
        raise unknown_variant(params.talk, params.experiment, variant)
    rule, optimiser = RULES[variant]
    # Training in float32; the result is evaluated in float64, as Brian2 does.
    arrays = {name: x.astype(np.float32) for name, x in initial(params, streams).items()}
    neurons, cost = cell(params), kernel.RateCost.of(params)
    trial, adam = batch(params, streams), Adam()
    y = np.asarray(trial.targets)
    variation = float(((y - y.mean()) ** 2).sum())
    learned_names = ("w_out",) if variant == "readout" else ("w_out", "w")
    n_iterations = 0 if optimiser == "none" else params.iterations
    history = History()
    for iteration in range(n_iterations):
        gradient = kernel.by_rule(rule, neurons, arrays, trial, cost)
        gradient.require_finite(f"at trial {iteration + 1}", params.adam_rate)
        gradients = {name: getattr(gradient, name) for name in learned_names}
        steps = adam.updates(gradients, params.adam_rate)
        if iteration % HISTORY_EVERY == 0:
            # The rate cost is part of the loss but not of the error.
            rate_errors = gradient.rates - cost.target
            error = gradient.loss - 0.5 * params.rate_cost * float((rate_errors**2).sum())
            nmse = 2 * error / variation
            rate_hz = 1000 * float(gradient.rates.mean()) / params.dt_ms
            history.note(iteration + 1, nmse=nmse, rate_hz=rate_hz)
            progress(iteration / n_iterations, f"trial {iteration}: nMSE {nmse:.4f}")
        for name, step in steps.items():
            arrays[name] = arrays[name] + step
    return ct.Network(
        arrays={name: x.astype(np.float64) for name, x in arrays.items()},
        info={"engine": "compiled", "rule": rule, "optimiser": optimiser, "epochs": n_iterations},
        history=history.rows,
    )


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Traces:
    """The output in the engine of training, in float64."""
    weights = model.Weights(network.arrays["w"], network.arrays["w_out"])
    trial = trials.from_spikes(task.stimulus.spikes["input"], params.dt_ms)
    run = kernel.forward(cell(params), weights, trial)
    return ct.Traces(outputs=run.outputs, targets=task.targets, dt_ms=params.dt_ms)


def to_brian(params: ct.Params) -> BrianModel:
    """The structure that re-simulates the networks."""
    return brian_network.network(
        params,
        name="scherr_pattern",
        n_inputs=params.n_in,
        n_rec=params.n_rec,
        n_out=1,
        n_steps=n_steps(params),
    )


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Place a trained network into the structure."""
    return brian_network.bind(cell(params), network.arrays)


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Traces:
    """Return the output itself."""
    return ct.Traces(outputs=recording.traces["output"], targets=task.targets, dt_ms=params.dt_ms)
