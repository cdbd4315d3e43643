"""Small convolutional networks of neftci, and images whose bright rows say their class."""

import numpy as np
from made.digits import show
from made.project import params_of


def small(**changed):
    """Sizes of a training that takes a fraction of a second."""
    sizes = {"side": 9, "n_input": 81, "channels": [8, 8, 16], "pools": [1, 1, 2], "kernel": 5}
    long = {"n_steps": 12, "burn_in_ms": 4.0, "test_steps": 14, "simulated_steps": 14}
    many = {"n_batches": 3, "batch_online": 6, "n_train": 40, "n_test": 10, "n_simulated": 3}
    # Larger weights than published, so that so short a trial has spikes in all layers.
    strong = {"weight_scale": 2e-3, "gain_hz": 400}
    return params_of("neftci", "mnist_poisson", **{**sizes, **long, **many, **strong, **changed})


def show_digits(monkeypatch):
    """Show images of four classes in place of MNIST."""

    def load(folder, split):
        rng = np.random.default_rng(len(split))
        labels = rng.integers(0, 4, 50)
        images = rng.integers(0, 60, (50, 9, 9))
        for image, label in zip(images, labels, strict=True):
            image[2 * label : 2 * label + 2] = 250
        return images.astype(np.uint8), labels

    show(monkeypatch, load)
