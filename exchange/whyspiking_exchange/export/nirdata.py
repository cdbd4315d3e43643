"""Input spikes of samples as NIRData, which the package nir has read since 1.0.8: `nir.read_data`.

A spike of step k lies in its middle, (k + 1/2) dt, so that `to_time_gridded(dt)` puts it there.
"""

from __future__ import annotations

from pathlib import Path

import nir
import numpy as np

from whyspiking.errors import UserError
from whyspiking.records import array_files, whole_files
from whyspiking_exchange.export.networks import EVENTS

LARGEST = 2e9
"""Trials times steps times channels: bytes of memory."""
NEEDED = (*EVENTS, "shape", "step_ms")


def write(samples: Path) -> Path:
    """Write the events of node "input", times in s, beside samples of `networks.samples`.

    Returns:
        The file, .h5.

    Raises:
        UserError: If the file is damaged or holds no samples.
    """
    arrays = array_files.load_arrays(samples)
    if lacking := [key for key in NEEDED if key not in arrays]:
        raise UserError(
            f"{samples}: {', '.join(lacking)} is missing; expected samples of a network; name "
            "an .npz of results/reference/networks, or one that `nir --samples` wrote"
        )
    shape, events = arrays["shape"], [arrays[key] for key in EVENTS]
    whole = {array.dtype.kind for array in (shape, *events)} <= {"i", "u"}
    if (
        not whole
        or shape.shape != (3,)
        or not 0 < np.prod(shape.astype(float)) <= LARGEST
        or any(at.shape != events[0].shape for at in events)
        or any(((at < 0) | (at >= n)).any() for at, n in zip(events, shape, strict=True))
    ):
        raise UserError(
            f"{samples}: its events do not lie within 'shape' {shape.tolist()!s:.60}; expected "
            f"trials, steps and channels, at most {LARGEST:g} in all; write the samples again"
        )
    raster, dt = np.zeros(shape, bool), float(arrays["step_ms"]) * 1e-3
    raster[tuple(events)] = True
    most = int(raster.sum(axis=(1, 2)).max())
    spikes = nir.TimeGriddedData(raster, dt).to_event(most, time_shift=dt / 2)
    # A little later than the last step ends: readers round the number of steps down.
    spikes.t_max *= 1 + 1e-9
    node = nir.NIRNodeData({"spikes": spikes})
    to = samples.with_suffix(".h5")
    with whole_files.replacing(to) as partial:
        nir.write_data(partial, nir.NIRGraphData({"input": node}))
    return to
