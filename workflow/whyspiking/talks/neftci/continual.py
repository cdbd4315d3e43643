"""Digits in lessons of a few classes, one after the other, without replay (README, section 8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.datasets.recordings import Recordings
from whyspiking.errors import UserError
from whyspiking.talks.neftci import decisions, training
from whyspiking.talks.neftci import task as tasks
from whyspiking.talks.neftci.digits import bind, decode, evaluate, make_task, to_brian
from whyspiking.talks.neftci.model import Weights
from whyspiking.talks.neftci.training import Rounds

__all__ = ["bind", "decode", "evaluate", "make_task", "to_brian", "train"]

LESSON = "told_lesson"
"""History of lesson k: share right among its classes, named this and k."""


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train one variant with a constant rate, every digit shown once.

    `joint...` sees the digits of all lessons mixed, in as many rounds of the same size; `last...`
    the last lesson alone; all others one lesson after the other. The rule is named by the end of
    the variant's name ("bptt", "batched"), or is the experiment's.
    """
    lessons = lessons_of(params, tasks.recordings_of(params, "train"))
    schedule, _, rule = variant.rpartition("_")
    if schedule == "joint":
        lessons = mix_lessons(lessons)
    elif schedule == "last":
        lessons = lessons[-1:]
    held_out = tasks.recordings_of(params, "validation")

    def watch(weights: Weights) -> dict[str, float]:
        return measure_lessons(params, weights, held_out)

    rounds = Rounds(len(lessons), lambda k: lessons[k], held_out, decays=False, watch=watch)
    trained = training.fit(params, rule, streams, progress, rounds)
    if schedule not in ("joint", "last"):
        trained.info["measures"] |= measure_forgetting(trained.history, params)
    return trained


def lessons_of(params: ct.Params, data: Recordings) -> list[Recordings]:
    """The digits of each lesson in the order of the file, equally many in each.

    Raises:
        UserError: If classes cannot be divided into such lessons.
    """
    n_per_lesson = params.lesson_classes
    if params.n_classes % n_per_lesson or params.n_classes == n_per_lesson:
        raise UserError(
            f"talk '{params.talk}': 'lesson_classes' is {n_per_lesson}; expected a divisor of the "
            f"{params.n_classes} classes that results in at least two lessons. Correct it in "
            "talk.yaml"
        )
    digits_by_lesson = [
        np.flatnonzero(data.labels // n_per_lesson == k)
        for k in range(params.n_classes // n_per_lesson)
    ]
    n = (
        min(len(digits) for digits in digits_by_lesson)
        // len(digits_by_lesson)
        * len(digits_by_lesson)
    )
    return [select_digits(data, digits[:n]) for digits in digits_by_lesson]


def mix_lessons(lessons: Sequence[Recordings]) -> list[Recordings]:
    """Mix the same digits into as many rounds of the same size, each with every lesson in it."""
    n = len(lessons)
    return [
        Recordings(
            np.concatenate([lesson.labels[k::n] for lesson in lessons]),
            np.concatenate([lesson.frames[k::n] for lesson in lessons]),
            lessons[0].n_channels,
            None,
        )
        for k in range(n)
    ]


def select_digits(data: Recordings, digits: NDArray) -> Recordings:
    """Some recordings, without their events."""
    return replace(data, labels=data.labels[digits], frames=data.frames[digits], events=None)


def measure_lessons(params: ct.Params, weights: Weights, data: Recordings) -> dict[str, float]:
    """Measure the share of digits named rightly among the classes of each lesson."""
    readout = training.readouts(params, weights, data.unpacked())[-1]
    outcome = decisions.decide_within(params, data.labels, readout, params.lesson_classes)
    is_correct, lesson_index = (
        outcome.choices == outcome.targets,
        outcome.targets // params.lesson_classes,
    )
    return {
        f"{LESSON}{k + 1}": float(is_correct[lesson_index == k].mean())
        for k in np.unique(lesson_index)
    }


def measure_forgetting(history: Sequence[dict[str, Any]], params: ct.Params) -> dict[str, float]:
    """Measure the accuracy of lessons at their own end, and its loss by the end of the last one.

    Args:
        history: Rows of a training, one round per lesson.
        params: Number of classes and of those per lesson.
    """
    accuracy = {(row["metric"], row["epoch"]): row["value"] for row in history}
    n = params.n_classes // params.lesson_classes
    initial = np.array([accuracy[f"{LESSON}{k}", k] for k in range(1, n + 1)])
    final = np.array([accuracy[f"{LESSON}{k}", n] for k in range(1, n + 1)])
    return {
        "learned_told": float(initial.mean()),
        "forgotten": float((initial - final)[:-1].mean()),
    }
