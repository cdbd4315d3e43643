"""Gradients of first spikes by EventProp in jaxsnn: `python jaxsnn_gradients.py IN.npz OUT.npz`.

IN holds times (sample, input), w_hidden and w_output (pre, post), threshold, tau_ratio = tau_m /
tau_s and targets (sample, output); times in units of tau_s. Needs jaxsnn, nothing of whyspiking.
OUT gets first spikes of both layers and derivatives of the sum of (t - target)^2 by all weights.
"""

import logging
import sys
from itertools import pairwise

import jax

jax.config.update("jax_enable_x64", True)
logging.disable(logging.WARNING)  # that the hardware is missing

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from jaxsnn.event.loss import first_spike  # noqa: E402
from jaxsnn.event.modules import LIF, Linear, Source  # noqa: E402
from jaxsnn.event.modules.lif import LIFParameters  # noqa: E402
from jaxsnn.event.topology import Topology  # noqa: E402
from jaxsnn.event.types import Spike  # noqa: E402

T_MAX = 30.0


def network(given):
    """What runs two layers, differentiated by EventProp: (inputs, weights) -> events.

    Its other method, "analytical", gives nan in jaxsnn 0.3.0 where tau_m = tau_s.
    """
    n_in, n_hidden = given["w_hidden"].shape
    n_out = given["w_output"].shape[1]
    # A reset far below rest: one spike each.
    neuron = LIFParameters(
        tau_syn=1.0, tau_mem=float(given["tau_ratio"]), v_th=float(given["threshold"]), v_reset=-1e3
    )
    parts = {"inp": Source(n_in), "syn1": Linear(), "syn2": Linear()}
    parts["lif1"] = LIF(n_hidden, n_in + n_hidden + 1, neuron)
    parts["lif2"] = LIF(n_out, n_hidden + n_out + 1, neuron)
    topology = Topology(t_max=T_MAX, backprop_method="eventprop")
    topology.add(parts)
    names = ["inp", "syn1", "lif1", "syn2", "lif2"]
    topology.connect(list(pairwise(names)))
    return topology.done()[1]


def main(source, target):
    with np.load(source, allow_pickle=False) as file:
        given = dict(file)
    order = jnp.argsort(given["times"], axis=1)
    times = jnp.take_along_axis(jnp.asarray(given["times"]), order, axis=1)
    spikes = Spike(
        time=times,
        idx=order,
        current=jnp.zeros_like(times),
        layer_idx=jnp.zeros_like(times, dtype=int),
        internal=jnp.ones_like(times, dtype=bool),
    )
    weights = {"syn1": jnp.asarray(given["w_hidden"]), "syn2": jnp.asarray(given["w_output"])}
    run = network(given)

    def loss(weights):
        events = run({"inp": spikes}, weights)
        first = [
            jax.vmap(first_spike, (0, None))(events[layer], given[w].shape[1])
            for layer, w in (("lif1", "w_hidden"), ("lif2", "w_output"))
        ]
        off = jnp.where(jnp.isfinite(first[1]), first[1] - given["targets"], 0.0)
        return jnp.sum(off**2), first

    (_, first), by = jax.value_and_grad(loss, has_aux=True)(weights)
    found = {"hidden": first[0], "output": first[1]}
    found |= {"by_w_hidden": by["syn1"], "by_w_output": by["syn2"]}
    np.savez(target, allow_pickle=False, **{name: np.asarray(x) for name, x in found.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
