"""DECOLLE: lessons without replay."""

import numpy as np
import pytest
from made.neftci_networks import digits, params

from whyspiking.errors import UserError
from whyspiking.talks.neftci import continual, decisions

LESSONS = {"n_classes": 4, "lesson_classes": 2, "burn_in_ms": 0.0}


def test_lessons_are_apart_and_their_mixture_is_the_same_digits():
    own = params("continual", **LESSONS)
    data = digits(own, 26)
    first, second = continual.lessons_of(own, data)
    told = [(set(part.labels), len(part.labels)) for part in (first, second)]
    assert told == [({0, 1}, 12), ({2, 3}, 12)]
    np.testing.assert_array_equal(first.frames[2], data.frames[4])
    together = continual.mix_lessons([first, second])
    assert [len(part.labels) for part in together] == [12, 12]
    assert all(set(part.labels // 2) == {0, 1} for part in together)
    seen, given = (
        sorted(frame.tobytes() for part in parts for frame in part.frames)
        for parts in (together, (first, second))
    )
    assert seen == given
    with pytest.raises(UserError, match="expected a divisor"):
        continual.lessons_of(params("continual", n_classes=4, lesson_classes=3), data)


def test_one_who_is_told_the_lesson_chooses_within_it():
    """By hand: ten would say 0; of 2 and 3, 3 leads in two of three steps."""
    own = params("continual", **LESSONS)
    readout = np.array([[[9.0, 0, 1, 2], [9, 0, 1, 2], [9, 0, 2, 1]]])
    assert decisions.decide(own, np.array([3]), readout).choices == [0]
    for target in (2, 3):
        found = decisions.decide_within(own, np.array([target]), readout, 2)
        assert (found.choices, found.targets) == ([3], [target])
    assert decisions.decide_within(own, np.array([1]), readout, 2).choices == [0]


def test_forgetting_is_from_a_lessons_end_to_the_last_one():
    own = params("continual", n_classes=6, lesson_classes=2)
    table = {1: (0.9, 0.5, 0.5), 2: (0.8, 0.95, 0.5), 3: (0.6, 0.75, 1.0)}
    rows = [
        {"epoch": epoch, "metric": f"{continual.LESSON}{k}", "value": value}
        for epoch, values in table.items()
        for k, value in enumerate(values, start=1)
    ]
    found = continual.measure_forgetting(rows, own)
    assert found["learned_told"] == pytest.approx((0.9 + 0.95 + 1.0) / 3)
    assert found["forgotten"] == pytest.approx((0.3 + 0.2) / 2)
