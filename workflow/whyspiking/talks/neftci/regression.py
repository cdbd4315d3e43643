"""Three layers learn three time series from frozen noise inside Brian2 (README, section 7).

One run learns: trial after trial of the same input, one update in every step. A rate of zero makes
the same program a test.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import brian_model as bm
from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.talks.neftci import brian_learning, brian_network, initial_weights, model, training
from whyspiking.training.history import require_finite

ENGINE = "brian2-learning"
UNTRAINED = "untrained"
INPUT = "noise"
TARGET = "wanted"
LAYERS = (1, 2, 3)
PLASTICITY = brian_learning.Plasticity(
    rate="eta",
    threshold="v_th",
    error="error = clip(y - wanted(t - began, {layer}), -1, 1)",
    shared="eta : 1 (shared)\n",
    readout=brian_learning.READOUT + "\nbegan : second",
)
START = model.START + "q = 0; p = 0; delta = 0; signal = 0\n"
HISTORY_EVERY = 5


def n_steps(params: ct.Params) -> int:
    """Steps of a trial."""
    return round(params.trial_ms / params.dt_ms)


def series(params: ct.Params) -> NDArray[np.float64]:
    """Targets of the layers: a ramp, a fast cosine and a slow sine, (step, layer)."""
    ramp = np.linspace(0, 1, n_steps(params))
    fast, slow = (2 * np.pi * cycles * ramp for cycles in params.cycles)
    amplitude = params.target_amplitude
    return np.stack([ramp, amplitude * np.cos(fast), amplitude * np.sin(slow)], axis=1)


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """The one trial: frozen Poisson input, the same in every split; "fresh" does not exist."""
    return None if split == "fresh" else trial(params, streams)


def trial(params: ct.Params, streams: Streams) -> ct.Task:
    """The one trial."""
    raster = streams.rng("noise").random((n_steps(params), params.n_in)) < params.p_input
    spikes = Spikes.from_raster(raster[None], params.dt_ms)
    target = smooth(params, series(params).T).T
    return ct.Task(ct.Stimulus({INPUT: spikes}), target[None], 0, dt_ms=params.dt_ms)


def raster_of(params: ct.Params, task: ct.Task) -> NDArray[np.float64]:
    """The frozen input, (step, input), 0 or 1."""
    spikes = task.stimulus.spikes[INPUT]
    step = np.rint(spikes.times_ms / params.dt_ms).astype(int)
    return spikes.raster(step, n_steps(params))[0].astype(float)


def to_brian(params: ct.Params) -> bm.BrianModel:
    """The structure with learning."""
    groups, synapses = brian_learning.layers(params, INPUT, params.n_in, 1, PLASTICITY)
    return bm.BrianModel(
        name="decolle-regression",
        groups=groups,
        synapses=synapses,
        inputs={INPUT: params.n_in},
        dt_ms=params.dt_ms,
        trial_ms=params.trial_ms,
        max_trials=params.iterations,
        tables=[bm.Table(TARGET, (n_steps(params), len(LAYERS)), params.dt_ms)],
        reset={
            "retina": brian_learning.START_INPUT,
            **dict.fromkeys(model.names(params), START),
            **{f"readout{k}": "y = 0; error = 0; began = t" for k in LAYERS},
        },
        record_spikes=model.names(params),
        record_traces=brian_network.readout_traces(params),
        record_final=[name for k in LAYERS for name in (f"s{k}.w", f"layer{k}.b")],
    )


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Place a trained network into the structure; it learns no more."""
    return learning_with(params, network, 0.0)


