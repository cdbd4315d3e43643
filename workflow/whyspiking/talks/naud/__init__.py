"""Richard Naud: burst-dependent synaptic plasticity coordinates learning in a hierarchy."""

EXPERIMENTS = {
    "xor": "xor",
    "xor_published": "xor_published",
    "xor_gradient": "xor_gradient",
    "neuron": "single_cell",
    "multiplexing": "multiplexing",
    "plasticity": "plasticity",
    "mnist": "digits",
    "mnist_deep": "deep_digits",
    "mnist_demo": "deep_digits",
    "shared_yinyang": "digits",
    "shared_randman": "digits",
}
"""Experiment -> the module that fulfils it."""

NOT_EXPRESSIBLE = (
    "cells of two compartments with a dendritic non-linearity, adapting thresholds and short-term "
    "plasticity of synapses (README), none of which is a NIR node; MNIST and the shared tasks are "
    "learned by rates and burst probabilities, without spikes"
)
"""Why no network of this talk is a NIR graph."""
