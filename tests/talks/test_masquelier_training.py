"""Training of S4NN: recipe, epochs, failures, shared tasks."""

from dataclasses import replace

import numpy as np
import pytest
from made.bars import NEURONS, T_MAX, made_digits, random_case
from made.fulfilled import fulfilled, task_of
from made.project import params_of, silent
from oracles import masquelier_reference as reference

from whyspiking.contract.randomness import Streams
from whyspiking.declared import registry
from whyspiking.errors import UserError
from whyspiking.talks.masquelier import compiled, learning, model, task
from whyspiking.talks.masquelier.network import Diverged, Rule, order_spikes
from whyspiking.training.history import History


@pytest.fixture
def digits(monkeypatch):
    return made_digits(monkeypatch)


# ---- training ------------------------------------------------------------------------------


def test_it_learns_and_keeps_the_best_epoch(digits):
    own = params_of("masquelier", "published", **digits)
    found = fulfilled(own).train(own, "spiking", Streams(0), {}, silent)
    curve = [r["value"] for r in found.history if r["metric"] == "validation_accuracy"]
    assert len(curve) == 8 and found.info["validation_accuracy"] == max(curve)
    assert found.info["kept_epoch"] == 1 + int(np.argmax(curve))
    outcome = fulfilled(own).evaluate(own, "spiking", found, task_of(own))
    # Chance is a quarter.
    assert (outcome.choices == outcome.targets).mean() > 0.6
    again = fulfilled(own).train(own, "spiking", Streams(0), {}, silent)
    other = fulfilled(own).train(own, "spiking", Streams(1), {}, silent)
    for name in found.arrays:
        np.testing.assert_array_equal(found.arrays[name], again.arrays[name])
        assert (found.arrays[name] != other.arrays[name]).any()


def test_it_may_train_on_everything_and_keep_the_last_epoch(digits):
    own = params_of("masquelier", "published", **{**digits, "keep_epoch": "last", "n_train": 300})
    images, _ = task.samples(own, "train")
    assert len(images) == 300, "nothing is held out"
    with pytest.raises(UserError, match="split 'validation', which has only 0"):
        task.samples(own, "validation")
    found = learning.train(own, "spiking", Streams(0), {}, silent)
    assert found.info["kept_epoch"] == own.epochs
    assert not [key for key in found.info if key.startswith("validation")]
    assert {row["metric"] for row in found.history} >= {"train_accuracy", "dead"}
    with pytest.raises(UserError, match="keep_epoch"):
        task.samples(
            params_of("masquelier", "published", **{**digits, "keep_epoch": "first"}), "train"
        )


def test_the_published_experiment_is_the_published_code():
    """At every scale but smoke."""
    experiment = registry.load_talk("masquelier").experiments["published"]
    assert set(experiment.scaled) == {"smoke"}
    own = params_of("masquelier", "published", **experiment.published)
    assert {learning.rule(own, epoch) for epoch in (1, 50, 100)} == {Rule(3, 0.2, 1e-6, True, 0)}
    published = {
        "n_train": 60000, "epochs": 100, "keep_epoch": "last",
        "shuffle": False, "average_rate": 0.0, "reset_output": False, "reset_until": 1.0,
        "follow_test": True, "script_draws": False,
    }  # fmt: skip
    assert {name: own.values[name] for name in published} == published


def test_scores_on_test_images_choose_nothing(digits):
    published = {"n_train": 300, "keep_epoch": "last", "follow_test": True, "ties": "hits"}
    own = params_of("masquelier", "published", **{**digits, **published})
    unseen = replace(own, values={**own.values, "follow_test": False})
    found, alone = (learning.train(p, "spiking", Streams(0), {}, silent) for p in (own, unseen))
    for name in found.arrays:
        np.testing.assert_array_equal(found.arrays[name], alone.arrays[name])
    curve = [r["value"] for r in found.history if r["metric"] == "test_accuracy"]
    outcome = fulfilled(own).evaluate(own, "spiking", found, task_of(own))
    assert curve[-1] == (outcome.choices == outcome.targets).mean() and len(set(curve)) > 1
    spread = float(np.std(curve[-learning.LATE :], ddof=1))
    assert found.info["measures"] == {
        "accuracy_best_test": max(curve),
        "accuracy_best_test_40": max(curve),
        "accuracy_late_spread": spread,
    }
    assert not alone.info["measures"] and alone.info["kept_epoch"] == own.epochs == 8


