"""Arrays for the figures; times in ms, infinite where a neuron stays silent.

MNIST, from the spiking network with the lowest seed:

    digit.image (pixel,), digit.target ()   the first test image that is decided rightly
    digit.input_ms, digit.hidden_ms, digit.output_ms, digit.input_pulses_ms, digit.hidden_pulses_ms
                                            its spikes; those of the neurons as simulated in Brian2
    digit.time_ms (time,), digit.v_output, digit.v_without (time, class)
                                            potentials over threshold that these spikes evoke
                                            (README, Eq. 2), drawn on beyond the spike; `v_without`:
                                            had the pulses not come
    relative.edges_ms (bin + 1,), relative.share (bin,)
                                            hidden spikes relative to the decision, share of all
                                            hidden neurons and images per bin
    relative.decision_ms (image,)           decisions of these images
    start.means (mean,), start.pulses_ms (start, 2), start.first_ms (start, mean)
                                            mnist_slow only: median first output spike of untrained
                                            networks

Boolean: boolean.accuracy (gate, network), test, in closed form. Boolean pulses:
boolean.<variant> (gate, network), the same over all seeds.

Ideal, starts x classes in the order of `ideal.make_task`:

    ideal.start, ideal.input (sample, pixel)    brightness p/256, lowest seed
    ideal.change (class, pixel)                 mean change of brightness over starts and seeds
    ideal.read (class,)                         share that the ReLU network reads as wanted
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.trial_subsets import of_variant, select_task
from whyspiking.contract.types import Network, Networks, Params, Simulate, Task
from whyspiking.datasets import shared
from whyspiking.talks.comsa import boolean, ideal, learning, model, task
from whyspiking.training.first_spike.layer import kernel

N_IMAGES = 1000
"""Test images behind the histogram."""
TRACE_POINTS = 801
BIN_MS = 1.0
N_START = 200
"""Validation images behind the look at untrained networks."""
START_MEANS = (0.3, 0.2, 0.1, 0.0, -0.1, -0.2, -0.3)
START_PULSES = ((0.0909091, 0.9090909), (10.0, 50.0))


def exhibits(
    params: Params, networks: Networks, simulate: Simulate, streams: Streams
) -> dict[str, NDArray]:
    """All arrays of one experiment; see the module's description."""
    if params.experiment == "boolean_pulses":
        return gates(params, networks)
    if params.experiment == "ideal":
        return wanted(params, networks)
    trained = of_variant(networks)
    if not trained or params.experiment in ("pulses", "regimes") or shared.takes_part(params):
        return {}
    seed = min(trained)
    network = trained[seed]
    if params.experiment == "boolean":
        return {"boolean.accuracy": _accuracies(params, network, seed)}
    test = task.make_task(params, "test", streams)
    assert test is not None  # MNIST has a test split
    some = select_task(test, np.arange(min(N_IMAGES, len(test.targets))))
    found = _relative(params, network, some) | _digit(params, network, some, simulate)
    if params.experiment == "mnist_slow":
        found |= starts(params, streams)
    return found


def _accuracies(params: Params, network: Network, seed: int) -> NDArray[np.float64]:
    values = boolean.samples(params, "test", Streams(seed))
    times = boolean.first_output_times(params, network.arrays, values)
    return boolean.accuracies(params, times, values)


def gates(params: Params, networks: Networks) -> dict[str, NDArray]:
    """Test accuracy of all small networks, variant by variant, over all seeds."""
    found: dict[str, list[NDArray]] = {}
    for (variant, seed), network in sorted(networks.items()):
        if variant in ("spiking", *boolean.WITHOUT_LEARNING):
            found.setdefault(f"boolean.{variant}", []).append(_accuracies(params, network, seed))
    return {name: np.hstack(parts) for name, parts in found.items()}


