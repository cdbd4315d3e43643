"""The trained reservoirs as Brian2 compiles them: one structure for all of equal size and duration.

Wiring, weights and neuron parameters are exchanged between runs. Equations: `model.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel, Replay
from whyspiking.contract.types import Binding, Layer, Network, Params
from whyspiking.talks.clopath import model, reservoir
from whyspiking.talks.clopath.frozen import EXCHANGED, SILENT_BIAS

RESET = {
    "hidden": "v = v_start; u = 0; current = 0; h = 0",
    "output": "z = 0; h_z = 0",
}
SILENCE = {"hidden.bias": SILENT_BIAS, "w_in.w": 0.0, "encoders.w": 0.0}
"""Inputs of a tuned network bring in nearly as much current as the bias takes away."""


def to_brian(params: Params) -> BrianModel:
    """Inputs, neurons, readout and its feedback (Eqs. 1-4, 7 and 24)."""
    sizes = [params.n_input, params.n_hidden, params.n_output]
    fixed = {name: getattr(params, name) for name in model.CONSTANTS if name not in EXCHANGED}

    def construct(inputs: Mapping[str, Any]) -> Sequence[Any]:
        import brian2

        names = fixed | {"ms": brian2.ms}
        hidden = brian2.NeuronGroup(
            params.n_hidden,
            model.IZHIKEVICH
            + "".join(f"{name} : 1 (shared)\n" for name in EXCHANGED)
            + "drive : 1\nv_start : 1\n",
            threshold="v >= v_peak",
            reset=model.RESET,
            method="euler",
            namespace=names,
            name="hidden",
        )
        output = brian2.NeuronGroup(
            params.n_output,
            "dz/dt = (h_z - z/tau_r)/ms : 1\ndh_z/dt = -h_z/tau_d/ms : 1",
            method="euler",
            namespace=names,
            name="output",
        )

        def synapses(source: Any, to: Any, name: str, equations: str, **further: Any) -> Any:
            made = brian2.Synapses(source, to, equations, name=name, **further)
            made.connect(i=0, j=0)
            return made

        weight, to_hidden, to_output = "w : 1", "h_post += w", "h_z_post += w"
        fed_back = f"{weight}\ndrive_post = w*z_pre : 1 (summed)"
        return [
            hidden,
            output,
            synapses(inputs["input"], hidden, "w_in", weight, on_pre=to_hidden),
            synapses(hidden, hidden, "omega", weight, on_pre=to_hidden),
            synapses(hidden, output, "phi", weight, on_pre=to_output),
            synapses(inputs["replay"], output, "replayed", weight, on_pre=to_output),
            synapses(output, hidden, "encoders", fed_back),
        ]

    return BrianModel(
        name=f"clopath-reservoir-{'-'.join(map(str, sizes))}",
        definition={
            "sizes": sizes,
            "constants": fixed,
            "equations": [model.IZHIKEVICH, model.RESET, list(EXCHANGED)],
            "revision": 1,
        },
        construct=construct,
        inputs={"input": params.n_input, "replay": params.n_hidden},
        dt_ms=params.dt_ms,
        trial_ms=reservoir.answer_ms(params)[1],
        max_trials=params.trials_per_run,
        reset=RESET,
        record_spikes=("hidden",),
        record_traces={"output": ("output", "z", params.rls_ms)},
        replay={"hidden": Replay("replay", SILENCE)},
    )


def bind(params: Params, network: Network) -> Binding:
    """Wiring, weights and neuron parameters of a trained network."""
    arrays = network.arrays
    jump = 1.0 / (params.tau_r * params.tau_d)
    omega, w_in = reservoir.static_weights(arrays) * jump, arrays["w_in"] * jump
    phi = arrays["phi"] * jump
    values: dict[str, NDArray | float] = {
        f"hidden.{name}": float(getattr(params, name)) for name in EXCHANGED
    }
    values["hidden.v_start"] = arrays["v_start"]
    for name, weights in (
        ("w_in", w_in),
        ("omega", omega),
        ("phi", phi),
        ("replayed", phi),
        ("encoders", arrays["encoders"].T),
    ):
        # Of the random weights only those that there are.
        pre, post = np.nonzero(weights) if name == "omega" else np.indices(weights.shape)
        pre, post = pre.ravel(), post.ravel()
        values |= {f"{name}.i": pre, f"{name}.j": post, f"{name}.w": weights[pre, post]}
    return Binding(
        values=values,
        layers={
            "w_in.w": Layer("input", "hidden", w_in, "feedforward"),
            "omega.w": Layer("hidden", "hidden", omega, "recurrent"),
            "phi.w": Layer("hidden", "output", phi, "readout"),
        },
    )
