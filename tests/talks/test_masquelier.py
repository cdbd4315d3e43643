"""What is special to this talk: its rule, its two readouts, its three engines."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made.bars import NEURONS, T_MAX, made_digits, params, random_case
from made.fulfilled import fulfilled
from oracles import masquelier_reference as reference

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Network, Stimulus, Task
from whyspiking.datasets import mnist
from whyspiking.errors import UserError
from whyspiking.talks.masquelier import compiled, exhibits, model, task
from whyspiking.talks.masquelier.network import Averaged, Rule


@pytest.fixture
def digits(monkeypatch):
    yield made_digits(monkeypatch)
    mnist._flat.cache_clear()


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


def test_tasks_hold_what_the_engines_read(digits):
    own = params(**digits)
    found = fulfilled(own).make_task(own, "test", Streams(0))
    images, _ = task.samples(own, "test")
    spikes = found.stimulus.spikes["input"]
    assert len(spikes) == np.count_nonzero(images)
    ours, theirs = task.events(own, images), task.events_of(own, found)
    for name in ("start", "pixel", "tick"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    assert fulfilled(own).make_task(own, "fresh", Streams(0)) is None
    train, _ = task.samples(own, "train")
    assert len(train) == 240 and len(task.samples(own, "validation")[0]) == 60


def test_images_of_another_size_are_refused(digits):
    with pytest.raises(UserError, match=r"64 pixels.*'masquelier' has 784"):
        task.samples(params(**{**digits, "n_input": 784}), "train")
    events, _, weights = random_case(0)
    with pytest.raises(UserError, match="30 pixels"):
        reference.forward(events, (weights[0][:-1], weights[1]), NEURONS)
    with pytest.raises(UserError, match="30 pixels"):
        compiled.forward(events, (weights[0][:-1], weights[1]), NEURONS)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_both_engines_sort_spikes_alike(seed):
    rng = np.random.default_rng(seed)
    ticks = rng.integers(0, T_MAX + 3, (5, 17)).astype(np.uint16)
    ours, theirs = compiled.order_spikes(ticks, T_MAX), reference.order_spikes(ticks, T_MAX)
    for name in ("start", "pixel", "tick"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    assert len(ours) == 5


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
    events = engine.order_spikes(np.array([[1, 4]], np.uint16), T_MAX)
    found = engine.forward(events, BY_HAND, NEURONS)
    np.testing.assert_array_equal(found.hidden, [[2, 5, T_MAX]])
    np.testing.assert_array_equal(found.output, [[3, 6]])
    np.testing.assert_allclose(found.potential, [[11, 11]])


@pytest.mark.parametrize("engine", [reference, compiled])
def test_rule_by_hand(engine):
    """True class 1: it should fire at 3, and output 0 at 3 + gamma = 7."""
    events = engine.order_spikes(np.array([[1, 4]], np.uint16), T_MAX)
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
    def wanted(output, target):
        return reference.wanted_times(np.array(output), target, NEURONS, 4).tolist()

    assert wanted([3, 6, 9], 1) == [7, 3, 9]
    assert wanted([3, 8, 9], 0) == [3, 8, 9], "right with margin: no error"
    assert wanted([3, 3, 7], 0) == [3, 7, 7], "a tie is an error, the margin itself is none"
    assert wanted([T_MAX] * 3, 2) == [T_MAX, T_MAX, T_MAX - 4], "silence"
    assert wanted([T_MAX - 1, T_MAX], 1) == [T_MAX, T_MAX - 1], "the end bounds the margin"


@pytest.mark.parametrize("engine", [reference, compiled])
def test_the_end_of_the_trial(engine):
    """What crosses at the last tick is no spike; a hidden spike at the last tick is deaf to."""
    strong = (np.full((1, 1), 20.0), np.full((1, 1), 20.0))
    cases = [(T_MAX - 3, T_MAX - 2, T_MAX - 1), (T_MAX - 2, T_MAX - 1, T_MAX)]
    cases += [(T_MAX - 1, T_MAX, T_MAX), (T_MAX, T_MAX, T_MAX)]
    for tick, hidden, output in cases:
        events = engine.order_spikes(np.array([[tick]], np.uint16), T_MAX)
        found = engine.forward(events, strong, NEURONS)
        assert (found.hidden[0, 0], found.output[0, 0]) == (hidden, output)


@pytest.mark.parametrize("engine", [reference, compiled])
def test_silent_outputs_are_read_three_ticks_before_the_end(engine):
    """Input at tick t makes a hidden spike at t + 1; a potential of 1 each, the threshold is 10."""
    hidden = np.diag([20.0, 20.0, 20.0])
    output = np.ones((3, 1))
    for last, read in ((T_MAX - 4, 2.0), (T_MAX - 3, 1.0)):
        ticks = np.array([[2, last, T_MAX - 2]], np.uint16)
        found = engine.forward(engine.order_spikes(ticks, T_MAX), (hidden, output), NEURONS)
        np.testing.assert_array_equal(found.hidden, [[3, last + 1, T_MAX - 1]])
        assert found.output[0, 0] == T_MAX and found.potential[0, 0] == read
    # An output that crosses at Tmax - 2 is not silent: it is read at its crossing.
    ticks = np.array([[2, T_MAX - 3, T_MAX]], np.uint16)
    found = engine.forward(engine.order_spikes(ticks, T_MAX), (hidden, 6 * output), NEURONS)
    assert (found.output[0, 0], found.potential[0, 0]) == (T_MAX - 1, 12.0)


@given(
    seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([0.4, 0.7, 1.0]),
    n_hidden=st.integers(1, 60), n_out=st.integers(2, 35),
)  # fmt: skip
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_kernel_is_the_reference(vectors, seed, scale, n_hidden, n_out):
    """Times tick for tick; a whole epoch of learning, averaging and decay to rounding."""
    events, targets, weights = random_case(seed, n_hidden=n_hidden, n_out=n_out, scale=scale)
    ours, theirs = (e.forward(events, weights, NEURONS) for e in (compiled, reference))
    np.testing.assert_array_equal(ours.hidden, theirs.hidden)
    np.testing.assert_array_equal(ours.output, theirs.output)
    np.testing.assert_allclose(ours.potential, theirs.potential, atol=1e-12)
    early = compiled.forward(events, weights, NEURONS, whole=False)
    np.testing.assert_array_equal(
        model.strict(early.output, early.potential), model.strict(ours.output, ours.potential)
    )
    first = ours.output.min(axis=1)
    np.testing.assert_array_equal(early.output.min(axis=1), first)

    rule = Rule(gamma=5, learning_rate=0.2, decay=1e-3)
    order = np.random.default_rng(seed).permutation(len(events))
    results = []
    for engine in (compiled, reference):
        learned = tuple(w.copy() for w in weights)
        averaged = Averaged(tuple(w.copy() for w in weights), 0.3, 4)
        counts = engine.train_epoch(events, targets, order, learned, averaged, NEURONS, rule)
        results.append((learned, averaged.weights, counts))
    for ours, theirs in zip(*(r[0] + r[1] for r in results), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(results[0][2][0], results[1][2][0])
    assert results[0][2][1:] == results[1][2][1:]


def test_single_precision_is_close_to_double():
    events, targets, weights = random_case(3)
    rule = Rule(gamma=5, learning_rate=0.05, decay=1e-6)
    found = []
    for kind in (np.float32, np.float64):
        learned = tuple(w.astype(kind) for w in weights)
        compiled.train_epoch(events, targets, np.arange(12), learned, None, NEURONS, rule)
        found.append(learned)
    for single, double in zip(*found, strict=True):
        np.testing.assert_allclose(single, double, atol=1e-4)
    with pytest.raises(ValueError, match="precision"):
        mixed = (weights[0], weights[1].astype(np.float32))
        compiled.train_epoch(events, targets, np.arange(12), mixed, None, NEURONS, rule)


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
    # The published scoring never scores less than the strict one.
    own = params(t_max=T_MAX)
    spikes = Spikes.from_first_spikes(np.zeros((4, 1)), 1.0)
    some = Task(Stimulus({"input": spikes}), np.array([1, 1, 0, 1]), 3)
    strict = model.decide(own, output, potential, some)
    np.testing.assert_array_equal(strict.decision_ms, [3, T_MAX, 4, 7])
    lenient = model.decide(
        replace(own, values={**own.values, "ties": "hits"}), output, potential, some
    )
    assert (lenient.choices == some.targets).sum() == 4 > (strict.choices == some.targets).sum()
    with pytest.raises(UserError, match="ties"):
        model.decide(replace(own, values={**own.values, "ties": "?"}), output, potential, some)


def test_ties_to_the_lowest_output_of_the_code():
    """Outputs of the code stand for 4, 1, 0, 7, ...: of 0 and 4 the code's argmin takes 4."""
    output = np.full((4, 10), 9)
    output[0, [0, 4]] = 3
    output[1, [6, 8]] = 3
    output[2, 5] = 2
    output[3] = T_MAX
    potential = np.tile(np.arange(10.0), (4, 1))
    np.testing.assert_array_equal(model.lowest(output, potential, T_MAX), [4, 8, 5, 9])
    own = params(t_max=T_MAX, ties="lowest")
    spikes = Spikes.from_first_spikes(np.zeros((4, 1)), 1.0)
    some = Task(Stimulus({"input": spikes}), np.arange(4), 10)
    np.testing.assert_array_equal(model.decide(own, output, potential, some).choices, [4, 8, 5, 9])


