"""Bohte: the published recipe, from its settings and starts to both simulators."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from made.fulfilled import fulfilled, task_of
from made.project import params_of, silent, talk_of
from oracles import bohte_alif

from whyspiking.brian import Machine
from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network
from whyspiking.errors import UserError
from whyspiking.measures import scoring
from whyspiking.talks.bohte import brian_network, published, task

SMALL = params_of("bohte", "published", n_hidden=[7], n_test=4, n_steps=120)
ARMS = ("spiking", "adaptive")


def drawn_layers(variant):
    """A network that is not trained, with weights large enough for many spikes."""
    rng = np.random.default_rng(5)
    arrays = published.draw_layers(SMALL, published.CELLS[variant], rng)
    scale = {"w_in_0": 3.0, "w_in_1": 3.0}
    arrays = {name: scale.get(name, 1.0) * values for name, values in arrays.items()}
    for k in range(2):
        arrays[f"bias_{k}"] = rng.normal(0.1, 0.3, arrays[f"bias_{k}"].shape)
        arrays[f"tau_mem_{k}"] = rng.uniform(3, 30, arrays[f"bias_{k}"].shape)
    return {name: np.asarray(values, np.float64) for name, values in arrays.items()}


@pytest.mark.parametrize("variant", ARMS)
def test_both_simulators_follow_the_published_update(variant, builds):
    strength = {"spiking": 0.0, "adaptive": 1.8}[variant]
    net = Network(drawn_layers(variant), {"adaptation": strength})
    test = task_of(SMALL)
    x = task.raster(SMALL, test)
    machine = Machine(fulfilled(SMALL).to_brian(SMALL), builds)
    recording = machine.run(test.stimulus, fulfilled(SMALL).bind(SMALL, net).values)
    start = np.full((len(x), 7), 0.5)
    with jax.enable_x64(True):
        events = x.swapaxes(0, 1).astype(np.float64)
        membranes, fired = published.run_layers(SMALL, net.arrays, events, strength, start)
    at = net.arrays
    for trial in range(len(x)):
        layer, rest = x[trial], 0.5
        for k, (w_rec, beta) in enumerate(((at["w_rec_0"], strength), (0.0, 1.8))):
            drive = layer @ at[f"w_in_{k}"] + at[f"bias_{k}"]
            decays = np.exp(-1 / at[f"tau_mem_{k}"]), np.exp(-1 / at[f"tau_adapt_{k}"])
            layer, u = bohte_alif.run(drive, w_rec, *decays, 0.01, beta, rest, 0.0)
            assert 0.02 < layer.mean() < 0.95
            if not k:
                np.testing.assert_array_equal(np.asarray(fired)[:, trial], layer)
                simulated = brian_network.raster(SMALL, recording, 0)[trial]
                np.testing.assert_array_equal(simulated, layer > 0)
            rest = 0.0
        np.testing.assert_allclose(np.asarray(membranes)[:, trial], u, atol=1e-11)
        simulated = brian_network.outputs(SMALL, recording)[trial]
        np.testing.assert_allclose(simulated, u, atol=1e-11)


@pytest.mark.parametrize("variant", ARMS)
def test_compiled_gradients_are_those_of_jax(variant):
    """Single precision with the hidden layer in C++, and double precision in JAX alone."""
    test = task_of(SMALL, "train")
    rng = np.random.default_rng(1)
    batch = {
        "x": task.raster(SMALL, test)[:6],
        "labels": test.targets[:6].astype(np.int8),
        "start": rng.random((6, 7)),
    }
    strength = {"spiking": 0.0, "adaptive": 1.8}[variant]
    found = []
    for precision in (np.float32, np.float64):
        with jax.enable_x64(precision == np.float64):
            arrays = {k: v.astype(precision) for k, v in drawn_layers(variant).items()}
            given = {**batch, "start": batch["start"].astype(precision)}
            loss = published.make_loss(SMALL)
            given["adaptation"] = precision(strength)
            found.append(jax.grad(loss, has_aux=True)(arrays, given)[0])
    for name, exact in found[1].items():
        if strength or name != "tau_adapt_0":
            assert np.abs(exact).max() > 1e-5, name
        np.testing.assert_allclose(found[0][name], exact, rtol=2e-3, atol=2e-6, err_msg=name)


class Stopped(Exception):
    """Raised in place of a training."""


def settings_of(monkeypatch, variant, scale="full"):
    """What the training of a variant would be given, with simulated records."""
    told = {}

    def keep(arrays, loss, data, **more):
        told.update(more, arrays=arrays, data=data)
        raise Stopped

    monkeypatch.setattr(published.gradient, "fit", keep)
    params = params_of("bohte", "published", scale, records="simulated", n_steps=100, n_test=2)
    with pytest.raises(Stopped):
        published.train(params, variant, Streams(900), {}, silent)
    return told


def test_the_recipe_is_the_published_one(monkeypatch):
    experiment = talk_of("bohte").experiments["published"]
    for scale in ("default", "full", "paper"):
        assert experiment.describe_reduction(scale) == ""
        assert not experiment.changes(scale)
    rates = {}
    for variant in ARMS:
        told = settings_of(monkeypatch, variant)
        settings = told["settings"]
        assert (settings.epochs, settings.batch, settings.learning_rate) == (400, 64, 0.01)
        assert (settings.halved_every, settings.keep_last) == (100, False)
        assert settings.criterion == "train_accuracy"
        assert settings.clip_norm > 1e10
        rates[variant] = settings.rates
    fixed = {"tau_mem_0": 0.0, "tau_adapt_0": 0.0, "tau_mem_1": 0.0}
    trained = {"tau_mem_0": 3.0, "tau_adapt_0": 3.0, "tau_mem_1": 2.0}
    same = {"tau_adapt_1": 2.0, "bias_0": 2.0}
    assert rates == {"spiking": {**fixed, **same}, "adaptive": {**trained, **same}}


def test_training_starts_as_published(monkeypatch):
    """All training records, time constants in steps, other random membranes in every epoch."""
    told = settings_of(monkeypatch, "spiking")
    arrays, draw = told["arrays"], told["data"]
    for name, expected in {"tau_mem_0": 20, "tau_adapt_0": 7, "tau_mem_1": 20}.items():
        np.testing.assert_allclose(arrays[name], expected, rtol=1e-6)
    assert (arrays["tau_adapt_1"] == 100).all()
    assert told["constants"] == {"adaptation": 0.0}
    starts = [draw(epoch)["start"] for epoch in (1, 2, 1)]
    assert starts[0].shape == (618, 36) and draw(1)["x"].shape[0] == 618
    assert 0 <= starts[0].min() < 0.01 and 0.99 < starts[0].max() < 1
    np.testing.assert_array_equal(starts[0], starts[2])
    assert (starts[0] != starts[1]).all()


def test_the_kept_epoch_is_best_on_training_records_and_test_records_choose_nothing(tmp_path):
    params = replace(params_of("bohte", "published", seed=900, epochs=4), work_dir=tmp_path)
    made = fulfilled(params).train(params, "adaptive", Streams(900), {}, silent)
    curves = {
        metric: [row["value"] for row in made.history if row["metric"] == metric]
        for metric in ("train_accuracy", "test_accuracy")
    }
    kept = int(np.argmax(curves["train_accuracy"]))
    assert made.info["best_epoch"] == kept + 1
    scores = curves["test_accuracy"]
    assert made.info["measures"] == {
        "accuracy_padded_best_train": scores[kept],
        "accuracy_padded_best_test": max(scores),
        "accuracy_padded_last": scores[-1],
    }
    test = task_of(params)
    labels = fulfilled(params).evaluate(params, "adaptive", made, test)
    scored = task.scored(params, test.targets, padded=True)
    assert scoring.accuracy(replace(labels, targets=scored)) == pytest.approx(scores[kept])
    for k, start in enumerate((7, 100)):
        assert np.abs(made.arrays[f"tau_adapt_{k}"] - start).max() > 1e-3
        assert np.abs(made.arrays[f"tau_mem_{k}"] - 20).max() > 1e-3


def test_plain_neurons_keep_their_time_constants_and_outputs_adapt(tmp_path):
    params = replace(params_of("bohte", "published", epochs=1), work_dir=tmp_path)
    made = fulfilled(params).train(params, "spiking", Streams(900), {}, silent)
    for name, expected in {"tau_mem_0": 20, "tau_adapt_0": 7, "tau_mem_1": 20}.items():
        np.testing.assert_allclose(made.arrays[name], expected, rtol=1e-6)
    assert np.abs(made.arrays["tau_adapt_1"] - 100).max() > 1e-3
    values = fulfilled(params).bind(params, made).values
    assert values["hidden_0.beta"] == 0 and values["output.beta"] == 1.8


def test_time_constants_are_limited():
    given = {"tau_mem_0": np.array([0.2, 5.0, 9000.0]), "w_in_0": np.array([0.2, 9000.0])}
    found = published.limit_time_constants(SMALL, given)
    np.testing.assert_array_equal(found["tau_mem_0"], [1, 5, 2000])
    np.testing.assert_array_equal(found["w_in_0"], [0.2, 9000])


def test_an_unknown_variant_is_refused():
    with pytest.raises(UserError, match="variant 'gru' is not known"):
        published.train(SMALL, "gru", Streams(900), {}, silent)


def test_without_the_authors_records_no_network_is_trained():
    own = params_of("bohte", "published", "full", seed=900)
    made = fulfilled(own).train(own, "spiking", Streams(900), {}, silent)
    assert not made.arrays
    assert "QTDB_train.mat and QTDB_test.mat are not" in made.info["unavailable"]
