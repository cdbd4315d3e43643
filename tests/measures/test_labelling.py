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


@pytest.mark.parametrize("shift", [-3, 0, 4])
def test_a_shifted_copy_is_late_by_its_shift(shift):
    chosen = np.roll(TRUTH[0], shift)
    chosen[: max(shift, 0)] = 0
    chosen[40 + min(shift, 0) :] = 0
    found = labelling.delays(labels(chosen))
    assert found == {"label_delay": 4.0 * shift, "missed_changes": 0.0}


def test_a_flicker_before_the_change_is_not_the_change():
    chosen = TRUTH[0].copy()
    chosen[7] = 1
    assert labelling.delays(labels(chosen))["label_delay"] == 0


def test_a_class_that_is_never_chosen_is_missed():
    chosen = np.where(TRUTH[0] == 2, 1, TRUTH[0])
    assert labelling.delays(labels(chosen))["missed_changes"] == pytest.approx(1 / 3)


def test_changes_at_unlabelled_steps_do_not_count():
    truth = TRUTH.copy()
    truth[0, 30:] = -1
    chosen = np.roll(TRUTH[0], 2)
    chosen[:2] = 0
    assert labelling.delays(labels(chosen, truth)) == {"label_delay": 8.0, "missed_changes": 0.0}
    assert labelling.delays(labels(chosen, np.zeros_like(TRUTH))) == {}


def test_only_labelled_steps_are_scored():
    truth = TRUTH.copy()
    truth[0, 30:] = -1
    chosen = np.zeros(40, int)
    outcome = labels(chosen, truth)
    assert scoring.score(outcome) == pytest.approx(1 / 3)
    assert scoring.measures(outcome)["accuracy"] == pytest.approx(1 / 3)
    assert scoring.chance(outcome) == pytest.approx(1 / 3)
    assert scoring.chance(labels(chosen)) == pytest.approx(1 / 2)  # class 0 lasts half the time


def test_labels_pass_through_the_battery():
    both = Labels(np.repeat(TRUTH, 2, 0), np.stack([TRUTH[0], np.zeros(40, int)]), 4.0, 3)
    assert scoring.n_trials(both) == 2
    assert scoring.score(scoring.select(both, np.array([0]))) == 1
    means = curves.mean_measures([labels(TRUTH[0]), labels(np.zeros(40, int))], 1.0, 0.5)
    assert means == {"score": 0.75, "accuracy": 0.75, "normalised_score": 0.5}
    compared = parity.compare_outcomes(labels(TRUTH[0]), labels(np.zeros(40, int)))
    assert compared == {"score_difference": 0.5, "equal_decisions": 0.5}
    limits = {"trials": 500, "records": 48}
    assert trial_subsets.perturbed_limit(both, limits) == 48


def test_rates_of_both_engines_are_compared():
    from whyspiking.contract.spikes import Spikes

    units = np.array([0, 1, 1, 2, 2, 2])
    spikes = Spikes.sorted(
        np.arange(6.0), units, np.zeros(6, int), n_trials=1, n_units=3, duration_ms=9
    )
    found = parity.compare_rates({"hidden": spikes}, {"hidden": np.array([[2, 4, 6]])})
    assert found["rate_correlation"] == pytest.approx(1)
    reverse = parity.compare_rates({"hidden": spikes}, {"hidden": np.array([[6, 4, 2]])})
    assert reverse["rate_correlation"] == pytest.approx(-1)
    assert parity.compare_rates({"hidden": spikes}, {}) == {}
