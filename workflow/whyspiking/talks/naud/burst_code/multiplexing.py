"""The experiment `multiplexing`: two ensembles, events going up, bursts going down.

Nothing is trained: a network is one random wiring. Its trials are realisations of the noise.
Equation numbers are those of this talk's README.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import (
    Binding,
    Condition,
    Layer,
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
from whyspiking.talks.naud import burst_code, circuit
from whyspiking.talks.naud.circuit import SAMPLE_MS

RASTER_NEURONS = 60


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """Sine waves into the somata of the lower and the dendrites of the upper ensemble.

    The waves begin with the recording. Targets are the two waves at the end of every bin, where the
    published monitor dates its counts, standardised. All trials have the same input: they differ in
    the noise of the simulation.
    """
    if split == "fresh":
        return None
    times = np.arange(0.0, params.trial_ms, SAMPLE_MS)
    waves = _waves(params, times) * (times >= params.relax_ms)[:, None]
    bins = _waves(params, params.relax_ms + bin_ends_ms(params))
    targets = np.broadcast_to(bins, (params.n_trials_max, *bins.shape))
    return Task(
        stimulus=Stimulus(arrays={"waves": waves}),
        targets=burst_code.standardised(targets),
        n_classes=0,
        dt_ms=params.bin_ms,
    )


def bin_ends_ms(params: Params) -> NDArray[np.float64]:
    """Ends of the bins after the relaxation, (bin,)."""
    recorded = params.trial_ms - params.relax_ms
    return params.bin_ms * np.arange(1, round(recorded / params.bin_ms) + 1)


def _waves(params: Params, times_ms: NDArray) -> NDArray[np.float64]:
    """The two waves at some times, (time, 2)."""
    return np.column_stack([np.sin(2 * np.pi * times_ms / p) for p in periods_ms(params)])


def periods_ms(params: Params) -> tuple[float, float]:
    """Periods of the somatic and the dendritic wave; their ratio is sqrt(5), never in step."""
    return params.period_ms, params.period_ms * float(np.sqrt(5.0))


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Draw the wiring; nothing is learned."""
    progress(1.0, "a random wiring; nothing to train")
    seed = np.array(streams.integer("wiring"))
    return Network(arrays={"wiring_seed": seed}, info={"engine": "brian2"})


def evaluate(params: Params, variant: str, network: Network, task: Task) -> None:
    """There is no second engine: the circuit exists in Brian2 only."""


to_brian = circuit.brian_model


def bind(params: Params, network: Network) -> Binding:
    """Wiring, weights and the input currents of either ensemble."""
    n, m = params.n_pyramidal, params.n_interneurons
    wiring = circuit.wire(params, np.random.default_rng(int(network.arrays["wiring_seed"])))
    values = circuit.fixed_values(params)
    sizes = {"pyramidal": 2 * n, "interneurons": 2 * m}
    layers = {}
    for name, (pre, post) in wiring.items():
        source, target, _, _ = circuit.PROJECTIONS[name]
        weight = float(params.weights[name])
        values |= {f"{name}.i": pre, f"{name}.j": post, f"{name}.w": weight}
        present = np.zeros((sizes[source], sizes[target]), np.int8)
        present[pre, post] = 1
        kind = "recurrent" if name in ("topdown", "lateral", "from_som") else "feedforward"
        layers[f"{name}.w"] = Layer(source, target, present, kind)
    for name in ("base_s", "swing_s", "base_d", "swing_d"):
        values[f"pyramidal.{name}"] = np.repeat(np.asarray(getattr(params, name), float), n)
    return Binding(values=values, layers=layers)


def signals(params: Params, recording: Recording) -> dict[str, NDArray]:
    """Event rates, burst rates and burst probabilities of both ensembles, (trial, bin).

    Keys: `events_1`, `events_2`, `bursts_1`, ... in Hz per neuron, and `probability_1`, ...
    """
    spikes = recording.spikes["pyramidal"]
    is_event, is_burst = burst_code.events(spikes, params.burst_window_ms)
    found: dict[str, NDArray] = {}
    for number in (1, 2):
        units = slice((number - 1) * params.n_pyramidal, number * params.n_pyramidal)
        for name, mask in (("events", is_event), ("bursts", is_burst)):
            found[f"{name}_{number}"] = burst_code.binned(
                spikes,
                mask,
                units,
                start_ms=params.relax_ms,
                stop_ms=params.trial_ms,
                bin_ms=params.bin_ms,
            )
        found[f"probability_{number}"] = burst_code.share(
            found[f"bursts_{number}"], found[f"events_{number}"]
        )
    return found


