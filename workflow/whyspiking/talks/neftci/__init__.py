"""Kaiser, Mostafa & Neftci 2020: DECOLLE, deep continuous local learning."""

EXPERIMENTS = {
    "nmnist": "digits",
    "budgets": "digits",
    "memory": "memory",
    "sparse": "digits",
    "mismatch": "plastic",
    "coarse": "digits",
    "fine": "digits",
    "continual": "continual",
    "convolution": "convolution",
    "regression": "regression",
    "shared_yinyang": "shared",
    "shared_randman": "shared",
    "shared_xor_25": "shared",
    "shared_xor_100": "shared",
    "shared_xor_400": "shared",
    "shared_xor_1000": "shared",
}
"""Experiment -> the module that fulfils it."""
