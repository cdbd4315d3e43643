"""Layers of a graph as a Brian2 model, and their numbers as a binding.

NIR defines neurons in continuous time and leaves steps, the shape of a spike and resets open. Here:

- A step has the length `Steps.step_ms` of the task, and `graph_step_ms` of the time in which the
  file's constants are: snnTorch writes those for steps of 0.1 ms whatever a step meant in training.
- A spike is an input of height 1 that lasts one step, of the input times `Steps.input_scale`.
- `euler`: forward Euler steps, synaptic current before membrane, as Norse and snnTorch take them:
  i += dt/tau_syn (w_in x - i); v += dt/tau_mem (v_leak - v + r i). Integrators without leak add r x
  once a step, whatever the step: so readers do, though NIR has r x dt.
- `Steps.current` says what w_in x does to a synaptic current: "filtered", as NIR defines it and
  above; "jump", it is added whole, i += w_in x - dt/tau_syn i, as Norse's LIFCell has it.
- `exact`: the exact solution for an input that is constant within the step; IF then adds r x dt.
- A neuron fires where v > v_threshold at the end of the step. `Steps.reset` says what follows:
  "value", v = v_reset, as NIR defines it; "subtract", v -= v_threshold; "later", the same at the
  next step, after the leak, as snnTorch does unless told otherwise (which its files do not say).
- Delays, those of a path together, are rounded to whole steps. Synapses of a layer onto itself act
  so much later than in the next step; a bias that comes through a delay flows from then on.
- Trials begin with v = v_leak (0 where there is none) and without current.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import (
    BrianModel,
    Group,
    Quantity,
    Regularly,
    Replay,
    Synapses,
)
from whyspiking.contract.types import Binding, Layer
from whyspiking.errors import UserError
from whyspiking_exchange.nir.layers import INPUT, VALUE, Layers, State
from whyspiking_exchange.nir.layers import Layer as Neurons
from whyspiking_exchange.nir.layers import Synapses as Wires

NEVER = 1e30
"""A threshold that silences."""
MOST_STEPS = 100_000
"""Of a delay."""


@dataclass(frozen=True)
class Steps:
    """What a file leaves open; see the module.

    Attributes:
        step_ms: Length of a step in ms of the task.
        graph_step_ms: The same in ms of the file's time constants.
        solver: How a step is solved.
        reset: What follows a spike.
        input_scale: Height of a spike of the input.
        current: What an input does to a synaptic current.
    """

    step_ms: float
    graph_step_ms: float
    solver: Literal["euler", "exact"] = "euler"
    reset: Literal["value", "subtract", "later"] = "value"
    input_scale: float = 1.0
    current: Literal["filtered", "jump"] = "filtered"


def brian_model(layers: Layers, steps: Steps, trial_ms: float, max_trials: int) -> BrianModel:
    """The structure of a network; spikes of all hidden layers can be replayed.

    Args:
        layers: The network; its numbers do not matter.
        steps: What the file leaves open.
        trial_ms: Length of a trial, a multiple of the step.
        max_trials: Trials per run of the program.
    """
    inputs = {INPUT: layers.n_in, **{again(x.name): x.size for x in layers.hidden}}
    synapses = [
        Synapses(
            key,
            pre,
            s.post,
            on_pre=f"x{s.state}_post += w",
            slots={"pre": ("later" if s.later else f"into_{s.post}", 0)},
            start={} if s.delays is None else {"delay": Quantity(0.0, "ms")},
        )
        for key, pre, s in _connections(layers, steps)
    ]
    slots = [
        f"{what}_{x.name}" for x in layers.layers for what in ("into", "state", "fire", "reset")
    ]
    firing = [x.name for x in layers.layers if x.spiking is not None]
    name, state = layers.output
    return BrianModel(
        name="nir",
        groups=[_group(layer, steps) for layer in layers.layers],
        synapses=synapses,
        inputs=inputs,
        dt_ms=steps.step_ms,
        trial_ms=trial_ms,
        max_trials=max_trials,
        reset={x.name: _reset(x, steps) for x in layers.layers},
        record_spikes=firing,
        record_traces={} if layers.gives_spikes else {"output": (name, f"v{state}", steps.step_ms)},
        replay={
            x.name: Replay(again(x.name), {f"{x.name}.v_threshold": NEVER}) for x in layers.hidden
        },
        schedule=("start", "groups", "thresholds", "synapses", *slots, "later", "resets", "end"),
    )


def binding(layers: Layers, steps: Steps) -> Binding:
    """The numbers of a network in the structure of `brian_model`."""
    values: dict[str, NDArray | float] = {}
    for layer in layers.layers:
        for k, state in enumerate(layer.states):
            for key, found in numbers(state, steps).items():
                values[f"{layer.name}.{_variable(key, k)}"] = found
    counted = {}
    for key, pre, s in _connections(layers, steps):
        post, weights = s.post, s.weights
        values[f"{key}.w"] = weights.ravel()
        if s.delays is not None:
            values[f"{key}.delay"] = late_steps(s.delays, steps).ravel() * steps.step_ms * 1e-3
        if pre in (INPUT, *(x.name for x in layers.layers)):
            kind = "recurrent" if pre == post else "feedforward"
            kind = "readout" if post == layers.output[0] and pre != post else kind
            counted[f"{key}.w"] = Layer(pre, post, weights, kind)
    return Binding(values, counted)


def _variable(key: str, k: int) -> str:
    """Variable in Brian2 of a number of the k-th state; of a layer one state has a threshold."""
    return "v_threshold" if key in ("threshold", "v_threshold") else f"{key}{k}"


def states_of(layers: Layers) -> dict[str, float]:
    """Layer -> state variables per neuron beyond the membrane (synaptic current, ...)."""
    held = {"CubaLIF": 2, "CubaLI": 2, "Threshold": 0, VALUE: 0}
    found = {x.name: sum(held.get(s.kind, 1) for s in x.states) - 1 for x in layers.layers}
    return {name: float(n) for name, n in found.items() if n > 0}


def again(layer: str) -> str:
    """The input that replays the spikes of a layer."""
    return f"{layer}_again"


def _connections(layers: Layers, steps: Steps) -> list[tuple[str, str, Wires]]:
    """Name, source and weights of all synapses, and for replays again."""
    replayed = {x.name for x in layers.hidden}
    connections = []
    for k, s in enumerate(layers.synapses):
        if s.pre == INPUT:
            s = replace(s, weights=s.weights * steps.input_scale)
        connections.append((f"s{k}", s.pre, s))
        if s.pre in replayed:
            connections.append((f"s{k}_again", again(s.pre), s))
    return connections


def late_steps(delays: NDArray[np.float64], steps: Steps) -> NDArray[np.float64]:
    """Delays as whole numbers of steps.

    Raises:
        UserError: If one is so long that keeping what is under way takes all memory.
    """
    late = np.rint(delays * 1e3 / steps.graph_step_ms)
    if late.max() > MOST_STEPS:
        raise UserError(
            f"a Delay is {late.max():g} time steps of {steps.graph_step_ms:g} ms long; expected "
            f"at most {MOST_STEPS} time steps. A NIR file states delays in seconds. If this file "
            "uses another unit, set --graph-step-ms"
        )
    return late


def numbers(state: State, steps: Steps) -> dict[str, NDArray[np.float64]]:
    """What a state has of its own: time constants in ms of the task."""
    stretch = 1e3 * steps.step_ms / steps.graph_step_ms
    own = {
        key: values * stretch if key.startswith("tau") else values
        for key, values in state.parameters.items()
        if key != "v_reset" or steps.reset == "value"
    }
    if steps.current == "jump" and "tau_syn" in own:
        own["w_in"] = own["w_in"] * own["tau_syn"] / steps.step_ms
    if state.onset is not None:
        own["onset"] = late_steps(state.onset, steps)
    return {**own, "bias": state.bias}


# ---- the code of Brian2 -------------------------------------------------------------------------


def _group(layer: Neurons, steps: Steps) -> Group:
    k, name = layer.spiking, layer.name
    update = Regularly(f"{name}_update", _update(layer, steps), when=f"state_{name}")
    described = Group(name, layer.size, _equations(layer, steps), regularly=[update])
    if k is None:
        return described
    after = {
        "value": f"v{k} = v_reset{k}",
        "subtract": f"v{k} -= v_threshold",
        "later": "later = v_threshold",
    }
    resets = layer.states[k].kind != "Threshold"
    return replace(
        described,
        threshold=f"v{k} > v_threshold",
        reset=after[steps.reset] if resets else "",
        slots={"threshold": (f"fire_{name}", 0), "reset": (f"reset_{name}", 0)},
    )


def _equations(layer: Neurons, steps: Steps) -> str:
    """All variables: what is set once, and what a step changes."""
    names = []
    for k, state in enumerate(layer.states):
        names += [_variable(key, k) for key in numbers(state, steps)]
        if state.onset is not None:
            names.append(f"since{k}")
        names += [f"v{k}", f"x{k}"]
        if state.kind.startswith("Cuba"):
            names.append(f"i{k}")
    if steps.reset == "later":
        names.append("later")
    return "".join(f"{name} : 1\n" for name in names)


def _update(layer: Neurons, steps: Steps) -> str:
    lines = []
    for k, state in enumerate(layer.states):
        fed = "".join(f" + v{j}" for j in state.fed_by)
        flows = "" if state.onset is None else f" * int(since{k} >= onset{k})"
        lines.append(f"in{k} = x{k} + bias{k}{flows}{fed}")
        if state.onset is not None:
            lines.append(f"since{k} += 1")
        lines += _step(state.kind, k, steps)
        lines.append(f"x{k} = 0")
        if k == layer.spiking and state.kind != "Threshold" and steps.reset == "later":
            lines += [f"v{k} -= later", "later = 0"]
    return "\n".join(lines)


def _step(kind: str, k: int, steps: Steps) -> list[str]:
    """One step of a state with the input in<k>."""
    dt, exact = repr(steps.step_ms), steps.solver == "exact"
    if kind in ("Threshold", VALUE):
        return [f"v{k} = in{k}"]
    if kind in ("IF", "I"):
        per_step = f"{steps.graph_step_ms * 1e-3!r} * " if exact else ""
        return [f"v{k} += {per_step}r{k} * in{k}"]
    if kind in ("LIF", "LI"):
        share = f"(1 - exp(-{dt} / tau{k}))" if exact else f"{dt} / tau{k}"
        return [f"v{k} += {share} * (v_leak{k} - v{k} + r{k} * in{k})"]
    if not exact:
        return [
            f"i{k} += {dt} / tau_syn{k} * (w_in{k} * in{k} - i{k})",
            f"v{k} += {dt} / tau_mem{k} * (v_leak{k} - v{k} + r{k} * i{k})",
        ]
    # i relaxes to w_in x, v to v_leak + r w_in x; equal time constants are the limit.
    return [
        f"am{k} = exp(-{dt} / tau_mem{k})",
        f"as{k} = exp(-{dt} / tau_syn{k})",
        f"d{k} = tau_syn{k} - tau_mem{k}",
        f"near{k} = int(abs(d{k}) < 1e-6 * tau_mem{k})",
        f"g{k} = near{k} * {dt} / tau_mem{k} * am{k}"
        f" + (1 - near{k}) * (as{k} - am{k}) * tau_syn{k} / (d{k} + near{k})",
        f"to{k} = w_in{k} * in{k}",
        f"v{k} = v_leak{k} + r{k} * to{k} + (v{k} - v_leak{k} - r{k} * to{k}) * am{k}"
        f" + r{k} * (i{k} - to{k}) * g{k}",
        f"i{k} = to{k} + (i{k} - to{k}) * as{k}",
    ]


def _reset(layer: Neurons, steps: Steps) -> str:
    """The start of a trial."""
    lines = ["later = 0"] if steps.reset == "later" else []
    for k, state in enumerate(layer.states):
        leaks = "v_leak" in state.parameters
        lines += [f"v{k} = v_leak{k}" if leaks else f"v{k} = 0", f"x{k} = 0"]
        if state.kind.startswith("Cuba"):
            lines.append(f"i{k} = 0")
        if state.onset is not None:
            lines.append(f"since{k} = 0")
    return "\n".join(lines)