def heard(params: Params, recording: Recording) -> dict[str, NDArray]:
    """Mean conductance behind depressing and facilitating synapses, (trial, bin, ensemble)."""
    per_bin = round(params.bin_ms / SAMPLE_MS)
    found = {}
    for name in ("depressing", "facilitating"):
        trace = recording.traces[name][:, round(params.relax_ms / SAMPLE_MS) :]
        found[name] = trace.reshape(len(trace), -1, per_bin, 2).mean(axis=2) / params.n_pyramidal
    return found


def decode(params: Params, recording: Recording, task: Task) -> Traces:
    """Event rate of the lower and burst probability of the upper ensemble, standardised."""
    found = signals(params, recording)
    outputs = np.stack([found["events_1"], found["probability_2"]], axis=-1)
    return Traces(burst_code.standardised(outputs), task.targets, dt_ms=params.bin_ms)


def conditions(params: Params) -> list[Condition]:
    """`shuffle` (bursts): which events are bursts is redrawn, events and spike counts are kept."""
    return [Condition("shuffle", "bursts", 1.0)]


def perturb_recording(
    params: Params, condition: Condition, recording: Recording, rng: np.random.Generator
) -> Recording:
    """The recording as a reader would see it if bursts were spread at random over events."""
    changed = burst_code.other_bursts(recording.spikes["pyramidal"], params.burst_window_ms, rng)
    return replace(recording, spikes={**recording.spikes, "pyramidal": changed})


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """Who follows whom, in signals averaged over the trials."""
    mean = {name: values.mean(axis=0) for name, values in signals(params, recording).items()}
    soma, dendrite = task.targets[0].T
    follow = burst_code.correlation
    crossed = (
        follow(dendrite, mean["events_1"]),
        follow(dendrite, mean["events_2"]),
        follow(soma, mean["probability_2"]),
    )
    own = follow(soma, mean["events_1"]), follow(dendrite, mean["probability_2"])
    found = {
        "event_correlation": own[0],
        "relay_correlation": follow(mean["events_1"], mean["events_2"]),
        "burst_correlation": own[1],
        "topdown_correlation": follow(mean["bursts_2"], mean["probability_1"]),
        "cross_correlation": float(np.abs(crossed).max()),
        "channel_separation": min(own) - float(np.abs(crossed).max()),
        "event_rate": float(mean["events_1"].mean()),
    }
    if condition.perturbation != "none":
        return found
    # What synapses transmit was simulated with the bursts as they were.
    ear = {name: values.mean(axis=0)[:, 1] for name, values in heard(params, recording).items()}
    return found | {
        "depressing_events": follow(ear["depressing"], mean["events_2"]),
        "depressing_bursts": follow(ear["depressing"], mean["bursts_2"]),
        "facilitating_bursts": follow(ear["facilitating"], mean["bursts_2"]),
        "facilitating_events": follow(ear["facilitating"], mean["events_2"]),
    }


def exhibits(
    params: Params, networks: Networks, simulate: Simulate, streams: Streams
) -> dict[str, NDArray]:
    """Signals of the first seed, trials kept, and spikes of a few neurons in the first trial.

    `time_ms` (bin,), `waves` (bin, 2), what `signals` and `heard` give; `raster.spike_ms`,
    `raster.row` (ensemble 1 below, ensemble 2 above), `raster.burst` (whether the spike belongs
    to a burst).
    """
    seed = min(seed for _, seed in networks)
    task = make_task(params, "test", Streams(seed))
    assert task is not None
    recording = simulate(networks["spiking", seed], task)
    spikes = recording.spikes["pyramidal"]
    is_event, is_burst = burst_code.events(spikes, params.burst_window_ms)
    n, shown = params.n_pyramidal, min(RASTER_NEURONS, params.n_pyramidal)
    position = spikes.units % n
    kept = (spikes.trials == 0) & (position < shown) & (spikes.times_ms >= params.relax_ms)
    return {
        "time_ms": bin_ends_ms(params),
        "waves": task.targets[0],
        **signals(params, recording),
        **heard(params, recording),
        "raster.spike_ms": spikes.times_ms[kept] - params.relax_ms,
        "raster.row": position[kept] + shown * (spikes.units[kept] >= n),
        "raster.burst": (is_burst | ~is_event)[kept],
        "raster.neurons": np.array(shown),
    }
