"""Bohte: one class for a whole trial."""

import numpy as np
from made.project import params_of

from whyspiking.contract.types import Stimulus, Task
from whyspiking.talks.bohte import one_class


def test_the_decision_falls_where_the_sum_names_no_other_class_any_more():
    params = params_of("bohte", "shared_yinyang", n_unscored=1, step_ms=10.0)
    large = 50.0
    outputs = np.zeros((3, 5, 2))
    outputs[0, :, 0] = large  # class 0 all the time
    outputs[1, :2, 0], outputs[1, 2:, 1] = large, large  # class 1 leads from the fourth step on
    outputs[2, :, 1] = large
    outputs[2, 0] = [10 * large, 0]  # the first step does not count
    test = Task(Stimulus(), np.array([0, 1, 1]), 2)
    found = one_class.outcome(params, outputs, test)
    assert found.choices.tolist() == [0, 1, 1]
    # Steps 0 .. 4 end at 10 .. 50 ms; sums tie at step 2, where the first class stands.
    assert found.decision_ms.tolist() == [20.0, 40.0, 20.0]
