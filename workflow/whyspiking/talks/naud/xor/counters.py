"""Measures from the counters of the XOR network: its tests (Eqs. 14, 56), its credit (15)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.types import Params, Recording
from whyspiking.talks.naud.xor.model import OUTPUT, POPULATIONS, TOTALS, TRIAL_MS
from whyspiking.talks.naud.xor.task import (
    LAST_SHARE,
    PATTERNS,
    SKIPPED_MS,
    TARGETS,
    Schedule,
    slots,
)
from whyspiking.training.history import History

THRESHOLD_HZ = 6.0
"""Output rate above which the network says 1 (PGZRN21, Fig. 4)."""
BINS = 20
"""Bins of a pattern in the published test (sim_xor.cpp:459, plot_xor.py:44-46)."""
MARGIN_HZ = 1.0
"""Least distance of the two outputs next to each other for a test to count as ordered."""
EARLY_EPOCHS = 10
"""Epochs over which credit is measured: before learning changes what is asked for."""
HIDDEN_CREDIT = 0.03
"""Least change of burst probability that counts as credit in a hidden ensemble."""
DESIGNED = np.array([[-1, 1, 1, -1], [1, -1, -1, 1], [-1, 1, 1, -1]])
"""Sign of the credit in H1, H2 (inhibitory feedback: mirrored) and O, by pattern."""


@dataclass(frozen=True)
class Counters:
    """Sums over each population since the beginning of the run, at the start of every slot.

    Attributes:
        events, bursts: (slot, population).
    """

    params: Params
    events: NDArray
    bursts: NDArray

    def event_rates(self, start_slot: int, stop_slot: int) -> NDArray[np.float64]:
        """Mean event rate between two slots in Hz, (population,)."""
        n_events = self.events[stop_slot] - self.events[start_slot]
        seconds = (stop_slot - start_slot) * self.params.slot_ms / 1e3
        return n_events / (seconds * self.params.n_per_population)

    def test_rates(self, schedule: Schedule) -> NDArray[np.float64]:
        """Event rates in the counted part of all tests in Hz, (test, pattern, population)."""
        n_slots, n_skipped = slots(self.params, TRIAL_MS), slots(self.params, SKIPPED_MS)
        rates = np.zeros((len(schedule.tests), len(PATTERNS), len(POPULATIONS)))
        for test, (_, first_slot) in enumerate(schedule.tests):
            for pattern in range(len(PATTERNS)):
                start = first_slot + pattern * n_slots
                rates[test, pattern] = self.event_rates(start + n_skipped, start + n_slots)
        return rates

    def published_test(self, first_slot: int) -> NDArray[np.float64]:
        """Output rate in Hz in each bin of a published test, (pattern, bin).

        Args:
            first_slot: Its first slot.
        """
        stop_slot = first_slot + len(PATTERNS) * slots(self.params, self.params.test_ms)
        edges = np.linspace(first_slot, stop_slot, len(PATTERNS) * BINS + 1).astype(int)
        seconds = self.params.test_ms / BINS / 1e3
        n_events = np.diff(self.events[edges, OUTPUT]).reshape(len(PATTERNS), BINS)
        return n_events / (seconds * self.params.n_per_population)

    def burst_probabilities(
        self, schedule: Schedule, epochs: range
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bursts per event while predicting and while learning, each (population, pattern)."""
        bursts = np.zeros((2, len(POPULATIONS), len(PATTERNS)))
        events = np.zeros_like(bursts)
        for epoch, pattern, first_slot, predicting, learning in schedule.examples:
            if epoch not in epochs:
                continue
            learning_slot, stop_slot = first_slot + predicting, first_slot + predicting + learning
            for phase, (start, stop) in enumerate(
                ((first_slot, learning_slot), (learning_slot, stop_slot))
            ):
                bursts[phase, :, pattern] += self.bursts[stop] - self.bursts[start]
                events[phase, :, pattern] += self.events[stop] - self.events[start]
        with np.errstate(invalid="ignore", divide="ignore"):
            probabilities = np.where(events > 0, bursts / events, 0.0)
        return probabilities[0], probabilities[1]


def read_counters(params: Params, recording: Recording) -> Counters:
    """The counters of a run as one sequence of slots."""
    n = len(POPULATIONS)
    return Counters(params, *(recording.traces[name].reshape(-1, n) for name in TOTALS))


def margins(rates: NDArray) -> NDArray[np.float64]:
    """Lower of the true outputs minus higher of the false ones in Hz, (test,) (Eq. 14).

    Args:
        rates: Output rate in Hz, (test, pattern).
    """
    return rates[:, TARGETS == 1].min(axis=1) - rates[:, TARGETS == 0].max(axis=1)


def side_measures(rates: NDArray) -> dict[str, float]:
    """Each output, and the least distance of one to the threshold on its right side (Eq. 56).

    Args:
        rates: Output rate in Hz, (pattern,).
    """
    outputs = {f"xor_output_{a}{b}": float(r) for (a, b), r in zip(PATTERNS, rates, strict=True)}
    distances = np.where(TARGETS == 1, rates - THRESHOLD_HZ, THRESHOLD_HZ - rates)
    return {"xor_side_margin": float(distances.min()), **outputs}


def judged(schedule: Schedule) -> NDArray[np.bool_]:
    """Tests of the last fifth of training and those after it, (test,)."""
    epochs = np.array([epoch for epoch, _ in schedule.tests])
    return epochs > schedule.params.epochs * (1 - LAST_SHARE)


def order_measures(rates: NDArray) -> dict[str, float]:
    """Metrics of the judged tests (Eq. 14).

    Args:
        rates: Output rate in Hz, (test, pattern).
    """
    margin = margins(rates)
    return {
        "xor_ordering": float((margin >= MARGIN_HZ).mean()),
        "xor_margin": float(margin.mean()),
    }


def credit(counters: Counters, schedule: Schedule) -> NDArray[np.float64]:
    """Early change of burst probability by the teaching; (population, pattern) (Eq. 15)."""
    predicting, learning = counters.burst_probabilities(schedule, range(1, EARLY_EPOCHS + 1))
    return learning - predicting


def credit_measures(change: NDArray) -> dict[str, float]:
    """Share of right signs and least size in the hidden ensembles, from (population, pattern)."""
    learning_change = change[2:]
    has_designed_sign = (
        learning_change * DESIGNED > np.array([HIDDEN_CREDIT, HIDDEN_CREDIT, 0.0])[:, None]
    )
    return {
        "credit_signs": float(has_designed_sign.mean()),
        "credit_hidden": float(np.abs(learning_change[:2]).min()),
    }


def output_rates(rates: NDArray) -> NDArray[np.float64]:
    """Rates of the output ensemble in Hz, (test, pattern)."""
    return rates[:, :, OUTPUT]


def history(epochs: NDArray, output: NDArray) -> list[dict[str, Any]]:
    """Rows of the training history: margin and output rates of every test."""
    rows = History()
    names = [f"output_{a}{b}" for a, b in PATTERNS]
    for epoch, margin, by_pattern in zip(epochs, margins(output), output, strict=True):
        outputs = dict(zip(names, by_pattern, strict=True))
        rows.note(int(epoch), xor_margin=margin, **outputs)
    return rows.rows