# ---- Brian2 --------------------------------------------------------------------------------


def test_structure_is_shared_by_experiments():
    first, *others = (
        fulfilled(params(name)).to_brian(params(name))
        for name in ("mnist", "mnist_strict", "recipe", "published")
    )
    for other in others:
        assert other.definition == first.definition and other.reset == first.reset
        assert (other.name, other.max_trials, other.trial_ms) == (
            first.name, first.max_trials, first.trial_ms,
        )  # fmt: skip


@pytest.fixture(scope="module")
def simulated(builds):
    """Random networks with ties, silence and late spikes, in Brian2 and in the kernel."""
    from whyspiking.brian import Machine

    own = params(
        n_input=40, n_hidden=15, n_output=4, t_max=32, theta=10.0, max_trials=40, tick_ms=1.0
    )
    machine = Machine(fulfilled(own).to_brian(own), builds)
    rng = np.random.default_rng(5)
    ticks = rng.integers(0, 36, (70, 40)).astype(float)
    ticks[ticks >= 32] = np.inf
    spikes = Spikes.from_first_spikes(ticks, 32.0)
    test = Task(Stimulus({"input": spikes}), rng.integers(0, 4, 70), 4)
    cases = []
    for high in (0.6, 1.1, 2.0):
        # Multiples of a half make exact ties.
        w_hidden = np.round(2 * rng.uniform(-0.5, high, (40, 15))) / 2
        w_output = np.round(2 * rng.uniform(-2, 5, (15, 4))) / 2
        network = Network({"w_hidden": w_hidden, "w_output": w_output})
        recording = machine.run(test.stimulus, fulfilled(own).bind(own, network).values)
        cases.append((network, recording))
    return own, machine, test, cases


