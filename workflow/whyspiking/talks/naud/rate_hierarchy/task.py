"""Inputs and classes of the rate hierarchies: digits, and spike times given as numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.datasets import mnist
from whyspiking.tasks import task_data

N_CLASSES = 10


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Features and classes; nothing is drawn here, so `streams` is not used."""
    if split == "fresh":
        return None
    features, classes = samples(params, split)
    n_classes = params.n_output if task_data.takes_part(params) else N_CLASSES
    return ct.Task(ct.Stimulus(), classes, n_classes, features)


def samples(params: ct.Params, split: ct.Split) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Features (sample, input) and classes (sample,).

    Of a shared task the times of input spikes as shares of its window, of MNIST brightness in 0..1
    less a mean and over a deviation, `pixels`; validation is the end of the training file.
    """
    if task_data.takes_part(params):
        latencies = task_data.latencies(params, split)
        assert latencies is not None
        return latencies.features.astype(np.float32), latencies.classes
    images, labels = mnist.load(params.data_dir / "mnist", "test" if split == "test" else "train")
    part_of_file = {
        "train": slice(params.n_train),
        "validation": slice(-params.n_validation, None),
        "test": slice(params.n_test),
    }[split]
    images = images[part_of_file]
    features = images.reshape(len(images), -1).astype(np.float32) / np.float32(255)
    mean, deviation = params.pixels
    features = (features - np.float32(mean)) / np.float32(deviation)
    return features, labels[part_of_file].astype(np.int64)
