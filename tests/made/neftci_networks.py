"""Small networks of neftci and frames that tell their class, for its tests."""

from dataclasses import replace

import jax
import numpy as np
from made.interpreted import fired, in_brian
from made.project import params_of

from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Network, Stimulus
from whyspiking.datasets.recordings import Recordings
from whyspiking.talks.neftci import initial_weights, learning, model, task

# Compiled as a whole, once: operation by operation each costs as much as all of them.
STEP = jax.jit(model.step, static_argnums=0)
LOCAL = jax.jit(learning.local_gradients, static_argnums=0)
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
    return task.as_spikes(own, digits(own, n, seed), np.arange(n))


def seen(weights, c, frames):
    """Every step's spikes, potentials and traces."""
    state = model.silent(weights, frames.shape[1])
    for now in frames:
        state, *found = STEP(c, weights, state, now)
        yield found


def shown(monkeypatch, own, n_train, n_validation):
    """Have trainings be shown made-up digits."""
    sets = {"train": digits(own, n_train), "validation": digits(own, n_validation, seed=1)}
    monkeypatch.setattr(task, "recordings_of", lambda _, split: sets[split])


def run_in_numpy(built, values, frames, arrays=None, after=None):
    """Spikes of all populations in one trial, (time, neuron), by Brian2's runtime mode.

    Args:
        built: The model.
        values: Its numbers.
        frames: Input spikes, (time, input).
        arrays: Values of tables by name, for one trial.
        after: Filled with the values at the end, by the names in `values`.
    """
    (name,) = built.inputs
    spikes = Spikes.from_raster(np.asarray(frames)[None] > 0, built.dt_ms)
    parts = in_brian(built, Stimulus({name: spikes}, arrays or {}), values, 1)
    if after is not None:
        places = {key: key.split(".") for key in values}
        after |= {k: np.array(getattr(parts["objects"][o], v)) for k, (o, v) in places.items()}
    return {
        layer: fired(monitor, built.dt_ms, len(frames), len(parts["objects"][layer]))
        for layer, monitor in parts["spike_monitors"].items()
    }