def learning_with(params: ct.Params, network: ct.Network, eta: float) -> ct.Binding:
    """Place weights into the structure; it learns with rate `eta` per step."""
    plain = brian_network.bind(params, network)
    rates = {f"{group}.eta": eta for group in ("retina", *model.names(params))}
    layers = {**plain.layers, "s1.w": replace(plain.layers["s1.w"], pre=INPUT)}
    return ct.Binding({**plain.values, **brian_learning.decays(params), **rates}, layers)


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Learn for `iterations` trials in one run of the program.

    The variant "untrained" is the network before learning. Randomness: "noise", "init".
    """
    from whyspiking.brian import Machine

    task = trial(params, streams)
    initial_network = initial(params, raster_of(params, task), streams)
    if variant == UNTRAINED:
        initial_network.info = {"engine": ENGINE, "epochs": 0}
        return initial_network
    machine = Machine(to_brian(params), params.work_dir)
    progress(0.2, "program built")
    recording = _run_learning(machine, params, initial_network, task)
    trained = _read_network(params, initial_network, recording.final)
    # Inside the simulator nothing looks at every step; what is not finite stays so to the end.
    time_label = f"after {params.iterations} trials"
    require_finite(trained.arrays, time_label, params.regression_rate)
    trained.info = {"engine": ENGINE, "rule": "online", "epochs": params.iterations}
    outputs = np.stack([smooth(params, recording.traces[f"readout{k}"][:, :, 0]) for k in LAYERS])
    trained.history = [
        {"epoch": trial + 1, "metric": name, "value": value}
        for trial in range(0, params.iterations, HISTORY_EVERY)
        for name, value in errors(params, outputs[:, trial].T, task.targets[0]).items()
    ]
    return trained


def initial(params: ct.Params, raster: NDArray, streams: Streams) -> ct.Network:
    """Weights of variance-one potentials and fixed readouts of one channel, as elsewhere."""
    weights = initial_weights.draw(
        [params.n_in, *params.hidden], 1, params.amplitude, params.mean_u, raster[:, None],
        model.constants(params), streams.rng("init"),
    )  # fmt: skip
    arrays = model.arrays_of(weights)
    return ct.Network({name: np.asarray(x, float) for name, x in arrays.items()})


def _run_learning(
    machine: Any, params: ct.Params, start: ct.Network, task: ct.Task
) -> ct.Recording:
    """The same trial again and again, learning in every step."""
    n_trials = params.iterations
    spikes = task.stimulus.spikes[INPUT].select_trials(np.zeros(n_trials, int))
    stimulus = ct.Stimulus({INPUT: spikes}, {TARGET: series(params)})
    binding = learning_with(params, start, params.regression_rate)
    return machine.run(stimulus, binding.values, trials=n_trials, spikes=False)


def _read_network(params: ct.Params, start: ct.Network, final: Mapping[str, NDArray]) -> ct.Network:
    """A network with the weights at the end of a run."""
    arrays = dict(start.arrays)
    for k, shape in enumerate(itertools.pairwise([params.n_in, *params.hidden]), start=1):
        arrays[f"w{k}"] = final[f"s{k}.w"].reshape(shape)
        arrays[f"b{k}"] = final[f"layer{k}.b"] - brian_network.thresholds(start.arrays[f"b{k}"])
    return ct.Network(arrays)


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Traces:
    """The learned network in JAX, its weights fixed."""
    read = training.read(params, network, _make_frames(params, task))
    return _make_outcome(params, [y[:, :, 0] for y in read], task)


def reference_counts(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> Mapping[str, NDArray]:
    """Spike counts of all layers in JAX."""
    return training.counts_of(params, network, _make_frames(params, task))


def _make_frames(params: ct.Params, task: ct.Task) -> NDArray[np.float32]:
    return raster_of(params, task)[:, None].astype(np.float32)


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Traces:
    """Readouts of the three layers, smoothed."""
    return _make_outcome(params, [recording.traces[f"readout{k}"][:, :, 0] for k in LAYERS], task)


def _make_outcome(params: ct.Params, read: Sequence[NDArray], task: ct.Task) -> ct.Traces:
    outputs = np.stack([smooth(params, np.asarray(y, float)) for y in read], axis=2)
    return ct.Traces(outputs=outputs, targets=task.targets, dt_ms=params.dt_ms)


def smooth(params: ct.Params, y: NDArray) -> NDArray:
    """Readouts of single spikes are noisy: a filter of `tau_score`, along the last axis.

    Forward in time; the score sees readout and series through it, learning sees neither so.
    """
    decay, smoothed = float(np.exp(-params.dt_ms / params.tau_score)), np.empty(y.shape)
    state = np.zeros(y.shape[:-1])
    for step in range(y.shape[-1]):
        state = decay * state + (1 - decay) * y[..., step]
        smoothed[..., step] = state
    return smoothed


def errors(params: ct.Params, outputs: NDArray, target: NDArray) -> dict[str, float]:
    """Squared error over the variance of the series, per layer, from `drawn_from_ms` on.

    Args:
        params: `drawn_from_ms`.
        outputs: Smoothed readouts, (step, layer).
        target: The series, smoothed alike.
    """
    first_step = round(params.drawn_from_ms / params.dt_ms)
    nmse = ((outputs - target)[first_step:] ** 2).mean(axis=0) / target[first_step:].var(axis=0)
    return {f"nmse_layer{k}": float(x) for k, x in zip(LAYERS, nmse, strict=True)}


def measures(
    params: ct.Params, condition: ct.Condition, recording: ct.Recording, task: ct.Task
) -> Mapping[str, float]:
    """The error of every layer, and the largest of them over that of the authors' network."""
    values = errors(params, decode(params, recording, task).outputs[0], task.targets[0])
    ratio = np.divide(list(values.values()), params.released_errors)
    return {**values, "error_over_released": float(ratio.max())}
