"""The ground: tasks that are admitted, and the smallest networks that are known for them."""

EXPERIMENTS = {
    "span_recall": "networks",
    "volley_recall": "networks",
    "sound": "networks",
    "yinyang": "networks",
    "randman": "networks",
    "isolated_sound": "isolated",
    "isolated_span": "isolated",
    "isolated_randman": "isolated",
    "samples": "isolated",
}
"""Experiment -> the module that fulfils it."""
NOT_EXPRESSIBLE = (
    "the go signal reaches memories past the gates, and readout units start at their bias"
)
