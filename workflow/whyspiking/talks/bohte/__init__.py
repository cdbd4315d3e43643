"""Yin, Corradi & Bohte 2020: recurrent networks of spiking neurons with trained time constants."""

EXPERIMENTS = {
    "ecg": "ecg",
    "timescales": "ecg",
    "sparse": "ecg",
    "gru_comparison": "ecg",
    "folds": "ecg",
    "published": "published",
    "released": "released_ecg",
    "released_smnist": "released_pixels",
    "shared_yinyang": "shared_tasks",
    "shared_randman": "shared_tasks",
    "shared_span_recall": "shared_tasks",
    "shared_volley_recall": "shared_tasks",
    "shared_sound": "shared_tasks",
}
"""Experiment -> the module that fulfils it."""
