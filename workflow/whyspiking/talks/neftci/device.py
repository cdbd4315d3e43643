"""The network goes on learning inside Brian2, on neurons that differ (README, section 4).

One run is the life of one device: tested as designed, then as built (thresholds and time constants
deviate), then learning digit by digit with the deviations, then tested again.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import brian_model as bm
from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.errors import UserError
from whyspiking.talks.neftci import brian_learning, brian_network, model
from whyspiking.talks.neftci import task as tasks
from whyspiking.talks.neftci.digits import evaluate, make_task, reference_counts, train

__all__ = [
    "bind", "conditions", "decode", "evaluate", "make_task", "reference_counts",
    "to_brian", "train", "vary",
]  # fmt: skip

PERTURBATION = "device"
"""Name of this talk's own condition: relative sd of thresholds and time constants."""
CONTROL, TARGET = "control", "wanted"
RATE, BUILT = 0, 1
"""Columns of `control`: learning rate of this step; 1 while neurons deviate, 0 as designed."""
DEVIATING = ("v_th", "tau_m", "tau_s", "tau_r")

PLASTICITY = brian_learning.Plasticity(
    rate="control(t, 0)",
    threshold="theta",
    error="error = clip(y - wanted(t, i), -1, 1)",
    neuron="theta : 1\n" + "".join(f"d_{name} : 1\n" for name in DEVIATING),
)
START = """
v = 0; i_syn = 0; r = 0; fired = 0; q = 0; p = 0; delta = 0; signal = 0
theta = v_th * (1 + control(t, 1) * d_v_th)
alpha = exp(-dt / (tau_m * (1 + control(t, 1) * d_tau_m)))
beta = exp(-dt / (tau_s * (1 + control(t, 1) * d_tau_s)))
gamma = exp(-dt / (tau_r * (1 + control(t, 1) * d_tau_r)))
"""


def to_brian(params: ct.Params) -> bm.BrianModel:
    """The structure with learning; nothing is learned where `control` is zero."""
    plain = brian_network.to_brian(params)
    n_in, n_classes, n_trials = model.sizes(params)[0], params.n_classes, params.max_trials
    groups, synapses = brian_learning.layers(params, tasks.INPUT, n_in, n_classes, PLASTICITY)
    return replace(
        plain,
        name="decolle-plastic",
        groups=groups,
        synapses=synapses,
        tables=[
            bm.Table(CONTROL, (n_trials * params.n_frames, 2), params.dt_ms),
            bm.Table(TARGET, (n_trials, n_classes), plain.trial_ms),
        ],
        reset={
            "retina": brian_learning.START_INPUT,
            **dict.fromkeys(model.names(params), START),
        },
    )


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Place a trained network into that structure; neurons do not deviate yet."""
    plain = brian_network.bind(params, network)
    no_deviations = {f"{name}.d_{key}": 0.0 for name in model.names(params) for key in DEVIATING}
    return replace(plain, values={**plain.values, **brian_learning.decays(params), **no_deviations})


def conditions(params: ct.Params) -> list[ct.Condition]:
    """One life of a device per size of deviations."""
    return [ct.Condition(PERTURBATION, "neurons", float(level)) for level in params.deviations]


def vary(
    params: ct.Params,
    condition: ct.Condition,
    task: ct.Task,
    binding: ct.Binding,
    rng: np.random.Generator,
) -> tuple[ct.Task, ct.Binding]:
    """The trials of a device's life, and how its neurons deviate.

    Deviations are normal, cut at three standard deviations and at -95 %.

    Args:
        params: `n_relearn`, `relearn_rate` at the start.
        condition: Its strength is the relative standard deviation.
        task: Some test digits; not used, since losses are small: all are tested, three times.
        binding: The network as trained.
        rng: Source of deviations and of the order of digits.
    """
    test = make_task(params, "test", Streams(params.seed))
    assert test is not None
    if 3 * len(test.targets) + params.n_relearn > params.max_trials:
        raise UserError(
            f"talk '{params.talk}': the experiment simulates each device in one run of 3 x "
            "'n_test' + 'n_relearn' trials, which is more than 'max_trials'. Raise 'max_trials' "
            "in talk.yaml"
        )
    data = tasks.recordings_of(params, "train")
    digits = rng.permutation(len(data.labels))[: params.n_relearn]
    lesson = tasks.as_spikes(params, data, digits)
    stages = [test, test, lesson, test]
    device_life = join_tasks(params, stages)
    control = np.zeros((len(device_life.targets), params.n_frames, 2))
    n_test, n_lesson = len(test.targets), len(lesson.targets)
    control[n_test:, :, BUILT] = 1
    # Falls evenly, so that the last digits leave no noise behind.
    rates = params.relearn_rate * (1 - np.arange(n_lesson) / n_lesson)
    control[2 * n_test : 2 * n_test + n_lesson, model.burn_in(params) :, RATE] = rates[:, None]
    targets = np.eye(params.n_classes)[device_life.targets][:, None, :]
    values = dict(binding.values)
    for name, n_neurons in zip(model.names(params), params.hidden, strict=True):
        for key in DEVIATING:
            deviation = np.clip(rng.standard_normal(n_neurons), -3, 3) * condition.strength
            values[f"{name}.d_{key}"] = np.maximum(deviation, -0.95)
    stimulus = ct.Stimulus(device_life.stimulus.spikes, {CONTROL: control, TARGET: targets})
    return replace(device_life, stimulus=stimulus), replace(binding, values=values)


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Trials:
    """Decisions; of a device's life those of its last test."""
    outcome = brian_network.decode(params, recording, task)
    if CONTROL not in task.stimulus.arrays:
        return outcome
    last_test = periods(task)["relearned"]
    return replace(
        outcome,
        targets=outcome.targets[last_test],
        choices=outcome.choices[last_test],
        decision_ms=outcome.decision_ms[last_test],
    )


def periods(device_life: ct.Task) -> dict[str, NDArray[np.int64]]:
    """Trials of each stage of a device's life."""
    control = device_life.stimulus.arrays[CONTROL]
    is_built, is_learning = control[:, -1, BUILT] > 0, control[:, -1, RATE] > 0
    first_learning, last_learning = np.flatnonzero(is_learning)[[0, -1]]
    index = np.arange(len(is_built))
    return {
        "designed": index[~is_built],
        "built": index[is_built & (index < first_learning)],
        "lesson": index[is_learning],
        "relearned": index[index > last_learning],
    }


def join_tasks(params: ct.Params, trial_tasks: list[ct.Task]) -> ct.Task:
    """Several tasks, one after the other."""
    trains = [trial_task.stimulus.spikes[tasks.INPUT] for trial_task in trial_tasks]
    offsets = np.cumsum([0] + [train.n_trials for train in trains])
    spikes = Spikes(
        np.concatenate([train.times_ms for train in trains]),
        np.concatenate([train.units for train in trains]),
        np.concatenate(
            [train.trials + np.int32(o) for train, o in zip(trains, offsets[:-1], strict=True)]
        ),
        int(offsets[-1]),
        trains[0].n_units,
        trains[0].duration_ms,
    )
    return ct.Task(
        ct.Stimulus({tasks.INPUT: spikes}),
        np.concatenate([trial_task.targets for trial_task in trial_tasks]),
        params.n_classes,
    )
