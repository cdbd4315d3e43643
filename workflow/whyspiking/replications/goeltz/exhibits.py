"""Arrays for the figures: decision map, example spikes and potentials, decision times.

All from the spiking network with the lowest seed. Times in ms. Keys:

Yin-Yang only:
    map.side (n,)                 positions along both axes
    map.inside (n, n)             whether the point, (y, x), lies in the disc
    map.class (n, n)              chosen class, -1 undecided
    map.time_ms (n, n)            time of the decision
    map.output_ms (3, n, n)       spike time of each output neuron
    points.xy (trial, 2), points.target, points.choice   the test points
Both sets:
    raster.time_ms, raster.unit, raster.trial, raster.layer   spikes of example trials, simulated in
                                  Brian2; layer 0 input, 1 hidden, 2 output
    raster.target (example,), raster.decision_ms (example,)
    voltage.time_ms (t,)          and membrane potentials over threshold of example trials:
    voltage.hidden (example, neuron, t), voltage.output (example, class, t)
    voltage.hidden_units (example, neuron)
    voltage.hidden_ms (example, neuron), voltage.output_ms (example, class)   their first spikes
    voltage.input_ms (example, input)
    decision.time_ms (trial,), decision.right (trial,)   the whole test set
    input.time_ms (spike,)        all input spikes of at most 200 test trials
    hidden.first_ms (spike,)      all hidden spikes of the same trials
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import Network, Params, Recording, Stimulus, Task
from whyspiking.datasets import yinyang
from whyspiking.first_spike.layer import kernel
from whyspiking.randomness import Streams
from whyspiking.replications.goeltz import model, task
from whyspiking.replications.goeltz.model import Weights
from whyspiking.spikes import Spikes

MAP_SIDE = 121
TRACED_NEURONS = 6
TRACE_POINTS = 241
DENSITY_TRIALS = 200


def collect(
    params: Params,
    networks: Mapping[tuple[str, int], Network],
    simulate: Callable[[Network, Task], Recording],
    streams: Streams,
) -> dict[str, NDArray]:
    """All arrays of one experiment; see the module's description.

    Args:
        params: Parameters of the experiment.
        networks: Trained networks by (variant, seed).
        simulate: Runs a network in Brian2.
        streams: Randomness; nothing is drawn here.
    """
    seeds = [seed for variant, seed in networks if variant == "spiking"]
    test = task.make_task(params, "test", streams)
    if not seeds or test is None:
        return {}
    network = networks["spiking", min(seeds)]
    weights: Weights = (network.arrays["w_hidden"], network.arrays["w_output"])
    found = _decisions(params, weights, test)
    if params.dataset == "yinyang":
        found |= _map(params, weights) | _points(params, weights, test)
    examples = _examples(params, weights, test)
    chosen = _select(test, examples)
    found |= _raster(params, simulate(network, chosen), chosen)
    return found | _voltages(params, weights, chosen)


def _map(params: Params, weights: Weights) -> dict[str, NDArray]:
    features, inside = yinyang.grid(MAP_SIDE)
    times = task.with_bias(task.latencies(features, params), params)
    spikes = Spikes.from_first_spikes(times * params.tau_s_ms, params.trial_ms)
    plane = Task(Stimulus(spikes={"input": spikes}), np.zeros(len(features), int), params.n_output)
    output = model.forward_pass(params, weights, plane).output.times
    trials = model.decide(output, plane, params)
    shape = (MAP_SIDE, MAP_SIDE)
    return {
        "map.side": features[:MAP_SIDE, 0],
        "map.inside": inside.reshape(shape),
        "map.class": trials.choices.reshape(shape).astype(np.int8),
        "map.time_ms": trials.decision_ms.reshape(shape).astype(np.float32),
        "map.output_ms": (output.T.reshape(-1, *shape) * params.tau_s_ms).astype(np.float32),
    }


def _points(params: Params, weights: Weights, test: Task) -> dict[str, NDArray]:
    features, targets = task.samples(params, "test")
    if features is None:
        return {}
    return {
        "points.xy": features[:, :2],
        "points.target": targets,
        "points.choice": model.evaluate(params, weights, test).choices,
    }


def _decisions(params: Params, weights: Weights, test: Task) -> dict[str, NDArray]:
    spikes = model.forward_pass(params, weights, test)
    trials = model.decide(spikes.output.times, test, params)
    first = test.stimulus.spikes["input"].first_ms()[:DENSITY_TRIALS]
    hidden = spikes.hidden.times[:DENSITY_TRIALS] * params.tau_s_ms
    return {
        "decision.time_ms": trials.decision_ms.astype(np.float32),
        "decision.right": trials.choices == trials.targets,
        "input.time_ms": first[np.isfinite(first)].astype(np.float32),
        "hidden.first_ms": hidden[np.isfinite(hidden)].astype(np.float32),
    }


def _examples(params: Params, weights: Weights, test: Task) -> NDArray:
    """One rightly decided test trial per class, at most three: that with the median decision time."""
    trials = model.evaluate(params, weights, test)
    chosen = []
    for wanted in range(min(3, test.n_classes)):
        right = np.nonzero((trials.targets == wanted) & (trials.choices == wanted))[0]
        if right.size:
            chosen.append(right[np.argsort(trials.decision_ms[right])[right.size // 2]])
    return np.array(chosen or [0])


def _select(test: Task, chosen: NDArray) -> Task:
    spikes = {k: v.select_trials(chosen) for k, v in test.stimulus.spikes.items()}
    return Task(Stimulus(spikes=spikes), test.targets[chosen], test.n_classes)


def _raster(params: Params, recording: Recording, chosen: Task) -> dict[str, NDArray]:
    layers = [chosen.stimulus.spikes["input"], *(recording.spikes[k] for k in ("hidden", "output"))]
    output = recording.spikes["output"].first_ms() / params.tau_s_ms
    return {
        "raster.time_ms": np.concatenate([s.times_ms for s in layers]),
        "raster.unit": np.concatenate([s.units for s in layers]),
        "raster.trial": np.concatenate([s.trials for s in layers]),
        "raster.layer": np.repeat(np.arange(3, dtype=np.int8), [len(s) for s in layers]),
        "raster.target": chosen.targets,
        "raster.decision_ms": model.decide(output, chosen, params).decision_ms,
    }


def _voltages(params: Params, weights: Weights, chosen: Task) -> dict[str, NDArray]:
    """Potentials without reset, V / c: a spike is where the curve first reaches one."""
    spikes = model.forward_pass(params, weights, chosen)
    time = np.linspace(0, params.trial_ms / params.tau_s_ms, TRACE_POINTS)

    def potential(times: NDArray, w: NDArray) -> NDArray:
        since = time[None, :] - np.where(np.isfinite(times), times, np.inf)[:, None]
        shape = np.where(since > 0, kernel(np.maximum(since, 0), params.tau_ratio), 0.0)
        return (w.T @ shape / model.threshold(params)).astype(np.float32)

    traced, traces, outputs = [], [], []
    for trial in range(len(spikes.inputs)):
        # The first to fire, evenly down to the last, and a silent one where there is one.
        order = np.argsort(spikes.hidden.times[trial], kind="stable")
        fired = int(np.isfinite(spikes.hidden.times[trial]).sum())
        places = np.linspace(0, max(fired - 1, 0), TRACED_NEURONS - 1).astype(int)
        units = order[np.append(places, len(order) - 1)]
        traced.append(units)
        traces.append(potential(spikes.inputs[trial], weights[0][:, units]))
        outputs.append(potential(spikes.onward[trial], weights[1]))
    units = np.array(traced)
    rows = np.arange(len(units))[:, None]
    return {
        "voltage.time_ms": time * params.tau_s_ms,
        "voltage.hidden": np.array(traces),
        "voltage.output": np.array(outputs),
        "voltage.hidden_units": units,
        "voltage.hidden_ms": spikes.hidden.times[rows, units] * params.tau_s_ms,
        "voltage.output_ms": spikes.output.times * params.tau_s_ms,
        "voltage.input_ms": spikes.inputs * params.tau_s_ms,
    }
