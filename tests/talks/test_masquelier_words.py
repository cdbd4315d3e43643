"""Masquelier's other half: the layers against their equations, learning, Brian2."""

from dataclasses import replace

import numpy as np
import pytest
from made.checkouts import ROOT
from made.utterances import shard

from whyspiking.brian import Machine
from whyspiking.contract.randomness import Streams
from whyspiking.contract.trial_subsets import select_task
from whyspiking.contract.types import Network, Params
from whyspiking.declared import registry
from whyspiking.errors import UserError
from whyspiking.stages import data
from whyspiking.talks.masquelier.audio import brian_network, learning, model, task

N_WORDS = 4


@pytest.fixture(scope="module")
def params(tmp_path_factory) -> Params:
    """Small networks on a small made-up data set whose words differ in their bands."""
    from whyspiking.records import array_files

    folder = tmp_path_factory.mktemp("words")
    shards = []
    for speaker in range(6):
        rng = np.random.default_rng(speaker)
        labels = np.tile(np.arange(N_WORDS), 6)
        log_mel = rng.normal(-8, 0.5, (labels.size, 101, 40))
        for k, label in enumerate(labels):
            start = rng.integers(10, 60)
            log_mel[k, start : start + 30, 8 * label : 8 * label + 8] += 6
        words = {**shard(speaker, 12), "labels": labels.astype(np.uint16)}
        shards.append(folder / "shards" / f"{speaker}.npz")
        array_files.save_arrays({**words, "log_mel": log_mel.astype(np.float16)}, shards[-1])
    settings = {"speakers": 6, "words": N_WORDS, "repetitions": 6}
    data.gather("words", {"words": settings}, shards, folder / "meta.json")
    experiment = registry.load_talk("masquelier").experiments["words"]
    values = {
        **experiment.published,
        "n_words": N_WORDS,
        "n_channels": 12,
        "validation_speakers": [1],
        "learning_rate": 0.003,
        "epochs": 20,
        "batch": 12,
        "n_copies": 2,
        "max_trials": 20,
        "penalty": 3.0,
    }
    work = ROOT / "resources" / "build"
    return Params("masquelier", "words", "smoke", values, 0, dataset_dir=folder, work_dir=work)


def drawn(params, variant, seed=0):
    arrays = model.initial(params, variant, np.random.default_rng(seed))
    return Network(arrays, {"variant": variant})


def test_taps_look_back_and_never_ahead():
    x = np.arange(1.0, 8.0)[None, :, None]
    taps = model.stacked(x, 3, 2)
    back = [[1, 2, 3, 4, 5, 6, 7], [0, 0, 1, 2, 3, 4, 5], [0, 0, 0, 0, 1, 2, 3]]
    np.testing.assert_array_equal(taps[0].T, back)
    assert not model.stacked(x, 2, 100)[0, :, 1].any()
    np.testing.assert_array_equal(np.asarray(model.stacked(x.astype(np.float32), 3, 2)), taps)


def by_hand(params, arrays, k, x, leaky):
    """Eqs. 9 to 11 with unscaled membranes, frame by frame."""
    w, threshold = np.asarray(arrays[f"w_{k}"], np.float64), arrays[f"b_{k}"]
    norm, beta = (w**2).sum(axis=(0, 1)), float(arrays[f"leak_{k}"])
    felt = np.einsum("tij,tik->jk", w, w)
    v = s = np.zeros(w.shape[2])
    found = []
    for t in range(len(x)):
        back = t - params.dilations[k] * np.arange(params.kernel)
        current = np.einsum("ti,tij->j", x[back[back >= 0]], w[back >= 0])
        if leaky:
            v = beta * (v - s @ felt) + (1 - beta) * current
        else:
            v = v - s @ felt + (1 - params.leak) * current
        s = (v / (norm + 1e-8) - threshold > 0).astype(float)
        found.append(s > 0)
    return np.array(found)


@pytest.mark.parametrize("variant", ["spiking", "if_neuron"])
def test_layers_follow_their_equations(params, variant):
    trained = drawn(params, variant)
    x = np.random.default_rng(2).normal(size=(1, 30, 40))
    rasters = learning.rasters(params, variant, trained, x, np.float64)
    layer_input = x[0]
    for k, raster in enumerate(rasters):
        expected = by_hand(params, trained.arrays, k, layer_input, model.LEAKY[variant])
        np.testing.assert_array_equal(raster[0], expected)
        assert 0.02 < expected.mean() < 0.8
        layer_input = expected.astype(float)


