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

from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.trial_subsets import of_variant
from whyspiking.contract.types import (
    Binding,
    Condition,
    Network,
    Networks,
    Params,
    Parents,
    Progress,
    Recording,
    Simulate,
    Split,
    Stimulus,
    Task,
    Traces,
)
from whyspiking.talks.neftci import model, plastic
from whyspiking.training.history import require_finite

ENGINE = "brian2-learning"
UNTRAINED = "untrained"
INPUT = "noise"
WANTED = "wanted"
EVENTS = {"learn": "eta * p > 0"}
ETA = "eta : 1 (shared)\n"
NEURON = model.NEURON + plastic.TRACES + ETA + "delta : 1\nsignal : 1\n"
STEP = model.STEP + plastic.TRACE_STEP
READOUT = "y : 1\nerror : 1\nbegan : second"
ERROR = "error = clip(y - wanted(t - began, {layer}), -1, 1)"
DELTA = """
delta = eta * signal / ({slope} * abs(v + b + r - v_th) + 1)**2
b -= delta
signal = 0
"""
HISTORY_EVERY = 5
COMPARED_AT = 1e-3
"""Share of the rate at which the engines are compared."""


def n_steps(params: Params) -> int:
    """Steps of a trial."""
    return round(params.trial_ms / params.dt_ms)


def series(params: Params) -> NDArray[np.float64]:
    """What the layers have to learn: a ramp and two sines, (step, layer)."""
    share = np.arange(n_steps(params)) / n_steps(params)
    sines = [np.sin(2 * np.pi * cycles * share) for cycles in params.cycles]
    return params.target_amplitude * np.stack([2 * share - 1, *sines], axis=1)


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """The one trial: frozen Poisson input, the same in every split; "fresh" does not exist."""
    return None if split == "fresh" else trial(params, streams)


def trial(params: Params, streams: Streams) -> Task:
    """The one trial."""
    raster = streams.rng("noise").random((n_steps(params), params.n_in)) < params.p_input
    spikes = Spikes.from_raster(raster[None], params.dt_ms)
    return Task(Stimulus({INPUT: spikes}), series(params)[None], 0, dt_ms=params.dt_ms)


def raster_of(params: Params, task: Task) -> NDArray[np.float64]:
    """The frozen input, (step, input), 0 or 1."""
    spikes = task.stimulus.spikes[INPUT]
    step = np.rint(spikes.times_ms / params.dt_ms).astype(int)
    return spikes.raster(step, n_steps(params))[0].astype(float)


def to_brian(params: Params) -> BrianModel:
    """The structure with learning."""
    groups = model.names(params)
    sizes = [params.n_in, *params.hidden]
    delta = DELTA.format(slope=float(params.surrogate_slope))
    steps, dt_ms = n_steps(params), params.dt_ms

    def construct(inputs: Mapping[str, Any]) -> list[Any]:
        import brian2

        wanted = brian2.TimedArray(np.zeros((steps, 3)), dt=dt_ms * brian2.ms, name=WANTED)
        source, seen = plastic.retina_of(inputs[INPUT], params.n_in, dict(EVENTS), {}, ETA)
        made: list[Any] = [source, seen]
        for index, (name, n) in enumerate(zip(groups, params.hidden, strict=True)):
            k = index + 1
            layer = brian2.NeuronGroup(
                n, NEURON, threshold=model.THRESHOLD, reset=plastic.RESET, events=dict(EVENTS),
                name=name,
            )  # fmt: skip
            layer.run_regularly(STEP, when="groups", name=f"step_{name}")
            readout, reading = model.readout_of(layer, k, 1, READOUT, {WANTED: wanted})
            made += [layer, readout, reading]
            error = ERROR.format(layer=index)
            made.append(plastic.learn(source, layer, k, (readout, reading), error, delta))
            source = layer
        return made

    return BrianModel(
        name="decolle-regression",
        definition={
            "equations": [plastic.INPUT, NEURON, STEP, model.THRESHOLD, plastic.RESET, READOUT],
            "learning": [ERROR, plastic.SIGNAL, delta, plastic.CHANGE, EVENTS["learn"]],
            "sizes": sizes,
        },
        construct=construct,
        inputs={INPUT: params.n_in},
        dt_ms=dt_ms,
        trial_ms=params.trial_ms,
        max_trials=params.iterations,
        reset={
            "retina": "q = 0; p = 0; x = 0",
            **dict.fromkeys(groups, model.START + "q = 0; p = 0; delta = 0; signal = 0\n"),
            **{f"readout{k}": "y = 0; error = 0; began = t" for k in range(1, len(groups) + 1)},
        },
        record_spikes=groups,
        record_traces={
            f"readout{k}": (f"readout{k}", "y", dt_ms) for k in range(1, len(groups) + 1)
        },
        record_final=tuple(
            f"{owner}{k}.{what}"
            for k in range(1, len(groups) + 1)
            for owner, what in (("s", "w"), ("layer", "b"))
        ),
    )


