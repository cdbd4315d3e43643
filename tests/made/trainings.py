"""A small training of every kind that keeps checkpoints; all but a few end within a second.

Each takes a progress function and gives the network; equal calls give equal networks.
"""

from functools import partial
from pathlib import Path

import numpy as np
import yaml
from made import bars, comsa_networks, neftci_networks, poisson_digits
from made.project import params_of

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Params
from whyspiking.talks._template import learning as template
from whyspiking.talks.comsa import boolean
from whyspiking.talks.comsa import learning as comsa
from whyspiking.talks.comsa import task as comsa_task
from whyspiking.talks.goeltz import learning as goeltz
from whyspiking.talks.goeltz import model as goeltz_model
from whyspiking.talks.goeltz import stepwise, substrates
from whyspiking.talks.masquelier import learning as s4nn
from whyspiking.talks.naud.rate_hierarchy import burstprop, deep_digits, digits
from whyspiking.talks.naud.rate_hierarchy import learning as rate_hierarchy
from whyspiking.talks.naud.xor import learning as bursting
from whyspiking.talks.neftci import gru
from whyspiking.talks.neftci import training as decolle
from whyspiking.talks.neftci.mnist_poisson import training as convolutional
from whyspiking.talks.scherr import (
    evidence,
    evidence_published,
    oneshot,
    reward,
    shared_networks,
)
from whyspiking.training import controls, gradient
from whyspiking.training.reference import learning as reference
from whyspiking.training.reference import units

STREAMS = Streams(3)


def by_gradient(progress, monkeypatch):
    def squares(arrays, batch):
        error = batch["x"] @ arrays["w"] + arrays["b"] - batch["y"]
        return (error**2).mean(), {}

    x = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
    fitted = gradient.fit(
        {"w": np.zeros(2, np.float32), "b": np.ones((), np.float32)},
        squares,
        {"x": x, "y": x @ np.array([1.0, -2.0], np.float32)},
        gradient.Settings(8, 10, 0.05, 1.0, "good", {}),
        # The best epoch comes before the training is stopped.
        judge=lambda arrays: {"good": -abs(float(arrays["w"][0]) - 0.1)},
        shuffle=np.random.default_rng(1),
        progress=progress,
    )
    return Network(fitted.arrays, fitted.info, fitted.history)


def of_a_control(progress, monkeypatch):
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (120, 2))
    shown = x, (np.hypot(*x.T) < 0.8).astype(np.int64)
    options = {"epochs": 6, "batch": 20, "learning_rate": 1e-2, "input_noise": 0.1}
    return controls.train([2, 8, 2], shown, shown, **options, streams=STREAMS, progress=progress)


def of_first_spikes(progress, monkeypatch):
    own = params_of("goeltz", "yinyang", epochs=6, n_train=200)
    return goeltz.train(own, STREAMS, progress)


def of_first_spikes_stepwise(progress, monkeypatch):
    own = params_of("goeltz", "yinyang", epochs=4, n_train=100)
    ideal = stepwise.Substrate(goeltz_model.closed_form(own))
    learner = partial(stepwise.Stepwise, substrate=ideal)
    return goeltz.train(own, STREAMS, progress, learner=learner)


def on_substrates(progress, monkeypatch):
    own = params_of("goeltz", "substrates", epochs=4, n_train=100)
    hidden, output = goeltz.initial_weights(own, STREAMS)
    parent = Network({"w_hidden": hidden, "w_output": output})
    return substrates.train(own, "adapted", STREAMS, {"substrates/ideal": parent}, progress)


def with_pulses(progress, monkeypatch):
    own = params_of(
        "comsa",
        "mnist_slow",
        **comsa_networks.SIZES,
        hidden_pulses=[1.0, 8.0],
        epochs=6,
        batch=8,
        pixel_deletion=0.1,
    )

    def samples(params, split, streams):
        rng = streams.rng(f"made {split}")
        return rng.random((60, own.n_input)).astype(np.float32), rng.integers(0, own.n_output, 60)

    monkeypatch.setattr(comsa_task, "samples", samples)
    return comsa.train(own, "spiking", STREAMS, {}, progress)


def of_gates(progress, monkeypatch):
    own = params_of("comsa", "boolean", epochs=6, n_networks=2)
    return boolean.train(own, "spiking", STREAMS, {}, progress)


def online_with_means(progress, monkeypatch):
    return _s4nn(progress, monkeypatch, n_validation=4)


def online_with_shuffled_images(progress, monkeypatch):
    return _s4nn(progress, monkeypatch, average_rate=None, reset_share=0.9, reset_until=1.0)


def _s4nn(progress, monkeypatch, **changes):
    small = bars.made_digits(monkeypatch, n_train=120, n_test=20)
    own = params_of(
        "masquelier",
        "published",
        **{**small, "n_train": 60, "n_validation": 60, "epochs": 6, **changes},
    )
    return s4nn.train(own, "spiking", STREAMS, {}, progress)