def test_the_accuracy_at_epoch_38_is_that_of_the_released_networks_epoch():
    """It is missing, and not another number, where a training was shorter."""
    curve = np.linspace(0.5, 0.9, 100)[::-1]
    for n_epochs, expected in ((100, curve[37]), (38, curve[37]), (37, None)):
        history = History()
        for epoch, value in enumerate(curve[:n_epochs], start=1):
            history.note(epoch, test_accuracy=value)
        measures = learning.followed(history)
        assert measures.get("accuracy_test_38") == expected
        assert measures["accuracy_best_test"] == curve[0]
    assert learning.followed(History()) == {}


def test_an_epoch_chosen_on_held_out_images_is_scored_as_the_test_images_are(digits):
    """The readout chooses the epoch; it changes no number of the training before."""
    own = params_of("masquelier", "published", **{**digits, "ties": "hits"})
    strict = replace(own, values={**own.values, "ties": "potential"})
    found, other = (learning.train(p, "spiking", Streams(0), {}, silent) for p in (own, strict))
    curves = {
        (name, metric): [r["value"] for r in network.history if r["metric"] == metric]
        for name, network in (("hits", found), ("potential", other))
        for metric in ("train_accuracy", "validation_accuracy", "validation_ties_as_hits")
    }
    for metric in ("train_accuracy", "validation_accuracy", "validation_ties_as_hits"):
        assert curves["hits", metric] == curves["potential", metric]
    hits, potential = (
        curves["hits", "validation_ties_as_hits"],
        curves["hits", "validation_accuracy"],
    )
    assert found.info["kept_epoch"] == 1 + int(np.argmax(hits))
    assert other.info["kept_epoch"] == 1 + int(np.argmax(potential))
    assert np.argmax(hits) != np.argmax(potential), "the case must contain what it tests"


def test_the_validated_variant_holds_out_images_and_never_follows_test_images():
    experiment = registry.load_talk("masquelier").experiments["published"]
    values = experiment.values_of("validated", experiment.published)
    changed = {name: value for name, value in values.items() if value != experiment.published[name]}
    assert changed == {"keep_epoch": "best", "n_train": 55000, "follow_test": False}
    assert values["n_train"] + values["n_held_out"] == experiment.published["n_train"]
    assert values["n_held_out"] == values["n_validation"] and values["ties"] == "hits"


def test_held_out_images_are_not_trained_on(digits):
    """The same training, bit for bit, as one that keeps its last epoch of as many images."""
    shared = {**digits, "ties": "hits", "shuffle": False, "average_rate": 0.0}
    chosen = params_of("masquelier", "published", **shared)
    last = params_of("masquelier", "published", **{**shared, "keep_epoch": "last"})
    curves = []
    for own in (chosen, last):
        network = learning.train(own, "spiking", Streams(0), {}, silent)
        curves.append([r["value"] for r in network.history if r["metric"] == "train_accuracy"])
    assert curves[0] == curves[1] and len(set(curves[0])) > 1


def test_the_script_draws_from_one_stream(digits):
    """As its lines 92-96 and 237-240 do, written out."""
    own = params_of(
        "masquelier", "published",
        **{**digits, "n_output": 10, "script_draws": True, "reset_output": False},
    )  # fmt: skip
    init, redraw = learning.generators(own, Streams(5))
    found = learning.initial_weights(own, init)
    rng = np.random.RandomState(0)
    hidden, output = 20.0 * rng.random_sample((20, 8, 8)), 48.0 * rng.random_sample((10, 20, 1))
    learning.reset(own, found, np.isin(np.arange(20), [3, 7]), redraw)
    for neuron in (3, 7):
        hidden[neuron] = 20.0 * rng.random_sample((8, 8))
    np.testing.assert_array_equal(found[0], hidden.reshape(20, -1).T)
    np.testing.assert_array_equal(found[1][:, model.CODE_ORDER], output[:, :, 0].T)


def test_the_margin_grows():
    own = params_of("masquelier", "published", gamma_epochs=4, gamma=8, gamma_start=4)
    assert [learning.margin(own, epoch) for epoch in range(1, 8)] == [4, 5, 6, 7, 8, 8, 8]


