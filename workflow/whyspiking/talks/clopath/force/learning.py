"""FORCE inside Brian2's runtime mode: recursive least squares in one network operation.

Equation numbers are those of this talk's README.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import get_blas_funcs

from whyspiking.contract.types import Network, Params, Progress, Task, Traces
from whyspiking.errors import UserError
from whyspiking.training.history import History

SAMPLE_MS = 1.0
"""Sampling of the output that is kept from a training run."""
SYMV, SYR = get_blas_funcs(("symv", "syr"), dtype=np.float64)
ENGINE = "brian2-runtime"
KEPT_MS = 2000.0
"""How much output before and during learning is kept for the figure."""
BIN_MS = 500.0
"""Window of one entry of the error history."""


class RecursiveLeastSquares:
    """Online regression of the target on the filtered spike trains (Eqs. 11-13).

    All outputs share one inverse correlation matrix P, of which only the upper triangle is kept.

    Attributes:
        decoders: phi, (neuron, channel).
        inverse: P, (neuron, neuron); the entries below the diagonal are meaningless.
    """

    def __init__(self, n_neurons: int, n_channels: int, start: float) -> None:
        """Start from phi = 0 and P = `start` times the identity."""
        self.decoders = np.zeros((n_neurons, n_channels))
        self.inverse = np.asfortranarray(start * np.eye(n_neurons))

    def update(self, rates: NDArray, error: NDArray) -> None:
        """One step: `rates` is r (neuron,), `error` output minus target (channel,)."""
        projected = SYMV(1.0, self.inverse, rates)
        gain = 1.0 / (1.0 + rates @ projected)
        self.decoders -= np.outer(projected, gain * error)
        self.inverse = SYR(-gain, projected, a=self.inverse, overwrite_a=1)


@dataclass(frozen=True)
class Schedule:
    """When what happens, in ms: burn-in without learning, learning, test without learning."""

    dt_ms: float
    rls_ms: float
    burn_in_ms: float
    train_ms: float
    test_ms: float

    @property
    def end_ms(self) -> float:
        """Length of the whole run."""
        return self.burn_in_ms + self.train_ms + self.test_ms

    @property
    def steps(self) -> int:
        """Number of steps of the whole run."""
        return round(self.end_ms / self.dt_ms)

    def rls_steps(self) -> NDArray[np.bool_]:
        """At which steps the decoders learn, (step,)."""
        step = np.arange(self.steps)
        first = round(self.burn_in_ms / self.dt_ms)
        last = round((self.burn_in_ms + self.train_ms) / self.dt_ms)
        every = round(self.rls_ms / self.dt_ms)
        return (step >= first) & (step < last) & ((step - first) % every == 0)

    def sampled_steps(self) -> NDArray[np.bool_]:
        """At which steps the output is kept, (step,)."""
        return np.arange(self.steps) % round(SAMPLE_MS / self.dt_ms) == 0


@dataclass
class Plant:
    """A simulated network as the learning loop sees it.

    Attributes:
        objects: Brian2 objects.
        rates: View of r, (neuron,), in the network's own memory.
        write_drive: Given decoders (neuron, channel) and a step, puts the input for that step into
            the network's memory; called before the step.
        when_learned: Called with the decoders after each change of them.
    """

    objects: Sequence[Any]
    rates: NDArray
    write_drive: Callable[[NDArray, int], None]
    when_learned: Callable[[NDArray], None] = lambda decoders: None


def force(
    plant: Plant,
    target: Callable[[NDArray], NDArray],
    n_channels: int,
    schedule: Schedule,
    p_start: float,
    progress: Progress,
) -> tuple[NDArray, NDArray, NDArray]:
    """Run the network from burn-in to test, learning in between (Eqs. 11-13).

    Args:
        plant: The network.
        target: Times in ms (time,) -> supervisor (time, channel).
        n_channels: Number K of outputs.
        schedule: Durations and intervals.
        p_start: P(0) is this times the identity.
        progress: Called with the fraction done.

    Returns:
        phi (neuron, channel); output and target every `SAMPLE_MS`, (time, channel).

    Raises:
        UserError: If the network or its decoders are not finite at an update; names the time and
            the array.
    """
    import brian2

    rls = RecursiveLeastSquares(plant.rates.size, n_channels, p_start)
    learns, sampled = schedule.rls_steps(), schedule.sampled_steps()
    needed = np.flatnonzero(learns | sampled)
    wanted = np.zeros((schedule.steps, n_channels))
    # The state after step n belongs to time n dt, as in the frozen network (see brian.py).
    wanted[needed] = target(needed * schedule.dt_ms)
    outputs = np.zeros((int(sampled.sum()), n_channels))
    state = {"step": 0, "sample": 0}
    plant.write_drive(rls.decoders, 0)
    tell_every = max(1, round(1000.0 / schedule.dt_ms))

    def operate() -> None:
        step = state["step"]
        plant.write_drive(rls.decoders, step + 1)
        if learns[step] or sampled[step]:
            output = plant.rates @ rls.decoders
            if sampled[step]:
                outputs[state["sample"]] = output
                state["sample"] += 1
            if learns[step]:
                rls.update(plant.rates, output - wanted[step])
                refuse_broken(plant.rates, output, rls.decoders, step * schedule.dt_ms)
                plant.when_learned(rls.decoders)
        if step % tell_every == 0:
            progress(step / schedule.steps, f"{step * schedule.dt_ms / 1000:.0f} s simulated")
        state["step"] = step + 1

    network = brian2.Network(*plant.objects, brian2.NetworkOperation(operate, when="end"))
    network.run(schedule.end_ms * brian2.ms, namespace={})
    return rls.decoders, outputs, wanted[sampled]


def refuse_broken(rates: NDArray, output: NDArray, decoders: NDArray, time_ms: float) -> None:
    """End a training at its first update whose numbers are not finite.

    Args:
        rates: r, (neuron,).
        output: Decoded before the update, (channel,).
        decoders: phi after it, (neuron, channel).
        time_ms: Of the update.

    Raises:
        UserError: Names the first array that is not finite.
    """
    # One sum is finite only if all its terms are.
    with np.errstate(invalid="ignore", over="ignore"):
        total = rates.sum() + output.sum() + decoders.sum()
    if np.isfinite(total):
        return
    named = {"filtered rates r": rates, "output": output, "decoders phi": decoders}
    broken = next(name for name, array in named.items() if not np.isfinite(array).all())
    raise UserError(
        f"FORCE: the {broken} are not finite after the update at {time_ms:g} ms; expected finite "
        "numbers; lower `p_start` or the gains, or shorten `dt_ms`"
    )


def error_history(outputs: NDArray, targets: NDArray, schedule: Schedule) -> list[dict[str, Any]]:
    """Error of the output in windows of 0.5 s, relative to the spread of the target.

    Returns:
        Rows with `epoch` (end of the window in s), `metric` ("nrmse_<phase>") and `value`.
    """
    width = round(BIN_MS / SAMPLE_MS)
    spread = targets.std(axis=0).mean()
    history = History()
    for start in range(0, outputs.shape[0] - width + 1, width):
        error = outputs[start : start + width] - targets[start : start + width]
        begin = start * SAMPLE_MS
        learning = schedule.burn_in_ms <= begin < schedule.burn_in_ms + schedule.train_ms
        phase = "before" if begin < schedule.burn_in_ms else "during" if learning else "after"
        value = np.sqrt((error**2).mean()) / spread
        history.note((begin + BIN_MS) / 1000.0, **{f"error_{phase}": value})
    return history.rows


def schedule_of(params: Params, dt_ms: float) -> Schedule:
    """The course of one training, at the step of its engine."""
    return Schedule(
        dt_ms=dt_ms,
        rls_ms=params.rls_ms,
        burn_in_ms=params.burn_in_ms,
        train_ms=params.train_ms,
        test_ms=params.native_test_ms,
    )


def trained(
    arrays: dict[str, NDArray], outputs: NDArray, targets: NDArray, schedule: Schedule, engine: str
) -> Network:
    """What is kept of a training.

    Args:
        arrays: Weights and wiring, among them the decoders `phi`, which alone have learned.
        outputs: From burn-in to test, (time, channel).
        targets: The same of the supervisor.
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
            **_kept_traces(outputs, targets, schedule),
        },
        info={
            "engine": engine,
            "n_neurons": int(arrays["phi"].shape[0]),
            "n_outputs": int(arrays["phi"].shape[1]),
            # M1: what the rule keeps beyond the weights it changes.
            "rule_floats_shared": int(arrays["phi"].shape[0]) ** 2,
            "simulated_ms": schedule.end_ms,
            "parameters": int(arrays["phi"].size),
        },
        history=error_history(outputs, targets, schedule),
    )


