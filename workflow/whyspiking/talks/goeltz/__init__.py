"""Goeltz et al. 2021: fast and deep learning with exact first-spike times."""

EXPERIMENTS = {
    "yinyang": "networks",
    "substrates": "substrates",
    "few_spikes": "few_spikes",
    "shared_yinyang": "networks",
    "shared_randman": "networks",
    "released_yinyang": "released",
    "released_mnist": "released",
    "released_chip": "chip",
}
"""Experiment -> the module that fulfils it."""
