"""The ground: tasks that are admitted, and the smallest networks that are known for them."""

EXPERIMENTS = {
    "span_recall": "networks",
    "volley_recall": "networks",
    "sound": "networks",
    "yinyang": "networks",
    "randman": "networks",
    "span_recall_trained": "trained",
    "volley_recall_trained": "trained",
    "sound_trained": "trained",
    "yinyang_trained": "trained",
    "randman_trained": "trained",
    "randman_mapped": "first_spikes",
    "samples": "samples",
}
"""Experiment -> the module that fulfils it."""
NOT_EXPRESSIBLE = (
    "the go signal reaches memories past the gates, and readout units start at their bias"
)
