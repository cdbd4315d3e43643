"""Protocol of the XOR experiment: what the schedule says when, and what is read from the counters.

Equation numbers are those of this talk's README.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.types import Params, Recording
from whyspiking.errors import UserError
from whyspiking.talks.naud.xor_network import CHANNELS, HOLD, OUTPUT, POPULATIONS, TOTALS, TRIAL_MS
from whyspiking.training.history import History

PATTERNS = ((0, 0), (1, 0), (0, 1), (1, 1))
TARGETS = np.array([0, 1, 1, 0])
SKIPPED_MS = 1000.0
"""Start of a test presentation that is not counted."""
THRESHOLD_HZ = 6.0
"""Output rate above which the network says 1 (PGZRN21, Fig. 4)."""
MARGIN_HZ = 1.0
"""Least distance of the two outputs next to each other for a test to count as ordered."""
LAST_SHARE = 0.2
"""Share of training, at its end, whose tests are judged."""
EARLY_EPOCHS = 10
"""Epochs over which credit is measured: before learning changes what is asked for."""
HIDDEN_CREDIT = 0.03
"""Least change of burst probability that counts as credit in a hidden ensemble."""
DESIGNED = np.array([[-1, 1, 1, -1], [1, -1, -1, 1], [-1, 1, 1, -1]])
"""Sign of the credit in H1, H2 (inhibitory feedback: mirrored) and O, by pattern."""


@dataclass
class Schedule:
    """Rows of the schedule, written one piece after the other, and where the pieces are.

    Attributes:
        rows: One array (slot, channel) per piece.
        tests: (epoch, first slot of the test's first presentation).
        examples: (epoch, pattern, first slot, slots of prediction, slots of learning).
    """

    params: Params
    rows: list[NDArray] = field(default_factory=list)
    tests: list[tuple[int, int]] = field(default_factory=list)
    examples: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    slots: int = 0

    def add(self, pattern: int, duration_ms: float, **channels: float) -> int:
        """Append a piece; the other channels are 0, the means follow. Returns its first slot."""
        n = slots(self.params, duration_ms)
        piece = np.zeros((n, len(CHANNELS)))
        for column, on in enumerate(PATTERNS[pattern]):
            piece[:, column] = self.params.i_high if on else self.params.i_low
        piece[:, CHANNELS.index("follow")] = 1.0
        for name, value in channels.items():
            piece[:, CHANNELS.index(name)] = value
        if "teach" in channels:
            piece[1:, CHANNELS.index("teach")] = HOLD
        self.rows.append(piece)
        first = self.slots
        self.slots += n
        return first

    def add_test(self, epoch: int) -> None:
        """All patterns with plasticity off."""
        self.tests.append((epoch, self.slots))
        for pattern in range(len(PATTERNS)):
            self.add(pattern, TRIAL_MS)

    def add_example(self, epoch: int, pattern: int, rate: float) -> None:
        """Prediction, then learning with the teaching current (Eq. 13)."""
        p = self.params
        first = self.add(pattern, p.predict_ms)
        follow = 0.0 if p.hold_means else 1.0
        teach = 1.0 if TARGETS[pattern] else -1.0
        self.add(pattern, p.learn_ms, teach=teach, rate=rate, follow=follow)
        lengths = slots(p, p.predict_ms), slots(p, p.learn_ms)
        self.examples.append((epoch, pattern, first, *lengths))

    def array(self) -> NDArray[np.float64]:
        """The rows as trials, (trial, slot, channel).

        One idle trial more: the counters are read at the beginning of slots only.
        """
        per_trial = slots(self.params, TRIAL_MS)
        rows = np.concatenate(self.rows)
        n_trials = -(-rows.shape[0] // per_trial) + 1
        full = np.zeros((n_trials * per_trial, len(CHANNELS)))
        full[: rows.shape[0]] = rows
        return full.reshape(n_trials, per_trial, len(CHANNELS))


def slots(params: Params, duration_ms: float) -> int:
    """Number of slots in a duration.

    Raises:
        UserError: If it is not a whole number.
    """
    n = round(duration_ms / params.slot_ms)
    if n < 1 or abs(n * params.slot_ms - duration_ms) > 1e-9:
        raise UserError(
            f"talk 'naud': {duration_ms} ms is not a multiple of slot_ms = {params.slot_ms} ms; "
            "correct talk.yaml"
        )
    return n


def training(params: Params, order: np.random.Generator | None = None) -> Schedule:
    """Burn-in, a first test, examples with tests between them, final tests.

    Args:
        params: Parameters of the experiment.
        order: Draws the order of the patterns in every epoch; without it they come as in PATTERNS.
    """
    schedule = Schedule(params)
    burn_in = 3 * params.tau_avg
    schedule.add(0, TRIAL_MS * np.ceil(burn_in / TRIAL_MS))
    schedule.add_test(0)
    late = params.epochs * (1 - LAST_SHARE)
    for epoch in range(1, params.epochs + 1):
        shown = order.permutation(len(PATTERNS)) if order else range(len(PATTERNS))
        for index, pattern in enumerate(shown):
            done = (epoch - 1 + index / len(PATTERNS)) / params.epochs
            schedule.add_example(epoch, int(pattern), learning_rate_factor(params, done))
        every = params.test_every_late if epoch > late else params.test_every
        if epoch % every == 0:
            schedule.add_test(epoch)
    for _ in range(params.n_final_tests):
        schedule.add_test(params.epochs + 1)
    return schedule


def learning_rate_factor(params: Params, done: float) -> float:
    """Learning rates over their first value once a share `done` of training is over."""
    if done <= params.eta_decay_from:
        return 1.0
    late = (done - params.eta_decay_from) / (1 - params.eta_decay_from)
    return float(params.eta_final**late)


def presentations(params: Params, patterns: Sequence[int] | NDArray) -> NDArray[np.float64]:
    """One trial per pattern with plasticity off, (trial, slot, channel)."""
    schedule = Schedule(params)
    for pattern in patterns:
        schedule.add(int(pattern), TRIAL_MS)
    return np.concatenate(schedule.rows).reshape(len(patterns), -1, len(CHANNELS))


@dataclass(frozen=True)
class Counters:
    """Sums over each population since the beginning of the run, at the start of every slot.

    Attributes:
        events, bursts: (slot, population).
        credit, lifted: Sum of all changes of incoming weights by Eqs. 8-9 and by Eq. 11.
    """

    params: Params
    events: NDArray
    bursts: NDArray
    credit: NDArray
    lifted: NDArray

    def event_rates(self, first: int, last: int) -> NDArray[np.float64]:
        """Mean event rate between two slots in Hz, (population,)."""
        counted = self.events[last] - self.events[first]
        seconds = (last - first) * self.params.slot_ms / 1e3
        return counted / (seconds * self.params.n_per_population)

    def test_rates(self, schedule: Schedule) -> NDArray[np.float64]:
        """Event rates in the counted part of all tests in Hz, (test, pattern, population)."""
        length, skipped = slots(self.params, TRIAL_MS), slots(self.params, SKIPPED_MS)
        found = np.zeros((len(schedule.tests), len(PATTERNS), len(POPULATIONS)))
        for test, (_, first) in enumerate(schedule.tests):
            for pattern in range(len(PATTERNS)):
                start = first + pattern * length
                found[test, pattern] = self.event_rates(start + skipped, start + length)
        return found

    def burst_probabilities(
        self, schedule: Schedule, epochs: range
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bursts per event while predicting and while learning, each (population, pattern)."""
        bursts = np.zeros((2, len(POPULATIONS), len(PATTERNS)))
        events = np.zeros_like(bursts)
        for epoch, pattern, first, predicting, learning in schedule.examples:
            if epoch not in epochs:
                continue
            middle, last = first + predicting, first + predicting + learning
            for phase, (start, stop) in enumerate(((first, middle), (middle, last))):
                bursts[phase, :, pattern] += self.bursts[stop] - self.bursts[start]
                events[phase, :, pattern] += self.events[stop] - self.events[start]
        with np.errstate(invalid="ignore", divide="ignore"):
            found = np.where(events > 0, bursts / events, 0.0)
        return found[0], found[1]


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


def sides(rates: NDArray) -> NDArray[np.bool_]:
    """Whether all four outputs are on their side of the threshold, (test,)."""
    return ((rates > THRESHOLD_HZ) == (TARGETS == 1)).all(axis=1)


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
        "xor_ordered": float((margin > 0).mean()),
        "xor_margin": float(margin.mean()),
        "xor_sides": float(sides(rates).mean()),
    }