def bind(params: Params, network: Network) -> Binding:
    """Place a trained network into the structure; it learns no more."""
    return learning_with(params, network, 0.0)


def learning_with(params: Params, network: Network, eta: float) -> Binding:
    """Place weights into the structure; it learns with rate `eta` per step."""
    alpha, beta, _ = model.decays(params)
    plain = model.bind(params, network)
    rates = {f"{group}.eta": eta for group in ("retina", *model.names(params))}
    traces = {"retina.alpha": alpha, "retina.beta": beta}
    layers = {**plain.layers, "s1.w": replace(plain.layers["s1.w"], pre=INPUT)}
    return Binding({**plain.values, **traces, **rates}, layers)


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Learn for `iterations` trials in one run of the program.

    What a first trial changes at a thousandth of the rate, where weights as good as stay, is
    compared with Eqs. 1 to 7 in NumPy: the cosine of both is `gradient_cosine_engines`.

    The variant "untrained" is the network before learning. Randomness: "noise", "init".
    """
    from whyspiking.brian import Machine

    task = trial(params, streams)
    before = initial(params, raster_of(params, task), streams)
    if variant == UNTRAINED:
        before.info = {"engine": ENGINE, "epochs": 0}
        return before
    machine = Machine(to_brian(params), params.work_dir)
    progress(0.2, "program built")
    learned = _learn(machine, params, before, task, params.iterations, params.regression_rate)
    after = _network(params, before, learned.final)
    # Inside the simulator nothing looks at every step; what is not finite stays so to the end.
    when = f"after {params.iterations} trials"
    require_finite(after.arrays, when, params.regression_rate)
    slow = params.regression_rate * COMPARED_AT
    once = _network(params, before, _learn(machine, params, before, task, 1, slow).final)
    ours = _changes(before, model.weights_of(once)[0])
    theirs = _changes(before, one_trial(params, before, raster_of(params, task), slow))
    cosine = ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs)
    after.info = {
        "engine": ENGINE,
        "rule": "online",
        "epochs": params.iterations,
        "measures": {"gradient_cosine_engines": float(cosine)},
    }
    outputs = np.stack([smooth(params, learned.traces[f"readout{k}"][:, :, 0]) for k in (1, 2, 3)])
    after.history = [
        {"epoch": trial + 1, "metric": f"nmse_layer{k + 1}", "value": value}
        for trial in range(0, params.iterations, HISTORY_EVERY)
        for k, value in enumerate(errors(params, outputs[:, trial].T))
    ]
    return after


def initial(params: Params, raster: NDArray, streams: Streams) -> Network:
    """Weights of variance-one potentials and fixed readouts of one channel, as elsewhere."""
    from whyspiking.talks.neftci import learning, network

    weights = network.initial(
        [params.n_in, *params.hidden], 1, params.amplitude, params.mean_u, raster[:, None],
        learning.constants(params), streams.rng("init"),
    )  # fmt: skip
    return Network({k: np.asarray(x, float) for k, x in model.arrays_of(*weights).items()})


def one_trial(params: Params, start: Network, raster: NDArray, eta: float) -> list[NDArray]:
    """Weights after one trial by Eqs. 1 to 7, step by step, with U = W P + b + R."""
    alpha, beta, gamma = model.decays(params)
    w, b, g = ([np.array(x, float) for x in kind] for kind in model.weights_of(start))
    wanted, slope = series(params), float(params.surrogate_slope)
    q, p = ([np.zeros(x.shape[0]) for x in w] for _ in range(2))
    r = [np.zeros(x.shape[1]) for x in w]
    for now, target in zip(raster, wanted, strict=True):
        spikes = now
        for k in range(len(w)):
            p[k] = alpha * p[k] + (1 - alpha) * q[k]
            q[k] = beta * q[k] + (1 - beta) * spikes
            u = p[k] @ w[k] + b[k] + r[k]
            spikes = (u > 0).astype(float)
            r[k] = gamma * r[k] - (1 - gamma) * spikes
            error = np.clip(spikes @ g[k] - target[k], -1, 1)
            delta = eta * (g[k] @ error) / (slope * np.abs(u) + 1) ** 2
            w[k] -= np.outer(p[k], delta)
            b[k] -= delta
    return w


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Traces:
    """The learned network in JAX, its weights fixed."""
    from whyspiking.talks.neftci import learning

    read = learning.read(params, network, _frames(params, task))
    return _outcome(params, [y[:, :, 0] for y in read], task)


def reference_counts(
    params: Params, variant: str, network: Network, task: Task
) -> Mapping[str, NDArray]:
    """Spike counts of all layers in JAX."""
    from whyspiking.talks.neftci import learning

    return learning.counts_of(params, network, _frames(params, task))


def _frames(params: Params, task: Task) -> NDArray[np.float32]:
    return raster_of(params, task)[:, None].astype(np.float32)


def decode(params: Params, recording: Recording, task: Task) -> Traces:
    """Readouts of the three layers, smoothed."""
    read = [recording.traces[f"readout{k}"][:, :, 0] for k in (1, 2, 3)]
    return _outcome(params, read, task)


def smooth(params: Params, y: NDArray) -> NDArray:
    """Readouts of single spikes are noisy: a filter of `tau_score`, along the last axis.

    Forward in time, so that it delays; it is part of the score only, not of learning.
    """
    kept, found = float(np.exp(-params.dt_ms / params.tau_score)), np.empty(y.shape)
    state = np.zeros(y.shape[:-1])
    for step in range(y.shape[-1]):
        state = kept * state + (1 - kept) * y[..., step]
        found[..., step] = state
    return found


def errors(params: Params, outputs: NDArray) -> list[float]:
    """Squared error over the variance of the series, per layer; outputs (step, layer)."""
    wanted = series(params)
    return list(((outputs - wanted) ** 2).mean(axis=0) / wanted.var(axis=0))


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """The error of every layer."""
    outputs = decode(params, recording, task).outputs[0]
    return {f"nmse_layer{k}": float(x) for k, x in enumerate(errors(params, outputs), start=1)}


def exhibits(
    params: Params, networks: Networks, simulate: Simulate, streams: Streams
) -> dict[str, NDArray]:
    """What the network with the lowest seed says after learning.

    Returns:
        "series.target" and "series.output" (step, layer), "series.dt_ms" ().
    """
    seed, network = next(iter(of_variant(networks).items()))
    task = trial(params, Streams(seed))
    outcome = decode(params, simulate(network, task), task)
    return {
        "series.target": outcome.targets[0],
        "series.output": outcome.outputs[0],
        "series.dt_ms": np.array(float(params.dt_ms)),
    }


def _outcome(params: Params, read: Sequence[NDArray], task: Task) -> Traces:
    outputs = np.stack([smooth(params, np.asarray(y, float)) for y in read], axis=2)
    return Traces(outputs=outputs, targets=task.targets, dt_ms=params.dt_ms)


def _changes(start: Network, ended: Sequence[NDArray]) -> NDArray:
    """By how much all weights changed, in a row."""
    pairs = zip(ended, model.weights_of(start)[0], strict=True)
    return np.concatenate([(after - before).ravel() for after, before in pairs])


def _learn(
    machine: Any, params: Params, start: Network, task: Task, n: int, eta: float
) -> Recording:
    """The same trial n times, learning with rate `eta` in every step."""
    spikes = task.stimulus.spikes[INPUT].select_trials(np.zeros(n, int))
    given = Stimulus({INPUT: spikes}, {WANTED: series(params)})
    binding = learning_with(params, start, eta)
    return machine.run(given, binding.values, trials=n, spikes=False)


def _network(params: Params, start: Network, final: Mapping[str, NDArray]) -> Network:
    """A network with the weights at the end of a run."""
    arrays = dict(start.arrays)
    for k, shape in enumerate(itertools.pairwise([params.n_in, *params.hidden]), start=1):
        arrays[f"w{k}"] = final[f"s{k}.w"].reshape(shape)
        arrays[f"b{k}"] = final[f"layer{k}.b"] - model.thresholds(start.arrays[f"b{k}"])
    return Network(arrays)
