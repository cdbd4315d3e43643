"""FORCE inside Brian2's runtime mode: recursive least squares in one network operation.

Equation numbers are those of the talk's README.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import get_blas_funcs

from whyspiking.brian.preferences import set_preferences
from whyspiking.contract.types import Params, Progress
from whyspiking.errors import UserError
from whyspiking.talks.clopath.force.task import SAMPLE_MS
from whyspiking.training import checkpoint

SYMV, SYR = get_blas_funcs(("symv", "syr"), dtype=np.float64)
ENGINE = "brian2-runtime"


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
        p_rates = SYMV(1.0, self.inverse, rates)
        gain = 1.0 / (1.0 + rates @ p_rates)
        self.decoders -= np.outer(p_rates, gain * error)
        self.inverse = SYR(-gain, p_rates, a=self.inverse, overwrite_a=1)


@dataclass(frozen=True)
class Schedule:
    """Durations in ms: burn-in without learning, learning, test without learning."""

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
        first_step = round(self.burn_in_ms / self.dt_ms)
        stop_step = round((self.burn_in_ms + self.train_ms) / self.dt_ms)
        interval = round(self.rls_ms / self.dt_ms)
        return (step >= first_step) & (step < stop_step) & ((step - first_step) % interval == 0)

    def sampled_steps(self) -> NDArray[np.bool_]:
        """At which steps the output is kept, (step,)."""
        return np.arange(self.steps) % round(SAMPLE_MS / self.dt_ms) == 0


def schedule_of(params: Params, dt_ms: float) -> Schedule:
    """The course of one training, at the step of its engine."""
    return Schedule(
        dt_ms=dt_ms,
        rls_ms=params.rls_ms,
        burn_in_ms=params.burn_in_ms,
        train_ms=params.train_ms,
        test_ms=params.native_test_ms,
    )


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
        phi (neuron, channel); output and target every `SAMPLE_MS`, (time, channel). Of the first
        part of a training (`checkpoint.first_part`), the output ends with it.

    Raises:
        UserError: If the network or its decoders are not finite at an update; names the time and
            the array.
    """
    import brian2

    rls = RecursiveLeastSquares(plant.rates.size, n_channels, p_start)
    is_rls_step, is_sampled_step = schedule.rls_steps(), schedule.sampled_steps()
    target_steps = np.flatnonzero(is_rls_step | is_sampled_step)
    targets = np.zeros((schedule.steps, n_channels))
    # The state after step n belongs to time n dt, as in the frozen network (see the room brian).
    targets[target_steps] = target(target_steps * schedule.dt_ms)
    outputs = np.zeros((int(is_sampled_step.sum()), n_channels))
    state = {"step": 0, "sample": 0}
    plant.write_drive(rls.decoders, 0)
    report_every = max(1, round(1000.0 / schedule.dt_ms))

    def operate() -> None:
        step = state["step"]
        plant.write_drive(rls.decoders, step + 1)
        if is_rls_step[step] or is_sampled_step[step]:
            output = plant.rates @ rls.decoders
            if is_sampled_step[step]:
                outputs[state["sample"]] = output
                state["sample"] += 1
            if is_rls_step[step]:
                rls.update(plant.rates, output - targets[step])
                refuse_broken(plant.rates, output, rls.decoders, step * schedule.dt_ms)
                plant.when_learned(rls.decoders)
        if step % report_every == 0:
            progress(step / schedule.steps, f"{step * schedule.dt_ms / 1000:.0f} s simulated")
        state["step"] = step + 1

    network = brian2.Network(*plant.objects, brian2.NetworkOperation(operate, when="end"))
    network.run(checkpoint.asked_fraction() * schedule.end_ms * brian2.ms, namespace={})
    return rls.decoders, outputs[: state["sample"]], targets[is_sampled_step]


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
        checked_sum = rates.sum() + output.sum() + decoders.sum()
    if np.isfinite(checked_sum):
        return
    arrays = {"filtered rates r": rates, "output": output, "decoders phi": decoders}
    culprit = next(name for name, array in arrays.items() if not np.isfinite(array).all())
    raise UserError(
        f"FORCE: the {culprit} are not finite after the update at {time_ms:g} ms; expected finite "
        "numbers. Lower `p_start` or the gains, or lower `dt_ms`"
    )


def start_runtime(work_dir: Path, dt_ms: float, target: str) -> None:
    """Switch Brian2 to runtime mode, with its compiled modules kept inside the project.

    Args:
        work_dir: Modules go to its folder `cython_modules`.
        dt_ms: Step of all clocks.
        target: Brian2's code generation, "cython" or "numpy".
    """
    import brian2

    brian2.set_device("runtime")
    set_preferences(
        {
            "codegen.target": target,
            # Brian2 finds a module by its code alone, so modules that were compiled under other
            # preferences, in the folder `cython`, must not be found.
            "codegen.runtime.cython.cache_dir": str((work_dir / "cython_modules").resolve()),
            # Strings used once, at set-up, are not worth a compilation.
            "codegen.string_expression_target": "numpy",
        }
    )
    brian2.defaultclock.dt = dt_ms * brian2.ms
