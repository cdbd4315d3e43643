"""Arrays for the figures, from the spiking network with the lowest seed.

Keys (experiment nmnist), all made of a validation digit that is rightly decided:

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

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.contract.trial_subsets import of_variant
from whyspiking.talks.neftci import brian_network, model, task

EXPERIMENT = "nmnist"
N_TRIED = 20


def exhibits(
    params: ct.Params, networks: ct.Networks, simulate: ct.Simulate, streams: Streams
) -> dict[str, NDArray]:
    """All arrays of one experiment; see the module's description."""
    trained = of_variant(networks)
    if params.experiment != EXPERIMENT or not trained:
        return {}
    data = task.recordings_of(params, "validation")
    indices = np.arange(min(N_TRIED, len(data.labels)))
    digits = task.as_spikes(params, data, indices)
    recording = simulate(trained[min(trained)], digits)
    correct_digits = np.flatnonzero(
        brian_network.decode(params, recording, digits).choices == digits.targets
    )
    if not correct_digits.size:
        return {}
    i_digit = int(correct_digits[0])
    events = digits.stimulus.spikes[task.INPUT].select_trials([i_digit])
    side = task.grid(params).side
    polarity, square = np.divmod(events.units, side**2)
    arrays = {
        "digit.input_t_ms": events.times_ms,
        "digit.input_x": (square % side).astype(np.int16),
        "digit.input_y": (square // side).astype(np.int16),
        "digit.input_on": polarity.astype(np.int8),
        "digit.target": np.array(digits.targets[i_digit]),
        "digit.dt_ms": np.array(float(params.dt_ms)),
    }
    for index, name in enumerate(model.names(params), start=1):
        spikes = recording.spikes[name].select_trials([i_digit])
        arrays[f"digit.layer{index}_t_ms"] = spikes.times_ms
        arrays[f"digit.layer{index}_unit"] = spikes.units
        arrays[f"digit.readout{index}"] = recording.traces[f"readout{index}"][i_digit]
    return arrays