def credit(counters: Counters, schedule: Schedule) -> NDArray[np.float64]:
    """Early change of burst probability by the teaching; (population, pattern) (Eq. 15)."""
    predicting, learning = counters.burst_probabilities(schedule, range(1, EARLY_EPOCHS + 1))
    return learning - predicting


def credit_measures(change: NDArray, designed: NDArray = DESIGNED) -> dict[str, float]:
    """Share of right signs and least size in the hidden ensembles, from (population, pattern)."""
    own = change[2:]
    right = own * designed > np.array([HIDDEN_CREDIT, HIDDEN_CREDIT, 0.0])[:, None]
    return {
        "credit_signs": float(right.mean()),
        "credit_hidden": float(np.abs(own[:2]).min()),
        "credit_hidden_largest": float(np.abs(own[:2]).max()),
    }


def output_rates(rates: NDArray) -> NDArray[np.float64]:
    """Those of the output ensemble, (test, pattern)."""
    return rates[:, :, OUTPUT]


def updates(counters: Counters, schedule: Schedule) -> NDArray[np.float64]:
    """Change of the summed weights of each population by the rule and by the e_min term.

    Returns:
        (example, population, 2): by Eqs. 8-9 and by Eq. 11, in the learning window of each example,
        per neuron.
    """
    found = np.zeros((len(schedule.examples), len(POPULATIONS), 2))
    for index, (_, _, first, predicting, learning) in enumerate(schedule.examples):
        start, stop = first + predicting, first + predicting + learning
        found[index, :, 0] = counters.credit[stop] - counters.credit[start]
        found[index, :, 1] = counters.lifted[stop] - counters.lifted[start]
    return found / schedule.params.n_per_population


def example_rates(counters: Counters, schedule: Schedule) -> NDArray[np.float64]:
    """Event rates while predicting in Hz, (example, population)."""
    return np.array(
        [
            counters.event_rates(first, first + predicting)
            for _, _, first, predicting, _ in schedule.examples
        ]
    ).reshape(len(schedule.examples), len(POPULATIONS))


def history(epochs: NDArray, rates: NDArray) -> list[dict[str, Any]]:
    """Rows of the training history: margin and rates of every test."""
    output, found = output_rates(rates), History()
    names = [f"output_{first}{second}" for first, second in PATTERNS]
    for epoch, margin, by_pattern in zip(epochs, margins(output), output, strict=True):
        outputs = dict(zip(names, by_pattern, strict=True))
        found.note(int(epoch), xor_margin=margin, **outputs)
    return found.rows
