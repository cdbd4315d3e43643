"""Kaiser, Mostafa & Neftci 2020: DECOLLE, deep continuous local learning."""

EXPERIMENTS = {
    "nmnist": "digits",
    "budgets": "digits",
    "mismatch": "device",
    "continual": "continual",
    "regression": "regression",
    "mnist_poisson": "mnist_poisson.experiment",
    "shared_yinyang": "shared",
    "shared_randman": "shared",
    "shared_span_recall": "shared",
    "shared_volley_recall": "shared",
    "shared_sound": "shared",
}
"""Experiment -> the module that fulfils it."""
