"""What is special to this talk: its rule, its two readouts, its three engines."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from made.bars import NEURONS, T_MAX, made_digits, same_in_brian
from made.digits import show
from made.fulfilled import fulfilled, task_of
from made.project import params_of
from oracles import masquelier_reference as reference

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Network, Stimulus, Task
from whyspiking.errors import UserError
from whyspiking.talks.masquelier import compiled, model, task
from whyspiking.talks.masquelier.network import Rule, order_spikes

# ---- task ----------------------------------------------------------------------------------


def test_bright_pixels_fire_first():
    found = task.ticks(np.array([255, 254, 128, 1, 0], np.uint8), 256)
    # floor((255 - I) 256 / 255) by hand.
    np.testing.assert_array_equal(found, [0, 1, 127, 254, 256])
    # The shared encoder divides in floating point; whole numbers say the same at every brightness.
    levels = np.arange(1, 256)
    for t_max in (1, 7, 100, 255, 256, 1024):
        expected = (255 - levels) * t_max // 255
        np.testing.assert_array_equal(task.ticks(levels.astype(np.uint8), t_max), expected)


def test_tasks_hold_what_the_engines_read(monkeypatch):
    own = params_of("masquelier", "published", **made_digits(monkeypatch))
    found = task_of(own)
    images, _ = task.samples(own, "test")
    assert len(found.stimulus.spikes["input"]) == np.count_nonzero(images)
    ours, theirs = task.events(own, images), task.events_of(own, found)
    for name in ("start", "pixel", "tick"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    assert fulfilled(own).make_task(own, "fresh", Streams(0)) is None
    train, _ = task.samples(own, "train")
    assert len(train) == 240 and len(task.samples(own, "validation")[0]) == 60


def test_spikes_are_sorted_by_tick_then_by_pixel():
    events = order_spikes(np.array([[7, 3, T_MAX, 3], [T_MAX] * 4, [0, 9, 1, 0]], np.uint16), T_MAX)
    np.testing.assert_array_equal(events.start, [0, 3, 3, 7])
    np.testing.assert_array_equal(events.pixel, [1, 3, 0, 0, 3, 2, 1])
    np.testing.assert_array_equal(events.tick, [3, 3, 7, 0, 0, 1, 9])


# ---- neurons and rule ----------------------------------------------------------------------

# Two inputs, three hidden neurons, two outputs. Input 0 fires at 1, input 1 at 4. By hand:
# hidden 0 crosses 10 at tick 1 (12), so it fires at 2; hidden 1 at tick 4 (6 + 5 = 11), at 5;
# hidden 2 never. Output 0 gets 11 at 2, fires at 3; output 1 gets 4 at 2 and 7 at 5, fires at 6.
BY_HAND = (
    np.array([[12.0, 6.0, 3.0], [1.0, 5.0, 3.0]]),
    np.array([[11.0, 4.0], [2.0, 7.0], [50.0, 50.0]]),
)


@pytest.mark.parametrize("engine", [reference, compiled])
def test_spikes_by_hand(engine):
    events = order_spikes(np.array([[1, 4]], np.uint16), T_MAX)
    found = engine.forward(events, BY_HAND, NEURONS)
    np.testing.assert_array_equal(found.hidden, [[2, 5, T_MAX]])
    np.testing.assert_array_equal(found.output, [[3, 6]])
    np.testing.assert_allclose(found.potential, [[11, 11]])


@pytest.mark.parametrize("engine", [reference, compiled])
def test_rule_by_hand(engine):
    """True class 1: it should fire at 3, and output 0 at 3 + gamma = 7."""
    events = order_spikes(np.array([[1, 4]], np.uint16), T_MAX)
    weights = tuple(w.copy() for w in BY_HAND)
    rule = Rule(gamma=4, learning_rate=0.5, decay=0.0)
    _, hits, changed = engine.train_epoch(
        events, np.array([1]), np.array([0]), weights, None, NEURONS, rule
    )
    assert (hits, changed) == (0, 1)
    # Errors (7 - 3, 3 - 6) / 24, to length one: (0.8, -0.6). Hidden 0 fires before both outputs,
    # hidden 1 (at 5) before output 1 only.
    w_output = np.array([[11 - 0.4, 4 + 0.3], [2, 7 + 0.3], [50, 50]])
    np.testing.assert_allclose(weights[1], w_output, rtol=1e-12)
    back = np.array([0.8 * 10.6 - 0.6 * 4.3, -0.6 * 7.3, 0])
    back /= np.sqrt((back**2).sum())
    # Input 0 (at 1) precedes hidden 0 (2) and 1 (5); input 1 (at 4) precedes hidden 1 only.
    w_hidden = BY_HAND[0] - 0.5 * back * np.array([[1, 1, 0], [0, 1, 0]])
    np.testing.assert_allclose(weights[0], w_hidden, rtol=1e-12)


def test_wanted_times():
    for output, target, wanted in (
        ([3, 6, 9], 1, [7, 3, 9]),
        ([3, 8, 9], 0, [3, 8, 9]),  # right with margin: no error
        ([3, 3, 7], 0, [3, 7, 7]),  # a tie is an error, the margin itself is none
        ([T_MAX] * 3, 2, [T_MAX, T_MAX, T_MAX - 4]),  # silence
        ([T_MAX - 1, T_MAX], 1, [T_MAX, T_MAX - 1]),  # the end bounds the margin
    ):
        found = reference.wanted_times(np.array(output), target, NEURONS, 4)
        assert found.tolist() == wanted


@pytest.mark.parametrize("engine", [reference, compiled])
def test_the_end_of_the_trial(engine):
    """What crosses at the last tick is no spike; a hidden spike at the last tick is deaf to."""
    strong = (np.full((1, 1), 20.0), np.full((1, 1), 20.0))
    cases = [(T_MAX - 3, T_MAX - 2, T_MAX - 1), (T_MAX - 2, T_MAX - 1, T_MAX)]
    cases += [(T_MAX - 1, T_MAX, T_MAX), (T_MAX, T_MAX, T_MAX)]
    for tick, hidden, output in cases:
        events = order_spikes(np.array([[tick]], np.uint16), T_MAX)
        found = engine.forward(events, strong, NEURONS)
        assert (found.hidden[0, 0], found.output[0, 0]) == (hidden, output)


@pytest.mark.parametrize("engine", [reference, compiled])
def test_silent_outputs_are_read_three_ticks_before_the_end(engine):
    """Input at tick t makes a hidden spike at t + 1; a potential of 1 each, the threshold is 10."""
    hidden = np.diag([20.0, 20.0, 20.0])
    output = np.ones((3, 1))
    for last, read in ((T_MAX - 4, 2.0), (T_MAX - 3, 1.0)):
        ticks = np.array([[2, last, T_MAX - 2]], np.uint16)
        found = engine.forward(order_spikes(ticks, T_MAX), (hidden, output), NEURONS)
        np.testing.assert_array_equal(found.hidden, [[3, last + 1, T_MAX - 1]])
        assert found.output[0, 0] == T_MAX and found.potential[0, 0] == read
    # An output that crosses at Tmax - 2 is not silent: it is read at its crossing.
    ticks = np.array([[2, T_MAX - 3, T_MAX]], np.uint16)
    found = engine.forward(order_spikes(ticks, T_MAX), (hidden, 6 * output), NEURONS)
    assert (found.output[0, 0], found.potential[0, 0]) == (T_MAX - 1, 12.0)


# ---- readout -------------------------------------------------------------------------------


def test_readouts_of_ties_and_silence():
    output = np.array([[5, 3, 3], [T_MAX] * 3, [4, 6, 9], [7, 7, 8]])
    potential = np.array([[99, 11, 12], [1, 3, 2], [11, 99, 99], [12, 12, 50.0]])
    np.testing.assert_array_equal(model.strict(output, potential), [2, 1, 0, 0])

    def hits(targets):
        found = model.published(output, potential, np.array(targets), T_MAX)
        return (found == targets).tolist()

    assert hits([1, 1, 0, 1]) == [True, True, True, True]
    assert hits([0, 0, 1, 2]) == [False, False, False, False]
    own = params_of("masquelier", "published", t_max=T_MAX, ties="?")
    some = Task(Stimulus(), np.array([1, 1, 0, 1]), 3)
    with pytest.raises(UserError, match="ties"):
        model.decide(own, output, potential, some)
    own = params_of("masquelier", "published", t_max=T_MAX, ties="potential")
    strict = model.decide(own, output, potential, some)
    np.testing.assert_array_equal(strict.decision_ms, [3, T_MAX, 4, 7])


# ---- Brian2 --------------------------------------------------------------------------------


SIZES = N_INPUT, N_HIDDEN, N_OUTPUT = 36, 15, 4


@pytest.fixture(scope="module")
def simulated(builds):
    """Random networks with ties, silence and late spikes, in Brian2 and in the kernel."""
    from whyspiking.brian import Machine

    own = params_of(
        "masquelier", "published", n_input=N_INPUT, n_hidden=N_HIDDEN, n_output=N_OUTPUT,
        t_max=32, theta=10.0, max_trials=40, tick_ms=1.0, ties="potential",
    )  # fmt: skip
    machine = Machine(fulfilled(own).to_brian(own), builds)
    rng = np.random.default_rng(5)
    ticks = rng.integers(0, 36, (70, N_INPUT)).astype(float)
    ticks[ticks >= 32] = np.inf
    spikes = Spikes.from_first_spikes(ticks, 32.0)
    test = Task(Stimulus({"input": spikes}), rng.integers(0, 4, 70), 4)
    cases = []
    for highest in (0.6, 1.1, 2.0):
        # Multiples of a half make exact ties.
        weights = tuple(
            np.round(2 * rng.uniform(-2 if k else -0.5, 5 if k else highest, shape)) / 2
            for k, shape in enumerate(pairwise(SIZES))
        )
        network = Network(model.as_arrays(weights))
        recording = machine.run(test.stimulus, fulfilled(own).bind(own, network).values)
        cases.append((network, recording))
    return own, machine, test, cases


def test_brian_is_the_kernel_tick_for_tick(simulated):
    own, _, test, cases = simulated
    silence = ties = 0
    for network, recording in cases:
        output = same_in_brian(own, network, recording, test)
        ours = fulfilled(own).decode(own, recording, test)
        theirs = fulfilled(own).evaluate(own, "spiking", network, test)
        np.testing.assert_array_equal(ours.choices, theirs.choices)
        np.testing.assert_array_equal(ours.decision_ms, theirs.decision_ms)
        earliest = output.min(axis=1)
        silence += (earliest == own.t_max).sum()
        ties += ((output == earliest[:, None]).sum(axis=1) > 1)[earliest < own.t_max].sum()
    assert silence > 5 and ties > 5, "the cases must contain what they test"


def test_replayed_hidden_spikes_decide_the_same(simulated):
    own, machine, test, cases = simulated
    network, recording = cases[1]
    values = fulfilled(own).bind(own, network).values
    replay = machine.model.replay["hidden"]
    stimulus = Stimulus({**test.stimulus.spikes, replay.input: recording.spikes["hidden"]})
    again = machine.run(stimulus, {**values, **replay.silence})
    assert len(again.spikes["hidden"]) == 0
    np.testing.assert_array_equal(
        again.spikes["output"].first_ms(), recording.spikes["output"].first_ms()
    )


def test_exhibits_show_one_digit_and_the_share_of_ties(simulated, monkeypatch):
    own, machine, _, cases = simulated
    images = np.random.default_rng(4).integers(0, 256, (90, 6, 6)).astype(np.uint8)
    show(monkeypatch, lambda folder, split: (images, np.arange(90) % 4))
    own = replace(own, values={**own.values, "n_test": 60})
    networks = {("spiking", 2): cases[1][0], ("spiking", 0): cases[2][0]}

    def simulate(network, some):
        return machine.run(some.stimulus, fulfilled(own).bind(own, network).values)

    found = fulfilled(own).exhibits(own, networks, simulate, Streams(0))
    test = task_of(own)
    for (_, seed), network in networks.items():
        output = model.forward(own, network, task.events_of(own, test)).output
        first = output.min(axis=1, keepdims=True)
        ties = ((output == first).sum(axis=1) > 1) & (first[:, 0] < own.t_max)
        assert found[f"ties.share.{seed}"] == ties.mean()
    assert found["digit.image"].shape == (6, 6) and found["digit.hidden"].shape == (15,)
    assert found["digit.input"].min() < found["digit.output"].min()
