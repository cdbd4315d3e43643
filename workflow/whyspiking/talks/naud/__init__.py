"""Richard Naud: burst-dependent synaptic plasticity coordinates learning in a hierarchy."""

EXPERIMENTS = {
    "xor": "xor.experiment",
    "xor_published": "xor.published",
    "multiplexing": "burst_code.multiplexing",
    "plasticity": "burst_code.plasticity",
    "mnist_deep": "rate_hierarchy.deep_digits",
    "shared_yinyang": "rate_hierarchy.digits",
    "shared_randman": "rate_hierarchy.digits",
}
"""Experiment -> the module that fulfils it."""

NOT_EXPRESSIBLE = (
    "cells of two compartments with a dendritic non-linearity, adapting thresholds and short-term "
    "plasticity of synapses (README), none of which is a NIR node; MNIST and the shared tasks are "
    "learned by rates and burst probabilities, without spikes"
)
"""Why no network of this talk is a NIR graph."""
