"""Arrays for the figures, from the spiking network with the lowest seed.

Keys (experiments nmnist and sparse), all made of a validation digit that is rightly decided:

    digit.input_t_ms, digit.input_x, digit.input_y, digit.input_on (event,)   squares of pixels that
                    are active, with the time of their frame
    digit.target ()
    digit.layer<k>_t_ms, digit.layer<k>_unit (spike,)   spikes of layer k in Brian2
    digit.readout<k> (time, class)      readout of layer k in Brian2
    digit.dt_ms ()
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Networks, Params, Simulate
from whyspiking.talks.neftci import model, task

SHOWN = ("nmnist", "sparse")
N_TRIED = 20


def exhibits(
    params: Params, networks: Networks, simulate: Simulate, streams: Streams
) -> dict[str, NDArray]:
    """All arrays of one experiment; see the module's description.

    Args:
        params: Parameters of the experiment.
        networks: Trained networks by (variant, seed).
        simulate: Runs a network in Brian2.
        streams: Randomness; nothing is drawn here.
    """
    seeds = sorted(seed for variant, seed in networks if variant == "spiking")
    if params.experiment not in SHOWN or not seeds:
        return {}
    data = task.recordings_of(params, "validation")
    tried = np.arange(min(N_TRIED, len(data.labels)))
    shown = task.as_spikes(params, data, tried)
    recording = simulate(networks["spiking", seeds[0]], shown)
    right = np.flatnonzero(model.decode(params, recording, shown).choices == shown.targets)
    if not right.size:
        return {}
    chosen = int(right[0])
    events = shown.stimulus.spikes[task.INPUT].select_trials([chosen])
    side = task.grid(params).side
    polarity, square = np.divmod(events.units, side**2)
    found = {
        "digit.input_t_ms": events.times_ms,
        "digit.input_x": (square % side).astype(np.int16),
        "digit.input_y": (square // side).astype(np.int16),
        "digit.input_on": polarity.astype(np.int8),
        "digit.target": np.array(shown.targets[chosen]),
        "digit.dt_ms": np.array(float(params.dt_ms)),
    }
    for index, name in enumerate(model.names(params), start=1):
        spikes = recording.spikes[name].select_trials([chosen])
        found[f"digit.layer{index}_t_ms"] = spikes.times_ms
        found[f"digit.layer{index}_unit"] = spikes.units
        found[f"digit.readout{index}"] = recording.traces[f"readout{index}"][chosen]
    return found
