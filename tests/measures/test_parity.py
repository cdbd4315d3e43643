"""Agreement of two engines with known differences."""

import numpy as np
import pytest

from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Traces, Trials
from whyspiking.measures import parity

INF = np.inf


def outcome(choices, decision_ms) -> Trials:
    return Trials(np.array([0, 1, 0, 1]), np.array(choices), np.array(decision_ms), 2)


def test_equal_decisions_and_their_times():
    ours = outcome([0, 1, 0, 1], [1.0, 2.0, 3.0, 4.0])
    theirs = outcome([0, 1, 1, 1], [1.1, 2.3, 9.0, 4.2])
    found = parity.compare_outcomes(ours, theirs)
    # Only times of trials with the same choice are compared.
    expected = {"equal_decisions": 0.75, "score_difference": 0.25, "spike_time_error": 0.2}
    assert found == pytest.approx(expected)


def test_traces_compare_by_score():
    target = np.sin(np.arange(40.0))[None, :, None]
    good, flat = Traces(target, target, 1.0), Traces(0 * target, target, 1.0)
    found = parity.compare_outcomes(flat, good)
    assert found == {"score_difference": pytest.approx(-1.0, abs=0.01)}
    assert parity.step_sensitivity(flat, good) == found["score_difference"]


def test_first_spikes():
    first = np.array([[1.0, 2.0, INF], [3.0, INF, INF]])
    simulated = {
        "hidden": Spikes.from_first_spikes(first, 10.0),
        "output": Spikes.from_first_spikes(first[:, :1], 10.0),
    }
    reference = {
        "hidden": np.array([[1.1, 2.2, 5.0], [3.3, INF, INF]]),
        "output": np.array([[1.0], [3.5]]),
        "unrecorded": first,
    }
    found = parity.compare_first_spikes(simulated, reference, dt_ms=0.25)
    assert found == pytest.approx(
        {
            "spike_time_error_hidden": 0.2,
            "equal_spike_sets": 5 / 6,
            "spike_time_error": 0.25,
            # Two values: 0 and 0.5, and between them the 99th percentile.
            "spike_time_error_p99": 0.99 * 0.5,
            "spike_time_error_max": 0.5,
            # 1.0, 2.0 and the first output have partners; 3.0 is 0.3 off, 5.0 is alone, 3.0 is
            # 0.5 off.
            "spike_partners": 3 / 6,
        }
    )


def test_a_spike_that_one_engine_lacks_is_an_error():
    """It counts as fired at the end of the trial, and so does one beyond the end."""
    simulated = {"output": Spikes.from_first_spikes(np.array([[1.0, INF, INF]] * 100), 10.0)}
    reference = {"output": np.array([[1.0, INF, 12.0]] * 100)}
    found = parity.compare_first_spikes(simulated, reference, dt_ms=0.25)
    assert found["spike_time_error_p99"] == found["spike_time_error_max"] == 0.0
    reference["output"][7, 1] = 4.0
    found = parity.compare_first_spikes(simulated, reference, dt_ms=0.25)
    errors = [found[f"spike_time_error{part}"] for part in ("", "_p99", "_max")]
    assert errors == [0.0, 0.0, 6.0]


@pytest.mark.parametrize(("counts", "correlation"), [([2, 4, 6], 1), ([6, 4, 2], -1)])
def test_rates_of_both_engines_are_compared(counts, correlation):
    units, shape = np.array([0, 1, 1, 2, 2, 2]), {"n_trials": 1, "n_units": 3, "duration_ms": 9}
    spikes = {"hidden": Spikes.sorted(np.arange(6.0), units, np.zeros(6, int), **shape)}
    found = parity.compare_rates(spikes, {"hidden": np.array([counts])})
    assert found == pytest.approx({"rate_correlation": correlation})
    assert parity.compare_rates(spikes, {}) == {}