@pytest.mark.parametrize("output", [False, True])
def test_silent_neurons_are_drawn_anew(digits, output):
    """Their input weights always; their output weights not in the published code."""
    own = params_of("masquelier", "published", **{**digits, "reset_output": output})
    weights = learning.initial_weights(own, Streams(0).rng("init"))
    before = tuple(w.copy() for w in weights)
    mask = np.zeros(20, bool)
    mask[[3, 7]] = True
    learning.reset(own, weights, mask, np.random.default_rng(0))
    np.testing.assert_array_equal((weights[0] != before[0]).any(axis=0), mask)
    np.testing.assert_array_equal((weights[1] != before[1]).any(axis=1), mask & output)
    assert weights[0].max() <= own.hidden_limit and weights[1].max() <= own.output_limit


def test_the_image_after_which_weights_are_no_numbers():
    ticks, targets, weights = random_case(0, n_images=4)
    events = order_spikes(ticks, T_MAX)
    order, rule = np.tile(np.arange(4), 300), Rule(5, 1e-3, 0.0)
    for layer, bad in ((0, np.inf), (1, np.nan)):
        broken = tuple(w.copy() for w in weights)
        broken[layer][-1, -1] = bad
        with pytest.raises(Diverged) as reason:
            compiled.train_epoch(events, targets, order, broken, None, NEURONS, rule)
        assert reason.value.image == 500


# ---- shared tasks --------------------------------------------------------------------------


@pytest.mark.parametrize("experiment", ["shared_yinyang", "shared_randman"])
def test_shared_tasks_are_the_same_for_both_engines(experiment, monkeypatch):
    """Times on ticks; one epoch of training equal to rounding; ties never count as hits."""
    own = params_of("masquelier", experiment, n_train=200, epochs=1)
    assert own.ties == "potential"
    values, _ = task.samples(own, "validation")
    ours, theirs = task.events(own, values), task.events_of(own, task_of(own, "validation"))
    np.testing.assert_array_equal(ours.tick, theirs.tick)
    trained = learning.train(own, "spiking", Streams(0), {}, silent)
    monkeypatch.setattr(learning, "compiled", reference)
    again = learning.train(own, "spiking", Streams(0), {}, silent)
    assert (trained.info["engine"], again.info["engine"]) == ("compiled", "numpy")
    for name in trained.arrays:
        np.testing.assert_allclose(trained.arrays[name], again.arrays[name], rtol=1e-9, atol=1e-9)
    start = learning.initial_weights(own, Streams(0).rng("init"))
    assert (np.abs(trained.arrays["w_hidden"] - start[0]) > 1e-3).any(), "something was learned"


@pytest.mark.parametrize("experiment", ["shared_yinyang", "shared_randman"])
def test_of_one_spike_per_input_it_sees_the_order_alone(experiment):
    """Other intervals, equal order: equal decisions, silent outputs included."""
    own = params_of("masquelier", experiment)
    rng, n, step = np.random.default_rng(0), own.n_input, own.last_tick // own.n_input
    ranks = rng.permuted(np.tile(np.arange(n), (300, 1)), axis=1)
    whole = np.tile(np.arange(own.last_tick + 1), (300, 1))
    uneven = np.sort(rng.permuted(whole, axis=1)[:, :n])
    intervals = (ranks * step, np.take_along_axis(uneven, ranks, axis=1))
    assert (intervals[0] != intervals[1]).any(axis=1).all(), "the cases must contain what they test"
    made, silence = set(), []
    for _ in range(4):
        weights = (
            own.hidden_limit * rng.uniform(-0.5, 1, (n, own.n_hidden)),
            own.output_limit * rng.uniform(-1, 1, (own.n_hidden, own.n_output)),
        )
        choices = []
        for ticks in intervals:
            events = order_spikes(ticks.astype(np.uint16), own.t_max)
            firing = compiled.forward(events, weights, model.neurons(own))
            choices.append(model.strict(firing.output, firing.potential))
            silence.append((firing.output.min(axis=1) == own.t_max).mean())
        np.testing.assert_array_equal(*choices)
        made |= set(choices[0].tolist())
    assert len(made) > 1 and max(silence) > 0.02, "the cases must contain what they test"
