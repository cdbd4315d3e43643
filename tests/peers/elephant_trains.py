"""Measures of spike trains by Elephant: `python elephant_trains.py TRAINS.npz OUT.json`.

TRAINS holds one trial: times_ms and units (spike,), duration_ms; bin_ms and longest_lag_ms of the
timescale, count_ms of counts. Needs elephant, nothing of whyspiking. OUT gets a value per neuron,
and the matrix of correlations.
"""

import json
import sys
from pathlib import Path

import neo
import numpy as np
import quantities as pq
from elephant import conversion, spike_train_correlation, statistics


def main(source, target):
    with np.load(source, allow_pickle=False) as file:
        times, units, end = file["times_ms"], file["units"], float(file["duration_ms"])
        width, longest, count = (
            float(file[name]) * pq.ms for name in ("bin_ms", "longest_lag_ms", "count_ms")
        )
    of_unit = [times[units == unit] for unit in range(units.max() + 1)]
    trains = [neo.SpikeTrain(own * pq.ms, t_stop=end * pq.ms) for own in of_unit]
    gaps = [statistics.isi(train).magnitude for train in trains]
    binned = [conversion.BinnedSpikeTrain(train, bin_size=width) for train in trains]
    timescale = spike_train_correlation.spike_train_timescale
    together = conversion.BinnedSpikeTrain(trains, bin_size=count)
    found = {
        "intervals": [gap.size for gap in gaps],
        "rate_hz": [float(statistics.mean_firing_rate(x).rescale("Hz")) for x in trains],
        "cv": [float(statistics.cv(gap)) for gap in gaps],
        "lv": [float(statistics.lv(gap)) for gap in gaps],
        "timescale_ms": [float(timescale(x, longest).rescale("ms")) for x in binned],
        "correlation": spike_train_correlation.correlation_coefficient(together).tolist(),
    }
    Path(target).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
