"""Comsa et al. 2020: temporal coding with the alpha synaptic function."""

EXPERIMENTS = {
    "mnist_slow": "probes",
    "regimes": "digits",
    "regimes_published": "published_regimes",
    "released": "released",
    "boolean": "boolean",
    "shared_yinyang": "digits",
    "shared_randman": "digits",
}
"""Experiment -> the module that fulfils it."""
