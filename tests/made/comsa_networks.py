"""Small networks and random pixel times of comsa, for its tests."""

import numpy as np
from made.project import params_of

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Stimulus, Task
from whyspiking.talks.comsa import learning

SIZES = {"n_input": 12, "n_hidden": 9, "n_output": 3, "n_pulses": 4, "trial_ms": 66.0}


def small(seed=0, **changes):
    """A small network in float64 and random pixel times, some of them silent."""
    own = params_of("comsa", "mnist_slow", **{**SIZES, "hidden_pulses": [1.0, 8.0], **changes})
    arrays = {
        name: values.astype(float)
        for name, values in learning.initial_arrays(own, Streams(seed)).items()
    }
    rng = np.random.default_rng(seed)
    times = np.where(rng.random((20, 12)) < 0.7, rng.random((20, 12)), np.inf)
    return own, arrays, times, rng.integers(0, 3, 20)


def as_task(times, targets, own):
    spikes = Spikes.from_first_spikes(times * own.unit_ms, own.trial_ms)
    return Task(Stimulus(spikes={"input": spikes}), targets, own.n_output)
