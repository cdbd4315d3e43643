"""Inputs and targets of `multiplexing`: two waves of current."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.naud.burst_code.events import standardised
from whyspiking.talks.naud.burst_code.model import SAMPLE_MS


def waves(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Sine waves into the somata of the lower and the dendrites of the upper ensemble.

    The waves begin with the recording. Targets are the two waves at the end of every bin, where the
    published monitor dates its counts, standardised. All trials have the same input: they differ in
    the noise of the simulation.
    """
    if split == "fresh":
        return None
    times = np.arange(0.0, params.trial_ms, SAMPLE_MS)
    currents = _waves(params, times) * (times >= params.relax_ms)[:, None]
    bins = _waves(params, params.relax_ms + bin_ends_ms(params))
    targets = np.broadcast_to(bins, (params.n_trials_max, *bins.shape))
    return ct.Task(
        stimulus=ct.Stimulus(arrays={"waves": currents}),
        targets=standardised(targets),
        n_classes=0,
        dt_ms=params.bin_ms,
    )


def bin_ends_ms(params: ct.Params) -> NDArray[np.float64]:
    """Ends of the bins after the relaxation, (bin,)."""
    recorded = params.trial_ms - params.relax_ms
    return params.bin_ms * np.arange(1, round(recorded / params.bin_ms) + 1)


def _waves(params: ct.Params, times_ms: NDArray) -> NDArray[np.float64]:
    """The two waves at some times, (time, 2)."""
    return np.column_stack([np.sin(2 * np.pi * times_ms / p) for p in periods_ms(params)])


def periods_ms(params: ct.Params) -> tuple[float, float]:
    """Periods of the somatic and the dendritic wave; their ratio is sqrt(5), never in step."""
    return params.period_ms, params.period_ms * float(np.sqrt(5.0))
