"""S4NN in Brian2, one step a tick: description, trained numbers, recording (README, section 5)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import brian_model as bm
from whyspiking.contract.types import Binding, Layer, Network, Params, Recording, Task, Trials
from whyspiking.talks.masquelier import model
from whyspiking.talks.masquelier.network import Firing


def to_brian(params: Params) -> bm.BrianModel:
    """Two layers of neurons, all to all; thresholds and weights are values of each run.

    Thresholds are compared before the spikes of a step arrive, so that a crossing caused at tick t
    is a spike at t + 1: Eq. 3. One caused at the last tick is wiped by the start of the next trial.
    """
    sizes = model.sizes(params)
    tick_ms = float(params.tick_ms)
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
            bm.Synapses("s_hidden", "input", "hidden", on_pre=model.ON_SPIKE),
            bm.Synapses("s_output", "hidden", "output", on_pre=model.ON_SPIKE),
            bm.Synapses("s_replay", "hidden_replay", "output", on_pre=model.ON_SPIKE),
        ],
        inputs={"input": params.n_input, "hidden_replay": params.n_hidden},
        dt_ms=tick_ms,
        trial_ms=params.t_max * tick_ms,
        max_trials=params.max_trials,
        reset=dict.fromkeys(sizes, model.START),
        record_spikes=tuple(sizes),
        record_traces={"potential": ("output", "v", tick_ms)},
        replay={"hidden": bm.Replay("hidden_replay", {"hidden.v_th": 1e9})},
        schedule=("start", "groups", "thresholds", "resets", "synapses", "end"),
    )


def bind(params: Params, network: Network) -> Binding:
    """Place a trained network into the Brian2 model, and name its layers for counting."""
    w_hidden, w_output = model.weights_of(network)
    values: dict[str, NDArray | float] = {
        "s_replay.w": w_output,
        "s_hidden.w": w_hidden,
        "hidden.v_th": np.full(w_hidden.shape[1], float(params.theta)),
        "s_output.w": w_output,
        "output.v_th": np.full(w_output.shape[1], float(params.theta)),
    }
    counted = {
        "s_hidden.w": Layer("input", "hidden", w_hidden, "feedforward"),
        "s_output.w": Layer("hidden", "output", w_output, "readout"),
    }
    return Binding(values, counted)


def read(params: Params, recording: Recording) -> Firing:
    """First spikes in ticks and deciding potentials out of a Brian2 recording."""

    def in_ticks(population: str) -> NDArray[np.int32]:
        first = recording.spikes[population].first_ms() / params.tick_ms
        return np.where(np.isfinite(first), np.rint(first), params.t_max).astype(np.int32)

    hidden, output = (in_ticks(name) for name in model.LAYERS)
    # A neuron that has fired keeps the potential of its crossing to the end.
    traces = recording.traces["potential"]
    silent, fired = traces[:, -model.SILENT_TICKS, :], traces[:, -1, :]
    return Firing(hidden, output, np.where(output < params.t_max, fired, silent))


def decode(params: Params, recording: Recording, task: Task) -> Trials:
    """Decisions of a Brian2 recording by the readout rule of the experiment."""
    firing = read(params, recording)
    return model.decide(params, firing.output, firing.potential, task)
