"""The network for electrocardiograms that the authors released with the talk's paper (README, 10).

36 plain hidden neurons, and six adaptive spiking ones whose membranes label the step. The file
holds the arrays of `model_0.853338_36_New.pth` (byin-cwi/SRNN-ICONs2020).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import brian_model as bm
from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.datasets.released import File
from whyspiking.talks.bohte import brian_network, model, network, released_layers
from whyspiking.talks.bohte import task as tasks
from whyspiking.talks.bohte.ecg import decode, make_task
from whyspiking.talks.bohte.released_layers import Layer

__all__ = [
    "bind", "decode", "evaluate", "make_task", "reference_counts", "to_brian", "train",
]  # fmt: skip

RELEASED = released_layers.Released(
    File(
        "icons_ecg.npz",
        "c7a38926b19d5c2ef79b715a1f4e4f21d2024f5a837bdfb5f3f50940d3b9110f",
    ),
    (
        Layer("i2h", "h2h", None, "tau_adp_h", "s_in_0", adapts=False),
        Layer("h2o", None, None, "tau_adp_o", "s_out"),
    ),
)
START = 0.5
"""Hidden membranes before the first step, the mean of the published start, uniform in [0, 1]."""
HIDDEN, OUTPUT = released_layers.groups(RELEASED)


def train(
    params: ct.Params,
    variant: str,
    streams: Streams,
    parents: ct.Parents,
    progress: ct.Progress,
) -> ct.Network:
    """Read the released network; without the authors' records it is not available either."""
    tasks.provenance(params)
    return released_layers.network(params, RELEASED, params.n_input)


def courses(
    params: ct.Params, arrays: Mapping[str, NDArray], x: NDArray
) -> tuple[model.Course, model.Course]:
    """Compute the courses of hidden and output neurons, arrays (time, trial, neuron).

    Args:
        params: Threshold and strength of the adaptation, which hidden neurons do not have.
        arrays: The network.
        x: (trial, time, channel); its precision is that of the result where JAX allows it.
    """
    jax_arrays = {name: jnp.asarray(values, x.dtype) for name, values in arrays.items()}
    neuron = network.neuron(params, "lif")

    def layer(k: int, beta: float, drive: Any, w_rec: Any) -> model.Course:
        alpha, rho = (jnp.exp(-1 / jax_arrays[f"tau_{kind}_{k}"]) for kind in ("mem", "adapt"))
        return model.course(neuron, jnp.asarray(beta, x.dtype), drive, w_rec, alpha, rho)

    drive = jnp.asarray(x.swapaxes(0, 1)) @ jax_arrays["w_in_0"] + jax_arrays["bias_0"]
    # A membrane that is at START before it leaks is one at 0 with so much more input.
    drive = drive.at[0].add(START / jnp.expm1(1 / jax_arrays["tau_mem_0"]))
    hidden = layer(0, 0.0, drive, jax_arrays["w_rec_0"])
    drive = hidden.spikes @ jax_arrays["w_in_1"] + jax_arrays["bias_1"]
    no_recurrence = jnp.zeros((params.n_output,) * 2, x.dtype)
    return hidden, layer(1, params.adaptation, drive, no_recurrence)


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Labels:
    """Label the records in JAX: the largest membrane of the output neurons."""
    x = tasks.raster(params, task).astype(np.float32)
    membranes = np.asarray(courses(params, network.arrays, x)[1].u).swapaxes(0, 1)
    return tasks.outcome(params, membranes, task)


def reference_counts(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> Mapping[str, NDArray]:
    """Spikes of every hidden neuron in JAX, (trial, neuron)."""
    x = tasks.raster(params, task).astype(np.float32)
    return {HIDDEN: np.asarray(courses(params, network.arrays, x)[0].spikes).sum(axis=0)}


def to_brian(params: ct.Params) -> bm.BrianModel:
    """The structure; output neurons hand out their membrane before they are reset."""
    (n,), k = params.n_hidden, params.n_output
    # After what comes in has been cleared.
    kick_code = f"current += {START} / (exp(dt / tau_mem) - 1) * int(age == 1)"
    start_kick = bm.Regularly(f"{HIDDEN}_kick", kick_code, "after_groups", order=1)
    membrane_copy = bm.Regularly("output_tell", "told = u", "after_groups")
    return replace(
        released_layers.to_brian(params, RELEASED),
        groups=[
            brian_network.neurons(n, HIDDEN, 1, regularly=[start_kick]),
            brian_network.neurons(k, OUTPUT, 2, "told : 1", [membrane_copy]),
        ],
        record_spikes=(HIDDEN,),
        record_traces={OUTPUT: (OUTPUT, "told", float(params.step_ms))},
    )


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Place the network into the structure."""
    return released_layers.bind(params, network, RELEASED)
