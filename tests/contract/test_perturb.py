"""Perturbations: what they keep, what they change, and by how much."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whyspiking.contract import perturb
from whyspiking.contract.spikes import Spikes

DURATION = 20.0


def random_spikes(seed: int, n: int = 60, n_trials: int = 7, n_units: int = 5) -> Spikes:
    rng = np.random.default_rng(seed)
    return Spikes.sorted(
        rng.uniform(0, DURATION, n),
        rng.integers(n_units, size=n),
        rng.integers(n_trials, size=n),
        n_trials=n_trials,
        n_units=n_units,
        duration_ms=DURATION,
    )


def equal(a: Spikes, b: Spikes) -> bool:
    return (
        np.array_equal(a.times_ms, b.times_ms)
        and np.array_equal(a.units, b.units)
        and np.array_equal(a.trials, b.trials)
    )


def is_sorted(spikes: Spikes) -> bool:
    order = np.lexsort((spikes.units, spikes.times_ms, spikes.trials))
    return bool((order == np.arange(len(spikes))).all())


seeds = st.integers(0, 10_000)
sizes = st.integers(0, 80)


SAME, FEWER, MORE = np.equal, np.less_equal, np.greater_equal
ACTS = {
    "jitter": (lambda s, x, rng: perturb.jitter(s, 100 * x, rng), SAME),
    "shift": (lambda s, x, rng: perturb.shift(s, 100 * x, rng), SAME),
    "shuffle": (lambda s, x, rng: perturb.shuffle(s, rng), SAME),
    "shuffle_window": (lambda s, x, rng: perturb.shuffle_window(s, x, rng), SAME),
    "delete": (lambda s, x, rng: perturb.delete(s, x, rng), FEWER),
    "insert": (lambda s, x, rng: perturb.insert(s, 3 * x, rng), MORE),
}
"""Perturbation -> what it does at a strength in 0..1, and to the counts of spikes."""


@pytest.mark.parametrize("name", ACTS)
@given(
    seed=seeds,
    n=sizes,
    x=st.floats(0, 1) | st.sampled_from([5e-324, 1e-17, 1 / 32, 0.1, 0.3, 0.5]),
)
@settings(deadline=None, max_examples=60)
def test_perturbed_spikes_are_as_many_as_is_said_in_order_and_inside(name, seed, n, x):
    (act, compared), spikes = ACTS[name], random_spikes(seed, n)
    new = act(spikes, x, np.random.default_rng(seed))
    assert compared(new.counts(), spikes.counts()).all()
    assert is_sorted(new)
    low, high = perturb.firing_window(spikes) if "shuffle" in name else (0, DURATION)
    assert ((new.times_ms >= low) & (new.times_ms <= high)).all()


@given(seeds, sizes)
@settings(deadline=None, max_examples=60)
def test_twice_reversed_is_as_before(seed, n):
    spikes = random_spikes(seed, n)
    window = perturb.firing_window(spikes)
    turned = perturb.reverse(spikes, window)
    assert np.array_equal(turned.counts(), spikes.counts())
    assert is_sorted(turned)
    assert perturb.firing_window(turned) == pytest.approx(window)
    again = perturb.reverse(turned, window)
    assert np.array_equal(again.units, spikes.units)
    np.testing.assert_allclose(again.times_ms, spikes.times_ms, atol=1e-12)


@given(seeds, sizes)
@settings(deadline=None, max_examples=60)
def test_strength_zero_is_the_identity(seed, n):
    spikes = random_spikes(seed, n)
    rng = np.random.default_rng(seed)
    for name in set(ACTS) - {"shuffle"}:
        assert equal(ACTS[name][0](spikes, 0.0, rng), spikes), name
    weights = rng.standard_normal((4, 3))
    assert np.array_equal(perturb.mismatch(weights, 0.0, rng), weights)
    assert np.array_equal(perturb.clip(weights, 1.0), weights)


def volleys(n_trials: int, n_units: int, times_ms: list[float], duration_ms: float) -> Spikes:
    """Every neuron fires at the same times in every trial."""
    trials, units, k = np.indices((n_trials, n_units, len(times_ms))).reshape(3, -1)
    return Spikes.sorted(
        np.array(times_ms)[k],
        units,
        trials,
        n_trials=n_trials,
        n_units=n_units,
        duration_ms=duration_ms,
    )


def trains(spikes: Spikes) -> np.ndarray:
    """Sorted times, (trial, neuron, spike), where all neurons fire equally often."""
    order = np.lexsort((spikes.times_ms, spikes.units, spikes.trials))
    return spikes.times_ms[order].reshape(spikes.n_trials, spikes.n_units, -1)


def test_a_shift_keeps_intervals_of_a_neuron_and_no_others():
    spikes = volleys(4000, 3, [100.0, 101.0, 104.0], 200.0)
    moved = trains(perturb.shift(spikes, 2.0, np.random.default_rng(0)))
    np.testing.assert_allclose(np.diff(moved, axis=2), np.broadcast_to([1.0, 3.0], (4000, 3, 2)))
    assert (moved[..., 0] - 100).std() == pytest.approx(2.0, rel=0.03)
    between = moved[:, 0, 0] - moved[:, 1, 0]
    assert between.std() == pytest.approx(2.0 * np.sqrt(2), rel=0.04)
    # Independent between neurons and between trials.
    assert abs(np.corrcoef(moved[..., 0].T)[0, 1]) < 0.06
    assert abs(np.corrcoef(moved[:-1, 0, 0], moved[1:, 0, 0])[0, 1]) < 0.06


def test_where_no_neuron_fires_twice_a_shift_is_jitter():
    once, twice = volleys(5, 4, [3.0], 20.0), volleys(5, 4, [3.0, 9.0], 20.0)
    assert perturb.fires_once(once)
    assert not perturb.fires_once(twice)
    assert perturb.fires_once(random_spikes(0, 0))
    moved, jittered = (
        act(once, 1.0, np.random.default_rng(2)) for act in (perturb.shift, perturb.jitter)
    )
    assert equal(moved, jittered)  # the same draws: spikes come trial by trial, neuron by neuron


def test_reversal_by_hand():
    spikes = volleys(1, 1, [1.0, 2.0, 5.0], 10.0)
    assert trains(perturb.reverse(spikes)).ravel().tolist() == [1.0, 4.0, 5.0]
    assert trains(perturb.reverse(spikes, (0.0, 8.0))).ravel().tolist() == [3.0, 6.0, 7.0]
    silent = random_spikes(0, 0)
    assert equal(perturb.reverse(silent), silent)


def test_reversal_stays_on_the_grid():
    rng = np.random.default_rng(0)
    raster = rng.random((3, 40, 5)) < 0.3
    raster[0, [0, -1], 0] = True
    turned = perturb.reverse(Spikes.from_raster(raster, 0.1))
    assert np.array_equal(turned.raster(turned.steps(0.1), 40), raster[:, ::-1])


def test_jitter_reflects_at_both_borders():
    n = 40_000
    spikes = Spikes.sorted(
        np.repeat([0.0, 1.0], n // 2),
        np.zeros(n),
        np.zeros(n),
        n_trials=1,
        n_units=1,
        duration_ms=1.0,
    )
    moved = perturb.jitter(spikes, 0.1, np.random.default_rng(1)).times_ms
    # A folded normal has mean sigma sqrt(2/pi).
    near = moved[moved < 0.5]
    assert near.size == n // 2
    assert near.mean() == pytest.approx(0.1 * np.sqrt(2 / np.pi), rel=0.02)
    assert (1 - moved[moved > 0.5]).mean() == pytest.approx(0.1 * np.sqrt(2 / np.pi), rel=0.02)


def test_shuffle_is_uniform_on_the_firing_window():
    spikes = random_spikes(3, 20_000)
    new = perturb.shuffle(spikes, np.random.default_rng(0), (5.0, 15.0))
    assert new.times_ms.mean() == pytest.approx(10.0, abs=0.1)
    assert new.times_ms.std() == pytest.approx(10 / np.sqrt(12), rel=0.02)


def test_shuffle_window_keeps_spikes_in_their_window():
    spikes = random_spikes(4, 2000)
    window = (0.0, DURATION)
    new = perturb.shuffle_window(spikes, 0.25, np.random.default_rng(0), window)
    bins = np.arange(spikes.n_trials + 1), np.arange(spikes.n_units + 1), [0, 5, 10, 15, 20.001]
    before, after = (
        np.histogramdd((s.trials, s.units, s.times_ms), bins)[0] for s in (spikes, new)
    )
    assert np.array_equal(before, after) and before.sum() == 2000
    assert not equal(new, spikes)


def test_a_window_that_does_not_divide_the_time_ends_with_a_shorter_one():
    spikes = Spikes.sorted(
        np.full(500, 19.0), np.zeros(500), np.zeros(500), n_trials=1, n_units=1, duration_ms=20.0
    )
    new = perturb.shuffle_window(spikes, 0.3, np.random.default_rng(0), (0.0, 20.0))
    assert new.times_ms.min() >= 18.0
    assert new.times_ms.max() <= 20.0
    assert new.times_ms.std() == pytest.approx(2 / np.sqrt(12), rel=0.1)


@pytest.mark.parametrize("share", [5e-324, 1e-310, 1e-300, 1e-17])
def test_windows_narrower_than_times_are_rounded_move_nothing(share):
    spikes = random_spikes(4, 200)
    assert equal(perturb.shuffle_window(spikes, share, np.random.default_rng(0)), spikes)


def test_swap_trials_moves_every_train_within_its_class():
    first = np.arange(24.0).reshape(8, 3) / 2
    labels = np.array([0, 0, 0, 1, 1, 1, 1, 2])
    spikes = Spikes.from_first_spikes(first, DURATION)
    swapped = perturb.swap_trials(spikes, labels, np.random.default_rng(0)).first_ms()
    for label in (0, 1):
        rows = labels == label
        for unit in range(3):
            assert set(swapped[rows, unit]) == set(first[rows, unit])
            assert (swapped[rows, unit] != first[rows, unit]).all()
    assert np.array_equal(swapped[labels == 2], first[labels == 2])


def test_swap_trials_breaks_correlations_between_neurons():
    rng = np.random.default_rng(0)
    shared = rng.uniform(0, DURATION, (400, 1))
    spikes = Spikes.from_first_spikes(np.repeat(shared, 2, axis=1), DURATION)
    swapped = perturb.swap_trials(spikes, np.zeros(400), rng).first_ms()
    assert abs(np.corrcoef(swapped.T)).min() < 0.15


def test_insert_adds_the_stated_rate_evenly():
    spikes = random_spikes(5, 20_000)
    more = perturb.insert(spikes, 0.5, np.random.default_rng(0))
    assert len(more) == pytest.approx(30_000, rel=0.02)
    added = more.counts() - spikes.counts()
    assert added.mean() == pytest.approx(10_000 / 35, rel=0.02)
    assert added.var() == pytest.approx(added.mean(), rel=0.6)


def test_earliest_keeps_first_spikes():
    spikes = random_spikes(6, 200)
    kept = perturb.earliest(spikes)
    assert kept.counts().max() == 1
    assert np.array_equal(kept.first_ms(), spikes.first_ms())


def test_concatenate_stacks_trials():
    a, b = random_spikes(7), random_spikes(8, 0)
    joined = perturb.concatenate([a, b, a])
    assert joined.n_trials == 21
    assert equal(joined.select_trials(range(14, 21)), a)
    with pytest.raises(ValueError, match="same number of neurons"):
        perturb.concatenate([a, random_spikes(1, n_units=6)])


def test_ties_in_time_are_ordered_by_unit():
    like = random_spikes(9, 0)
    built = perturb.ordered(
        np.array([2.0, 2.0, 1.0]), np.array([3, 1, 2]), np.array([0, 0, 0]), like=like
    )
    assert built.units.tolist() == [2, 1, 3]


@given(seeds, st.integers(2, 8))
@settings(deadline=None, max_examples=60)
def test_quantisation_is_idempotent_symmetric_and_has_few_levels(seed, bits):
    weights = np.random.default_rng(seed).standard_normal((6, 5))
    once = perturb.quantise(weights, bits)
    assert np.allclose(perturb.quantise(once, bits), once, rtol=1e-12, atol=0)
    assert np.allclose(perturb.quantise(-weights, bits), -once)
    step = np.abs(weights).max() / (2 ** (bits - 1) - 1)
    assert np.abs(once - weights).max() <= step / 2 * (1 + 1e-9)
    assert np.unique(np.round(once / step)).size <= 2**bits - 1


def test_quantise_and_clip_by_hand():
    assert perturb.quantise(np.array([-0.9, 0.2, 0.6, 1.0]), 2).tolist() == [-1, 0, 1, 1]
    assert perturb.quantise(np.zeros(3), 4).tolist() == [0, 0, 0]
    assert perturb.quantise(np.ones(2, np.float32), 4).dtype == np.float32
    assert perturb.clip(np.array([-4.0, 1.0, 3.0]), 0.5).tolist() == [-2, 1, 2]


def test_mismatch_has_the_stated_spread_and_keeps_signs():
    rng = np.random.default_rng(0)
    weights = np.where(rng.random(50_000) < 0.5, -2.0, 2.0)
    changed = perturb.mismatch(weights, 0.1, rng)
    # Cutting at three standard deviations takes 1.3 % off the spread.
    assert (changed / weights).std() == pytest.approx(0.1 * 0.9866, rel=0.01)
    assert np.abs(changed / weights - 1).max() <= 0.3 + 1e-12
    wild = perturb.mismatch(weights, 2.0, rng) / weights
    assert wild.min() == pytest.approx(perturb.MISMATCH_FLOOR)


@pytest.mark.parametrize(
    "call",
    [
        lambda s, r: perturb.jitter(s, -1.0, r),
        lambda s, r: perturb.shift(s, -1.0, r),
        lambda s, r: perturb.delete(s, 1.5, r),
        lambda s, r: perturb.insert(s, -0.1, r),
        lambda s, r: perturb.shuffle_window(s, 1.1, r),
        lambda s, r: perturb.mismatch(np.ones(2), -0.1, r),
        lambda s, r: perturb.quantise(np.ones(2), 1),
        lambda s, r: perturb.clip(np.ones(2), 0.0),
    ],
)
def test_impossible_strengths_are_refused(call):
    with pytest.raises(ValueError, match="must"):
        call(random_spikes(0), np.random.default_rng(0))
