"""Counts of spikes, synaptic events and multiply-accumulates, and information per spike (E2).

Everything is per trial, averaged over trials.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.spikes import Spikes, distinct
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
    for layer in (layer for layer in layers.values() if layer.pre in trains):
        fan_out, spikes = np.count_nonzero(layer.weights, axis=1), trains[layer.pre]
        own = np.bincount(spikes.trials, weights=fan_out[spikes.units], minlength=spikes.n_trials)
        events[layer.kind] = events.get(layer.kind, 0.0) + own
    return events


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
    populations = dict.fromkeys(layer.post for layer in layers.values())
    into = {
        post: [x for x in layers.values() if x.post == post and x.pre in trains]
        for post in populations
    }
    return {
        post: _updates_of(trains, reaching, dt_ms) for post, reaching in into.items() if reaching
    }


def _updates_of(trains: Mapping[str, Spikes], into: Sequence[Layer], dt_ms: float) -> float:
    """Updates per trial of one population, which layers reach."""
    spikes_of = [trains[layer.pre] for layer in into]
    n_trials = spikes_of[0].n_trials
    # A population that lags behind its input may be recorded a little longer.
    steps = 1 + round(max(spikes.duration_ms for spikes in spikes_of) / dt_ms)
    key = np.concatenate(
        [
            spikes.trials.astype(np.int64) * steps + np.rint(spikes.times_ms / dt_ms).astype(int)
            for spikes in spikes_of
        ]
    )
    reach = np.concatenate([np.asarray(layer.weights) != 0 for layer in into])
    if reach.all():
        # Every input reaches every neuron: count the steps with any input.
        return distinct(key).size * reach.shape[1] / n_trials
    offsets = np.cumsum([0, *(spikes.n_units for spikes in spikes_of)])
    pres = [
        x.units.astype(np.int64) + offset for x, offset in zip(spikes_of, offsets, strict=False)
    ]
    return _reached(key, np.concatenate(pres), reach) / n_trials


def _reached(step: NDArray, pre: NDArray, reach: NDArray) -> int:
    """Pairs of a step and a neuron that at least one spike of the step reaches.

    Args:
        step: Step of every spike, (spike,).
        pre: Neuron of every spike, (spike,).
        reach: Whether a neuron has a synapse onto another, (pre, post).
    """
    order = np.argsort(step, kind="stable")
    pre, step = pre[order], step[order]
    # One bit per neuron, 64 to a word: a step is the union of a few rows.
    padded = np.pad(reach, ((0, 0), (0, -reach.shape[1] % 64)))
    rows = np.packbits(padded, axis=1).view(np.uint64)
    first = np.flatnonzero(np.diff(step, prepend=-1))
    # In pieces: only the number of neurons is kept.
    pairs = 0
    for start in range(0, first.size, CHUNK):
        piece = first[start : start + CHUNK]
        end = first[start + CHUNK] if start + CHUNK < first.size else step.size
        heard = np.bitwise_or.reduceat(rows[pre[piece[0] : end]], piece - piece[0], axis=0)
        pairs += int(np.bitwise_count(heard).sum())
    return pairs


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
    arrays: Mapping[str, NDArray] = MappingProxyType({}),
    stop_ms: NDArray | None = None,
    states: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """All counts of a spiking network per trial, by name of `glossary.GLOSSARY`.

    Args:
        trains: Spike trains by population: inputs, and all recorded ones.
        inputs: Names of the trains that are inputs.
        layers: The synapses.
        dt_ms: Step of the simulation in ms.
        arrays: Analogue inputs by name; a layer whose `pre` is one of them costs
            multiply-accumulates at every sample.
        stop_ms: Decision time of each trial in ms, (trial,), inf where undecided; None where
            nothing is decided.
        states: Population -> state variables per neuron beyond the membrane (adaptation, synaptic
            current, dendrite), each updated whenever its neuron is; None where that is not known.

    Raises:
        UserError: If a layer begins at a population that is neither recorded nor an input, or a
            population of `states` is reached by no layer.
    """
    _check_sources(trains, layers, arrays)
    feeding = {layer.pre for layer in layers.values()} & set(trains)
    trains = {name: trains[name] for name in trains if name in feeding}
    any_train = next(iter(trains.values()))
    n_trials, duration_ms = any_train.n_trials, any_train.duration_ms
    steps = max(1, round(duration_ms / dt_ms))
    hidden = [name for name in trains if name not in inputs]
    per_trial = {name: len(spikes) / n_trials for name, spikes in trains.items()}
    events = synaptic_events(trains, layers)
    counts = {
        "spikes": sum(per_trial.values()),
        "spikes_input": sum(per_trial[name] for name in trains if name in inputs),
        "spikes_hidden": sum(per_trial[name] for name in hidden),
        "syn_events": float(sum(values.mean() for values in events.values())),
        **{f"syn_events_{kind}": float(values.mean()) for kind, values in events.items()},
        "macs_effective": sum(
            analogue_macs(arrays[x.pre], x.weights) for x in layers.values() if x.pre in arrays
        ),
    }
    counts |= _updates(event_updates(trains, layers, dt_ms), layers, steps, states)
    counts |= _synapses(layers)
    spiking_synapses = _nonzero(x for x in layers.values() if x.pre in trains)
    counts["density"] = counts["syn_events"] / spiking_synapses if spiking_synapses else np.nan
    if hidden:
        # Other events of a group ("group.event") come from the same neurons.
        n_hidden = sum({x.partition(".")[0]: trains[x].n_units for x in hidden}.values())
        counts["spikes_per_neuron"] = counts["spikes_hidden"] / n_hidden
        counts["rate"] = 1000 * counts["spikes_per_neuron"] / duration_ms
        counts["activation_sparsity"] = 1 - counts["spikes_per_neuron"] / steps
    if stop_ms is not None:
        counts |= _to_decision(trains, layers, stop_ms)
    return counts


def _to_decision(
    trains: Mapping[str, Spikes], layers: Mapping[str, Layer], stop_ms: NDArray
) -> dict[str, float]:
    """Spikes and synaptic events per trial up to a time of each trial (inf: all of them)."""
    early = {name: x.keep(x.times_ms <= stop_ms[x.trials]) for name, x in trains.items()}
    events = synaptic_events(early, layers).values()
    return {
        "spikes_to_decision": sum(len(spikes) for spikes in early.values()) / stop_ms.size,
        "events_to_decision": float(sum(values.mean() for values in events)),
    }


def _updates(
    updates: Mapping[str, float],
    layers: Mapping[str, Layer],
    steps: int,
    states: Mapping[str, float] | None,
) -> dict[str, float]:
    """Updates of neurons, and of their further state variables, at every step and at events."""
    n_post = {layer.post: layer.weights.shape[1] for layer in layers.values()}
    counts = {
        "neuron_updates": float(sum(n_post.values()) * steps),
        "neuron_updates_event": float(sum(updates.values())),
    }
    if states is None:
        return counts
    if unknown := sorted(set(states) - set(n_post)):
        raise UserError(
            f"'extra_states' in talk.yaml names {unknown}, which receive no synapses; expected "
            f"some of {sorted(n_post)}. Correct the names"
        )
    more = {post: float(states.get(post, 0.0)) for post in n_post}
    return counts | {
        "state_updates": float(sum(more[post] * n * steps for post, n in n_post.items())),
        "state_updates_event": float(sum(more[post] * n for post, n in updates.items())),
    }


def _synapses(layers: Mapping[str, Layer]) -> dict[str, float]:
    n_synapses = _nonzero(layers.values())
    n_weights = sum(layer.weights.size for layer in layers.values())
    return {"synapses": float(n_synapses), "connection_sparsity": 1 - n_synapses / n_weights}


def _nonzero(layers: Iterable[Layer]) -> int:
    """Number of non-zero synapses."""
    return sum(int(np.count_nonzero(layer.weights)) for layer in layers)


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
                f"layer '{key}' begins at '{layer.pre}', whose spikes are not recorded and which "
                f"is not an input; expected one of {sorted([*trains, *arrays])}. Add it to "
                "`record_spikes` of the model."
            )
    if not any(layer.pre in trains for layer in layers.values()):
        raise UserError(
            "no layer has a presynaptic population that spikes, so there are no operations to count"
        )
