"""Kheradpisheh & Masquelier 2020: S4NN; Zimmer et al. 2019: surrogate gradients on spoken words."""

EXPERIMENTS = {"mnist": "s4nn", "mnist_strict": "s4nn", "recipe": "s4nn", "words": "words"}
"""Experiment -> the module that fulfils it."""
