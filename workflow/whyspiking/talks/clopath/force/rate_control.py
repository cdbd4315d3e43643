"""The matched control without spikes: FORCE on a network of tanh rate units.

Same number of units, sparsity, outputs, clock and RLS interval as the spiking network; plain numpy.
Equation 21 of the talk's README.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Params, Progress
from whyspiking.talks.clopath.force import task
from whyspiking.talks.clopath.force.learning import (
    RecursiveLeastSquares,
    Schedule,
    refuse_broken,
)
from whyspiking.talks.clopath.force.task import SAMPLE_MS


def wire(params: Params, n_channels: int, streams: Streams) -> dict[str, NDArray]:
    """Random weights: recurrent (sparse, as lists), encoders and clock encoders uniform in +-1."""
    rng = streams.rng("wiring")
    n = params.n_neurons
    pre, post = np.nonzero(rng.random((n, n)) < params.sparsity)
    scale = params.rate_gain / np.sqrt(params.sparsity * n)
    return {
        "omega_pre": pre.astype(np.int32),
        "omega_post": post.astype(np.int32),
        "omega_w": scale * rng.standard_normal(pre.size),
        "encoders": rng.uniform(-1, 1, (n, n_channels)),
        "clock_encoders": params.rate_clock_gain * rng.uniform(-1, 1, (n, params.clock_components)),
        "x_start": 0.5 * rng.standard_normal(n),
    }


def train(
    params: Params, streams: Streams, schedule: Schedule, progress: Progress
) -> tuple[dict[str, NDArray], NDArray, NDArray]:
    """Burn-in, learning and test in one run (Eq. 21).

    Args:
        params: Parameters of the experiment.
        streams: Randomness; the target is that of the spiking network.
        schedule: Durations; its step must divide 1 ms.
        progress: Called with the fraction done.

    Returns:
        Arrays of the network; output and target every ms, (time, channel).

    Raises:
        UserError: If its numbers are not finite at an update.
    """
    n_channels = task.n_channels(params)
    arrays = wire(params, n_channels, streams)
    n, dt = params.n_neurons, schedule.dt_ms
    advance = stepper(params, arrays, dt)
    rls = RecursiveLeastSquares(n, n_channels, params.rate_p_start)
    learns, sampled = schedule.rls_steps(), schedule.sampled_steps()
    wanted = task.target(params, streams, dt * np.arange(schedule.steps))
    outputs = np.zeros((schedule.steps, n_channels))
    x = arrays["x_start"].copy()
    first_test = round((schedule.burn_in_ms + schedule.train_ms) / dt)
    for step in range(schedule.steps):
        if step == first_test:
            arrays["x_learned"] = x.copy()
        rates = np.tanh(x)
        output = rates @ rls.decoders
        outputs[step] = output
        if learns[step]:
            rls.update(rates, output - wanted[step])
            refuse_broken(rates, output, rls.decoders, step * dt)
        x += advance(step, x, rates, output)
        if step % 1000 == 0:
            progress(step / schedule.steps, f"{step * dt / 1000:.0f} s simulated")
    arrays["phi"] = rls.decoders
    return arrays, outputs[sampled], wanted[sampled]


def stepper(
    params: Params, arrays: Mapping[str, NDArray], dt_ms: float
) -> Callable[[int, NDArray, NDArray, NDArray], NDArray]:
    """How far the units move in a step (Eq. 21): of step, x, rates, output (channel,)."""
    n = arrays["encoders"].shape[0]
    recurrent = sparse.csr_array(
        (arrays["omega_w"], (arrays["omega_post"], arrays["omega_pre"])), shape=(n, n)
    )
    clock = task.clock_row(params)
    clock_rows = np.ascontiguousarray(arrays["clock_encoders"].T)
    per_sample = round(SAMPLE_MS / dt_ms)

    def advance(step: int, x: NDArray, rates: NDArray, output: NDArray) -> NDArray:
        drive = recurrent @ rates + arrays["encoders"] @ output
        if clock.size:
            component, value = clock[(step // per_sample) % clock.shape[0]]
            drive += value * clock_rows[int(component)]
        return dt_ms / params.rate_tau_ms * (drive - x)

    return advance


def run_again(params: Params, arrays: Mapping[str, NDArray]) -> NDArray[np.float64]:
    """Output after learning, every ms, (time, channel), with the weights as they are now.

    Args:
        params: Parameters of the experiment.
        arrays: A trained network, its `omega_w` and `phi` perhaps perturbed.
    """
    dt = params.rate_dt_ms
    first = round((params.burn_in_ms + params.train_ms) / dt)
    steps = np.arange(first, first + round(params.native_test_ms / dt))
    advance = stepper(params, arrays, dt)
    outputs = np.zeros((steps.size, arrays["phi"].shape[1]))
    x = np.asarray(arrays["x_learned"], float).copy()
    for index, step in enumerate(steps.tolist()):
        rates = np.tanh(x)
        outputs[index] = rates @ arrays["phi"]
        x += advance(step, x, rates, outputs[index])
    return outputs[steps % round(SAMPLE_MS / dt) == 0]


def count_operations(params: Params, arrays: dict[str, NDArray]) -> dict[str, float]:
    """Multiply-accumulates per test trial: all recurrent, decoding, feedback and clock weights.

    A trial lasts as long as that of the spiking network, whose events count from its start.

    A tanh unit is never exactly zero, so nothing can be skipped but absent connections and the
    clock's components that are not up.
    """
    n, n_channels = arrays["phi"].shape
    steps = (params.warmup_ms + params.test_ms) / params.rate_dt_ms
    clock = n if params.clock_components else 0
    sparse_step = arrays["omega_w"].size + 2 * n * n_channels + clock
    dense_step = n * n + 2 * n * n_channels + n * params.clock_components
    return {
        "macs_effective": float(sparse_step * steps),
        "macs_dense": float(dense_step * steps),
        "neuron_updates": float(n * steps),
        "activation_sparsity": 0.0,
    }