def test_readout_and_loss_by_hand(params):
    arrays = model.initial(params, "spiking", np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(3, 101, 40)).astype(np.float32)
    labels = np.array([0, 2, 1], np.int32)
    told, active = model.outputs(params, "spiking", arrays, x)
    rasters = learning.rasters(params, "spiking", Network(arrays, {}), x)
    w = arrays["w_out"]
    expected = rasters[-1].mean(axis=1) @ (w / ((w**2).sum(axis=0) + 1e-8)) - arrays["b_out"]
    np.testing.assert_allclose(told, expected, rtol=1e-4, atol=1e-4)
    assert float(active) == pytest.approx(np.mean([r.mean() for r in rasters]), rel=1e-5)
    entropy = np.mean(
        [np.log(np.exp(row).sum()) - row[c] for row, c in zip(expected, labels, strict=True)]
    )
    batch = {"x": x, "labels": labels, "penalty": 2.0}
    value, _ = model.loss(params, "spiking")(arrays, batch)
    assert float(value) == pytest.approx(entropy + float(active), rel=1e-4)


def test_input_has_unit_variance_per_band_and_splits_know_their_speakers(params):
    x, labels = task.samples(params, "train")
    np.testing.assert_allclose(x.mean(axis=1), 0, atol=1e-4)
    np.testing.assert_allclose(x.std(axis=1), 1, atol=1e-3)
    sizes = [len(task.samples(params, s)[1]) for s in ("train", "validation", "test")]
    # Speakers 0, 2, 3 train; 1 validates; 4 and 5, and a tenth of 0 to 3, test.
    assert sum(sizes) == 6 * 24 and sizes[2] > 48 and set(labels) == set(range(N_WORDS))
    test = task.make_task(params, "test", Streams(0))
    assert set(np.unique(test.units)) > {4, 5}, "what generalises is the voice"
    with pytest.raises(UserError, match="the network expects 101, 40 and 9"):
        task.samples(replace(params, values={**params.values, "n_words": 9}), "train")


def test_copies_are_moved_and_keep_their_labels(params):
    x, labels = task.samples(params, "train")
    both = learning.augmented(params, x, labels, np.random.default_rng(0))
    n = len(x)
    np.testing.assert_array_equal(both["x"][:n], x)
    np.testing.assert_array_equal(both["labels"][n:], labels)
    assert (both["x"][n:] != x).any(axis=(1, 2)).mean() > 0.9


def test_controls_count_their_multiplications(params):
    shorter = replace(params, values={**params.values, "epochs": 1})
    found = learning.train(shorter, "conv", Streams(0), {}, lambda share, news: None)
    per_frame, counts = 4 * (40 * 12 + 12 * 12 + 12 * 12), found.info["counts"]
    dense = 101 * per_frame + 12 * N_WORDS
    updates, synapses = 101 * 3 * 12 + N_WORDS, per_frame + 12 * N_WORDS
    exact = [counts[name] for name in ("macs_dense", "neuron_updates", "synapses")]
    assert exact == [dense, updates, synapses] and 0 < counts["macs_effective"] < dense


@pytest.fixture(scope="module")
def machine(params, builds):
    return Machine(brian_network.to_brian(params), builds)


@pytest.mark.parametrize("variant", ["spiking", "if_neuron"])
def test_brian_gives_every_spike(params, machine, variant):
    """In double precision, spike for spike; 21 words, more than one run of the program takes."""
    found = drawn(params, variant, seed=4)
    words = select_task(task.make_task(params, "validation", Streams(0)), np.arange(21))
    recording = machine.run(words.stimulus, brian_network.bind(params, found).values, trials=21)
    expected = learning.rasters(params, variant, found, words.features, np.float64)
    for k in range(3):
        np.testing.assert_array_equal(brian_network.raster(params, recording, k), expected[k])
        assert expected[k].any()
    w = np.asarray(found.arrays["w_out"], np.float64)
    told = expected[-1].mean(axis=1) @ (w / ((w**2).sum(axis=0) + 1e-8)) - found.arrays["b_out"]
    np.testing.assert_allclose(brian_network.outputs(params, recording), told, atol=1e-5)
    first = learning.reference_first_ms(params, variant, found, words)
    assert np.mean(recording.spikes["layer_0"].first_ms() == first["layer_0"]) > 0.999