def wanted(params: Params, networks: Networks) -> dict[str, NDArray]:
    """Inputs that the networks want to see, and how many of them the ReLU network reads."""
    found, changes, read = {}, [], []
    for seed, network in sorted(of_variant(networks, "ideal").items()):
        shown = ideal.make_task(params, "test", Streams(seed))
        assert shown is not None and shown.features is not None
        inputs = network.arrays["inputs"]
        changed = (inputs - shown.features).reshape(params.n_starts, params.n_output, -1)
        changes.append(changed.mean(axis=0))
        trials = ideal.evaluate(params, "ideal", network, shown)
        right = trials.choices == trials.targets
        read.append(right.reshape(params.n_starts, params.n_output).mean(axis=0))
        start = {"ideal.start": np.asarray(shown.features, np.float32), "ideal.input": inputs}
        found = found or start
    if not found:
        return {}
    return found | {"ideal.change": np.mean(changes, axis=0), "ideal.read": np.mean(read, axis=0)}


def _relative(params: Params, network: Network, images: Task) -> dict[str, NDArray]:
    hidden, output = model.first_spikes(params, network.arrays, model.times_of(params, images))
    decision = output.min(axis=1)
    decided = np.isfinite(decision)
    gaps = (hidden - decision[:, None])[decided] * params.unit_ms
    reach = params.trial_ms
    edges = np.arange(-np.ceil(reach / BIN_MS), np.ceil(reach / BIN_MS) + 1) * BIN_MS
    counts, _ = np.histogram(gaps[np.isfinite(gaps)], edges)
    return {
        "relative.edges_ms": edges,
        "relative.share": counts / max(gaps.size, 1),
        "relative.decision_ms": decision[decided] * params.unit_ms,
    }


def _digit(
    params: Params, network: Network, images: Task, simulate: Simulate
) -> dict[str, NDArray]:
    trials = model.evaluate(params, network.arrays, images)
    right = np.flatnonzero(trials.choices == trials.targets)
    # The first image that is decided rightly: mostly the same one in both regimes.
    chosen = int(right[0]) if right.size else 0
    example = select_task(images, np.array([chosen]))
    recording = simulate(network, example)
    hidden, output = (recording.spikes[name].first_ms()[0] for name in ("hidden", "output"))
    pulses = {name: network.arrays[name] * params.unit_ms for name in model.PULSES}
    time_ms = np.linspace(0, params.trial_ms, TRACE_POINTS)
    w_output = np.asarray(network.arrays["w_output"], float)

    def potential(arrivals_ms: NDArray, weights: NDArray) -> NDArray:
        fired = np.isfinite(arrivals_ms)
        since = (time_ms[:, None] - arrivals_ms[None, fired]) / model.tau_ms(params)
        return kernel(since, 1) @ weights[fired] / model.threshold(params)

    n_hidden = hidden.size
    without = potential(hidden, w_output[:n_hidden])
    lifted = potential(pulses["hidden_pulses"], w_output[n_hidden:])
    features = np.asarray(example.features)[0]
    return {
        "digit.image": features,
        "digit.target": np.asarray(example.targets[0]),
        "digit.input_ms": example.stimulus.spikes["input"].first_ms()[0],
        "digit.hidden_ms": hidden,
        "digit.output_ms": output,
        **{f"digit.{name}_ms": times for name, times in pulses.items()},
        "digit.time_ms": time_ms,
        "digit.v_output": (without + lifted).astype(np.float32),
        "digit.v_without": without.astype(np.float32),
    }


def starts(params: Params, streams: Streams) -> dict[str, NDArray]:
    """First output spikes of untrained networks, by start of the pulses and mean output weight.

    Args:
        params: Everything else about the initialisation.
        streams: Randomness: "init", "split".
    """
    features, _ = task.samples(params, "validation", streams)
    times = task.input_times(features[:N_START], params)
    found = np.full((len(START_PULSES), len(START_MEANS)), np.inf)
    for row, pulses in enumerate(START_PULSES):
        for column, mean in enumerate(START_MEANS):
            values = {**params.values, "hidden_pulses": list(pulses), "output_mean": mean}
            own = replace(params, values=values)
            arrays = learning.initial_arrays(own, streams)
            _, output = model.first_spikes(own, arrays, times)
            found[row, column] = np.median(output.min(axis=1)) * params.unit_ms
    return {
        "start.means": np.array(START_MEANS),
        "start.pulses_ms": np.array(START_PULSES) * params.unit_ms,
        "start.first_ms": found,
    }
