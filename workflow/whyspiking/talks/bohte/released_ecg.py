"""The network that the authors released with the talk's paper, read from a folder of the user's.

36 plain hidden neurons, and six adaptive spiking ones whose membranes label the step (README,
section 12). The file holds the arrays of `model_0.853338_36_New.pth` (byin-cwi/SRNN-ICONs2020).
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import (
    Binding,
    Labels,
    Layer,
    Network,
    Params,
    Parents,
    Progress,
    Task,
)
from whyspiking.datasets import released
from whyspiking.errors import UserError
from whyspiking.talks.bohte import brian_network
from whyspiking.talks.bohte import task as tasks
from whyspiking.talks.bohte.ecg import decode, make_task
from whyspiking.training import gradient

__all__ = [
    "bind", "decode", "evaluate", "make_task", "reference_counts", "to_brian", "train",
]  # fmt: skip

FILE = "icons_ecg.npz"
DIGEST = "c7a38926b19d5c2ef79b715a1f4e4f21d2024f5a837bdfb5f3f50940d3b9110f"
OUTPUT = "output"
START = 0.5
"""Hidden membranes before the first step, the mean of the published start, uniform in [0, 1]."""
HIDDEN = brian_network.hidden(0)


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Read the released network in `originals_dir`; nothing is trained.

    Returns:
        The network; without its file, or the authors' records, one without arrays whose
        `info["unavailable"]` says why.

    Raises:
        UserError: If the file is not the released one, or its content does not fit.
    """
    facts = {"engine": gradient.ENGINE, "provenance": "original"}
    try:
        raw = released_ecg.read(params.originals_dir, FILE, DIGEST)
        if tasks.provenance(params) != "original":
            raise released_ecg.Unavailable(
                "file not available: QTDB_train.mat and QTDB_test.mat are not in data.originals_dir"
            )
    except released_ecg.Unavailable as reason:
        return Network({}, {**facts, "unavailable": str(reason)})
    with np.load(io.BytesIO(raw), allow_pickle=False) as saved:
        return Network(parse(dict(saved), params), facts)


def parse(saved: Mapping[str, NDArray], params: Params) -> dict[str, NDArray]:
    """Arrays of a network from those of the authors' model, weights as (pre, post).

    Args:
        saved: Names of PyTorch -> array.
        params: Sizes, and the time constant of all membranes, which the file does not hold.

    Raises:
        UserError: If an array is missing or has another shape.
    """
    (n,), m, k = params.n_hidden, params.n_input, params.n_output
    shapes = {
        "i2h.weight": (n, m), "i2h.bias": (n,), "h2h.weight": (n, n), "h2h.bias": (n,),
        "h2o.weight": (k, n), "h2o.bias": (k,), "tau_adp_h": (n,), "tau_adp_o": (k,),
    }  # fmt: skip
    for name, shape in shapes.items():
        found = np.shape(saved.get(name, ()))
        if found != shape:
            raise UserError(f"{FILE}: array '{name}' has shape {found}; expected {shape}")
    at = {name: np.asarray(saved[name], np.float64) for name in shapes}
    return {
        "w_in_0": at["i2h.weight"].T.copy(),
        "w_rec_0": at["h2h.weight"].T.copy(),
        "bias_0": at["i2h.bias"] + at["h2h.bias"],
        "tau_mem_0": np.full(n, float(params.tau_mem)),
        "tau_adapt_0": at["tau_adp_h"],
        "w_out": at["h2o.weight"].T.copy(),
        "b_out": at["h2o.bias"],
        "tau_mem_out": np.full(k, float(params.tau_mem)),
        "tau_adapt_out": at["tau_adp_o"],
    }


