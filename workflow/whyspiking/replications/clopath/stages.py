"""The stages of this talk: task, training, evaluation, re-simulation, own conditions, measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import (
    Binding,
    BrianModel,
    Condition,
    Network,
    Outcome,
    Params,
    Progress,
    Recording,
    Split,
    Stimulus,
    Task,
    Traces,
)
from whyspiking.errors import UserError
from whyspiking.randomness import Streams
from whyspiking.replications.clopath import frozen, learning, model, rate_control, shot, task
from whyspiking.replications.clopath.learning import SAMPLE_MS, Schedule
from whyspiking.replications.clopath.sequence import septal_measures

KEPT_MS = 2000.0
"""How much output before and during learning is kept for the figure."""


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """Trials of one split; `fresh` does not exist for continuous outputs."""
    if split == "fresh":
        return None
    rng = streams.rng(f"start-{split}")
    if params.experiment == "shot":
        return shot.make_task(params, rng)
    return task.driven_task(params, streams, rng, speed=1.0)


def train(
    params: Params,
    variant: str,
    streams: Streams,
    parents: Mapping[str, Network],
    progress: Progress,
) -> Network:
    """Train one variant from burn-in to test; see `learning.force`.

    Besides weights and wiring the network keeps the output of its own engine: `test_output` and
    `test_target` after learning (an autonomous oscillator has to go on from the state in which
    learning ended, so `evaluate` reads these), and `trace`, `trace_target` (time, channel),
    `trace_ms` around the start and the end of learning, for the figure.
    """
    schedule = Schedule(
        dt_ms=params.rate_dt_ms if variant == "rate" else params.dt_ms,
        rls_ms=params.rls_ms,
        burn_in_ms=params.burn_in_ms,
        train_ms=params.train_ms,
        test_ms=params.native_test_ms,
    )
    if variant == "rate":
        arrays, outputs, targets = rate_control.train(params, streams, schedule, progress)
        engine = "numpy"
    elif params.experiment == "shot":
        arrays, outputs, targets = _train_shot(params, variant, streams, schedule, progress)
        engine = "brian2-runtime"
    else:
        arrays, outputs, targets = _train_izhikevich(params, variant, streams, schedule, progress)
        engine = "brian2-runtime"
    n_test = round(schedule.test_ms / SAMPLE_MS)
    info = {
        "engine": engine,
        "n_neurons": int(arrays["phi"].shape[0]),
        "n_outputs": int(arrays["phi"].shape[1]),
        # M1: what the rule keeps beyond the weights it changes.
        "rule_floats_shared": int(arrays["phi"].shape[0]) ** 2,
        "simulated_ms": schedule.end_ms,
    }
    # Only the decoders learn.
    info["parameters"] = int(arrays["phi"].size)
    if variant == "rate":
        info["counts"] = rate_control.count_operations(params, arrays)
        info["weights"] = ["omega_w", "phi"]
    return Network(
        arrays={
            **arrays,
            "test_output": outputs[-n_test:].astype(np.float32),
            "test_target": targets[-n_test:].astype(np.float32),
            **_kept_traces(outputs, targets, schedule),
        },
        info=info,
        history=learning.error_history(outputs, targets, schedule),
    )


def _train_izhikevich(
    params: Params, variant: str, streams: Streams, schedule: Schedule, progress: Progress
) -> tuple[dict[str, NDArray], NDArray, NDArray]:
    n_channels = task.n_channels(params)
    arrays = model.wire(params, n_channels, streams)
    if variant == "open_loop":
        arrays["encoders"] = np.zeros_like(arrays["encoders"])
    elif variant != "spiking":
        raise _unknown(params, variant)
    period = task.clock_period_ms(params)
    clock = task.clock_signal(
        np.arange(0.0, period, SAMPLE_MS), params.clock_components, period, speed=1.0
    )
    learning.start_runtime(params.work_dir, schedule.dt_ms, params.codegen)
    arrays["phi"], outputs, targets = learning.force(
        model.plant(params, arrays, clock, schedule.dt_ms),
        lambda times: task.target(params, streams, times),
        n_channels,
        schedule,
        params.p_start,
        progress,
    )
    arrays["push_seed"] = np.array(streams.integer("pushes"))
    return arrays, outputs, targets


def _train_shot(
    params: Params, variant: str, streams: Streams, schedule: Schedule, progress: Progress
) -> tuple[dict[str, NDArray], NDArray, NDArray]:
    arrays = shot.wire(params, streams)
    if variant != "spiking":
        raise _unknown(params, variant)
    learning.start_runtime(params.work_dir, schedule.dt_ms, params.codegen)
    arrays["phi"], outputs, wanted = learning.force(
        shot.plant(params, arrays, schedule.end_ms, schedule.dt_ms),
        lambda times: shot.supervisor(params, arrays["phases"], times),
        params.n_oscillators,
        schedule,
        params.p_start,
        progress,
    )
    # All oscillators span two dimensions: keep the cosine and the sine (Eq. 20).
    basis = shot.reading(arrays["phases"], np.eye(params.n_oscillators))
    return arrays, outputs @ basis, wanted @ basis


def _unknown(params: Params, variant: str) -> UserError:
    return UserError(
        f"talk 'clopath', experiment '{params.experiment}': variant '{variant}' is not known; "
        "correct its name in talk.yaml"
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


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Outcome:
    """Output after learning in the engine of training (see `train`); `task` has no say in it.

    The rate control is run again from where learning ended, with the weights it has now.
    """
    outputs = network.arrays["test_output"]
    if variant == "rate":
        outputs = rate_control.run_again(params, network.arrays)
    return Traces(
        outputs=outputs[None].astype(float),
        targets=network.arrays["test_target"][None].astype(float),
        dt_ms=SAMPLE_MS,
        free_phase=is_autonomous(params),
    )


def is_autonomous(params: Params) -> bool:
    """Whether the phase of the output is free."""
    return params.experiment in task.AUTONOMOUS


def to_brian(params: Params) -> BrianModel:
    """The structure with learning switched off; one for all Izhikevich experiments."""
    if params.experiment == "shot":
        return frozen.shot_model(params)
    return frozen.izhikevich_model(params)


def bind(params: Params, network: Network) -> Binding:
    """Place a trained network into its structure."""
    if params.experiment == "shot":
        return frozen.bind_shot(params, network)
    return frozen.bind_izhikevich(params, network)


def decode(params: Params, recording: Recording, task: Task) -> Outcome:
    """The output after the warm-up; of the septal network the oscillator while the septum is on."""
    if params.experiment == "shot":
        outputs = recording.traces["oscillator"]
        stop = round((params.warmup_ms + params.on_ms) / SAMPLE_MS)
    else:
        outputs = recording.traces["output"][:, :, : task.targets.shape[2]]
        stop = outputs.shape[1]
    start = round(params.warmup_ms / SAMPLE_MS)
    return Traces(
        outputs=outputs[:, start:stop],
        targets=task.targets[:, start:stop],
        dt_ms=SAMPLE_MS,
        free_phase=is_autonomous(params),
    )


def conditions(params: Params) -> Sequence[Condition]:
    """Own conditions: speed of the clock, septal frequency, spikes lost in the running network.

    - `clock` (input): clock and target read at `strength` times their speed, negative backwards;
    - `clock_off` (input): no clock;
    - `septum` (input): frequency of the septum in Hz;
    - `unlearned` (weights): the septal network without its learned weights;
    - `delete` (neurons): every spike is lost with probability `strength` for all its targets,
      feedback included (the common `delete` perturbs recorded spikes, for the output only).
    """
    chosen = [Condition("delete", "neurons", float(p)) for p in params.lost_shares]
    if params.experiment == "shot":
        chosen += [Condition("septum", "input", float(f)) for f in params.septum_frequencies]
        return [*chosen, Condition("unlearned", "weights", 1.0)]
    if is_autonomous(params):
        return chosen
    chosen += [Condition("clock", "input", float(speed)) for speed in params.speeds]
    return [*chosen, Condition("clock_off", "input", 1.0)]


def vary(
    params: Params, condition: Condition, task: Task, binding: Binding, rng: np.random.Generator
) -> tuple[Task, Binding]:
    """Task and binding under one of `conditions`."""
    kind, strength = condition.perturbation, condition.strength
    if kind == "delete":
        group = "inhibitory" if params.experiment == "shot" else "neurons"
        return task, replace(binding, values={**binding.values, f"{group}.p_lost": strength})
    if kind == "septum":
        return shot.make_task(with_septum(params, strength), rng), binding
    if kind == "unlearned":
        learned = ("to_inhibitory.w", "to_excitatory.w")
        zeros = {key: np.zeros_like(binding.values[key]) for key in learned}
        return task, replace(binding, values={**binding.values, **zeros})
    if kind == "clock":
        return at_speed(params, task, strength), binding
    if kind == "clock_off":
        clock = task.stimulus.arrays["clock"].copy()
        clock[:, round(params.push_ms / SAMPLE_MS) :, 1] = 0.0
        return replace(task, stimulus=Stimulus(arrays={"clock": clock})), binding
    raise UserError(f"talk 'clopath' has no condition '{kind}'")


def with_septum(params: Params, frequency: float) -> Params:
    """The same parameters with another septal frequency in Hz."""
    return replace(params, values={**params.values, "theta_septum": frequency})


def at_speed(params: Params, played: Task, speed: float) -> Task:
    """The same trials with clock and target read at another speed (negative: backwards)."""
    times = SAMPLE_MS * np.arange(played.targets.shape[1])
    period = task.clock_period_ms(params)
    clock = played.stimulus.arrays["clock"].copy()
    pushed = round(params.push_ms / SAMPLE_MS)
    clock[:, pushed:] = task.clock_signal(times, params.clock_components, period, speed)[pushed:]
    # The test is longer than an episode, so the known target holds every moment of it.
    moment = np.mod(speed * times, period) / SAMPLE_MS
    before = np.floor(moment).astype(int)
    n_period = round(period / SAMPLE_MS)
    share = (moment - before)[:, None]
    targets = (1 - share) * played.targets[:, before % n_period]
    targets += share * played.targets[:, (before + 1) % n_period]
    return replace(played, stimulus=Stimulus(arrays={"clock": clock}), targets=targets)


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """Rhythm, beat, order and compression of the septal network; nothing for the others."""
    if params.experiment != "shot":
        return {}
    on_stop = params.warmup_ms + params.on_ms
    changed = condition.perturbation == "septum"
    return septal_measures(
        recording.spikes["excitatory"],
        recording.traces["oscillator"],
        SAMPLE_MS,
        on_ms=(params.warmup_ms, on_stop),
        off_ms=(on_stop + params.release_ms, on_stop + params.off_ms),
        septum_hz=condition.strength if changed else params.theta_septum,
        rng=Streams(params.seed).rng("shuffled-labels"),
    )
