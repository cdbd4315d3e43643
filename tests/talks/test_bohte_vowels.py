"""Bohte: recorded vowels as events of their coefficients."""

from dataclasses import replace

import numpy as np
import pytest
from made.checkouts import ROOT
from made.fulfilled import task_of
from made.project import params_of

from whyspiking.contract.randomness import Streams
from whyspiking.talks.bohte import vowels


def own(**changes):
    return replace(params_of("bohte", "vowels", **changes), dataset_dir=ROOT)


@pytest.fixture
def recorded(monkeypatch):
    """Nine speakers, 30 utterances each for training and five for the test, who differ in level."""
    rng = np.random.default_rng(0)

    def load(folder, file):
        speakers = np.repeat(np.arange(9), 30 if file == "train" else 5)
        start = np.random.default_rng(2).choice([-1.0, 2.0], (9, 12))
        series = [start[k] + 0.3 * rng.normal(size=(rng.integers(7, 30), 12)) for k in speakers]
        return series, speakers

    monkeypatch.setattr(vowels.vowels, "load", load)
    vowels._standardised.cache_clear()
    yield
    vowels._standardised.cache_clear()


def test_events_follow_the_coefficients_within_a_level():
    rng = np.random.default_rng(1)
    # Slow enough to be followed: less than a level from one step to the next.
    series = [np.cumsum(rng.uniform(-0.7, 0.7, (n, 2)), axis=0) for n in (7, 12)]
    series = [one - one[0] for one in series]
    found = vowels.crossings(series, 0.25, 4, 60)
    assert found.shape == (2, 60, 4)
    for k, one in enumerate(series):
        ups, downs = found[k, :, :2].astype(float), found[k, :, 2:]
        assert not (found[k, :, :2] & downs).any()
        course = 0.25 * np.cumsum(ups - downs, axis=0)
        last = (len(one) - 1) * 4
        assert np.abs(course[: last + 1 : 4] - one).max() < 0.25
        assert not found[k, last + 1 :].any(), "nothing after the last frame"


def test_the_reference_starts_at_the_mean_and_catches_up_one_level_a_step():
    found = vowels.crossings([np.full((7, 1), 1.1)], 0.5, 2, 14)
    assert np.flatnonzero(found[0, :, 0]).tolist() == [0, 1]
    assert not found[0, :, 1].any()
    assert np.flatnonzero(vowels.crossings([np.full((7, 1), -0.5)], 0.5, 2, 14)).tolist() == [1]


@pytest.mark.usefixtures("recorded")
def test_splits_are_by_place_in_the_training_file_and_the_test_file_is_apart():
    params = own(n_most=100)
    sizes = {split: vowels.utterances(params, split) for split in ("train", "validation", "test")}
    assert [len(speakers) for _, speakers in sizes.values()] == [216, 54, 45]
    for _, speakers in sizes.values():
        assert len(set(np.bincount(speakers))) == 1
    assert len(vowels.utterances(own(n_most=2), "train")[1]) == 18
    assert vowels.make_task(params, "fresh", Streams(0)) is None
    task = task_of(params)
    assert task.features is not None and task.units is None
    assert np.array_equal(task.features, task.stimulus.spikes["input"].counts())
    assert np.array_equal(task.features, sizes["test"][0].sum(axis=1))


def test_scales_are_those_of_the_utterances_that_are_learned_from(recorded, monkeypatch):
    """What is held out or tested moves neither the mean nor the spread."""
    load = vowels.vowels.load

    def shifted(folder, file):
        series, speakers = load(folder, file)
        late = np.concatenate([np.arange(30)] * 9) >= 24 if file == "train" else [True] * 45
        return [one + 9 * moved for one, moved in zip(series, late, strict=True)], speakers

    monkeypatch.setattr(vowels.vowels, "load", shifted)
    learned, _ = vowels._standardised(ROOT, "train", 6)
    frames = np.concatenate(learned)
    assert np.abs(frames.mean(axis=0)).max() < 1e-9
    assert np.abs(frames.std(axis=0) - 1).max() < 1e-9
    for split in ("validation", "test"):
        assert np.concatenate(vowels._standardised(ROOT, split, 6)[0]).mean() > 2
