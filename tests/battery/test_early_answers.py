"""The battery on controls that are told their input as it comes in."""

import numpy as np
import pytest
from made.toy_talk import DELAY, DURATION, ToyTalk, mlp, probe, spiking_network, value


class EarlyTalk(ToyTalk):
    """The toy whose control may be asked at any time."""

    def features_until(self, params, task, t_ms):
        """Features of the channels that have fired, 0 for the others."""
        come = task.stimulus.spikes["input"].first_ms() <= t_ms
        return np.where(come, task.features, 0.0)


def test_controls_are_asked_before_their_input_is_complete():
    networks = {("mlp", 0): mlp(), ("spiking", 0): spiking_network()}
    table, arrays, _ = probe((), networks, toy=EarlyTalk())
    # The network needs two delays more than the control, which knows the class at the first spike.
    areas = [value(table, "speed_area", variant=name) for name in ("spiking", "mlp")]
    assert areas[1] - areas[0] == pytest.approx(2 * DELAY / DURATION, abs=0.02)
    assert arrays["anytime.mlp.0"].shape == arrays["anytime.time_ms"].shape
