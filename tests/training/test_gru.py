"""The recurrent control: its network, and the one that talk.yaml declares."""

from dataclasses import replace

import numpy as np
import pytest
from made.fulfilled import made_of
from scipy.special import expit

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Params, Stimulus
from whyspiking.datasets import delayed_match, shared
from whyspiking.errors import UserError
from whyspiking.training import controls, gru

DECLARED = {"hidden": ["n_hidden"], "sees": "all", "noise": None, "is": "gru"}


def params(**changes):
    values = {
        "delay_ms": 25.0, "n_output": 2, "n_hidden": 30, "n_train": 8000, "n_validation": 200,
        "n_test": 200, "control_batch": 50, "control_learning_rate": 0.02, "control_tau_ms": 100.0,
        "control_epochs": 1, "control_step_ms": 5.0, **changes,
    }  # fmt: skip
    return Params("toy", "match", "smoke", values)


def trained(own, **functions):
    talk = {
        "make_task": lambda params, split, streams: shared.delay_task(params, split),
        "control_trials": shared.training_trials,
        **functions,
    }
    return controls.train_declared(
        DECLARED, made_of(**talk), own, Streams(0), lambda share, news: None
    )


def test_the_readout_is_the_step_by_step_loop():
    rng = np.random.default_rng(0)
    arrays = gru.initial(7, 5, 4, Streams(0))
    arrays = {key: np.asarray(x, float) for key, x in arrays.items()}
    arrays["bias"] = np.linspace(-1, 1, 15)
    frames = (rng.random((14, 3, 7)) < 0.3).astype(np.float32)
    h = np.zeros((3, 5))

    for now in frames:
        drive = now @ arrays["input"] + arrays["bias"]
        keep = expit(drive[:, :5] + h @ arrays["state"][:, :5])
        reset = expit(drive[:, 5:10] + h @ arrays["state"][:, 5:10])
        new = np.tanh(drive[:, 10:] + (reset * h) @ arrays["state"][:, 10:])
        h = keep * h + (1 - keep) * new
    np.testing.assert_allclose(gru.read(arrays, frames)[:, -1], h @ arrays["out"], atol=1e-5)


def test_a_declared_network_bridges_a_delay_and_sees_spikes(monkeypatch):
    monkeypatch.setattr(
        delayed_match, "CUES", delayed_match.CUES[[0, -1]]
    )  # two that share no group
    own = params()
    network = trained(own)
    task = shared.delay_task(own, "test")
    decided = controls.evaluate(network, task)
    assert (decided.choices == decided.targets).mean() > 0.95
    assert (decided.decision_ms == 195).all(), "when the trial ends"
    assert network.info["parameters"] == 3 * 30 * (40 + 30 + 1) + 2 * 31
    # What happens to the spikes, happens to it.
    deaf = task.stimulus.spikes["input"]
    deaf = deaf.keep(deaf.units >= 30)
    choices = controls.evaluate(network, replace(task, stimulus=Stimulus({"input": deaf}))).choices
    assert 0.3 < (choices == task.targets).mean() < 0.7


def test_it_is_told_what_the_task_tells_and_answers_when_it_asks():
    own = params(delay_ms=400.0)
    task = shared.delay_task(own, "test")
    spikes, settings = task.stimulus.spikes["input"], shared.settings_of(own)
    frames = gru.frames_of(spikes, shared.STEP_MS)
    np.testing.assert_array_equal(frames.transpose(1, 0, 2), task.features)
    assert settings.answer_ms == gru.ANSWER_STEPS * shared.STEP_MS
    assert settings.trial_ms - settings.answer_ms == settings.go_ms


def test_every_trial_is_shown_once_and_batches_are_trials():
    shown = []

    def counted(params, first=0):
        for spikes, classes in shared.training_trials(params, first):
            shown.append(len(classes))
            yield spikes, classes

    network = trained(params(n_train=4000, n_hidden=3), control_trials=counted)
    assert shown == [2000, 2000, 2000], "the first to see how many come at once"
    assert network.info["epochs"] == 2
    rng = np.random.default_rng(0)
    frames, labels = rng.random((5, 12, 3)), np.arange(12)
    found, classes = gru.in_batches(frames, labels, 4)
    for k in range(3):
        np.testing.assert_array_equal(found[k], frames[:, 4 * k : 4 * k + 4])
    np.testing.assert_array_equal(classes, labels.reshape(3, 4))


def test_units_hold_their_state_as_long_as_they_are_told(monkeypatch):
    """Without input and with no weight but the gate's bias, what is left falls by 1 / e in tau."""
    begun = {}

    def kept(self, arrays, state, frames, labels):
        begun.update(arrays)
        return arrays, state, {}

    monkeypatch.setattr(gru.Learner, "update", kept)
    network = trained(params(n_train=2000, n_hidden=2, control_tau_ms=50.0))
    arrays = {key: np.zeros_like(x) for key, x in network.arrays.items()}
    arrays["bias"], arrays["out"] = network.arrays["bias"], np.eye(2, dtype=np.float32)
    arrays["input"] = np.eye(1, 6, 4, dtype=np.float32) * 100
    frames = np.zeros((40, 1, 1), np.float32)
    frames[0] = 1
    state = gru.read(arrays, frames)[0, :, 0]
    assert state[11] / state[1] == pytest.approx(0.9**10, rel=1e-5), "ten steps of 5 ms"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"control_batch": 64}, r"'control_batch' is 64.* 2000 "),
        ({"control_tau_ms": 5.0}, r"'control_tau_ms' is 5.*5 ms"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    with pytest.raises(UserError, match=message):
        trained(params(n_train=2000, **changes))


def test_epochs_are_shown_one_after_the_other():
    shown = []

    def counted(params, first=0):
        for index in range(first, 3 * 2):
            shown.append(index)
            yield shared.trials(params, "train", 2000, index % 2)

    own = params(n_train=4000, n_hidden=3, control_epochs=3)
    network = trained(own, control_trials=counted)
    assert shown == [0, *range(6)] and network.info["epochs"] == 6


def test_a_rate_without_bounds_ends_training():
    with pytest.raises(UserError, match="not finite at epoch 1, step 2"):
        trained(params(n_train=2000, n_hidden=3, control_learning_rate=np.inf))
