"""The trained reservoirs as Brian2 compiles them: one structure for all of equal size and duration.

Wiring, weights and neuron parameters are exchanged between runs. Equations: `model.py`.
"""

from __future__ import annotations

from numpy.typing import NDArray

from whyspiking.contract import brian_model as bm
from whyspiking.contract.types import Binding, Layer, Network, Params
from whyspiking.talks.clopath.force import brian_network as force
from whyspiking.talks.clopath.force import model, reservoir

SILENCE = {"hidden.bias": force.SILENT_BIAS, "w_in.w": 0.0}
"""Inputs of a tuned network bring in nearly as much current as the bias takes away."""


def to_brian(params: Params) -> bm.BrianModel:
    """Inputs, neurons and readout (Eqs. 1-3, 7 and 24)."""
    layer_sizes = [params.n_input, params.n_hidden, params.n_output]
    to_hidden, to_output = "h_post += w", "h_z_post += w"
    return bm.BrianModel(
        name=f"clopath-reservoir-{'-'.join(map(str, layer_sizes))}",
        groups=[
            force.population(params, "hidden", params.n_hidden, "drive : 1\n"),
            force.readout("output", params.n_output, decay="tau_read"),
        ],
        synapses=[
            force.wired("w_in", "input", "hidden", on_pre=to_hidden),
            force.wired("omega", "hidden", "hidden", on_pre=to_hidden),
            force.wired("phi", "hidden", "output", on_pre=to_output),
            force.wired("replayed", "replay", "output", on_pre=to_output),
        ],
        inputs={"input": params.n_input, "replay": params.n_hidden},
        dt_ms=params.dt_ms,
        trial_ms=reservoir.answer_ms(params)[1],
        max_trials=params.trials_per_run,
        constants={**force.fixed(params), "tau_read": params.tau_read},
        reset={"hidden": "v = v_start; u = 0; current = 0; h = 0", "output": "z = 0; h_z = 0"},
        record_spikes=("hidden",),
        record_traces={"output": ("output", "z", params.rls_ms)},
        replay={"hidden": bm.Replay("replay", SILENCE)},
    )


def bind(params: Params, network: Network) -> Binding:
    """Wiring, weights and neuron parameters of a trained network."""
    arrays = network.arrays
    jump = 1.0 / (params.tau_r * params.tau_d)
    omega, w_in = model.static_weights(arrays) * jump, arrays["w_in"] * jump
    phi = arrays["phi"] / (params.tau_r * params.tau_read)
    values: dict[str, NDArray | float] = {
        f"hidden.{name}": float(getattr(params, name)) for name in model.NEURON.exchanged
    }
    values["hidden.v_start"] = arrays["v_start"]
    values |= force.connection("w_in", w_in) | force.connection("omega", omega, present=True)
    values |= force.connection("phi", phi) | force.connection("replayed", phi)
    return Binding(
        values=values,
        layers={
            "w_in.w": Layer("input", "hidden", w_in, "feedforward"),
            "omega.w": Layer("hidden", "hidden", omega, "recurrent"),
            "phi.w": Layer("hidden", "output", phi, "readout"),
        },
    )
