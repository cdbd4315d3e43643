"""Bohte: spoken digits, and written ones pixel by pixel."""

from dataclasses import replace

import numpy as np
import pytest
from made.checkouts import ROOT
from made.fulfilled import task_of
from made.project import config, params_of

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Task
from whyspiking.declared import registry
from whyspiking.talks.bohte import network, one_class, pixels, spoken_digits

# ---- spoken digits --------------------------------------------------------------------------


def test_copies_move_along_the_channels_and_lose_what_falls_off():
    x = np.zeros((1, 2, 6), bool)
    x[0, 0, [0, 2, 5]] = True
    moved, labels = spoken_digits.shifted(x, np.array([7]), [-2, 0, 1])
    assert labels.tolist() == [7, 7, 7]
    assert [np.flatnonzero(copy[0]).tolist() for copy in moved] == [[0, 3], [0, 2, 5], [1, 3]]
    assert not moved[:, 1].any()


def test_every_channel_fires_as_often_as_wanted():
    rng = np.random.default_rng(0)
    x = rng.random((3 * spoken_digits.AT_ONCE // 2, 12, 4)) < [0.1, 0.5, 0.9, 0.5]
    wanted = np.array([1, 3, 12, 0])
    found = spoken_digits.with_counts(x, wanted, rng)
    assert (found.sum(axis=1) == wanted).all()
    # Spikes that are there are used before any is added, and none is preferred.
    assert ((found & x).sum(axis=1) == np.minimum(x.sum(axis=1), wanted)).all()
    more = x[:, :, 1].sum(axis=1) > 3
    kept = found[more, :, 1].sum(axis=0) / x[more, :, 1].sum(axis=0)
    assert np.abs(kept - kept.mean()).max() < 0.1
    added = (found & ~x)[:, :, 0].sum(axis=0)
    assert np.abs(added - added.mean()).max() < 4 * np.sqrt(added.mean())


def test_counts_are_made_equal_where_the_experiment_says_so(monkeypatch):
    """Copies for other throats are moved first: an empty edge would tell how far."""
    rng = np.random.default_rng(1)
    parts = {"train": rng.random((30, 20, 6)) < 0.4, "test_heldout": rng.random((9, 20, 6)) < 0.2}

    def frames(folder, part, *sizes):
        n = len(parts[part])
        return parts[part], np.arange(n) % 2, np.arange(n)

    monkeypatch.setattr(spoken_digits, "_frames", frames)
    own = {"shifts": [-2, 0], "n_steps": 20, "step_ms": 10.0, "n_most": 100}
    plain, equal = (
        replace(params_of("bohte", name, **own), dataset_dir=ROOT)
        for name in ("spoken", "digits_counted")
    )
    wanted = np.sort(parts["train"].sum(axis=1), axis=0)[14]
    test = spoken_digits.make_task(equal, "test", Streams(0))
    assert (test.features == wanted).all()
    assert (test.stimulus.spikes["input"].counts() == wanted).all()
    x, labels = spoken_digits.shown(equal, "train", Streams(0))
    assert (x.sum(axis=1) == wanted).all()
    assert labels.tolist() == [0, 1] * 30
    # Elsewhere nothing is drawn.
    told = spoken_digits.make_task(plain, "test", Streams(0))
    assert np.array_equal(told.features, parts["test_heldout"].sum(axis=1))
    assert np.array_equal(spoken_digits.shown(plain, "train", Streams(0))[0][30:], parts["train"])


def test_the_decision_falls_where_the_sum_names_no_other_class_any_more():
    params = params_of("bohte", "spoken", n_unscored=1, step_ms=10.0)
    large = 50.0
    outputs = np.zeros((3, 5, 2))
    outputs[0, :, 0] = large  # class 0 all the time
    outputs[1, :2, 0], outputs[1, 2:, 1] = large, large  # class 1 leads from the fourth step on
    outputs[2, :, 1] = large
    outputs[2, 0] = [10 * large, 0]  # the first step does not count
    test = Task(task_of(params_of("bohte", "ecg")).stimulus, np.array([0, 1, 1]), 2)
    found = one_class.outcome(params, outputs, test)
    assert found.choices.tolist() == [0, 1, 1]
    # Steps 0 .. 4 end at 10 .. 50 ms; sums tie at step 2, where the first class stands.
    assert found.decision_ms.tolist() == [20.0, 40.0, 20.0]


# ---- pixel by pixel ---------------------------------------------------------------------------


def test_a_step_shows_the_last_pixels_read(monkeypatch):
    images = np.zeros((2, 784), np.uint8)
    images[0, [0, 5, 783]] = 255
    images[1] = 25  # fainter than a tenth
    images[1, 9] = 26

    def samples(params, split, *, n_held_out):
        assert params.n_input == 784 and n_held_out == params.n_validation
        return images, np.array([3, 4])

    monkeypatch.setattr(pixels.mnist, "samples", samples)
    shown, labels = pixels.frames(params_of("bohte", "smnist", n_steps=784, n_input=8), "train")
    assert shown.shape == (2, 784, 8) and labels.tolist() == [3, 4]
    # Pixel p is the last channel at step p, and moves down by one channel with every step.
    for p in (0, 5):
        for age in range(8):
            assert shown[0, p + age, 7 - age]
    assert shown[0].sum() == 8 + 8 + 1 and shown[0, 783, 7]
    assert shown[1].sum() == 8 and shown[1, 9, 7]


def test_gated_units_have_as_many_parameters_as_the_network_of_digits():
    experiment = registry.load_talk("bohte").experiments["smnist"]
    sizes = []
    for variant, cell in (("spiking", "alif"), ("gru", "gru")):
        params = registry.params(experiment, config("paper"), 0, variant)
        arrays = network.initial(params, cell, np.random.default_rng(0))
        sizes.append(sum(x.size for x in arrays.values() if x.ndim < 2 or x.any()))
    assert sizes[1] == pytest.approx(sizes[0], rel=0.01)


def test_recurrent_weights_begin_as_published_and_what_is_fixed_has_no_rate():
    params = params_of("bohte", "smnist")
    start = network.initial(params, "alif", np.random.default_rng(0))
    assert [bool(start[f"w_rec_{k}"].any()) for k in range(3)] == [True, True, False]
    rates = network.rates(params, "alif")
    assert rates["w_rec_2"] == 0 and "w_rec_1" not in rates
    assert "w_rec_2" not in network.rates(params, "gru")
    fixed = network.rates(params_of("bohte", "timescales"), "alif_fixed")
    assert fixed == dict.fromkeys(("log_tau_mem_0", "log_tau_adapt_0", "log_tau_out"), 0.0)
