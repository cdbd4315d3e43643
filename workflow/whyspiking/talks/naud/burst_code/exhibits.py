"""Arrays for the figures of `multiplexing` and `plasticity`, of the first seed in Brian2."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.naud.burst_code import events, learning, multiplexing, plasticity, task

RASTER_NEURONS = 60


def exhibits(
    params: ct.Params, networks: ct.Networks, simulate: ct.Simulate, streams: Streams
) -> dict[str, NDArray]:
    """Arrays of one experiment."""
    exhibit_functions = {
        "multiplexing": (multiplexing, show_multiplexing),
        "plasticity": (plasticity, show_plasticity),
    }
    experiment, make_exhibit = exhibit_functions[params.experiment]
    seed = min(seed for _, seed in networks)
    test = experiment.make_task(params, "test", Streams(seed))
    assert test is not None
    return make_exhibit(params, test, simulate(networks["spiking", seed], test))


def show_multiplexing(
    params: ct.Params, test: ct.Task, recording: ct.Recording
) -> dict[str, NDArray]:
    """Signals, trials kept, and spikes of a few neurons in the first trial.

    `time_ms` (bin,), `waves` (bin, 2), `events_1` and `probability_2` (trial, bin);
    `raster.spike_ms`, `raster.row` (ensemble 1 below, ensemble 2 above), `raster.burst` (whether
    the spike belongs to a burst), `raster.neurons`.
    """
    spikes = recording.spikes["pyramidal"]
    is_event, is_burst = events.events(spikes, params.burst_window_ms)
    n, n_rows = params.n_pyramidal, min(RASTER_NEURONS, params.n_pyramidal)
    position = spikes.units % n
    is_shown = (spikes.trials == 0) & (position < n_rows) & (spikes.times_ms >= params.relax_ms)
    signals = multiplexing.signals(params, recording)
    return {
        "time_ms": task.bin_ends_ms(params),
        "waves": test.targets[0],
        **{name: signals[name] for name in ("events_1", "probability_2")},
        "raster.spike_ms": spikes.times_ms[is_shown] - params.relax_ms,
        "raster.row": position[is_shown] + n_rows * (spikes.units[is_shown] >= n),
        "raster.burst": (is_burst | ~is_event)[is_shown],
        "raster.neurons": np.array(n_rows),
    }


def show_plasticity(
    params: ct.Params, test: ct.Task, recording: ct.Recording
) -> dict[str, NDArray]:
    """Changes of weight, repetitions kept, and the prediction.

    `burst` (event rate, probability, repetition), `predicted` (event rate, probability).
    """
    predicted = learning.mean_field(params, plasticity.sample_times(params))[-1]
    return {
        "burst": plasticity.total_change(params, recording.traces["weight"][0])["burst"],
        "predicted": predicted.reshape(len(params.event_rates_hz), -1),
        "event_rates_hz": np.asarray(params.event_rates_hz, float),
        "burst_probabilities": np.asarray(params.burst_probabilities, float),
        "p_start": np.array(params.p_start),
    }
