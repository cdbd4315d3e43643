"""Bright bars in place of MNIST, and settings of the smallest S4NN, for tests of masquelier."""

import numpy as np
from made.digits import show

from whyspiking.talks.masquelier import brian_network, model, s4nn, task
from whyspiking.talks.masquelier.network import Neurons, order_spikes

T_MAX = 24
NEURONS = Neurons(theta=10.0, t_max=T_MAX)


def made_digits(monkeypatch, n_train=300, n_test=60, side=8):
    """Bright bars on a dark ground in place of MNIST: four classes that latencies tell apart."""

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
    }


def random_case(seed, n_images=12, n_in=30, n_hidden=21, n_out=5, scale=1.0):
    rng = np.random.default_rng(seed)
    ticks = rng.integers(0, T_MAX + 8, (n_images, n_in)).clip(0, T_MAX).astype(np.uint16)
    weights = (
        scale * rng.uniform(-1, 3, (n_in, n_hidden)),
        scale * rng.uniform(-2, 6, (n_hidden, n_out)),
    )
    return order_spikes(ticks, T_MAX), rng.integers(0, n_out, n_images), weights


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
