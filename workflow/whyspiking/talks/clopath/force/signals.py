"""FORCE on Izhikevich neurons: oscillators, and episodes that a clock drives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.errors import unknown_variant
from whyspiking.talks.clopath.force import learning, model, rate_control, task, training_record
from whyspiking.talks.clopath.force.brian_network import bind, to_brian
from whyspiking.talks.clopath.force.task import SAMPLE_MS

__all__ = [
    "bind", "conditions", "decode", "evaluate", "make_task", "to_brian", "train", "vary",
]  # fmt: skip


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Trials of one split; `fresh` does not exist for continuous outputs."""
    if split == "fresh":
        return None
    return task.driven_task(params, streams, streams.rng(f"start-{split}"))


def train(
    params: ct.Params,
    variant: str,
    streams: Streams,
    parents: ct.Parents,
    progress: ct.Progress,
) -> ct.Network:
    """Train one variant, see `learning.force`; what is kept, see `training_record.trained`."""
    if variant == "rate":
        schedule = learning.schedule_of(params, params.rate_dt_ms)
        arrays, outputs, targets = rate_control.train(params, streams, schedule, progress)
        network = training_record.trained(arrays, outputs, targets, schedule, "numpy")
        network.info["counts"] = rate_control.count_operations(params, arrays)
        network.info["weights"] = ["omega_w", "phi"]
        return network
    if variant == "clock_alone":
        return clock_alone(params, streams)
    # All other variants simulate spiking neurons in Brian2.
    n_channels = task.n_channels(params)
    arrays = model.wire(params, n_channels, streams)
    if variant == "open_loop":
        arrays["encoders"] = np.zeros_like(arrays["encoders"])
    elif variant != "spiking":
        raise unknown_variant(params.talk, params.experiment, variant)
    schedule = learning.schedule_of(params, params.dt_ms)
    learning.start_runtime(params.work_dir, schedule.dt_ms, params.codegen)
    arrays["phi"], outputs, targets = learning.force(
        model.plant(params, arrays, task.clock_row(params), schedule.dt_ms),
        lambda times: task.target(params, streams, times),
        n_channels,
        schedule,
        params.p_start,
        progress,
    )
    arrays["push_seed"] = np.array(streams.integer("pushes"))
    return training_record.trained(arrays, outputs, targets, schedule, learning.ENGINE)


def clock_alone(params: ct.Params, streams: Streams) -> ct.Network:
    """The least-squares readout of the clock itself, filtered as spikes are (Eq. 3), over a period.

    Input, target and so the test are periodic.
    """
    from scipy.signal import lfilter

    component, value = task.clock_row(params).T
    clock = np.zeros((component.size, params.clock_components))
    clock[np.arange(component.size), component.astype(int)] = value
    filtered_clock = np.concatenate([clock, clock])
    for tau_ms in (params.tau_d, params.tau_r):
        keep = np.exp(-SAMPLE_MS / tau_ms)
        filtered_clock = lfilter([1 - keep], [1, -keep], filtered_clock, axis=0)
    filtered_clock = filtered_clock[component.size :]
    targets = task.target(params, streams, SAMPLE_MS * np.arange(component.size))
    phi = np.linalg.lstsq(filtered_clock, targets)[0]
    test_traces = {"test_output": filtered_clock @ phi, "test_target": targets}
    return ct.Network({"phi": phi, **test_traces}, {"engine": "numpy"})


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Outcome:
    """Output after learning in the engine of training; `task` has no say in it.

    The rate control is run again from where learning ended, with the weights it has now.
    """
    rerun_outputs = rate_control.run_again(params, network.arrays) if variant == "rate" else None
    return training_record.after(network, free_phase=is_autonomous(params), outputs=rerun_outputs)


def is_autonomous(params: ct.Params) -> bool:
    """Whether the phase of the output is free."""
    return not params.clock_components


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Outcome:
    """The output after the warm-up."""
    outputs = recording.traces["output"][:, :, : task.targets.shape[2]]
    return training_record.warmed_up(params, outputs, task, free_phase=is_autonomous(params))


def conditions(params: ct.Params) -> Sequence[ct.Condition]:
    """Own conditions: speed of the clock, spikes lost in the running network.

    - `clock` (input): clock and target read at `strength` times their speed, negative backwards;
    - `clock_off` (input): no clock;
    - `delete` (neurons): every spike is lost with probability `strength` for all its targets,
      feedback included (the common `delete` perturbs recorded spikes, for the output only).
    """
    deletions = [ct.Condition("delete", "neurons", float(p)) for p in params.lost_shares]
    if is_autonomous(params):
        return deletions
    speeds = [ct.Condition("clock", "input", float(speed)) for speed in params.speeds]
    return [*deletions, *speeds, ct.Condition("clock_off", "input", 1.0)]


def vary(
    params: ct.Params,
    condition: ct.Condition,
    task: ct.Task,
    binding: ct.Binding,
    rng: np.random.Generator,
) -> tuple[ct.Task, ct.Binding]:
    """Task and binding under one of `conditions`."""
    if condition.perturbation == "delete":
        loss = {"neurons.p_lost": condition.strength}
        return task, replace(binding, values={**binding.values, **loss})
    if condition.perturbation == "clock":
        return at_speed(params, task, condition.strength), binding
    clock = task.stimulus.arrays["clock"].copy()
    clock[:, round(params.push_ms / SAMPLE_MS) :, 1] = 0.0
    return replace(task, stimulus=ct.Stimulus(arrays={"clock": clock})), binding


def at_speed(params: ct.Params, original_task: ct.Task, speed: float) -> ct.Task:
    """The same trials with clock and target read at another speed (negative: backwards)."""
    times = SAMPLE_MS * np.arange(original_task.targets.shape[1])
    period = task.clock_period_ms(params)
    clock = original_task.stimulus.arrays["clock"].copy()
    n_pushed = round(params.push_ms / SAMPLE_MS)
    clock[:, n_pushed:] = task.clock_signal(times, params.clock_components, period, speed)[
        n_pushed:
    ]
    # The test is longer than an episode, so the known target holds every moment of it.
    sample_position = np.mod(speed * times, period) / SAMPLE_MS
    sample_before = np.floor(sample_position).astype(int)
    n_period = round(period / SAMPLE_MS)
    fraction = (sample_position - sample_before)[:, None]
    targets = (1 - fraction) * original_task.targets[:, sample_before % n_period]
    targets += fraction * original_task.targets[:, (sample_before + 1) % n_period]
    return replace(original_task, stimulus=ct.Stimulus(arrays={"clock": clock}), targets=targets)
