"""Bright bars in place of MNIST, and settings of the smallest S4NN, for tests of masquelier."""

from itertools import pairwise

import numpy as np
from made.digits import show

from whyspiking.talks.masquelier import brian_network, model, s4nn, task
from whyspiking.talks.masquelier.network import Neurons

T_MAX = 24
NEURONS = Neurons(theta=10.0, t_max=T_MAX)


def made_digits(monkeypatch, n_train=300, n_test=60, side=8):
    """Show bright bars in place of MNIST, four classes by latency; the recipe of a test."""

    def load(folder, split):
        rng = np.random.default_rng(len(split))
        n = n_test if split == "test" else n_train
        labels = rng.integers(0, 4, n)
        images = rng.integers(0, 90, (n, side, side))
        images[rng.random(images.shape) < 0.5] = 0
        for image, label in zip(images, labels, strict=True):
            image[2 * label : 2 * label + 2] = rng.integers(160, 256, (2, side))
        return images.astype(np.uint8), labels

    show(monkeypatch, load)
    return {
        "n_input": side * side,
        "n_hidden": 20,
        "n_output": 4,
        "n_held_out": 60,
        "n_train": 240,
        "n_validation": 60,
        "n_test": n_test,
        "epochs": 8,
        "hidden_limit": 20.0,
        "average_rate": 0.3,
        "average_every": 40,
        "keep_epoch": "best",
        "ties": "potential",
        "follow_test": False,
        "shuffle": True,
        "count_whole": False,
        "reset_output": True,
    }


def random_case(seed, sizes=(30, 21, 5), n_images=12):
    """Ticks of images, their classes, and the weights of layers of these sizes."""
    rng = np.random.default_rng(seed)
    ticks = rng.integers(0, T_MAX + 8, (n_images, sizes[0])).clip(0, T_MAX).astype(np.uint16)
    scale = rng.choice([0.5, 0.8, 1.2])
    weights = tuple(
        scale * rng.uniform(-2 if k else -1, 6 if k else 3, shape)
        for k, shape in enumerate(pairwise(sizes))
    )
    return ticks, rng.integers(0, sizes[-1], n_images), weights


def same_in_brian(own, network, recording, test):
    """Ask that Brian2 and the kernel agree tick for tick; the first spikes of the outputs."""
    expected = model.forward(own, network, task.events_of(own, test))
    seen = brian_network.read(own, recording)
    np.testing.assert_array_equal(seen.hidden, expected.hidden)
    np.testing.assert_array_equal(seen.output, expected.output)
    np.testing.assert_allclose(seen.potential, expected.potential, atol=1e-12)
    for name, times in s4nn.reference_first_ms(own, "spiking", network, test).items():
        np.testing.assert_array_equal(recording.spikes[name].first_ms(), times)
    return seen.output