def test_brian_is_the_kernel_tick_for_tick(simulated):
    own, _, test, cases = simulated
    silence = ties = 0
    for network, recording in cases:
        expected = model.forward(own, network, task.events_of(own, test))
        found = model.read(own, recording)
        np.testing.assert_array_equal(found.hidden, expected.hidden)
        np.testing.assert_array_equal(found.output, expected.output)
        np.testing.assert_allclose(found.potential, expected.potential, atol=1e-12)
        ours = fulfilled(own).decode(own, recording, test)
        theirs = fulfilled(own).evaluate(own, "spiking", network, test)
        np.testing.assert_array_equal(ours.choices, theirs.choices)
        np.testing.assert_array_equal(ours.decision_ms, theirs.decision_ms)
        first = fulfilled(own).reference_first_ms(own, "spiking", network, test)
        for name, times in first.items():
            np.testing.assert_array_equal(recording.spikes[name].first_ms(), times)
        earliest = found.output.min(axis=1)
        silence += (earliest == own.t_max).sum()
        ties += ((found.output == earliest[:, None]).sum(axis=1) > 1)[earliest < own.t_max].sum()
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


def test_forced_decisions_end_at_the_free_ones(simulated):
    own, _, test, cases = simulated
    _, recording = cases[1]
    output = model.read(own, recording).output
    ticks, accuracy = exhibits.forced(own, recording, output, test.targets)
    outcome = fulfilled(own).decode(own, recording, test)
    assert ticks[-1] == own.t_max - 3, "where silent trials are decided"
    # Outputs that fire at the last two ticks are not yet decided then.
    first = output.min(axis=1)
    late = ((first > own.t_max - 3) & (first < own.t_max)).sum() / len(output)
    free = (outcome.choices == outcome.targets).mean()
    assert abs(accuracy[-1] - free) <= late
    assert accuracy.shape == ticks.shape


def test_exhibits_are_complete(simulated, digits, monkeypatch):
    own, _, _, cases = simulated
    monkeypatch.setattr(mnist, "load", lambda folder, split: _squares(split))
    mnist._flat.cache_clear()
    own = replace(own, values={**own.values, "n_input": 36, "n_test": 60})

    def simulate(network, some):
        # The stand-in answers in place of Brian2, which was built for another number of inputs.
        firing = model.forward(own, network, task.events_of(own, some))
        spikes = {
            name: Spikes.from_first_spikes(np.where(t < own.t_max, t, np.inf).astype(float), 32.0)
            for name, t in (("hidden", firing.hidden), ("output", firing.output))
        }
        traces = np.repeat(firing.potential[:, None], 32, axis=1)
        return model.Recording(spikes, {"potential": traces}, {"potential": 1.0})

    network = Network(
        {
            "w_hidden": cases[2][0].arrays["w_hidden"][:36],
            "w_output": cases[2][0].arrays["w_output"],
        }
    )
    found = fulfilled(own).exhibits(
        own, {("spiking", 0): network, ("spiking", 2): network}, simulate, Streams(0)
    )
    for seed in (0, 2):
        assert found[f"parity.times.{seed}"] == 1.0
        assert found[f"decided.share.{seed}"].sum() == pytest.approx(1)
        assert 0 <= found[f"ties.share.{seed}"] <= 1
    assert found["digit.image"].shape == (6, 6) and found["digit.hidden"].shape == (15,)
    assert found["filters.weights"].shape == (15, 6, 6)


def _squares(split):
    rng = np.random.default_rng(len(split))
    return rng.integers(0, 256, (90, 6, 6)).astype(np.uint8), rng.integers(0, 4, 90)
