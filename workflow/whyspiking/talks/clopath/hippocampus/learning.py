"""FORCE on the inhibitory neurons of the septal network (Eqs. 11-13 and 18-20 of the README)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Params, Progress
from whyspiking.talks.clopath.force import learning, training_record
from whyspiking.talks.clopath.hippocampus import model, task


def train(params: Params, streams: Streams, progress: Progress) -> Network:
    """Train the network from burn-in to test; see `learning.force` and `training_record.trained`.

    Args:
        params: Parameters of the experiment.
        streams: The stream "wiring" is used.
        progress: Called with the fraction done.
    """
    schedule = learning.schedule_of(params, params.dt_ms)
    arrays = model.wire(params, streams)
    learning.start_runtime(params.work_dir, schedule.dt_ms, params.codegen)
    arrays["phi"], outputs, targets = learning.force(
        plant(params, arrays, schedule.end_ms, schedule.dt_ms),
        lambda times: task.supervisor(params, arrays["phases"], times),
        params.n_oscillators,
        schedule,
        params.p_start,
        progress,
    )
    # All oscillators span two dimensions: keep the cosine and the sine (Eq. 20).
    basis = model.reading(arrays["phases"], np.eye(params.n_oscillators))
    return training_record.trained(
        arrays, outputs @ basis, targets @ basis, schedule, learning.ENGINE
    )


def plant(
    params: Params, wiring: dict[str, NDArray], schedule_ms: float, dt_ms: float
) -> learning.Plant:
    """The inhibitory population for training, in Brian2's runtime mode.

    The excitatory neurons of NC19 are silent during training and project to no one, so leaving
    them out changes nothing.

    Args:
        params: Parameters of the experiment.
        wiring: From `model.wire`.
        schedule_ms: Length of the run.
        dt_ms: Step.
    """
    import brian2

    n = params.n_inhibitory
    group = brian2.NeuronGroup(
        n,
        model.LEAKY + model.FILTERED + "drive : 1",
        threshold=model.THRESHOLD,
        reset=f"{model.RESET}; {model.FILTER_RESET}",
        refractory=params.tau_ref * brian2.ms,
        method="euler",
        namespace=model.constants(params) | {"bias": params.bias_inhibitory},
        name="inhibitory",
    )
    group.v = wiring["v_start"][:n]
    static = brian2.Synapses(group, group, "w : 1 (shared)", on_pre="h_post += w", name="static")
    sources = wiring["sources"][:n]
    static.connect(i=sources.ravel(), j=np.repeat(np.arange(n), sources.shape[1]))
    static.w = model.static_weight(params) / (params.tau_r * params.tau_d * 1e-6)
    rates = group.variables["r"].get_value()
    drive = group.variables["drive"].get_value()
    oscillator_index = wiring["oscillator"][:n]
    inhibition = params.septal_weight * task.septum(
        params.theta_septum, dt_ms * np.arange(round(schedule_ms / dt_ms) + 1)
    )
    negative = np.zeros((n, params.n_oscillators))

    def write_drive(_: NDArray, step: int) -> None:
        np.take(rates @ negative, oscillator_index, out=drive)
        np.multiply(drive, params.feedback_weight, out=drive)
        np.add(drive, inhibition[step], out=drive)

    def when_learned(decoders: NDArray) -> None:
        # Dale's law: inhibitory neurons feed back through the negative part of phi only (Eq. 19).
        np.minimum(decoders, 0.0, out=negative)

    return learning.Plant([group, static], rates, write_drive, when_learned)
