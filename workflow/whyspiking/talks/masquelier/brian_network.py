"""S4NN in Brian2, one step a tick: description, trained numbers, recording (README, section 5)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import brian_model as bm
from whyspiking.contract.types import Binding, Layer, Network, Params, Recording, Task, Trials
from whyspiking.talks.masquelier import model
from whyspiking.talks.masquelier.network import Firing


def to_brian(params: Params) -> bm.BrianModel:
    """Neurons in layers, all to all; thresholds and weights are values of each run.

    Thresholds are compared before the spikes of a step arrive, so that a crossing caused at tick t
    is a spike at t + 1: Eq. 3. One caused at the last tick is wiped by the start of the next trial.
    """
    sizes = model.sizes(params)
    *hidden, output = sizes
    last, tick_ms = hidden[-1], float(params.tick_ms)
    return bm.BrianModel(
        name="masquelier-" + "-".join(str(size) for size in (params.n_input, *sizes.values())),
        groups=[
            bm.Group(
                name,
                size,
                model.NEURON,
                threshold=model.CROSSING,
                reset=model.FIRE,
                start={"v_th": params.theta},
            )
            for name, size in sizes.items()
        ],
        synapses=[
            *(
                bm.Synapses(f"s_{post}", pre, post, on_pre=model.ON_SPIKE)
                for pre, post in zip(["input", *hidden], sizes, strict=True)
            ),
            bm.Synapses("s_replay", f"{last}_replay", output, on_pre=model.ON_SPIKE),
        ],
        inputs={"input": params.n_input, f"{last}_replay": sizes[last]},
        dt_ms=tick_ms,
        trial_ms=params.t_max * tick_ms,
        max_trials=params.max_trials,
        reset=dict.fromkeys(sizes, model.START),
        record_spikes=tuple(sizes),
        record_traces={"potential": (output, "v", tick_ms)},
        replay={last: bm.Replay(f"{last}_replay", {f"{last}.v_th": 1e9})},
        schedule=("start", "groups", "thresholds", "resets", "synapses", "end"),
    )


def bind(params: Params, network: Network) -> Binding:
    """Place a trained network into the Brian2 model, and name its layers for counting."""
    weights = model.weights_of(network)
    names = model.layers(len(weights))
    values: dict[str, NDArray | float] = {"s_replay.w": weights[-1]}
    counted: dict[str, Layer] = {}
    for before, name, w in zip(["input", *names], names, weights, strict=False):
        values |= {f"s_{name}.w": w, f"{name}.v_th": np.full(w.shape[1], float(params.theta))}
        kind = "readout" if name == names[-1] else "feedforward"
        counted[f"s_{name}.w"] = Layer(before, name, w, kind)
    return Binding(values, counted)


def read(params: Params, recording: Recording) -> Firing:
    """First spikes in ticks and deciding potentials out of a Brian2 recording."""

    def in_ticks(population: str) -> NDArray[np.int32]:
        first = recording.spikes[population].first_ms() / params.tick_ms
        return np.where(np.isfinite(first), np.rint(first), params.t_max).astype(np.int32)

    *hidden, output = (in_ticks(name) for name in model.sizes(params))
    # A neuron that has fired keeps the potential of its crossing to the end.
    traces = recording.traces["potential"]
    silent, fired = traces[:, -model.SILENT_TICKS, :], traces[:, -1, :]
    return Firing(np.hstack(hidden), output, np.where(output < params.t_max, fired, silent))


def decode(params: Params, recording: Recording, task: Task) -> Trials:
    """Decisions of a Brian2 recording by the readout rule of the experiment."""
    firing = read(params, recording)
    return model.decide(params, firing.output, firing.potential, task)
