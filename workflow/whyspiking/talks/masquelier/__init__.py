"""Kheradpisheh & Masquelier 2020: S4NN; Zimmer et al. 2019: surrogate gradients on spoken words."""

EXPERIMENTS = {
    "published": "s4nn",
    "shared_yinyang": "s4nn",
    "shared_randman": "s4nn",
    "released": "released",
    "words": "words",
}
"""Experiment -> the module that fulfils it."""
