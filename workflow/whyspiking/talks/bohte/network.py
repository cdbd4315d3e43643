"""Networks of any of the cells in JAX: where they start, forward pass (README, sections 2 to 5).

A network is a flat mapping of arrays; those of hidden layer k end in its number:
`w_in_k` (pre, unit), `w_rec_k` (unit, unit), `bias_k` (unit,), and for spiking layers
`log_tau_mem_k`, `log_tau_adapt_k` (unit,), time constants as logarithms of steps; the readout has
`w_out` (unit, class), `b_out` (class,), `log_tau_out` (class,).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.talks.bohte import control_units, learning, model, plain_neuron
from whyspiking.talks.bohte.model import decay, units
from whyspiking.talks.bohte.task import raster
from whyspiking.training import surrogates
from whyspiking.training.products import product

type Arrays = Any

ADAPTIVE = ("alif", "alif_fixed")
FIXED = ("alif_fixed", "lif_fixed", "lif_published")
"""Cells whose time constants are not learned."""
RESETTING = "lif_published"
"""The cell whose neurons begin at 0 after a spike (README, Eq. 20)."""
SPIKING = (*ADAPTIVE, "lif", "lif_fixed", RESETTING)
"""All others are controls: "gru", "rnn" (tanh units), "traces", "linear"."""
INSTANT = ("traces", "linear")
"""Cells whose outputs are no leaky integrators."""
TIME_CONSTANTS = ("log_tau_mem", "log_tau_adapt", "log_tau_out")
SURROGATES = {"triangle": surrogates.triangle, "multi_gaussian": surrogates.multi_gaussian}
"""Parameter `surrogate` -> the stand-in for the derivative of a spike."""
CHUNK = 256
"""Trials evaluated at once."""
_COMPILED: dict[str, Any] = {}


def adaptation(params: ct.Params, cell: str) -> float:
    """Return the strength of a cell's adaptation; 0 without adaptation."""
    return float(params.adaptation) if cell in ADAPTIVE else 0.0


def neuron(params: ct.Params, cell: str) -> model.Neuron:
    """Return the constants of the neurons of a cell."""
    surrogate = SURROGATES[params.surrogate]()
    if cell == RESETTING:
        limit = float(params.lif_gradient_limit)
        return model.Neuron(float(params.lif_threshold), surrogate, limit)
    return model.Neuron(float(params.threshold), surrogate)


def initial(params: ct.Params, cell: str, rng: Generator) -> dict[str, NDArray[np.float32]]:
    """Xavier input and output weights, orthogonal recurrent ones, zero biases (Yin et al.).

    Args:
        params: Sizes and initial time constants.
        cell: Which cell.
        rng: Source of the weights.
    """
    n_inputs = params.n_input * (len(params.trace_taus) if cell == "traces" else 1)
    sizes = [n_inputs, *([] if cell == "linear" else units(params))]
    n_blocks = 3 if cell == "gru" else 1  # two gates and a candidate
    arrays: dict[str, NDArray] = {}
    for k in range(len(sizes) - 1):
        n_in, n = sizes[k], sizes[k + 1]
        arrays[f"w_in_{k}"] = np.hstack([_draw_xavier(n_in, n, rng) for _ in range(n_blocks)])
        if cell != "traces":
            arrays[f"w_rec_{k}"] = np.hstack([_draw_orthogonal(n, rng) for _ in range(n_blocks)])
        arrays[f"bias_{k}"] = np.zeros(n_blocks * n)
        if cell == "gru":
            arrays[f"bias_rec_{k}"] = np.zeros(n_blocks * n)
        if cell in SPIKING:
            tau, tau_sd = float(params.tau_mem), float(params.spread_tau_mem)
            if cell == RESETTING:
                tau, tau_sd = -1 / np.log(params.lif_decay), 0.0
            arrays[f"log_tau_mem_{k}"] = _draw_log_taus(tau, tau_sd, n, rng)
            arrays[f"log_tau_adapt_{k}"] = _draw_log_taus(
                params.tau_adapt, params.spread_tau_adapt, n, rng
            )
    arrays["w_out"] = _draw_xavier(sizes[-1], params.n_output, rng)
    arrays["b_out"] = np.zeros(params.n_output)
    if cell not in INSTANT:
        arrays["log_tau_out"] = _draw_log_taus(
            params.tau_out, params.spread_tau_out, params.n_output, rng
        )
    return {name: values.astype(np.float32) for name, values in arrays.items()}


def rates(params: ct.Params, cell: str) -> dict[str, float]:
    """List factors on the learning rate: time constants have their own, or 0."""
    layers = range(len(units(params)))
    names = [f"{name}_{k}" for name in TIME_CONSTANTS[:2] for k in layers]
    factors = dict.fromkeys(
        [*names, "log_tau_out"], 0.0 if cell in FIXED else float(params.tau_rate)
    )
    if cell == RESETTING:
        # Their readout learns its own, as that of all controls: theirs is as fast as the neurons.
        factors["log_tau_out"] = float(params.tau_rate)
    return factors


def within(params: ct.Params, arrays: Arrays) -> Arrays:
    """Keep time constants between one step and `tau_max`, of the readout `tau_out_max` if given."""
    longest = {"log_tau_out": params.values.get("tau_out_max", params.tau_max)}
    return {
        name: jnp.clip(values, 0.0, np.log(longest.get(name, params.tau_max)))
        if name.startswith(TIME_CONSTANTS)
        else values
        for name, values in arrays.items()
    }


