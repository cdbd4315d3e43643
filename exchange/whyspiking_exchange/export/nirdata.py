"""Input spikes of samples as NIRData, which the package nir has read since 1.0.8: `nir.read_data`.

A spike of step k lies in its middle, (k + 1/2) dt, so that `to_time_gridded(dt)` puts it there.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from whyspiking.errors import UserError
from whyspiking.records import array_files, whole_files
from whyspiking_exchange.export.networks import EVENTS

LARGEST = 1e10
"""Trials times steps times channels."""
NEEDED = (*EVENTS, "shape", "step_ms")


def write(samples: Path) -> Path:
    """Write the events of node "input", times in s, beside samples of `networks.samples`.

    Returns:
        The file, .h5.

    Raises:
        UserError: If the file is damaged or holds no samples.
    """
    found = array_files.load_arrays(samples)
    if lacking := [key for key in NEEDED if key not in found]:
        raise UserError(
            f"{samples}: {', '.join(lacking)} is missing; expected samples of a network; name "
            "an .npz of results/reference/networks, or one that `nir --samples` wrote"
        )
    shape, events = found["shape"], [found[key] for key in EVENTS]
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
    trials, steps, channels = (found[key].astype(np.int64) for key in EVENTS)
    n_trials, n_steps, n_channels = map(int, found["shape"])
    dt = float(found["step_ms"]) * 1e-3
    counts = np.bincount(trials, minlength=n_trials)
    # Spikes are sorted by trial: the place of each within its own.
    at = np.arange(len(trials)) - np.repeat(np.cumsum(counts) - counts, counts)
    idx = np.full((n_trials, counts.max(initial=0)), -1)
    time = np.full(idx.shape, np.inf)
    idx[trials, at], time[trials, at] = channels, (steps + 0.5) * dt
    to = samples.with_suffix(".h5")
    with whole_files.replacing(to) as partial, h5py.File(partial, "w") as file:
        file.attrs["__type__"] = "NIRGraphData"
        node = file.create_group("nodes/input")
        node.attrs["__type__"] = "NIRNodeData"
        events = node.create_group("observables/spikes")
        # A little later than the last step ends: readers round the number of steps down.
        told = {"n_neurons": n_channels, "t_max": n_steps * dt * (1 + 1e-9)}
        events.attrs.update({"__type__": "EventData", **told})
        events.create_dataset("idx", data=idx, compression="gzip")
        events.create_dataset("time", data=time, compression="gzip")
    return to
