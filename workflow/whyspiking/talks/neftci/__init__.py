"""Kaiser, Mostafa & Neftci 2020: DECOLLE, deep continuous local learning."""

EXPERIMENTS = {
    "nmnist": "digits",
    "budgets": "digits",
    "memory": "memory",
    "sparse": "digits",
    "mismatch": "plastic",
    "regression": "regression",
}
"""Experiment -> the module that fulfils it."""
