"""Back-propagation through time cut into segments, with a step after each (README, section 11)."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from whyspiking.contract import types as ct
from whyspiking.talks.bohte import learning, model, network
from whyspiking.talks.bohte.model import units

type Arrays = Any


def segments(params: ct.Params) -> int:
    """Into how many segments of `truncation` steps, which divide `n_steps`, a trial is cut."""
    return params.n_steps // params.truncation


def start(params: ct.Params, cell: str) -> Arrays:
    """What a batch of trials starts from: the network at rest, no outputs summed yet."""
    found: dict[str, Any] = {"summed": np.zeros((params.batch, params.n_output), np.float32)}
    if cell == "traces":
        n_traces = params.n_input * len(params.trace_taus)
        return found | {"network": {"x": np.zeros((params.batch, n_traces), np.float32)}}
    inner: dict[str, Any] = {"output": found["summed"]}
    for k, n in enumerate(units(params)):
        rest = jnp.zeros((params.batch, n))
        spiking = cell in network.SPIKING
        inner[f"layer_{k}"] = model.at_rest(network.neuron(params, cell), rest) if spiking else rest
    return found | {"network": inner}


def loss(params: ct.Params, cell: str) -> Any:
    """Cross-entropy of the softmax summed up to the last step of a segment.

    Its gradient is that by the segment alone: the state before it counts as given (Eq. 22).

    Args:
        params: Constants.
        cell: A cell that can go on.

    Returns:
        A loss for `gradient.fit`, which is given `start` as `start_state`.
    """
    length = params.truncation

    def found(arrays: Arrays, batch: Arrays) -> Any:
        at, before = batch["segment"] * length, batch["state"]
        x = jax.lax.dynamic_slice_in_dim(batch["x"], at, length, axis=1)
        x = x.swapaxes(0, 1).astype(jnp.float32)
        outputs, fired, end = network.forward(
            params, cell, arrays, x, batch["adaptation"], before["network"]
        )
        scored = at + jnp.arange(length) >= params.n_unscored
        summed = before["summed"] + (jax.nn.softmax(outputs) * scored[:, None, None]).sum(axis=0)
        value, right = learning.loss_of_class(summed, batch["labels"])
        rate = {"train_rate": sum(s.mean() for s in fired) / len(fired)} if fired else {}
        state = {"network": end, "summed": jax.lax.stop_gradient(summed)}
        return value, {"train_accuracy": right, **rate, "state": state}

    return found
