"""Other images in the place of MNIST, for one test."""

from whyspiking.datasets import mnist


def show(monkeypatch, load):
    """Have `load` give the images of a file and their classes; no test sees those of another."""
    monkeypatch.setattr(mnist, "load", load)
    monkeypatch.setattr(mnist, "_flat", getattr(mnist._flat, "__wrapped__", mnist._flat))