def forward(
    params: ct.Params,
    cell: str,
    arrays: Arrays,
    x: Any,
    strength: Any = None,
) -> tuple[Any, list[Any]]:
    """Run a network on whole trials.

    Args:
        params: Constants.
        cell: Which cell.
        arrays: The network.
        x: Input, (time, trial, channel).
        strength: Of the adaptation, where it is a number only at run time.

    Returns:
        Outputs (time, trial, class), and spikes (time, trial, neuron) of every spiking layer.
    """
    spikes_by_layer = []
    if cell == "traces":
        x = control_units.traces(x, jnp.exp(-1 / jnp.asarray(params.trace_taus, x.dtype)))
    for k in range(0 if cell == "linear" else len(units(params))):
        if cell in SPIKING:
            x = _compute_layer_spikes(params, cell, arrays, x, k, strength)
            spikes_by_layer.append(x)
            continue
        drive = product(x, arrays[f"w_in_{k}"]) + arrays[f"bias_{k}"]
        if cell == "gru":
            x = control_units.gated(drive, arrays[f"w_rec_{k}"], arrays[f"bias_rec_{k}"])
        elif cell == "rnn":
            x = control_units.tanh_units(drive, arrays[f"w_rec_{k}"])
        else:
            x = jax.nn.relu(drive)
    outputs = product(x, arrays["w_out"]) + arrays["b_out"]
    if cell not in INSTANT:
        outputs = model.leaky(outputs, decay(arrays["log_tau_out"]))
    return outputs, spikes_by_layer


def _compute_layer_spikes(
    params: ct.Params,
    cell: str,
    arrays: Arrays,
    x: Any,
    k: int,
    strength: Any = None,
) -> Any:
    """Compute the spikes of layer k."""
    drive = product(x, arrays[f"w_in_{k}"]) + arrays[f"bias_{k}"]
    beta = jnp.asarray(adaptation(params, cell) if strength is None else strength, drive.dtype)
    alpha, rho = (decay(arrays[f"{name}_{k}"]) for name in TIME_CONSTANTS[:2])
    constants, w_rec = neuron(params, cell), arrays[f"w_rec_{k}"]
    if cell == RESETTING:
        return plain_neuron.spikes(constants, drive, w_rec, alpha)
    return learning.spikes(constants, beta, drive, w_rec, alpha, rho)


def outputs(
    params: ct.Params, cell: str, arrays: Arrays, x: NDArray, dtype: Any = np.float32
) -> NDArray:
    """Outputs for any number of trials, (trial, time, class).

    Args:
        params: Constants.
        cell: Which cell.
        arrays: The network.
        x: (trial, time, channel).
        dtype: Precision; double precision needs JAX's x64 mode.
    """
    run = _compile_forward(params, cell)
    jax_arrays = {name: jnp.asarray(values, dtype) for name, values in arrays.items()}
    batches = [
        np.asarray(run(jax_arrays, jnp.asarray(x[k : k + CHUNK].swapaxes(0, 1), dtype)))
        for k in range(0, len(x), CHUNK)
    ]
    return np.concatenate(batches, axis=1).swapaxes(0, 1)


def outputs_of(params: ct.Params, trained: ct.Network, task: ct.Task) -> NDArray:
    """Outputs of a trained network for the trials of a task, (trial, time, class)."""
    return outputs(params, trained.info["cell"], trained.arrays, raster(params, task))


def reference_counts(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> Mapping[str, NDArray]:
    """Spikes of every neuron in the engine of training, (trial, neuron) by layer."""
    spikes_by_layer = spikes(params, network.info["cell"], network.arrays, raster(params, task))
    return {model.hidden(k): layer.sum(axis=1) for k, layer in enumerate(spikes_by_layer)}


def spikes(
    params: ct.Params, cell: str, arrays: Arrays, x: NDArray, dtype: Any = np.float32
) -> list[NDArray[np.bool_]]:
    """Spikes of every layer, each (trial, time, neuron); arguments as for `outputs`."""
    jax_arrays = {name: jnp.asarray(values, dtype) for name, values in arrays.items()}
    spikes_by_layer = forward(params, cell, jax_arrays, jnp.asarray(x.swapaxes(0, 1), dtype))[1]
    return [np.asarray(layer).swapaxes(0, 1) > 0 for layer in spikes_by_layer]


def _compile_forward(params: ct.Params, cell: str) -> Any:
    """Compile the forward pass, once per process for equal parameters."""
    key = f"{cell} {sorted(params.values.items())}"
    if key not in _COMPILED:
        _COMPILED[key] = jax.jit(lambda arrays, x: forward(params, cell, arrays, x)[0])
    return _COMPILED[key]


def _draw_xavier(n_in: int, n_out: int, rng: Generator) -> NDArray:
    limit = np.sqrt(6 / (n_in + n_out))
    return rng.uniform(-limit, limit, (n_in, n_out))


def _draw_orthogonal(n: int, rng: Generator) -> NDArray:
    q, r = np.linalg.qr(rng.standard_normal((n, n)))
    return q * np.sign(np.diag(r))


def _draw_log_taus(mean: float, sd: float, n: int, rng: Generator) -> NDArray:
    return np.log(np.maximum(mean + sd * rng.standard_normal(n), 1.0))
