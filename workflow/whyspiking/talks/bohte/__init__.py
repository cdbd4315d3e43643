"""Yin, Corradi & Bohte 2020: recurrent networks of spiking neurons with trained time constants."""

EXPERIMENTS = {
    "ecg": "time_constants",
    "timescales": "ecg",
    "published_rate": "ecg",
    "sparse": "ecg",
    "released": "released",
    "spoken": "digits",
    "spoken_seen": "digits",
    "smnist": "pixels",
    "psmnist": "pixels",
}
"""Experiment -> the module that fulfils it."""
