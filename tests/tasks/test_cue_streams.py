"""Span recall and volley recall: in which slots the event that must be kept can occur."""

import numpy as np
import pytest

from whyspiking.tasks import cue_streams
from whyspiking.tasks.span_recall.generator import SETTINGS as SPAN
from whyspiking.tasks.volley_recall.generator import SETTINGS as VOLLEY


@pytest.mark.parametrize("settings", [SPAN, VOLLEY], ids=["span", "volley"])
def test_the_event_occurs_in_every_slot_after_the_first_block_and_in_no_other(settings):
    n_trials = 500
    spikes, _ = cue_streams.generate(np.random.default_rng(0), n_trials, settings)
    if settings.marker:
        # Inputs of the marker follow those of the groups.
        is_marker = spikes.units // settings.per_group == cue_streams.GROUPS
        slots = np.unique(spikes.times_ms[is_marker] // settings.slot_ms)
    else:
        # Only in the slot of the event do all spikes of the group fall within `sync_ms`.
        before_go = spikes.times_ms < settings.slots * settings.slot_ms
        times = spikes.times_ms[before_go].reshape(n_trials, settings.slots, settings.per_group)
        is_volley = np.ptp(times, axis=2) <= settings.sync_ms
        slots = np.unique(np.nonzero(is_volley)[1])
    assert slots.tolist() == list(range(cue_streams.GROUPS, settings.slots))