def _kept_traces(outputs: NDArray, targets: NDArray, schedule: Schedule) -> dict[str, NDArray]:
    """Output and target around the start of learning and around its end."""
    times = SAMPLE_MS * np.arange(outputs.shape[0])
    start, stop = schedule.burn_in_ms, schedule.burn_in_ms + schedule.train_ms
    kept = (np.abs(times - start) < KEPT_MS) | (np.abs(times - stop) < KEPT_MS)
    return {
        "trace_ms": times[kept].astype(np.float32),
        "trace": outputs[kept].astype(np.float32),
        "trace_target": targets[kept].astype(np.float32),
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


def start_runtime(work_dir: Path, dt_ms: float, target: str) -> None:
    """Switch Brian2 to runtime mode, with its compiled modules kept inside the project.

    Args:
        work_dir: Modules go to its folder `cython`.
        dt_ms: Step of all clocks.
        target: Brian2's code generation, "cython" or "numpy".
    """
    import brian2

    brian2.set_device("runtime")
    brian2.prefs.codegen.target = target
    brian2.prefs.codegen.runtime.cython.cache_dir = str((work_dir / "cython").resolve())
    # Strings used once, at set-up, are not worth a compilation.
    brian2.prefs.codegen.string_expression_target = "numpy"
    brian2.defaultclock.dt = dt_ms * brian2.ms
