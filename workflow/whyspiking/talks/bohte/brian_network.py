"""The same networks in Brian2 (README, section 6).

The published update is the exact solution of linear equations over one step, so Brian2 integrates
them exactly. Spikes of step t reach their targets at the end of Brian2's step t and move them in
the step after it: layer k lags k + 1 steps behind the input, the readout one more. Until then a
layer rests: its bias waits as well, and the decay of its adaptation is made up for at the start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.types import Binding, Layer, Network, Params, Recording

NEURON = """
du/dt = (current - u) / tau_mem : 1
deta/dt = -eta / tau_adapt : 1
current : 1
age : integer
bias : 1 (constant)
rest : 1 (constant)
beta : 1 (constant)
kept : 1 (constant)
tau_mem : second (constant)
tau_adapt : second (constant)
"""
THRESHOLD = "u > rest + beta * eta"
# What the reference subtracts in the next step, before the decay of that step; `kept` is 0 in
# neurons that begin at 0 again, else 1.
RESET = """
eta += exp(dt / tau_adapt) - 1
u = kept * (u - (rest + beta * exp(-dt / tau_adapt) * eta) * exp(dt / tau_mem))
"""
READOUT = """
do/dt = (current - o) / tau_out : 1
current : 1
age : integer
bias : 1 (constant)
tau_out : second (constant)
"""
ON_SPIKE = "current_post += w"


EQUATIONS = (NEURON, THRESHOLD, RESET, ON_SPIKE)


def clear(lag: int) -> str:
    """Statements after every step: what comes in until the next one, from step `lag` on."""
    return f"age += 1\ncurrent = bias * int(age >= {lag})"


def start_of(lag: int) -> str:
    """Statements that bring a layer to its published start after `lag` steps without input."""
    return f"u = 0\neta = rest * exp({lag} * dt / tau_adapt)\ncurrent = 0\nage = 0"


def units(params: Params) -> list[int]:
    """Neurons of every hidden layer; shared tasks have one, and give its number."""
    n = params.n_hidden
    return list(n) if isinstance(n, list) else [n]


def hidden(k: int) -> str:
    """Name of a layer."""
    return f"hidden_{k}"


def neurons(n: int, name: str, lag: int, more: str = "") -> Any:
    """A layer in Brian2.

    Args:
        n: How many neurons.
        name: Of the group.
        lag: Steps behind the input.
        more: Further equations.
    """
    import brian2

    group = brian2.NeuronGroup(
        n, NEURON + more, threshold=THRESHOLD, reset=RESET, method="exact", name=name
    )
    group.tau_mem = group.tau_adapt = 1 * brian2.second
    group.run_regularly(clear(lag), when="after_groups", name=f"{name}_clear")
    return group


def synapses(pre: Any, post: Any, name: str) -> Any:
    """All of one group to all of another in Brian2."""
    import brian2

    made = brian2.Synapses(pre, post, "w : 1", on_pre=ON_SPIKE, name=name)
    made.connect()
    return made


def to_brian(params: Params) -> BrianModel:
    """The structure; weights, biases and time constants are values of each run."""
    sizes = [params.n_input, *units(params)]
    depth = len(units(params))

    def construct(inputs: Mapping[str, Any]) -> list[Any]:
        import brian2

        before, made = inputs["input"], []
        for k in range(depth):
            group = neurons(sizes[k + 1], hidden(k), k + 1)
            made += [group, synapses(before, group, f"s_in_{k}")]
            made += [synapses(group, group, f"s_rec_{k}")]
            before = group
        output = brian2.NeuronGroup(params.n_output, READOUT, method="exact", name="output")
        output.tau_out = 1 * brian2.second
        output.run_regularly(clear(depth + 1), when="after_groups", name="output_clear")
        return [*made, output, synapses(before, output, "s_out")]

    start = {hidden(k): start_of(k + 1) for k in range(depth)}
    start["output"] = "o = 0\ncurrent = 0\nage = 0"
    step_ms = float(params.step_ms)
    return BrianModel(
        name="bohte-" + "-".join(str(size) for size in [*sizes, params.n_output]),
        definition={
            "equations": [NEURON, THRESHOLD, RESET, READOUT, ON_SPIKE, clear(1)],
            "sizes": sizes,
        },
        construct=construct,
        inputs={"input": params.n_input},
        dt_ms=step_ms,
        trial_ms=(params.n_steps + depth + 1) * step_ms,
        max_trials=params.max_trials,
        reset=start,
        record_spikes=tuple(hidden(k) for k in range(depth)),
        record_traces={"output": ("output", "o", step_ms)},
        schedule=("start", "groups", "thresholds", "synapses", "resets", "end"),
    )


@dataclass(frozen=True)
class TimedBinding(Binding):
    """A binding that also knows the time constants before training, by the same keys."""

    start: Mapping[str, NDArray] = field(default_factory=dict)


def bind(params: Params, network: Network) -> TimedBinding:
    """Place a trained network into the structure; time constants in seconds."""
    arrays = {name: np.asarray(values, np.float64) for name, values in network.arrays.items()}
    seconds = params.step_ms / 1000
    values: dict[str, NDArray | float] = {}
    start: dict[str, NDArray] = {}
    layers: dict[str, Layer] = {}

    def taus(key: str, name: str) -> None:
        values[key] = seconds * np.exp(arrays[name])
        start[key] = seconds * np.exp(arrays[f"start_{name}"])

    begins_at_0 = bool(network.info.get("resets", False))
    before = "input"
    for k in range(len(units(params))):
        group = hidden(k)
        values |= {
            f"{group}.rest": float(params.lif_threshold if begins_at_0 else params.threshold),
            f"{group}.beta": float(network.info["adaptation"]),
            f"{group}.kept": float(not begins_at_0),
        }
        taus(f"{group}.tau_mem", f"log_tau_mem_{k}")
        taus(f"{group}.tau_adapt", f"log_tau_adapt_{k}")
        # Such a neuron adds its input whole, these equations the share 1 - alpha of it.
        gain = 1 / -np.expm1(-np.exp(-arrays[f"log_tau_mem_{k}"])) if begins_at_0 else 1.0
        values[f"{group}.bias"] = gain * arrays[f"bias_{k}"]
        w_in, w_rec = gain * arrays[f"w_in_{k}"], gain * arrays[f"w_rec_{k}"]
        values |= {f"s_in_{k}.w": w_in, f"s_rec_{k}.w": w_rec}
        layers[f"s_in_{k}.w"] = Layer(before, group, w_in, "feedforward")
        layers[f"s_rec_{k}.w"] = Layer(group, group, w_rec, "recurrent")
        before = group
    values |= {"output.bias": arrays["b_out"], "s_out.w": arrays["w_out"]}
    taus("output.tau_out", "log_tau_out")
    layers["s_out.w"] = Layer(before, "output", arrays["w_out"], "readout")
    return TimedBinding(values, layers, start)


def outputs(params: Params, recording: Recording) -> NDArray[np.float64]:
    """Outputs of a recording, (trial, time, class), time as in the input."""
    lag = len(units(params)) + 1
    return recording.traces["output"][:, lag : lag + params.n_steps]


def raster(params: Params, recording: Recording, k: int) -> NDArray[np.bool_]:
    """Spikes of a layer, (trial, time, neuron), time as in the input."""
    spikes = recording.spikes[hidden(k)]
    step = np.rint(spikes.times_ms / params.step_ms).astype(np.int64) - (k + 1)
    return spikes.raster(step, params.n_steps)
