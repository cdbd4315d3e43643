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
