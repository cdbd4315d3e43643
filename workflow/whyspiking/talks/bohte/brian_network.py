"""The networks of `network` as Brian2 runs them (README, section 6).

Spikes of step t reach their targets at the end of Brian2's step t and move them in the step after
it: layer k lags k + 1 steps behind the input, the readout one more. Until then a layer rests: its
bias waits as well, and the decay of its adaptation is made up for at the start.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import brian_model as bm
from whyspiking.contract import types as ct
from whyspiking.talks.bohte import model
from whyspiking.talks.bohte.model import hidden, units

SECOND = bm.Quantity(1, "second")


def neurons(
    n: int, name: str, lag: int, further_equations: str = "", regularly: Sequence[bm.Regularly] = ()
) -> bm.Group:
    """Describe a layer of adaptive neurons.

    Args:
        n: How many neurons.
        name: Of the group.
        lag: Steps behind the input.
        further_equations: Of the group.
        regularly: Further statements in every step.
    """
    return bm.Group(
        name, n, model.NEURON + further_equations, model.THRESHOLD, model.RESET, "exact",
        start={"tau_mem": SECOND, "tau_adapt": SECOND},
        regularly=[clear_inputs(name, lag), *regularly],
    )  # fmt: skip


def clear_inputs(name: str, lag: int) -> bm.Regularly:
    """Clear the input of a group after every step."""
    return bm.Regularly(f"{name}_clear", model.clear(lag), "after_groups")


def synapses(source: str, target: str, name: str) -> bm.Synapses:
    """Connect all neurons of one group to all of another."""
    return bm.Synapses(name, source, target, model.ON_SPIKE)


def to_brian(params: ct.Params) -> bm.BrianModel:
    """The structure; weights, biases and time constants are values of each run."""
    sizes, depth, step_ms = units(params), len(units(params)), float(params.step_ms)
    layers = [neurons(n, hidden(k), k + 1) for k, n in enumerate(sizes)]
    output = bm.Group(
        "output", params.n_output, model.READOUT, method="exact", start={"tau_out": SECOND},
        regularly=[clear_inputs("output", depth + 1)],
    )  # fmt: skip
    connections = []
    for k, source in enumerate(["input", *map(hidden, range(depth - 1))]):
        connections += [synapses(source, hidden(k), f"s_in_{k}")]
        connections += [synapses(hidden(k), hidden(k), f"s_rec_{k}")]
    connections += [synapses(hidden(depth - 1), "output", "s_out")]
    start = {hidden(k): model.start_of(k + 1) for k in range(depth)}
    return bm.BrianModel(
        name="bohte-" + "-".join(str(n) for n in [params.n_input, *sizes, params.n_output]),
        groups=[*layers, output],
        synapses=connections,
        inputs={"input": params.n_input},
        dt_ms=step_ms,
        trial_ms=(params.n_steps + depth + 1) * step_ms,
        max_trials=params.max_trials,
        reset={**start, "output": model.START_OF_READOUT},
        record_spikes=tuple(start),
        record_traces={"output": ("output", "o", step_ms)},
    )


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Place a trained network into the structure; time constants in seconds."""
    arrays = {name: np.asarray(values, np.float64) for name, values in network.arrays.items()}
    seconds, starts_at_zero = params.step_ms / 1000, bool(network.info.get("resets", False))
    values: dict[str, NDArray | float] = {}
    layers: dict[str, ct.Layer] = {}
    source = "input"
    for k in range(len(units(params))):
        group = hidden(k)
        # Neurons that begin at 0 add their input whole, these equations the share 1 - alpha of it.
        gain = 1 / -np.expm1(-np.exp(-arrays[f"log_tau_mem_{k}"])) if starts_at_zero else 1.0
        group_layers = {
            f"s_in_{k}.w": ct.Layer(source, group, gain * arrays[f"w_in_{k}"], "feedforward"),
            f"s_rec_{k}.w": ct.Layer(group, group, gain * arrays[f"w_rec_{k}"], "recurrent"),
        }
        values |= {
            f"{group}.rest": float(params.lif_threshold if starts_at_zero else params.threshold),
            f"{group}.beta": float(network.info["adaptation"]),
            f"{group}.kept": float(not starts_at_zero),
            f"{group}.tau_mem": seconds * np.exp(arrays[f"log_tau_mem_{k}"]),
            f"{group}.tau_adapt": seconds * np.exp(arrays[f"log_tau_adapt_{k}"]),
            f"{group}.bias": gain * arrays[f"bias_{k}"],
            **{key: layer.weights for key, layer in group_layers.items()},
        }
        layers |= group_layers
        source = group
    values |= {
        "output.bias": arrays["b_out"],
        "s_out.w": arrays["w_out"],
        "output.tau_out": seconds * np.exp(arrays["log_tau_out"]),
    }
    layers["s_out.w"] = ct.Layer(source, "output", arrays["w_out"], "readout")
    return ct.Binding(values, layers)


def outputs(params: ct.Params, recording: ct.Recording) -> NDArray[np.float64]:
    """Return the outputs of a recording, (trial, time, class), time as in the input."""
    lag = len(units(params)) + 1
    return recording.traces["output"][:, lag : lag + params.n_steps]


def raster(
    params: ct.Params, recording: ct.Recording, k: int, name: str | None = None
) -> NDArray[np.bool_]:
    """Spikes of layer k (named `name`), (trial, time, neuron), time as in the input."""
    spikes = recording.spikes[name or hidden(k)]
    step = np.rint(spikes.times_ms / params.step_ms).astype(np.int64) - (k + 1)
    return spikes.raster(step, params.n_steps)
