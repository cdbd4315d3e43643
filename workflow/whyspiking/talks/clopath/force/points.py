"""FORCE learns to tell two classes of points, shown one after the other (NC17's supplement).

A point is a constant current for one slot of 250 ms, every second slot is without; the network
runs on from point to point. Equation numbers are those of the talk's README.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.datasets import points as data
from whyspiking.errors import unknown_variant
from whyspiking.talks.clopath.force import learning, model, training_record
from whyspiking.talks.clopath.force.brian_network import bind, to_brian
from whyspiking.talks.clopath.force.task import SAMPLE_MS

__all__ = ["bind", "decode", "evaluate", "make_task", "to_brian", "train"]

HEIGHT = 0.5
"""Largest target, as in IZFORCECLASSIFICATION.m."""


def draw_points(
    params: ct.Params, split: ct.Split, streams: Streams, n_points: int
) -> tuple[NDArray, NDArray[np.int64]]:
    """Draw points (point, 2) and classes (point,) in the order in which they are shown.

    As published, training draws from 2,000 points with replacement; tests show others, each once.
    """
    points, classes = data.made(data.N_SHOWN + n_points, streams.rng("points"))
    rng = streams.rng(f"order-{split}")
    if split == "train":
        indices = rng.integers(data.N_SHOWN, size=n_points)
    else:
        indices = data.N_SHOWN + rng.permutation(len(points) - data.N_SHOWN)[:n_points]
    return points[indices], classes[indices]


def find_points(
    params: ct.Params, times_ms: NDArray
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Index of the point at given times, and whether it is shown: in every second slot."""
    slot = np.floor(np.asarray(times_ms, float) / params.slot_ms + 1e-9).astype(np.int64)
    return slot // 2, slot % 2 == 1


def target(params: ct.Params, classes: NDArray, times_ms: NDArray) -> NDArray[np.float64]:
    """Half a sine per point, up for class 1, down for class 0, (time, 1) (Eq. 45)."""
    times_ms = np.asarray(times_ms, float)
    point_index, is_shown = find_points(params, times_ms)
    wave = HEIGHT * np.abs(np.sin(np.pi * times_ms / params.slot_ms))
    return (wave * is_shown * (2 * classes[point_index] - 1))[:, None]


