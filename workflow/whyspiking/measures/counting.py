"""Counts of spikes, synaptic events and multiply-accumulates, and information per spike (E2).

Everything is per trial, averaged over trials.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Layer, Trials
from whyspiking.errors import UserError

LN2 = float(np.log(2))
CHUNK = 5_000
"""Steps whose reach is worked out at once."""


def synaptic_events(
    trains: Mapping[str, Spikes], layers: Mapping[str, Layer]
) -> dict[str, NDArray[np.float64]]:
    """Synaptic events of every trial: spikes times their neuron's non-zero outgoing weights.

    Args:
        trains: Spike trains of every population that feeds synapses.
        layers: The synapses; those whose `pre` is no population of spikes are left out.

    Returns:
        Kind of layer -> events, (trial,).
    """
    events: dict[str, NDArray] = {}
    for layer in layers.values():
        if layer.pre not in trains:
            continue
        fan_out = np.count_nonzero(layer.weights, axis=1)
        spikes = trains[layer.pre]
        found = np.bincount(spikes.trials, weights=fan_out[spikes.units], minlength=spikes.n_trials)
        events[layer.kind] = events.get(layer.kind, 0.0) + found
    return events


def until(trains: Mapping[str, Spikes], stop_ms: NDArray) -> dict[str, Spikes]:
    """The spikes up to a time of each trial, e.g. its decision (inf: all of them)."""
    stop = np.asarray(stop_ms)
    return {name: x.keep(x.times_ms <= stop[x.trials]) for name, x in trains.items()}


def analogue_macs(array: NDArray, weights: NDArray) -> float:
    """Multiply-accumulates of an analogue input per trial, evaluated at every sample.

    Args:
        array: (trial, time, channel), or (time, channel) where all trials share it.
        weights: (channel, post); zero weights and zero inputs are skipped.
    """
    fan_out = np.count_nonzero(weights, axis=1)
    per_sample = np.count_nonzero(array, axis=tuple(range(array.ndim - 1))) @ fan_out
    return float(per_sample) / (array.shape[0] if array.ndim == 3 else 1)


def event_updates(
    trains: Mapping[str, Spikes], layers: Mapping[str, Layer], dt_ms: float
) -> dict[str, float]:
    """Neuron updates per trial of an event-driven machine: one per neuron and step with input.

    Args:
        trains: Spike trains of every population that feeds synapses.
        layers: The synapses.
        dt_ms: Step in ms; events of one neuron within a step share an update.

    Returns:
        Population that synapses reach -> its updates.
    """
    found: dict[str, float] = {}
    for post in dict.fromkeys(layer.post for layer in layers.values()):
        into = [x for x in layers.values() if x.post == post and x.pre in trains]
        if not into:
            continue
        n_trials = trains[into[0].pre].n_trials
        # A population that lags behind its input may be recorded a little longer.
        steps = 1 + round(max(trains[x.pre].duration_ms for x in into) / dt_ms)
        keys, targets, pres = [], [], []
        n_post = into[0].weights.shape[1]
        offset = 0
        for layer in into:
            spikes = trains[layer.pre]
            step = np.rint(spikes.times_ms / dt_ms).astype(np.int64)
            keys.append(spikes.trials.astype(np.int64) * steps + step)
            pres.append(spikes.units.astype(np.int64) + offset)
            targets.append(np.asarray(layer.weights) != 0)
            offset += spikes.n_units
        reach = np.concatenate(targets)
        if reach.all():
            # Every input reaches every neuron: count the steps with any input.
            busy = np.zeros(n_trials * steps, bool)
            for key in keys:
                busy[key] = True
            updates = int(busy.sum()) * n_post
        else:
            updates = _reached(np.concatenate(keys), np.concatenate(pres), reach)
        found[post] = updates / n_trials
    return found


def _reached(step: NDArray, pre: NDArray, reach: NDArray) -> int:
    """Pairs of a step and a neuron that at least one spike of the step reaches.

    Args:
        step: Step of every spike, (spike,).
        pre: Its neuron, (spike,).
        reach: Who reaches whom, (pre, post).
    """
    order = np.argsort(step, kind="stable")
    pre, step = pre[order], step[order]
    # One bit per neuron, 64 to a word: a step is the union of a few rows.
    padded = np.pad(reach, ((0, 0), (0, -reach.shape[1] % 64)))
    rows = np.packbits(padded, axis=1).view(np.uint64)
    first = np.flatnonzero(np.diff(step, prepend=-1))
    # In pieces: only the number of neurons is kept.
    pieces = np.split(first, range(CHUNK, first.size, CHUNK))
    ends = [*(piece[0] for piece in pieces[1:]), step.size]
    found = 0
    for piece, end in zip(pieces, ends, strict=True):
        if piece.size:
            heard = rows[pre[piece[0] : end]]
            together = np.bitwise_or.reduceat(heard, piece - piece[0], axis=0)
            found += int(np.bitwise_count(together).sum())
    return found


def synapses(layers: Mapping[str, Layer]) -> int:
    """Number of non-zero synapses."""
    return int(sum(np.count_nonzero(layer.weights) for layer in layers.values()))


def footprint(layers: Mapping[str, Layer], values: Mapping[str, NDArray | float]) -> float:
    """Bytes of the weights, zeros included, and of what each neuron has of its own, at 32 bits.

    Args:
        layers: The synapses, by their key in `values`.
        values: All numbers of the network; those of objects that are synapses count as layers only.
    """
    synapses_of = {key.partition(".")[0] for key in layers}
    n_weights = sum(layer.weights.size for layer in layers.values())
    neurons = {layer.pre for layer in layers.values()} | {layer.post for layer in layers.values()}
    n_parameters = sum(
        np.size(value)
        for key, value in values.items()
        if np.ndim(value) and key.partition(".")[0] in neurons - synapses_of
    )
    return 4.0 * (n_weights + n_parameters)


def count(
    trains: Mapping[str, Spikes],
    inputs: Sequence[str],
    layers: Mapping[str, Layer],
    *,
    dt_ms: float,
    arrays: Mapping[str, NDArray] | None = None,
    stop_ms: NDArray | None = None,
    states: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """All counts of a spiking network per trial, by name of `tables.GLOSSARY`.

    Args:
        trains: Spike trains by population: inputs, and all recorded ones.
        inputs: Which of them are inputs.
        layers: The synapses.
        dt_ms: Step of the simulation in ms.
        arrays: Analogue inputs by name; a layer whose `pre` is one of them costs
            multiply-accumulates at every sample.
        stop_ms: Decision time of each trial in ms, (trial,), inf where undecided; None where
            nothing is decided.
        states: Population -> state variables per neuron beyond the membrane (adaptation, synaptic
            current, dendrite); each needs an update of its own whenever its neuron does. None
            where that is not known.

    Raises:
        UserError: If a layer begins at a population that is neither recorded nor an input, or a
            population of `states` is reached by no layer.
    """
    arrays = arrays or {}
    _check_sources(trains, layers, arrays)
    feeding = {layer.pre for layer in layers.values()} & set(trains)
    trains = {name: trains[name] for name in trains if name in feeding}
    any_train = next(iter(trains.values()))
    n_trials, duration_ms = any_train.n_trials, any_train.duration_ms
    per_trial = {name: len(spikes) / n_trials for name, spikes in trains.items()}
    hidden = [name for name in trains if name not in inputs]
    steps = max(1, round(duration_ms / dt_ms))
    n_post = {layer.post: layer.weights.shape[1] for layer in layers.values()}
    if unknown := sorted(set(states or ()) - set(n_post)):
        raise UserError(
            f"'states' in talk.yaml names {unknown}, which no synapse reaches; known: "
            f"{sorted(n_post)}"
        )
    updates = event_updates(trains, layers, dt_ms)
    events = synaptic_events(trains, layers)
    n_synapses = synapses(layers)
    n_weights = sum(layer.weights.size for layer in layers.values())
    found = {
        "spikes": sum(per_trial.values()),
        "spikes_input": sum(per_trial[name] for name in trains if name in inputs),
        "spikes_hidden": sum(per_trial[name] for name in hidden),
        "syn_events": float(sum(values.mean() for values in events.values())),
        **{f"syn_events_{kind}": float(values.mean()) for kind, values in events.items()},
        "macs_effective": sum(
            analogue_macs(arrays[x.pre], x.weights) for x in layers.values() if x.pre in arrays
        ),
        "neuron_updates": float(sum(n_post.values()) * steps),
        "neuron_updates_event": float(sum(updates.values())),
        "synapses": float(n_synapses),
        "connection_sparsity": 1 - n_synapses / n_weights,
    }
    if states is not None:
        more = {post: float(states.get(post, 0.0)) for post in n_post}
        found["state_updates"] = float(sum(more[post] * n * steps for post, n in n_post.items()))
        found["state_updates_event"] = float(sum(more[post] * n for post, n in updates.items()))
    spiking_synapses = synapses({k: x for k, x in layers.items() if x.pre in trains})
    found["density"] = found["syn_events"] / spiking_synapses if spiking_synapses else np.nan
    if hidden:
        # Other events of a group ("group.event") come from the same neurons.
        n_hidden = sum({x.partition(".")[0]: trains[x].n_units for x in hidden}.values())
        found["spikes_per_neuron"] = found["spikes_hidden"] / n_hidden
        found["rate"] = 1000 * found["spikes_per_neuron"] / duration_ms
        found["activation_sparsity"] = 1 - found["spikes_per_neuron"] / steps
    if stop_ms is not None:
        early = until(trains, stop_ms)
        found["spikes_to_decision"] = sum(len(spikes) for spikes in early.values()) / n_trials
        found["events_to_decision"] = float(
            sum(values.mean() for values in synaptic_events(early, layers).values())
        )
    return found


def information(trials: Trials) -> float:
    """Mutual information of target and choice in bit, less the Miller-Madow bias (E2).

    The bias is (J - R - C + 1)/(2 n ln 2) with J, R, C the non-empty cells, rows and columns of the
    confusion matrix; "undecided" is a column of its own.
    """
    table = np.zeros((trials.n_classes, trials.n_classes + 1))
    np.add.at(table, (trials.targets, trials.choices), 1)
    n = table.sum()
    joint = table / n
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    filled = joint > 0
    independent = np.outer(rows, columns)
    plain = float((joint[filled] * np.log2(joint[filled] / independent[filled])).sum())
    cells = int(filled.sum()) - int((rows > 0).sum()) - int((columns > 0).sum()) + 1
    return plain - cells / (2 * n * LN2)


def _check_sources(
    trains: Mapping[str, Spikes], layers: Mapping[str, Layer], arrays: Mapping[str, NDArray]
) -> None:
    for key, layer in layers.items():
        if layer.pre not in trains and layer.pre not in arrays:
            raise UserError(
                f"layer '{key}' begins at '{layer.pre}', which is neither recorded nor an input; "
                f"known: {sorted([*trains, *arrays])}. Add it to `record_spikes` of the model."
            )
    if not any(layer.pre in trains for layer in layers.values()):
        raise UserError("no layer begins at a population of spikes, so there is nothing to count")
