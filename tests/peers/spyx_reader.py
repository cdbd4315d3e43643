"""Run a .nir file of two layers that fire once in spyx: `python spyx_reader.py NIR IN.npz OUT.npz`.

Needs spyx and nir, nothing of whyspiking. Weights, time constants and neurons are what spyx 1.0.0
makes of the nodes. It reads one chain of nodes, drops a second branch, and never ends where a layer
feeds itself: so it is given one layer at a time, without the synapses by which neurons fire once,
and a neuron that fired is put far below threshold by hand. It ignores w_in and r: thresholds are
divided by what those multiply potentials with. Its neurons fire a step after they cross the
threshold: what inputs send past the hidden layer waits as long, and outputs come two steps late.
"""

import sys
from itertools import pairwise

import jax
import jax.numpy as jnp
import nir
import numpy as np
from spyx.nir import from_nir

FAR_BELOW = -1e12


def chain(graph, names, dt):
    """What spyx makes of nodes that follow each other, one module each; the first has weights."""
    n_out, n_in = graph.nodes[names[0]].weight.shape
    nodes = {"input": nir.Input({"input": np.array([n_in])})}
    nodes |= {name: graph.nodes[name] for name in names}
    nodes["output"] = nir.Output({"output": np.array([n_out])})
    found, _ = from_nir(nir.NIRGraph(nodes, list(pairwise(nodes))), jnp.zeros((1, 1, n_in)), dt=dt)
    return found.layers


def rescale(node, dt):
    """Give a node the threshold of potentials without its w_in and r."""
    if isinstance(node, nir.CubaLIF):
        node.v_threshold = node.v_threshold / (dt / node.tau_syn * node.w_in)
        node.v_threshold = node.v_threshold / (dt / node.tau_mem * node.r)
    elif not np.all(node.r == 1):
        raise ValueError("spyx integrates with r = 1")


def once(neurons, x, state, n):
    """A step of neurons that fire once; potentials come first in their state."""
    spikes, state = neurons(x, state)
    return spikes, state.at[:, :n].set(jnp.where(spikes > 0, FAR_BELOW, state[:, :n]))


def main(file, source, target):
    with np.load(source, allow_pickle=False) as samples:
        x, dt = np.zeros(samples["shape"], np.float32), float(samples["step_ms"]) * 1e-3
        x[tuple(samples[key].astype(int) for key in ("trials", "steps", "channels"))] = 1
    graph = nir.read(file)
    for name in ("hidden", "classes"):
        rescale(graph.nodes[name], dt)
    to_hidden, hidden = chain(graph, ["to_hidden", "hidden"], dt)
    to_classes, classes = chain(graph, ["to_classes", "classes"], dt)
    past = chain(graph, ["direct"], dt)[0] if "direct" in graph.nodes else lambda x: 0.0
    n, n_out = (len(graph.nodes[name].v_threshold) for name in ("hidden", "classes"))

    def step(state, now):
        before, of_hidden, of_classes = state
        spikes, of_hidden = once(hidden, to_hidden(now), of_hidden, n)
        out, of_classes = once(classes, to_classes(spikes) + past(before), of_classes, n_out)
        return (now, of_hidden, of_classes), out

    late = np.pad(x, ((0, 0), (0, 2), (0, 0))).transpose(1, 0, 2)
    start = late[0] * 0, hidden.initial_state(len(x)), classes.initial_state(len(x))
    _, outputs = jax.lax.scan(step, start, late)
    found = np.asarray(outputs[2:], np.uint8).transpose(1, 0, 2)
    np.savez_compressed(target, allow_pickle=False, outputs=found)


if __name__ == "__main__":
    main(*sys.argv[1:])
