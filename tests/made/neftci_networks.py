"""Small networks of neftci and frames that tell their class, for its tests."""

from dataclasses import replace

import numpy as np
from made.project import params_of

from whyspiking.contract.types import Network
from whyspiking.datasets.recordings import Recordings
from whyspiking.talks.neftci import initial_weights, model, task

SMALL = {"sensor_side": 8, "hidden": [12, 10, 8], "n_frames": 14, "n_classes": 4}


def params(experiment="nmnist", **changes):
    return params_of("neftci", experiment, **{**SMALL, **changes})


def digits(own, n, seed=0):
    """Frames in which the class says where events are likely."""
    rng = np.random.default_rng(seed)
    n_in = model.sizes(own)[0]
    labels = np.arange(n) % own.n_classes
    place = np.arange(n_in) * own.n_classes // n_in
    likely = np.where(place == labels[:, None], 0.5, 0.1)
    frames = rng.random((n, own.n_frames, n_in)) < likely[:, None]
    return Recordings(labels, np.packbits(frames, axis=2), n_in, None)


def network_of(own, seed=0):
    """Weights before learning, with readouts of 0.5, and the constants."""
    own = replace(own, values={**own.values, "amplitude": 0.5, "mean_u": 0.0})
    frames, rng = digits(own, 40).unpacked(), np.random.default_rng(seed)
    return initial_weights.initial(own, frames, rng), model.constants(own)


def as_network(weights):
    return Network(model.arrays_of(weights), {"engine": "jax"})


def task_of(own, n, seed=0):
    data = digits(own, n, seed)
    return task.as_spikes(own, data, np.arange(n))


def seen(weights, c, frames):
    """Every step's spikes, potentials and traces."""
    state = model.silent(weights, frames.shape[1])
    for now in frames:
        state, *found = model.step(c, weights, state, now)
        yield found


def run_in_numpy(built, values, frames, arrays=None, after=None):
    """Spikes of all populations in one trial, (time, neuron), by Brian2's runtime mode.

    Args:
        built: The model.
        values: Its numbers.
        frames: Input spikes, (time, input).
        arrays: Values of tables by name, for one trial.
        after: Filled with the values at the end, by the names in `values`.
    """
    import brian2

    from whyspiking.brian import assembling

    brian2.set_device("runtime")
    brian2.prefs.codegen.target = "numpy"
    network, parts = assembling.assemble(built)
    objects = parts["objects"]
    step, channel = np.nonzero(np.asarray(frames))
    (generator,) = parts["inputs"].values()
    generator.set_spikes(channel, step * built.dt_ms * brian2.ms)
    places = {key: key.split(".") for key in values}
    variables = {key: objects[owner].variables[name] for key, (owner, name) in places.items()}
    for key, value in values.items():
        variables[key].get_value()[:] = np.ravel(value)
    for name, rows in (arrays or {}).items():
        # In place, since the generated code holds the array.
        next(iter(objects.values())).namespace[name].values[: len(rows)] = rows
    network.run(len(frames) * built.dt_ms * brian2.ms, namespace={})
    if after is not None:
        after |= {key: np.array(variable.get_value()) for key, variable in variables.items()}
    found = {}
    for name, monitor in parts["spike_monitors"].items():
        found[name] = np.zeros((len(frames), len(objects[name])))
        found[name][np.rint(monitor.t / brian2.ms / built.dt_ms).astype(int), monitor.i] = 1
    return found
