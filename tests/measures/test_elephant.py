"""Rate, variation, timescale and correlation of trains, against Elephant's, where it is here.

Not compared: CV2, which we do not measure; bursts, and variation within trials, which Elephant
does not.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from made import others

from whyspiking.contract.spikes import Spikes
from whyspiking.measures import activity, population

pytestmark = pytest.mark.slow
MEASURES = Path(__file__).parents[1] / "peers" / "elephant_trains.py"
TAU_MS, SECONDS, STEP_MS = 100.0, 1000, 5.0
EVERY = np.arange(8)


def switching() -> Spikes:
    """Neurons that fire with 5 or 45 Hz and switch with tau = 100 ms; two each switch together.

    The autocovariance of such a rate is a pure exponential.
    """
    rng = np.random.default_rng(0)
    steps = round(SECONDS * 1000 / STEP_MS)
    # Both rates are left with 1 / (2 tau).
    flips = rng.random((steps, EVERY.size // 2)) < (1 - np.exp(-STEP_MS / TAU_MS)) / 2
    high = np.cumsum(flips, axis=0) % 2
    rate = np.repeat(np.where(high, 45.0, 5.0), 2, axis=1)
    counts = rng.poisson(rate * STEP_MS / 1000)
    step, unit = np.nonzero(counts)
    often = counts[step, unit]
    step, unit = np.repeat(step, often), np.repeat(unit, often)
    times = (step + rng.random(step.size)) * STEP_MS
    shape = {"n_trials": 1, "n_units": EVERY.size, "duration_ms": SECONDS * 1000.0}
    return Spikes.sorted(times, unit, np.zeros(step.size, int), **shape)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The trains, and what Elephant finds, by name a value per neuron."""
    others.require("elephant")
    spikes, folder = switching(), tmp_path_factory.mktemp("elephant")
    lags = {"bin_ms": population.BIN_MS, "longest_lag_ms": population.LONGEST_LAG_MS}
    np.savez(
        folder / "trains.npz",
        allow_pickle=False,
        times_ms=spikes.times_ms,
        units=spikes.units,
        duration_ms=spikes.duration_ms,
        count_ms=population.COUNT_MS,
        **lags,
    )
    others.ask(str(MEASURES), str(folder / "trains.npz"), str(folder / "found.json"))
    found = json.loads((folder / "found.json").read_text())
    return spikes, {name: np.array(values) for name, values in found.items()}


def test_rate_and_variation_are_those_of_elephant(both):
    spikes, theirs = both
    ours, n = activity.activity(spikes), theirs["intervals"]
    assert ours["rate_hz"] == pytest.approx(theirs["rate_hz"].mean(), rel=1e-12)
    assert ours["isi_lv"] == pytest.approx(theirs["lv"].mean(), rel=1e-12)
    # Elephant's CV is SciPy's: the spread is over n, ours over n - 1.
    cv = (theirs["cv"] * np.sqrt(n / (n - 1))).mean()
    assert ours["isi_cv"] == ours["isi_cv_trial"] == pytest.approx(cv, rel=1e-12)
    assert cv > 1.2, "trains of two rates vary more than Poisson trains"


def test_correlation_of_counts_is_that_of_elephant(both):
    spikes, theirs = both
    pairs = theirs["correlation"][~np.eye(EVERY.size, dtype=bool)]
    found = population.count_correlation(spikes, EVERY)
    assert found == pytest.approx(pairs.mean(), rel=1e-10)
    assert found > 0.03, "one pair of seven switches together"


def test_timescale_is_that_of_elephant(both):
    """Elephant integrates (C / C(first lag))^2, we fit the decay: other definitions, one tau.

    Of C = exp(-lag / tau) in bins of width b its trapezoids give b coth(b / tau), 8 % above tau.
    """
    spikes, theirs = both
    ours = population.timescale(spikes, EVERY)
    assert ours == pytest.approx(TAU_MS, rel=0.05)
    width = population.BIN_MS
    expected = width / np.tanh(width / TAU_MS)
    assert theirs["timescale_ms"].mean() == pytest.approx(expected, rel=0.05)
    assert theirs["timescale_ms"].mean() == pytest.approx(width / np.tanh(width / ours), rel=0.05)