def points_per_trial(params: ct.Params) -> int:
    """How many points a test trial shows; the first, in the warm-up, is not scored."""
    return round((params.warmup_ms + params.test_ms) / (2 * params.slot_ms))


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Test trials, each from a state of its own; labels (trial, slot), -1 where none counts.

    The input names a row of `clock_encoders`, as the clock of an episode does: here a test point,
    or one of the pushes by which a trial starts.
    """
    if split != "test":
        return None
    per_trial = points_per_trial(params)
    points, classes = draw_points(params, split, streams, params.n_trials * per_trial)
    times = np.arange(0.0, params.warmup_ms + params.test_ms, SAMPLE_MS)
    point_index, is_shown = find_points(params, times)
    rows = np.zeros((params.n_trials, times.size, 2))
    rows[:, :, 0] = per_trial * np.arange(params.n_trials)[:, None] + point_index
    rows[:, :, 1] = is_shown
    is_pushed, trial = times < params.push_ms, np.arange(params.n_trials)
    rows[:, is_pushed, 0] = (params.clock_components_max - 1 - trial % params.n_pushes)[:, None]
    rows[:, is_pushed, 1] = streams.rng("start-test").uniform(0.5, 1.5, (params.n_trials, 1))
    labels = np.full((params.n_trials, per_trial, 2), -1)
    labels[:, 1:, 1] = classes.reshape(params.n_trials, per_trial)[:, 1:]
    features = np.repeat(points.reshape(params.n_trials, per_trial, 2), 2, axis=1)
    return ct.Task(
        stimulus=ct.Stimulus(arrays={"clock": rows}),
        targets=labels.reshape(params.n_trials, -1),
        n_classes=2,
        features=features,
    )


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train one variant; what is kept, see `training_record.trained`.

    `linear` and `frequent` have the points that the network was shown, at once.
    """
    schedule = learning.schedule_of(params, params.dt_ms)
    n_shown = int(np.ceil(schedule.end_ms / (2 * params.slot_ms)))
    points, classes = draw_points(params, "train", streams, n_shown)
    # The controls need no simulation.
    if variant in ("linear", "frequent"):
        n_learned = round((schedule.burn_in_ms + schedule.train_ms) / (2 * params.slot_ms))
        line = best_line(points[:n_learned], classes[:n_learned])
        if variant == "frequent":
            line = np.array([0.0, 0.0, classes[:n_learned].mean() - 0.5])
        return ct.Network({"w": line}, {"engine": "numpy"})
    if variant != "spiking":
        raise unknown_variant(params.talk, params.experiment, variant)
    arrays = model.wire(params, 1, streams)
    angle = streams.rng("input wiring").uniform(0, 2 * np.pi, params.n_neurons)
    input_weights = params.input_gain * np.column_stack([np.cos(angle), np.sin(angle)])
    point_index, is_shown = find_points(params, np.arange(0.0, schedule.end_ms, SAMPLE_MS))
    learning.start_runtime(params.work_dir, schedule.dt_ms, params.codegen)
    arrays["phi"], outputs, targets = learning.force(
        model.plant(
            params,
            {**arrays, "clock_encoders": input_weights @ points.T},
            np.column_stack([point_index, is_shown]).astype(float),
            schedule.dt_ms,
        ),
        lambda times: target(params, classes, times),
        1,
        schedule,
        params.p_start,
        progress,
    )
    n_tested = params.n_trials * points_per_trial(params)
    arrays["clock_encoders"] = input_weights @ draw_points(params, "test", streams, n_tested)[0].T
    arrays["push_seed"] = np.array(streams.integer("pushes"))
    return training_record.trained(arrays, outputs, targets, schedule, learning.ENGINE)


def best_line(points: NDArray, classes: NDArray) -> NDArray[np.float64]:
    """Weights and bias (3,) of the line with the fewest errors on the given points.

    Directions are tried in steps of a degree, in each all places between neighbouring points.
    """
    best, fewest_errors = np.zeros(3), len(points) + 1
    for angle in np.deg2rad(np.arange(360)):
        direction = np.array([np.cos(angle), np.sin(angle)])
        projection_order = np.argsort(projections := points @ direction)
        signs = 2 * classes[projection_order] - 1
        # Of a line before the k-th point: class 1 before it and class 0 from there on are wrong.
        n_errors = np.concatenate([[0], np.cumsum(signs)]) + np.sum(classes == 0)
        if (i_cut := int(n_errors.argmin())) < len(points) and n_errors[i_cut] < fewest_errors:
            edge = projections[projection_order][max(i_cut - 1, 0) : i_cut + 1].mean()
            best, fewest_errors = np.append(direction, -edge), int(n_errors[i_cut])
    return best


def evaluate(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> ct.Outcome | None:
    """Classes by a control; the network's test trials run in Brian2's program alone."""
    if variant == "spiking":
        return None
    assert task.features is not None
    score = task.features @ network.arrays["w"][:2] + network.arrays["w"][2]
    return _make_labels(params, score, task)


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Outcome:
    """The sign of the mean output while a point is shown (Eq. 46)."""
    width = round(params.slot_ms / SAMPLE_MS)
    # A trial of smoke ends in the middle of a slot.
    outputs = recording.traces["output"][:, : 2 * points_per_trial(params) * width, 0]
    return _make_labels(params, outputs.reshape(len(outputs), -1, width).mean(axis=2), task)


def _make_labels(params: ct.Params, score: NDArray, task: ct.Task) -> ct.Labels:
    return ct.Labels(
        targets=np.asarray(task.targets, np.int64),
        choices=(score > 0).astype(np.int64),
        dt_ms=float(params.slot_ms),
        n_classes=2,
    )
