"""Controls asked before their input is complete: toys whose every answer is known."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from made.digits import show
from made.fulfilled import fulfilled, made_of, task_of
from made.project import params_of

from whyspiking.battery import partial_input
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.talk import Replication
from whyspiking.contract.types import Network, Params, Stimulus, Task, Trials
from whyspiking.datasets.recordings import Recordings
from whyspiking.errors import UserError
from whyspiking.measures import latency
from whyspiking.measures.latency import Answers
from whyspiking.records import tables
from whyspiking.talks.neftci import task as neftci

K, DURATION, LAST = 4, 20.0, 10.0
CONFIG = {"n_trials": 80}
PARAMS = Params("toy", "one", "smoke", {})
NETWORK = Network({}, {"engine": "jax"})


def make_task(params, split, streams) -> Task:
    """Equally many trials per class; channel k fires at LAST in class k, the others at 0."""
    targets = np.arange(100) % K
    first_ms = np.zeros((targets.size, K))
    first_ms[np.arange(targets.size), targets] = LAST
    spikes = Spikes.from_first_spikes(first_ms, DURATION)
    return Task(Stimulus({"input": spikes}), targets, K, np.eye(K)[targets])


def evaluate(params, variant, network, task) -> Trials:
    choices = np.asarray(task.features).argmax(axis=1)
    return Trials(task.targets, choices, np.zeros(choices.size), K)


def toy(features_until=None, **parts) -> Replication:
    if features_until is not None:
        parts["features_until"] = features_until
    return made_of(make_task=make_task, evaluate=evaluate, **parts)


def from_spike(params, task, t_ms):
    """The class is known when the last channel has fired; before, nothing is."""
    return task.features * (task.stimulus.spikes["input"].first_ms() <= t_ms).all(axis=1)[:, None]


def at_once(params, task, t_ms):
    return task.features


def measured(talk, config=CONFIG) -> tuple[dict[str, float], dict[str, Any]]:
    rows, arrays = partial_input.probe(talk, PARAMS, "mlp", NETWORK, config)
    table = tables.check_metrics(pd.DataFrame(rows), "rows")
    assert set(table["variant"]) == {"mlp"} and set(table["engine"]) == {"jax"}
    assert set(table["n_trials"]) == {min(100, config["n_trials"])}
    return dict(zip(table["metric"], table["value"], strict=True)), arrays


def test_nothing_is_said_of_controls_that_cannot_be_asked():
    silent = toy(from_spike)
    silent.make_task = lambda *_: Task(Stimulus(), np.zeros(4, int), K, np.zeros((4, K)))  # pyright: ignore[reportAttributeAccessIssue]
    for talk in (toy(), toy(lambda *_: None), silent):
        assert partial_input.probe(talk, PARAMS, "mlp", NETWORK, CONFIG) == ([], {})


def test_features_of_another_shape_are_refused():
    talk = toy(lambda params, task, t_ms: task.features[:, :2])
    with pytest.raises(UserError, match=r"features_until.*shape"):
        partial_input.probe(talk, PARAMS, "mlp", NETWORK, CONFIG)


def test_answers_settle_when_the_last_one_is_named_for_good():
    choices = np.array([[1, 0, 2], [1, 1, 2], [0, 1, 2], [1, 1, 2]])
    answers = Answers(np.array([1, 1, 0]), choices, np.array([0.0, 1, 2, 3]), 3)
    found = latency.settled(answers)
    assert found.choices.tolist() == [1, 1, 2]
    assert found.decision_ms.tolist() == [3.0, 1.0, 0.0]
    # Asked, not settled: the share that is right at each time.
    np.testing.assert_allclose(
        latency.anytime(answers, [0, 1, 2.5, 9]), [1 / 3, 2 / 3, 1 / 3, 2 / 3]
    )


# ---- real talks ---------------------------------------------------------------------------


def asked(params, t_ms):
    task = task_of(params)
    return task.features, fulfilled(params).features_until(params, task, t_ms)


def test_yinyang_is_known_when_half_of_the_window_is_over():
    params = params_of("goeltz", "yinyang")
    tau = params.tau_s_ms
    half = (params.t_early + params.t_late) / 2 * tau
    for t_ms in (params.trial_ms, params.t_late * tau, half):
        features, found = asked(params, t_ms)
        np.testing.assert_allclose(found, features, atol=1e-12)
    features, found = asked(params, params.t_early * tau - 1e-9)
    np.testing.assert_array_equal(found, 0.5)
    # x = 0.25 fires at a quarter of the window and tells x and 1 - x, and nothing else.
    quarter = (0.75 * params.t_early + 0.25 * params.t_late) * tau
    features, found = asked(params, quarter)
    early = np.minimum(features, 1 - features) <= 0.25
    np.testing.assert_allclose(found, np.where(early, features, 0.5), atol=1e-12)
    assert 0.1 < early.mean() < 0.9


@pytest.fixture
def images(monkeypatch):
    """Thirty images in place of MNIST, half of them background."""
    rng = np.random.default_rng(0)
    made = rng.integers(0, 256, (30, 28, 28), np.uint8) * (rng.random((30, 28, 28)) < 0.5)
    labels = np.arange(30) % 10
    show(monkeypatch, lambda folder, split: (made.astype(np.uint8), labels))


@pytest.mark.parametrize(
    ("talk", "experiment"),
    [
        ("comsa", "mnist_slow"),
    ],
)
def test_pixels_come_by_brightness_and_in_the_end_all_are_there(talk, experiment, images):
    params = params_of(talk, experiment, n_test=30)
    task = task_of(params)
    first_ms = task.stimulus.spikes["input"].first_ms()
    end = first_ms[np.isfinite(first_ms)].max()
    assert end <= task.stimulus.spikes["input"].duration_ms
    features, found = asked(params, end)
    np.testing.assert_array_equal(found, features)
    assert found.dtype == features.dtype
    middle = np.median(first_ms[np.isfinite(first_ms) & (features > 0)])
    _, found = asked(params, middle)
    known = found > 0
    np.testing.assert_array_equal(found[known], features[known])
    assert 0.3 < known[features > 0].mean() < 0.7
    # Those that are missing are darker than all that have come.
    assert features[~known].max() <= features[known].min()


def test_gates_and_words_cannot_be_asked():
    task = make_task(PARAMS, "test", Streams(0))
    for talk, experiment in (("comsa", "boolean"), ("masquelier", "words")):
        params = params_of(talk, experiment)
        assert fulfilled(params).features_until(params, task, 1.0) is None


def test_events_are_counted_over_the_frames_so_far():
    params = params_of("neftci", "nmnist", n_frames=8, dt_ms=10.0)
    rng = np.random.default_rng(0)
    frames = rng.random((5, 8, 24)) < 0.3
    data = Recordings(np.arange(5), np.packbits(frames, axis=2), 24, None)
    task = neftci.as_spikes(params, data, np.arange(5))
    for t_ms in (75.0, 80.0):  # the last frame is complete half a step after its time
        found = neftci.features_until(params, task, t_ms)
        np.testing.assert_array_equal(found, neftci.counts(data))
        assert found.dtype == np.float32
    found = neftci.features_until(params, task, 35.0)
    np.testing.assert_allclose(found, 10 * frames[:, :4].mean(axis=1), rtol=1e-6)


def test_the_vote_of_counts_settles_as_that_of_a_spiking_network_does():
    """A classifier of two inputs, of which first the one and then the other is more active."""
    params = params_of("neftci", "nmnist", n_frames=6, dt_ms=10.0, burn_in_ms=10.0)
    active = np.zeros((2, 6, 2), bool)
    active[0, :, 0] = True
    active[1, 0, 0] = True
    active[1, 2:, 1] = True
    data = Recordings(np.array([0, 1]), np.packbits(active, axis=2), 2, None)
    task = neftci.as_spikes(params, data, np.arange(2))
    network = Network({"w0": np.eye(2), "b0": np.array([0.1, 0.0])}, {"engine": "jax"})
    found = fulfilled(params).control_decisions(params, "linear", network, task)
    assert found.choices.tolist() == [0, 1]
    # Frames so far: one against none, one each (a tie, by bias the first), then two against one.
    assert found.decision_ms.tolist() == [10.0, 30.0]


def half(params, task, t_ms):
    """Classes 0 and 1 are known at once, the others with the last spike."""
    return task.features * ((task.targets < 2) | (t_ms >= LAST))[:, None]


def decided(params, variant, network, task):
    return Trials(task.targets, task.targets, np.full(task.targets.size, 5.0), K)


HALF = (0.5 - 1 / K) / (1 - 1 / K)
"""What half of the classes is worth: of the others nothing is known, for silence is class 0."""


@pytest.mark.parametrize(
    ("talk", "t95", "area"),
    [
        (toy(at_once), 0.0, 1.0),
        (toy(from_spike), LAST, 1 - LAST / DURATION),
        (toy(half), LAST, 0.5 * HALF + 0.5),
        (toy(at_once, control_decisions=decided), 5.0, 0.75),  # decisions in time as they are
    ],
)
def test_how_early_a_control_answers(talk, t95, area):
    values, arrays = measured(talk, {"n_trials": 100})
    assert values == {"t95": t95, "speed_area": pytest.approx(area)}
    curve, times = arrays["anytime.mlp.0"], arrays["anytime.time_ms"]
    assert (curve[times >= LAST] == 1).all() and (curve[times < t95] < 1).all()
