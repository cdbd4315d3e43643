"""Arrays for the figures: the decision map and one example trial.

From the spiking network with the lowest seed; times in ms, infinite where a neuron stays silent.
Yin-Yang only, keys:

    map.axis (grid,)                    coordinates along both axes
    map.first_ms (grid y, grid x, class)  first output spikes, closed form
    trace.target ()                     class of the example, a test sample that is rightly decided
    trace.input_ms (input,), trace.hidden_ms (hidden,), trace.output_ms (class,)
                                        its spikes; those of the neurons as simulated in Brian2
    trace.time_ms (time,)
    trace.v_hidden (time, some neurons), trace.v_output (time, class)
                                        potentials over threshold that these spikes evoke (README,
                                        Eq. 2), drawn on beyond the spike
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.trial_subsets import of_variant, select_task, typical_trial
from whyspiking.contract.types import Networks, Params, Recording, Simulate, Stimulus, Task
from whyspiking.datasets import yinyang
from whyspiking.talks.goeltz import model, task
from whyspiking.talks.goeltz.model import Weights
from whyspiking.training.first_spike.layer import kernel

MAP_SIDE = 121
TRACED_NEURONS = 6
TRACE_POINTS = 401


def exhibits(
    params: Params, networks: Networks, simulate: Simulate, streams: Streams
) -> dict[str, NDArray]:
    """All arrays of one experiment; see the module's description.

    Args:
        params: Parameters of the experiment.
        networks: Trained networks by (variant, seed).
        simulate: Runs a network in Brian2.
        streams: Randomness; nothing is drawn here.
    """
    trained = of_variant(networks)
    test = task.make_task(params, "test", streams)
    if not trained or test is None or params.dataset != "yinyang":
        return {}
    network = trained[min(trained)]
    weights = model.weights_of(network)
    example = _example(params, weights, test)
    return _map(params, weights) | _trace(params, weights, example, simulate(network, example))


def _map(params: Params, weights: Weights) -> dict[str, NDArray]:
    features, _ = yinyang.grid(MAP_SIDE)
    times = task.with_bias(task.latencies(features, params), params) * params.tau_s_ms
    plane = Task(
        stimulus=Stimulus(spikes={"input": Spikes.from_first_spikes(times, params.trial_ms)}),
        targets=np.zeros(len(features), np.int64),
        n_classes=params.n_output,
    )
    output = model.forward_pass(params, weights, plane).output.times * params.tau_s_ms
    return {
        "map.axis": features[:MAP_SIDE, 0],
        "map.first_ms": output.reshape(MAP_SIDE, MAP_SIDE, -1).astype(np.float32),
    }


def _example(params: Params, weights: Weights, test: Task) -> Task:
    """The rightly decided test trial with the median decision time, as a task of one trial."""
    chosen = typical_trial(model.evaluate(params, weights, test))
    return select_task(test, np.array([chosen]))


def _trace(
    params: Params, weights: Weights, example: Task, recording: Recording
) -> dict[str, NDArray]:
    inputs = example.stimulus.spikes["input"].first_ms()[0]
    hidden, output = (recording.spikes[name].first_ms()[0] for name in ("hidden", "output"))
    time_ms = np.linspace(0, params.trial_ms, TRACE_POINTS)

    def potential(arrivals_ms: NDArray, w: NDArray) -> NDArray:
        fired = np.isfinite(arrivals_ms)
        since = (time_ms[:, None] - arrivals_ms[None, fired]) / params.tau_s_ms
        return kernel(since, params.tau_ratio) @ w[fired] / model.threshold(params)

    # From the first neuron that fires evenly to the last, and one that stays silent.
    order = np.argsort(hidden, kind="stable")
    n_fired = int(np.isfinite(hidden).sum())
    places = np.linspace(0, max(n_fired - 1, 0), TRACED_NEURONS - 1).astype(int)
    shown = order[np.append(places, hidden.size - 1)]
    onward = task.with_bias(hidden[None, :] / params.tau_s_ms, params)[0] * params.tau_s_ms
    return {
        "trace.target": np.asarray(example.targets[0]),
        "trace.input_ms": inputs,
        "trace.hidden_ms": hidden,
        "trace.output_ms": output,
        "trace.time_ms": time_ms,
        "trace.v_hidden": potential(inputs, weights[0][:, shown]).astype(np.float32),
        "trace.v_output": potential(onward, weights[1]).astype(np.float32),
    }
