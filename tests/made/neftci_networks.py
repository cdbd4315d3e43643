"""Small networks of neftci and frames that tell their class, for its tests."""

from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import yaml

from whyspiking.contract.types import Network
from whyspiking.datasets.recordings import Recordings
from whyspiking.declared import registry
from whyspiking.talks.neftci import learning, model, network, task

ROOT = Path(__file__).parents[2]
CONFIG = {
    **yaml.safe_load((ROOT / "config" / "config.yaml").read_text()),
    **{"scale": "smoke"},
}


def params(experiment="nmnist", **changes):
    described = registry.load_talk("neftci").experiments[experiment]
    found = registry.params(described, CONFIG)
    small = {"sensor_side": 8, "hidden": [12, 10, 8], "n_frames": 14, "n_classes": 4}
    return replace(found, values={**found.values, **small, **changes})


def digits(own, n, seed=0):
    """Frames in which the class says where events are likely."""
    rng = np.random.default_rng(seed)
    n_in = model.sizes(own)[0]
    labels = np.arange(n) % own.n_classes
    place = np.arange(n_in) * own.n_classes // n_in
    likely = np.where(place == labels[:, None], 0.5, 0.1)
    frames = rng.random((n, own.n_frames, n_in)) < likely[:, None]
    return Recordings(labels, np.packbits(frames, axis=2), n_in, None)


def network_of(own, seed=0, dtype=jnp.float32):
    frames = digits(own, 40).unpacked()
    c = learning.constants(own)
    found = network.initial(
        model.sizes(own), own.n_classes, 0.5, 0.0, frames, c, np.random.default_rng(seed)
    )
    return jax.tree.map(lambda a: a.astype(dtype), found), c


def as_network(weights):
    arrays = {}
    for index, (w, b, g) in enumerate(zip(*weights, strict=True), start=1):
        arrays |= {
            f"w{index}": np.asarray(w),
            f"b{index}": np.asarray(b),
            f"g{index}": np.asarray(g),
        }
    return Network(arrays, {"engine": "jax"})


def task_of(own, n, seed=0):
    data = digits(own, n, seed)
    return task.as_spikes(own, data, np.arange(n))


def seen(weights, c, frames):
    """Every step's spikes, potentials and traces."""
    state = network.silent(weights, frames.shape[1])
    for now in frames:
        state, *found = network.step(c, weights, state, now)
        yield found


def run_in_numpy(built, values, frames, arrays=None, after=None):
    """Spikes of all populations in one trial, (time, neuron), by Brian2's runtime mode.

    Args:
        built: The model.
        values: Its numbers.
        frames: Input spikes, (time, input).
        arrays: Values of timed arrays by name, for one trial.
        after: Filled with the values at the end, by the names in `values`.
    """
    import brian2
    from brian2 import ms

    brian2.set_device("runtime")
    brian2.prefs.codegen.target = "numpy"
    brian2.defaultclock.dt = built.dt_ms * ms
    step, channel = np.nonzero(np.asarray(frames))
    generator = brian2.SpikeGeneratorGroup(
        frames.shape[1], channel, step * built.dt_ms * ms, name="generator"
    )
    made = built.construct(dict.fromkeys(built.inputs, generator))
    named = {item.name: item for item in made}
    for owner in [key[:-2] for key in values if key.endswith(".i")]:
        # Beside the one synapse that stands for exchanged wiring, whose weight stays 0.
        named[owner].connect(i=values[f"{owner}.i"], j=values[f"{owner}.j"])
        if f"{owner}.w" in values:
            values = {**values, f"{owner}.w": np.append(0, values[f"{owner}.w"])}
    values = {key: value for key, value in values.items() if key.rpartition(".")[2] not in "ij"}
    for key, value in values.items():
        owner, _, variable = key.rpartition(".")
        getattr(named[owner], variable + ("_" if variable.startswith("tau") else ""))[:] = np.ravel(
            value
        )
    for owner, code in built.reset.items():
        named[owner].run_regularly(code, dt=built.trial_ms * ms, when="start")
    monitors = {n: brian2.SpikeMonitor(named[n]) for n in built.record_spikes}
    for name, rows in (arrays or {}).items():
        # In place, since the generated code holds the array.
        known = [o.namespace[name] for o in made if name in (getattr(o, "namespace", None) or {})]
        known[0].values[: len(rows)] = rows
        assert all(array is known[0] for array in known)
    net = brian2.Network(generator, *made, *monitors.values())
    net.schedule = list(built.schedule)
    n_steps = frames.shape[0]
    net.run(n_steps * built.dt_ms * ms, namespace={})
    if after is not None:
        after |= {
            key: np.array(getattr(named[key.partition(".")[0]], key.partition(".")[2] + "_")[:])
            for key in values
        }
    found = {}
    for name, monitor in monitors.items():
        raster = np.zeros((n_steps, len(named[name])))
        raster[np.rint(monitor.t / ms / built.dt_ms).astype(int), monitor.i] = 1
        found[name] = raster
    return found
