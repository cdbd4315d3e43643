"""The matched control without spikes: FORCE on a network of tanh rate units.

Same number of units, sparsity, outputs, clock and RLS interval as the spiking network; plain numpy.
Equation 21 of the talk's README.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

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
    dt = schedule.dt_ms
    rls = RecursiveLeastSquares(params.n_neurons, n_channels, params.rate_p_start)
    is_rls_step, is_sampled_step = schedule.rls_steps(), schedule.sampled_steps()
    targets = task.target(params, streams, dt * np.arange(schedule.steps))
    first_test_step = round((schedule.burn_in_ms + schedule.train_ms) / dt)

    def learn(step: int, x: NDArray, rates: NDArray, output: NDArray) -> None:
        if step == first_test_step:
            arrays["x_learned"] = x.copy()
        if is_rls_step[step]:
            rls.update(rates, output - targets[step])
            refuse_broken(rates, output, rls.decoders, step * dt)
        if step % 1000 == 0:
            progress(step / schedule.steps, f"{step * dt / 1000:.0f} s simulated")

    arrays["phi"] = rls.decoders  # changes in place
    outputs = run(params, arrays, range(schedule.steps), arrays["x_start"], dt, learn)
    return arrays, outputs[is_sampled_step], targets[is_sampled_step]


def run(
    params: Params,
    arrays: Mapping[str, NDArray],
    steps: Sequence[int],
    start: NDArray,
    dt_ms: float,
    learn: Callable[[int, NDArray, NDArray, NDArray], None] = lambda *_: None,
) -> NDArray[np.float64]:
    """Output of every step, (time, channel) (Eq. 21).

    Args:
        params: Parameters of the experiment.
        arrays: Of the network, with its decoders `phi`.
        steps: Numbers of the steps, from the start of the clock on.
        start: State x of the units, (neuron,).
        dt_ms: Step.
        learn: Called in every step with its number, x, tanh(x) and output, before x moves.
    """
    n, n_channels = arrays["encoders"].shape
    recurrent = sparse.csr_array(
        (arrays["omega_w"], (arrays["omega_post"], arrays["omega_pre"])), shape=(n, n)
    )
    clock = task.clock_row(params)
    clock_rows = np.ascontiguousarray(arrays["clock_encoders"].T)
    per_sample = round(SAMPLE_MS / dt_ms)
    outputs = np.zeros((len(steps), n_channels))
    x = np.array(start, float)
    for index, step in enumerate(steps):
        rates = np.tanh(x)
        outputs[index] = output = rates @ arrays["phi"]
        learn(step, x, rates, output)
        drive = recurrent @ rates + arrays["encoders"] @ output
        if clock.size:
            component, value = clock[(step // per_sample) % clock.shape[0]]
            drive += value * clock_rows[int(component)]
        x += dt_ms / params.rate_tau_ms * (drive - x)
    return outputs


def run_again(params: Params, arrays: Mapping[str, NDArray]) -> NDArray[np.float64]:
    """Output after learning, every ms, (time, channel), with the weights as they are now.

    Args:
        params: Parameters of the experiment.
        arrays: A trained network, its `omega_w` and `phi` perhaps perturbed.
    """
    dt = params.rate_dt_ms
    first_test_step = round((params.burn_in_ms + params.train_ms) / dt)
    steps = range(first_test_step, first_test_step + round(params.native_test_ms / dt))
    outputs = run(params, arrays, steps, arrays["x_learned"], dt)
    return outputs[np.array(steps) % round(SAMPLE_MS / dt) == 0]


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
