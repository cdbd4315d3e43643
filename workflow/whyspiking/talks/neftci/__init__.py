"""Kaiser, Mostafa & Neftci 2020: DECOLLE, deep continuous local learning."""

EXPERIMENTS = {
    "nmnist": "digits",
    "budgets": "digits",
    "mismatch": "device",
    "continual": "continual",
    "regression": "regression",
    "shared_yinyang": "shared",
    "shared_randman": "shared",
}
"""Experiment -> the module that fulfils it."""