def courses(params: Params, arrays: Mapping[str, NDArray], x: NDArray) -> tuple[Any, Any]:
    """What hidden and output neurons did, as `model.Course` of arrays (time, trial, neuron).

    Args:
        params: Threshold and strength of the adaptation, which hidden neurons do not have.
        arrays: The network.
        x: (trial, time, channel); its precision is that of the result where JAX allows it.
    """
    import jax.numpy as jnp

    from whyspiking.talks.bohte import model, network

    own = {name: jnp.asarray(values, x.dtype) for name, values in arrays.items()}
    neuron = network.neuron(params, "lif")

    def layer(beta: float, drive: Any, w_rec: Any, name: str) -> Any:
        kept = (jnp.exp(-1 / own[f"tau_{kind}_{name}"]) for kind in ("mem", "adapt"))
        alpha, rho = kept
        return model.course(neuron, jnp.asarray(beta, x.dtype), drive, w_rec, alpha, rho)

    drive = jnp.asarray(x.swapaxes(0, 1)) @ own["w_in_0"] + own["bias_0"]
    # A membrane that is at START before it leaks is one at 0 with so much more input.
    drive = drive.at[0].add(START / jnp.expm1(1 / own["tau_mem_0"]))
    hidden = layer(0.0, drive, own["w_rec_0"], "0")
    drive = hidden.spikes @ own["w_out"] + own["b_out"]
    output = layer(params.adaptation, drive, jnp.zeros((params.n_output,) * 2, x.dtype), "out")
    return hidden, output


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Labels:
    """Label the records in JAX: the largest membrane of the output neurons."""
    x = tasks.raster(params, task).astype(np.float32)
    membranes = np.asarray(courses(params, network.arrays, x)[1].u).swapaxes(0, 1)
    return tasks.outcome(params, membranes, task)


def reference_counts(
    params: Params, variant: str, network: Network, task: Task
) -> Mapping[str, NDArray]:
    """Spikes of every hidden neuron in JAX, (trial, neuron)."""
    x = tasks.raster(params, task).astype(np.float32)
    return {HIDDEN: np.asarray(courses(params, network.arrays, x)[0].spikes).sum(axis=0)}


def to_brian(params: Params) -> BrianModel:
    """The structure; output neurons tell their membrane before they are reset."""
    (n,), k = params.n_hidden, params.n_output
    told, kick = "told = u", f"current += {START} / (exp(dt / tau_mem) - 1) * int(age == 1)"

    def construct(inputs: Mapping[str, Any]) -> list[Any]:
        hidden = brian_network.neurons(n, HIDDEN, 1)
        # After what comes in has been cleared.
        hidden.run_regularly(kick, when="after_groups", order=1, name=f"{HIDDEN}_kick")
        output = brian_network.neurons(k, OUTPUT, 2, more="told : 1")
        output.run_regularly(told, when="after_groups", name="output_tell")
        return [
            hidden, output,
            brian_network.synapses(inputs["input"], hidden, "s_in_0"),
            brian_network.synapses(hidden, hidden, "s_rec_0"),
            brian_network.synapses(hidden, output, "s_out"),
        ]  # fmt: skip

    step_ms = float(params.step_ms)
    return BrianModel(
        name=f"bohte-released-{params.n_input}-{n}-{k}",
        definition={
            "equations": [*brian_network.EQUATIONS, told, kick],
            "sizes": [params.n_input, n, k],
        },
        construct=construct,
        inputs={"input": params.n_input},
        dt_ms=step_ms,
        trial_ms=(params.n_steps + 2) * step_ms,
        max_trials=params.max_trials,
        reset={HIDDEN: brian_network.start_of(1), OUTPUT: brian_network.start_of(2)},
        record_spikes=(HIDDEN,),
        record_traces={OUTPUT: (OUTPUT, "told", step_ms)},
    )


def bind(params: Params, network: Network) -> Binding:
    """Place the network into the structure; time constants in seconds."""
    at, seconds = network.arrays, params.step_ms / 1000
    values: dict[str, NDArray | float] = {}
    for group, name, beta in ((HIDDEN, "0", 0.0), (OUTPUT, "out", float(params.adaptation))):
        values |= {
            f"{group}.rest": float(params.threshold),
            f"{group}.beta": beta,
            f"{group}.kept": 1.0,
            f"{group}.tau_mem": seconds * at[f"tau_mem_{name}"],
            f"{group}.tau_adapt": seconds * at[f"tau_adapt_{name}"],
        }
    values |= {f"{HIDDEN}.bias": at["bias_0"], f"{OUTPUT}.bias": at["b_out"]}
    layers = {
        "s_in_0.w": Layer("input", HIDDEN, at["w_in_0"], "feedforward"),
        "s_rec_0.w": Layer(HIDDEN, HIDDEN, at["w_rec_0"], "recurrent"),
        "s_out.w": Layer(HIDDEN, OUTPUT, at["w_out"], "readout"),
    }
    return Binding({**values, **{key: layer.weights for key, layer in layers.items()}}, layers)
