"""Outcomes in which every time step is labelled."""

import numpy as np
import pytest

from whyspiking.battery import curves
from whyspiking.contract import trial_subsets
from whyspiking.contract.types import Labels
from whyspiking.measures import labelling, parity, scoring

TRUTH = np.repeat([0, 1, 2, 0], 10)[None]


def labels(choices, targets=TRUTH, dt_ms=4.0):
    return Labels(np.asarray(targets), np.atleast_2d(choices), dt_ms, 3)


def test_labels_pass_through_the_battery():
    both = Labels(np.repeat(TRUTH, 2, 0), np.stack([TRUTH[0], np.zeros(40, int)]), 4.0, 3)
    assert scoring.n_trials(both) == 2
    assert scoring.score(scoring.select(both, np.array([0]))) == 1
    means = curves.mean_measures([labels(TRUTH[0]), labels(np.zeros(40, int))], 1.0, 0.5)
    assert means == {"score": 0.75, "accuracy": 0.75, "normalised_score": 0.5}
    compared = parity.compare_outcomes(labels(TRUTH[0]), labels(np.zeros(40, int)))
    assert compared == {"score_difference": 0.5, "equal_decisions": 0.5}
    limits = {"n_trials": 500, "n_labelled_trials": 48}
    assert trial_subsets.perturbed_limit(both, limits) == 48


def late(shift):
    """The truth, shifted; class 0 where it comes from outside."""
    chosen = np.roll(TRUTH[0], shift)
    chosen[: max(shift, 0)] = 0
    chosen[40 + min(shift, 0) :] = 0
    return chosen


FLICKER = np.where(np.arange(40) == 7, 1, TRUTH[0])
UNLABELLED = np.where(np.arange(40) < 30, TRUTH, -1)


@pytest.mark.parametrize(
    ("chosen", "truth", "delay", "missed"),
    [
        *((late(shift), TRUTH, 4.0 * shift, 0) for shift in (-3, 0, 4)),
        (FLICKER, TRUTH, 0.0, 0),  # before the change it is not the change
        (np.where(TRUTH[0] == 2, 1, TRUTH[0]), TRUTH, 0.0, 1 / 3),  # a class never chosen
        (late(2), UNLABELLED, 8.0, 0),  # changes at unlabelled steps do not count
    ],
)
def test_delays_of_label_changes(chosen, truth, delay, missed):
    found = labelling.delays(labels(chosen, truth))
    assert found == pytest.approx({"label_delay": delay, "missed_changes": missed})
    assert labelling.delays(labels(chosen, np.zeros_like(TRUTH))) == {}


def test_only_labelled_steps_are_scored():
    chosen = np.zeros(40, int)
    found = scoring.measures(labels(chosen, UNLABELLED))
    for name in ("score", "accuracy", "chance"):
        assert found[name] == pytest.approx(1 / 3)
    assert scoring.chance(labels(chosen)) == pytest.approx(1 / 2)  # class 0 lasts half the time