def by_decolle(progress, monkeypatch):
    return _frames(lambda own: decolle.train(own, "spiking", STREAMS, progress), monkeypatch)


def of_convolutional_layers(progress, monkeypatch):
    poisson_digits.show_digits(monkeypatch)
    own = poisson_digits.small(n_batches=4)
    return convolutional.train(own, "spiking", STREAMS, {}, progress)


def of_a_gru(progress, monkeypatch):
    return _frames(lambda own: gru.train(own, STREAMS, progress), monkeypatch)


def of_a_reference(progress, monkeypatch):
    def draw(seed, part):
        rng = np.random.default_rng([seed, part])
        return rng.random((20, 6, 3)) < 0.4, rng.integers(0, 2, 20)

    own, shape = units.Recipe("spiking", 4, 0.02, batch=5), units.Shape(3, 6, 3, 2, 5.0)
    return reference.train(own, shape, draw, 4, [900], [0.01], progress)[0.01, 900]


def _frames(train, monkeypatch):
    own = neftci_networks.params(epochs=4, n_init=20, batch_online=10, batch_gru=10)
    neftci_networks.shown(monkeypatch, own, 40, 20)
    return train(own)


def by_eprop(progress, monkeypatch):
    own = params_of("scherr", "evidence", iterations={"spiking": 20}, align_every=7, check_every=3)
    return evidence.train(own, "spiking", STREAMS, {}, progress)


def until_the_criterion(progress, monkeypatch):
    changed = {
        "batch": 8,
        "check_every": 3,
        "stop_error": 0.45,
    }  # the 35th of 40 iterations ends it
    own = params_of("scherr", "evidence_published", iterations={"spiking": 40}, **changed)
    return evidence_published.train(own, "spiking", STREAMS, {}, progress)


def by_reward(progress, monkeypatch):
    own = params_of("scherr", "evidence_reward", iterations=20)
    return reward.train(own, "random", STREAMS, {}, progress)


def of_a_shared_task(progress, monkeypatch):
    own = params_of("scherr", "shared_yinyang", n_train=60, n_validation=2, n_test=2, batch_bptt=5)
    return shared_networks.train(own, "bptt", STREAMS, {}, progress)


def of_one_shot(progress, monkeypatch):
    own = params_of("scherr", "oneshot", outer_iterations=30, n_validation=2, batch=2)
    return oneshot.optimise(own, "error", STREAMS, progress)


def by_bursts(progress, monkeypatch):
    return _rates(rate_hierarchy.train, digits, "shared_yinyang", "burstprop", progress)


def of_the_rate_network(progress, monkeypatch):
    perturbed = partial(burstprop.train, perturb=STREAMS.rng("perturb"))
    return _rates(perturbed, deep_digits, "mnist_deep", "learned_3", progress)


def _rates(train, module, experiment, variant, progress):
    own = params_of("naud", experiment, epochs=4, batch=10)
    rng = np.random.default_rng(0)
    shown = rng.random((60, 12)), rng.integers(0, 3, 60)
    layers = train(
        [12, 7, 6, 3], shown, shown, module.recipe(own, variant),
        init=STREAMS.rng("init"), shuffle=STREAMS.rng("shuffle"), progress=progress,
    )  # fmt: skip
    arrays = {
        f"{kind}{k}": array
        for kind in ("forward", "bias", "feedback", "recurrent")
        for k, array in enumerate(getattr(layers, kind, ()))
    }
    return Network(arrays, {}, layers.history.rows)


def of_ensembles(progress, monkeypatch):
    own = params_of("naud", "xor_published", n_per_population=10, epochs=6)
    return bursting.learn(own, "spiking", STREAMS, progress)[0]


def of_a_tempotron(progress, monkeypatch):
    path = Path(template.__file__).with_name("talk.yaml")
    described = yaml.safe_load(path.read_text())
    given = {**described["parameters"], **described["experiments"]["patterns"]["parameters"]}
    small = {"epochs": 6, "n_train": 30, "n_validation": 20, "n_input": 50}
    values = {name: entry["value"] for name, entry in given.items()} | small
    values |= {"learning_rate": 0.05, "jitter_ms": 15.0}
    own = Params("_template", "patterns", "smoke", values)
    return template.train(own, STREAMS, progress)


ALL = (
    by_gradient, of_a_control, of_first_spikes,
    of_first_spikes_stepwise, on_substrates, with_pulses, of_gates, online_with_means,
    online_with_shuffled_images, by_decolle, of_convolutional_layers, of_a_gru, of_a_reference,
    by_eprop, until_the_criterion, by_reward, of_a_shared_task, of_one_shot, by_bursts,
    of_the_rate_network, of_ensembles, of_a_tempotron,
)  # fmt: skip
