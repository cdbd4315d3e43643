"""Records of a training by FORCE, and the traces that are scored. Equations: the talk's README."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.types import Network, Params, Task, Traces
from whyspiking.talks.clopath.force.learning import Schedule
from whyspiking.talks.clopath.force.task import SAMPLE_MS
from whyspiking.training.history import History

KEPT_MS = 2000.0
"""How much output before and during learning is kept for the figure."""
BIN_MS = 500.0
"""Window of one entry of the error history."""


def error_history(outputs: NDArray, targets: NDArray, schedule: Schedule) -> list[dict[str, Any]]:
    """Error of the output in windows of 0.5 s, relative to the spread of the target.

    Returns:
        Rows with `epoch` (end of the window in s), `metric` ("nrmse_<phase>") and `value`.
    """
    width = round(BIN_MS / SAMPLE_MS)
    target_sd = targets.std(axis=0).mean()
    history = History()
    for start in range(0, outputs.shape[0] - width + 1, width):
        error = outputs[start : start + width] - targets[start : start + width]
        begin_ms = start * SAMPLE_MS
        is_learning = schedule.burn_in_ms <= begin_ms < schedule.burn_in_ms + schedule.train_ms
        phase = "before" if begin_ms < schedule.burn_in_ms else "during" if is_learning else "after"
        value = np.sqrt((error**2).mean()) / target_sd
        history.note((begin_ms + BIN_MS) / 1000.0, **{f"error_{phase}": value})
    return history.rows


def trained(
    arrays: dict[str, NDArray], outputs: NDArray, targets: NDArray, schedule: Schedule, engine: str
) -> Network:
    """Assemble the trained network and its record.

    Args:
        arrays: Weights and wiring, among them the decoders `phi`, which alone have learned.
        outputs: From burn-in to test, (time, channel).
        targets: Those of the whole course, also where the outputs end with its first part.
        schedule: Its course.
        engine: What it was trained in.

    Returns:
        The network, with the output of its own engine: `test_output` and `test_target` after
        learning (an autonomous oscillator has to go on from the state in which learning ended, so
        `after` reads these), and `trace`, `trace_target` (time, channel), `trace_ms` around the
        start and the end of learning, for the figure.
    """
    n_test = round(schedule.test_ms / SAMPLE_MS)
    return Network(
        arrays={
            **arrays,
            "test_output": outputs[-n_test:].astype(np.float32),
            "test_target": targets[-n_test:].astype(np.float32),
            **_cut_traces(outputs, targets, schedule),
        },
        info={
            "engine": engine,
            "n_neurons": int(arrays["phi"].shape[0]),
            "n_outputs": int(arrays["phi"].shape[1]),
            # M1: what the rule keeps beyond the weights it changes.
            "rule_floats_shared": int(arrays["phi"].shape[0]) ** 2,
            "simulated_ms": schedule.end_ms,
        },
        history=error_history(outputs, targets, schedule),
    )


def _cut_traces(outputs: NDArray, targets: NDArray, schedule: Schedule) -> dict[str, NDArray]:
    """Output and target around the start of learning and around its end."""
    times = SAMPLE_MS * np.arange(outputs.shape[0])
    start, stop = schedule.burn_in_ms, schedule.burn_in_ms + schedule.train_ms
    is_kept = (np.abs(times - start) < KEPT_MS) | (np.abs(times - stop) < KEPT_MS)
    return {
        "trace_ms": times[is_kept].astype(np.float32),
        "trace": outputs[is_kept].astype(np.float32),
        "trace_target": targets[: len(is_kept)][is_kept].astype(np.float32),
        "learning_ms": np.array([start, stop]),
    }


def after(network: Network, *, free_phase: bool, outputs: NDArray | None = None) -> Traces:
    """The test that followed learning in its engine, or another run of it; (time, channel)."""
    outputs = network.arrays["test_output"] if outputs is None else outputs
    return Traces(
        outputs=outputs[None].astype(float),
        targets=network.arrays["test_target"][None].astype(float),
        dt_ms=SAMPLE_MS,
        free_phase=free_phase,
    )


def warmed_up(params: Params, outputs: NDArray, task: Task, *, free_phase: bool) -> Traces:
    """Outputs (trial, time, channel) from the end of the warm-up on."""
    start, stop = round(params.warmup_ms / SAMPLE_MS), outputs.shape[1]
    return Traces(
        outputs=outputs[:, start:],
        targets=task.targets[:, start:stop],
        dt_ms=SAMPLE_MS,
        free_phase=free_phase,
    )
