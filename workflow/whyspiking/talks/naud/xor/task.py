"""The XOR task: patterns, targets, and the schedule of training and tests (README, section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.errors import UserError
from whyspiking.talks.naud.xor.model import CHANNELS, HOLD, TRIAL_MS

PATTERNS = ((0, 0), (1, 0), (0, 1), (1, 1))
TARGETS = np.array([0, 1, 1, 0])
SKIPPED_MS = 1000.0
"""Start of a test presentation that is not counted."""
LAST_SHARE = 0.2
"""Share of training, at its end, whose tests are judged."""


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Every pattern several times, plasticity off; splits differ in noise only."""
    if split == "fresh":
        return None
    patterns = np.tile(np.arange(len(PATTERNS)), params.n_test_repeats)
    return ct.Task(
        stimulus=ct.Stimulus(arrays={"schedule": presentations(params, patterns)}),
        targets=TARGETS[patterns],
        n_classes=2,
        features=np.array(PATTERNS, float)[patterns],
        exhaustive=True,
    )


@dataclass
class Schedule:
    """Rows of the schedule, written one piece after the other, and where the pieces are.

    Attributes:
        rows: One array (slot, channel) per piece.
        tests: (epoch, first slot of the test's first presentation).
        published_tests: First slot of each test as the published program has it.
        examples: (epoch, pattern, first slot, slots of prediction, slots of learning).
    """

    params: ct.Params
    rows: list[NDArray] = field(default_factory=list)
    tests: list[tuple[int, int]] = field(default_factory=list)
    published_tests: list[int] = field(default_factory=list)
    examples: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    slots: int = 0

    def add(self, pattern: int, duration_ms: float, **channels: float) -> int:
        """Append a piece; the other channels are 0, the means follow. Returns its first slot."""
        n = slots(self.params, duration_ms)
        piece = np.zeros((n, len(CHANNELS)))
        for column, is_high in enumerate(PATTERNS[pattern]):
            piece[:, column] = self.params.i_high if is_high else self.params.i_low
        piece[:, CHANNELS.index("follow")] = 1.0
        for name, value in channels.items():
            piece[:, CHANNELS.index(name)] = value
        if "teach" in channels:
            piece[1:, CHANNELS.index("teach")] = HOLD
        self.rows.append(piece)
        first_slot = self.slots
        self.slots += n
        return first_slot

    def add_test(self, epoch: int) -> None:
        """All patterns with plasticity off."""
        self.tests.append((epoch, self.slots))
        for pattern in range(len(PATTERNS)):
            self.add(pattern, TRIAL_MS)

    def add_published_test(self) -> None:
        """All patterns with plasticity off, as long as the published program shows them."""
        self.published_tests.append(self.slots)
        for pattern in range(len(PATTERNS)):
            self.add(pattern, self.params.test_ms)

    def add_example(self, epoch: int, pattern: int, rate: float) -> None:
        """Prediction, then learning with the teaching current (Eq. 13)."""
        p = self.params
        first_slot = self.add(pattern, p.predict_ms)
        follow = 0.0 if p.hold_means else 1.0
        teach = 1.0 if TARGETS[pattern] else -1.0
        self.add(pattern, p.learn_ms, teach=teach, rate=rate, follow=follow)
        lengths = slots(p, p.predict_ms), slots(p, p.learn_ms)
        self.examples.append((epoch, pattern, first_slot, *lengths))

    def before(self, n_slots: int) -> Schedule:
        """The schedule without the tests that do not end within the first slots."""
        length = len(PATTERNS) * slots(self.params, TRIAL_MS)
        # The counters at the end of a test are those at the beginning of the next slot.
        return replace(self, tests=[test for test in self.tests if test[1] + length < n_slots])

    def array(self) -> NDArray[np.float64]:
        """The rows as trials, (trial, slot, channel).

        One idle trial more: the counters are read at the beginning of slots only.
        """
        per_trial = slots(self.params, TRIAL_MS)
        rows = np.concatenate(self.rows)
        n_trials = -(-rows.shape[0] // per_trial) + 1
        padded_rows = np.zeros((n_trials * per_trial, len(CHANNELS)))
        padded_rows[: rows.shape[0]] = rows
        return padded_rows.reshape(n_trials, per_trial, len(CHANNELS))


def slots(params: ct.Params, duration_ms: float) -> int:
    """Number of slots in a duration.

    Raises:
        UserError: If it is not a whole number.
    """
    n = round(duration_ms / params.slot_ms)
    if n < 1 or abs(n * params.slot_ms - duration_ms) > 1e-9:
        raise UserError(
            f"A duration of talk 'naud' is {duration_ms} ms. It must be a multiple of slot_ms = "
            f"{params.slot_ms} ms. Correct it in talk.yaml."
        )
    return n


def training(params: ct.Params, order: np.random.Generator | None = None) -> Schedule:
    """Burn-in, first tests, examples with tests between them, final tests.

    Args:
        params: Parameters of the experiment.
        order: Draws the order of the patterns in every epoch; without it they come as in PATTERNS.
    """
    schedule = Schedule(params)
    burn_in = 3 * params.tau_avg
    schedule.add(0, TRIAL_MS * np.ceil(burn_in / TRIAL_MS))
    schedule.add_published_test()
    schedule.add_test(0)
    late_epoch = params.epochs * (1 - LAST_SHARE)
    for epoch in range(1, params.epochs + 1):
        pattern_order = order.permutation(len(PATTERNS)) if order else range(len(PATTERNS))
        for index, pattern in enumerate(pattern_order):
            trained_share = (epoch - 1 + index / len(PATTERNS)) / params.epochs
            schedule.add_example(epoch, int(pattern), learning_rate_factor(params, trained_share))
        test_interval = params.test_every_late if epoch > late_epoch else params.test_every
        if epoch % test_interval == 0:
            schedule.add_test(epoch)
    schedule.add_published_test()
    for _ in range(params.n_final_tests):
        schedule.add_test(params.epochs + 1)
    return schedule


def learning_rate_factor(params: ct.Params, trained_share: float) -> float:
    """Learning rates over their first value once `trained_share` of training is over."""
    if trained_share <= params.eta_decay_from:
        return 1.0
    decay_share = (trained_share - params.eta_decay_from) / (1 - params.eta_decay_from)
    return float(params.eta_final**decay_share)


def presentations(params: ct.Params, patterns: Sequence[int] | NDArray) -> NDArray[np.float64]:
    """One trial per pattern with plasticity off, (trial, slot, channel)."""
    schedule = Schedule(params)
    for pattern in patterns:
        schedule.add(int(pattern), TRIAL_MS)
    return np.concatenate(schedule.rows).reshape(len(patterns), -1, len(CHANNELS))
