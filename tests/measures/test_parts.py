"""Scores of the parts of a test set."""

import numpy as np
import pytest

from whyspiking.contract.trial_subsets import with_units
from whyspiking.contract.types import Labels, Stimulus, Task, Traces, Trials
from whyspiking.measures import parts, scoring


def trials(n: int, units=None) -> Trials:
    rng = np.random.default_rng(3)
    targets = rng.integers(0, 4, n)
    choices = np.where(rng.random(n) < 0.7, targets, -1)
    times = np.where(choices >= 0, rng.random(n), np.inf)
    return Trials(targets, choices, times, 4, units)


def test_parts_add_up_to_the_whole():
    outcome = trials(230)
    found = list(parts.by_part(outcome))
    assert len(found) == parts.PARTS
    sizes = np.array([n for _, _, n in found])
    scores = np.array([values["accuracy"] for _, values, _ in found])
    assert sizes.sum() == 230
    assert sizes @ scores / 230 == pytest.approx(scoring.accuracy(outcome))
    place, _, _ = found[3]
    assert place == {"perturbation": "part", "location": "", "strength": 3.0}


def test_units_are_the_parts_where_they_are_named():
    units = np.repeat([7, 3], [10, 20])
    task = Task(Stimulus(), np.zeros(30, int), 4, units=units)
    outcome = with_units(trials(30), task)
    found = list(parts.by_part(outcome))
    assert [(p["location"], p["strength"], n) for p, _, n in found] == [
        ("unit", 3.0, 20),
        ("unit", 7.0, 10),
    ]
    first = scoring.select(outcome, np.arange(10, 30))
    assert found[0][1]["accuracy"] == pytest.approx(scoring.accuracy(first))


def test_unlabelled_parts_and_continuous_outputs_have_no_accuracy():
    labels = Labels(np.array([[0, -1], [-1, -1]]), np.zeros((2, 2), int), 1.0, 3)
    found = list(parts.by_part(labels))
    assert [values for _, values, _ in found] == [{"accuracy": 1.0}, {}]
    traces = Traces(np.zeros((2, 5, 1)), np.ones((2, 5, 1)), 1.0)
    assert list(parts.by_part(traces)) == []
